"""Whether what would be counted as DAB is really brown.

Convention: only pixels that the measure would count are judged (tissue with a DAB density at or above the threshold),
within the range in which a camera is proportional. Counterstain in the same pixel turns brown towards blue, so the
colour of the chromogen is read where least hematoxylin is: the mean directions of the 5, 10, 25 and 50 % of positive
pixels that are farthest from hematoxylin, and of these the one nearest to DAB. Red chromogens, eosin and other stains
remain far from it. Red and blue channels that were swapped cannot be told this way: blue nuclei then look brown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import H_DAB, Floats, StainVectors, compute_channel_density
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._lookup import TISSUE_DENSITY
from rarefactor.pathology._macenko import LINEAR, compute_angle, compute_macenko
from rarefactor.pathology._white import Rgb, White
from rarefactor.results import Flag, Severity

PUREST = (0.05, 0.10, 0.25, 0.50)
"""Shares of positive pixels, those with least hematoxylin, whose mean colours are compared with DAB."""
_SWAPPED = Flag(
    name="vectors_swapped",
    severity=Severity.REFUSED,
    detail="The vector given for DAB is that of hematoxylin: give hematoxylin first, then DAB.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StainSettings:
    """When a stain is refused or flagged.

    Attributes
    ----------
    threshold
        DAB density from which a pixel is positive.
    tissue_density
        Sum of the three channels' densities from which a pixel is tissue.
    max_angle
        Degrees between the chromogen's colour and DAB beyond which the slide is refused.
    max_residual
        Share of the positive pixels' density that neither stain explains beyond which the slide is refused.
    none_below, all_above
        Share of tissue that is positive (0 to 1) below which there is no DAB, above which everything is brown.
    enough
        Positive pixels that the colour is read from at least.
    sample
        Pixels that are looked at at most, evenly spread.
    """

    threshold: float = 0.2
    tissue_density: float = TISSUE_DENSITY
    max_angle: float = 10.0
    max_residual: float = 0.15
    none_below: float = 0.001
    all_above: float = 0.98
    enough: int = 50
    sample: int = 200_000


STAIN = StainSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class StainCheck:
    """What the colour of a stain says.

    Attributes
    ----------
    positive_share
        Share of the sampled tissue that is positive, 0 to 1; None without tissue.
    dab_angle
        Degrees between the chromogen and DAB; None where too few pixels are positive.
    residual
        Share of the positive pixels' density that neither stain explains; None as above.
    macenko
        Vectors estimated from this image; None where too little is stained.
    macenko_share
        What ``positive_share`` would be with them.
    flags
        ``wrong_stain`` and ``stain_residual`` refuse the slide.
    """

    positive_share: float | None = None
    dab_angle: float | None = None
    residual: float | None = None
    macenko: StainVectors | None = None
    macenko_share: float | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether nothing may be measured."""
        return any(flag.severity is Severity.REFUSED for flag in self.flags)


def compute_stain_check(
    image: Rgb,
    white: White,
    vectors: StainVectors = H_DAB,
    *,
    mask: NDArray[np.bool_] | None = None,
    settings: StainSettings = STAIN,
) -> StainCheck:
    """Return what the colours of an image say about its stain.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255, near the resolution that is measured; ink and folds taken out by ``mask``.
    white
        The light without tissue.
    vectors
        The stains' directions.
    mask
        (row, column) of what is looked at; None looks at all.
    settings
        The limits.

    Examples
    --------
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> red = np.full((40, 40, 3), (225, 60, 55), dtype=np.uint8)
    >>> compute_stain_check(red, White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)).refused
    True
    """
    if compute_angle(vectors.dab, H_DAB.dab) > compute_angle(vectors.dab, H_DAB.hematoxylin):
        return StainCheck(flags=(_SWAPPED,))
    density = _sample_tissue(image, white, mask, settings)
    if not len(density):
        return StainCheck(flags=(warn("no_tissue", "No pixel is dense enough for tissue: nothing was measured."),))
    share, positive = _compute_positive(density, vectors, settings)
    macenko = compute_macenko(density, vectors)
    angle, residual = _compute_colour(positive, vectors) if len(positive) >= settings.enough else (None, None)
    judged = share >= settings.none_below
    return StainCheck(
        positive_share=share,
        dab_angle=angle,
        residual=residual,
        macenko=macenko,
        macenko_share=_compute_positive(density, macenko, settings)[0] if macenko else None,
        flags=(*_amount_flags(share, settings), *(_colour_flags(angle, residual, white, settings) if judged else ())),
    )


def _sample_tissue(image: Rgb, white: White, mask: NDArray[np.bool_] | None, settings: StainSettings) -> Floats:
    places = np.arange(image.shape[0] * image.shape[1]) if mask is None else np.flatnonzero(mask)
    places = places[:: max(1, -(-len(places) // settings.sample))]
    pixels = image.reshape(-1, 3)[places]
    table = compute_channel_density(white)
    density = np.stack([table[pixels[:, channel], channel] for channel in range(3)], axis=1)
    return density[density.sum(axis=1) >= settings.tissue_density]


def _compute_positive(density: Floats, vectors: StainVectors, settings: StainSettings) -> tuple[float, Floats]:
    """Return the share of positive pixels, and those whose colour can be read."""
    positive = density[density @ vectors.unmixing[:, 1] >= settings.threshold]
    readable = positive[positive.max(axis=1) <= LINEAR]
    return len(positive) / len(density), readable if len(readable) >= settings.enough else positive


def _compute_colour(positive: Floats, vectors: StainVectors) -> tuple[float, float]:
    lengths = np.linalg.norm(positive, axis=1)
    blue = (positive @ vectors.directions[0]) / lengths
    order = np.argsort(blue, kind="stable")
    counts = [max(1, round(share * len(order))) for share in PUREST]
    means = (positive[order[:count]].sum(axis=0) for count in counts)
    angle = min(compute_angle((m[0], m[1], m[2]), vectors.dab) for m in means)
    residual = np.abs(positive @ vectors.unmixing[:, 2]).sum() / lengths.sum()
    return angle, float(residual)


def _amount_flags(share: float, settings: StainSettings) -> tuple[Flag, ...]:
    if share < settings.none_below:
        return (warn("no_dab", "No DAB was found: the value is 0 or close to it. Look at the positive control."),)
    if share > settings.all_above:
        return (warn("all_dab", "Nearly all tissue is positive: look at the section, its background and its white."),)
    return ()


def _colour_flags(
    angle: float | None, residual: float | None, white: White, settings: StainSettings
) -> tuple[Flag, ...]:
    if angle is None or residual is None:
        return (note("stain_unchecked", "Too few pixels are positive for the colour of the stain to be judged."),)
    light = " White was assumed: give a blank field." if any(f.name == "white_assumed" for f in white.flags) else ""
    found: list[Flag] = []
    if angle > settings.max_angle:
        detail = (
            f"What would count as DAB is {angle:.0f}° from its colour (at most {settings.max_angle:.0f}°): "
            f"another chromogen, another stain or ink.{light}"
        )
        found.append(Flag(name="wrong_stain", severity=Severity.REFUSED, detail=detail))
    if residual > settings.max_residual:
        detail = (
            f"Hematoxylin and DAB leave {100 * residual:.0f}% of the positive pixels' density unexplained "
            f"(at most {100 * settings.max_residual:.0f}%): a third stain, ink or other vectors.{light}"
        )
        found.append(Flag(name="stain_residual", severity=Severity.REFUSED, detail=detail))
    return tuple(found)
