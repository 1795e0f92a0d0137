"""Counting pixels by DAB density, once: any threshold, mean density and pixel score follow without a second reading.

Convention: counts are of pixels of the level that was read; histograms of tiles, slides and workers add up.
What is asked for white 255 is what the same pixels would have given, had nobody measured white.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._lookup import BINS, LOWEST, WIDTH, Lookup, Measure, Sums
from rarefactor.pathology._white import Rgb

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
_BLOCK = 1 << 17
"""Pixels at a time: their indices stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DensityHistogram:
    """Pixels by DAB density.

    Attributes
    ----------
    measure
        White, vectors and tissue limit.
    counts
        (2, bins): row 1 is tissue, row 0 what would also be tissue if white were 255.
    background
        Pixels that are neither.
    """

    measure: Measure
    counts: Counts
    background: int

    def __add__(self, other: DensityHistogram) -> DensityHistogram:
        """Return the histogram of both; they must share white, vectors and tissue limit."""
        if self.measure != other.measure:
            raise InputError(
                Problem(
                    found="histograms of different white, stain vectors or tissue limit",
                    expected="one way of measuring",
                    next_step="Combine the fractions of different slides, weighted by their tissue area.",
                )
            )
        counts = self.counts + other.counts
        return DensityHistogram(measure=self.measure, counts=counts, background=self.background + other.background)

    @property
    def tissue(self) -> int:
        """Pixels of tissue."""
        return int(self.counts[1].sum())

    @property
    def pixels(self) -> int:
        """All pixels that were looked at."""
        return int(self.counts.sum()) + self.background

    def count_above(self, threshold: float, *, white_255: bool = False) -> float:
        """Return the tissue pixels with a DAB density of at least ``threshold``; part of a bin counts as that part."""
        counts, shift = self._as_seen(white_255=white_255)
        edge = round((threshold - shift - LOWEST) / WIDTH, 6)
        first = int(np.clip(np.ceil(edge), 0, BINS))
        part = float(np.clip(first - edge, 0, 1)) if first else 0.0
        return float(counts[first:].sum()) + part * float(counts[first - 1] if first else 0)

    def compute_share(self, threshold: float, *, white_255: bool = False, of_all: bool = False) -> float:
        """Return the share of tissue (0 to 1) with a DAB density of at least ``threshold``; NaN without tissue.

        With ``of_all`` it is the share of all pixels that were looked at, which is right where a mask of the section
        chose them.
        """
        whole = self.pixels if of_all else int(self._as_seen(white_255=white_255)[0].sum())
        return self.count_above(threshold, white_255=white_255) / whole if whole else float("nan")

    def compute_mean(self, *, above: float | None = None) -> float:
        """Return the mean DAB density of tissue, or of tissue at or above a density; NaN where there is none."""
        start = 0 if above is None else int(np.clip(round((above - LOWEST) / WIDTH), 0, BINS))
        counts = self.counts[1, start:]
        centres = LOWEST + WIDTH * (np.arange(start, BINS) + 0.5)
        return float(counts @ centres / counts.sum()) if counts.any() else float("nan")

    def _as_seen(self, *, white_255: bool) -> tuple[Counts, float]:
        return (self.counts.sum(axis=0), self.measure.shift_255) if white_255 else (self.counts[1], 0.0)


def compute_histogram(image: Rgb, lookup: Lookup | Sums, mask: Mask | None = None) -> DensityHistogram:
    """Return the pixels of an image by DAB density.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255.
    lookup
        The table of :func:`compute_lookup`, or the small ones of :func:`compute_sums`.
    mask
        (row, column); only pixels where it holds are counted. None counts all.

    Raises
    ------
    InputError
        The image is not 8-bit red, green, blue, or the mask has another shape.

    Examples
    --------
    >>> from rarefactor.pathology._lookup import compute_lookup
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> table = compute_lookup(White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN))
    >>> field = np.full((2, 2, 3), 240, dtype=np.uint8)
    >>> field[0, 0] = (129, 60, 36)
    >>> found = compute_histogram(field, table)
    >>> found.pixels, found.tissue, found.compute_share(0.2)
    (4, 1, 1.0)
    """
    _check(image, mask)
    chosen = None if mask is None else np.ascontiguousarray(mask).reshape(-1)
    counts = np.zeros(1 + 2 * BINS, dtype=np.int64)
    channels = np.ascontiguousarray(image).reshape(-1)
    for start, codes in _add_codes(channels, lookup) if isinstance(lookup, Sums) else _compute_codes(channels, lookup):
        if chosen is not None:
            np.multiply(codes, chosen[start : start + codes.size], out=codes)
        counts += np.bincount(codes, minlength=counts.size)
    left_out = 0 if chosen is None else chosen.size - int(np.count_nonzero(chosen))
    return DensityHistogram(
        measure=lookup.measure, counts=counts[1:].reshape(2, BINS), background=int(counts[0]) - left_out
    )


def _add_codes(channels: Rgb, sums: Sums) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Yield the codes of some pixels at a time."""
    colours = channels.reshape(-1, 3)
    for start in range(0, len(colours), _BLOCK):
        yield start, sums.encode(colours[start : start + _BLOCK])


def _compute_codes(channels: Rgb, lookup: Lookup) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Yield the codes of some pixels at a time, in one array that is written again.

    Four bytes are read at each pixel and the fourth, the next pixel's red, is masked out: three times as fast as
    putting the channels together. The last pixel has no fourth byte; it is put together by hand.
    """
    pixels = channels.size // 3
    index = np.empty(min(_BLOCK, pixels), dtype=np.intp)
    codes = np.empty(min(_BLOCK, pixels), dtype=np.uint16)
    for start in range(0, pixels, _BLOCK):
        size = min(_BLOCK, pixels - start)
        whole = size - (start + size == pixels)
        here = index[:size]
        here[:whole] = np.ndarray((whole,), dtype="<u4", buffer=channels, offset=3 * start, strides=(3,))
        if whole < size:
            here[-1] = int(channels[-3]) | int(channels[-2]) << 8 | int(channels[-1]) << 16
        here &= 0xFFFFFF
        np.take(lookup.codes, here, out=codes[:size], mode="clip")
        yield start, codes[:size]


def _check(image: Rgb, mask: Mask | None) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(
            Problem(
                found=f"an array of {image.dtype} and shape {image.shape}",
                expected="8-bit (row, column, 3)",
                next_step="Open the file with open_slide, which converts what can be converted.",
            )
        )
    if mask is not None and mask.shape != image.shape[:2]:
        raise InputError(
            Problem(
                found=f"a mask of {mask.shape} for an image of {image.shape[:2]}",
                expected="one shape",
                next_step="Rasterise the region at the level that is read.",
            )
        )
