"""Fat fraction of each voxel, and of a region by a named estimator.

Convention: fat fraction = F / (F + W), 0 to 1, of the magnitudes of fat and water. A voxel whose F + W is below five
standard deviations of the noise is left out, and counted. Two estimators of a region are named, and the name travels
with the number: ``voxel_mean``, the mean of the voxels' fractions, and ``ratio_of_sums``, sum of F over sum of F + W;
they differ by up to five points where dark tendon and bright fat lie side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._body import Mask, compute_body
from rarefactor.imaging._noise import Noise, NoiseSource, fit_noise
from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag, Severity

_FLOOR_SDS = 5.0


class Estimator(StrEnum):
    """How the voxels of a region become one number."""

    VOXEL_MEAN = "voxel_mean"
    RATIO_OF_SUMS = "ratio_of_sums"


@dataclass(frozen=True, slots=True, kw_only=True)
class FatFraction:
    """Fat fraction of every voxel.

    Attributes
    ----------
    values : Volume
        0 to 1; 0 where not ``valid``.
    total : Volume
        F + W, in the images' units.
    valid : array of bool
        Above the noise floor, and not refused for another reason.
    noise_sd : float
        Standard deviation of the noise of fat and of water (mean square of both), in the images' units.
    flags : tuple of Flag
        What is doubtful about the whole map.
    """

    values: Volume
    total: Volume
    valid: Mask
    noise_sd: float
    flags: tuple[Flag, ...] = ()

    def noise(self) -> NDArray[np.float32]:
        """Standard deviation of each voxel's fraction by the noise of both images; 0 where not valid."""
        fraction = self.values.values
        spread = self.noise_sd * np.sqrt(fraction**2 + (1 - fraction) ** 2)
        return np.divide(spread, self.total.values, out=np.zeros_like(fraction), where=self.valid)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFat:
    """Fat fraction of a region.

    Attributes
    ----------
    fat_fraction : float or None
        0 to 1; None without a valid voxel.
    sd : float or None
        Standard deviation between the region's voxels: how patchy the fat is, not how sure the mean.
    noise_se : float or None
        Standard error of the mean by the noise of the images alone.
    voxels, left_out : int
        Voxels measured, and voxels of the region that were not valid.
    estimator : Estimator
        How the voxels became one number.
    """

    fat_fraction: float | None
    sd: float | None
    noise_se: float | None
    voxels: int
    left_out: int
    estimator: Estimator


def compute_fat_fraction(fat: Volume, water: Volume) -> FatFraction:
    """Return the fat fraction of each voxel from a fat and a water image.

    Parameters
    ----------
    fat, water
        Magnitudes in the same units, on one grid.

    Raises
    ------
    ImageError
        The grids differ, or an image is empty, has one value only, or holds what is no number.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(1, 60, 60), spacing_mm=(5.0, 2.0, 2.0))
    >>> disc = np.zeros((1, 60, 60), np.float32)
    >>> disc[0, 10:50, 10:50] = 1
    >>> made = compute_fat_fraction(Volume(values=30 * disc, grid=grid), Volume(values=70 * disc, grid=grid))
    >>> round(float(made.values.values[0, 30, 30]), 3), int(made.valid.sum())
    (0.3, 1600)
    """
    _check_pair(fat, water)
    total = fat.with_values(fat.values + water.values)
    body = compute_body(total)
    return _compute(fat, total, [fit_noise(each, body) for each in (fat, water)])


def _compute(fat: Volume, total: Volume, noises: Sequence[Noise]) -> FatFraction:
    noise_sd = float(np.sqrt(np.mean([noise.sd**2 for noise in noises])))
    valid = (total.values > _FLOOR_SDS * noise_sd) & (total.values > 0)
    fraction = np.divide(fat.values, total.values, out=np.zeros_like(fat.values), where=valid)
    in_body = any(noise.source is NoiseSource.BODY for noise in noises)
    return FatFraction(
        values=fat.with_values(np.clip(fraction, 0, 1)),
        total=total,
        valid=valid,
        noise_sd=noise_sd,
        flags=(_CLEARED_AIR,) if in_body else (),
    )


