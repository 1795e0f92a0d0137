"""The fascia lata of a leg in one slice: the border between the fat under the skin and the muscles.

Convention: rays every two degrees from the middle of the leg; on each, depth is counted in millimetres from the skin
inward. The border leaves as little as possible that is no fat between itself and the skin, follows the skin where there
is nothing to see, and comes back to where it began: the cheapest such path is found by dynamic programming. It is found
on what looks unlike the fat under the skin, and so holds muscle that is mostly fat itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._body import Mask

_RAYS = 180
_SKIN_MM = 3.0  # skin holds water too
_FAT_COST = 0.2  # per mm of fat enclosed; muscle left outside costs 1
_BEND_COST = 1.2  # per mm of change of depth from ray to ray
_STEEPEST = 3  # mm from ray to ray
_ONSET, _FULL = 0.105, 0.255  # of the contrast between fat and muscle: no evidence of muscle, full evidence
_LEAST_CONTRAST = 0.3
_BLUR_MM = 1.5  # evidence begins so far outside a sharp border: smoothing, pixels and half a sample
_UNSEEN = 0.3
_BLOCKED = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fascia:
    """A closed border.

    Attributes
    ----------
    rows, columns : array of float, shape (180,)
        Its points, in pixels of the slice.
    unseen : float
        Share of the rays on which nothing but fat lies in the 10 mm inside the border: its place is a guess there.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    unseen: float


def fit_fascia(
    fatness: NDArray[np.float32], leg: Mask, depth_mm: NDArray[np.float32], pixel_mm: float
) -> Fascia | None:
    """Find the border between the fat under the skin and the muscles.

    Parameters
    ----------
    fatness
        Slice of something that is high in fat and low in muscle, about 0 to 1: fat fraction, or scaled T1.
    leg
        The leg in this slice.
    depth_mm
        Distance from the air.
    pixel_mm
        Width of a pixel (square).

    Returns
    -------
    Fascia or None
        None where the leg has no fat under the skin, or nothing deeper than it.

    References
    ----------
    Amini AA, Weymouth TE, Jain RC. Using dynamic programming for solving variational problems in vision. IEEE Trans
    Pattern Anal Mach Intell 1990;12:855-867.

    Examples
    --------
    >>> rows, columns = np.mgrid[:100, :100]
    >>> far = np.hypot(rows - 50, columns - 50) * 1.5
    >>> fatness = np.where(far > 50, 0.8, 0.1).astype(np.float32)
    >>> fascia = fit_fascia(fatness, far < 70, (70 - far).clip(0).astype(np.float32), 1.5)
    >>> bool(abs(np.hypot(fascia.rows - 50, fascia.columns - 50) * 1.5 - 50).max() < 2)
    True
    """
    muscle = compute_unlike_fat(fatness, leg, depth_mm, pixel_mm)
    if muscle is None:
        return None
    row, column = (float(np.mean(each)) for each in np.nonzero(leg))
    angles = np.arange(_RAYS) * 2 * np.pi / _RAYS
    skin_mm, seen, deep = _sample(muscle, (row, column), leg, depth_mm, pixel_mm)
    path = compute_closed_path(_compute_cost(seen, deep, skin_mm))
    radius = np.maximum(skin_mm - path - _BLUR_MM, 0) / pixel_mm
    return Fascia(
        rows=row + np.sin(angles) * radius,
        columns=column + np.cos(angles) * radius,
        unseen=_compute_unseen(seen, path),
    )


