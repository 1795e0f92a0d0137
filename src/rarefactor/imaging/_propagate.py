"""Baseline's regions in the follow-up.

Convention: each voxel of the follow-up takes the region of the place of baseline that it shows. Between two slices the
outline of a region is halfway between both outlines (signed distances are interpolated, so a region that ends tapers);
what lies more than half a slice beyond baseline's first or last slice has no region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._legs import LEG
from rarefactor.imaging._motion_found import LegMotion, Motion
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume

PROPAGATED = "propagated"
_FARTHEST_MM = 12.0  # a region is told from its surroundings so far; where a slice has none, it is this far away
_BOX_MM = 15.0


def propagate(labels: LabelMap, motion: Motion) -> LabelMap:
    """Return baseline's regions on the follow-up's grid.

    Parameters
    ----------
    labels
        Regions on baseline's grid.
    motion
        From `register` of the same baseline.

    Examples
    --------
    >>> from rarefactor.imaging._motion_found import compute_stillness
    >>> from rarefactor.imaging._regions import Region
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(1, 8, 8), spacing_mm=(5.0, 1.0, 1.0))
    >>> values = np.zeros((1, 8, 8), np.int16)
    >>> values[0, 2:5, 2:5] = 1
    >>> labels = LabelMap(values=values, grid=grid, regions={1: Region(name="GR")}, source="reader")
    >>> moved = propagate(labels, compute_stillness(grid, np.ones((1, 8, 8), np.int8)))
    >>> bool((moved.values == values).all()), moved.source
    (True, 'propagated')
    """
    found = np.zeros(motion.follow_up.shape, np.int16)
    for leg in motion.legs:
        found[motion.legs_follow_up == LEG[leg.side]] = _propagate_leg(labels, motion, leg)
    return LabelMap(values=found, grid=motion.follow_up, regions=labels.regions, source=PROPAGATED)


def compute_moved(volume: Volume, motion: Motion) -> Volume:
    """Return a volume of baseline as the follow-up would show it, for pictures; NaN where baseline shows nothing.

    Linear between voxels. Measurements are taken in each scan's own voxels, never from this.
    """
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    values = np.full(motion.follow_up.shape, np.nan, np.float32)
    for leg in motion.legs:
        places = _clip_slices(motion.compute_places(leg), motion.baseline.shape[0])
        here = ndimage.map_coordinates(volume.values, places, order=1, cval=np.nan)
        values[motion.legs_follow_up == LEG[leg.side]] = here
    return Volume(values=values, grid=motion.follow_up)


def _propagate_leg(labels: LabelMap, motion: Motion, leg: LegMotion) -> NDArray[np.int16]:
    """The region of each voxel of the leg: the one whose outline the voxel is deepest in."""
    places = _clip_slices(motion.compute_places(leg), labels.grid.shape[0])
    own = _find_own(labels, motion, leg)
    depth = np.zeros(places.shape[1], np.float32)
    found = np.zeros(places.shape[1], np.int16)
    for label in np.unique(own[own > 0]):
        box = _find_box(own == label, labels.grid.spacing_mm)
        distance = _compute_distance_mm((own == label)[box], labels.grid.spacing_mm)
        deeper, here = _look_up(distance, box, places)
        better = here > depth[deeper]
        found[deeper[better]] = label
        depth[deeper[better]] = here[better]
    return found


def _find_own(labels: LabelMap, motion: Motion, leg: LegMotion) -> NDArray[np.int16]:
    """The regions of this leg: by the side that they say, or by where they lie."""
    sides = {label: region.side for label, region in labels.regions.items()}
    unsided = [label for label, side in sides.items() if side is None]
    here = np.isin(labels.values, [label for label, side in sides.items() if side == leg.side])
    near = (motion.legs_baseline == LEG[leg.side]) & np.isin(labels.values, unsided)
    return np.where(here | near, labels.values, np.int16(0))


def _look_up(
    distance: NDArray[np.float32], box: tuple[slice, ...], places: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Which of the places lie in the box, and the distance there."""
    from scipy import ndimage  # noqa: PLC0415 - as above

    first = np.array([each.start for each in box], np.float32)[:, None]
    last = np.array([each.stop - 1 for each in box], np.float32)[:, None]
    inside = np.flatnonzero(((places >= first) & (places <= last)).all(axis=0))
    here = ndimage.map_coordinates(distance, places[:, inside] - first, order=1, mode="nearest")
    return inside, np.asarray(here, np.float32)


def _find_box(region: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> tuple[slice, ...]:
    """The slices of the region and one beyond, its rows and columns and what is near."""
    margins = (1, *(round(_BOX_MM / step) for step in spacing_mm[1:]))
    found: list[slice] = []
    for axis, margin in enumerate(margins):
        others = tuple(other for other in range(3) if other != axis)
        used = np.flatnonzero(region.any(axis=others))
        found.append(slice(max(0, int(used[0]) - margin), min(region.shape[axis], int(used[-1]) + 1 + margin)))
    return tuple(found)


def _compute_distance_mm(region: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> NDArray[np.float32]:
    """Distance to the region's outline in each slice, positive inside; the outline runs between voxels."""
    from scipy import ndimage  # noqa: PLC0415 - as above

    distance = np.full(region.shape, -_FARTHEST_MM, np.float32)
    half = 0.5 * min(spacing_mm[1:])
    for here, each in zip(distance, region, strict=True):
        if each.any():
            padded = np.pad(each, 1)
            inner, outer = (
                np.asarray(ndimage.distance_transform_edt(mask, sampling=spacing_mm[1:]), np.float32)[1:-1, 1:-1]
                for mask in (padded, ~padded)
            )
            here[:] = np.where(each, inner - half, half - outer)
    return np.clip(distance, -_FARTHEST_MM, _FARTHEST_MM)


def _clip_slices(places: NDArray[np.float32], slices: int) -> NDArray[np.float32]:
    """Half a slice beyond the first and the last counts as that slice; farther is nowhere."""
    near = (places[0] >= -0.5) & (places[0] <= slices - 0.5)
    return np.stack([np.where(near, np.clip(places[0], 0, slices - 1), np.float32(-1000)), *places[1:]])
