"""What is maximised: the log-likelihood, alone, with the penalty of Firth, or with log-F priors.

An objective answers :meth:`evaluate` with value, gradient and curvature for many coefficient vectors at once;
it is all that Newton and the profiles know. A further penalty is a further objective on the same likelihood.

The curvature is exact (minus the matrix of second derivatives), so that Newton's steps converge quadratically
for Firth's penalty as well, where scoring with the information alone creeps. Only walks in large data hold what
the penalty adds to it (:class:`HeldFirth`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np

from rarefactor.stats._arrays import (
    Floats,
    Ints,
    Inverse,
    compute_inverse,
    get_namespace,
    spread_diagonal,
    sum_rows,
    take_rows,
)
from rarefactor.stats._likelihood import Logistic, Moments

HOLD_COLUMNS = 6
"""Coefficients from which the second derivatives of Firth's penalty, which cost n k^3 a round, are held (measured)."""

HOLD_ROWS = 10
"""Rows for each coefficient from which they are held: with fewer the penalty matters, and may have several maxima."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An objective at one coefficient vector per problem.

    ``value`` (B,), ``gradient`` (B, k), ``curvature`` and ``information`` (B, k, k). The value is -inf where
    the information is singular.
    """

    value: Floats
    gradient: Floats
    curvature: Floats
    information: Floats

    def take(self, rows: Ints) -> Point:
        """Return the problems at these positions."""
        return Point(
            value=take_rows(self.value, rows),
            gradient=take_rows(self.gradient, rows),
            curvature=take_rows(self.curvature, rows),
            information=take_rows(self.information, rows),
        )


class Likelihood(Protocol):
    """What Newton asks of the rows below an objective: how far a step reaches, and what the columns determine."""

    @property
    def weights(self) -> Floats:
        """The weights of the rows (1 or B, n)."""
        ...

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of any row's prediction by a step (B, k)."""
        ...

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_i x_i' as (B, k, k)."""
        ...


Rows_co = TypeVar("Rows_co", bound=Likelihood, covariant=True)


class Objective(Protocol[Rows_co]):
    """What Newton climbs, over rows of some kind."""

    @property
    def likelihood(self) -> Rows_co:
        """The likelihood below."""
        ...

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        ...

    def take(self, rows: Ints) -> Self:
        """Return the problems at these positions."""
        ...

    def constant(self) -> Floats:
        """Return what the value needs (1 or B,) to hold for the unscaled columns."""
        ...


@dataclass(frozen=True, slots=True)
class MaximumLikelihood:
    """The log-likelihood itself."""

    likelihood: Logistic

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        return Point(value=sums.loglik, gradient=sums.score, curvature=sums.information, information=sums.information)

    def take(self, rows: Ints) -> MaximumLikelihood:
        """Return the problems at these positions."""
        return MaximumLikelihood(self.likelihood.take(rows))

    def constant(self) -> Floats:
        """Return zero: the likelihood does not depend on the units of a column."""
        return 0.0 * self.likelihood.scale[:, 0]


@dataclass(frozen=True, slots=True)
class LogF:
    """The log-likelihood plus the log densities of log-F(m, m) priors, without their normalising constants.

    ``strength`` (1 or B, k) is m of every coefficient per unit of its unscaled column, 0 where there is no prior. The
    prior is worth m patients who differ by one unit of that column alone, half of them with the event: the likelihood
    of these pseudo-patients is exactly what is added.

    References
    ----------
    Greenland S, Mansournia MA. Penalization, bias reduction, and default priors in logistic and related categorical and
    survival regressions. Stat Med 2015;34:3133-43.
    """

    likelihood: Logistic
    strength: Floats

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        scale = self.likelihood.scale
        natural = beta / scale
        xp = get_namespace(beta)
        half, size = xp.tanh(0.5 * natural), xp.abs(natural)
        value = -self.strength * (0.5 * size + xp.log1p(xp.exp(-size)))
        bend = 0.25 * self.strength * (1.0 - half * half) / xp.square(scale)
        information = sums.information + spread_diagonal(bend)
        return Point(
            value=sums.loglik + xp.sum(value, axis=1),
            gradient=sums.score - 0.5 * self.strength * half / scale,
            curvature=information,
            information=information,
        )

    def take(self, rows: Ints) -> LogF:
        """Return the problems at these positions."""
        strength = self.strength if self.strength.shape[0] == 1 else take_rows(self.strength, rows)
        return LogF(self.likelihood.take(rows), strength)

    def constant(self) -> Floats:
        """Return zero: the strengths are those of the unscaled columns."""
        return 0.0 * self.likelihood.scale[:, 0]


