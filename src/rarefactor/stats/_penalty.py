"""What is maximised: the log-likelihood, alone, with the penalty of Firth, or with log-F priors.

An objective answers :meth:`evaluate` with value, gradient and curvature for many coefficient vectors at once;
it is all that Newton and the profiles know. A further penalty is a further objective on the same likelihood.

The curvature is exact (minus the matrix of second derivatives), so that Newton's steps converge quadratically
for Firth's penalty as well, where scoring with the information alone creeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from rarefactor.stats._arrays import Floats, Ints, Inverse, compute_inverse
from rarefactor.stats._likelihood import Logistic, Moments


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
            value=self.value[rows],
            gradient=self.gradient[rows],
            curvature=self.curvature[rows],
            information=self.information[rows],
        )


class Objective(Protocol):
    """What Newton climbs."""

    @property
    def likelihood(self) -> Logistic:
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
        return np.zeros(1)


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
        half = np.tanh(0.5 * natural)
        value = -self.strength * (np.logaddexp(0.0, natural) - 0.5 * natural)
        bend = 0.25 * self.strength * (1.0 - half * half) / np.square(scale)
        information = sums.information + bend[:, :, None] * np.eye(beta.shape[1])
        return Point(
            value=sums.loglik + value.sum(axis=1),
            gradient=sums.score - 0.5 * self.strength * half / scale,
            curvature=information,
            information=information,
        )

    def take(self, rows: Ints) -> LogF:
        """Return the problems at these positions."""
        return LogF(self.likelihood.take(rows), self.strength if len(self.strength) == 1 else self.strength[rows])

    def constant(self) -> Floats:
        """Return zero: the strengths are those of the unscaled columns."""
        return np.zeros(1)


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
        slope, bend = _derive_penalty(self.likelihood, sums, inverse)
        value = sums.loglik + 0.5 * inverse.log_determinant
        if not inverse.positive.all():  # far out, where only the score can lead back
            slope, bend = slope * inverse.positive[:, None], bend * inverse.positive[:, None, None]
            value = np.where(inverse.positive, value, -np.inf)
        return Point(
            value=value,
            gradient=sums.score + slope,
            curvature=sums.information - bend,
            information=sums.information,
        )

    def take(self, rows: Ints) -> Firth:
        """Return the problems at these positions."""
        return Firth(self.likelihood.take(rows))

    def constant(self) -> Floats:
        """Return the sum of the log scales: the determinant depends on the units of the columns."""
        return np.log(self.likelihood.scale).sum(axis=1)


def _derive_penalty(likelihood: Logistic, sums: Moments, inverse: Inverse) -> tuple[Floats, Floats]:
    """Return the first (B, k) and second (B, k, k) derivatives of half the log-determinant.

    With I_r the derivative of the information by coefficient r, the first is tr(I^-1 I_r)/2 and the second
    tr(I^-1 I_rs)/2 - tr(I^-1 I_r I^-1 I_s)/2.
    """
    problems, k = sums.score.shape
    third = likelihood.sum_triples(sums.skew).reshape(problems, k, k * k)
    turned = (inverse.matrix @ third).reshape(problems, k, k, k)
    slope = 0.5 * np.einsum("baar->br", turned)
    left = turned.transpose(0, 2, 1, 3).reshape(problems, k, k * k)
    right = turned.transpose(0, 3, 1, 2).reshape(problems, k * k, k)
    kurtosis = sums.variance * (1.0 - 6.0 * sums.unit)
    fourth = likelihood.sum_pairs(kurtosis * likelihood.spread_form(inverse.matrix))
    return slope, 0.5 * (fourth - left @ right)
