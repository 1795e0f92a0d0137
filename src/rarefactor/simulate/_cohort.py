"""Whole cohorts: patients, their outcome, their course, and what of it is known.

Rule: the outcome follows from a logistic model in the true values of the study's factors; its intercept is the one
that gives the prevalence of the truth in a large reference population. A truth with expectations is drawn again and
again from the same stream of random numbers until a cohort meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from rarefactor.errors import Problem, StudyFileError
from rarefactor.simulate._course import Course, draw_course
from rarefactor.simulate._draws import Bools, Floats
from rarefactor.simulate._extras import Extras, draw_extras
from rarefactor.simulate._factors import Known, compute_log_odds
from rarefactor.simulate._follow import FollowUp, draw_follow_up
from rarefactor.simulate._people import Baseline, draw_baseline
from rarefactor.simulate._plan import FAT, RATE, Plan, plan_cohort
from rarefactor.simulate._truth import Expect, Truth
from rarefactor.spec import DAYS_PER_MONTH, Study, parse_column

_REFERENCE = 20_000
_REFERENCE_SEED = 181
_AT_ONCE = 64
"""How many cohorts are drawn together while one is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCohort:
    """A synthetic cohort and everything that is true of it.

    Attributes
    ----------
    ids
        The record id of each patient.
    baseline, course, follow_up
        What is true and recorded at baseline and later, and who is seen when.
    risk
        The true probability of the outcome, shape (n,).
    outcome
        Who has the outcome, known or not, shape (n,).
    extras
        What else the records hold.
    starts
        The date of each patient's baseline.
    intercept
        Of the logistic model of the outcome.
    """

    plan: Plan
    ids: tuple[str, ...]
    baseline: Baseline
    course: Course
    follow_up: FollowUp
    risk: Floats
    outcome: Bools
    extras: Extras
    starts: tuple[date, ...]
    intercept: float

    @property
    def truth(self) -> Truth:
        """The truth that the cohort was drawn from."""
        return self.plan.truth

    @property
    def months(self) -> Floats:
        """Months since baseline of each visit, shape (n, visits)."""
        return self.follow_up.days / DAYS_PER_MONTH

    @property
    def outcome_known(self) -> Bools:
        """Who is eligible and has a known outcome, shape (n,)."""
        return self.follow_up.eligible & self.follow_up.outcome_known()


def compute_intercept(study: Study, truth: Truth) -> float:
    """Return the intercept of the outcome's logistic model that gives the prevalence of the truth.

    It is found in a reference population of 20 000 patients of this truth, the same in every call. Many cohorts of one
    truth are drawn faster where it is computed once and handed to :func:`simulate_cohort`.
    """
    plan = plan_cohort(study, truth)
    rng = np.random.default_rng(_REFERENCE_SEED)
    log_odds = compute_log_odds(_true(plan, draw_baseline(plan, _REFERENCE, rng)), truth.outcome.odds_ratios)
    low, high = -60.0 - log_odds.max(), 60.0 - log_odds.min()
    for _ in range(80):
        middle = 0.5 * (low + high)
        above = _expit(middle + log_odds).mean() > truth.outcome.prevalence
        low, high = (low, middle) if above else (middle, high)
    return float(0.5 * (low + high))


