"""The contact sheet of a study: every patient's thigh on one page, the fastest on top.

Convention: one slice through the middle of what was measured, on its own grid, reduced for the page; first and last
visit side by side, sorted by rate, those without a rate last.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._panels import (
    FRACTION_COLOURS,
    INK,
    MUTED,
    Panel,
    Sheet,
    choose_slices,
    draw_colour_bar,
    draw_fraction,
    find_window,
    make_sheet,
    write_png,
)
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume

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
    sheet = make_sheet(_WIDTH_MM, total)
    sheet.write(_SIDE_MM, 5.0, title, size=9, weight="bold")
    for place, entry in enumerate(ordered):
        line, column = divmod(place, _COLUMNS)
        corner = (_SIDE_MM + column * (cell + _GAP_MM), _HEAD_MM + line * (height + _CAPTION_MM))
        _draw_entry(sheet, entry, corner, (cell, height))
    if any(entry.thumbnails for entry in entries):
        place = (0.36 * _WIDTH_MM, total - 9.7, 0.28 * _WIDTH_MM)
        draw_colour_bar(sheet, place, FRACTION_COLOURS, (0.0, 100.0), "fat fraction, %")
    return write_png(sheet, about=title)


def _draw_entry(sheet: Sheet, entry: Entry, corner: tuple[float, float], size: tuple[float, float]) -> None:
    (left, top), (cell, height) = corner, size
    half = cell / 2 - _GAP_MM / 4
    for place, thumbnail in enumerate(entry.thumbnails[:2]):
        valid = np.isfinite(thumbnail.fraction)
        values = np.asarray(np.nan_to_num(thumbnail.fraction / 100), np.float32)
        box = _fit(thumbnail, (left + place * (half + _GAP_MM / 2), top, half, height))
        draw_fraction(
            Panel(sheet=sheet, left=box[0], top=box[1], width=box[2], height=box[3], shape=values.shape), values, valid
        )
    for down, words, colour in ((2.0, entry.title, INK), (4.8, entry.caption, MUTED)):
        sheet.write(left, top + height + down, words, colour=colour)


def _fit(thumbnail: Thumbnail, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The largest rectangle of the thumbnail's shape in the middle of a box (left, top, width, height)."""
    left, top, width, height = box
    rows, columns = thumbnail.fraction.shape
    shape = rows * thumbnail.aspect / columns
    wide = min(width, height / shape)
    return left + (width - wide) / 2, top + (height - wide * shape) / 2, wide, wide * shape
