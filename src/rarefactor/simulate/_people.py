"""Patients as they are at baseline: what is true of them, and what of it is recorded.

Rule: patients without room to respond (a low attainable Total Improvement Score) do not enter, as those with inactive
disease do not enter a trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rarefactor.errors import StudyFileError
from rarefactor.simulate._draws import Bools, Floats, compute_recorded, compute_values, draw_scores, join
from rarefactor.simulate._measures import (
    CoreSet,
    compute_core,
    compute_core_set,
    compute_rounded,
    draw_errors,
    join_core_sets,
)
from rarefactor.simulate._plan import FAT, RATE, Plan, compute_score
from rarefactor.simulate._truth import Draw, FormField

_MOST_ROUNDS = 60
_SPARE, _MORE = 8, 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is true of n patients at baseline, and what is recorded of it; all arrays have shape (n,).

    Attributes
    ----------
    core
        The true core set measures.
    values
        True values of each field with a draw (a box is called ``field___code``), of ``fat_fraction``, ``fat_rate`` and
        each quantity of a stain (``CD20.positive_per_mm2``).
    measured
        The same as they are measured.
    true_core, recorded_core
        The fields of the core set as they are recorded at baseline without any error of measurement, and with it.
    """

    core: CoreSet
    values: Mapping[str, Floats]
    measured: Mapping[str, Floats]
    true_core: Mapping[str, Floats]
    recorded_core: Mapping[str, Floats]

    @property
    def count(self) -> int:
        """The number of patients."""
        return len(self.core.deficits)

    def take(self, rows: Bools) -> Baseline:
        """Return some of the patients."""
        return Baseline(
            core=self.core.take(rows),
            values=_some(self.values, rows),
            measured=_some(self.measured, rows),
            true_core=_some(self.true_core, rows),
            recorded_core=_some(self.recorded_core, rows),
        )


def _some(values: Mapping[str, Floats], rows: Bools) -> dict[str, Floats]:
    return {name: each[rows] for name, each in values.items()}


def draw_baseline(plan: Plan, count: int, rng: np.random.Generator) -> Baseline:
    """Return patients with room to respond.

    Raises
    ------
    StudyFileError
        Hardly any patient has.
    """
    parts: list[Baseline] = []
    for _ in range(_MOST_ROUNDS):
        found = sum(part.count for part in parts)
        drawn = _draw(plan, _SPARE + int(_MORE * (count - found)), rng)
        parts.append(drawn.take(_has_room(plan, drawn)))
        found += parts[-1].count
        if found >= count:
            return _join(parts).take(np.arange(found) < count)
    found, expected = "hardly any patient with room to respond", "core set measures that are abnormal at baseline"
    step = "Make core_set worse, or response.attainable smaller."
    raise StudyFileError(plan.truth.problem("response", "attainable", found=found, expected=expected, next_step=step))


def _draw(plan: Plan, count: int, rng: np.random.Generator) -> Baseline:
    scores = draw_scores(rng, count, plan.drawn, plan.root)
    core = compute_core_set(plan, scores, rng)
    values, measured = _draw_values(plan, scores, rng)
    errors = draw_errors(plan, count, rng)
    still = {name: np.zeros(count) for name in errors}
    return Baseline(
        core=core,
        values=values,
        measured=measured,
        true_core=core.at(np.zeros(count), still),
        recorded_core=core.at(np.zeros(count), errors),
    )


def _draw_values(
    plan: Plan, scores: Mapping[str, Floats], rng: np.random.Generator
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    count = len(next(iter(scores.values())))
    values: dict[str, Floats] = {}
    measured: dict[str, Floats] = {}
    for name, key, draw, field in _variables(plan):
        values[key] = compute_values(draw, scores[name], tuple(field.choices or {}) if field else ())
        measured[key] = compute_recorded(draw, values[key], rng.standard_normal(count)) if draw.error else values[key]
        if field and field.type == "text":
            values[key], measured[key] = (compute_rounded(field, each) for each in (values[key], measured[key]))
    for key, share in _boxes(plan):
        values[key] = measured[key] = (rng.random(count) < share).astype(np.float64)
    return values, measured


def _variables(plan: Plan) -> Iterator[tuple[str, str, Draw, FormField | None]]:
    """Yield the score, the key, the distribution and the field of each variable."""
    truth = plan.truth
    for form in truth.forms.values():
        for name, field in form.fields.items() if not form.rows else ():
            if field.draw is not None and field.type != "checkbox":
                yield name, name, field.draw, field
    if truth.scans:
        yield FAT, FAT, truth.scans.fat_fraction, None
        yield RATE, RATE, truth.scans.rate, None
    for stain, each in truth.slides.items():
        if each.positive_area is not None:
            yield stain, f"{stain}.positive_area", each.positive_area, None
        if each.positive_per_mm2 is not None:
            yield stain, f"{stain}.positive_per_mm2", each.positive_per_mm2, None


def _boxes(plan: Plan) -> Iterator[tuple[str, float]]:
    for form in plan.truth.forms.values():
        for name, field in form.fields.items():
            if field.type == "checkbox" and field.draw is not None:
                for code in field.choices or {}:
                    yield f"{name}___{code}", (field.draw.shares or {}).get(code, 0.0)


def _has_room(plan: Plan, drawn: Baseline) -> Bools:
    core = compute_core(plan, drawn.recorded_core)
    score = compute_score(plan, core, core, plan.limits(drawn.values, drawn.count))
    return score.attainable >= plan.truth.response.attainable


def _join(parts: list[Baseline]) -> Baseline:
    if len(parts) == 1:
        return parts[0]
    return Baseline(
        core=join_core_sets([part.core for part in parts]),
        values=join([part.values for part in parts]),
        measured=join([part.measured for part in parts]),
        true_core=join([part.true_core for part in parts]),
        recorded_core=join([part.recorded_core for part in parts]),
    )
