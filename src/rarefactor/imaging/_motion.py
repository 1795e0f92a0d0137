"""Known motion between two visits: each leg moves as a whole, soft tissue gives way, slices lie a little elsewhere.

Convention: a displacement is what has to be added to a place in the follow-up to find the same tissue in the baseline,
in millimetres along (slice, row, column): toward head, back and left. Motion within slices is interpolated by cubic
splines. Between slices, which may lie 24 mm apart, nothing but a shift of the whole scan along the leg is made, by
linear interpolation; a shift of more than a few millimetres blurs thick-spaced slices and should be asked for only
where this is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._enlarge import compute_enlarged
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Grid, Volume

Field = NDArray[np.float32]
_BLEND_MM = 4.0
_OWN_SHARE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How far things move: standard deviations, and one shift along the leg.

    Attributes
    ----------
    turn_degrees, shift_mm
        Rotation within the slice about the leg's middle, and shift within the slice: both legs are laid down elsewhere
        by this much, and each leg by 0.4 of it on its own.
    bend_mm, bend_length_mm
        Smooth displacement within slices and the length over which it changes.
    slice_mm
        Shift within the slice that each slice has of its own.
    along_mm
        By how much the follow-up's slices lie nearer to the head.
    """

    turn_degrees: float = 3.0
    shift_mm: float = 5.0
    bend_mm: float = 1.2
    bend_length_mm: float = 22.0
    slice_mm: float = 0.4
    along_mm: float = 0.0


STILL = Movement(turn_degrees=0.0, shift_mm=0.0, bend_mm=0.0, slice_mm=0.0)


def compute_displacement(total: Volume, movement: Movement, rng: np.random.Generator) -> Field:
    """Draw a displacement for the scan whose fat and water together are ``total``; shape (3, slices, rows, columns)."""
    grid = total.grid
    field = np.zeros((3, *grid.shape), np.float32)
    field[0] = movement.along_mm
    field[1:] += _draw_shift(movement.shift_mm, rng)
    left = _left_share(total)
    for share in (1 - left, left):
        field[1:] += share * _draw_rigid(total, share, movement, rng)
    field[1:] += _draw_bend(grid, movement, rng)
    field[1:] += rng.normal(0, 1, (2, grid.shape[0], 1, 1)).astype(np.float32) * np.float32(movement.slice_mm)
    return field


def _left_share(total: Volume) -> Field:
    """0 in the right leg and 1 in the left, with a smooth passage at the emptiest columns between; per slice."""
    profile = total.values.sum(axis=(0, 1), dtype=np.float64)
    columns = np.arange(len(profile))
    middle = float(profile @ columns / max(profile.sum(), 1e-9))
    reach = len(profile) // 8
    first = max(int(middle) - reach, 0)
    near = profile[first : int(middle) + reach + 1]
    line = first + float(np.flatnonzero(near == near.min()).mean())
    distance = (columns - line) * (total.grid.spacing_mm[2] / _BLEND_MM)
    share = 1 / (1 + np.exp(-np.clip(distance, -60, 60)))
    return np.broadcast_to(share.astype(np.float32), total.values.shape)


def _draw_rigid(total: Volume, share: Field, movement: Movement, rng: np.random.Generator) -> Field:
    """Displacement (row, column) of one leg that turns about its middle and shifts."""
    grid = total.grid
    angle = np.radians(rng.normal(0, movement.turn_degrees))
    rows = (np.arange(grid.shape[1], dtype=np.float32) * np.float32(grid.spacing_mm[1]))[:, None]
    columns = (np.arange(grid.shape[2], dtype=np.float32) * np.float32(grid.spacing_mm[2]))[None, :]
    weights = (total.values * share).sum(axis=0, dtype=np.float64)
    mass = max(float(weights.sum()), 1e-9)
    y, x = rows - float((weights * rows).sum() / mass), columns - float((weights * columns).sum() / mass)
    cosine, sine = float(np.cos(angle)) - 1, float(np.sin(angle))
    turned = np.stack((y * cosine - x * sine, y * sine + x * cosine))[:, None].astype(np.float32)
    return turned + _draw_shift(_OWN_SHARE * movement.shift_mm, rng)


def _draw_shift(sd_mm: float, rng: np.random.Generator) -> Field:
    return rng.normal(0, sd_mm, (2, 1, 1, 1)).astype(np.float32)