@dataclass(frozen=True, slots=True)
class Firth:
    """The log-likelihood plus half the log-determinant of the information of all columns.

    The penalty keeps the full information matrix where coefficients are held fixed (as logistf does).

    References
    ----------
    Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38.
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med
    2002;21:2409-19.
    """

    likelihood: Logistic

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        inverse = compute_inverse(sums.information)
        form = self.likelihood.spread_form(inverse.matrix)
        slope = derive_penalty_slope(self.likelihood, sums, form)
        return _add_penalty(sums, inverse, slope, derive_penalty_bend(self.likelihood, sums, inverse, form))

    def take(self, rows: Ints) -> Firth:
        """Return the problems at these positions."""
        return Firth(self.likelihood.take(rows))

    def constant(self) -> Floats:
        """Return the sum of the log scales: the determinant depends on the units of the columns."""
        xp = get_namespace(self.likelihood.scale)
        return xp.sum(xp.log(self.likelihood.scale), axis=1)


@dataclass(frozen=True, slots=True)
class HeldFirth:
    """Firth's objective with the second derivatives of its penalty held: only the curvature is not exact.

    ``bend`` (1 or B, k, k) are those of a point nearby. With many columns they cost k times what all else does, and
    next to the information they change little.
    """

    likelihood: Logistic
    bend: Floats

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        inverse = compute_inverse(sums.information)
        slope = derive_penalty_slope(self.likelihood, sums, self.likelihood.spread_form(inverse.matrix))
        return _add_penalty(sums, inverse, slope, self.bend)

    def take(self, rows: Ints) -> HeldFirth:
        """Return the problems at these positions."""
        bend = self.bend if self.bend.shape[0] == 1 else take_rows(self.bend, rows)
        return HeldFirth(self.likelihood.take(rows), bend)

    def constant(self) -> Floats:
        """Return the sum of the log scales, as for Firth's objective."""
        return Firth(self.likelihood).constant()


def _add_penalty(sums: Moments, inverse: Inverse, slope: Floats, bend: Floats) -> Point:
    """Return the likelihood with half the log-determinant of its information, whose derivatives are given."""
    value = sums.loglik + 0.5 * inverse.log_determinant
    xp = get_namespace(value)
    if not xp.all(inverse.positive):  # far out, where only the score can lead back
        slope = xp.where(inverse.positive[:, None], slope, 0.0)
        bend = xp.where(inverse.positive[:, None, None], bend, 0.0)
        value = xp.where(inverse.positive, value, -np.inf)
    return Point(
        value=value,
        gradient=sums.score + slope,
        curvature=sums.information - bend,
        information=sums.information,
    )


def hold_bend(objective: Objective[Likelihood], point: Point) -> Objective[Likelihood]:
    """Return the objective with the bend of Firth's penalty held as at a point, where that is worth it and safe."""
    if not isinstance(objective, Firth) or not is_large(objective.likelihood.design):
        return objective
    return HeldFirth(objective.likelihood, point.information - point.curvature)


def is_large(design: Floats) -> bool:
    """Say whether there are columns, and rows for each, for the bend of Firth's penalty to be held.

    Examples
    --------
    >>> is_large(np.zeros((189, 9))), is_large(np.zeros((40, 9))), is_large(np.zeros((400, 3)))
    (True, False, False)
    """
    rows, k = design.shape[-2:]
    return k >= HOLD_COLUMNS and rows >= HOLD_ROWS * k


def derive_penalty_slope(likelihood: Logistic, sums: Moments, form: Floats) -> Floats:
    """Return the first derivatives (B, k) of half the log-determinant from the ``form`` x' I^-1 x (B, n) of the rows.

    With I_r the derivative of the information by coefficient r, they are tr(I^-1 I_r)/2.
    """
    return 0.5 * sum_rows(sums.skew * form, likelihood.design)


def derive_penalty_bend(likelihood: Logistic, sums: Moments, inverse: Inverse, form: Floats) -> Floats:
    """Return the second derivatives (B, k, k): tr(I^-1 I_rs)/2 - tr(I^-1 I_r I^-1 I_s)/2."""
    xp = get_namespace(inverse.matrix)
    problems, k = sums.score.shape
    third = xp.reshape(likelihood.sum_triples(sums.skew), (problems, k, k * k))
    turned = xp.reshape(inverse.matrix @ third, (problems, k, k, k))
    left = xp.reshape(xp.permute_dims(turned, (0, 2, 1, 3)), (problems, k, k * k))
    right = xp.reshape(xp.permute_dims(turned, (0, 3, 1, 2)), (problems, k * k, k))
    fourth = likelihood.sum_pairs(sums.variance * (1.0 - 6.0 * sums.unit) * form)
    return 0.5 * (fourth - left @ right)
