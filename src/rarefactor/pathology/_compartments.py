"""The parts of a cell in which a stain is read, its nucleus and the ring around it, and the belt that lies beyond.

Convention: the ring is what lies within ``ring_um`` of a nucleus and belongs to no other; it stands for membrane and
cytoplasm, whose true outline a nuclear stain does not show. Densities are means of optical density over the pixels of a
part. A nucleus that others enclose has no ring: its density there is NaN, and the greater of the two is the nucleus's.
The belt is what lies within ``belt_px`` of the ring and belongs to no cell: it tells a stained cell from one that lies
in stained tissue. A belt below a quarter of its nucleus, as in a dense infiltrate, tells nothing and is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import H_DAB, StainVectors, compute_channel_density, compute_stains
from rarefactor.pathology._watershed import Labels, compute_growth
from rarefactor.pathology._white import Rgb, White

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
_STEPS = 1024
"""Steps of 0.01 in density, more than an 8-bit image holds: whole numbers sort fast."""


class Compartment(StrEnum):
    """Where a cell's stain is read: nuclear markers in the nucleus, membranous and cytoplasmic ones in the ring."""

    NUCLEUS = "nucleus"
    RING = "ring"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staining:
    """What each label holds; all arrays are (label), the first of label 1.

    Attributes
    ----------
    pixels, ring_pixels
        How many pixels the nucleus and its ring have.
    row, column
        The centroid of the nucleus, in pixels; (0, 0) is the middle of the first pixel.
    hematoxylin
        Mean optical density in the nucleus.
    nucleus, ring
        Mean optical density of DAB.
    beyond
        Optical density of DAB that three quarters of the belt do not reach, in steps of 0.01.
    """

    pixels: Counts
    ring_pixels: Counts
    row: Floats
    column: Floats
    hematoxylin: Floats
    nucleus: Floats
    ring: Floats
    beyond: Floats

    @property
    def max(self) -> Floats:
        """The greater of nucleus and ring."""
        return np.fmax(self.nucleus, self.ring)


def compute_staining(
    image: Rgb, labels: Labels, white: White, *, ring_px: int, belt_px: int = 0, vectors: StainVectors = H_DAB
) -> Staining:
    """Return the densities of the nuclei, of the rings around them and of the belts beyond.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255.
    labels
        (row, column); the nuclei, 1, 2 ...
    white
        The light without tissue.
    ring_px
        Width of the ring in pixels; 0 for none.
    belt_px
        Width of the belt in pixels; 0 for none.
    vectors
        The stains.

    Examples
    --------
    >>> from rarefactor.pathology._white import WhiteSource
    >>> image = np.full((9, 9, 3), 240, dtype=np.uint8)
    >>> image[4, 4] = (129, 60, 36)
    >>> labels = np.zeros((9, 9), dtype=np.int32)
    >>> labels[4, 4] = 1
    >>> white = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
    >>> found = compute_staining(image, labels, white, ring_px=1)
    >>> float(found.nucleus[0].round(2)), float(found.ring[0]), found.ring_pixels.tolist()
    (1.07, 0.0, [4])
    """
    cells = compute_growth(labels, ring_px)
    belts = compute_growth(cells, belt_px)
    belts[cells > 0] = 0
    place = np.flatnonzero(cells)
    held, inside = cells.reshape(-1)[place], labels.reshape(-1)[place] > 0
    stains = compute_stains(image.reshape(-1, 3)[place][None], white, vectors)[0]
    count = int(labels.max(initial=0))
    nuclei, rings = held[inside], held[~inside]
    row, column = np.divmod(place[inside], labels.shape[1])
    pixels, around = _count(nuclei, count), _count(rings, count)
    return Staining(
        pixels=pixels,
        ring_pixels=around,
        row=_mean(nuclei, row, pixels),
        column=_mean(nuclei, column, pixels),
        hematoxylin=_mean(nuclei, stains[inside, 0], pixels),
        nucleus=_mean(nuclei, stains[inside, 1], pixels),
        ring=_mean(rings, stains[~inside, 1], around),
        beyond=_compute_belt(image, belts, pixels // 4, _tabulate_dab(white, vectors)),
    )


def _tabulate_dab(white: White, vectors: StainVectors) -> NDArray[np.float32]:
    """Return what each grey level adds to the density of DAB, (256 levels, 3 channels)."""
    return (compute_channel_density(white) * vectors.unmixing[:, 1]).astype(np.float32)


def _compute_belt(image: Rgb, belts: Labels, least: Counts, table: NDArray[np.float32]) -> Floats:
    """Return the upper quartile of DAB in each belt; NaN where it has less than ``least`` pixels."""
    place = np.flatnonzero(belts)
    colours = image.reshape(-1, 3)[place]
    dab = table[:, 0][colours[:, 0]] + table[:, 1][colours[:, 1]] + table[:, 2][colours[:, 2]]
    held = belts.reshape(-1)[place].astype(np.int64)
    ordered = np.sort(held * _STEPS + np.clip(np.rint(dab * 100), 0, _STEPS - 1).astype(np.int64))
    counts = _count(held, len(least))
    upper = np.cumsum(counts) - counts + (3 * counts) // 4
    found, known = np.full(len(least), np.nan), (counts >= least) & (counts > 0)
    found[known] = (ordered[upper[known]] % _STEPS) / 100
    return found


def _count(labels: Labels | Counts, count: int) -> Counts:
    return np.bincount(labels, minlength=count + 1)[1:].astype(np.int64)


def _mean(labels: Labels, values: NDArray[np.float32] | NDArray[np.intp], pixels: Counts) -> Floats:
    total = np.bincount(labels, weights=values, minlength=len(pixels) + 1)[1:]
    return np.divide(total, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0)