def compute_region_fat(
    fraction: FatFraction, region: Mask, *, estimator: Estimator = Estimator.VOXEL_MEAN
) -> RegionFat:
    """Return the fat fraction of a region, by the estimator named.

    Parameters
    ----------
    fraction
        Fat fraction of each voxel.
    region
        Shape of the map.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> def line(*values):
    ...     grid = Grid(shape=(1, 1, 2), spacing_mm=(1.0, 1.0, 1.0))
    ...     return Volume(values=np.array([[values]], np.float32), grid=grid)
    >>> made = FatFraction(values=line(0.2, 0.8), total=line(10, 30), valid=np.ones((1, 1, 2), bool), noise_sd=0.1)
    >>> for estimator in Estimator:
    ...     print(estimator.value, round(compute_region_fat(made, made.valid, estimator=estimator).fat_fraction, 3))
    voxel_mean 0.5
    ratio_of_sums 0.65
    """
    used = region & fraction.valid
    voxels = int(used.sum())
    left_out = int(region.sum()) - voxels
    if not voxels:
        return RegionFat(fat_fraction=None, sd=None, noise_se=None, voxels=0, left_out=left_out, estimator=estimator)
    values = np.asarray(fraction.values.values[used], float)
    total = np.asarray(fraction.total.values[used], float)
    weights = np.full(voxels, 1 / voxels) if estimator is Estimator.VOXEL_MEAN else total / total.sum()
    noise = fraction.noise_sd * np.sqrt(values**2 + (1 - values) ** 2) / total
    return RegionFat(
        fat_fraction=float(weights @ values),
        sd=float(values.std(ddof=1)) if voxels > 1 else None,
        noise_se=float(np.sqrt(np.sum((weights * noise) ** 2))),
        voxels=voxels,
        left_out=left_out,
        estimator=estimator,
    )


def compute_fat_fraction_two_point(in_phase: Volume, opposed: Volume, *, below_half: bool = False) -> FatFraction:
    """Return the fat fraction from the magnitudes of an in-phase and an opposed-phase image: (IP - OP) / (2 IP).

    Magnitudes do not tell which of the two is more: a fraction f above one half shows as 1 - f, fat of 0.84 as 0.16.
    Nothing in the images mends that, so this is refused unless the caller knows better.

    Parameters
    ----------
    in_phase, opposed
        Magnitudes in the same units, on one grid.
    below_half
        Whether it is known that no measured muscle is more than half fat. The map is then made, and flagged.

    Raises
    ------
    ImageError
        ``below_half`` was not said, or what `compute_fat_fraction` raises.

    References
    ----------
    Dixon WT. Simple proton spectroscopic imaging. Radiology 1984;153:189-194.
    """
    if not below_half:
        raise ImageError(_FOLDS)
    _check_pair(in_phase, opposed)
    noise = fit_noise(in_phase, compute_body(in_phase))
    fat = in_phase.with_values((in_phase.values - opposed.values) / np.float32(2))
    made = _compute(fat, in_phase, [replace(noise, sd=noise.sd / np.sqrt(2))])
    return replace(made, flags=(*made.flags, _FOLDED))


def _check_pair(fat: Volume, water: Volume) -> None:
    if not fat.grid.matches(water.grid):
        raise ImageError(
            Problem(
                found=f"fat and water on different grids, {fat.grid.shape} and {water.grid.shape} voxels or elsewhere",
                expected="fat and water of one acquisition",
                next_step="Name the two series of one Dixon acquisition in the study file.",
            )
        )
    if not (np.isfinite(fat.values).all() and np.isfinite(water.values).all()):
        raise ImageError(
            Problem(
                found="voxels that are no number (NaN or infinite)",
                expected="finite signal in every voxel",
                next_step="Export the series again from the scanner or archive, without masking.",
            )
        )


_FOLDS = Problem(
    found="in-phase and opposed-phase magnitudes, but no fat and water images",
    expected="fat and water images: from magnitudes alone, a muscle of 84% fat reads as 16%",
    next_step="Export the scanner's fat and water images. Only if no muscle is more than half fat, say so and go on.",
)
_FOLDED = Flag(
    name="folded_above_half",
    severity=Severity.WARNING,
    detail="From magnitudes of two echoes a fat fraction above 50% reads as its complement; it was said that none is.",
)
_CLEARED_AIR = Flag(
    name="noise_from_body",
    severity=Severity.NOTE,
    detail="The air around the body is set to zero; the noise was taken from within the body, which is rough.",
)
