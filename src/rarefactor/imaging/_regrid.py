"""Regions on the grid of another series of the same visit.

Convention: the patient lay still between two series of a visit; each voxel takes the region of the nearest voxel, by
its place in the patient, or none where the other series shows nothing. Numbers of an image are never resampled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Grid


def compute_on_grid(labels: LabelMap, grid: Grid) -> LabelMap:
    """Return the regions on another grid.

    Examples
    --------
    >>> near = Grid(shape=(1, 1, 4), spacing_mm=(5.0, 1.0, 1.0))
    >>> far = Grid(shape=(1, 1, 2), spacing_mm=(5.0, 1.0, 2.0), origin_mm=(0.4, 0.0, 0.0))
    >>> values = np.array([[[0, 1, 2, 3]]], np.int16)
    >>> compute_on_grid(LabelMap(values=values, grid=near, regions={}, source="reader"), far).values.tolist()
    [[[0, 2]]]
    """
    if grid.matches(labels.grid):
        return labels
    from scipy.ndimage import affine_transform  # noqa: PLC0415 - loaded late, so that importing this part is light

    there, here = _affine(grid), _affine(labels.grid)
    step = np.linalg.inv(here[0])
    values = affine_transform(
        labels.values,
        step @ there[0],
        offset=cast("float", step @ (there[1] - here[1])),  # a vector is meant, the stub knows numbers
        output_shape=grid.shape,
        order=0,
        mode="constant",
        cval=0,
    )
    return replace(labels, values=np.asarray(values, np.int16), grid=grid)


def _affine(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix and offset from (slice, row, column) to (x, y, z)."""
    steps = np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None]
    return steps.T, np.asarray(grid.origin_mm)
