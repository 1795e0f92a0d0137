"""What both visits show: only there can two fat fractions be compared.

Convention: a voxel is in the common field of view when the place that it shows lies in the other scan too, at most half
a voxel beyond the middles of its outermost voxels. Each scan keeps its own voxels; nothing is resampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._legs import LEG
from rarefactor.imaging._motion_found import LegMotion, Motion
from rarefactor.results import Flag, Severity

_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonView:
    """What both scans show, on each scan's own grid, and the share of each scan's legs that this is."""

    baseline: NDArray[np.bool_]
    follow_up: NDArray[np.bool_]
    share_baseline: float
    share_follow_up: float

    @property
    def flags(self) -> tuple[Flag, ...]:
        """A common field of view that is less than half of a scan."""
        least = min(self.share_baseline, self.share_follow_up)
        if least >= _LEAST_SHARE:
            return ()
        detail = f"Both visits show the same {100 * least:.0f}% of the legs only; the change is of that part."
        return (Flag(name="small_common_view", severity=Severity.WARNING, detail=detail),)


def compute_common_view(motion: Motion) -> CommonView:
    """Return what both scans show.

    Examples
    --------
    >>> from rarefactor.imaging._motion_found import compute_stillness
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(2, 8, 8), spacing_mm=(5.0, 1.0, 1.0))
    >>> compute_common_view(compute_stillness(grid, np.ones((2, 8, 8), np.int8))).share_baseline
    1.0
    """
    before, after = (np.zeros(grid.shape, bool) for grid in (motion.baseline, motion.follow_up))
    for leg in motion.legs:
        places = motion.compute_places(leg)
        after[motion.legs_follow_up == LEG[leg.side]] = _lies_in(places, motion.baseline.shape)
        here = motion.legs_baseline == LEG[leg.side]
        back = _compute_back(motion, leg, places)
        before[here] = _lies_in(back[:, :3] @ np.asarray(np.nonzero(here), float) + back[:, 3:], motion.follow_up.shape)
    return CommonView(
        baseline=before,
        follow_up=after,
        share_baseline=_compute_share(before, motion.legs_baseline),
        share_follow_up=_compute_share(after, motion.legs_follow_up),
    )


def _compute_back(motion: Motion, leg: LegMotion, places: NDArray[np.float32]) -> NDArray[np.float64]:
    """The affine map (3, 4) from baseline's indices to the follow-up's that comes closest to the way back."""
    here = np.asarray(np.nonzero(motion.legs_follow_up == LEG[leg.side]), float)
    some = slice(None, None, max(1, here.shape[1] // 20_000))
    terms = np.vstack([places[:, some], np.ones(places[:, some].shape[1])]).astype(float)
    found: NDArray[np.float64] = np.linalg.lstsq(terms.T, here[:, some].T, rcond=None)[0]
    return found.T


def _lies_in(places: NDArray[np.floating], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    last = np.asarray(shape, float)[:, None] - 0.5
    return np.asarray(((places >= -0.5) & (places <= last)).all(axis=0), bool)


def _compute_share(common: NDArray[np.bool_], legs: NDArray[np.int8]) -> float:
    return float(common.sum() / max(1, int((legs > 0).sum())))