def simulate_cohort(
    study: Study, truth: Truth, rng: np.random.Generator, *, intercept: float | None = None
) -> SimulatedCohort:
    """Draw a cohort.

    Parameters
    ----------
    study
        The study: its visits, factors and instruments.
    truth
        What is true of its patients; what it expects of the cohort holds for what is returned.
    rng
        Source of all variation.
    intercept
        See :func:`compute_intercept`; computed if None.

    Raises
    ------
    StudyFileError
        Study and truth do not fit each other, or no cohort meets the expectations.
    """
    plan = plan_cohort(study, truth)
    found = compute_intercept(study, truth) if intercept is None else intercept
    if truth.expect is None:
        return _follow(plan, _draw_people(plan, found, rng, cohorts=1), found, rng)
    for _ in range(-(-truth.expect.draws // _AT_ONCE)):
        people = _draw_people(plan, found, rng, cohorts=_AT_ONCE)
        for cohort in _list_likely(truth.expect, people):
            if _looks_as_expected(plan, truth.expect, cohort):
                return _follow(plan, cohort, found, rng)
    raise StudyFileError(_never(truth, truth.expect))


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """Patients of one cohort, or of several one after the other."""

    baseline: Baseline
    follow_up: FollowUp
    risk: Floats
    outcome: Bools

    @property
    def known(self) -> Bools:
        return self.follow_up.eligible & self.follow_up.outcome_known()

    def take(self, rows: Bools) -> _People:
        return _People(
            baseline=self.baseline.take(rows),
            follow_up=self.follow_up.take(rows),
            risk=self.risk[rows],
            outcome=self.outcome[rows],
        )


def _draw_people(plan: Plan, intercept: float, rng: np.random.Generator, *, cohorts: int) -> _People:
    eligible = np.concatenate([_draw_eligible(plan, rng) for _ in range(cohorts)])
    baseline = draw_baseline(plan, len(eligible), rng)
    known = _true(plan, baseline)
    risk = _expit(intercept + compute_log_odds(known, plan.truth.outcome.odds_ratios))
    outcome = rng.random(len(risk)) < risk
    follow_up = draw_follow_up(plan, known, outcome, eligible, rng)
    return _People(baseline=baseline, follow_up=follow_up, risk=risk, outcome=outcome)


def _list_likely(expect: Expect, people: _People) -> Iterator[_People]:
    """Yield the cohorts among many that have the outcomes and events that are expected."""
    known = people.known.reshape(_AT_ONCE, -1)
    events = (known & people.outcome.reshape(_AT_ONCE, -1)).sum(axis=1)
    size = known.shape[1]
    for place, (outcomes, with_event) in enumerate(zip(known.sum(axis=1), events, strict=True)):
        if outcomes == (expect.outcomes or outcomes) and with_event == (
            with_event if expect.events is None else expect.events
        ):
            rows = np.zeros(known.size, dtype=np.bool_)
            rows[place * size : (place + 1) * size] = True
            yield people.take(rows)


def _draw_eligible(plan: Plan, rng: np.random.Generator) -> Bools:
    return rng.permutation(np.arange(plan.size) < plan.truth.patients)


def _follow(plan: Plan, people: _People, intercept: float, rng: np.random.Generator) -> SimulatedCohort:
    course = draw_course(plan, people.baseline, people.outcome, rng)
    count = people.baseline.count
    first, last = plan.truth.enrolled
    entered = np.sort(rng.integers(0, (last - first).days + 1, count))
    return SimulatedCohort(
        plan=plan,
        ids=tuple(plan.truth.ids.format(number) for number in range(1, count + 1)),
        baseline=people.baseline,
        course=course,
        follow_up=people.follow_up,
        extras=draw_extras(plan, people.baseline.values, people.follow_up.eligible, rng),
        risk=people.risk,
        outcome=people.outcome,
        starts=tuple(first + timedelta(days=int(day)) for day in entered),
        intercept=intercept,
    )


def _true(plan: Plan, baseline: Baseline) -> Known:
    return Known(plan=plan, values={**baseline.values, **baseline.true_core})


def _recorded(plan: Plan, people: _People, factors: Iterable[str]) -> Known:
    """Return what the records and images say at the first visit of some factors, NaN where they say nothing."""
    named = {parse_column(plan.study.factors[factor].column).name for factor in factors}
    values = {**people.baseline.measured, **people.baseline.recorded_core}
    seen: dict[str, Floats] = {}
    for name, each in values.items():
        field = name.partition("___")[0]
        if name in named or name in {FAT, RATE} or (name in plan.muscles and plan.strength_name in named):
            known = plan.truth.find_field(field) is None or people.follow_up.filled(field, 0)
            seen[name] = np.where(known, each, np.nan)
    return Known(plan=plan, values=seen)


def _looks_as_expected(plan: Plan, expect: Expect, people: _People) -> bool:
    factors = (*expect.odds_ratios, *expect.separated, *expect.estimable)
    seen, known, outcome = _recorded(plan, people, factors), people.known, people.outcome
    return (
        all(_is_within(seen, name, known, outcome, limits) for name, limits in expect.odds_ratios.items())
        and all(_separates(seen, name, known, outcome) for name in expect.separated)
        and not any(_separates(seen, name, known, outcome) for name in expect.estimable)
    )


def _is_within(seen: Known, name: str, known: Bools, outcome: Bools, limits: tuple[float, float]) -> bool:
    """Tell whether the odds ratio of a binary factor alone lies within limits."""
    values = seen.factor(name)
    cells = [int((known & (outcome == event) & (values == level)).sum()) for level in (1, 0) for event in (True, False)]
    if not cells[1] * cells[2]:
        return False
    return limits[0] <= cells[0] * cells[3] / (cells[1] * cells[2]) <= limits[1]


def _separates(seen: Known, name: str, known: Bools, outcome: Bools) -> bool:
    """Tell whether a factor has a level, seen in somebody, in which no or all patients have the outcome."""
    values = seen.factor(name)
    rows = known & ~np.isnan(values)
    values, events = values[rows], outcome[rows]
    if seen.levels(name) == 0:
        return bool(_apart(values[events], values[~events]) or _apart(values[~events], values[events]))
    return any(events[values == level].all() or not events[values == level].any() for level in np.unique(values))


def _apart(some: Floats, others: Floats) -> bool:
    return not len(some) or not len(others) or some.max() <= others.min()


def _never(truth: Truth, expect: Expect) -> Problem:
    return truth.problem(
        "expect",
        found=f"no such cohort in {expect.draws} draws",
        expected="a cohort that the rest of the truth makes likely enough",
        next_step="Ask for less, bring prevalence and loss nearer to what is expected, or allow more draws.",
    )


def _expit(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))
