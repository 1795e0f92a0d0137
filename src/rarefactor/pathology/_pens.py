"""Ink of felt pens on the slide: black reads as DAB almost everywhere, red escapes a rule on the residual.

Convention: inks are told from stains by their colour, the shares of red, green and blue in the optical density, after
averaging to about 8 µm, where single nuclei no longer show; and by being wide. Hematoxylin, DAB and every mixture
absorb a third or more of their density in green and at least a tenth in red: green ink absorbs less green, red ink less
red, blue ink nearly no blue, and black ink all colours alike and far more than stained tissue. Pale ink is followed
outwards from the ink that is certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import Floats
from rarefactor.pathology._tissue import Mask


class Ink(StrEnum):
    """The colours of felt pens."""

    BLACK = "pen_black"
    BLUE = "pen_blue"
    GREEN = "pen_green"
    RED = "pen_red"


@dataclass(frozen=True, slots=True, kw_only=True)
class InkColour:
    """Where an ink lies among colours: least density, and the range of each channel's share of it (0 to 1)."""

    density: float
    red: tuple[float, float] = (0.0, 1.0)
    green: tuple[float, float] = (0.0, 1.0)
    blue: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PenSettings:
    """What counts as ink.

    Attributes
    ----------
    certain, possible
        For each ink, the colours that prove it and those that belong to it where they touch proven ink.
    width_um
        Least width of a stroke.
    margin_um
        How far around ink nothing is measured.
    """

    certain: Mapping[Ink, InkColour]
    possible: Mapping[Ink, InkColour]
    width_um: float = 48.0
    margin_um: float = 16.0


PENS = PenSettings(
    certain={
        Ink.BLACK: InkColour(density=2.2, red=(0.27, 0.40), green=(0.29, 0.38), blue=(0.28, 0.40)),
        Ink.BLUE: InkColour(density=0.45, red=(0.45, 1.0), green=(0.2, 0.42), blue=(0.0, 0.105)),
        Ink.GREEN: InkColour(density=0.35, red=(0.40, 1.0), green=(0.0, 0.27), blue=(0.12, 1.0)),
        Ink.RED: InkColour(density=0.5, red=(0.0, 0.085), green=(0.40, 0.56), blue=(0.36, 0.52)),
    },
    possible={
        Ink.BLACK: InkColour(density=0.6, red=(0.25, 0.42), green=(0.28, 0.39), blue=(0.26, 0.42)),
        Ink.BLUE: InkColour(density=0.25, red=(0.45, 1.0), green=(0.2, 0.42), blue=(0.0, 0.13)),
        Ink.GREEN: InkColour(density=0.2, red=(0.385, 1.0), green=(0.0, 0.34), blue=(0.12, 1.0)),
        Ink.RED: InkColour(density=0.2, red=(0.0, 0.11), green=(0.38, 0.58), blue=(0.33, 0.54)),
    },
)


def compute_pens(density: Floats, *, um_per_px: float, settings: PenSettings = PENS) -> dict[Ink, Mask]:
    """Return where each ink lies, (row, column) for each; inks that are absent are left out.

    Parameters
    ----------
    density
        (row, column, 3) optical densities, averaged to about 8 µm per pixel.
    um_per_px
        µm per pixel of ``density``.
    settings
        The inks.

    Examples
    --------
    >>> slide = np.zeros((60, 60, 3))
    >>> slide[:, 20:40] = 1.2
    >>> [ink.value for ink in compute_pens(slide, um_per_px=8.0)]
    ['pen_black']
    """
    total = density.sum(axis=2)
    shares = density / np.maximum(total, 1e-6)[..., None]
    inks: dict[Ink, Mask] = {}
    for ink in Ink:
        certain = _has_colour(total, shares, settings.certain[ink])
        if certain.any():
            possible = certain | _has_colour(total, shares, settings.possible[ink])
            found = _follow(certain, possible, settings, um_per_px)
            inks |= {ink: found} if found.any() else {}
    return inks


def _has_colour(total: Floats, shares: Floats, colour: InkColour) -> Mask:
    ranges = (colour.red, colour.green, colour.blue)
    inside = [(shares[..., i] >= low) & (shares[..., i] <= high) for i, (low, high) in enumerate(ranges)]
    return (total >= colour.density) & np.logical_and.reduce(inside)


def _follow(certain: Mask, possible: Mask, settings: PenSettings, um_per_px: float) -> Mask:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    around = np.ones((3, 3), dtype=np.bool_)
    seeds = _wide(certain, settings.width_um / 2 / um_per_px)
    reached: Mask = np.asarray(ndimage.binary_propagation(seeds, structure=around, mask=possible), dtype=np.bool_)
    if not reached.any():
        return reached
    distance: NDArray[np.float64] = np.asarray(ndimage.distance_transform_edt(~reached))
    return distance <= max(1.0, settings.margin_um / um_per_px)


def _wide(mask: Mask, radius_px: float) -> Mask:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    framed = np.pad(mask, 1, mode="edge")
    distance: NDArray[np.float64] = np.asarray(ndimage.distance_transform_edt(framed))[1:-1, 1:-1]
    return mask & (distance >= radius_px)
