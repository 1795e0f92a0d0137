"""Many logistic problems as they are handed in: which arrays are shared, which belong to one problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_strengths, raise_input, read_array
from rarefactor.stats._kernel import ENGINE
from rarefactor.stats._likelihood import Logistic, build_logistic

ROUND_NUMBERS = 200_000
"""Numbers that one round touches, about: small enough to stay in a processor's cache (measured at n = 40, p = 5)."""

COMPILED_NUMBERS = 4_000_000
"""The same where the compiled kernel takes one problem after the other, so that only memory sets a limit."""

DEFAULT_PRIOR = 2.0
"""The strength m of a log-F(m, m) prior: 95 % of it lies between odds ratios of 1/39 and 39."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Problems with an intercept in front.

    ``design`` (1 or B, n, k); ``outcome``, ``weights``, ``offset`` (1 or B, n); ``fixed`` (1 or B, k) with NaN
    where a coefficient is free; ``start`` (1 or B, k); ``prior`` (1 or B, k) the strengths of log-F priors, 0 for the
    intercept. A leading axis of one is shared by all.
    """

    design: Floats
    outcome: Floats
    weights: Floats
    offset: Floats
    fixed: Floats
    start: Floats
    prior: Floats

    @property
    def problems(self) -> int:
        """The number of problems."""
        return max(len(getattr(self, f.name)) for f in fields(self))

    def split(self) -> Iterator[Self]:
        """Yield the problems in portions."""
        rows, k = self.design.shape[1:]
        numbers = COMPILED_NUMBERS if ENGINE == "compiled" and len(self.design) == 1 else ROUND_NUMBERS
        size = max(16, numbers // (8 * rows + 4 * k**3))
        for first in range(0, self.problems, size):
            yield self._cut(slice(first, first + size))

    def _cut(self, rows: slice) -> Self:
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: part if len(part) == 1 else part[rows] for name, part in parts.items()})

    def find_invalid(self) -> tuple[Bools, Bools]:
        """Return which rows (1 or B, n) hold unusable numbers, and which problems (B,) need such a row."""
        rows = ~np.isfinite(self.design).all(axis=2) | ~np.isfinite(self.outcome) | ~np.isfinite(self.offset)
        wrong = ~np.isfinite(self.weights) | (self.weights < 0.0) | (rows & (self.weights > 0.0))
        return rows, np.broadcast_to(wrong.any(axis=1), self.problems)

    def build(self, *, derivatives: bool) -> tuple[Logistic, Bools]:
        """Return the likelihood, and which problems (B,) hold unusable numbers (their rows count for nothing)."""
        rows, invalid = self.find_invalid()
        design, outcome, weights, offset = self.design, self.outcome, self.weights, self.offset
        if rows.any() or invalid.any():
            design, outcome, offset = (np.nan_to_num(a, posinf=0.0, neginf=0.0) for a in (design, outcome, offset))
            weights = np.where(rows | ~(weights >= 0.0) | np.isinf(weights), 0.0, weights)
        shared = design[0] if len(design) == 1 else design
        return build_logistic(shared, outcome, weights, offset, derivatives=derivatives), invalid


def read_batch(X: ArrayLike, y: ArrayLike, *, prior_m: ArrayLike = DEFAULT_PRIOR, **others: ArrayLike | None) -> Batch:
    """Check the shapes and put the intercept in front."""
    columns, outcome = read_array(X, "X"), _lift(read_array(y, "y"), 2, "y")
    columns = _lift(columns, 3, "X")
    rows, k = columns.shape[1], columns.shape[2] + 1
    design = np.concatenate([np.ones((*columns.shape[:2], 1)), columns], axis=2)
    given = {name: None if values is None else read_array(values, name) for name, values in others.items()}
    batch = Batch(
        design=design,
        outcome=outcome,
        weights=_lift_or(given["weights"], np.ones((1, rows)), "weights"),
        offset=_lift_or(given["offset"], np.zeros((1, rows)), "offset"),
        fixed=_lift_or(given["fixed"], np.full((1, k), np.nan), "fixed"),
        start=_lift_or(given["start"], np.zeros((1, k)), "start"),
        prior=np.pad(check_strengths(prior_m, k - 1), ((0, 0), (1, 0))),
    )
    _check_shapes(batch)
    return batch


def _lift(array: Floats, dimensions: int, argument: str) -> Floats:
    if array.ndim == dimensions - 1:
        return array[None]
    if array.ndim != dimensions:
        expected = f"{dimensions - 1} for one problem or {dimensions} for many"
        raise_input(argument, f"an array of {array.ndim} dimensions", expected, "Reshape it, for example X[:, None].")
    return array


def _lift_or(array: Floats | None, default: Floats, argument: str) -> Floats:
    return default if array is None else _lift(array, 2, argument)


def _check_shapes(batch: Batch) -> None:
    rows, k = batch.design.shape[1:]
    for name, length in (("outcome", rows), ("weights", rows), ("offset", rows), ("fixed", k), ("start", k)):
        found = getattr(batch, name).shape[1]
        if found != length:
            raise_input(name, f"length {found}", f"length {length} to fit X", "Give one value per row or coefficient.")
    counts = {len(getattr(batch, f.name)) for f in fields(batch)} - {1}
    if len(counts) > 1:
        found = f"{' and '.join(map(str, sorted(counts)))} problems"
        raise_input("X, y, weights", found, "the same number of problems in each", "Check the leading axes.")
