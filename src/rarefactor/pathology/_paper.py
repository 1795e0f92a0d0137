"""What the pictures of slides are drawn on: the sheet, its colours, and how it becomes a file.

Convention: sizes and places on a sheet are in mm from its upper left corner. A sheet is drawn pixel by pixel, without
matplotlib, which would take longer than the measurement of a field. Positive is magenta and drawn thicker, negative
blue, tissue's outline green, artefacts yellow: told apart on brown and blue sections, and in every common form of
colour blindness by their lightness, place and form too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._white import Rgb
from rarefactor.work import write_png

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

Mask = NDArray[np.bool_]
Place = tuple[float, float, float, float]
INK, MUTED = "#1b1f24", "#5d6874"
POSITIVE, TISSUE, ARTEFACT, DETAIL, NEGATIVE = "#d0006f", "#00805a", "#f2b400", "#0b5fff", "#2458c9"
DPI = 200
_PER_MM = DPI / 25.4
_POINT = DPI / 72
_FINE = 3
"""How many times finer lines are drawn before they are averaged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """An image on a sheet: where it lies (pixels of the sheet), and pixels of the sheet for one of its own."""

    sheet: Image
    left: int
    top: int
    width: int
    height: int
    scale: float

    def draw_outline(self, mask: Mask, colour: str, *, width: int = 2) -> None:
        """Outline a mask of the image's pixels, on its inner side."""
        fitted = _fit_mask(mask, (self.width, self.height))
        self._paint(fitted & ~_shrink(fitted, width), colour, 1.0)

    def draw_tint(self, mask: Mask, colour: str, strength: float) -> None:
        """Tint where a mask of the image's pixels holds."""
        self._paint(_fit_mask(mask, (self.width, self.height)), colour, strength)

    def draw_labels(self, labels: NDArray[np.int32], colours: Sequence[tuple[Mask, str, int]]) -> None:
        """Outline labels: for each colour which labels (label 0 is none) have it, and how wide their outline is."""
        rows, columns = (
            np.minimum(((np.arange(n) + 0.5) / self.scale).astype(np.int64), size - 1)
            for n, size in zip((self.height, self.width), labels.shape, strict=True)
        )
        fitted = labels[np.ix_(rows, columns)]
        for chosen, colour, width in colours:
            self._paint(chosen[fitted] & _find_rims(fitted, width), colour, 1.0)

    def draw_box(self, box: Place, colour: str) -> None:
        """Draw a frame around (left, top, right, bottom) in the image's pixels."""
        from PIL import ImageDraw  # noqa: PLC0415 - late: loaded when something is drawn

        x, y, right, low = (round(side * self.scale) for side in box)
        corners = (self.left + x, self.top + y, self.left + right - 1, self.top + low - 1)
        ImageDraw.Draw(self.sheet).rectangle(corners, outline=colour, width=3)

    def draw_bar(self, um_per_px: float | None) -> None:
        """Draw a scale bar of a round length at the lower right, where the size of a pixel is known."""
        from PIL import ImageDraw  # noqa: PLC0415 - late: loaded when something is drawn

        if um_per_px is None:
            return
        length, words = choose_bar(self.width / self.scale * um_per_px)
        long = length / um_per_px * self.scale
        right, low = self.left + self.width - 1.5 * _PER_MM, self.top + self.height - 1.5 * _PER_MM
        font, pen = _find_font(5.5, bold=False), ImageDraw.Draw(self.sheet)
        wide = max(long, font.getlength(words))
        pen.rectangle((right - wide - 6, low - 5.5 * _POINT - 10, right + 6, low + 6), fill="white")
        pen.rectangle((right - (wide + long) / 2, low - 4, right - (wide - long) / 2, low), fill=INK)
        pen.text((right - wide / 2, low - 7), words, font=font, fill=INK, anchor="mb")

    def _paint(self, where: Mask, colour: str, strength: float) -> None:
        from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

        stencil = Image.fromarray(where.view(np.uint8) * np.uint8(round(255 * strength)))
        self.sheet.paste(colour, (self.left, self.top), stencil)


