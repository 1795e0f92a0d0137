"""Regions, and for the eye images, on the grid of another series of the same visit.

Convention: the patient lay still between two series of a visit; each voxel takes the region of the nearest voxel, by
its place in the patient, or none where the other series shows nothing. Numbers that are measured are never resampled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Grid, Volume


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
    return replace(labels, values=np.asarray(_resample(labels.values, labels.grid, grid, 0), np.int16), grid=grid)


def compute_resampled(volume: Volume, grid: Grid) -> Volume:
    """Return an image on another grid, linear between its voxels and 0 outside of it: to be looked at beside others.

    Examples
    --------
    >>> near = Grid(shape=(1, 1, 3), spacing_mm=(5.0, 1.0, 1.0))
    >>> far = Grid(shape=(1, 1, 2), spacing_mm=(5.0, 1.0, 1.0), origin_mm=(0.5, 0.0, 0.0))
    >>> compute_resampled(Volume(values=np.array([[[0, 2, 4]]], np.float32), grid=near), far).values.tolist()
    [[[1.0, 3.0]]]
    """
    if grid.matches(volume.grid):
        return volume
    return Volume(values=np.asarray(_resample(volume.values, volume.grid, grid, 1), np.float32), grid=grid)


def _resample(values: NDArray[Any], own: Grid, grid: Grid, order: int) -> NDArray[Any]:
    from scipy.ndimage import affine_transform  # noqa: PLC0415 - loaded late, so that importing this part is light

    there, here = _affine(grid), _affine(own)
    step = np.linalg.inv(here[0])
    return affine_transform(
        values,
        step @ there[0],
        offset=cast("float", step @ (there[1] - here[1])),  # a vector is meant, the stub knows numbers
        output_shape=grid.shape,
        order=order,
        mode="constant",
        cval=0,
    )


def _affine(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix and offset from (slice, row, column) to (x, y, z)."""
    steps = np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None]
    return steps.T, np.asarray(grid.origin_mm)
