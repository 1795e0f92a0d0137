"""Who is seen when: days of visits, patients who are lost, values and images that are missing.

Convention: arrays by visit have shape (n, visits), visits by their place. What is missing is a mask; the values behind
it stay true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rarefactor.simulate._draws import Bools, Floats, compute_chances
from rarefactor.simulate._factors import Known, compute_log_odds
from rarefactor.simulate._plan import Plan, nominal_day
from rarefactor.spec import DAYS_PER_MONTH

SCANS = "scans"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Who is seen when.

    Attributes
    ----------
    eligible
        Who belongs to the study.
    days
        Day of each visit since baseline, whole numbers, shape (n, visits).
    last
        The place of the last visit at which a patient was seen.
    missing
        Who lacks a field, form, ``scans`` or stain, at the place of a visit.
    """

    plan: Plan
    eligible: Bools
    days: Floats
    last: NDArray[np.intp]
    missing: Mapping[tuple[str, int], Bools]

    def opened(self, form: str, place: int) -> Bools:
        """Return of whom a form was filled at a visit."""
        shown = place in self.plan.places(self.plan.truth.forms[form])
        return (self.last >= place) & shown & ~self._lacks(form, place)

    def filled(self, field: str, place: int) -> Bools:
        """Return of whom a field was filled at a visit."""
        found = self.plan.truth.find_field(field)
        form = found[0] if found else ""
        return self.opened(form, place) & ~self._lacks(field, place)

    def scanned(self, place: int) -> Bools:
        """Return who has a scan of a visit."""
        scans = self.plan.truth.scans
        shown = scans is not None and self.plan.visits[place] in scans.visits
        return (self.last >= place) & self.eligible & shown & ~self._lacks(SCANS, place)

    def stained(self, stain: str) -> Bools:
        """Return who has a slide of a stain."""
        return self.eligible & ~self._lacks(stain, 0)

    def outcome_known(self) -> Bools:
        """Return whose Total Improvement Score at the visit of the outcome can be computed."""
        places = (0, self.plan.outcome_visit)
        return np.all([self.filled(name, place) for name in self.plan.core_fields for place in places], axis=0)

    def take(self, rows: Bools) -> FollowUp:
        """Return some of the patients."""
        return replace(
            self,
            eligible=self.eligible[rows],
            days=self.days[rows],
            last=self.last[rows],
            missing={key: mask[rows] for key, mask in self.missing.items()},
        )

    def _lacks(self, what: str, place: int) -> Bools:
        return self.missing.get((what, place), np.zeros(len(self.last), dtype=np.bool_))


def draw_follow_up(plan: Plan, known: Known, outcome: Bools, eligible: Bools, rng: np.random.Generator) -> FollowUp:
    """Return who is seen when; what is missing may depend on the factors and the outcome."""
    lost = np.where(eligible, _draw_loss(plan, known, outcome, eligible, rng), 0)
    missing: dict[tuple[str, int], Bools] = {}
    for rule in plan.truth.missing:
        chance = _chances(rule.share, rule.odds_ratios, known, outcome)
        places = [plan.visits.index(visit) for visit in rule.at] or range(len(plan.visits))
        for what in rule.of:
            for place in places:
                missing[(what, place)] = missing.get((what, place), False) | (rng.random(len(outcome)) < chance)
    return FollowUp(plan=plan, eligible=eligible, days=_draw_days(plan, len(outcome), rng), last=lost, missing=missing)


def _chances(share: float, odds_ratios: Mapping[str, float], known: Known, outcome: Bools) -> Floats:
    return compute_chances(share, compute_log_odds(known, odds_ratios, outcome.astype(np.float64)))


def _draw_loss(plan: Plan, known: Known, outcome: Bools, eligible: Bools, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the place of each patient's last visit."""
    loss, count = plan.truth.loss, len(outcome)
    if loss is None:
        return np.full(count, len(plan.visits) - 1)
    chances = _chances(loss.share, loss.odds_ratios, known, outcome)
    gone = rng.random(count) < chances
    if loss.exact:
        gone = _draw_exactly(plan, chances, eligible, rng)
    shares = [loss.after.get(visit, 0.0) for visit in plan.visits]
    after = np.searchsorted(np.cumsum(shares)[:-1], rng.random(count), side="right")
    return np.where(gone, after, len(plan.visits) - 1)


def _draw_exactly(plan: Plan, chances: Floats, eligible: Bools, rng: np.random.Generator) -> Bools:
    """Return the patients of each cohort who come first in a draw weighted by their odds, as many as are to be lost."""
    with np.errstate(divide="ignore"):
        keys = np.log(chances / (1 - chances)) + rng.gumbel(size=len(chances))
    by_cohort = np.where(eligible, keys, -np.inf).reshape(-1, plan.size)
    rank = np.argsort(np.argsort(-by_cohort, axis=1), axis=1)
    return (rank < round((plan.truth.loss.share if plan.truth.loss else 0.0) * plan.truth.patients)).ravel()


def _draw_days(plan: Plan, count: int, rng: np.random.Generator) -> Floats:
    """Return the day of each visit: near its nominal day, within its window, later than the one before."""
    scatter = plan.truth.visit_sd_days * rng.standard_normal((count, len(plan.visits)))
    days = np.zeros((count, len(plan.visits)))
    for place, name in enumerate(plan.visits[1:], start=1):
        window = plan.study.cohort.visits[name].window or (0.5 * plan.months[place], 1.5 * plan.months[place])
        low, high = (month * DAYS_PER_MONTH for month in window)
        day = np.clip(nominal_day(plan, place) + scatter[:, place], np.ceil(low + 1), np.floor(high - 1))
        days[:, place] = np.maximum(np.round(day), days[:, place - 1] + 1)
    return days
