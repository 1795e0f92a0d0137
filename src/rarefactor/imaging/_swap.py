"""Fat and water swapped: the commonest failure of a Dixon reconstruction, looked for per leg and slice.

Convention: under the skin lies fat. The median fat fraction of the ring 4 to 9 mm under it is well above one half (0.66
to 0.8 and more on real thighs) and well below where the scanner took fat for water. Nothing is swapped back: a slice
that failed is left out and named, because a reconstruction that failed in one place has often failed elsewhere in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._body import Mask, compute_depth_mm
from rarefactor.imaging._fat_fraction import FatFraction
from rarefactor.imaging._legs import LEG
from rarefactor.imaging._regions import Side
from rarefactor.results import Flag, Severity

RING_MM = (4.0, 9.0)
_LEAST_FAT = 0.5
_LEAST_VOXELS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The ring of fat under the skin of one leg in one slice.

    Attributes
    ----------
    slice_index : int
        Counted from 0, toward the head.
    side : Side
        The leg.
    fat_fraction : float or None
        Median, 0 to 1; None where the ring has fewer than 50 valid voxels.
    swapped : bool
        Whether the median is not above one half.
    """

    slice_index: int
    side: Side
    fat_fraction: float | None
    swapped: bool


def compute_ring(legs: NDArray[np.int8], fraction: FatFraction) -> Mask:
    """Return the voxels 4 to 9 mm under the skin, of both legs."""
    depth = compute_depth_mm(legs > 0, fraction.values.grid.spacing_mm[1:])
    return np.asarray((depth >= RING_MM[0]) & (depth <= RING_MM[1]), bool)


def check_swap(fraction: FatFraction, legs: NDArray[np.int8]) -> tuple[Ring, ...]:
    """Return the ring under the skin of each leg and slice, and whether fat and water are swapped there.

    Parameters
    ----------
    fraction
        Fat fraction of each voxel.
    legs
        0 air, 1 right, 2 left.
    """
    ring = compute_ring(legs, fraction) & fraction.valid
    return tuple(
        _check_ring(fraction.values.values[i][ring[i] & (legs[i] == LEG[side])], i, side)
        for i in range(len(legs))
        for side in Side
        if (legs[i] == LEG[side]).any()
    )


def derive_unswapped(fraction: FatFraction, legs: NDArray[np.int8], rings: Sequence[Ring]) -> FatFraction:
    """Return the map without the slices of a leg in which fat and water are swapped, and a flag that names them."""
    swapped = [ring for ring in rings if ring.swapped]
    if not swapped:
        return fraction
    valid = fraction.valid.copy()
    for ring in swapped:
        valid[ring.slice_index] &= legs[ring.slice_index] != LEG[ring.side]
    values = np.where(valid, fraction.values.values, 0).astype(np.float32)
    flags = (*fraction.flags, *(_flag(swapped, side) for side in Side if any(ring.side is side for ring in swapped)))
    return replace(fraction, values=fraction.values.with_values(values), valid=valid, flags=flags)


def _check_ring(values: NDArray[np.float32], slice_index: int, side: Side) -> Ring:
    median = float(np.median(values)) if values.size >= _LEAST_VOXELS else None
    swapped = median is not None and median <= _LEAST_FAT
    return Ring(slice_index=slice_index, side=side, fat_fraction=median, swapped=swapped)


def _flag(swapped: Sequence[Ring], side: Side) -> Flag:
    slices = ", ".join(str(ring.slice_index + 1) for ring in swapped if ring.side is side)
    return Flag(
        name="swapped",
        severity=Severity.REFUSED,
        detail=f"Fat and water are swapped in the {side.value} leg, slice {slices} counted from the feet; not measured "
        "there. Have the scan reconstructed again, or exchange the two images there if a reader agrees.",
    )
