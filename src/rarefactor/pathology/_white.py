"""The light without tissue: what optical density is measured from.

Convention: white is one grey level (0 to 255) for each of red, green and blue. It is measured on glass inside the
image, or on a blank field of the same session; where neither is to be had it is assumed, and the value carries the flag
``white_assumed``. A white of 255 where the glass shows 230 makes glass count as stain.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, InputError, Problem
from rarefactor.pathology._flag import note, warn
from rarefactor.results import Flag

Rgb = NDArray[np.uint8]
Grid = NDArray[np.float64]


class WhiteSource(StrEnum):
    """Who says what white is."""

    GLASS = "glass"
    BLANK_FIELD = "blank_field"
    GIVEN = "given"
    BRIGHTEST = "brightest"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class White:
    """The colour of light without tissue, and where it was measured.

    Attributes
    ----------
    level
        Red, green and blue, each above 0 and at most 255.
    source
        Glass of this image, a blank field, the user, the brightest place of an image without glass, or 255.
    share
        Share of the image (0 to 1) on which it was measured; 0 where it was not.
    flags
        What is doubtful about it.

    Examples
    --------
    >>> White(level=(240.0, 240.0, 238.0), source=WhiteSource.GIVEN).text
    '240 240 238 (given)'
    """

    level: tuple[float, float, float]
    source: WhiteSource
    share: float = 0.0
    flags: tuple[Flag, ...] = ()

    def __post_init__(self) -> None:
        if not all(0 < value <= 255 for value in self.level):
            raise InputError(
                Problem(
                    found=f"a white of {self.level}",
                    expected="three grey levels above 0 and at most 255",
                    next_step="Give red, green and blue of an empty place of the slide.",
                )
            )

    @property
    def text(self) -> str:
        """The value and its source as a table shows them."""
        return f"{' '.join(f'{value:.0f}' for value in self.level)} ({self.source.replace('_', ' ')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassSettings:
    """What counts as glass.

    Attributes
    ----------
    block_px
        Side of the squares over which colours are averaged, in pixels of the image given.
    flatness
        Largest difference between neighbouring squares, as a share of their brightness: glass has no texture.
    chroma
        Largest difference between the channels, as a share of the brightest: glass is nearly grey.
    darkest
        Lowest grey level of any channel.
    below_top
        Squares this much darker than the brightest flat ones still count, as a share.
    together
        Number of neighbouring squares that one piece of glass must have at least.
    """

    block_px: int = 8
    flatness: float = 0.02
    chroma: float = 0.12
    darkest: float = 170.0
    below_top: float = 0.04
    together: int = 30


GLASS = GlassSettings()
FULL = White(
    level=(255.0, 255.0, 255.0),
    source=WhiteSource.ASSUMED,
    flags=(warn("white_assumed", "No light place was found: white is taken as 255. Give a blank field."),),
)
"""White where nothing in the image tells it, and the white of the sensitivity column."""
UNEVEN = 0.05
"""A blank field whose brightness varies by more than this share gets a note."""
CLIPPED = 254.5
"""A white this bright may have been cut off by the camera."""
_PAINTED = 255.0
"""Grey level of tiles that were never scanned or cannot be read: no camera's glass is so even."""
_SHORT = 65535 // 255
"""Pixels whose sum fits 16 bits, with which adding is twice as fast."""


def compute_white(image: Rgb, *, blank: Rgb | None = None, settings: GlassSettings = GLASS) -> White:
    """Return the white of an image: from a blank field if one is given, else from its glass, else assumed with a flag.

    Parameters
    ----------
    image
        (row, column, 3) red, green and blue; of a whole slide, an overview.
    blank
        An empty field of the same microscope, light and exposure.
    settings
        What counts as glass.

    Returns
    -------
    White
        ``white_assumed`` is among its flags if no piece of glass is large enough: the brightest grey place of the image
        then stands for white, or 255 where even that is dark or coloured.

    Raises
    ------
    ImageError
        The blank field is dark, coloured or not empty.

    Examples
    --------
    >>> glass = np.full((80, 80, 3), 240, dtype=np.uint8)
    >>> compute_white(glass).text
    '240 240 240 (glass)'
    """
    if blank is not None:
        return _from_blank(blank, settings)
    means = compute_block_means(image, settings.block_px)
    glass = _find_glass(means, settings)
    if glass is None:
        return _assume(means, settings)
    level = _level(np.median(means[glass], axis=0))
    return White(level=level, source=WhiteSource.GLASS, share=float(glass.mean()), flags=_clipping(level))