def compute_unlike_fat(
    fatness: NDArray[np.float32], leg: Mask, depth_mm: NDArray[np.float32], pixel_mm: float
) -> NDArray[np.float64] | None:
    """Return how unlike the fat under the skin each pixel is, 0 to 1; None without such fat or what lies deeper."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    under_skin, deeper = leg & (depth_mm > 4) & (depth_mm < 9), leg & (depth_mm > 12)
    if not (under_skin.any() and deeper.any()):
        return None
    fat, muscle = float(np.median(fatness[under_skin])), float(np.percentile(fatness[deeper], 10))
    contrast = max(fat - muscle, _LEAST_CONTRAST)
    smooth = np.asarray(ndimage.gaussian_filter(fatness, 1.0 / pixel_mm), float)
    return np.clip((fat - smooth - _ONSET * contrast) / ((_FULL - _ONSET) * contrast), 0, 1)


def compute_closed_path(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the depth on each ray of the cheapest closed path.

    Parameters
    ----------
    cost
        Shape (rays, depths). A step to another depth costs 1.2 per mm and is at most 3 mm.

    Examples
    --------
    >>> cost = np.ones((6, 5))
    >>> cost[:, 2] = 0
    >>> compute_closed_path(cost).tolist()
    [2, 2, 2, 2, 2, 2]
    """
    rays = len(cost)
    twice = np.concatenate([cost, cost])  # the middle of two turns has forgotten where the first began
    total = twice[0]
    steps = np.zeros(twice.shape, np.int64)
    for ray in range(1, len(twice)):
        before = _shift(total)
        steps[ray] = before.argmin(axis=0)
        total = before.min(axis=0) + twice[ray]
    path = np.zeros(len(twice), np.int64)
    path[-1] = total.argmin()
    for ray in range(len(twice) - 1, 0, -1):
        path[ray - 1] = path[ray] - (steps[ray][path[ray]] - _STEEPEST)
    half = rays // 2
    return np.roll(path[half : half + rays], half)


def _shift(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cost of arriving at each depth from ``-3 .. 3`` mm less deep, one row each."""
    size = len(total)
    padded = np.pad(total, _STEEPEST, constant_values=np.inf)
    return np.stack(
        [
            padded[_STEEPEST - step : _STEEPEST - step + size] + _BEND_COST * abs(step)
            for step in range(-_STEEPEST, _STEEPEST + 1)
        ]
    )


def _sample(
    muscle: NDArray[np.float64],
    middle: tuple[float, float],
    leg: Mask,
    depth_mm: NDArray[np.float32],
    pixel_mm: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Per ray: radius of the skin, evidence of muscle by depth, and whether the leg reaches that depth (all by mm)."""
    from scipy import ndimage  # noqa: PLC0415 - as above

    rows, columns = np.nonzero(leg)
    longest = int(np.hypot(rows - middle[0], columns - middle[1]).max() * pixel_mm) + 3
    angles = np.arange(_RAYS)[:, None] * 2 * np.pi / _RAYS
    radius = np.arange(longest)[None, :] / pixel_mm
    places = [middle[0] + np.sin(angles) * radius, middle[1] + np.cos(angles) * radius]
    in_leg, far, seen = (
        np.asarray(ndimage.map_coordinates(each, places, order=1, mode="constant"), float)
        for each in (leg.astype(np.float32), np.where(leg, depth_mm, 0), muscle)
    )
    skin = longest - 1 - (in_leg[:, ::-1] > 0.5).argmax(axis=1)
    inward = skin[:, None] - np.arange(longest)[None, :]
    reached = inward >= 0
    inward = np.clip(inward, 0, None)
    evidence = np.take_along_axis(np.where(far > _SKIN_MM, seen, 0), inward, axis=1) * reached
    return skin, evidence, reached


def _compute_cost(
    seen: NDArray[np.float64], reached: NDArray[np.bool_], skin_mm: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Muscle left outside, and all that is enclosed."""
    depths = np.arange(seen.shape[1])[None, :]
    cost = np.cumsum(seen, axis=1) + _FAT_COST * (skin_mm[:, None] - depths)
    return np.where(reached & (depths >= 2), cost, _BLOCKED)


def _compute_unseen(seen: NDArray[np.float64], path: NDArray[np.int64]) -> float:
    inside = np.clip(path[:, None] + np.arange(1, 11)[None, :], 0, seen.shape[1] - 1)
    return float(np.mean(np.take_along_axis(seen, inside, axis=1).mean(axis=1) < _UNSEEN))
