"""Combination of profile likelihoods over imputations (CLIP): limits and P values from an averaged posterior.

The signed root of the fall of a profile, z, makes Phi(z) a distribution function of its coefficient. The average over
imputations is solved for its tails by Newton's method on the probit scale, where it is nearly a straight line. All
coefficients, sides and imputations advance in step; every constrained fit starts from the one before, and the first
are reached in a few strides (a penalised profile can have several modes in the nuisance coefficients).

References
----------
Heinze G, Ploner M, Beyea J. Confidence intervals after multiple imputation: combining profile likelihood information
from logistic regressions. Stat Med 2013;32:5062-76.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rarefactor.stats._arrays import Floats, Ints, apply, compute_inverse, solve
from rarefactor.stats._batch import Batch
from rarefactor.stats._inference import choose_objective
from rarefactor.stats._newton import Limits, Maximum, Stop, join, maximise
from rarefactor.stats._penalty import Likelihood, Objective
from rarefactor.stats._tails import compute_normal_quantile

STRIDES = 3
"""Steps in which the first value of a held coefficient is reached from the maximum."""

ROUNDS = 60
PATIENT = Limits(rounds=400, step=1e-5)
"""Newton's last step is taken, so that a nuisance coefficient is right to about the square of this."""

ROUGH = Limits(rounds=400, step=1e-2)
"""Enough on the way to the first value."""

LONGEST = 2.0
"""The longest step of a search, on the probit scale."""

SETTLED = 1e-5
"""The share of a coefficient's spread below which a step leaves nothing to do."""

FLAT = 1e-7
"""A signed root so near zero that the slope is taken from the spread of the coefficient."""

LARGEST_COPY = 4_000_000
"""Numbers of the copied designs that are searched at once."""


class Copied(Likelihood, Protocol):
    """What a search asks of the rows besides: the scales, and how many numbers a copy of a problem takes."""

    @property
    def scale(self) -> Floats:
        """The scales of the columns (1 or B, k)."""
        ...

    @property
    def numbers(self) -> int:
        """How many numbers a copy of one problem takes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Pooled ``estimate``, ``p`` (k,) and ``ci`` (k, 2); ``failed`` imputations and the ``reason``, empty if none."""

    estimate: Floats
    ci: Floats
    p: Floats
    failed: int
    reason: str


def compute_clip(batch: Batch, penalty: str, level: float) -> Clip:
    """Return pooled estimates, limits and P values of m logistic regressions."""
    likelihood, invalid = batch.build()
    objective = choose_objective(likelihood, penalty, batch.prior)
    shape = (batch.problems, likelihood.width)
    top = maximise(objective, np.zeros(shape), np.ones(shape, dtype=bool))
    top.stop[invalid] = Stop.INVALID
    failed = np.flatnonzero(top.stop != Stop.CONVERGED)
    if not failed.size:
        return search_clip(objective, top, compute_normal_quantile(0.5 + 0.5 * level))
    reason = f"{failed.size} of {shape[0]} imputations: {Stop(int(top.stop[failed[0]])).reason}"
    nothing = np.full((shape[1], 2), np.nan)
    return Clip(estimate=nothing[:, 0], ci=nothing, p=nothing[:, 0], failed=failed.size, reason=reason)