def compute_block_means(image: Rgb, block_px: int) -> Grid:
    """Return the mean colour of squares of ``block_px`` pixels; what is over at the right and below is left out.

    Examples
    --------
    >>> compute_block_means(np.full((4, 6, 3), 9, dtype=np.uint8), 2).shape
    (2, 3, 3)
    """
    rows, columns = image.shape[0] // block_px, image.shape[1] // block_px
    whole = image[: rows * block_px, : columns * block_px]
    if not whole.size:
        return np.zeros((rows, columns, 3))
    down = whole[::block_px].astype(np.uint16 if block_px <= _SHORT else np.uint32)
    for row in range(1, block_px):
        down += whole[row::block_px]
    across = down.reshape(rows, columns, block_px, 3)
    total = across[:, :, 0].astype(np.uint32)
    for column in range(1, block_px):
        total += across[:, :, column]
    return total / float(block_px**2)


def _find_glass(means: Grid, settings: GlassSettings) -> NDArray[np.bool_] | None:
    """Return the squares of glass; pure white is where a program had no pixels, unless there is no other glass."""
    seen = np.asarray((means < _PAINTED).any(axis=2), dtype=np.bool_)
    found = _find_flat(means, seen, settings)
    return _find_flat(means, np.ones(means.shape[:2], dtype=np.bool_), settings) if found is None else found


def _find_flat(means: Grid, among: NDArray[np.bool_], settings: GlassSettings) -> NDArray[np.bool_] | None:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    light = means.mean(axis=2)
    if min(light.shape) < 3:
        return None
    steps = ndimage.maximum_filter(light, 3) - ndimage.minimum_filter(light, 3)
    flat = (steps <= settings.flatness * light) & _is_light(means, settings) & among
    if not flat.any():
        return None
    glass = flat & (light >= (1 - settings.below_top) * np.percentile(light[flat], 99))
    pieces = np.zeros(glass.shape, dtype=np.int32)
    ndimage.label(glass, output=pieces)
    return glass if np.bincount(pieces.ravel())[1:].max(initial=0) >= settings.together else None


def _is_light(means: Grid, settings: GlassSettings) -> NDArray[np.bool_]:
    top = means.max(axis=2)
    low = means.min(axis=2)
    return (low >= settings.darkest) & (top - low <= settings.chroma * top)


def _assume(means: Grid, settings: GlassSettings) -> White:
    if not means.size:
        return FULL
    light = means.mean(axis=2)
    bright = means[light >= np.percentile(light, 99.5)].mean(axis=0)
    if not _is_light(bright[None, None], settings).all():
        return FULL
    detail = "No glass was found: the brightest place of the image stands for white. Give a blank field."
    return White(level=_level(bright), source=WhiteSource.BRIGHTEST, flags=(warn("white_assumed", detail),))


def _from_blank(blank: Rgb, settings: GlassSettings) -> White:
    means = compute_block_means(blank, settings.block_px)
    if not means.size or not _is_light(means, settings).mean() >= 0.95:
        raise ImageError(
            Problem(
                found="a blank field that is dark, coloured or not empty",
                expected="an image of empty glass",
                next_step="Take a picture beside the tissue, with the same light and exposure.",
            )
        )
    light = means.mean(axis=2)
    low, high = np.percentile(light, (2, 98))
    detail = f"The blank field's brightness varies by {100 * (high - low) / high:.0f}%: densities depend on the place."
    uneven = (warn("uneven_light", detail),) if high - low > UNEVEN * high else ()
    level = _level(np.median(means, axis=(0, 1)))
    return White(level=level, source=WhiteSource.BLANK_FIELD, share=1.0, flags=(*uneven, *_clipping(level)))


def _level(values: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(min(max(value, 1.0), 255.0)) for value in values)
    return red, green, blue


def _clipping(level: tuple[float, float, float]) -> tuple[Flag, ...]:
    detail = "Glass is at the largest value of the camera: the true white may be brighter."
    return (note("white_clipped", detail),) if min(level) >= CLIPPED else ()
