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
    """Values by field and place of a visit, shape (n,) each, and repeated rows in the order of the patients."""

    by_visit: Mapping[tuple[str, int], Floats]
    rows: tuple[RepeatedRow, ...]


def draw_extras(plan: Plan, count: int, eligible: Bools, rng: np.random.Generator) -> Extras:
    """Return what else the records hold."""
    by_visit: dict[tuple[str, int], Floats] = {}
    rows: list[RepeatedRow] = []
    for name, form in plan.truth.forms.items():
        for field, each in form.fields.items():
            for visit, draw in each.draw_at.items():
                values = compute_values(draw, rng.standard_normal(count), tuple(each.choices or {}))
                by_visit[(field, plan.visits.index(visit))] = (
                    compute_rounded(each, values) if each.type == "text" else values
                )
        if form.rows:
            rows += _draw_rows(plan, name, eligible, rng)
    return Extras(by_visit=by_visit, rows=tuple(rows))


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
