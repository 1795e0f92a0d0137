"""Photographed fields: PNG, JPEG and what else a camera's program writes, held whole.

Convention: level 0 is the only level. A field is decoded when it is opened, so that a damaged one is known at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._colour import Alpha, Colours, Model, Rgb, Samples, compute_rgb, compute_white
from rarefactor.pathology._microns import Scale, choose_scale, derive_from_resolution, read_sidecar
from rarefactor.pathology._pyramid import Pyramid, Source

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_FIELD = 150_000_000
"""Pixels of the largest field that is held whole: 430 MiB."""
_MODES = {
    "1": ("L", Model.GREY, Alpha.NONE),
    "L": ("L", Model.GREY, Alpha.NONE),
    "LA": ("LA", Model.GREY, Alpha.STRAIGHT),
    "P": ("RGB", Model.RGB, Alpha.NONE),
    "PA": ("RGBA", Model.RGB, Alpha.STRAIGHT),
    "RGB": ("RGB", Model.RGB, Alpha.NONE),
    "RGBA": ("RGBA", Model.RGB, Alpha.STRAIGHT),
    "CMYK": ("CMYK", Model.CMYK, Alpha.NONE),
    "YCbCr": ("RGB", Model.RGB, Alpha.NONE),
}
"""What Pillow calls an image: what it is converted to, and how that is read."""
_BY_SAMPLES = {
    1: (Model.GREY, Alpha.NONE),
    2: (Model.GREY, Alpha.STRAIGHT),
    3: (Model.RGB, Alpha.NONE),
    4: (Model.RGB, Alpha.STRAIGHT),
}
_PNG = b"\x89PNG\r\n\x1a\n"
_BIT_DEPTH_OF_PNG = 24


@dataclass(frozen=True, slots=True)
class ArrayLevel:
    """A level held in memory: ``image`` (row, column, 3)."""

    image: Rgb

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.image.shape[1]

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.image.shape[0]

    @property
    def chunk(self) -> tuple[int, int]:
        """One pixel: any window can be read without decoding more."""
        return 1, 1

    def read(self, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a window that lies inside the level."""
        return self.image[y : y + height, x : x + width].copy()


def open_field(path: Path) -> Pyramid:
    """Return a field from an image file that Pillow reads.

    Raises
    ------
    ImageError
        Damaged or cut off, too large to be held, or of a kind that shows no brightfield image.
    """
    image, colours, scale = _read_deep_png(path) if _is_deep_png(path) else _read(path)
    source = Source(
        path=path,
        reader=_reader(),
        scale=choose_scale(read_sidecar(path), scale),
        flags=colours.flags,
    )
    return Pyramid(source, ((1.0, ArrayLevel(image)),))


def _read(path: Path) -> tuple[Rgb, Colours, Scale]:
    with _opened(path) as image:
        if image.mode not in _MODES:
            raise ImageError(_unreadable(path, f"an image of kind {image.mode}"))
        mode, model, alpha = _MODES[image.mode]
        if image.mode == "P" and "transparency" in image.info:
            mode, model, alpha = _MODES["PA"]
        colours = Colours(model=model, alpha=alpha)
        samples: Samples = np.asarray(image if image.mode == mode else image.convert(mode))
        return compute_rgb(np.atleast_3d(samples), colours), colours, _scale(image)


def _read_deep_png(path: Path) -> tuple[Rgb, Colours, Scale]:
    """Read a PNG of 16 bits, of which Pillow would keep the upper 8: too few for a 12-bit camera."""
    from imagecodecs import PngError, png_decode  # noqa: PLC0415 - an image library is loaded when an image is read

    with _opened(path, decode=False) as image:
        scale = _scale(image)
    try:
        samples: Any = np.atleast_3d(png_decode(path.read_bytes()))
    except (PngError, ValueError, RuntimeError) as error:
        raise ImageError(_unreadable(path, f"a damaged PNG ({error})")) from error
    model, alpha = _BY_SAMPLES[samples.shape[2]]
    colour = samples[..., : samples.shape[2] - (alpha is not Alpha.NONE)]
    white = compute_white(int(colour.max())) if alpha is Alpha.NONE else 65535
    colours = Colours(model=model, alpha=alpha, white=white)
    return compute_rgb(samples, colours), colours, scale


def _is_deep_png(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_BIT_DEPTH_OF_PNG + 1)
    return head.startswith(_PNG) and len(head) > _BIT_DEPTH_OF_PNG and head[_BIT_DEPTH_OF_PNG] == 16


@contextmanager
def _opened(path: Path, *, decode: bool = True) -> Generator[Image]:
    """Open an image with Pillow; its own bound on size, half a warning and half an error, is replaced by ours."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an image library is loaded when an image is read

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(path)) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageError(_unreadable(path, "a file that is no image, or a damaged one")) from error
    with image:
        if image.width * image.height > MAX_FIELD:
            raise ImageError(_too_large(path))
        try:
            if decode:
                image.load()
        except (OSError, ValueError, SyntaxError, IndexError) as error:
            raise ImageError(_unreadable(path, f"an image that cannot be decoded ({error})")) from error
        yield image


@cache
def _reader() -> str:
    return f"Pillow {version('pillow')}"


def _scale(image: Image) -> Scale:
    """Return the scale of the resolution that a PNG or JPEG carries, which Pillow gives per inch."""
    dpi = image.info.get("dpi")
    if not isinstance(dpi, tuple) or len(dpi) != 2:
        return Scale()
    return derive_from_resolution(float(dpi[0]), float(dpi[1]), "inch", f"{image.format} resolution")


def _too_large(path: Path) -> Problem:
    return Problem(
        file=path.name,
        found=f"an image of more than {MAX_FIELD:,} pixels that has to be decoded as a whole",
        expected="a tiled slide, or a smaller field",
        next_step="Export the image as a tiled TIFF, for example a pyramidal OME-TIFF from QuPath.",
    )


def _unreadable(path: Path, found: str) -> Problem:
    return Problem(
        file=path.name,
        found=found,
        expected="a whole PNG, JPEG or TIFF in RGB colour",
        next_step="Copy or export the image again.",
    )
