"""The figures of response: a bar for each patient's score, and small panels of measures over time by outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel, ratio_ticks, round_ticks, tick_words
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, Sheet, open_sheet, width_of
from rarefactor.report._words import Words

WIDTH = 170.0
COLOURS: Mapping[str | None, tuple[str, float]] = {
    "none": (ORANGE, 1.0),
    "minimal": (ORANGE, 0.5),
    "moderate": (BLUE, 0.5),
    "major": (BLUE, 1.0),
    None: (MUTED, 0.8),
}
"""Colour and how much of it: a page in the dark has other colours, and the paler ones must stay apart there too."""
_WORDS, _SHARED = Words("response_plot"), Words("words")
GROUP_COLOURS = (BLUE, ORANGE)
_LEFT, _RIGHT, _TOP, _HEIGHT = 12.0, 168.0, 9.0, 52.0
NAMED = 25  # the names of more would be too small to read; results.json holds them
_COLUMNS, _CELL, _PANEL = 3, (57.0, 47.5), (43.0, 28.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One patient: the bounds of the score (the same where it is known), its category, and the outcome."""

    name: str
    low: float
    high: float
    category: str | None
    event: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A group at a month: lower quartile, median and upper quartile of ``n`` patients."""

    month: float
    group: int
    n: int
    values: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One measure over time."""

    title: str
    dots: tuple[Dot, ...]
    log: bool = False


def draw_waterfall(bars: Sequence[Bar], words: Mapping[str, str], cut: float | None) -> Sheet:
    """Return the waterfall; ``words`` are for the axis (``up``), the line (``cut``) and the dots (``event``)."""
    named = len(bars) <= NAMED
    bottom = _TOP + _HEIGHT
    sheet = open_sheet(WIDTH, bottom + 5 + (14 if named else 0))
    panel = Panel(sheet, _LEFT, _TOP, _RIGHT - _LEFT, _HEIGHT, (0, len(bars)), (0, 100))
    for value in (0, 20, 40, 60, 80, 100):
        sheet.line((_LEFT, _RIGHT), (panel.y(value), panel.y(value)), color=RULE, lw=0.4, zorder=0)
        sheet.text(_LEFT - 1.5, panel.y(value), f"{value}", size=7, ha="right", color=MUTED)
    for place, bar in enumerate(bars):
        _draw_bar(panel, bar, place)
        _mark_outcome(sheet, panel.x(place + 0.5), bottom + 2.2, bar.event)
        if named:
            sheet.text(panel.x(place + 0.5), bottom + 4.6, bar.name, size=6.5, rotation=90, va="top", ha="center")
    sheet.line((_LEFT, _RIGHT), (bottom, bottom), color=MUTED)
    if cut is not None:
        sheet.line((_LEFT, _RIGHT), (panel.y(cut), panel.y(cut)), color=INK, lw=1.0, ls=(0, (4, 2)))
        sheet.text(_RIGHT, panel.y(cut) - 1.8, words["cut"], size=7, ha="right", strong=True)
    _draw_key(sheet, bars, words)
    return sheet


def _draw_bar(panel: Panel, bar: Bar, place: int) -> None:
    colour, strength = COLOURS[bar.category]
    left, right = panel.x(place + 0.12), panel.x(place + 0.88)
    top = min(panel.y(bar.low), panel.y(0) - 0.5)
    panel.sheet.fill((left, top), (right - left, panel.y(0) - top), colour, alpha=strength)
    if bar.high > bar.low:
        panel.sheet.fill(
            (left, panel.y(bar.high)), (right - left, top - panel.y(bar.high)), colour, alpha=0.4 * strength
        )
        panel.sheet.line((left, right), (panel.y(bar.high), panel.y(bar.high)), color=colour, lw=0.9)


def _mark_outcome(sheet: Sheet, x: float, y: float, event: bool | None) -> None:  # noqa: FBT001 - an outcome, not a switch
    if event is not False:
        sheet.axes.plot([x], [y], marker="o", ms=2.6, mec=INK, mfc=INK if event else "#ffffff", mew=0.7, ls="none")


