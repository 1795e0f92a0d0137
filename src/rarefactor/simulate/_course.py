"""How the core set measures go from baseline to the last visit.

Rule: each patient's response at the visit of the outcome is searched so that the Total Improvement Score of what is
recorded there is as near as can be to the score that was drawn, and on the side of the cut that the outcome asks for.
At earlier visits a part of that response is there; who relapses had responded at the visit before the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.simulate._draws import Bools, Floats, compute_values
from rarefactor.simulate._measures import CoreSet, compute_core, draw_errors
from rarefactor.simulate._people import Baseline
from rarefactor.simulate._plan import Plan, compute_score
from rarefactor.simulate._truth import Draw

LEVELS = np.linspace(-0.3, 1.0, 131)
"""Responses that are tried: the score changes in steps, so that finer ones would find no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The course of n patients.

    Attributes
    ----------
    response
        How far each patient has come from baseline (0) to normal (1) at each visit, shape (n, visits).
    score
        The Total Improvement Score of complete records at each visit, NaN at baseline; shape (n, visits).
    recorded
        What is recorded of each core set field, shape (n, visits).
    relapsed
        Who had responded before the outcome visit and lost it.
    """

    response: Floats
    score: Floats
    recorded: Mapping[str, Floats]
    relapsed: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Patients whose response is looked for."""

    plan: Plan
    core: CoreSet
    first: Mapping[str, Floats]
    limits: Mapping[str, Floats]

    def scores(self, response: Floats, errors: Mapping[str, Floats]) -> Floats:
        """Return the scores at responses of shape (n, levels)."""
        levels = response.shape[1]
        recorded = self.core.at(response, {name: each[:, None] for name, each in errors.items()})
        first = {name: np.repeat(each, levels) for name, each in self.first.items()}
        limits = {name: np.repeat(each, levels) for name, each in self.limits.items()}
        total = compute_score(self.plan, first, compute_core(self.plan, recorded), limits).total
        return total.reshape(response.shape)


def draw_course(plan: Plan, baseline: Baseline, outcome: Bools, rng: np.random.Generator) -> Course:
    """Return the course of patients with this baseline and outcome."""
    count, last = baseline.count, plan.outcome_visit
    search = _Search(
        plan=plan,
        core=baseline.core,
        first=compute_core(plan, baseline.recorded_core),
        limits=plan.limits(baseline.values, count),
    )
    errors = {place: draw_errors(plan, count, rng) for place in range(1, len(plan.visits))}
    targets = _draw_targets(plan, outcome, rng)
    at_last, wrong = _choose(search, targets, outcome, errors[last])
    if wrong.any():  # without error and with all measures going together, any score up to the attainable is in reach
        errors[last] = {name: np.where(wrong, 0.0, each) for name, each in errors[last].items()}
        search = replace(search, core=search.core.levelled(wrong))
        at_last, _ = _choose(search, targets, outcome, errors[last])
    response = _draw_responses(plan, at_last, rng)
    relapsed = outcome & (rng.random(count) < plan.truth.response.relapse) & (last > 1)
    if relapsed.any():
        better, nobody = _draw_targets(plan, ~relapsed & outcome, rng), np.zeros(count, dtype=np.bool_)
        response[:, last - 1] = np.where(
            relapsed, _choose(search, better, nobody, errors[last - 1])[0], response[:, last - 1]
        )
    return _record(search, baseline, response, errors, relapsed)


def _draw_targets(plan: Plan, outcome: Bools, rng: np.random.Generator) -> Floats:
    """Return the score that each patient should have at the visit of the outcome."""
    response = plan.truth.response
    scores = rng.standard_normal(len(outcome))
    return np.where(outcome, compute_values(response.event, scores), compute_values(response.no_event, scores))


def _choose(search: _Search, targets: Floats, outcome: Bools, errors: Mapping[str, Floats]) -> tuple[Floats, Bools]:
    """Return the response whose score is nearest to the target on the right side of the cut, and who has none."""
    count = len(targets)
    scores = search.scores(np.broadcast_to(LEVELS, (count, len(LEVELS))).copy(), errors)
    right = (scores < search.plan.truth.response.cut) == outcome[:, None]
    distance = np.where(right, np.abs(scores - targets[:, None]), np.inf)
    return LEVELS[distance.argmin(axis=1)], ~right.any(axis=1)


def _draw_responses(plan: Plan, at_last: Floats, rng: np.random.Generator) -> Floats:
    """Return the response at each visit: none at baseline, a part before the visit of the outcome, all from it on."""
    response = np.zeros((len(at_last), len(plan.visits)))
    for place, name in enumerate(plan.visits):
        draw = plan.truth.response.course.get(name, Draw(mean=0.0 if place == 0 else 1.0))
        part = compute_values(draw, rng.standard_normal(len(at_last)))
        response[:, place] = at_last * (part if place < plan.outcome_visit else 1.0)
    return np.clip(response, LEVELS[0], LEVELS[-1])


def _record(
    search: _Search, baseline: Baseline, response: Floats, errors: Mapping[int, Mapping[str, Floats]], relapsed: Bools
) -> Course:
    plan, score = search.plan, np.full(response.shape, np.nan)
    visits = [dict(baseline.recorded_core)]
    for place in range(1, len(plan.visits)):
        visits.append(search.core.at(response[:, place], errors[place]))
        core = compute_core(plan, visits[-1])
        score[:, place] = compute_score(plan, search.first, core, search.limits).total
    recorded = {name: np.column_stack([visit[name] for visit in visits]) for name in plan.core_fields}
    return Course(response=response, score=score, recorded=recorded, relapsed=relapsed)
