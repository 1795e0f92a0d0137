"""What a file stores becomes 8-bit red, green and blue.

Convention: white is 255; glass behind a transparent pixel is white. What cannot carry two stains (grey) or was made for
print (CMYK) is shown as it is and flagged, not repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._flag import note, warn
from rarefactor.results import Flag, Severity

Rgb = NDArray[np.uint8]
Samples = NDArray[np.uint8 | np.uint16]

SIXTEEN_BIT_WHITES = (255, 1023, 4095, 16383, 65535)
"""Largest values of 8-, 10-, 12-, 14- and 16-bit cameras: the first that holds the brightest pixel becomes 255."""


class Model(StrEnum):
    """How samples make a colour."""

    RGB = "rgb"
    GREY = "grey"
    INVERTED_GREY = "inverted_grey"
    CMYK = "cmyk"
    YCBCR = "ycbcr"
    PALETTE = "palette"


class Alpha(StrEnum):
    """What a sample beyond the colours is."""

    NONE = "none"
    STRAIGHT = "straight"
    PREMULTIPLIED = "premultiplied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """How the samples of a file are to be read; ``white`` is the sample of full light, ``palette`` (256, 3)."""

    model: Model
    alpha: Alpha = Alpha.NONE
    white: int = 255
    palette: Rgb | None = None

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What the reader must know of these colours."""
        return tuple(flag for flag in (self._model_flag(), self._alpha_flag(), self._depth_flag()) if flag)

    def _model_flag(self) -> Flag | None:
        if self.model in {Model.GREY, Model.INVERTED_GREY}:
            detail = "The image has no colour: stains cannot be told apart. Scan or export it in colour."
            return Flag(name="greyscale", severity=Severity.REFUSED, detail=detail)
        if self.model is Model.CMYK:
            detail = "The image was converted for print (CMYK): its optical densities are not those of the microscope."
            return warn("cmyk", detail)
        return None

    def _alpha_flag(self) -> Flag | None:
        detail = "Transparent pixels are shown on white glass."
        return note("alpha_channel", detail) if self.alpha is not Alpha.NONE else None

    def _depth_flag(self) -> Flag | None:
        if self.white == 255:
            return None
        return note("sixteen_bit", f"Samples of more than 8 bits: 0 to {self.white} was taken as 0 to 255.")


def compute_rgb(samples: Samples, colours: Colours) -> Rgb:
    """Return the colours of samples.

    Parameters
    ----------
    samples
        (row, column, sample), as stored.
    colours
        How they are to be read.

    Returns
    -------
    Rgb
        (row, column, 3), 0 to 255; the samples themselves where they are this already.

    Examples
    --------
    >>> grey = np.full((1, 1, 1), 100, dtype=np.uint8)
    >>> compute_rgb(grey, Colours(model=Model.GREY)).tolist()
    [[[100, 100, 100]]]
    """
    if colours.model is Model.PALETTE:
        table = colours.palette if colours.palette is not None else np.zeros((256, 3), dtype=np.uint8)
        return table[samples[..., 0]]
    eight = _eight_bit(samples, colours.white)
    count = _COLOUR_SAMPLES[colours.model]
    rgb = _CONVERSIONS[colours.model](eight[..., :count])
    return _on_glass(rgb, eight[..., count], colours.alpha) if colours.alpha is not Alpha.NONE else rgb


def compute_white(brightest: int) -> int:
    """Return the sample value that stands for full light, from the brightest sample.

    Examples
    --------
    >>> compute_white(3900)
    4095
    """
    return next(white for white in SIXTEEN_BIT_WHITES if brightest <= white)


def count_colour_samples(model: Model) -> int:
    """Return how many samples make a colour; what follows is alpha.

    Examples
    --------
    >>> count_colour_samples(Model.CMYK)
    4
    """
    return _COLOUR_SAMPLES[model]


def _eight_bit(samples: Samples, white: int) -> Rgb:
    if samples.dtype == np.uint8:
        return cast("Rgb", samples)
    scaled = np.minimum(samples, white).astype(np.float32) * np.float32(255 / white)
    return np.rint(scaled).astype(np.uint8)


def _on_glass(rgb: Rgb, alpha: Rgb, kind: Alpha) -> Rgb:
    cover = alpha[..., None].astype(np.uint16)
    light = rgb.astype(np.uint16)
    own = light * 255 if kind is Alpha.PREMULTIPLIED else light * cover
    return np.minimum((own + 255 * (255 - cover) + 127) // 255, 255).astype(np.uint8)


def _from_grey(grey: Rgb) -> Rgb:
    return np.repeat(grey, 3, axis=2)


def _from_cmyk(inks: Rgb) -> Rgb:
    light = 255 - inks.astype(np.uint16)
    return ((light[..., :3] * light[..., 3:4] + 127) // 255).astype(np.uint8)


def _from_ycbcr(samples: Rgb) -> Rgb:
    y, cb, cr = (samples[..., i].astype(np.float32) - (128.0 if i else 0.0) for i in range(3))
    rgb = np.stack((y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb), axis=-1)
    return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)


_COLOUR_SAMPLES = {
    Model.RGB: 3,
    Model.GREY: 1,
    Model.INVERTED_GREY: 1,
    Model.CMYK: 4,
    Model.YCBCR: 3,
    Model.PALETTE: 1,
}
_CONVERSIONS: Mapping[Model, Callable[[Rgb], Rgb]] = {
    Model.RGB: lambda rgb: rgb,
    Model.GREY: _from_grey,
    Model.INVERTED_GREY: lambda grey: _from_grey(255 - grey),
    Model.CMYK: _from_cmyk,
    Model.YCBCR: _from_ycbcr,
}
