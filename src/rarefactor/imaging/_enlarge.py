"""Coarse random fields made fine: smooth displacements are drawn a few millimetres apart and enlarged to the scan.

Convention: a field is (..., rows, columns); its voxels keep their places, as those of two scans of one field of view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def compute_enlarged(coarse: Field, shape: tuple[int, int], *, order: int) -> Field:
    """Return a field whose last two axes were enlarged to ``shape`` by splines of ``order`` (1 linear, 3 cubic).

    A spline is a sum over coarse voxels, rows and columns apart: two products of matrices give what interpolation at
    every voxel gives, in a fraction of the time.

    Examples
    --------
    >>> compute_enlarged(np.array([[0, 1], [0, 1]], np.float32), (2, 4), order=1)[0].tolist()
    [0.0, 0.25, 0.75, 1.0]
    """
    rows, columns = (_compute_weights(*sizes, order) for sizes in zip(coarse.shape[-2:], shape, strict=True))
    return np.asarray(rows @ coarse @ columns.T, np.float32)


def _compute_weights(coarse: int, fine: int, order: int) -> Field:
    """How much each coarse voxel counts at each fine one: shape (fine, coarse)."""
    from scipy.ndimage import zoom  # noqa: PLC0415 - scipy is slow to import

    factors = (fine / coarse, 1.0)
    return np.asarray(zoom(np.eye(coarse), factors, order=order, grid_mode=True, mode="nearest"), np.float32)
