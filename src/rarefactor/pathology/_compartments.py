"""The parts of a cell in which a stain is read: its nucleus, the ring around it, and the greater of the two.

Convention: the ring is what lies within ``ring_um`` of a nucleus and belongs to no other; it stands for membrane and
cytoplasm, whose true outline a nuclear stain does not show. Densities are means of optical density over the pixels of a
part. A nucleus that others enclose has no ring: its density there is NaN, and the greater of the two is the nucleus's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import H_DAB, StainVectors, compute_stains
from rarefactor.pathology._watershed import Labels, compute_growth
from rarefactor.pathology._white import Rgb, White

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


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
    """

    pixels: Counts
    ring_pixels: Counts
    row: Floats
    column: Floats
    hematoxylin: Floats
    nucleus: Floats
    ring: Floats

    @property
    def max(self) -> Floats:
        """The greater of nucleus and ring."""
        return np.fmax(self.nucleus, self.ring)


def compute_staining(
    image: Rgb, labels: Labels, white: White, *, ring_px: int, vectors: StainVectors = H_DAB
) -> Staining:
    """Return the densities of the nuclei and of the rings around them.

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
    grown = compute_growth(labels, ring_px).reshape(-1)
    inner = labels.reshape(-1)
    place = np.flatnonzero(grown)
    stains = compute_stains(image.reshape(-1, 3)[place][None], white, vectors)[0]
    inside = inner[place] > 0
    count = int(labels.max(initial=0))
    nuclei, rings = grown[place[inside]], grown[place[~inside]]
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
    )


def _count(labels: Labels, count: int) -> Counts:
    return np.bincount(labels, minlength=count + 1)[1:].astype(np.int64)


def _mean(labels: Labels, values: NDArray[np.float32] | NDArray[np.intp], pixels: Counts) -> Floats:
    total = np.bincount(labels, weights=values, minlength=len(pixels) + 1)[1:]
    return np.divide(total, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0)
