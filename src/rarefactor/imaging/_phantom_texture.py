"""Fat within the phantom's muscles: streaks along the fibres and smooth patches around the fat fraction asked for.

Convention: the fat fraction of a voxel is the logistic function of a level plus a texture of mean 0; the level of each
muscle is solved for, so that the mean over its voxels is the fraction asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import COMPARTMENTS, MUSCLES, LabelMap, Region
from rarefactor.imaging._volume import Grid

Field = NDArray[np.float32]
_PATCH_MM: Final = 9.0
_STREAK_MM: Final = 3.6
_VOXELS_PER_STREAK: Final = 2.4
"""At least: finer streaks would show as a checkerboard."""
_ALONG_LEG_MM: Final = 20.0


def compute_random_field(
    grid: Grid, length_mm: float, rng: np.random.Generator, *, along_mm: float = _ALONG_LEG_MM
) -> Field:
    """A smooth random field of mean 0 and standard deviation 1, of shape ``grid.shape``.

    Parameters
    ----------
    length_mm
        Standard deviation of the smoothing kernel within a slice.
    along_mm
        The same along the leg; slices much farther apart than this are independent.
    """
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - scipy is slow to import

    noise = rng.normal(size=grid.shape).astype(np.float32)
    along, *within = grid.spacing_mm
    widths = (along_mm / along, *(length_mm / step for step in within))
    smooth: Field = np.asarray(gaussian_filter(noise, widths, mode="wrap"), np.float32)
    return (smooth - smooth.mean()) / np.maximum(smooth.std(), np.float32(1e-6))


def compute_texture(grid: Grid, codes: NDArray[np.int16], rng: np.random.Generator) -> Field:
    """Streaks and patches: mean near 0, standard deviation 0.8; streaks differ in direction between ``codes``."""
    patches = compute_random_field(grid, _PATCH_MM, rng)
    grain = compute_random_field(grid, 0.6, rng, along_mm=4.0)
    mixed = np.float32(0.5) * patches + np.float32(0.45) * _streaks(grid, codes, rng) + np.float32(0.4) * grain
    return mixed.astype(np.float32, copy=False)


def _streaks(grid: Grid, codes: NDArray[np.int16], rng: np.random.Generator) -> Field:
    """Wavy lines about 4 mm apart, or as near as voxels can show, in a direction of each muscle's own."""
    rows = np.arange(grid.shape[1], dtype=np.float32) * np.float32(grid.spacing_mm[1])
    columns = np.arange(grid.shape[2], dtype=np.float32) * np.float32(grid.spacing_mm[2])
    angles = rng.uniform(0, np.pi, int(codes.max()) + 1).astype(np.float32)[codes]
    wave = compute_random_field(grid, 6.0, rng) * np.float32(3.0)
    place = rows[:, None] * np.sin(angles) + columns * np.cos(angles) + wave
    strength = np.exp(np.float32(0.5) * compute_random_field(grid, 8.0, rng))
    fade = np.maximum(compute_random_field(grid, 5.0, rng) + np.float32(0.6), 0)
    finest = max(_STREAK_MM, _VOXELS_PER_STREAK * max(grid.spacing_mm[1:]))
    lines = np.cos(place * np.float32(2 * np.pi / finest)) + np.cos(place * np.float32(2 * np.pi / (1.7 * finest)) + 1)
    streaks: Field = lines * strength * fade
    return streaks / np.maximum(streaks.std(), np.float32(1e-6))


def compute_muscle_fat(texture: Field, labels: LabelMap, fat: Mapping[Region, float], *, unlabelled: float) -> Field:
    """Return a fat fraction for every voxel whose mean over each label is the fraction asked for.

    Parameters
    ----------
    fat
        Fraction (0 to 1) for each region of ``labels``.
    unlabelled
        For voxels without a label, at the level of the texture itself.
    """
    level = np.full(texture.shape, _logit(unlabelled), np.float32)
    for label, region in labels.regions.items():
        there = labels.values == label
        if there.any():
            level[there] = _solve_level(texture[there], fat[region])
    return _logistic(level + texture)