def _draw_key(sheet: Sheet, bars: Sequence[Bar], words: Mapping[str, str]) -> None:
    sheet.text(_LEFT - 10, 2.6, words["up"], size=7.5, color=MUTED)
    x = 58.0
    for category, (colour, strength) in COLOURS.items():
        count = sum(bar.category == category for bar in bars)
        if count:
            sheet.fill((x, 1.4), (2.6, 2.6), colour, alpha=strength)
            label = f"{_name(category)} {count}"
            sheet.text(x + 3.6, 2.6, label, size=7)
            x += 7.4 + width_of(label, 7)
    if any(bar.event for bar in bars):
        _mark_outcome(sheet, x + 1.3, 2.7, event=True)
        sheet.text(x + 3.6, 2.6, words["event"], size=7)


def _name(category: str | None) -> str:
    key = category or "open"
    return _WORDS.text(key) if key in _WORDS else _SHARED.names("categories")[key]


def draw_courses(courses: Sequence[Course], labels: tuple[str, str]) -> Sheet:
    """Return small panels of measures over time, one line for each group."""
    lines = math.ceil(len(courses) / _COLUMNS)
    sheet = open_sheet(WIDTH, 6 + lines * _CELL[1])
    x = 2.0
    for label, colour in zip(labels, GROUP_COLOURS, strict=True):
        sheet.dot(x + 1, 2.6, "o", colour)
        sheet.text(x + 3.2, 2.6, label, size=7.5, color=colour, strong=True)
        x += 9 + width_of(label, 7.5)
    months = sorted({dot.month for course in courses for dot in course.dots})
    for place, course in enumerate(courses):
        line, column = divmod(place, _COLUMNS)
        _draw_course(sheet, course, (column * _CELL[0] + 11, 6 + line * _CELL[1] + 6), months)
    return sheet


def _draw_course(sheet: Sheet, course: Course, corner: tuple[float, float], months: Sequence[float]) -> None:
    values = [value for dot in course.dots for value in dot.values if value > 0 or not course.log]
    low, high = (math.log10(min(values)), math.log10(max(values))) if course.log else (min(values), max(values))
    edge, span = 0.08 * (high - low or 1.0), (months[-1] - months[0]) or 1.0
    across = (months[0] - 0.09 * span, months[-1] + 0.09 * span)
    panel = Panel(sheet, *corner, *_PANEL, across, (low - edge, high + edge))
    _draw_frame(panel, course, months)
    for group, colour in enumerate(GROUP_COLOURS):
        own = [dot for dot in course.dots if dot.group == group and (dot.values[0] > 0 or not course.log)]
        shift = (group - 0.5) * 1.1
        at = [(panel.x(dot.month) + shift, [panel.y(_scaled(course, value)) for value in dot.values]) for dot in own]
        sheet.line(tuple(x for x, _ in at), tuple(ys[1] for _, ys in at), color=colour, lw=1.2)
        for x, ys in at:
            sheet.line((x, x), (ys[0], ys[2]), color=colour, lw=0.9, alpha=0.65)
            sheet.dot(x, ys[1], "o", colour)
        bottom = panel.top + panel.height
        for dot in own:
            sheet.text(panel.x(dot.month), bottom + 5.8 + 2.7 * group, f"{dot.n}", size=6.5, ha="center", color=colour)


def _scaled(course: Course, value: float) -> float:
    return math.log10(value) if course.log else value


def _draw_frame(panel: Panel, course: Course, months: Sequence[float]) -> None:
    sheet, bottom = panel.sheet, panel.top + panel.height
    sheet.line((panel.left, panel.left, panel.left + panel.width), (panel.top, bottom, bottom), color=MUTED)
    sheet.text(panel.left - 9, panel.top - 3, course.title, size=7.2, strong=True)
    for month in months:
        sheet.line((panel.x(month), panel.x(month)), (bottom, bottom + 0.8), color=MUTED)
        sheet.text(panel.x(month), bottom + 2.6, tick_words(month), size=6.5, ha="center", color=MUTED)
    sheet.text(panel.left - 9, bottom + 2.6, _WORDS.text("month"), size=6.5, color=MUTED)
    sheet.text(panel.left - 9, bottom + 7.1, _WORDS.text("patients"), size=6.5, color=MUTED)
    for value in _ticks(*panel.up, log=course.log):
        y = panel.y(_scaled(course, value))
        sheet.line((panel.left - 0.8, panel.left), (y, y), color=MUTED)
        sheet.text(panel.left - 1.4, y, tick_words(value), size=6.5, ha="right", color=MUTED)


def _ticks(low: float, high: float, *, log: bool) -> Sequence[float]:
    if not log:
        return round_ticks(low, high, 4)
    return ratio_ticks(low * math.log(10), high * math.log(10), 4)