def search_clip(objective: Objective[Copied], top: Maximum, quantile: float) -> Clip:
    """Search from the maxima: column by column where the copied designs would be large, else all at once."""
    m, k = top.beta.shape
    natural = top.beta / objective.likelihood.scale
    width = np.sqrt(_compute_variance(objective, top).mean(axis=0) + natural.var(axis=0))
    at_once = max(1, LARGEST_COPY // (2 * m * objective.likelihood.numbers))
    ci, p = np.empty((k, 2)), np.empty(k)
    for first in range(0, k, at_once):
        columns = np.arange(first, min(k, first + at_once))
        p[columns] = _Lanes(objective, top, columns).test(width[columns])
        both = np.repeat(columns, 2)
        targets = np.tile([-quantile, quantile], columns.size)
        ci[columns] = _Lanes(objective, top, both).solve(targets, width[both]).reshape(-1, 2)
    reason = "a limit or a test was not found" if np.isnan(ci).any() or np.isnan(p).any() else ""
    return Clip(estimate=natural.mean(axis=0), ci=ci, p=p, failed=0, reason=reason)


def _compute_variance(objective: Objective[Copied], top: Maximum) -> Floats:
    """Return the squared standard errors (m, k) in the units of the columns."""
    inverse = compute_inverse(top.point.information).matrix
    return inverse.diagonal(axis1=1, axis2=2) / np.square(objective.likelihood.scale)


class _Lanes:
    """Searches, one per element of ``column`` (c,), each through all m imputations (rows lane by lane)."""

    def __init__(self, objective: Objective[Copied], top: Maximum, column: Ints) -> None:
        m, k = top.beta.shape
        self.shape = (column.size, m)
        rows = np.tile(np.arange(m), column.size)
        held = np.repeat(column, m)
        self.objective = objective.take(rows)
        self.free = np.arange(k) != held[:, None]
        self.scale = np.broadcast_to(objective.likelihood.scale, (m, k))[rows, held].reshape(self.shape)
        self.top = top.point.value[rows].reshape(self.shape)
        self.best = top.beta[rows, held].reshape(self.shape) / self.scale
        self.beta = top.beta[rows]
        self.ridge = self.derive_ridge(top.point.curvature[rows])

    def test(self, width: Floats) -> Floats:
        """Return the P values (c,) of the hypotheses that the coefficients are 0."""
        at = self.best.mean(axis=1)
        for share in np.arange(STRIDES - 1, 0, -1) / STRIDES:
            self.evaluate(at * share, width, ROUGH)
        z, _ = self.evaluate(0.0 * at, width)
        return 2.0 * _average_tails(z).min(axis=0)

    def solve(self, targets: Floats, width: Floats) -> Floats:
        """Return where the averaged distribution has its quantiles (c,), given on the probit scale."""
        middle = self.best.mean(axis=1)
        for share in np.arange(1, STRIDES) / STRIDES:
            self.evaluate(middle + share * targets * width, width, ROUGH)
        at, last, found = middle + targets * width, middle, np.full(middle.size, np.nan)
        low, high = np.full(at.size, -np.inf), np.full(at.size, np.inf)
        for _ in range(ROUNDS):
            probit, slope = _average(*self.evaluate(at, width))
            known, under = np.isfinite(probit), probit < targets
            low, high = np.where(under, at, low), np.where(known & ~under, at, high)
            step = np.clip((targets - probit) / slope, -LONGEST * width, LONGEST * width)
            found = np.where(np.isnan(found) & (np.abs(step) <= SETTLED * width), at + step, found)
            if not np.isnan(found).any():
                break
            ahead = np.where(known, _keep_between(at + step, low, high), 0.5 * (at + last))
            last = np.where(known, at, last)
            at = np.where(np.isnan(found), ahead, found)
        return found

    def retry(self, there: Maximum, lost: Ints, held: Floats) -> Maximum:
        """Repeat the fits that failed, from where they last succeeded and without a leap of the others."""
        start = np.where(self.free, self.beta, held[:, None])[lost]
        return _replace(there, lost, maximise(self.objective.take(lost), start, self.free[lost], PATIENT))

    def derive_ridge(self, curvature: Floats) -> Floats:
        """Return how the best coefficients change with the held one."""
        held = (~self.free).astype(np.float64)
        right = held - self.free * apply(curvature, held)
        matrix = curvature * (self.free[:, :, None] & self.free[:, None]) + held[:, :, None] * held[:, None]
        solution, usable = solve(matrix, right[..., None])
        return np.where(usable[:, None], solution[..., 0], held)

    def evaluate(self, at: Floats, width: Floats, limits: Limits = PATIENT) -> tuple[Floats, Floats]:
        """Return the signed roots (c, m) with the coefficients held at ``at`` (c,), and their slopes."""
        held = (at[:, None] * self.scale).reshape(-1)
        start = self.beta + (held - self.beta[~self.free])[:, None] * self.ridge
        there = maximise(self.objective, start, self.free, limits)
        lost = np.flatnonzero(there.stop != Stop.CONVERGED)
        if lost.size:
            there = self.retry(there, lost, held)
        settled = there.stop == Stop.CONVERGED
        self.beta = np.where(settled[:, None], there.beta, self.beta)
        self.ridge = np.where(settled[:, None], self.derive_ridge(there.point.curvature), self.ridge)
        found = settled.reshape(self.shape)
        fall = np.maximum(0.0, self.top - there.point.value.reshape(self.shape))
        z = np.copysign(np.sqrt(2.0 * fall), at[:, None] - self.best)
        gradient = there.point.gradient[~self.free].reshape(self.shape) * self.scale
        flat = np.abs(z) < FLAT
        slope = np.where(flat, 1.0 / width[:, None], -gradient / np.where(flat, 1.0, z))
        return np.where(found, z, np.nan), slope


def _replace(there: Maximum, rows: Ints, again: Maximum) -> Maximum:
    """Return the maxima with these rows replaced."""
    places = np.arange(there.stop.size)
    places[rows] = there.stop.size + np.arange(rows.size)
    return join([there, again]).take(places)


def _keep_between(values: Floats, low: Floats, high: Floats) -> Floats:
    """Return the values, halfway between the ends (both known then) where they lie beyond one of them."""
    beyond = (values < low) | (values > high)
    return np.where(beyond, 0.5 * (np.where(beyond, low, 0.0) + np.where(beyond, high, 0.0)), values)


def _average(z: Floats, slope: Floats) -> tuple[Floats, Floats]:
    """Return the probit (c,) of the average of Phi(z), and its slope."""
    from scipy.special import ndtri  # noqa: PLC0415 - SciPy is loaded when a limit is asked for, not at import

    lower, upper = _average_tails(z)
    probit = np.where(lower < upper, ndtri(lower), -np.asarray(ndtri(upper)))
    weights = np.exp(0.5 * (np.square(probit)[:, None] - np.square(z)))
    return probit, np.maximum((weights * slope).mean(axis=1), np.finfo(float).tiny)


def _average_tails(z: Floats) -> Floats:
    """Return the averages (2, c) of Phi(z) and Phi(-z) over the imputations."""
    from scipy.special import ndtr  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return np.asarray(ndtr(np.stack([z, -z]))).mean(axis=2)
