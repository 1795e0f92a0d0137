"""The figure of all models: columns of small forest plots with their estimates under the lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rarefactor.report._effects import Effect, side
from rarefactor.report._panel import Panel, ratio_ticks
from rarefactor.report._plot import BLUE, INK, MUTED, RULE, Sheet, open_sheet, wrap_text
from rarefactor.report._summary_effects import Measure
from rarefactor.report._words import Words
from rarefactor.report.format import format_range, format_ratio
from rarefactor.results import Estimate

_WORDS = Words("overview")
_WIDTH, _LABEL, _GAP, _ROW, _LINE = 170.0, 46.0, 3.0, 7.0, 3.0
_TITLE_SIZE, _SIZE, _NUMBER_SIZE = 7.0, 7.5, 6.5
_WIDEST = 2.0  # decades to each side of 1; beyond this a bound becomes an arrow
_UNDER, _TICKS, _INSIDE = 11.0, 5, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A model: its title, events of patients, what its ratios are, and those of its markers."""

    title: str
    counts: str
    measure: Measure
    effects: tuple[Effect, ...]


def draw_overview(columns: Sequence[Column]) -> Sheet:
    """Return the figure; a row for each marker that a model holds, in the order of the first that holds it."""
    labels = tuple(dict.fromkeys(effect.label for column in columns for effect in column.effects))
    rows = [wrap_text(label, _LABEL - 2, size=_SIZE) for label in labels]
    width = (_WIDTH - _LABEL) / len(columns) - _GAP
    titles = [wrap_text(column.title, width, size=_TITLE_SIZE) for column in columns]
    top = 5.0 + _LINE * (max(len(lines) for lines in titles) + 1)
    bottom = top + _ROW * len(rows)
    sheet = open_sheet(_WIDTH, bottom + _UNDER)
    for place, lines in enumerate(rows):
        y = top + _ROW * (place + 0.5)
        sheet.text(0, y, "\n".join(lines), size=_SIZE)
        sheet.line((0, _WIDTH), (y + _ROW / 2, y + _ROW / 2), color=RULE, lw=0.4)
    for place, (column, title) in enumerate(zip(columns, titles, strict=True)):
        left = _LABEL + place * (width + _GAP) + _GAP
        across = _reach(column)
        panel = Panel(sheet, left, top, width, bottom - top, across, (0.0, 1.0))
        _draw_head(panel, column, title)
        _draw_axis(panel)
        _draw_effects(panel, column, labels)
    _draw_key(sheet, bottom + _UNDER - 2.2)
    return sheet


def _reach(column: Column) -> tuple[float, float]:
    """Return the powers of ten between which the axis of a column runs."""
    rows = [effect.firth for effect in column.effects]
    bounds = [value for row in rows if row for value in (row.low, row.high, row.estimate)]
    powers = [math.log10(value) for value in bounds if value is not None and 0 < value < math.inf]
    widest = min(_WIDEST, max([0.5, *(abs(power) for power in powers)]))
    return -widest, widest


def _draw_head(panel: Panel, column: Column, title: Sequence[str]) -> None:
    sheet = panel.sheet
    lines = len(title)
    sheet.text(panel.left, 3.0 + _LINE * (lines - 1) / 2, "\n".join(title), size=_TITLE_SIZE, strong=True)
    heads = _WORDS.text("head", measure=column.measure, counts=column.counts)
    sheet.text(panel.left, panel.top - 2.6, heads, size=_NUMBER_SIZE, color=MUTED)
    sheet.line((panel.left, panel.left + panel.width), (panel.top, panel.top), color=INK, lw=0.8)


def _draw_axis(panel: Panel) -> None:
    sheet, bottom = panel.sheet, panel.top + panel.height
    inside = _INSIDE * panel.across[1] * math.log(10)
    for tick in ratio_ticks(-inside, inside, _TICKS):
        x = panel.x(math.log10(tick))
        sheet.line((x, x), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(x, bottom + 2.7, f"{tick:g}", size=_NUMBER_SIZE, ha="center", color=MUTED)


def _draw_effects(panel: Panel, column: Column, labels: Sequence[str]) -> None:
    for effect in column.effects:
        if effect.firth:
            y = panel.top + _ROW * (labels.index(effect.label) + 0.5)
            panel.sheet.line((panel.x(0.0), panel.x(0.0)), (y - _ROW / 2, y + 0.1), color=MUTED, lw=0.7)
            _draw_ratio(panel, effect.firth, y)


def _draw_ratio(panel: Panel, row: Estimate, y: float) -> None:
    sheet, line = panel.sheet, y - 1.4
    low, high = _power(row.low, -math.inf), _power(row.high, math.inf)
    first, last = panel.x(max(low, panel.across[0])), panel.x(min(high, panel.across[1]))
    sheet.line((first, last), (line, line), color=BLUE, lw=1.1)
    if low < panel.across[0]:
        sheet.arrow((first + 1.5, line), (first, line), BLUE)
    if high > panel.across[1]:
        sheet.arrow((last - 1.5, line), (last, line), BLUE)
    inside = min(max(_power(row.estimate, 0.0), panel.across[0]), panel.across[1])
    sheet.dot(panel.x(inside), line, "s", BLUE, hollow=side(row) == 0)
    shown = f"{format_ratio(row.estimate)} ({format_range(row.low, row.high, format_ratio)})"
    middle = panel.left + panel.width / 2
    sheet.text(middle, y + 1.6, shown, size=_NUMBER_SIZE, ha="center")


def _power(value: float | None, otherwise: float) -> float:
    if value is None or value == math.inf:
        return otherwise
    return math.log10(value) if value > 0 else -math.inf


def _draw_key(sheet: Sheet, y: float) -> None:
    for x, key, hollow in ((1.2, "excludes", False), (36.0, "holds", True)):
        sheet.dot(x, y, "s", BLUE, hollow=hollow)
        sheet.text(x + 2.4, y, _WORDS.text(key), size=7, color=MUTED)
    sheet.text(sheet.width, y, _WORDS.text("lines"), size=7, ha="right", color=MUTED)