def _solve_level(texture: Field, mean: float) -> float:
    """The level at which the mean of logistic(level + texture) is ``mean``, by Newton's method."""
    level = _logit(mean)
    for _ in range(15):
        values = _logistic(np.float32(level) + texture)
        slope = max(float((values * (1 - values)).mean()), 1e-6)
        level += float(np.clip((mean - float(values.mean())) / slope, -1.5, 1.5))
    return level


def compute_shared_out(
    fat: Mapping[str, float] | float, usual: Mapping[str, float], labels: LabelMap
) -> dict[Region, float]:
    """Return the fat fraction of each region: that of its muscle, or ``usual`` up to one factor of all odds.

    Parameters
    ----------
    fat
        By muscle code (``usual`` where a muscle is not given), or the mean over all voxels of ``labels``.
    usual
        By muscle code.

    Examples
    --------
    >>> from rarefactor.imaging._regions import Side
    >>> grid = Grid(shape=(1, 1, 4), spacing_mm=(1.0, 1.0, 1.0))
    >>> regions = {label: Region(name=name, side=Side.LEFT) for label, name in ((1, "RF"), (2, "SM"))}
    >>> labels = LabelMap(values=np.array([[[1, 1, 2, 2]]], np.int16), grid=grid, regions=regions, source="phantom")
    >>> [round(share, 2) for share in compute_shared_out(0.2, {"RF": 0.1, "SM": 0.2}, labels).values()]
    [0.14, 0.26]
    """
    if isinstance(fat, Mapping):
        return {region: fat.get(region.name, usual[region.name]) for region in labels.regions.values()}
    counts = np.bincount(labels.values.ravel(), minlength=max(labels.regions) + 1)
    levels = {region: _logit(usual[region.name]) for region in labels.regions.values()}
    each = np.repeat(list(levels.values()), counts[list(labels.regions)]).astype(np.float32)
    shift = _solve_level(each, fat)
    return {region: float(1 / (1 + np.exp(-shift - level))) for region, level in levels.items()}


def compute_shifted_level(fraction: Field, mean: float) -> Field:
    """Fractions whose mean is ``mean``: the odds of each multiplied by one factor.

    Examples
    --------
    >>> shifted = compute_shifted_level(np.array([0.1, 0.3], np.float32), 0.25)
    >>> round(float(shifted.mean()), 3)
    0.25
    """
    bounded = np.clip(fraction, 1e-4, 1 - 1e-4)
    odds = np.log(bounded / (1 - bounded)).astype(np.float32)
    centred = odds - odds.mean()
    return _logistic(np.float32(_solve_level(centred, mean)) + centred)


def _logit(share: float) -> float:
    bounded = min(max(share, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))


def _logistic(level: Field) -> Field:
    return (1 / (1 + np.exp(-level))).astype(np.float32, copy=False)


def compute_usual_fat(rng: np.random.Generator) -> dict[str, float]:
    """Draw fat fractions by muscle as in disease: hamstrings and adductor magnus most, sartorius and gracilis least.

    Examples
    --------
    >>> fat = compute_usual_fat(np.random.default_rng(1))
    >>> len(fat), all(0.01 < share < 0.9 for share in fat.values())
    (11, True)
    """
    usual = {"anterior": 0.12, "medial": 0.22, "posterior": 0.28}
    spared = {"SA": 0.08, "GR": 0.10, "RF": 0.08, "ST": 0.2, "BB": 0.15}
    severity = float(rng.normal(0.0, 0.6))
    centres = {code: spared.get(code, usual[name]) for name, codes in COMPARTMENTS.items() for code in codes}
    drawn = {code: _logit(centres[code]) + severity + float(rng.normal(0.0, 0.35)) for code in MUSCLES}
    return {code: float(np.clip(1 / (1 + np.exp(-level)), 0.015, 0.85)) for code, level in drawn.items()}
