"""Elimination and screening of terms, for many resamples in step.

A term is one or more columns that stay or go together. Every round fits the models as they stand, tries to leave out
each term of each model in one further batch, and drops at most one term per model; models that keep all their terms
leave. A column with one value in a resample cannot be estimated there and is held at 0, that is, at its reference.

Convention: coefficients here are those of the scaled columns, the intercept first; ``members`` (t, k) says which
columns belong to which term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rarefactor.stats._active import choose_active
from rarefactor.stats._arrays import Bools, Floats, Ints, apply, compute_inverse, dot, solve
from rarefactor.stats._likelihood import Logistic, build_logistic
from rarefactor.stats._newton import Limits, Maximum, Stop, maximise
from rarefactor.stats._tails import compute_chi2_tail

BRISK = Limits(step=1e-4)
"""Tests need no more: the value is corrected for the last step, so its error is of the third order."""

ALIKE = 4.0
"""A likelihood-ratio chi-square is taken to be at least Wald's divided by this (it is often far larger)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """When a term goes: a P value above ``alpha``, and a change of no other coefficient by ``change`` or more.

    ``change`` is in log odds per standard deviation; infinite where changes do not matter. ``kept`` (t,) never go.
    """

    penalty: str
    alpha: float
    change: float
    kept: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Where each problem ended: ``active`` terms (B, t), ``beta`` (B, k), ``stop`` (B,)."""

    active: Bools
    beta: Floats
    stop: Ints


@dataclass(frozen=True, slots=True)
class Trials:
    """What leaving out each term does: chi-squares and P values (B, t), NaN where not tried, coefficients (B, t, k)."""

    chisq: Floats
    p: Floats
    without: Floats


LESSER = 1e-4
"""A model without a term that fits this much better shows that the maximum was a lesser one: climb again from there."""


def eliminate(likelihood: Logistic, members: Bools, choice: Choice, start: Floats) -> Models:
    """Start from all terms, at coefficients (k,), and drop one per round until none may go."""
    estimable = find_estimable(likelihood)
    active = find_known(estimable, members)
    beta = np.broadcast_to(start, estimable.shape).copy()
    stop = np.zeros(len(active), dtype=np.intp)
    live = np.arange(len(active))
    while live.size:
        own, columns = likelihood.take(live), spread_terms(active[live], members) & estimable[live]
        top = maximise(choose_active(own, choice.penalty, columns), np.where(columns, beta[live], 0.0), columns)
        beta[live], stop[live] = top.beta, top.stop
        trials = _try_without(own, members, top, (columns, active[live]), choice)
        term = _choose_term(trials, top.beta, columns, members, choice)
        lesser = np.fmin.reduce(trials.chisq, axis=1, initial=0.0) < -LESSER
        term[lesser] = np.argmin(np.nan_to_num(trials.chisq[lesser]), axis=1)
        on = np.flatnonzero(term >= 0)
        beta[live[on]] = trials.without[on, term[on]]
        goes = on[~lesser[on]]
        active[live[goes], term[goes]] = False
        live = live[on]
    return Models(active=active, beta=beta, stop=stop)


def derive_start(likelihood: Logistic, penalty: str) -> Floats:
    """Return the coefficients (k,) of the first problem, everybody counted once, for the others to start from."""
    first = likelihood.take(np.zeros(1, dtype=np.intp))
    everybody = replace(first, weights=np.ones((1, first.weights.shape[1])))
    columns = find_estimable(everybody)
    top = maximise(choose_active(everybody, penalty, columns), np.zeros(columns.shape), columns)
    return np.where(top.stop[0] == Stop.CONVERGED, top.beta[0], 0.0)


def find_known(estimable: Bools, members: Bools) -> Bools:
    """Say which terms (B, t) have a column that can be estimated."""
    return np.asarray((estimable[:, None] & members).any(axis=2))


