"""The figure of a trajectory: the mean of each group over time, and how patients' own slopes are spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel, ratio_ticks, round_ticks, thin_ticks, tick_words
from rarefactor.report._plot import MUTED, Sheet, open_sheet, width_of, wrap_text
from rarefactor.report._survival_plot import COLORS, DASHES
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.results import Estimate

_WORDS = Words("course_plot")
WIDTH = 170.0
_TOP, _HEIGHT = 7.0, 60.0
_MEANS, _SPREAD, _ALONE = (30.0, 96.0), (128.0, 169.0), (30.0, 140.0)
_LABEL, _LINE, _GAP = 26.0, 3.0, 1.0
_ABOVE = 4.2
"""How far above the slopes of a group its name stands."""

_ROOM = 0.07
"""How far apart months must stand to be told at the axis, as a share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A group: its mean with band at months, what was observed near them, and quantiles of its patients' slopes.

    ``patients`` holds the measurements of each of its patients in the order of time; empty where none are told apart.
    """

    label: str
    means: tuple[Estimate, ...]
    observed: tuple[Estimate, ...]
    slopes: tuple[Estimate, ...]
    patients: tuple[tuple[Estimate, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """What stands at the axes: months, the measurement with its unit, the change per unit of time.

    ``months`` are those of the visits, at which the axis of time has its ticks.
    """

    across: str
    up: str
    change: str
    ratios: bool
    months: tuple[float, ...] = ()


def draw_course(curves: Sequence[Curve], axes: Axes) -> Sheet:
    """Return the figure; on the log scale where changes are ratios."""
    names = [wrap_text(curve.label, _LABEL, size=7) for curve in curves]
    counts = sum(_LINE * len(name) + _GAP for name in names) + _LINE
    sheet = open_sheet(WIDTH, _TOP + _HEIGHT + 11 + counts)
    scale: Callable[[float], float] = math.log if axes.ratios else float
    panel = _draw_means(sheet, curves, axes, scale)
    _draw_counts(panel, curves, names)
    if any(curve.slopes for curve in curves):
        _draw_spread(sheet, curves, axes, scale)
    return sheet


def _draw_means(sheet: Sheet, curves: Sequence[Curve], axes: Axes, scale: Callable[[float], float]) -> Panel:
    single = [row for curve in curves for line in curve.patients for row in line]
    rows = [*single, *(row for curve in curves for row in (*curve.means, *curve.observed))]
    values = [value for row in rows for value in (row.estimate, row.low, row.high) if value is not None]
    low, high = _widen(min(scale(value) for value in values), max(scale(value) for value in values))
    end = max(float(row.term or 0) for row in rows)
    left, right = _MEANS if any(curve.slopes for curve in curves) else _ALONE
    panel = Panel(sheet, left, _TOP, right - left, _HEIGHT, (0, end), (low, high))
    _draw_frame(panel, axes.across)
    months = thin_ticks([month for month in axes.months if month <= end], panel.across, _ROOM)
    for month in months if len(months) > 1 else round_ticks(0.0, end):
        _tick_across(panel, month, tick_words(month))
    for value in (ratio_ticks if axes.ratios else round_ticks)(low, high):
        y = panel.y(scale(value))
        sheet.line((left - 1, left), (y, y), color=MUTED)
        sheet.text(left - 1.8, y, tick_words(value), size=7, ha="right", color=MUTED)
    sheet.text(1, 2.5, axes.up, size=7.5, color=MUTED)
    for place, curve in enumerate(curves):
        _draw_patients(panel, curve, place, scale)
    for place, curve in enumerate(curves):
        _draw_mean(panel, curve, place, scale)
    _draw_names(panel, curves, scale)
    return panel


def _draw_counts(panel: Panel, curves: Sequence[Curve], names: Sequence[Sequence[str]]) -> None:
    """Write under the axis how many patients of each group were measured around each visit."""
    y = panel.top + panel.height + 11.0
    panel.sheet.text(1, y, _WORDS.text("measured"), size=7, strong=True)
    y += _LINE + _GAP / 2
    for place, (curve, name) in enumerate(zip(curves, names, strict=True)):
        middle = y + _LINE * (len(name) - 1) / 2
        panel.sheet.text(1, middle, "\n".join(name), size=7, color=COLORS[place % len(COLORS)])
        for row in curve.observed:
            panel.sheet.text(panel.x(float(row.term or 0)), middle, format_count(row.n), size=7, ha="center")
        y += _LINE * len(name) + _GAP


def _draw_patients(panel: Panel, curve: Curve, place: int, scale: Callable[[float], float]) -> None:
    """Draw a thin line for each patient, behind the means."""
    for line in curve.patients:
        known = [row for row in line if row.estimate is not None]
        xs = tuple(panel.x(float(row.term or 0)) for row in known)
        ys = tuple(panel.y(scale(row.estimate or 0)) for row in known)
        panel.sheet.line(xs, ys, color=COLORS[place % len(COLORS)], lw=0.4, alpha=0.22)


def _draw_mean(panel: Panel, curve: Curve, place: int, scale: Callable[[float], float]) -> None:
    color, dash = COLORS[place % len(COLORS)], DASHES[place % len(DASHES)]
    known = [row for row in curve.means if row.estimate is not None and row.low is not None and row.high is not None]
    xs = [panel.x(float(row.term or 0)) for row in known]
    lows, highs = ([panel.y(scale(getattr(row, side))) for row in known] for side in ("low", "high"))
    panel.sheet.axes.fill_between(xs, lows, highs, color=color, alpha=0.14, linewidth=0)
    ys = [panel.y(scale(row.estimate or 0)) for row in known]
    panel.sheet.line(tuple(xs), tuple(ys), color=color, lw=1.4, ls=dash)
    for row in curve.observed:
        if row.estimate is not None:
            panel.sheet.dot(panel.x(float(row.term or 0)), panel.y(scale(row.estimate)), "o", color, hollow=True)


def _draw_names(panel: Panel, curves: Sequence[Curve], scale: Callable[[float], float]) -> None:
    """Name each line at its end, moved apart where two would touch."""
    ends = [panel.y(scale(curve.means[-1].estimate or 0)) if curve.means else panel.top for curve in curves]
    floor = panel.top - 2
    for place in sorted(range(len(curves)), key=lambda item: ends[item]):
        lines = wrap_text(curves[place].label, _LABEL, size=7)
        half = _LINE * len(lines) / 2
        y = max(ends[place], floor + half)
        color = COLORS[place % len(COLORS)]
        panel.sheet.text(panel.left + panel.width + 1.5, y, "\n".join(lines), size=7, color=color, strong=True)
        floor = y + half + 0.4


def _draw_spread(sheet: Sheet, curves: Sequence[Curve], axes: Axes, scale: Callable[[float], float]) -> None:
    """Draw patients' own slopes: outer quantiles as a line, quartiles as a bar, the median as a mark."""
    values = [scale(row.estimate) for curve in curves for row in curve.slopes if row.estimate is not None]
    none = 0.0  # no change, also as the logarithm of a ratio
    low, high = _widen(min(none, *values), max(none, *values))
    left, right = _SPREAD
    panel = Panel(sheet, left, _TOP, right - left, _HEIGHT, (low, high), (0, len(curves)))
    bottom = _TOP + _HEIGHT
    sheet.line((left, right), (bottom, bottom), color=MUTED)
    sheet.text((left + right) / 2, bottom + 7.2, axes.change, size=7.5, ha="center", color=MUTED)
    sheet.line((panel.x(none), panel.x(none)), (_TOP, bottom), color=MUTED, lw=0.8, ls=(0, (3, 2)))
    for value in ratio_ticks(low, high, 5) if axes.ratios else round_ticks(low, high):
        _tick_across(panel, scale(value), tick_words(value))
    sheet.text(left, 2.5, _WORDS.text("slopes"), size=7.5, color=MUTED)
    for place, curve in enumerate(curves):
        color, y = COLORS[place % len(COLORS)], panel.y(len(curves) - place - 0.5)
        slopes = [scale(row.estimate or 1) for row in curve.slopes]
        if slopes:
            _draw_quantiles(panel, slopes, y, color)
            _name_slopes(panel, curve.label, slopes[len(slopes) // 2], y, color)


def _draw_quantiles(panel: Panel, slopes: Sequence[float], y: float, color: str) -> None:
    middle = len(slopes) // 2
    panel.sheet.line((panel.x(slopes[0]), panel.x(slopes[-1])), (y, y), color=color, lw=1.2)
    panel.sheet.line((panel.x(slopes[middle - 1]), panel.x(slopes[middle + 1])), (y, y), color=color, lw=5, alpha=0.45)
    panel.sheet.dot(panel.x(slopes[middle]), y, "s", color)


def _name_slopes(panel: Panel, name: str, middle: float, y: float, color: str) -> None:
    """Name a group above its slopes, on the side of no change on which it fits and is the nearer."""
    lines = wrap_text(name, panel.width, size=7)
    half = max(width_of(line, 7) for line in lines) / 2
    none, left, right = panel.x(0.0), panel.left + half, panel.left + panel.width - half
    free = [
        x
        for x in (min(max(panel.x(middle), left), right), none + half + 1.2, none - half - 1.2)
        if left <= x <= right and abs(x - none) > half + 0.8
    ]
    x = min(free, key=lambda place: abs(place - panel.x(middle)), default=left)
    panel.sheet.text(x, y - _ABOVE, "\n".join(lines), size=7, color=color, strong=True, ha="center")


def _draw_frame(panel: Panel, across: str) -> None:
    bottom, right = panel.top + panel.height, panel.left + panel.width
    panel.sheet.line((panel.left, panel.left, right), (panel.top, bottom, bottom), color=MUTED)
    panel.sheet.text((panel.left + right) / 2, bottom + 7.2, across, size=7.5, ha="center", color=MUTED)


def _tick_across(panel: Panel, value: float, words: str) -> None:
    x, bottom = panel.x(value), panel.top + panel.height
    panel.sheet.line((x, x), (bottom, bottom + 1), color=MUTED)
    panel.sheet.text(x, bottom + 3.2, words, size=7, ha="center", color=MUTED)


def _widen(low: float, high: float) -> tuple[float, float]:
    edge = 0.06 * (high - low) or 1.0
    return low - edge, high + edge
