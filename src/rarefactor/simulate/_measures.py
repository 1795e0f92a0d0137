"""Core set measures on the way from baseline to full response, true and as they are recorded.

Convention: a response of 0 leaves a measure where it was at baseline, 1 brings it to normal, less than 0 makes it
worse; enzymes move on the log scale. Strength by muscles is kept as the deficit of each muscle's grade. What is
recorded lies in the range of its field and on its steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.instruments import ENZYME_RANGES, MEASURES
from rarefactor.simulate._draws import Bools, Floats, compute_values, join
from rarefactor.simulate._plan import Plan
from rarefactor.simulate._truth import FormField

HIGHEST_GRADE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSet:
    """The core set measures of n patients.

    Attributes
    ----------
    baseline
        True values of each field but the muscles, shape (n,).
    deficits
        How much each muscle's true grade lacks, shape (n, muscles).
    follows
        How far each measure goes along with the response, shape (n,).
    """

    plan: Plan
    baseline: Mapping[str, Floats]
    deficits: Floats
    follows: Mapping[str, Floats]

    def take(self, rows: Bools) -> CoreSet:
        """Return some of the patients."""
        return replace(
            self,
            baseline={name: values[rows] for name, values in self.baseline.items()},
            deficits=self.deficits[rows],
            follows={name: values[rows] for name, values in self.follows.items()},
        )

    def levelled(self, rows: Bools) -> CoreSet:
        """Return the same, with all measures of some patients going all the way along with the response."""
        return replace(self, follows={name: np.where(rows, 1.0, values) for name, values in self.follows.items()})

    def at(self, response: Floats, errors: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return what is recorded of each field at a response of shape (n,) or (n, levels).

        The errors are standard normal, of shape (n,) or (n, 1).
        """
        truth, plan = self.plan.truth, self.plan
        recorded: dict[str, Floats] = {}
        for measure, name in plan.measures.items():
            each = truth.core_set[measure]
            way = response * _like(self.follows[measure], response)
            true = _move(measure, _like(self.baseline[name], response), each.normal, way)
            error = each.error ** errors[name] if measure in ENZYME_RANGES and each.error else each.error * errors[name]
            seen = true * error if measure in ENZYME_RANGES and each.error else true + error
            recorded[name] = compute_rounded(plan.field(name), seen)
        if plan.muscles:
            recorded |= self._grades(response, errors)
        return recorded

    def _grades(self, response: Floats, errors: Mapping[str, Floats]) -> dict[str, Floats]:
        left = 1.0 - response * _like(self.follows["mmt"], response)
        scatter = self.plan.truth.strength.error if self.plan.truth.strength else 0.0
        deficits = self.deficits.T[:, :, None] if response.ndim == 2 else self.deficits.T
        grades = HIGHEST_GRADE - deficits * left
        return {
            name: compute_rounded(self.plan.field(name), grade + scatter * errors[name])
            for name, grade in zip(self.plan.muscles, grades, strict=True)
        }


def join_core_sets(parts: Sequence[CoreSet]) -> CoreSet:
    """Return the core sets of several groups of patients as one."""
    return replace(
        parts[0],
        baseline=join([part.baseline for part in parts]),
        deficits=np.concatenate([part.deficits for part in parts]),
        follows=join([part.follows for part in parts]),
    )


def _like(values: Floats, response: Floats) -> Floats:
    return values[:, None] if response.ndim == 2 else values


def _move(measure: str, start: Floats, normal: float, way: Floats) -> Floats:
    if measure in ENZYME_RANGES:
        return start * (normal / start) ** way
    return start - way * (start - normal)


def compute_core_set(plan: Plan, scores: Mapping[str, Floats], rng: np.random.Generator) -> CoreSet:
    """Return the true core set measures at baseline of patients with these scores."""
    truth = plan.truth
    count = len(next(iter(scores.values())))
    values = {name: compute_values(each.baseline, scores[name]) for name, each in truth.core_set.items()}
    follows = {
        name: np.maximum(compute_values(each.follows, rng.standard_normal(count)), 0.05)
        for name, each in truth.core_set.items()
    }
    return CoreSet(
        plan=plan,
        baseline={field: values[measure] for measure, field in plan.measures.items()},
        deficits=_spread(plan, values["mmt"], rng) if plan.muscles else np.zeros((count, 0)),
        follows=follows,
    )


def _spread(plan: Plan, totals: Floats, rng: np.random.Generator) -> Floats:
    """Spread what a sum of grades lacks over the muscles; what no muscle can lack any more goes to the others."""
    strength = plan.truth.strength
    if strength is None:
        raise AssertionError
    shape = (len(totals), len(plan.muscles))
    weights = np.array([strength.weights[name] for name in plan.muscles]) * strength.ratio ** rng.standard_normal(shape)
    lacking = HIGHEST_GRADE * len(plan.muscles) - totals
    deficits = np.zeros(shape)
    for _ in range(6):
        free = np.where(deficits < HIGHEST_GRADE - 1e-9, weights, 0.0)
        rest = lacking - deficits.sum(axis=1)
        if rest.max(initial=0.0) < 1e-9:
            break
        share = free / np.maximum(free.sum(axis=1), 1e-12)[:, None]
        deficits = np.minimum(deficits + np.maximum(rest, 0.0)[:, None] * share, HIGHEST_GRADE)
    return deficits


def draw_errors(plan: Plan, count: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Return a standard normal error for each field of the core set."""
    fields = plan.core_fields
    return dict(zip(fields, rng.standard_normal((len(fields), count)), strict=True))


def compute_rounded(field: FormField, values: Floats) -> Floats:
    """Return values as they are recorded: within the range of the field, on its steps."""
    rounded = np.round(np.round(values / field.step) * field.step, 6)
    return np.clip(rounded, -np.inf if field.min is None else field.min, np.inf if field.max is None else field.max)


def compute_bounded(field: FormField, values: Floats) -> Floats:
    """Return recorded values as a reader of the records knows them: a value beyond a bound is the bound."""
    return np.clip(
        values, -np.inf if field.below is None else field.below, np.inf if field.above is None else field.above
    )


def compute_core(plan: Plan, recorded: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the measures of the Total Improvement Score from what is recorded."""
    core = {
        measure: compute_bounded(plan.field(name), recorded[name]).ravel() for measure, name in plan.measures.items()
    }
    if plan.muscles:
        core["mmt"] = np.sum([recorded[name] for name in plan.muscles], axis=0).ravel()
    return {name: core[name] for name in MEASURES if name in core}
