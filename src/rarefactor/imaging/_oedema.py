"""Oedema on fat-suppressed images (STIR, fat-suppressed T2): the signal of a muscle relative to muscle without it.

Convention: semi-quantitative. Signal has no unit, so it is divided by a reference after the coil's shading was taken
away: the median signal of the muscle that is darkest, looked at where it holds no fat (fat fraction at most 10 %, where
a fat fraction on the same grid is given; fat is suppressed, and so makes oedematous muscle look dark). A ratio of 1 is
like the patient's own least affected muscle; where every muscle is oedematous it is too low, and it says nothing
between scanners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._body import Mask, compute_body
from rarefactor.imaging._fat_fraction import FatFraction
from rarefactor.imaging._regions import LabelMap, Region
from rarefactor.imaging._shading import compute_unshaded
from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag, Severity

_FAT_FREE = 0.10
_ENOUGH = 100
_BRIGHT_SDS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOedema:
    """Oedema of a region.

    Attributes
    ----------
    ratio : float
        Mean signal over the reference; 1 is like the patient's least affected muscle.
    bright_share : float
        Share of its voxels more than 2.5 robust standard deviations above the reference, 0 to 1.
    voxels : int
        Voxels measured: those without fat, where a fat fraction was given.
    """

    ratio: float
    bright_share: float
    voxels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Oedema:
    """Oedema of each region that has at least 100 voxels to measure, the reference region, and what is doubtful."""

    regions: Mapping[Region, RegionOedema]
    reference: Region
    flags: tuple[Flag, ...]


def compute_oedema(image: Volume, labels: LabelMap, *, fraction: FatFraction | None = None) -> Oedema:
    """Return the oedema of each muscle from a fat-suppressed image.

    Parameters
    ----------
    image
        STIR or fat-suppressed T2, magnitudes.
    labels
        The muscles, on the image's grid.
    fraction
        Fat fraction on the same grid; voxels of more than 10 % fat are then left out.

    Raises
    ------
    ImageError
        The grids differ, or no muscle has enough voxels.

    References
    ----------
    Yao L, Gai N. Fat-corrected T2 measurement as a marker of active muscle disease in inflammatory myopathy. AJR Am J
    Roentgenol 2012;198:W475-W481.
    """
    unshaded = compute_unshaded(image, compute_body(image)).values
    usable = _compute_usable(image, labels, fraction)
    voxels = {region: unshaded[usable & (labels.values == label)] for label, region in labels.regions.items()}
    voxels = {region: each for region, each in voxels.items() if each.size >= _ENOUGH}
    if not voxels:
        raise ImageError(_NO_MUSCLE)
    medians = {region: float(np.median(each)) for region, each in voxels.items()}
    reference = min(medians, key=lambda region: medians[region])
    spread = 1.4826 * float(np.median(np.abs(voxels[reference] - medians[reference])))
    bright = medians[reference] + _BRIGHT_SDS * spread
    return Oedema(
        regions={region: _measure(each, medians[reference], bright) for region, each in voxels.items()},
        reference=reference,
        flags=(_SEMI_QUANTITATIVE, *(() if fraction is not None else (_FAT_UNKNOWN,))),
    )


def _compute_usable(image: Volume, labels: LabelMap, fraction: FatFraction | None) -> Mask:
    if not image.grid.matches(labels.grid) or (fraction and not image.grid.matches(fraction.values.grid)):
        raise ImageError(
            Problem(
                found="an oedema image on another grid than the masks or the fat fraction",
                expected="masks drawn on this image, or images of one geometry",
                next_step="Give masks for this series, or leave the fat fraction out.",
            )
        )
    return labels.values > 0 if fraction is None else fraction.valid & (fraction.values.values <= _FAT_FREE)


def _measure(values: NDArray[np.float32], reference: float, bright: float) -> RegionOedema:
    return RegionOedema(
        ratio=float(values.mean() / max(reference, 1e-6)),
        bright_share=float(np.mean(values > bright)),
        voxels=values.size,
    )


_SEMI_QUANTITATIVE = Flag(
    name="oedema_semi_quantitative",
    severity=Severity.NOTE,
    detail="Oedema is relative to the patient's own darkest muscle; it cannot be compared between scanners.",
)
_FAT_UNKNOWN = Flag(
    name="oedema_fat_unknown",
    severity=Severity.WARNING,
    detail="Without a fat fraction on the same grid, suppressed fat within a muscle hides oedema.",
)
_NO_MUSCLE = Problem(
    found=f"no muscle with {_ENOUGH} voxels that hold no fat",
    expected="muscle that is not all fat",
    next_step="Look at the masks; muscle that is all fat cannot show oedema.",
)
