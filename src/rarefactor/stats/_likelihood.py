"""The logistic likelihood: sums over patients, and nothing else.

This is the one place that sees rows. Everything above it (penalties, Newton, profiles) works with the sums
that :meth:`Logistic.evaluate` returns for many coefficient vectors at once, so that a likelihood whose sums
come from elsewhere can take its place. Sums are additive over patients and hence over centres.

Convention: the intercept is the first column; columns are divided by their standard deviation (``scale``), and
coefficients here are those of the scaled columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rarefactor.stats._arrays import Floats, Ints, count_pairs, index_pairs, index_triples, spread_rows, sum_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over the patients at one coefficient vector per problem.

    ``loglik`` (B,), ``score`` (B, k), ``information`` (B, k, k), and what the derivatives of the information
    need: ``variance`` (B, n) and ``skew`` (B, n), the row weights of the information and of its first derivative, and
    ``unit`` (B, n), the variance of one patient.
    """

    loglik: Floats
    score: Floats
    information: Floats
    variance: Floats
    unit: Floats
    skew: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Data of B logistic problems; a leading axis of length one is shared by all of them.

    ``design`` (n, k) or (B, n, k); ``outcome``, ``weights``, ``offset`` (1 or B, n); ``scale`` (1 or B, k).
    """

    design: Floats
    pairs: Floats
    triples: Floats
    outcome: Floats
    weights: Floats
    offset: Floats
    scale: Floats

    @property
    def width(self) -> int:
        """The number of coefficients, intercept included."""
        return self.design.shape[-1]

    @property
    def problems(self) -> int:
        """The number of problems that the data describe (one where everything is shared)."""
        leading = self.design.shape[0] if self.design.ndim == 3 else 1
        return max(leading, *(a.shape[0] for a in (self.outcome, self.weights, self.offset)))

    def take(self, rows: Ints) -> Self:
        """Return the problems at these positions; repeated positions repeat problems."""
        shared = self.design.ndim == 2
        names = ("outcome", "weights", "offset", "scale") + (() if shared else ("design", "pairs", "triples"))
        parts = {name: getattr(self, name) for name in names}
        return replace(self, **{name: part if len(part) == 1 else part[rows] for name, part in parts.items()})

    def evaluate(self, beta: Floats) -> Moments:
        """Return the sums at ``beta`` (B, k)."""
        eta = spread_rows(beta, self.design) + self.offset
        small = np.exp(-np.abs(eta))
        logs = np.maximum(eta, 0.0) + np.log1p(small)
        small /= 1.0 + small
        risk = np.where(eta >= 0.0, 1.0 - small, small)
        unit = small * (1.0 - small)
        variance = self.weights * unit
        return Moments(
            loglik=(self.weights * (self.outcome * eta - logs)).sum(axis=1),
            score=sum_rows(self.weights * (self.outcome - risk), self.design),
            information=self.sum_pairs(variance),
            variance=variance,
            unit=unit,
            skew=variance * (1.0 - 2.0 * risk),
        )

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of the log odds of any patient who counts by a step (B, k)."""
        change = np.abs(spread_rows(step, self.design))
        return np.where(self.weights > 0.0, change, 0.0).max(axis=1)

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_i x_i' as (B, k, k)."""
        return sum_rows(weights, self.pairs)[:, index_pairs(self.width)[2]]

    def sum_triples(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_ir x_is x_it as (B, k, k, k)."""
        return sum_rows(weights, self.triples)[:, index_triples(self.width)[2]]

    def spread_form(self, matrices: Floats) -> Floats:
        """Return x_i' M x_i for every patient (B, n) from symmetric matrices (B, k, k)."""
        rows, columns, _ = index_pairs(self.width)
        return spread_rows(matrices[:, rows, columns] * count_pairs(self.width), self.pairs)


def build_logistic(
    design: Floats, outcome: Floats, weights: Floats, offset: Floats, *, derivatives: bool = True
) -> Logistic:
    """Scale the columns of ``design`` (n, k) or (B, n, k) and form the products that every round sums.

    The triples are needed only where the information is to be differentiated (``derivatives``).
    """
    scale = design.std(axis=-2, keepdims=True)
    scale = np.where(scale > 0.0, scale, 1.0)
    scaled = design / scale
    rows, columns, _ = index_pairs(design.shape[-1])
    pairs = scaled[..., rows] * scaled[..., columns]
    first, second, _ = index_triples(design.shape[-1])
    return Logistic(
        design=scaled,
        pairs=pairs,
        triples=scaled[..., first] * pairs[..., second] if derivatives else pairs[..., :0],
        outcome=outcome,
        weights=weights,
        offset=offset,
        scale=scale.reshape(-1, design.shape[-1]),
    )
