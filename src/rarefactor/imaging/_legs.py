"""The two legs of a scan, told apart by the patient's own sides.

Convention: a leg map is an array of int8 of the volume's shape: 0 air, 1 the patient's right leg, 2 the left. Columns
grow toward the patient's left. Thighs that touch are parted where the body is narrowest between them (a watershed of
the distance from air); in the pelvis, where there is nothing to part, they are parted in the middle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._body import Mask, compute_body, compute_coarse, compute_depth_mm, compute_fine
from rarefactor.imaging._regions import Side
from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag, Severity

LEG: Mapping[Side, int] = {Side.RIGHT: 1, Side.LEFT: 2}
"""The number of each leg in a leg map."""

_SECOND_LEG = 0.2  # of the body's area, in at least one slice: less is a hand or a marker
_WIDE = 1.45  # width over height of two thighs side by side; one thigh is nearly round
_SEED_SHARE = 0.75  # of the largest depth: what surely belongs to this leg
_MIDDLE_MM = 30.0


def compute_legs(image: Volume) -> NDArray[np.int8]:
    """Return which leg each voxel belongs to.

    Parameters
    ----------
    image
        Any image in which the body is brighter than air; fat plus water is best.

    Returns
    -------
    array of int8
        Shape of the image: 0 air, 1 right, 2 left. A scan of one leg has one number only, by the side of the scanner's
        centre on which it lies; `check_legs` says so.

    Raises
    ------
    ImageError
        There is no leg in the image.

    References
    ----------
    Meyer F. Topographic distance and watershed lines. Signal Process 1994;38:113-125.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> values = np.zeros((1, 60, 120), np.float32)
    >>> values[0, 10:50, 10:50] = values[0, 10:50, 70:110] = 100
    >>> grid = Grid(shape=(1, 60, 120), spacing_mm=(5.0, 2.0, 2.0), origin_mm=(-120.0, 0.0, 0.0))
    >>> compute_legs(Volume(values=values, grid=grid))[0, 30, [0, 30, 60, 90]].tolist()
    [0, 1, 0, 2]
    """
    coarse, step = compute_coarse(image)
    body = compute_body(coarse)
    legs = _part(body, coarse) if _has_two(body) else np.where(body, LEG[_compute_lone_side(body, coarse)], 0)
    return compute_fine(legs.astype(np.int8), step, image.grid.shape)


def check_legs(legs: NDArray[np.int8], image: Volume) -> tuple[Flag, ...]:
    """Return what is doubtful about the legs: one leg only, a leg that the field of view cuts.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(1, 20, 20), spacing_mm=(5.0, 5.0, 5.0))
    >>> empty = Volume(values=np.zeros((1, 20, 20), np.float32), grid=grid)
    >>> [flag.name for flag in check_legs(np.ones((1, 20, 20), np.int8), empty)]
    ['one_leg', 'cut_field_of_view']
    """
    found = [side for side in Side if (legs == LEG[side]).any()]
    return (*(_flag_lone(found[0]) if len(found) == 1 else ()), *_flag_cut(legs, image))


def compute_joined(legs: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return per slice the share of the body's height along which both legs touch: 0 apart, near 1 in the pelvis."""
    right, left = (legs == LEG[side] for side in (Side.RIGHT, Side.LEFT))
    border = (right[:, :, :-1] & left[:, :, 1:]).any(axis=2)
    height = (legs > 0).any(axis=2).sum(axis=1)
    return np.asarray(border.sum(axis=1) / np.maximum(height, 1), float)


def _has_two(body: Mask) -> bool:
    """Two pieces of like size in some slice, or a body much wider than high."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    ratios: list[float] = []
    for each in body:
        pieces: NDArray[np.int32] = np.empty(each.shape, np.int32)
        ndimage.label(each, output=pieces)
        sizes = np.sort(np.bincount(pieces.ravel())[1:])[::-1]
        if len(sizes) > 1 and sizes[1] > _SECOND_LEG * sizes.sum():
            return True
        if each.any():
            rows, columns = np.nonzero(each)
            ratios.append(float(np.ptp(columns) + 1) / float(np.ptp(rows) + 1))
    return float(np.median(ratios)) > _WIDE


def _part(body: Mask, image: Volume) -> NDArray[np.int8]:
    depth = compute_depth_mm(body, image.grid.spacing_mm[1:])
    middle = _compute_middles(body)
    return np.stack([_part_slice(body[i], depth[i], middle[i]) for i in range(len(body))])


def _compute_middles(body: Mask) -> NDArray[np.int64]:
    """For each slice the column halfway between the body's right and left edges."""
    middles = np.full(len(body), body.shape[2] // 2)
    for i, each in enumerate(body):
        columns = np.flatnonzero(each.any(axis=0))
        if len(columns):
            middles[i] = (columns[0] + columns[-1] + 1) // 2
    return middles


def _part_slice(body: Mask, depth: NDArray[np.float32], middle: int) -> NDArray[np.int8]:
    from skimage.segmentation import watershed  # noqa: PLC0415 - as above

    seeds = np.zeros(body.shape, np.int8)
    for leg, half in ((1, slice(None, middle)), (2, slice(middle, None))):
        deepest = float(depth[:, half].max(initial=0))
        seeds[:, half][(depth[:, half] >= _SEED_SHARE * deepest) & body[:, half]] = leg
    flooded = np.asarray(watershed(-depth, markers=seeds, mask=body), np.int8)
    sides = np.where(np.arange(body.shape[1]) < middle, 1, 2).astype(np.int8)
    return np.where(body & (flooded == 0), sides[None, :], flooded)


def _compute_lone_side(body: Mask, image: Volume) -> Side:
    return Side.RIGHT if _compute_centre_mm(body, image) < 0 else Side.LEFT


def _compute_centre_mm(body: Mask, image: Volume) -> float:
    middle = np.mean(np.nonzero(body), axis=1)
    return image.grid.position((float(middle[0]), float(middle[1]), float(middle[2])))[0]


def _flag_lone(side: Side) -> Sequence[Flag]:
    return (
        Flag(
            name="one_leg",
            severity=Severity.WARNING,
            detail=f"One leg only; taken for the {side} by its place in the scanner. Say the side in the study file.",
        ),
    )


def _flag_cut(legs: NDArray[np.int8], image: Volume) -> Sequence[Flag]:
    """Skin at the edge of the image for more than 3 cm in any slice."""
    inside = legs > 0
    edges = (
        (inside[:, :, 0], image.grid.spacing_mm[1]),
        (inside[:, :, -1], image.grid.spacing_mm[1]),
        (inside[:, 0, :], image.grid.spacing_mm[2]),
        (inside[:, -1, :], image.grid.spacing_mm[2]),
    )
    longest = np.max([edge.sum(axis=1) * spacing for edge, spacing in edges], axis=0)
    cut = np.flatnonzero(longest > _MIDDLE_MM) + 1
    if not len(cut):
        return ()
    detail = (
        f"The edge of the image cuts the legs in {len(cut)} of {len(inside)} slices; what lies outside is not measured."
    )
    return (Flag(name="cut_field_of_view", severity=Severity.WARNING, detail=detail),)