def _draw_bend(grid: Grid, movement: Movement, rng: np.random.Generator) -> Field:
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - scipy is slow to import

    along, *within = grid.spacing_mm
    step = movement.bend_length_mm / 3
    coarse = [max(int(np.ceil(size * mm / step)), 4) for size, mm in zip(grid.shape[1:], within, strict=True)]
    noise = rng.normal(size=(2, grid.shape[0], *coarse))
    smooth = gaussian_filter(noise, (0, 1.5 * movement.bend_length_mm / along, 2.0, 2.0))
    smooth *= movement.bend_mm / max(float(smooth.std()), 1e-9)
    return compute_enlarged(np.asarray(smooth, np.float32), (grid.shape[1], grid.shape[2]), order=3)


def compute_moved_values(values: Field, grid: Grid, displacement_mm: Field, *, order: int = 3) -> Field:
    """The image ``values`` as the follow-up sees it; not below 0."""
    from scipy.ndimage import map_coordinates  # noqa: PLC0415 - scipy is slow to import

    if not displacement_mm.any():
        return values.copy()
    shifted = _shift_along(values, float(displacement_mm[0].flat[0]) / grid.spacing_mm[0])
    places = _places(grid, displacement_mm)
    moved = [
        map_coordinates(image, place, order=order, mode="nearest") for image, place in zip(shifted, places, strict=True)
    ]
    return np.maximum(np.asarray(moved, np.float32), 0)


def _places(grid: Grid, displacement_mm: Field) -> Field:
    """Row and column in the baseline of each voxel of the follow-up: shape (slices, 2, rows, columns)."""
    index = np.indices(grid.shape[1:], dtype=np.float32)
    steps = np.asarray(grid.spacing_mm[1:], np.float32)[:, None, None]
    return (index + displacement_mm[1:].swapaxes(0, 1) / steps).astype(np.float32, copy=False)


def _shift_along(values: Field, slices: float) -> Field:
    """The image ``slices`` farther along, the last one repeated where the scan has ended."""
    place = np.clip(np.arange(len(values)) + slices, 0, len(values) - 1)
    lower = np.floor(place).astype(int)
    upper = np.minimum(lower + 1, len(values) - 1)
    share = (place - lower).astype(np.float32)[:, None, None]
    return (values[lower] * (1 - share) + values[upper] * share).astype(np.float32, copy=False)


def compute_moved_labels(labels: LabelMap, displacement_mm: Field) -> LabelMap:
    """The label map as a reader of the follow-up would draw it: each voxel what most of it is."""
    if not displacement_mm.any():
        return labels
    moved = np.zeros_like(labels.values)
    best = np.full(labels.values.shape, 0.5, np.float32)
    for label in labels.regions:
        _move_label(moved, best, labels, label, displacement_mm)
    return LabelMap(values=moved, grid=labels.grid, regions=labels.regions, source=labels.source)


def _move_label(moved: NDArray[np.int16], best: Field, labels: LabelMap, label: int, displacement_mm: Field) -> None:
    from scipy.ndimage import map_coordinates  # noqa: PLC0415 - scipy is slow to import

    inside = (labels.values == label).astype(np.float32)
    if not inside.any():
        return
    grid = labels.grid
    shifted = _shift_along(inside, float(displacement_mm[0].flat[0]) / grid.spacing_mm[0])
    steps = np.asarray(grid.spacing_mm[1:], np.float32)[:, None, None]
    for index in np.flatnonzero(shifted.any(axis=(1, 2))):
        there = displacement_mm[1:, index] / steps
        box = _box(shifted[index] > 0, there)
        places = np.indices(grid.shape[1:], dtype=np.float32)[(slice(None), *box)] + there[(slice(None), *box)]
        share = np.asarray(map_coordinates(shifted[index], places, order=1), np.float32)
        wins = share > best[index][box]
        best[index][box][wins] = share[wins]
        moved[index][box][wins] = label


def _box(there: NDArray[np.bool_], displacement: Field) -> tuple[slice, slice]:
    """Rows and columns of the follow-up that may hold the region."""
    margins = np.abs(displacement).max(axis=(1, 2)) + 2
    found = [np.flatnonzero(there.any(axis=axis)) for axis in (1, 0)]
    rows, columns = (
        slice(max(int(place[0] - margin), 0), int(place[-1] + margin) + 1)
        for place, margin in zip(found, margins, strict=True)
    )
    return cast("tuple[slice, slice]", (rows, columns))
