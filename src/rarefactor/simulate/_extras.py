"""What the records hold beside factors and measures: values that change from visit to visit, and repeated rows.

Convention: nothing here bears on the outcome. Values of a field by visit are drawn anew at each visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rarefactor.simulate._draws import Bools, Floats, compute_values
from rarefactor.simulate._measures import compute_rounded
from rarefactor.simulate._plan import Plan
from rarefactor.simulate._truth import Form


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedRow:
    """A row of a repeating form: its patient's place, its number, and the value of each field."""

    form: str
    patient: int
    instance: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """Values by field and place of a visit (n,), repeated rows, and readers' scores (n,) by stain and reader."""

    by_visit: Mapping[tuple[str, int], Floats]
    rows: tuple[RepeatedRow, ...]
    scores: Mapping[tuple[str, str], Floats]


def draw_extras(plan: Plan, values: Mapping[str, Floats], eligible: Bools, rng: np.random.Generator) -> Extras:
    """Return what else the records hold of patients with these true values."""
    rows = [
        row for name, form in plan.truth.forms.items() if form.rows for row in _draw_rows(plan, name, eligible, rng)
    ]
    return Extras(
        by_visit=_draw_by_visit(plan, len(eligible), rng),
        rows=tuple(rows),
        scores=_draw_scores(plan, values, rng),
    )


def _draw_by_visit(plan: Plan, count: int, rng: np.random.Generator) -> dict[tuple[str, int], Floats]:
    fields = [(name, field) for form in plan.truth.forms.values() for name, field in form.fields.items()]
    found: dict[tuple[str, int], Floats] = {}
    for name, field in fields:
        for visit, draw in field.draw_at.items():
            drawn = compute_values(draw, rng.standard_normal(count), tuple(field.choices or {}))
            found[(name, plan.visits.index(visit))] = compute_rounded(field, drawn) if field.type == "text" else drawn
    return found


def _draw_scores(plan: Plan, values: Mapping[str, Floats], rng: np.random.Generator) -> dict[tuple[str, str], Floats]:
    """Return each reader's score: an impression of the positive area, cut into 0 to 3."""
    scores: dict[tuple[str, str], Floats] = {}
    for stain, readers in plan.truth.readers.items():
        area = values[f"{stain}.positive_area"]
        for reader in readers.names:
            seen = area * readers.ratio ** rng.standard_normal(len(area))
            scores[(stain, reader)] = np.searchsorted(readers.from_area, seen, side="right").astype(np.float64)
    return scores


def _draw_rows(plan: Plan, name: str, eligible: Bools, rng: np.random.Generator) -> list[RepeatedRow]:
    form, count = plan.truth.forms[name], len(eligible)
    has = np.array([rng.random(count) < row.share for row in form.rows])
    drawn = [
        {field: compute_values(draw, rng.standard_normal(count)) for field, draw in row.values.items()}
        for row in form.rows
    ]
    rows: list[RepeatedRow] = []
    for patient in np.flatnonzero(eligible):
        for instance, place in enumerate(np.flatnonzero(has[:, patient]), start=1):
            values = {field: float(each[patient]) for field, each in drawn[place].items()}
            values |= {field: _place(form, field, code) for field, code in form.rows[place].codes.items()}
            rows.append(RepeatedRow(form=name, patient=int(patient), instance=instance, values=values))
    return rows


def _place(form: Form, field: str, code: str) -> float:
    return float([*(form.fields[field].choices or {})].index(code))
