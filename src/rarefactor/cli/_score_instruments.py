"""The instruments of ``rarefactor score``: the columns that each takes, and how they become its arguments.

Convention: a column is called like the measure or item; of two visits it ends in ``_baseline`` or ``_final``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarefactor import instruments
from rarefactor.errors import InputError, Problem

Floats = NDArray[np.float64]
Given = Mapping[str, Floats]
Result = Mapping[str, NDArray[Any]]

_VISITS = ("baseline", "final")
_ANSWERS = np.array(["no", "yes", ""])


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is not in the data: maximum of muscle testing, limits of enzymes, ranges, and whose score it is."""

    mmt_maximum: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    ranges: Mapping[str, float] = field(default_factory=dict[str, float])
    juvenile: bool = False


def _nothing(_: frozenset[str]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """An instrument: its title, its columns in words, their names, and what is computed from them.

    ``told`` says what a reader must know where columns are missing.
    """

    title: str
    columns: str
    known: frozenset[str]
    compute: Callable[[Given, Options], Result]
    told: Callable[[frozenset[str]], str] = _nothing


def _visit(given: Given, visit: str) -> dict[str, Floats]:
    ending = f"_{visit}"
    return {name.removesuffix(ending): values for name, values in given.items() if name.endswith(ending)}


def _core_set(given: Given, compute: Callable[..., Any], **options: Any) -> Any:
    """Return what is computed from both visits; a value that cannot be is told with its visit.

    Each visit is first set against itself: what is refused then is refused for its own values.
    """
    visits = {name: _visit(given, name) for name in _VISITS}
    for name, values in visits.items() if visits["baseline"].keys() == visits["final"].keys() else ():
        try:
            compute(values, values, **options)
        except InputError as error:
            problem = error.problems[0]
            if problem.row is None:
                raise
            raise InputError(replace(problem, column=f"{problem.column}_{name}")) from None
    return compute(visits["baseline"], visits["final"], **options)


def _tis(given: Given, options: Options) -> Result:
    found = _core_set(
        given,
        instruments.compute_tis,
        mmt_maximum=options.mmt_maximum,
        enzyme_limits=options.limits,
        ranges=options.ranges,
        version="juvenile" if options.juvenile else "adult",
    )
    return {
        "tis": found.total,
        "tis_category": found.category,
        "tis_lower": found.lower,
        "tis_upper": found.upper,
        "tis_attainable": found.attainable,
        "tis_enzyme": found.enzyme,
        **{f"tis_{slot}": points for slot, points in found.points.items()},
    }


def _lacking(given: frozenset[str]) -> str:
    """Say which of the six measures are not there, so that there are bounds and no score."""
    measures = instruments.MEASURES
    taken = {measures[name.rsplit("_", 1)[0]].slot for name in given if name.rsplit("_", 1)[0] in measures}
    lacking = [slot.replace("_", " ") for slot in instruments.SLOTS if slot not in taken]
    return (
        f"Not given: {', '.join(lacking)}. The score is bounded (tis_lower, tis_upper), not known." if lacking else ""
    )


def _imacs(given: Given, options: Options) -> Result:
    found = _core_set(
        given,
        instruments.compute_imacs_improvement,
        enzyme_limits=options.limits,
        mmt_maximum=options.mmt_maximum,
    )
    worse = _core_set(given, instruments.compute_imacs_worsening, mmt_maximum=options.mmt_maximum)
    return {"imacs_improved": _answers(found), "imacs_worse": _answers(worse)}


def _answers(found: Floats) -> NDArray[np.str_]:
    return _ANSWERS[np.nan_to_num(found, nan=2.0).astype(np.int64)]


def _mmt8(given: Given, _: Options) -> Result:
    both = any(name in given for name in instruments.MMT8_BILATERAL[1:])
    names = instruments.MMT8_BILATERAL if both else instruments.MMT8_MUSCLES
    return {"mmt8": instruments.compute_mmt8(_stack(given, names), sides=2 if both else 1)}


def _mrc(given: Given, _: Options) -> Result:
    total = instruments.compute_mrc_sum(_stack(given, instruments.MRC_COLUMNS))
    return {"mrc_sum": total, "mrc_weakness": instruments.compute_mrc_weakness(total)}


def _haq(given: Given, _: Options) -> Result:
    if any(name in given for name in instruments.HAQ_ITEMS):
        categories = instruments.compute_haq_categories(_stack(given, instruments.HAQ_ITEMS))
    else:
        categories = _stack(given, tuple(instruments.HAQ_CATEGORIES))
    none = np.zeros(len(categories))
    aids = np.column_stack([given.get(f"{name}_aid", none) for name in instruments.HAQ_CATEGORIES])
    return {"haq_di": instruments.compute_haq_di(categories, aids=aids)}


def _enzyme(given: Given, options: Options) -> Result:
    found: dict[str, Floats] = {}
    for name, values in given.items():
        if name not in options.limits:
            step = f"Write --limit {name}=190, in the unit of the values."
            raise InputError(Problem(key=name, found="no limit", expected="its upper limit of normal", next_step=step))
        found[f"{name}_multiple"] = instruments.compute_multiples(values, options.limits[name])
    return found


def _eular_acr(given: Given, _: Options) -> Result:
    findings = {name: values for name, values in given.items() if name in instruments.EULAR_ACR_WEIGHTS}
    age, biopsy = (_stack(given, (name,))[:, 0] for name in ("onset_age", "biopsy"))
    found = instruments.compute_eular_acr(findings, onset_age=age, biopsy=biopsy)
    return {
        "eular_acr": found.score,
        "eular_acr_category": found.category,
        "eular_acr_lower": found.lower,
        "eular_acr_upper": found.upper,
        "eular_acr_probability": found.probability,
        "biopsy_needed": _answers(found.biopsy_needed),
    }


def _stack(given: Given, names: Sequence[str]) -> Floats:
    """Return columns side by side; all of them are needed."""
    absent = [name for name in names if name not in given]
    if absent:
        found = f"no {', '.join(absent)}"
        step = "Give each of them; leave a value empty where it is missing."
        raise InputError(Problem(found=found, expected=f"the {len(names)} values {', '.join(names)}", next_step=step))
    return np.column_stack([given[name] for name in names])


_MEASURES = ", ".join(instruments.MEASURES)
_TWO_VISITS = frozenset(f"{name}_{visit}" for name in instruments.MEASURES for visit in _VISITS)
_CATEGORIES = tuple(instruments.HAQ_CATEGORIES)

SCORED: Mapping[str, Scored] = {
    "tis": Scored(
        title="Total Improvement Score (2016 ACR/EULAR)",
        columns=f"each of {_MEASURES}, as far as used, followed by _baseline and _final",
        known=_TWO_VISITS,
        compute=_tis,
        told=_lacking,
    ),
    "imacs": Scored(
        title="IMACS definitions of improvement, and of worsening (to be confirmed at the next visit)",
        columns="those of tis",
        known=_TWO_VISITS,
        compute=_imacs,
    ),
    "mmt8": Scored(
        title="Manual muscle testing of eight muscles, 0 to 80 or 0 to 150",
        columns=f"{', '.join(instruments.MMT8_MUSCLES)}; for both sides with _right and _left, but the neck",
        known=frozenset({*instruments.MMT8_MUSCLES, *instruments.MMT8_BILATERAL}),
        compute=_mmt8,
    ),
    "mrc": Scored(
        title="MRC sum score, 0 to 60",
        columns=f"{', '.join(instruments.MRC_MOVEMENTS)}, each with _right and _left",
        known=frozenset(instruments.MRC_COLUMNS),
        compute=_mrc,
    ),
    "haq": Scored(
        title="HAQ disability index, 0 to 3",
        columns=f"{', '.join(_CATEGORIES)} (highest item), or items such as dressing_1; aids such as dressing_aid",
        known=frozenset({*_CATEGORIES, *instruments.HAQ_ITEMS, *(f"{name}_aid" for name in _CATEGORIES)}),
        compute=_haq,
    ),
    "enzyme": Scored(
        title="Muscle enzymes in multiples of the upper limit of normal",
        columns=f"{', '.join(instruments.ENZYME_RANGES)}; with --limit",
        known=frozenset(instruments.ENZYME_RANGES),
        compute=_enzyme,
    ),
    "eular-acr": Scored(
        title="2017 EULAR/ACR classification of inflammatory myopathies",
        columns=f"onset_age, biopsy, {', '.join(instruments.EULAR_ACR_WEIGHTS)} (1 yes, 0 no)",
        known=frozenset({"onset_age", "biopsy", *instruments.EULAR_ACR_WEIGHTS}),
        compute=_eular_acr,
    ),
}
