"""The picture of a change: two visits on the same slices, the difference, and each muscle's change with its error.

Convention: all maps are on the follow-up's grid, baseline carried there by the registration; a change is in percentage
points, positive where fat has increased; a bar is filled where the change is beyond the error of measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._panels import (
    CHANGE_COLOURS,
    FRACTION_COLOURS,
    INK,
    MUTED,
    Panel,
    Sheet,
    Window,
    choose_slices,
    describe_slice,
    draw_change,
    draw_colour_bar,
    draw_fraction,
    draw_outlines,
    find_outlines,
    find_window,
    make_sheet,
    write_png,
)
from rarefactor.imaging._regions import LabelMap, Region, Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_MM = 180.0
_HEAD_MM, _BAR_MM, _FOOT_MM = 13.0, 17.0, 8.0
_GAP_MM, _SIDE_MM, _CAPTION_MM = 1.2, 3.0, 4.0
_CHART_MM = 62.0
_LIMIT = 30.0
_FEWEST_BARS = 7
_SIDES = {Side.RIGHT: ("right", "#0b5394", -1), Side.LEFT: ("left", "#c2570c", 1), None: ("both", "#5d6874", 0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChange:
    """The change of one region: percentage points, its standard error, and whether it is beyond error."""

    region: Region
    change: float
    se: float
    beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """What is shown of a change.

    Attributes
    ----------
    title, sentence : str
        Who, which visits, and what was found.
    visits : (str, str)
        Names of the two visits.
    before, after : array of float32, shape of the labels' grid
        Fat fraction, 0 to 1.
    common : array of bool
        Where both are known.
    labels : LabelMap
        Regions at follow-up.
    changes : sequence of RegionChange
        In the order of the bars.
    """

    title: str
    sentence: str
    visits: tuple[str, str]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    common: NDArray[np.bool_]
    labels: LabelMap
    changes: Sequence[RegionChange]


def draw_visits(view: ChangeView) -> bytes:
    """Return the picture of a change as PNG."""
    slices = choose_slices(view.labels.values)[::-1]
    window = find_window(view.common)
    grid = view.labels.grid
    width = (_WIDTH_MM - 2 * _SIDE_MM - 2 * _GAP_MM) / 3
    rows, across = window.of(view.common[0]).shape
    height = width * (rows * grid.spacing_mm[1]) / (across * grid.spacing_mm[2])
    foot = _HEAD_MM + len(slices) * (height + _CAPTION_MM)
    total = foot + _BAR_MM + _CHART_MM + _FOOT_MM
    sheet = make_sheet(_WIDTH_MM, total)
    sheet.write(_SIDE_MM, 4.5, view.title, size=9, weight="bold")
    sheet.write(_SIDE_MM, 9.0, view.sentence, size=7, colour=MUTED)
    for place, index in enumerate(slices):
        _draw_row(sheet, view, index, window, (_HEAD_MM + place * (height + _CAPTION_MM), width, height))
    for column, (colours, ends, words) in _SCALES.items():
        left = _SIDE_MM + (0.15 + column) * width + column * _GAP_MM
        draw_colour_bar(sheet, (left, foot + 2.8, 0.7 * width), colours, ends, words)
    box = (0.075, (_FOOT_MM + 4.0) / total, 0.905, (_CHART_MM - 8.0) / total)
    draw_bars(sheet.figure.add_axes(box), view.changes)
    return write_png(sheet, about=f"{view.title}: fat fraction at {' and '.join(view.visits)}, and its change")


_SCALES = {
    0.5: (FRACTION_COLOURS, (0.0, 100.0), "fat fraction, %"),
    2.0: (CHANGE_COLOURS, (-_LIMIT, _LIMIT), "change of fat fraction, percentage points"),
}
"""By the column below which it stands."""


def _draw_row(sheet: Sheet, view: ChangeView, index: int, window: Window, at: tuple[float, float, float]) -> None:
    """Draw one slice; ``at`` is its top and the panels' width and height in millimetres."""
    top, width, height = at
    grid, common = view.labels.grid, window.of(view.common[index])
    first = f"{view.visits[0]}, {describe_slice(index, grid.shape[0], grid.spacing_mm[0])}"
    panels: list[Panel] = []
    for column, name in enumerate((first, view.visits[1], "difference")):
        left = _SIDE_MM + column * (width + _GAP_MM)
        sheet.write(left, top + _CAPTION_MM - 1.2, name, va="bottom")
        panels.append(
            Panel(sheet=sheet, left=left, top=top + _CAPTION_MM, width=width, height=height, shape=common.shape)
        )
    before, after = window.of(view.before[index]), window.of(view.after[index])
    draw_fraction(panels[0], before, common)
    draw_fraction(panels[1], after, common)
    draw_change(panels[2], np.asarray(100 * (after - before), np.float32), common, _LIMIT)
    found = find_outlines(window.of(view.labels.values[index]), view.labels.regions)
    for panel in panels:
        draw_outlines(panel, found, named=panel is not panels[2])


def draw_bars(axes: Axes, changes: Sequence[RegionChange]) -> None:
    """Draw the change of each region with its 95 % error of measurement, the sides beside each other."""
    names = list(dict.fromkeys(each.region.name for each in changes))
    for side, (word, colour, offset) in _SIDES.items():
        own = [each for each in changes if each.region.side == side]
        if not own:
            continue
        places = np.array([names.index(each.region.name) for each in own]) + 0.19 * offset
        values = np.array([each.change for each in own])
        fills = [colour if each.beyond else "white" for each in own]
        axes.bar(places, values, width=0.34, color=fills, edgecolor=colour, linewidth=0.9, label=word, zorder=2)
        errors = 1.96 * np.array([each.se for each in own])
        axes.errorbar(places, values, yerr=errors, fmt="none", ecolor=INK, elinewidth=0.7, capsize=1.5, zorder=3)
    axes.axhline(0, color=INK, linewidth=0.7)
    axes.set_xticks(range(len(names)), names)
    room = max(0.6, (_FEWEST_BARS - len(names) + 1) / 2)
    axes.set_xlim(-room, len(names) - 1 + room)
    axes.set_ylabel("change, percentage points", fontsize=7, color=INK)
    axes.tick_params(labelsize=6.5, length=2, color=MUTED, labelcolor=INK)
    axes.grid(axis="y", color="#e3e8ed", linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)
    _draw_key(axes, {each.region.side for each in changes})


def _draw_key(axes: Axes, sides: set[Side | None]) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415 - late: loaded when something is drawn

    keys = [
        Patch(facecolor=colour, edgecolor=colour, label=word)
        for side, (word, colour, _) in _SIDES.items()
        if side in sides
    ]
    keys.append(Patch(facecolor="white", edgecolor=MUTED, label="within the error of measurement"))
    axes.legend(handles=keys, fontsize=6.5, frameon=False, ncols=len(keys), loc="lower left", bbox_to_anchor=(0, 1.0))
