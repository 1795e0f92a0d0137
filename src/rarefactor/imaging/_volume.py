"""A volume: numbers on a grid in the patient's own axes.

Convention: array axes are (slice, row, column), and they grow toward the patient's head, back and left (the closest
anatomical axis of the scan; nothing is resampled). Shown with row 0 on top and column 0 at the left, a slice therefore
looks as radiologists read it: front of the thigh on top, the patient's right on the left. Positions are millimetres in
DICOM's patient coordinates (x to the left, y to the back, z to the head).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

_AXES = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])  # head, back, left


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where the voxels of a scan are.

    Attributes
    ----------
    shape : tuple of int
        Slices, rows, columns.
    spacing_mm : tuple of float
        Distance of neighbouring centres along slices, rows and columns.
    origin_mm : tuple of float
        Position (x, y, z) of the centre of voxel (0, 0, 0).
    directions : tuple of tuple of float
        Unit vectors (x, y, z) along which slices, rows and columns grow.

    Examples
    --------
    >>> grid = Grid(shape=(16, 512, 512), spacing_mm=(24.0, 0.8, 0.8))
    >>> round(grid.voxel_ml, 5)
    0.01536
    >>> grid.position((1, 0, 0))
    (0.0, 0.0, 24.0)
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    directions: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in millilitres."""
        return math.prod(self.spacing_mm) / 1000.0

    def position(self, index: tuple[float, float, float]) -> tuple[float, float, float]:
        """Position (x, y, z) in millimetres of the voxel ``index`` (slice, row, column)."""
        steps = np.asarray(index) * np.asarray(self.spacing_mm)
        x, y, z = np.asarray(self.origin_mm) + steps @ np.asarray(self.directions)
        return float(x), float(y), float(z)

    def matches(self, other: Grid, *, tolerance_mm: float = 0.05) -> bool:
        """Whether both grids have their voxels at the same places."""
        far = (self.shape[0] - 1, self.shape[1] - 1, self.shape[2] - 1)
        return self.shape == other.shape and all(
            math.dist(self.position(corner), other.position(corner)) <= tolerance_mm for corner in ((0, 0, 0), far)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Numbers on a grid; ``values`` has the grid's shape (slices, rows, columns).

    Examples
    --------
    >>> volume = Volume(values=np.zeros((2, 4, 4), np.float32), grid=Grid(shape=(2, 4, 4), spacing_mm=(5.0, 1.0, 1.0)))
    >>> volume.with_values(volume.values + 1).values.max()
    np.float32(1.0)
    """

    values: NDArray[np.float32]
    grid: Grid

    def with_values(self, values: NDArray[np.float32]) -> Volume:
        """The same grid with other numbers."""
        return replace(self, values=values)


def compute_oriented(values: NDArray[np.float32], affine: NDArray[np.float64]) -> Volume:
    """Return the volume of an array whose index (i, j, k, 1) ``affine`` (4 x 4) takes to patient coordinates.

    Axes are permuted and flipped to (head, back, left); no number is changed.

    Parameters
    ----------
    values
        Shape (i, j, k).
    affine
        Millimetres, x to the left, y to the back, z to the head (NIfTI's x and y have the other sign).

    Examples
    --------
    >>> flipped = compute_oriented(np.arange(4, dtype=np.float32).reshape(4, 1, 1), np.diag([-2.0, 1.0, 5.0, 1.0]))
    >>> flipped.values[0, 0].tolist(), flipped.grid.spacing_mm, flipped.grid.origin_mm
    ([3.0, 2.0, 1.0, 0.0], (5.0, 1.0, 2.0), (-6.0, 0.0, 0.0))
    """
    steps = affine[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    units = steps / spacing
    order, signs = _closest_axes(units)
    start = [0 if sign > 0 else size - 1 for size, sign in zip(values.shape, _by_axis(order, signs), strict=True)]
    origin = steps @ np.asarray(start, float) + affine[:3, 3]
    turned = np.transpose(values, order)[tuple(slice(None, None, sign) for sign in signs)]
    grid = Grid(
        shape=cast("tuple[int, int, int]", turned.shape),
        spacing_mm=_triple(spacing[list(order)]),
        origin_mm=_triple(origin),
        directions=tuple(_triple(units[:, axis] * sign) for axis, sign in zip(order, signs, strict=True)),
    )
    return Volume(values=np.ascontiguousarray(turned), grid=grid)


def _closest_axes(units: NDArray[np.float64]) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """For head, back and left: the array axis that comes closest, and whether it grows that way (1) or not (-1)."""
    likeness = _AXES @ units
    order = max(
        ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)),
        key=lambda axes: sum(abs(likeness[row, axis]) for row, axis in enumerate(axes)),
    )
    first, second, third = (1 if likeness[row, axis] > 0 else -1 for row, axis in enumerate(order))
    return order, (first, second, third)


def _by_axis(order: tuple[int, int, int], signs: tuple[int, int, int]) -> list[int]:
    return [signs[order.index(axis)] for axis in range(3)]


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) + 0.0 for value in values)
    return x, y, z
