"""The table that turns each of the 16.7 million colours into its bin of DAB density, so that a pixel costs one look-up.

Convention: the index of a colour is red + 256 green + 65536 blue. Code 0 is background: the densities of the three
channels sum to less than the tissue limit, even if white were 255. The next :data:`BINS` codes are bins of DAB density
of pixels that are tissue only if white were 255, the last :data:`BINS` those of tissue. With another white every DAB
density moves by the same amount (``shift_255``), which is how one pass serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._density import H_DAB, StainVectors, compute_channel_density
from rarefactor.pathology._white import FULL, Rgb, White

Steps = NDArray[np.float32]

BINS = 4000
"""Bins of DAB density; with 8 bytes each, 32 kB for each of the two kinds of tissue."""
LOWEST = -1.0
"""DAB density at the lower edge of the first bin; colours beyond either end are counted in the end bins."""
WIDTH = 0.001
"""Width of a bin in DAB density: a threshold of three decimals is met exactly."""
TISSUE_DENSITY = 0.15
"""Sum of the densities of the three channels from which a pixel is tissue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How densities are measured: what two histograms must share to be added.

    Attributes
    ----------
    white, vectors
        The light without tissue, and the stains' directions.
    tissue_density
        Sum of the three channels' densities from which a pixel is tissue.
    """

    white: White
    vectors: StainVectors = H_DAB
    tissue_density: float = TISSUE_DENSITY

    @property
    def shift_255(self) -> float:
        """What white 255 adds to every DAB density."""
        moved = np.log10(np.asarray(FULL.level) / np.asarray(self.white.level))
        return float(moved @ self.vectors.unmixing[:, 1])

    @property
    def limits(self) -> tuple[np.float32, np.float32]:
        """Sums of densities from which a pixel is tissue: with this white, and had white been 255."""
        more_light = float(np.log10(np.asarray(FULL.level) / np.asarray(self.white.level)).sum())
        return np.float32(self.tissue_density), np.float32(self.tissue_density - more_light)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lookup:
    """The code of each colour; 34 MB, so make one for each slide and send the :class:`Measure` to other processes."""

    measure: Measure
    codes: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """The same codes from sums of small tables: for fields, which have fewer pixels than there are colours.

    Attributes
    ----------
    red_green_bins, red_green
        (65536,): what red + 256 green adds to the bin of DAB and to the sum of densities.
    blue_bins, blue
        (256,): what blue adds to them.
    """

    measure: Measure
    red_green_bins: Steps
    red_green: Steps
    blue_bins: Steps
    blue: Steps

    def encode(self, colours: Rgb) -> NDArray[np.uint16]:
        """Return the codes of colours (n, 3)."""
        pairs = colours[:, 1].astype(np.intp)
        pairs <<= 8
        pairs |= colours[:, 0]
        blues = colours[:, 2].astype(np.intp)
        bins = self.red_green_bins.take(pairs)
        bins += self.blue_bins.take(blues)
        density = self.red_green.take(pairs)
        density += self.blue.take(blues)
        return _encode(bins, density, self.measure.limits)


def compute_sums(measure: Measure) -> Sums:
    """Return the small tables of a measure.

    Examples
    --------
    >>> from rarefactor.pathology._white import WhiteSource
    >>> measure = Measure(white=White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN))
    >>> colours = np.array([[240, 240, 240], [129, 60, 36]], dtype=np.uint8)
    >>> table = compute_lookup(measure.white)
    >>> compute_sums(measure).encode(colours).tolist() == table.codes[[0xF0F0F0, 0x243C81]].tolist()
    True
    """
    density = compute_channel_density(measure.white)
    bins = ((density * measure.vectors.unmixing[:, 1]) / WIDTH).astype(np.float32)
    sums = density.astype(np.float32)
    return Sums(
        measure=measure,
        red_green_bins=(bins[None, :, 0] + bins[:, None, 1] - np.float32(LOWEST / WIDTH)).reshape(-1),
        red_green=(sums[None, :, 0] + sums[:, None, 1]).reshape(-1),
        blue_bins=bins[:, 2].copy(),
        blue=sums[:, 2].copy(),
    )


def compute_lookup(white: White, vectors: StainVectors = H_DAB, *, tissue_density: float = TISSUE_DENSITY) -> Lookup:
    """Return the table of a white and stain vectors.

    Parameters
    ----------
    white
        The light without tissue.
    vectors
        The stains' directions.
    tissue_density
        Sum of the three channels' densities from which a pixel is tissue, above 0.

    Raises
    ------
    InputError
        ``tissue_density`` is not above 0.

    Examples
    --------
    >>> from rarefactor.pathology._white import WhiteSource
    >>> table = compute_lookup(White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN))
    >>> int(table.codes[240 + 256 * 240 + 65536 * 240])
    0
    """
    if not tissue_density > 0:
        raise InputError(
            Problem(
                found=f"a tissue limit of {tissue_density}",
                expected="an optical density above 0",
                next_step=f"{TISSUE_DENSITY} keeps pale tissue and leaves glass out.",
            )
        )
    return _remember(Measure(white=white, vectors=vectors, tissue_density=tissue_density))


@lru_cache(maxsize=2)
def _remember(measure: Measure) -> Lookup:
    """Return the table of a measure: that of the last two is kept, for the blocks of a slide come one by one."""
    codes = _compute_codes(measure)
    codes.flags.writeable = False
    return Lookup(measure=measure, codes=codes)


def _compute_codes(measure: Measure) -> NDArray[np.uint16]:
    sums = compute_sums(measure)
    codes = np.empty((256, 256 * 256), dtype=np.uint16)
    for blue in range(256):
        codes[blue] = _encode(
            sums.red_green_bins + sums.blue_bins[blue], sums.red_green + sums.blue[blue], measure.limits
        )
    return codes.reshape(-1)


def _encode(bins: Steps, density: Steps, limits: tuple[np.float32, np.float32]) -> NDArray[np.uint16]:
    """Return codes of bins of DAB (not yet cut to their number) and sums of densities."""
    tissue, with_white_255 = limits
    codes = np.clip(bins, 0, BINS - 1).astype(np.uint16)
    codes += 1
    codes += (density >= tissue).astype(np.uint16) * np.uint16(BINS)
    codes *= density >= with_white_255
    return codes
