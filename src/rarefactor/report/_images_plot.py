"""Figures of measurements in images: medians with quartiles by muscle, and every patient's value by outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel, round_ticks, tick_words
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, Sheet, open_sheet, width_of
from rarefactor.report._words import Words

_WORDS = Words("images_plot")
WIDTH = 170.0
COLOURS = (BLUE, ORANGE, MUTED)
_NAMES, _STEP, _TOP = 44.0, 5.2, 13.0
_DOTS, _CELL = 3, (57.0, 52.0)
_SHARE = 0.62
_TOUCH, _SIDES = 0.035, (0.0, 0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 1.0, -1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Lower quartile, median and upper quartile of a group in ``n`` patients."""

    low: float
    middle: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """A panel: its title, and by row the ranges of the groups (None where a group has none)."""

    title: str
    rows: tuple[tuple[Range | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A panel of patients' values: by group its name, the values in order, and the range."""

    title: str
    groups: tuple[tuple[str, tuple[float, ...], Range | None], ...]


def draw_ranges(labels: Sequence[str], panels: Sequence[Ranges], groups: Sequence[str]) -> Sheet:
    """Return medians (dots) with quartiles (lines) by row, a panel beside the other, a colour for each group."""
    height = _TOP + _STEP * len(labels)
    sheet = open_sheet(WIDTH, height + 9)
    _draw_key(sheet, groups)
    width = (WIDTH - _NAMES - 2) / len(panels)
    for place, label in enumerate(labels):
        sheet.text(_NAMES - 3, _TOP + _STEP * (place + 0.5), label, size=7.2, ha="right")
    for place, ranges in enumerate(panels):
        left = _NAMES + place * width
        sheet.text(left, 9.5, ranges.title, size=7.2, color=MUTED)
        known = [each for row in ranges.rows for each in row if each]
        low, high = min([each.low for each in known], default=0.0), max([each.high for each in known], default=1.0)
        edge = 0.06 * (high - low or 1.0)
        panel = Panel(sheet, left, _TOP, width - 8, height - _TOP, (min(low, 0.0) - edge, high + edge), (0.0, 1.0))
        _draw_rows(panel, ranges.rows)
    return sheet


def _draw_rows(panel: Panel, rows: Sequence[tuple[Range | None, ...]]) -> None:
    sheet, bottom = panel.sheet, panel.top + panel.height
    for place, _ in enumerate(rows):
        y = panel.top + _STEP * (place + 0.5)
        sheet.line((panel.left, panel.left + panel.width), (y, y), color=RULE, lw=0.3, zorder=0)
    sheet.line((panel.left, panel.left + panel.width), (bottom, bottom), color=MUTED)
    if panel.across[0] < 0 < panel.across[1]:
        sheet.line((panel.x(0.0), panel.x(0.0)), (panel.top, bottom), color=MUTED, lw=0.6)
    for value in round_ticks(*panel.across):
        sheet.line((panel.x(value), panel.x(value)), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(panel.x(value), bottom + 2.8, tick_words(value), size=6.5, ha="center", color=MUTED)
    for place, groups in enumerate(rows):
        for number, each in enumerate(groups):
            if each:
                y = panel.top + _STEP * (place + 0.5) + (number - (len(groups) - 1) / 2) * 1.9
                sheet.line((panel.x(each.low), panel.x(each.high)), (y, y), color=COLOURS[number], lw=1.1)
                sheet.dot(panel.x(each.middle), y, "o", COLOURS[number])


def draw_clouds(clouds: Sequence[Cloud]) -> Sheet:
    """Return every patient's value by group, with median and quartiles beside."""
    lines = math.ceil(len(clouds) / _DOTS)
    sheet = open_sheet(WIDTH, lines * _CELL[1] + 1)
    for place, cloud in enumerate(clouds):
        line, column = divmod(place, _DOTS)
        corner = (column * _CELL[0] + 12, line * _CELL[1] + 8)
        _draw_cloud(sheet, cloud, corner)
    return sheet


def _draw_cloud(sheet: Sheet, cloud: Cloud, corner: tuple[float, float]) -> None:
    values = [value for _, own, _ in cloud.groups for value in own]
    low, high = min([0.0, *values]), max([*values, 1e-9])
    panel = Panel(sheet, *corner, 42.0, 34.0, (0.0, float(len(cloud.groups))), (low, high + 0.06 * (high - low)))
    bottom = panel.top + panel.height
    sheet.text(panel.left - 10, panel.top - 4, cloud.title, size=7.2, strong=True)
    sheet.line((panel.left, panel.left, panel.left + panel.width), (panel.top, bottom, bottom), color=MUTED)
    for value in round_ticks(*panel.up):
        sheet.line((panel.left - 0.9, panel.left), (panel.y(value), panel.y(value)), color=MUTED)
        sheet.text(panel.left - 1.5, panel.y(value), tick_words(value), size=6.5, ha="right", color=MUTED)
    for place, (label, own, summary) in enumerate(cloud.groups):
        colour, unit = COLOURS[place], panel.width / len(cloud.groups)
        left = panel.left + place * unit
        for x, value in zip(spread(own, high - low or 1.0), own, strict=True):
            at = left + unit * (0.42 + x * _SHARE / 2)
            sheet.axes.plot([at], [panel.y(value)], marker="o", ms=3.0, mec=colour, mfc="none", mew=0.8, ls="none")
        if summary:
            x = left + unit * 0.86
            sheet.line((x, x), (panel.y(summary.low), panel.y(summary.high)), color=INK, lw=1.0)
            sheet.dot(x, panel.y(summary.middle), "s", INK)
        sheet.text(left + unit / 2, bottom + 2.8, label, size=6.8, ha="center", color=colour, strong=True)
        sheet.text(
            left + unit / 2, bottom + 5.6, _WORDS.text("patients", n=len(own)), size=6.5, ha="center", color=MUTED
        )


def spread(values: Sequence[float], span: float) -> tuple[float, ...]:
    """Return where to draw values that are in order, from -1 to 1 across, so that near ones do not hide each other.

    Examples
    --------
    >>> spread((1.0, 1.1, 5.0), 10.0)
    (0.0, 0.25, 0.0)
    """
    placed: list[float] = []
    for value in values:
        near = [x for x, other in zip(placed, values, strict=False) if abs(value - other) < _TOUCH * span]
        placed.append(min(_SIDES, key=lambda x: sum(abs(x - other) < _SIDES[1] for other in near)))
    return tuple(placed)


def _draw_key(sheet: Sheet, groups: Sequence[str]) -> None:
    x = _NAMES
    for label, colour in zip(groups, COLOURS, strict=False):
        sheet.dot(x + 1, 3, "o", colour)
        sheet.text(x + 3.2, 3, label, size=7.5, color=colour, strong=True)
        x += 9 + width_of(label, 7.5)
