"""Small dense matrices by the thousand: symmetric inverses and packed products, over a leading axis of problems.

Convention: the first axis counts problems (B), the last ones are a problem's own. A matrix that cannot be
inverted is a value (``positive`` is False), never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

SMALLEST_PIVOT = 1e-13
"""A pivot below this share of its diagonal element means that a column depends on those before it."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """Inverses (B, k, k), log-determinants (B,) and whether each matrix was positive definite (B,)."""

    matrix: Floats
    log_determinant: Floats
    positive: Bools


def compute_inverse(matrices: Floats) -> Inverse:
    """Invert symmetric matrices (B, k, k); one that is not positive definite gives the unit matrix instead."""
    safe, pivots, positive = _factor(matrices)
    return Inverse(np.asarray(np.linalg.inv(safe), dtype=np.float64), 2.0 * np.log(pivots).sum(axis=1), positive)


def solve(matrices: Floats, right: Floats) -> tuple[Floats, Bools]:
    """Solve symmetric systems (B, k, k) for (B, k, m); the solution holds where the second value is True."""
    safe, _, positive = _factor(matrices)
    return np.asarray(np.linalg.solve(safe, right), dtype=np.float64), positive


def _factor(matrices: Floats) -> tuple[Floats, Floats, Bools]:
    """Return the matrices with unit matrices in place of the unusable, Cholesky pivots (B, k), and which are usable."""
    try:
        factors = np.asarray(np.linalg.cholesky(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:  # one bad matrix stops the whole batch, so find it and go on without it
        usable = _find_positive(matrices)
        safe, pivots, positive = _factor(_replace(matrices, usable))
        return safe, pivots, positive & usable
    pivots = factors.diagonal(axis1=1, axis2=2)
    positive = np.asarray((np.square(pivots) > SMALLEST_PIVOT * matrices.diagonal(axis1=1, axis2=2)).all(axis=1))
    if positive.all():
        return matrices, pivots, positive
    return _replace(matrices, positive), np.where(positive[:, None], pivots, 1.0), positive


def _find_positive(matrices: Floats) -> Bools:
    finite = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    eigenvalues = np.linalg.eigvalsh(_replace(matrices, finite))
    return finite & (eigenvalues[:, 0] > SMALLEST_PIVOT * eigenvalues[:, -1])


def _replace(matrices: Floats, usable: Bools) -> Floats:
    return np.where(usable[:, None, None], matrices, np.eye(matrices.shape[-1]))


@cache
def index_pairs(k: int) -> tuple[Ints, Ints, Ints]:
    """Return rows r, columns s (r <= s) of the packed pairs, and the (k, k) map from a pair to its place."""
    rows, columns = np.triu_indices(k)
    place = np.zeros((k, k), dtype=np.intp)
    place[rows, columns] = place[columns, rows] = np.arange(rows.size)
    return rows, columns, place


@cache
def count_pairs(k: int) -> Floats:
    """Return how often each packed pair stands in the full matrix: 1 on the diagonal, else 2."""
    rows, columns, _ = index_pairs(k)
    return np.where(rows == columns, 1.0, 2.0)


@cache
def index_triples(k: int) -> tuple[Ints, Ints, Ints]:
    """Return first index r, place of the pair (s, t) with r <= s <= t, and the (k, k, k) map to a triple."""
    rows, columns, pair = index_pairs(k)
    first, second = np.nonzero(np.arange(k)[:, None] <= rows[None, :])
    place = np.zeros((k, k, k), dtype=np.intp)
    r, s, t = first, rows[second], columns[second]
    for a, b, c in ((r, s, t), (r, t, s), (s, r, t), (s, t, r), (t, r, s), (t, s, r)):
        place[a, b, c] = np.arange(first.size)
    return first, pair[s, t], place


def sum_rows(weights: Floats, products: Floats) -> Floats:
    """Sum products of columns over the patients: weights (B, n) with (n, q) or (B, n, q) give (B, q)."""
    if products.ndim == 2:
        return weights @ products
    return (weights[:, None] @ products)[:, 0]


def spread_rows(coefficients: Floats, products: Floats) -> Floats:
    """Combine columns for every patient: coefficients (B, q) with (n, q) or (B, n, q) give (B, n)."""
    if products.ndim == 2:
        return coefficients @ products.T
    return (products @ coefficients[:, :, None])[..., 0]


def apply(matrices: Floats, vectors: Floats) -> Floats:
    """Multiply (B, k, k) with (B, k)."""
    return (matrices @ vectors[:, :, None])[..., 0]


def dot(left: Floats, right: Floats) -> Floats:
    """Return the inner products (B,) of rows of (B, k) with rows of (B, k)."""
    return np.einsum("bi,bi->b", left, right)
