"""An estimate of the fat fraction from a T1-weighted image alone, as in older cohorts.

Convention: linear between two signals of the patient's own image, after the coil's shading was taken away. The fat
under the skin (median of the ring 4 to 9 mm under it) stands for 95 % fat. Healthy muscle stands for 3 %: its signal is
either the 10th percentile of the voxels of the least affected tenth of the muscles, or what physics expects beside that
fat from TR, TE and field strength (a spin echo). It is an estimate and carries its flag everywhere: it is not to be
mixed with Dixon within one patient's rate. Where no muscle is spared, the percentile makes every value too low; oedema
changes the signal of muscle and is read as about three points of fat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._body import compute_depth_mm
from rarefactor.imaging._fat_fraction import FatFraction
from rarefactor.imaging._noise import fit_noise
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._scan import Acquisition
from rarefactor.imaging._shading import compute_unshaded
from rarefactor.imaging._swap import RING_MM
from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag, Severity

FAT_UNDER_SKIN = 0.95
FAT_IN_MUSCLE = 0.03  # healthy muscle is not free of fat
_PERCENTILE = 10.0
_LEAST_AFFECTED = 0.1  # not the least itself: one muscle may lie in a shadow
_LEAST_CONTRAST = 1.15
_ENOUGH = 200
_T1_MS = {1.5: (288.0, 1130.0), 3.0: (371.0, 1420.0)}  # fat, muscle
_T2_MS = {1.5: (165.0, 35.3), 3.0: (133.0, 31.7)}


class MuscleAnchor(StrEnum):
    """Where the signal of muscle without fat is taken from."""

    PERCENTILE = "percentile"
    PHYSICAL = "physical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """The signals between which the fat fraction is linear, in the units of the unshaded image."""

    fat: float
    muscle: float
    source: MuscleAnchor


def compute_t1_estimate(
    image: Volume,
    legs: NDArray[np.int8],
    muscles: LabelMap,
    *,
    acquisition: Acquisition | None = None,
    anchor: MuscleAnchor = MuscleAnchor.PERCENTILE,
) -> FatFraction:
    """Return an estimate of the fat fraction from a T1-weighted image.

    Parameters
    ----------
    image
        T1-weighted, magnitudes.
    legs
        0 air, 1 right, 2 left.
    muscles
        A mask of the muscles, or the compartment.
    acquisition
        Needed for the physical anchor.
    anchor
        The 10th percentile needs some muscle with hardly any fat; the physical ratio needs TR, TE and 1.5 or 3 T.

    Returns
    -------
    FatFraction
        ``total`` is the difference of both anchors in every voxel, so that noise and both estimators keep their
        meaning. Always flagged ``t1_estimate``.

    Raises
    ------
    ImageError
        There is no fat under the skin or no muscle, fat is not brighter than muscle, or the acquisition says too little
        for the physical anchor.
    """
    unshaded = compute_unshaded(image, legs > 0)
    anchors = fit_anchors(unshaded, legs, muscles, ratio=_need_ratio(acquisition, anchor))
    noise = fit_noise(image, legs > 0)
    span = (anchors.fat - anchors.muscle) / (FAT_UNDER_SKIN - FAT_IN_MUSCLE)
    values = np.clip(FAT_IN_MUSCLE + (unshaded.values - anchors.muscle) / span, 0, 1)
    return FatFraction(
        values=image.with_values(np.asarray(np.where(legs > 0, values, 0), np.float32)),
        total=image.with_values(np.full(image.grid.shape, span, np.float32)),
        valid=legs > 0,
        noise_sd=noise.sd,
        flags=(_ESTIMATE,),
    )


def fit_anchors(unshaded: Volume, legs: NDArray[np.int8], muscles: LabelMap, *, ratio: float | None = None) -> Anchors:
    """Find the signals of the fat under the skin and of muscle without fat.

    Parameters
    ----------
    ratio
        Signal of healthy muscle over that of the fat under the skin where physics gives it; None for the 10th
        percentile.
    """
    depth = compute_depth_mm(legs > 0, unshaded.grid.spacing_mm[1:])
    ring = unshaded.values[(depth >= RING_MM[0]) & (depth <= RING_MM[1])]
    if ring.size < _ENOUGH:
        raise ImageError(_NO_ANCHOR)
    fat = float(np.median(ring))
    muscle = _compute_least(unshaded, muscles) if ratio is None else fat * ratio
    if fat < _LEAST_CONTRAST * muscle:
        raise ImageError(_NO_CONTRAST)
    return Anchors(fat=fat, muscle=muscle, source=MuscleAnchor.PERCENTILE if ratio is None else MuscleAnchor.PHYSICAL)


def compute_muscle_ratio(acquisition: Acquisition) -> float | None:
    """Return the signal of healthy muscle over that of the fat under the skin in a spin echo, None if not known.

    References
    ----------
    Gold GE, Han E, Stainsby J, Wright G, Brittain J, Beaulieu C. Musculoskeletal MRI at 3.0 T: relaxation times and
    image contrast. AJR Am J Roentgenol 2004;183:343-351.

    Examples
    --------
    >>> round(compute_muscle_ratio(Acquisition(repetition_ms=600.0, echo_ms=10.0, field_tesla=1.5)), 2)
    0.41
    >>> compute_muscle_ratio(Acquisition(repetition_ms=600.0)) is None
    True
    """
    tesla = next((each for each in _T1_MS if abs((acquisition.field_tesla or 0) - each) < 0.15), None)
    if tesla is None or not acquisition.repetition_ms or acquisition.echo_ms is None:
        return None
    fat, muscle = (
        (1 - math.exp(-acquisition.repetition_ms / t1)) * math.exp(-acquisition.echo_ms / t2)
        for t1, t2 in zip(_T1_MS[tesla], _T2_MS[tesla], strict=True)
    )
    least, most = ((share * fat + (1 - share) * muscle) for share in (FAT_IN_MUSCLE, FAT_UNDER_SKIN))
    return least / most


def _need_ratio(acquisition: Acquisition | None, anchor: MuscleAnchor) -> float | None:
    if anchor is MuscleAnchor.PERCENTILE:
        return None
    ratio = None if acquisition is None else compute_muscle_ratio(acquisition)
    if ratio is None:
        raise ImageError(
            Problem(
                found="a T1-weighted image that does not say TR, TE and 1.5 or 3 T",
                expected="all three, for the physical ratio of muscle to fat",
                next_step="Use the 10th percentile of muscle, or give the acquisition beside the image.",
            )
        )
    return ratio


def _compute_least(unshaded: Volume, muscles: LabelMap) -> float:
    """Of medians over 3 mm, so that noise does not make the darkest muscle darker, nor the fat around it brighter."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    width = 3 if unshaded.grid.spacing_mm[1] < 2.0 else 1
    smooth = np.asarray(ndimage.median_filter(unshaded.values, size=(1, width, width)), float)
    voxels = [smooth[muscles.values == label] for label in muscles.regions]
    percentiles = [np.percentile(each, _PERCENTILE) for each in voxels if each.size >= _ENOUGH]
    if not percentiles:
        raise ImageError(_NO_ANCHOR)
    return float(np.quantile(percentiles, _LEAST_AFFECTED))


_ESTIMATE = Flag(
    name="t1_estimate",
    severity=Severity.WARNING,
    detail="Fat fraction estimated from a T1-weighted image, not measured by Dixon; never mix both within one patient.",
)
_NO_ANCHOR = Problem(
    found="too little fat under the skin, or too little muscle, to compare with",
    expected=f"at least {_ENOUGH} voxels of each",
    next_step="Give a mask of the muscles, or an image that shows the whole thigh.",
)
_NO_CONTRAST = Problem(
    found="fat under the skin that is hardly brighter than muscle",
    expected="a T1-weighted image without fat suppression",
    next_step="Check that the series is T1-weighted; or, where all muscle is fat, use the physical anchor.",
)
