"""A biopsy is the area-weighted combination of its regions and slides.

Convention: a value is per tissue (an area fraction, cells per mm², a mean density), its weight the area in mm² of the
tissue it was measured on. Sums of positive and of all tissue give the same as the weighted mean of fractions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rarefactor.pathology._flag import note, warn
from rarefactor.results import Flag

UNEVEN = 0.9
"""A region with more than this share of the area is the biopsy, whatever the others say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionValue:
    """What was measured on one region: its name (slide and region), the value and the tissue's area in mm²."""

    name: str
    value: float | None
    area_mm2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BiopsyValue:
    """A biopsy's value.

    Attributes
    ----------
    value
        Weighted by area; None where no region has a value.
    area_mm2
        Tissue of the regions that have one.
    regions
        Names of those regions.
    low, high
        Smallest and largest value of a region.
    spread
        Standard deviation between regions, weighted by area; None for one region.
    effective
        How many regions of equal size would weigh as these do (Kish).
    """

    value: float | None
    area_mm2: float
    regions: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    effective: float = 0.0
    flags: tuple[Flag, ...] = ()


def combine_regions(regions: Sequence[RegionValue]) -> BiopsyValue:
    """Return the value of a biopsy from those of its regions.

    A region without a value or without tissue is left out, with the flag ``region_left_out``.

    References
    ----------
    Kish L. Survey sampling. Wiley 1965.

    Examples
    --------
    >>> parts = [RegionValue(name="a", value=0.1, area_mm2=3.0), RegionValue(name="b", value=0.5, area_mm2=1.0)]
    >>> found = combine_regions(parts)
    >>> found.value, found.area_mm2, found.effective
    (0.2, 4.0, 1.6)
    """
    used = [each for each in regions if _is_usable(each)]
    left = len(regions) - len(used)
    if not used:
        return BiopsyValue(value=None, area_mm2=0.0, regions=(), flags=_find_flags(left, 0.0))
    values = np.array([each.value for each in used], np.float64)
    areas = np.array([each.area_mm2 for each in used], np.float64)
    shares = areas / areas.sum()
    mean = float(shares @ values)
    return BiopsyValue(
        value=mean,
        area_mm2=float(areas.sum()),
        regions=tuple(each.name for each in used),
        low=float(values.min()),
        high=float(values.max()),
        spread=math.sqrt(float(shares @ np.square(values - mean))) if len(used) > 1 else None,
        effective=float(1.0 / np.square(shares).sum()),
        flags=_find_flags(left, float(shares.max()) if len(used) > 1 else 0.0),
    )


def _is_usable(region: RegionValue) -> bool:
    return region.value is not None and math.isfinite(region.value) and region.area_mm2 > 0


def _find_flags(left: int, largest: float) -> tuple[Flag, ...]:
    flags: list[Flag] = []
    if left:
        flags.append(warn("region_left_out", f"{left} regions have no value or no tissue and do not count."))
    if largest > UNEVEN:
        flags.append(note("one_region_dominates", f"One region is {largest:.0%} of the tissue."))
    return tuple(flags)
