"""Register the follow-up to baseline: each leg for itself, rigid first, then demons in the slice.

Convention: fat plus water is the image to give (T1 where there is no Dixon): it hardly changes when water turns into
fat, so the registration follows the shape and not the disease. Air is set to 0 and signal is divided by its
local mean, so that neither the coil nor the receiver's gain counts; the other leg stays in the image, so that the line
drawn between thighs that touch is no edge to be matched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._body import compute_coarse
from rarefactor.imaging._demons import fit_displacement
from rarefactor.imaging._legs import LEG, compute_legs
from rarefactor.imaging._motion_found import LegMotion, Motion
from rarefactor.imaging._regions import Side
from rarefactor.imaging._rigid import Leg, compute_places, compute_positions, fit_pose
from rarefactor.imaging._volume import Volume

_LOCAL_MM = 20.0  # as wide as a muscle: the coil fades more slowly, tissue changes faster
_NEAR_MM = 5.0  # around a leg: where it ends is told by the air beyond
_MARGIN = 8  # coarse voxels around a leg


def register(
    baseline: Volume,
    follow_up: Volume,
    *,
    legs_baseline: NDArray[np.int8] | None = None,
    legs_follow_up: NDArray[np.int8] | None = None,
) -> Motion:
    """Return where each voxel of the follow-up lies in baseline.

    Parameters
    ----------
    baseline, follow_up
        Fat plus water, or T1, of two visits. Grids may differ.
    legs_baseline, legs_follow_up
        0 air, 1 right, 2 left, in the shape of each volume; found in the images where not given.

    Raises
    ------
    ImageError
        No leg is seen in both scans, or a scan has no leg at all.

    References
    ----------
    Lowekamp BC, Chen DT, Ibáñez L, Blezek D. The design of SimpleITK. Front Neuroinform 2013;7:45.
    """
    before = compute_legs(baseline) if legs_baseline is None else legs_baseline
    after = compute_legs(follow_up) if legs_follow_up is None else legs_follow_up
    _, step = compute_coarse(follow_up)
    legs = tuple(
        _register_leg(side, _cut_out(baseline, before, side), _cut_out(follow_up, after, side))
        for side in _find_shared(before, after)
    )
    return Motion(
        baseline=baseline.grid,
        follow_up=follow_up.grid,
        step=step,
        legs_baseline=before,
        legs_follow_up=after,
        legs=legs,
    )


def _find_shared(before: NDArray[np.int8], after: NDArray[np.int8]) -> tuple[Side, ...]:
    shared = tuple(side for side in Side if (before == LEG[side]).any() and (after == LEG[side]).any())
    if shared:
        return shared
    raise ImageError(
        Problem(
            found="no leg that both visits show",
            expected="the same leg, or both, at baseline and at follow-up",
            next_step="Check that both folders belong to one patient and that the sides are right.",
        )
    )


def _cut_out(image: Volume, legs: NDArray[np.int8], side: Side) -> Leg:
    """The body on a grid of about 1.5 mm, over its local mean, 0 in air; where the leg is and what is near."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    coarse, step = compute_coarse(image)
    shares = [
        compute_coarse(image.with_values(each.astype(np.float32)))[0].values
        for each in (legs == LEG[side], (legs > 0) & (legs != LEG[side]))
    ]
    inside, other = (share > 0.5 for share in shares)
    steps = max(1, round(_NEAR_MM / coarse.grid.spacing_mm[1]))
    grown = np.asarray(ndimage.maximum_filter(inside, (1, 2 * steps + 1, 2 * steps + 1)), bool)
    return Leg(
        image=_normalise(coarse, inside | other),
        inside=inside,
        near=grown & ~other,
        step=step,
    )


def _normalise(coarse: Volume, body: NDArray[np.bool_]) -> Volume:
    from scipy import ndimage  # noqa: PLC0415 - as above

    _, height, width = coarse.grid.spacing_mm
    sigmas = (0.0, _LOCAL_MM / height, _LOCAL_MM / width)
    weight = ndimage.gaussian_filter(body.astype(np.float32), sigmas)
    local = ndimage.gaussian_filter(np.where(body, coarse.values, np.float32(0)), sigmas)
    values = np.divide(coarse.values * weight, local, out=np.zeros_like(local), where=body & (local > 0))
    return coarse.with_values(values)


def _register_leg(side: Side, baseline: Leg, follow_up: Leg) -> LegMotion:
    before, after = baseline.image, follow_up.image
    pose = fit_pose(baseline, follow_up)
    window = _find_window(follow_up.inside)
    seen, inside = after.values[window], follow_up.inside[window]
    positions = compute_positions(after.grid)[window]
    laid = _sample(before, pose.move(positions))
    found = fit_displacement(laid, seen)
    _, height, width = after.grid.spacing_mm
    moved = positions + np.stack([found[1] * width, found[0] * height, np.zeros_like(found[0])], axis=-1)
    places = compute_places(pose.move(moved), before.grid)
    matched = _sample_places(before, places)
    shared = inside & (places[0] >= -0.5) & (places[0] <= before.grid.shape[0] - 0.5)
    middle = positions[inside].mean(axis=0)
    shift = pose.move(middle) - middle
    return LegMotion(
        side=side,
        rotation_degrees=pose.angles,
        translation_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
        shift_mm=float(shift[2]),
        similarity_before=_correlate(_sample(before, positions), seen, shared),
        similarity_rigid=_correlate(laid, seen, shared),
        similarity=_correlate(matched, seen, shared),
        residual=float(np.sqrt(np.mean(np.square(matched - seen)[shared]))) if shared.any() else np.inf,
        deformation_mm=float(np.percentile(np.hypot(found[0] * height, found[1] * width)[inside], 95)),
        corner=(window[1].start, window[2].start),
        places=_compute_full(places, baseline.step),
    )


def _find_window(inside: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """The rows and columns of the leg with a margin, in all slices."""
    edges = [np.flatnonzero(inside.any(axis=axes))[[0, -1]] for axes in ((0, 2), (0, 1))]
    rows, columns = (slice(max(0, int(first) - _MARGIN), int(last) + 1 + _MARGIN) for first, last in edges)
    return slice(None), rows, columns


def _sample(image: Volume, positions: NDArray[np.float64]) -> NDArray[np.float32]:
    return _sample_places(image, compute_places(positions, image.grid))


def _sample_places(image: Volume, places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear between voxels; beyond the first and the last slice, that slice."""
    from scipy import ndimage  # noqa: PLC0415 - as above

    near = np.clip(places[0], 0, image.grid.shape[0] - 1)
    return np.asarray(ndimage.map_coordinates(image.values, [near, *places[1:]], order=1), np.float32)


def _compute_full(places: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Places in coarse voxels of baseline as places in its own."""
    full = places.copy()
    full[1:] = places[1:] * step + (step - 1) / 2
    return full


def _correlate(one: NDArray[np.float32], other: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """Correlation inside the leg; 0 where an image does not vary."""
    pair = np.stack([one[inside], other[inside]]).astype(float)
    if not (pair.size and pair.std(axis=1).all()):
        return 0.0
    return float(np.corrcoef(pair)[0, 1])
