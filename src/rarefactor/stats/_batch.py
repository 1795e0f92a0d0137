"""Many logistic problems as they are handed in: which arrays are shared, which belong to one problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats, get_namespace, is_foreign, send
from rarefactor.stats._inputs import check_strengths, raise_input, read_array
from rarefactor.stats._kernel import ENGINE
from rarefactor.stats._likelihood import Logistic, build_logistic

ROUND_NUMBERS = 200_000
"""Numbers that one round touches, about: small enough to stay in a processor's cache (measured at n = 40, p = 5)."""

COMPILED_NUMBERS = 4_000_000
"""The same where the compiled kernel takes one problem after the other, so that only memory sets a limit."""

DEVICE_NUMBERS = 50_000_000
"""The same for arrays of other libraries, whose devices do many problems at a time: below a gigabyte in all."""

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
        return max(getattr(self, f.name).shape[0] for f in fields(self))

    def split(self) -> Iterator[Self]:
        """Yield the problems in portions."""
        rows, k = self.design.shape[1:]
        foreign = is_foreign(self.design)  # of another library, whose device has memory and wants much to do
        compiled = ENGINE == "compiled" and self.design.shape[0] == 1
        numbers = DEVICE_NUMBERS if foreign else COMPILED_NUMBERS if compiled else ROUND_NUMBERS
        size = max(16, numbers // (8 * rows + 4 * k**3))
        for first in range(0, self.problems, size):
            yield self._cut(slice(first, min(first + size, self.problems)))

    def _cut(self, rows: slice) -> Self:
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: a if a.shape[0] == 1 else a[rows, ...] for name, a in parts.items()})

    def find_invalid(self) -> tuple[Bools, Bools]:
        """Return which rows (1 or B, n) hold unusable numbers, and which problems (B,) need such a row."""
        xp = get_namespace(self.design)
        finite = xp.all(xp.isfinite(self.design), axis=2)
        rows = ~finite | ~xp.isfinite(self.outcome) | ~xp.isfinite(self.offset)
        wrong = ~xp.isfinite(self.weights) | (self.weights < 0.0) | (rows & (self.weights > 0.0))
        return rows, xp.broadcast_to(xp.any(wrong, axis=1), (self.problems,))

    def build(self) -> tuple[Logistic, Bools]:
        """Return the likelihood, and which problems (B,) hold unusable numbers (their rows count for nothing)."""
        rows, invalid = self.find_invalid()
        design, outcome, weights, offset = self.design, self.outcome, self.weights, self.offset
        xp = get_namespace(design)
        if xp.any(rows) or xp.any(invalid):
            design, outcome, offset = (xp.where(xp.isfinite(a), a, 0.0) for a in (design, outcome, offset))
            weights = xp.where(rows | ~(weights >= 0.0) | xp.isinf(weights), 0.0, weights)
        shared = design[0, ...] if design.shape[0] == 1 else design
        return build_logistic(shared, outcome, weights, offset), invalid


def read_batch(X: ArrayLike, y: ArrayLike, *, prior_m: ArrayLike = DEFAULT_PRIOR, **others: ArrayLike | None) -> Batch:
    """Check the shapes and put the intercept in front; where one array is of another library, all go to its device."""
    given = {name: values for name, values in (("X", X), ("y", y), *others.items()) if values is not None}
    like: Any = next((values for values in given.values() if is_foreign(values)), np.empty(0))
    arrays = {name: _read(values, name, like) for name, values in given.items()}
    columns, outcome = _lift(arrays["X"], 3, "X"), _lift(arrays["y"], 2, "y")
    rows, k = columns.shape[1], columns.shape[2] + 1
    one = send(np.ones((1, 1, 1)), columns)
    xp = get_namespace(columns)
    intercept = xp.broadcast_to(one, (*columns.shape[:2], 1))
    defaults = {"weights": np.ones((1, rows)), "offset": np.zeros((1, rows)), "fixed": np.full((1, k), np.nan)}
    defaults["start"] = np.zeros((1, k))
    batch = Batch(
        design=xp.concat([intercept, columns], axis=2),
        outcome=outcome,
        prior=send(np.pad(check_strengths(prior_m, k - 1), np.array(((0, 0), (1, 0)))), columns),
        **{name: _lift(arrays[name], 2, name) if name in arrays else send(value, columns)
           for name, value in defaults.items()},
    )  # fmt: skip
    _check_shapes(batch)
    return batch


def _read(values: ArrayLike, argument: str, like: Any) -> Floats:
    """Return the values as an array of the kind of ``like``, in double precision."""
    if not is_foreign(values):
        return send(read_array(values, argument), like)
    xp = get_namespace(values)
    return xp.asarray(values, dtype=xp.float64)


def _lift(array: Floats, dimensions: int, argument: str) -> Floats:
    if array.ndim == dimensions - 1:
        return array[None, ...]
    if array.ndim != dimensions:
        expected = f"{dimensions - 1} for one problem or {dimensions} for many"
        raise_input(argument, f"an array of {array.ndim} dimensions", expected, "Reshape it, for example X[:, None].")
    return array


def _check_shapes(batch: Batch) -> None:
    rows, k = batch.design.shape[1:]
    for name, length in (("outcome", rows), ("weights", rows), ("offset", rows), ("fixed", k), ("start", k)):
        found = getattr(batch, name).shape[1]
        if found != length:
            raise_input(name, f"length {found}", f"length {length} to fit X", "Give one value per row or coefficient.")
    counts = {getattr(batch, f.name).shape[0] for f in fields(batch)} - {1}
    if len(counts) > 1:
        found = f"{' and '.join(map(str, sorted(counts)))} problems"
        raise_input("X, y, weights", found, "the same number of problems in each", "Check the leading axes.")
