"""The contact sheet of a study: every patient's thigh on one page, the fastest on top.

Convention: one slice through the middle of what was measured, on its own grid, reduced for the page; first and last
visit side by side, sorted by rate, those without a rate last.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._panels import (
    INK,
    MUTED,
    choose_slices,
    draw_colour_bar,
    draw_fraction,
    find_window,
    make_figure,
    write_png,
)
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH_MM, _COLUMNS = 180.0, 3
_HEAD_MM, _FOOT_MM, _CAPTION_MM, _GAP_MM, _SIDE_MM = 12.0, 12.0, 7.0, 2.0, 3.0
_PIXELS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnail:
    """One slice of fat fraction in per cent, NaN outside the body; ``aspect`` is height by width of a pixel."""

    fraction: NDArray[np.float32]
    aspect: float

    def write(self) -> bytes:
        """The thumbnail as bytes."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, fraction=self.fraction.astype(np.float16), aspect=self.aspect)
        return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A patient on the sheet: name, what is said below, the first and (where there is one) the last visit."""

    title: str
    caption: str
    thumbnails: Sequence[Thumbnail]
    rate: float | None = None


def read_thumbnail(data: bytes) -> Thumbnail:
    """Return the thumbnail that :meth:`Thumbnail.write` wrote."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        return Thumbnail(fraction=held["fraction"].astype(np.float32), aspect=float(held["aspect"]))


def make_thumbnail(fraction: Volume, valid: NDArray[np.bool_], labels: LabelMap) -> Thumbnail:
    """Return the middle slice of what was measured."""
    (index,) = choose_slices(labels.values, 1)
    window = find_window(valid[index : index + 1])
    shown = np.where(window.of(valid[index]), 100 * window.of(fraction.values[index]), np.nan)
    spacing = fraction.grid.spacing_mm
    return Thumbnail(fraction=_reduce(shown.astype(np.float32)), aspect=spacing[1] / spacing[2])


def _reduce(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take rows and columns evenly where there are more than the page can show."""
    share = max(1.0, max(image.shape) / _PIXELS)
    rows, columns = (((np.arange(int(size / share)) + 0.5) * share).astype(int) for size in image.shape)
    return image[np.ix_(rows, columns)]


def draw_contact_sheet(entries: Sequence[Entry], *, title: str) -> bytes:
    """Return all patients on one page as PNG, by descending rate."""
    ordered = sorted(entries, key=lambda entry: (entry.rate is None, -(entry.rate or 0.0), entry.title))
    cell = (_WIDTH_MM - 2 * _SIDE_MM - (_COLUMNS - 1) * _GAP_MM) / _COLUMNS
    height = cell / 2 * 0.6
    lines = math.ceil(len(ordered) / _COLUMNS)
    total = _HEAD_MM + lines * (height + _CAPTION_MM) + _FOOT_MM
    figure = make_figure(_WIDTH_MM, total)
    figure.text(_SIDE_MM / _WIDTH_MM, 1 - 5 / total, title, fontsize=9, color=INK, weight="bold", va="center")
    picture = None
    for place, entry in enumerate(ordered):
        line, column = divmod(place, _COLUMNS)
        corner = (_SIDE_MM + column * (cell + _GAP_MM), _HEAD_MM + line * (height + _CAPTION_MM))
        picture = _draw_entry(figure, entry, corner, (cell, height, total)) or picture
    if picture is not None:
        draw_colour_bar(figure, picture, (0.36, 7.5 / total, 0.28, 2.2 / total), "fat fraction, %")
    return write_png(figure, about=title)


def _draw_entry(
    figure: Figure, entry: Entry, corner: tuple[float, float], size: tuple[float, float, float]
) -> object | None:
    (left, top), (cell, height, total) = corner, size
    shown = None
    for place, thumbnail in enumerate(entry.thumbnails[:2]):
        half = cell / 2 - _GAP_MM / 4
        start = left + place * (half + _GAP_MM / 2)
        box = (start / _WIDTH_MM, 1 - (top + height) / total, half / _WIDTH_MM, height / total)
        valid = np.isfinite(thumbnail.fraction)
        values = np.asarray(np.nan_to_num(thumbnail.fraction / 100), np.float32)
        shown = draw_fraction(figure.add_axes(box), values, valid, thumbnail.aspect)
    for down, words, colour in ((2.0, entry.title, INK), (4.8, entry.caption, MUTED)):
        figure.text(left / _WIDTH_MM, 1 - (top + height + down) / total, words, fontsize=6, color=colour, va="center")
    return shown