def screen(likelihood: Logistic, members: Bools, choice: Choice) -> Models:
    """Keep the terms whose P value alone, in a model of their own, is at most ``alpha``; fit these together."""
    estimable = find_estimable(likelihood)
    p = np.column_stack([_test_alone(likelihood, estimable, row, choice.penalty) for row in members])
    active = find_known(estimable, members) & (np.asarray(p <= choice.alpha) | choice.kept)
    columns = spread_terms(active, members) & estimable
    top = maximise(choose_active(likelihood, choice.penalty, columns), np.zeros(columns.shape), columns)
    return Models(active=active, beta=top.beta, stop=top.stop)


def _test_alone(likelihood: Logistic, estimable: Bools, term: Bools, penalty: str) -> Floats:
    """Return the P value (B,) of one term in the model of it alone; NaN where there is none."""
    places = np.r_[0, np.flatnonzero(term)]
    design = likelihood.design[..., places]
    alone = build_logistic(design, likelihood.outcome, likelihood.weights, likelihood.offset)
    columns = estimable[:, places]
    objective = choose_active(alone, penalty, columns)
    top = maximise(objective, np.zeros(columns.shape), columns, BRISK)
    held = columns & (places > 0)
    _, guess = _Parabola.of(top, columns).leave_out(np.arange(len(held)), held)
    bottom = maximise(objective, guess, columns & ~held, BRISK)
    usable = _has_value(top.stop) & _has_value(bottom.stop) & np.asarray(held.any(axis=1))
    chisq = _compute_fall(_settle(top, columns), _settle(bottom, columns & ~held))
    return np.where(usable, _compute_tail(np.where(usable, chisq, 0.0), held | ~usable[:, None]), np.nan)


def spread_terms(active: Bools, members: Bools) -> Bools:
    """Return the columns (B, k) of the active terms (B, t), with the intercept."""
    columns = np.asarray(active.astype(np.float64) @ members > 0.0)
    columns[:, 0] = True
    return columns


def find_estimable(likelihood: Logistic) -> Bools:
    """Say which columns (B, k) take more than one value among the patients drawn; the intercept always counts."""
    total = likelihood.weights.sum(axis=1, keepdims=True)
    lead = "i" if likelihood.design.ndim == 2 else "bi"
    weights = np.broadcast_to(likelihood.weights, (likelihood.problems, likelihood.weights.shape[1]))
    mean = np.einsum(f"bi,{lead}k->bk", weights, likelihood.design) / total
    square = np.einsum(f"bi,{lead}k->bk", weights, np.square(likelihood.design)) / total
    estimable = np.asarray(square - np.square(mean) > 1e-10 * (1.0 + square))
    estimable[:, 0] = True
    return estimable


def _compute_fall(top: Floats, bottom: Floats) -> Floats:
    """Return twice the difference; NaN where both maxima failed (minus infinity), which is told by their stops."""
    with np.errstate(invalid="ignore"):
        return 2.0 * (top - bottom)


@dataclass(frozen=True, slots=True)
class _Lanes:
    """Trials to make: ``problem`` and ``term`` (L,), the coefficients ``held`` at 0 (L, k), where to start (L, k)."""

    problem: Ints
    term: Ints
    held: Bools
    guess: Floats

    def take(self, rows: Ints) -> _Lanes:
        """Return the trials at these positions."""
        return _Lanes(self.problem[rows], self.term[rows], self.held[rows], self.guess[rows])


def _try_without(
    likelihood: Logistic, members: Bools, top: Maximum, models: tuple[Bools, Bools], choice: Choice
) -> Trials:
    """Fit each model (columns (B, k)) without each of its terms (B, t) that could be the one to go."""
    columns, active = models
    problem, term = np.nonzero(active & ~choice.kept & _has_value(top.stop)[:, None])
    parabola = _Parabola.of(top, columns)
    held = members[term] & columns[problem]
    chisq, guess = parabola.leave_out(problem, held)
    lanes = _Lanes(problem, term, held, guess)
    unknown = np.full(active.shape, np.nan)
    trials = Trials(unknown, unknown.copy(), np.repeat(top.beta[:, None], active.shape[1], axis=1))
    highest = np.where(parabola.finite[problem], _compute_tail(chisq / ALIKE, held), 1.0)
    bar = np.full(len(active), choice.alpha)
    if not np.isfinite(choice.change):
        np.maximum.at(bar, problem, _compute_tail(chisq, held))
    for _ in range(2):  # first those that are likely to decide, then those that could beat what was found
        untried = np.isnan(trials.p[problem, term])
        _try(
            likelihood, (top, columns), lanes.take(np.flatnonzero(untried & (highest >= bar[problem]))), choice, trials
        )
        bar = np.fmax.reduce(trials.p, axis=1, initial=choice.alpha)
    return trials


