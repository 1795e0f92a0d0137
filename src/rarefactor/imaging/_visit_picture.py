"""The picture of one visit: fat, water and fat fraction of three slices, with the regions that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._panels import (
    FRACTION_COLOURS,
    MUTED,
    Panel,
    Sheet,
    Window,
    choose_slices,
    describe_slice,
    draw_colour_bar,
    draw_fraction,
    draw_grey,
    draw_outlines,
    find_outlines,
    find_window,
    make_sheet,
    write_png,
)
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag, Severity

_WIDTH_MM = 180.0
_HEAD_MM, _FOOT_MM, _FLAG_MM = 13.0, 15.0, 3.2
_GAP_MM, _SIDE_MM, _CAPTION_MM = 1.2, 3.0, 4.0
_FLAGS_SHOWN = 4
_LINE = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """What is shown of a visit.

    Attributes
    ----------
    title : str
        Who and when, such as ``S-1a2b3c4d, baseline``.
    images : sequence of (str, Volume)
        Grey images with their names, such as fat and water.
    fraction, valid : Volume, array of bool
        Fat fraction (0 to 1), and where it is known and within the body.
    labels : LabelMap
        The regions, on the same grid.
    sentence : str
        What was measured, for the line below the title.
    """

    title: str
    images: Sequence[tuple[str, Volume]]
    fraction: Volume
    valid: NDArray[np.bool_]
    labels: LabelMap
    sentence: str = ""
    flags: tuple[Flag, ...] = ()


def draw_visit(view: VisitView) -> bytes:
    """Return the picture of a visit as PNG."""
    slices = choose_slices(view.labels.values)[::-1]
    window = find_window(view.valid | (view.labels.values > 0))
    told = list(_wrap_flags(view.flags))
    width, height = _compute_size(view, window)
    total = _HEAD_MM + len(slices) * (height + _CAPTION_MM) + _FOOT_MM + _FLAG_MM * len(told)
    sheet = make_sheet(_WIDTH_MM, total)
    sheet.write(_SIDE_MM, 4.5, view.title, size=9, weight="bold")
    sheet.write(_SIDE_MM, 9.0, view.sentence, size=7, colour=MUTED)
    for place, index in enumerate(slices):
        _draw_row(sheet, view, index, window, (_HEAD_MM + place * (height + _CAPTION_MM), width, height))
    foot = total - _FOOT_MM - _FLAG_MM * len(told)
    left = _SIDE_MM + len(view.images) * (width + _GAP_MM) + 0.15 * width
    draw_colour_bar(sheet, (left, foot + 2.3, 0.7 * width), FRACTION_COLOURS, (0.0, 100.0), "fat fraction, %")
    for line, words in enumerate(told):
        sheet.write(_SIDE_MM, total - 2.0 - _FLAG_MM * (len(told) - 1 - line), words, va="bottom")
    return write_png(sheet, about=f"{view.title}: {', '.join(name for name, _ in view.images)} and fat fraction")


def _compute_size(view: VisitView, window: Window) -> tuple[float, float]:
    """Width and height of a panel in millimetres."""
    grid, columns = view.fraction.grid, len(view.images) + 1
    width = (_WIDTH_MM - 2 * _SIDE_MM - (columns - 1) * _GAP_MM) / columns
    rows, across = window.of(view.valid[0]).shape
    return width, width * (rows * grid.spacing_mm[1]) / (across * grid.spacing_mm[2])


def describe_source(source: str) -> str:
    """Say where regions come from.

    Examples
    --------
    >>> describe_source("propagated")
    'regions: carried from another visit'
    """
    return f"regions: {_SOURCES.get(source, source)}"


_SOURCES = {
    "reader": "drawn by a reader",
    "propagated": "carried from another visit",
    "compartment": "muscle compartment",
}


def _wrap_flags(flags: Sequence[Flag]) -> Iterator[str]:
    """The sentences of flags that doubt a number, as lines that fit the sheet."""
    told = [flag for flag in flags if flag.severity is not Severity.NOTE][:_FLAGS_SHOWN]
    for flag in told:
        yield from wrap(flag.detail, _LINE)


def _draw_row(sheet: Sheet, view: VisitView, index: int, window: Window, at: tuple[float, float, float]) -> None:
    """Draw one slice; ``at`` is its top and the panels' width and height in millimetres."""
    top, width, height = at
    valid = window.of(view.valid[index])
    where = f"{view.images[0][0]}, {describe_slice(index, *_extent(view.fraction))}"
    names = [where, *(name for name, _ in view.images[1:]), f"fat fraction; {describe_source(view.labels.source)}"]
    panels: list[Panel] = []
    for column, name in enumerate(names):
        left = _SIDE_MM + column * (width + _GAP_MM)
        sheet.write(left, top + _CAPTION_MM - 1.2, name, va="bottom")
        panels.append(
            Panel(sheet=sheet, left=left, top=top + _CAPTION_MM, width=width, height=height, shape=valid.shape)
        )
    for panel, (_, volume) in zip(panels, view.images, strict=False):
        draw_grey(panel, window.of(volume.values[index]), valid)
    draw_fraction(panels[-1], window.of(view.fraction.values[index]), valid)
    draw_outlines(panels[-1], find_outlines(window.of(view.labels.values[index]), view.labels.regions))


def _extent(volume: Volume) -> tuple[int, float]:
    return volume.grid.shape[0], volume.grid.spacing_mm[0]
