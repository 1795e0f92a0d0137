"""The compiled inner loops of logistic regression, where the installer could build them.

The library stands beside its source, `_kernel.c`, and is used only if it was built from exactly this source; else, and
for every objective or array library that it does not know, the array code does the same steps. ``ENGINE`` says which is
in use. Both are held to each other by tests.
"""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints, is_foreign
from rarefactor.stats._penalty import Firth, HeldFirth, Likelihood, LogF, MaximumLikelihood, Objective, Point

UNDECIDED = 9
"""What the library answers for a problem that it leaves to the NumPy code."""

Address = ctypes.c_void_p
Count = ctypes.c_int64
CODES: dict[type, int] = {MaximumLikelihood: 0, Firth: 1, LogF: 2, HeldFirth: 3}


def _load_library(folder: Path) -> ctypes.CDLL | None:
    """Return the library if it was built from the source beside it."""
    try:
        source = hashlib.sha256((folder / "_kernel.c").read_bytes()).hexdigest()
        library = ctypes.CDLL(str(folder / "libkernel.so"))
        library.rarefactor_source.restype = ctypes.c_char_p
        current = library.rarefactor_source() == source.encode()
    except (OSError, AttributeError):
        return None
    return library if current else None


LIBRARY = _load_library(Path(__file__).parent)
ENGINE = "numpy" if LIBRARY is None else "compiled"


class _Data(ctypes.Structure):
    _fields_ = (
        *((name, Count) for name in ("n", "k", "penalty")),
        *((name, Address) for name in ("design", "outcome", "weights", "offset", "scale", "given")),
        *((f"{name}_step", Count) for name in ("design", "outcome", "weights", "offset", "scale", "given")),
    )


class _Limits(ctypes.Structure):
    _fields_ = (("rounds", Count), *((name, ctypes.c_double) for name in ("largest", "step", "gain", "slack")))


class _Maxima(ctypes.Structure):
    _fields_ = tuple(
        (name, Address) for name in ("beta", "step", "value", "gradient", "curvature", "information", "rounds", "stop")
    )


class _Lanes(ctypes.Structure):
    _fields_ = (("count", Count), *((name, Address) for name in ("problem", "column", "side")))


class _Stride(ctypes.Structure):
    _fields_ = (
        *((name, Count) for name in ("goals", "rounds")),
        *((name, ctypes.c_double) for name in ("largest", "arrived", "drop")),
    )


class _Tops(ctypes.Structure):
    _fields_ = tuple((name, Address) for name in ("beta", "value", "gradient", "curvature", "information"))


@dataclass(frozen=True, slots=True)
class Problems:
    """An objective as the library reads it; ``arrays`` keeps alive what ``data`` points to."""

    library: ctypes.CDLL
    data: _Data
    arrays: dict[str, Floats]


def read_problems(objective: Objective[Likelihood]) -> Problems | None:
    """Return the objective for the library, None where the NumPy code has to do it."""
    if LIBRARY is None or not isinstance(objective, (MaximumLikelihood, Firth, LogF, HeldFirth)):
        return None
    likelihood = objective.likelihood
    if is_foreign(likelihood.design):
        return None
    design = likelihood.design if likelihood.design.ndim == 3 else likelihood.design[None]
    arrays = {
        "design": design.swapaxes(1, 2), "outcome": likelihood.outcome, "weights": likelihood.weights,
        "offset": likelihood.offset, "scale": likelihood.scale, "given": _list_given(objective),
    }  # fmt: skip
    arrays = {name: np.ascontiguousarray(array, dtype=np.float64) for name, array in arrays.items()}
    steps = {f"{name}_step": 0 if len(array) == 1 else array[0].size for name, array in arrays.items()}
    places = {name: array.ctypes.data for name, array in arrays.items()}
    return Problems(
        LIBRARY, _Data(design.shape[1], likelihood.width, CODES[type(objective)], **places, **steps), arrays
    )


def _list_given(objective: MaximumLikelihood | Firth | LogF | HeldFirth) -> Floats:
    """Return what the penalty is given: strengths, or second derivatives; anything where it needs nothing."""
    if isinstance(objective, LogF):
        return objective.strength
    return objective.bend if isinstance(objective, HeldFirth) else objective.likelihood.scale


def _point(structure: type[ctypes.Structure], arrays: dict[str, Any]) -> ctypes.Structure:
    return structure(**{name: array.ctypes.data for name, array in arrays.items()})


def _make_room(beta: Floats) -> dict[str, Any]:
    problems, k = beta.shape
    return {
        "beta": np.array(beta, order="C"), "step": np.empty((problems, k)), "value": np.empty(problems),
        "gradient": np.empty((problems, k)), "curvature": np.empty((problems, k, k)),
        "information": np.empty((problems, k, k)), "rounds": np.empty(problems, dtype=np.int64),
        "stop": np.empty(problems, dtype=np.int64),
    }  # fmt: skip


def _read_point(room: dict[str, Any]) -> Point:
    return Point(**{name: room[name] for name in ("value", "gradient", "curvature", "information")})


def _check(ready: int) -> None:
    if not ready:
        raise MemoryError


def evaluate(problems: Problems, beta: Floats) -> Point:
    """Return value, gradient, curvature and information at ``beta`` (B, k)."""
    room = _make_room(beta)
    maxima = _point(_Maxima, room)
    _check(problems.library.rarefactor_evaluate(ctypes.byref(problems.data), Count(len(beta)), ctypes.byref(maxima)))
    return _read_point(room)


def maximise(
    problems: Problems, start: Floats, free: Bools, limits: tuple[int, float, float, float, float]
) -> tuple[dict[str, Any], Point]:
    """Climb from ``start`` (B, k): beta, step, rounds and stop (UNDECIDED for what is left), and the points."""
    room = _make_room(start)
    held = np.ascontiguousarray(~free, dtype=np.uint8)
    maxima, bounds = _point(_Maxima, room), _Limits(*limits)
    arguments = (Count(len(start)), Address(held.ctypes.data), ctypes.byref(bounds), ctypes.byref(maxima))
    _check(problems.library.rarefactor_maximise(ctypes.byref(problems.data), *arguments))
    return {name: room[name] for name in ("beta", "step", "rounds", "stop")}, _read_point(room)


def walk(
    problems: Problems, top: tuple[Floats, Point], lanes: tuple[Ints, Ints, Floats], stride: tuple[Any, ...]
) -> tuple[Floats, Ints]:
    """Return what each walk found (NaN where it did not arrive) and the rounds that it took."""
    beta, point = top
    tops = {"beta": beta, "value": point.value, "gradient": point.gradient, "curvature": point.curvature,
            "information": point.information}  # fmt: skip
    tops = {name: np.ascontiguousarray(array) for name, array in tops.items()}
    way = dict(zip(("problem", "column", "side"), map(np.ascontiguousarray, lanes), strict=True))
    count = len(way["side"])
    found, rounds = np.empty(count), np.empty(count, dtype=np.int64)
    lines = _Lanes(count, *(array.ctypes.data for array in way.values()))
    arguments = (_point(_Tops, tops), lines, _Stride(*stride))
    room = (Address(found.ctypes.data), Address(rounds.ctypes.data))
    _check(problems.library.rarefactor_walk(*map(ctypes.byref, (problems.data, *arguments)), *room))
    return found, rounds