class Sheet:
    """A white sheet of ``width`` x ``height`` mm; places on it are (left, top, width, height) in mm."""

    def __init__(self, width: float, height: float) -> None:
        from PIL import Image as Pillow  # noqa: PLC0415 - late: loaded when something is drawn

        self.image: Image = Pillow.new("RGB", (round(width * _PER_MM), round(height * _PER_MM)), "white")
        self.width, self.height = width, height

    def show(self, image: Rgb, place: Sequence[float]) -> Frame:
        """Show an image as large as a place allows, at its upper left, in a thin frame."""
        from PIL import Image, ImageDraw  # noqa: PLC0415 - late: loaded when something is drawn

        left, top, wide, high = (side * _PER_MM for side in fit_place(image.shape, place))
        width, height = max(1, round(wide)), max(1, round(high))
        way = Image.Resampling.BILINEAR if width < image.shape[1] else Image.Resampling.BICUBIC
        self.image.paste(Image.fromarray(image).resize((width, height), way), (round(left), round(top)))
        corners = (round(left) - 1, round(top) - 1, round(left) + width, round(top) + height)
        ImageDraw.Draw(self.image).rectangle(corners, outline=MUTED)
        return Frame(
            sheet=self.image,
            left=round(left),
            top=round(top),
            width=width,
            height=height,
            scale=width / image.shape[1],
        )

    def write(
        self, left: float, top: float, words: str, *, size: float = 6.5, fill: str = INK, anchor: str = "lm"
    ) -> float:
        """Write words at a place: their left end and the middle of the line, unless Pillow's ``anchor`` says another.

        Returns where they end, in mm, if they begin there; ``size`` is in points.
        """
        return self._write((left, top), words, _find_font(size, bold=False), (fill, anchor))

    def head(self, left: float, top: float, words: str, *, size: float = 6.5, fill: str = INK) -> float:
        """Write a heading."""
        return self._write((left, top), words, _find_font(size, bold=True), (fill, "lm"))

    def _write(self, place: tuple[float, float], words: str, font: FreeTypeFont, style: tuple[str, str]) -> float:
        from PIL import ImageDraw  # noqa: PLC0415 - late: loaded when something is drawn

        left, top = place
        pen = ImageDraw.Draw(self.image)
        pen.text((left * _PER_MM, top * _PER_MM), words, font=font, fill=style[0], anchor=style[1])
        return left + font.getlength(words) / _PER_MM

    def draw_key(self, left: float, top: float, words: str, colour: str) -> float:
        """Write what a colour stands for beside a piece of it; return where the words end, in mm."""
        from PIL import ImageDraw  # noqa: PLC0415 - late: loaded when something is drawn

        box = (left * _PER_MM, (top - 0.5) * _PER_MM, (left + 3) * _PER_MM, (top + 0.5) * _PER_MM)
        ImageDraw.Draw(self.image).rectangle(box, fill=colour)
        return self.write(left + 4, top, words, size=6)

    def draw_lines(self, place: Place, lines: Sequence[tuple[NDArray[np.float64], str, bool, float]]) -> None:
        """Draw lines or areas over a place; points (point, 2) are shares of its width and height from the lower left.

        Each is (points, colour, filled, width in points); they are drawn finer and averaged, so that steps do not show.
        """
        from PIL import Image, ImageDraw  # noqa: PLC0415 - late: loaded when something is drawn

        left, top, width, height = (round(side * _PER_MM) for side in place)
        box = (left, top, left + width, top + height)
        fine = self.image.crop(box).resize((width * _FINE, height * _FINE), Image.Resampling.NEAREST)
        pen = ImageDraw.Draw(fine)
        for points, colour, filled, wide in lines:
            pairs = (points * (1, -1) + (0, 1)) * (width * _FINE, height * _FINE)
            flat = [(float(x), float(y)) for x, y in pairs]
            if filled:
                pen.polygon(flat, fill=colour)
            else:
                pen.line(flat, fill=colour, width=max(1, round(wide * _POINT * _FINE)))
        self.image.paste(fine.reduce(_FINE), box[:2])

    def png(self, about: str) -> bytes:
        """Return the sheet as PNG: the same bytes for the same picture."""
        return write_png(np.asarray(self.image), dpi=DPI, about=about)


def fit_place(shape: tuple[int, ...], place: Sequence[float]) -> Place:
    """Return the largest place inside another that has an image's proportions, at its upper left.

    Examples
    --------
    >>> fit_place((100, 200), (10, 20, 50, 50))
    (10, 20, 50.0, 25.0)
    """
    left, top, width, height = place
    scale = min(width / shape[1], height / shape[0])
    return left, top, shape[1] * scale, shape[0] * scale


def choose_bar(width_um: float) -> tuple[float, str]:
    """Return the length in µm of a scale bar for a picture of this width, and what is written beside it.

    Examples
    --------
    >>> choose_bar(600.0), choose_bar(9000.0)
    ((100.0, '100 µm'), (2000.0, '2 mm'))
    """
    wanted = 0.25 * width_um
    exponent = 10.0 ** np.floor(np.log10(wanted))
    length = float(max(factor * exponent for factor in (1, 2, 5) if factor * exponent <= wanted * (1 + 1e-9)))
    return length, f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"


def write_image(image: Rgb, side: int) -> bytes:
    """Return an image as PNG, its longer side reduced to ``side`` pixels."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    small = Image.fromarray(image)
    small.thumbnail((side, side))
    return write_png(np.asarray(small))


def write_jpeg(image: Rgb) -> bytes:
    """Return an image as JPEG, for the eye only."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=92, subsampling=0)
    return buffer.getvalue()


def read_image(data: bytes) -> Rgb:
    """Return an image that :func:`write_image` or :func:`write_jpeg` wrote."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@lru_cache(maxsize=32)
def _find_font(size: float, *, bold: bool) -> FreeTypeFont:
    """Return DejaVu Sans, which comes with matplotlib; its files are found without loading that."""
    from PIL import ImageFont  # noqa: PLC0415 - late: loaded when something is drawn

    places: Any = find_spec("matplotlib")
    folder = Path(places.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), size * _POINT)


def _fit_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """Return a mask at another size, its border halfway between its pixels."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    grey = Image.fromarray(mask.view(np.uint8) * np.uint8(255))
    return np.asarray(grey.resize(size, Image.Resampling.BILINEAR)) >= 128


def _shrink(mask: Mask, by: int) -> Mask:
    """Return a mask without ``by`` pixels of its rim; the side of the image counts as a rim, too."""
    for _ in range(by):
        held = np.pad(mask, 1)
        mask = mask & held[:-2, 1:-1] & held[2:, 1:-1] & held[1:-1, :-2] & held[1:-1, 2:]
    return mask


def _find_rims(labels: NDArray[np.int32], width: int) -> Mask:
    """Return the outermost pixels of each label."""
    inner = labels > 0
    for step in range(1, width + 1):
        inner[step:] &= labels[step:] == labels[:-step]
        inner[:-step] &= labels[:-step] == labels[step:]
        inner[:, step:] &= labels[:, step:] == labels[:, :-step]
        inner[:, :-step] &= labels[:, :-step] == labels[:, step:]
    return (labels > 0) & ~inner
