"""How the legs lie at follow-up, told in the places of baseline: what registration found.

Convention: a motion takes a voxel of the follow-up to the place of baseline that it shows. Places are indices (slice,
row, column) of baseline's grid, not whole numbers; axes of rotation and translation are (left, back, head). A shift
along the leg is positive where a slice of the follow-up shows a place nearer the head than baseline's slice of the same
number, counted from the middle of both scans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._legs import LEG
from rarefactor.imaging._regions import Side
from rarefactor.imaging._volume import Grid
from rarefactor.results import Flag, Severity

LEAST_SIMILARITY = 0.4
"""Correlation of the normalised images below which a registration is doubted; right ones reach 0.7 and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMotion:
    """How one leg moved, and how well it was found.

    Attributes
    ----------
    rotation_degrees, translation_mm : tuple of float
        The rigid part, about and along (left, back, head), from follow-up to baseline.
    shift_mm : float
        Shift along the leg at the middle of the leg.
    similarity_before, similarity_rigid, similarity : float
        Correlation of the normalised images of the leg: as scanned, after the rigid part, and after demons.
    residual : float
        Root mean square difference of the normalised images after registration; 1 is the local mean of signal.
    deformation_mm : float
        95th percentile of the in-plane displacement that is left after the rigid part.
    corner : tuple of int
        The first row and column, in coarse voxels of the follow-up, of ``places``.
    places : array of float32, shape (3, slices, rows, columns)
        Baseline's (slice, row, column) of each coarse voxel of the follow-up around the leg.
    """

    side: Side
    rotation_degrees: tuple[float, float, float]
    translation_mm: tuple[float, float, float]
    shift_mm: float
    similarity_before: float
    similarity_rigid: float
    similarity: float
    residual: float
    deformation_mm: float
    corner: tuple[int, int]
    places: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Where each voxel of the follow-up lies in baseline.

    Attributes
    ----------
    baseline, follow_up : Grid
        The grids of both scans.
    step : int
        Voxels of a slice of the follow-up, each way, that make a coarse voxel.
    legs_baseline, legs_follow_up : array of int8
        0 air, 1 right, 2 left, on each scan's own grid.
    legs : tuple of LegMotion
        One per leg that both scans show.

    Examples
    --------
    >>> grid = Grid(shape=(1, 2, 2), spacing_mm=(5.0, 1.0, 1.0))
    >>> still = compute_stillness(grid, np.array([[[0, 1], [0, 1]]], np.int8))
    >>> still.compute_places(still.legs[0]).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """

    baseline: Grid
    follow_up: Grid
    step: int
    legs_baseline: NDArray[np.int8]
    legs_follow_up: NDArray[np.int8]
    legs: tuple[LegMotion, ...]

    def compute_places(self, leg: LegMotion) -> NDArray[np.float32]:
        """Baseline's (slice, row, column) of each voxel of the follow-up's leg: shape (3, voxels), in array order."""
        from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

        slices, rows, columns = np.nonzero(self.legs_follow_up == LEG[leg.side])
        middle = (self.step - 1) / 2
        at = np.stack([slices, *((each - middle) / self.step for each in (rows, columns))])
        at[1:] -= np.asarray(leg.corner)[:, None]
        found = [ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in leg.places]
        return np.asarray(found, np.float32)

    @property
    def shift_mm(self) -> float | None:
        """Shift along the leg of the leg that shifted most; None without a leg."""
        return max((leg.shift_mm for leg in self.legs), key=abs, default=None)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """Legs whose images do not come to lie on each other."""
        return tuple(_flag_poor(leg) for leg in self.legs if leg.similarity < LEAST_SIMILARITY)


def compute_stillness(grid: Grid, legs: NDArray[np.int8]) -> Motion:
    """Return the motion that is none: every voxel of the follow-up lies where it lay, on one grid for both scans."""
    places = np.stack(np.meshgrid(*[np.arange(size, dtype=np.float32) for size in grid.shape], indexing="ij"))
    found = tuple(_compute_still_leg(side, places) for side in Side if (legs == LEG[side]).any())
    return Motion(baseline=grid, follow_up=grid, step=1, legs_baseline=legs, legs_follow_up=legs, legs=found)


def _compute_still_leg(side: Side, places: NDArray[np.float32]) -> LegMotion:
    return LegMotion(
        side=side,
        rotation_degrees=(0.0, 0.0, 0.0),
        translation_mm=(0.0, 0.0, 0.0),
        shift_mm=0.0,
        similarity_before=1.0,
        similarity_rigid=1.0,
        similarity=1.0,
        residual=0.0,
        deformation_mm=0.0,
        corner=(0, 0),
        places=places,
    )


def _flag_poor(leg: LegMotion) -> Flag:
    return Flag(
        name="poor_registration",
        severity=Severity.WARNING,
        detail=f"The {leg.side} legs of both visits do not come to lie on each other (correlation "
        f"{leg.similarity:.2f}, expected above {LEAST_SIMILARITY:.1f}): look at the propagated outlines.",
    )
