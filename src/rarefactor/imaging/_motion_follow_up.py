"""The same thighs some months later: muscle turned to fat by a known amount, moved, and scanned again.

Convention: changes are in fractions (0.04 is four points). The truth is what an observer would measure who knows where
every muscle lies in the follow-up and whose scanner has no noise: the mean over voxels of F / (F + W).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._motion import Movement, compute_displacement, compute_moved_labels, compute_moved_values
from rarefactor.imaging._phantom_texture import compute_shifted_level
from rarefactor.imaging._regions import LabelMap, Region
from rarefactor.imaging._signal import compute_coil, compute_rician
from rarefactor.imaging._volume import Volume

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A simulated follow-up and its truth.

    Attributes
    ----------
    fat, water
        As reconstructed.
    labels
        Truth: where the regions lie in the follow-up.
    displacement_mm
        Truth: shape (3, slices, rows, columns), from a place in the follow-up to the same tissue in the baseline.
    before, after, change
        Truth: fat fraction (0 to 1) of each region in both visits, and the difference.
    """

    fat: Volume
    water: Volume
    labels: LabelMap
    displacement_mm: Field
    before: Mapping[Region, float]
    after: Mapping[Region, float]

    @property
    def change(self) -> dict[Region, float]:
        """Fat fraction after minus before, of the regions seen in both."""
        return {region: self.after[region] - self.before[region] for region in self.before if region in self.after}


def simulate_follow_up(  # noqa: PLR0913 - the scan, and what happens to it
    fat: Volume,
    water: Volume,
    labels: LabelMap,
    rng: np.random.Generator,
    *,
    change: Mapping[Region, float] | Mapping[str, float] | None = None,
    motion: Movement | None = None,
    bias: float = 0.2,
    noise: float = 0.01,
) -> FollowUp:
    """Make a follow-up of a phantom or of any fat and water pair.

    Parameters
    ----------
    fat, water, labels
        The baseline, on one grid.
    change
        Change of fat fraction (0.04 is four points) by region or by muscle code. Regions not named stay as they are; if
        None, every region's change is drawn from a normal distribution with mean 0.04 and standard deviation 0.05.
    motion
        How far things move; the usual :class:`Movement` if None.
    bias
        Largest deviation of the new coil's sensitivity from 1.
    noise
        Standard deviation of the added noise, as a share of the median signal of fat and water together.

    Examples
    --------
    >>> from rarefactor.imaging.simulate import SMALL_GRID, STILL, simulate_thigh
    >>> rng = np.random.default_rng(1)
    >>> thigh = simulate_thigh(rng, grid=SMALL_GRID, fat={"RF": 0.2})
    >>> later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change={"RF": 0.05}, motion=STILL)
    >>> [round(value, 2) for region, value in later.change.items() if region.name == "RF"]
    [0.05, 0.05]
    """
    total = fat.with_values(fat.values + water.values)
    infiltrated = compute_infiltrated(fat.values, total.values, labels, _wanted(labels, change, rng))
    displacement = compute_displacement(total, motion or Movement(), rng)
    parts = [compute_moved_values(part, fat.grid, displacement) for part in (infiltrated, total.values - infiltrated)]
    moved = compute_moved_labels(labels, displacement)
    coil = compute_coil(fat.grid, bias, rng)
    body = total.values > 0.1 * np.percentile(total.values, 99)
    sd = noise * float(np.median(total.values[body])) if body.any() else 0.0
    scanned = [fat.with_values(compute_rician(part * coil, sd, rng)) for part in parts]
    return FollowUp(
        fat=scanned[0],
        water=scanned[1],
        labels=moved,
        displacement_mm=displacement,
        before=compute_means(fat.values, water.values, labels),
        after=compute_means(parts[0], parts[1], moved),
    )


def _wanted(
    labels: LabelMap, change: Mapping[Region, float] | Mapping[str, float] | None, rng: np.random.Generator
) -> dict[Region, float]:
    regions = labels.regions.values()
    if change is None:
        return {region: float(rng.normal(0.04, 0.05)) for region in regions}
    named: dict[Region | str, float] = {key: value for key, value in change.items()}  # noqa: C416 - widens the key's type
    return {region: named.get(region, named.get(region.name, 0.0)) for region in regions}


def compute_infiltrated(fat: Field, total: Field, labels: LabelMap, change: Mapping[Region, float]) -> Field:
    """Return fat after water was turned to fat: each region's mean fraction rises by its ``change``.

    The odds of fat change by one factor within a region, so that streaks of fat grow where they are and every fraction
    stays between 0 and 1.
    """
    infiltrated = fat.copy()
    for label, region in labels.regions.items():
        there = (labels.values == label) & (total > 0)
        if not change[region] or not there.any():
            continue
        fraction = fat[there] / total[there]
        mean = float(np.clip(fraction.mean() + change[region], 0.003, 0.98))
        infiltrated[there] = total[there] * compute_shifted_level(fraction, mean)
    return infiltrated


def compute_means(fat: Field, water: Field, labels: LabelMap) -> dict[Region, float]:
    """Voxel mean of F / (F + W) of each region that has voxels."""
    total = fat + water
    fraction = np.divide(fat, total, out=np.zeros_like(fat), where=total > 0)
    counted = np.where(total > 0, labels.values, 0)
    return {
        region: float(fraction[counted == label].mean())
        for label, region in labels.regions.items()
        if (counted == label).any()
    }
