"""The picture of one visit: fat, water and fat fraction of three slices, with the regions that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._panels import (
    INK,
    MUTED,
    Window,
    choose_slices,
    describe_slice,
    draw_colour_bar,
    draw_fraction,
    draw_grey,
    draw_outlines,
    find_window,
    make_figure,
    write_png,
)
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag, Severity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    grid = view.fraction.grid
    columns = len(view.images) + 1
    width = (_WIDTH_MM - 2 * _SIDE_MM - (columns - 1) * _GAP_MM) / columns
    rows, across = window.of(view.valid[0]).shape
    height = width * (rows * grid.spacing_mm[1]) / (across * grid.spacing_mm[2])
    total = _HEAD_MM + len(slices) * (height + _CAPTION_MM) + _FOOT_MM + _FLAG_MM * len(told)
    figure = make_figure(_WIDTH_MM, total)
    _draw_head(figure, view, total)
    tops = (_HEAD_MM + place * (height + _CAPTION_MM) for place in range(len(slices)))
    pictures = [
        _draw_row(figure, view, index, window, (top, width, height, total))
        for index, top in zip(slices, tops, strict=True)
    ]
    bottom = _FOOT_MM + _FLAG_MM * len(told)
    left = (_SIDE_MM + (columns - 1) * (width + _GAP_MM) + 0.15 * width) / _WIDTH_MM
    draw_colour_bar(
        figure, pictures[-1], (left, (bottom - 4.5) / total, 0.7 * width / _WIDTH_MM, 2.2 / total), "fat fraction, %"
    )
    for line, words in enumerate(told):
        figure.text(
            _SIDE_MM / _WIDTH_MM, (2.0 + _FLAG_MM * (len(told) - 1 - line)) / total, words, fontsize=6, color=INK
        )
    return write_png(figure, about=f"{view.title}: {', '.join(name for name, _ in view.images)} and fat fraction")


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


def _draw_head(figure: Figure, view: VisitView, total: float) -> None:
    left = _SIDE_MM / _WIDTH_MM
    figure.text(left, 1 - 4.5 / total, view.title, fontsize=9, color=INK, weight="bold", va="center")
    figure.text(left, 1 - 9.0 / total, view.sentence, fontsize=7, color=MUTED, va="center")


def _draw_row(
    figure: Figure, view: VisitView, index: int, window: Window, at: tuple[float, float, float, float]
) -> object:
    """Draw one slice; ``at`` is its top, the panels' width and height, and the sheet's height in millimetres."""
    top, width, height, total = at
    aspect = view.fraction.grid.spacing_mm[1] / view.fraction.grid.spacing_mm[2]
    names = [*(name for name, _ in view.images), f"fat fraction; {describe_source(view.labels.source)}"]
    axes = []
    for column, name in enumerate(names):
        left = (_SIDE_MM + column * (width + _GAP_MM)) / _WIDTH_MM
        box = (left, 1 - (top + _CAPTION_MM + height) / total, width / _WIDTH_MM, height / total)
        axes.append(figure.add_axes(box))
        words = f"{name}, {describe_slice(index, *_extent(view.fraction))}" if column == 0 else name
        figure.text(left, 1 - (top + _CAPTION_MM - 1.2) / total, words, fontsize=6, color=INK, va="bottom")
    for panel, (_, volume) in zip(axes, view.images, strict=False):
        draw_grey(panel, window.of(volume.values[index]), window.of(view.valid[index]), aspect)
    shown = draw_fraction(axes[-1], window.of(view.fraction.values[index]), window.of(view.valid[index]), aspect)
    draw_outlines(axes[-1], window.of(view.labels.values[index]), view.labels.regions)
    return shown


def _extent(volume: Volume) -> tuple[int, float]:
    return volume.grid.shape[0], volume.grid.spacing_mm[0]
