"""Where a number comes from: its patients by study id, and the scans and slides of them that were measured.

Convention: what a row is about in images is named ``table@visit``, for slides ``table.stain@visit``; a factor names
what it is made from, a model what its factors are, and a row about images says it itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from rarefactor.errors import InputError, Problem
from rarefactor.results._model import Estimate, FlowStep, ImageFile, Results

_FLOW = "flow/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What stands behind a number.

    ``patients`` is None where they are not listed; ``about`` names what of the images was used, as
    :attr:`ImageFile.of` does, ``images`` the files of these patients.
    """

    patients: tuple[str, ...] | None
    about: tuple[str, ...] = ()
    images: tuple[ImageFile, ...] = ()


def find_row(results: Results, address: str) -> Estimate | FlowStep:
    """Return the row or the step of the flow with this address.

    Raises
    ------
    InputError
        There is none; the nearest addresses are offered.

    Examples
    --------
    >>> row = Estimate(analysis="table1", factor="age", measure="mean", estimate=50.0)
    >>> find_row(Results(study={}, flow=(), rows=(row,)), "table1/age/mean").estimate
    50.0
    """
    steps = {f"{_FLOW}{step.id}": step for step in results.flow}
    if address in steps:
        return steps[address]
    rows = {row.id: row for row in results.rows}
    if address in rows:
        return rows[address]
    near = get_close_matches(address, [*steps, *rows], n=3, cutoff=0.5)
    meant = f"Did you mean one of: {', '.join(near)}?" if near else "List the addresses and take one of them."
    raise InputError(Problem(found=f"no row {address}", expected="the address of a number", next_step=meant))


def trace_row(results: Results, row: Estimate | FlowStep) -> Trace:
    """Return the patients and the images behind a row.

    Examples
    --------
    >>> row = Estimate(analysis="table1", factor="age", measure="mean", estimate=50.0, n=2, patients="p1")
    >>> trace_row(Results(study={}, flow=(), rows=(row,), sets={"p1": ("S-1", "S-2")}), row).patients
    ('S-1', 'S-2')
    """
    if row.patients is None:
        return Trace(patients=None)
    patients = results.sets.get(row.patients, (row.patients,))
    about = tuple(dict.fromkeys(_images_of(results, row))) if isinstance(row, Estimate) else ()
    members = frozenset(patients)
    images = tuple(item for item in results.images if item.of in about and item.subject in members)
    return Trace(patients=patients, about=about, images=images)


def _images_of(results: Results, row: Estimate) -> Iterator[str]:
    """Give what of the images a row is about."""
    models = {model.name: model.factors for model in results.models}
    names = (row.factor,) if row.factor and row.model not in models else models.get(_last(row.model), ())
    for factor in results.factors:
        if factor.name in names:
            yield from factor.images
    if row.analysis in {"imaging", "pathology"}:
        yield from _seen(results, row)


def _last(model: str | None) -> str:
    """A model of a follow-up is named after both."""
    return (model or "").rsplit(".", 1)[-1]


def _seen(results: Results, row: Estimate) -> Iterator[str]:
    """Give what a row about images is about; a rate has the first visit behind it too."""
    known = [_parts(name) for name in dict.fromkeys(item.of for item in results.images)]
    own = [each for each in known if _is_about(row, *each[:2])]
    first = {table: visit for table, _, visit in reversed(own)}
    for table, stain, visit in own:
        if row.landmark in {None, visit} or ("rate" in row.measure and visit == first[table]):
            yield f"{table}.{stain}@{visit}" if stain else f"{table}@{visit}"


def _parts(name: str) -> tuple[str, str, str]:
    """Return table, stain and visit."""
    what, _, visit = name.partition("@")
    table, _, stain = what.partition(".")
    return table, stain, visit


def _is_about(row: Estimate, table: str, stain: str) -> bool:
    if bool(stain) != (row.analysis == "pathology") or row.model not in {None, table}:
        return False
    return not stain or row.term is None or row.term.split(".", 1)[0] == stain
