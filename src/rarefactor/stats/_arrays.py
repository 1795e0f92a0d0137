"""Small dense matrices by the thousand: symmetric inverses and packed products, over a leading axis of problems.

Convention: the first axis counts problems (B), the last ones are a problem's own. A matrix that cannot be
inverted is a value (``positive`` is False), never an exception. Arrays may be of any library that follows the array API
standard; they stay with it and on its device (``Floats`` and the like stand for all of them). The indices of packed
pairs and triples are NumPy's.

References
----------
Meurer A, Reines A, Gommers R, et al. Python Array API Standard: toward array interoperability in the scientific Python
ecosystem. Proc 22nd Python in Science Conf 2023:8-17.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Array = TypeVar("Array", bound=NDArray[Any])

SMALLEST_PIVOT = 1e-13
"""A pivot below this share of its diagonal element means that a column depends on those before it."""


def get_namespace(array: object) -> Any:
    """Return the module whose functions take this array: NumPy, or another one that follows the array API standard."""
    if isinstance(array, np.ndarray):
        return np
    from array_api_compat import array_namespace  # noqa: PLC0415 - loaded where an array of another library comes

    return array_namespace(array)


def is_foreign(values: object) -> bool:
    """Say whether the values are an array of another library than NumPy."""
    if isinstance(values, (np.ndarray, np.generic, list, tuple, float, int)):
        return False
    from array_api_compat import is_array_api_obj  # noqa: PLC0415 - loaded where something else than numbers comes

    return is_array_api_obj(values)


def send(values: object, like: NDArray[Any]) -> Any:
    """Return the values as an array of the library, and on the device, of ``like``."""
    if not is_foreign(like):
        return np.asarray(values)
    from array_api_compat import device  # noqa: PLC0415 - loaded where an array of another library comes

    return get_namespace(like).asarray(values, device=device(like))


def fetch(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as NumPy's, copied from its device where need be."""
    if not is_foreign(array):
        return array
    from array_api_compat import to_device  # noqa: PLC0415 - loaded where an array of another library comes

    try:
        return np.from_dlpack(array)
    except (BufferError, RuntimeError, TypeError):  # it is not in the memory of the processor
        return np.from_dlpack(to_device(array, "cpu"))


@dataclass(frozen=True, slots=True)
class Inverse:
    """Inverses (B, k, k), log-determinants (B,) and whether each matrix was positive definite (B,)."""

    matrix: Floats
    log_determinant: Floats
    positive: Bools


def compute_inverse(matrices: Floats) -> Inverse:
    """Invert symmetric matrices (B, k, k); one that is not positive definite gives the unit matrix instead."""
    xp = get_namespace(matrices)
    safe, pivots, positive = _factor(matrices)
    return Inverse(xp.linalg.inv(safe), 2.0 * xp.sum(xp.log(pivots), axis=1), positive)


def solve(matrices: Floats, right: Floats) -> tuple[Floats, Bools]:
    """Solve symmetric systems (B, k, k) for (B, k, m); the solution holds where the second value is True."""
    safe, _, positive = _factor(matrices)
    return get_namespace(matrices).linalg.solve(safe, right), positive


def _factor(matrices: Floats) -> tuple[Floats, Floats, Bools]:
    """Return the matrices with unit matrices in place of the unusable, Cholesky pivots (B, k), and which are usable."""
    xp = get_namespace(matrices)
    try:
        pivots = xp.linalg.diagonal(xp.linalg.cholesky(matrices))
    except (np.linalg.LinAlgError, RuntimeError):  # one bad matrix stops the whole batch (RuntimeError: PyTorch's)
        pivots = _eliminate(matrices)
    enough = xp.square(pivots) > SMALLEST_PIVOT * xp.linalg.diagonal(matrices)
    positive = xp.all(enough & (pivots > 0.0), axis=1)
    if xp.all(positive):
        return matrices, pivots, positive
    return _replace(matrices, positive), xp.where(positive[:, None], pivots, 1.0), positive


def _eliminate(matrices: Floats) -> Floats:
    """Return the Cholesky pivots (B, k), 0 from where a matrix is not positive definite."""
    xp = get_namespace(matrices)
    rest = _replace(matrices, xp.all(xp.isfinite(matrices), axis=(1, 2)), 0.0)
    pivots: list[Floats] = []
    for _ in range(matrices.shape[-1]):
        head = rest[:, :1, :1]
        pivots.append(xp.sqrt(xp.clip(head[:, 0, 0], 0.0, None)))
        rest = rest[:, 1:, 1:] - rest[:, 1:, :1] @ (rest[:, :1, 1:] / xp.where(head > 0.0, head, 1.0))
    return xp.stack(pivots, axis=1)


def _replace(matrices: Floats, usable: Bools, diagonal: float = 1.0) -> Floats:
    xp = get_namespace(matrices)
    return xp.where(usable[:, None, None], matrices, send(diagonal * np.eye(matrices.shape[-1]), matrices))


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
    return (weights[:, None, :] @ products)[:, 0, :]


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
    return get_namespace(left).vecdot(left, right)


def spread_diagonal(values: Floats) -> Floats:
    """Return diagonal matrices (B, k, k) of values (B, k)."""
    return values[:, :, None] * send(np.eye(values.shape[1]), values)


def take_rows(array: Array, rows: Ints) -> Array:
    """Return the problems (first axis) at these positions."""
    taken: Any = get_namespace(array).take(array, rows, axis=0) if is_foreign(array) else array[rows]
    return taken


def take_columns(array: Floats, places: Ints) -> Floats:
    """Return the elements of the last axis at NumPy ``places``, whose shape takes the axis' place."""
    xp = get_namespace(array)
    if xp is np:
        return array[..., places]
    taken = xp.take(array, send(places.reshape(-1), array), axis=-1)
    return xp.reshape(taken, (*array.shape[:-1], *places.shape))


def find_rows(condition: Bools) -> Ints:
    """Return the positions at which a condition (B,) holds."""
    return get_namespace(condition).nonzero(condition)[0]


def put_rows(array: Floats, condition: Bools, rows: Floats) -> Floats:
    """Return the array with these rows where the condition (B,) holds, in order."""
    changed = get_namespace(array).asarray(array, copy=True)
    changed[condition] = rows
    return changed
