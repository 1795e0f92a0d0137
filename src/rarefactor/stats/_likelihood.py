"""The logistic likelihood: sums over patients, and nothing else.

This is the one place that sees rows. Everything above it (penalties, Newton, profiles) works with the sums
that :meth:`Logistic.evaluate` returns for many coefficient vectors at once, so that a likelihood whose sums
come from elsewhere can take its place. Sums are additive over patients and hence over centres.

Convention: the intercept is the first column; columns are divided by their standard deviation (``scale``), and
coefficients here are those of the scaled columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from rarefactor.stats._arrays import (
    Floats,
    Ints,
    count_pairs,
    get_namespace,
    index_pairs,
    index_triples,
    send,
    spread_rows,
    sum_rows,
    take_columns,
    take_rows,
)


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


@dataclass(slots=True)
class Products:
    """Products of two and of three columns of a design (n, k) or (B, n, k), formed when first asked for.

    The compiled kernel never asks, and three of many columns are many. This is a store, not a value: it fills itself.
    """

    design: Floats
    two: Floats | None = None
    three: Floats | None = None

    @property
    def pairs(self) -> Floats:
        """The products of two columns, packed (n, q) or (B, n, q)."""
        if self.two is None:
            rows, columns, _ = index_pairs(self.design.shape[-1])
            self.two = take_columns(self.design, rows) * take_columns(self.design, columns)
        return self.two

    @property
    def triples(self) -> Floats:
        """The products of three columns, packed."""
        if self.three is None:
            first, second, _ = index_triples(self.design.shape[-1])
            self.three = take_columns(self.design, first) * take_columns(self.pairs, second)
        return self.three

    def take(self, design: Floats, rows: Ints) -> Products:
        """Return what is formed already of the problems at these positions, whose own columns are ``design``."""
        formed = (None if part is None else take_rows(part, rows) for part in (self.two, self.three))
        return Products(design, *formed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Data of B logistic problems; a leading axis of length one is shared by all of them.

    ``design`` (n, k) or (B, n, k); ``outcome``, ``weights``, ``offset`` (1 or B, n); ``scale`` (1 or B, k).
    """

    design: Floats
    outcome: Floats
    weights: Floats
    offset: Floats
    scale: Floats
    products: Products = field(repr=False, compare=False)

    @property
    def width(self) -> int:
        """The number of coefficients, intercept included."""
        return self.design.shape[-1]

    @property
    def problems(self) -> int:
        """The number of problems that the data describe (one where everything is shared)."""
        leading = self.design.shape[0] if self.design.ndim == 3 else 1
        return max(leading, *(a.shape[0] for a in (self.outcome, self.weights, self.offset)))

    @property
    def numbers(self) -> int:
        """How many numbers a copy of one problem takes, at most."""
        rows, k = self.design.shape[-2:]
        return rows * (k + k * (k + 1) // 2 + k * (k + 1) * (k + 2) // 6)

    def take(self, rows: Ints) -> Self:
        """Return the problems at these positions; repeated positions repeat problems."""
        shared = self.design.ndim == 2 or self.design.shape[0] == 1
        names = ("outcome", "weights", "offset", "scale") + (() if shared else ("design",))
        parts = {name: getattr(self, name) for name in names}
        taken = {name: a if a.shape[0] == 1 else take_rows(a, rows) for name, a in parts.items()}
        products = self.products if shared else self.products.take(taken["design"], rows)
        return replace(self, **taken, products=products)

    def evaluate(self, beta: Floats) -> Moments:
        """Return the sums at ``beta`` (B, k)."""
        xp = get_namespace(beta)
        eta = spread_rows(beta, self.design) + self.offset
        small = xp.exp(-xp.abs(eta))
        logs = xp.where(eta > 0.0, eta, 0.0) + xp.log1p(small)
        small = small / (1.0 + small)
        risk = xp.where(eta >= 0.0, 1.0 - small, small)
        unit = small * (1.0 - small)
        variance = self.weights * unit
        return Moments(
            loglik=xp.sum(self.weights * (self.outcome * eta - logs), axis=1),
            score=sum_rows(self.weights * (self.outcome - risk), self.design),
            information=self.sum_pairs(variance),
            variance=variance,
            unit=unit,
            skew=variance * (1.0 - 2.0 * risk),
        )

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of the log odds of any patient who counts by a step (B, k)."""
        xp = get_namespace(step)
        change = xp.abs(spread_rows(step, self.design))
        return xp.max(xp.where(self.weights > 0.0, change, 0.0), axis=1)

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_i x_i' as (B, k, k)."""
        return take_columns(sum_rows(weights, self.products.pairs), index_pairs(self.width)[2])

    def sum_triples(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_ir x_is x_it as (B, k, k, k)."""
        return take_columns(sum_rows(weights, self.products.triples), index_triples(self.width)[2])

    def spread_form(self, matrices: Floats) -> Floats:
        """Return x_i' M x_i for every patient (B, n) from symmetric matrices (B, k, k)."""
        rows, columns, _ = index_pairs(self.width)
        flat = get_namespace(matrices).reshape(matrices, (matrices.shape[0], self.width**2))
        packed = take_columns(flat, rows * self.width + columns)
        return spread_rows(packed * send(count_pairs(self.width), matrices), self.products.pairs)


def build_logistic(design: Floats, outcome: Floats, weights: Floats, offset: Floats) -> Logistic:
    """Scale the columns of ``design`` (n, k) or (B, n, k)."""
    xp, k = get_namespace(design), design.shape[-1]
    scale = xp.std(design, axis=-2, keepdims=True)
    scale = xp.where(scale > 0.0, scale, 1.0)
    scaled = design / scale
    return Logistic(
        design=scaled,
        outcome=outcome,
        weights=weights,
        offset=offset,
        scale=xp.reshape(scale, (-1, k)),
        products=Products(scaled),
    )