def _try(likelihood: Logistic, model: tuple[Maximum, Bools], lanes: _Lanes, choice: Choice, trials: Trials) -> None:
    """Make these trials and note what they gave."""
    if not lanes.problem.size:
        return
    top, columns = model
    objective = choose_active(likelihood.take(lanes.problem), choice.penalty, columns[lanes.problem])
    free = columns[lanes.problem] & ~lanes.held
    bottom = maximise(objective, lanes.guess, free, BRISK)
    fall = _compute_fall(_settle(top, columns)[lanes.problem], _settle(bottom, free))
    p = np.where(_has_value(bottom.stop), _compute_tail(fall, lanes.held), 0.0)
    trials.p[lanes.problem, lanes.term] = p
    trials.chisq[lanes.problem, lanes.term] = np.where(bottom.stop == Stop.CONVERGED, fall, np.nan)
    trials.without[lanes.problem, lanes.term] = bottom.beta


@dataclass(frozen=True, slots=True)
class _Parabola:
    """The objective as it bends at the maximum: ``finite`` (B,) says where there is one."""

    beta: Floats
    columns: Bools
    inverse: Floats
    finite: Bools

    @classmethod
    def of(cls, top: Maximum, columns: Bools) -> _Parabola:
        """Take the curvature at the maximum."""
        both = columns[:, :, None] & columns[:, None, :]
        inverse = compute_inverse(np.where(both, top.point.curvature, np.eye(columns.shape[1])))
        finite = np.asarray((top.stop == Stop.CONVERGED) & inverse.positive)
        return cls(top.beta, columns, inverse.matrix, finite)

    def leave_out(self, problem: Ints, held: Bools) -> tuple[Floats, Floats]:
        """Return Wald's chi-squares (L,), and where the maximum moves when the held coefficients (L, k) go to 0."""
        inverse, beta = self.inverse[problem], self.beta[problem]
        inner = np.where(held[:, :, None] & held[:, None, :], inverse, np.eye(held.shape[1]))
        effect = np.where(held, beta, 0.0)
        pull, _ = solve(inner, effect[:, :, None])
        guess = beta - apply(inverse, np.where(held, pull[..., 0], 0.0))
        usable = self.finite[problem][:, None] & self.columns[problem] & ~held
        return dot(effect, pull[..., 0]), np.where(usable, guess, 0.0)


def _compute_tail(chisq: Floats, held: Bools) -> Floats:
    """Return the P values (L,) of chi-squares with as many degrees of freedom as coefficients are held."""
    return compute_chi2_tail(np.maximum(chisq, 0.0), held.sum(axis=1).astype(np.float64))


def _settle(there: Maximum, free: Bools) -> Floats:
    """Return the value after the last step, which was taken but not evaluated."""
    rise = 0.5 * dot(there.step, np.where(free, there.point.gradient, 0.0))
    return there.point.value + np.where(there.stop == Stop.CONVERGED, rise, 0.0)


def _has_value(stop: Ints) -> Bools:
    return np.asarray((stop == Stop.CONVERGED) | (stop == Stop.SEPARATED))


def _choose_term(trials: Trials, beta: Floats, columns: Bools, members: Bools, choice: Choice) -> Ints:
    """Return the term (B,) with the largest P value among those that may go, -1 where none may."""
    may_go = np.asarray(trials.p > choice.alpha)
    if np.isfinite(choice.change):
        others = columns[:, None] & ~members
        others[..., 0] = False
        moved = np.where(others, np.abs(trials.without - beta[:, None]), 0.0).max(axis=2)
        may_go &= moved < choice.change
    ranked = np.where(may_go, trials.p, -1.0)
    return np.where(may_go.any(axis=1), ranked.argmax(axis=1), -1)
