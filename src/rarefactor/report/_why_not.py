"""Why models are for research only: patients needed beside patients there are, and the shrinkage to expect."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rarefactor.report._panel import Panel
from rarefactor.report._plot import BLUE, MUTED, ORANGE, TINT, Sheet, open_sheet
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.results import LEAST_SHRINKAGE, RiskModel, RiskSize

_WORDS = Words("why_not")
WIDTH = 170.0
_ROW, _TOP, _FOOT = 6.0, 9.0, 13.0
_LEFT, _COUNTS, _SHRINKAGE, _SPAN = 1.0, 62.0, 128.0, (50.0, 38.0)
_SOFT = {"color": MUTED, "lw": 0.5}


def draw_need(models: Sequence[RiskModel]) -> Sheet:
    """Return two panels with a line per model and supposition."""
    lines = sum(1 + len(model.size) for model in models)
    bottom = _TOP + _ROW * lines
    sheet = open_sheet(WIDTH, bottom + _FOOT)
    most = max([10, *(size.n for model in models for size in model.size)])
    high = math.ceil(math.log10(1.25 * most))
    counts = Panel(sheet, _COUNTS, _TOP, _SPAN[0], _ROW * lines, (1.0, float(high)), (0.0, 1.0))
    shrinkage = Panel(sheet, _SHRINKAGE, _TOP, _SPAN[1], _ROW * lines, (0.0, 1.0), (0.0, 1.0))
    sheet.text(counts.left, 3, _WORDS.text("patients"), strong=True)
    sheet.text(shrinkage.left, 3, _WORDS.text("shrinkage"), strong=True)
    _draw_axes(counts, [(float(power), format_count(10**power)) for power in range(1, high + 1)])
    _shade(shrinkage)
    _draw_axes(shrinkage, [(value / 4, f"{value / 4:g}") for value in range(5)])
    y = _TOP + 0.5 * _ROW
    for model in models:
        sheet.text(_LEFT, y, model.label, strong=True)
        for size in model.size:
            y += _ROW
            sheet.text(_LEFT + 3, y, size.supposed, size=7.5)
            _draw_counts(counts, y, model.population.n, size)
            _draw_shrinkage(shrinkage, y, size.expected_shrinkage)
        y += _ROW
    _draw_key(sheet, bottom + 10.0)
    return sheet


def _draw_axes(panel: Panel, ticks: Sequence[tuple[float, str]]) -> None:
    bottom = panel.top + panel.height
    panel.sheet.line((panel.left, panel.left + panel.width), (bottom, bottom), color=MUTED)
    for value, words in ticks:
        panel.sheet.line((panel.x(value), panel.x(value)), (bottom, bottom + 0.9), color=MUTED)
        panel.sheet.text(panel.x(value), bottom + 2.9, words, size=6.5, ha="center", color=MUTED)


def _shade(panel: Panel) -> None:
    panel.sheet.box(
        (panel.x(LEAST_SHRINKAGE), panel.top),
        (panel.x(1.0) - panel.x(LEAST_SHRINKAGE), panel.height),
        TINT,
        "none",
    )


def _draw_counts(panel: Panel, y: float, there: int, size: RiskSize) -> None:
    has, needed = panel.x(math.log10(max(there, 10))), panel.x(math.log10(size.n))
    panel.sheet.line((has, needed), (y, y), **_SOFT)
    panel.sheet.dot(has, y, "o", BLUE)
    panel.sheet.dot(needed, y, "D", ORANGE, hollow=True)
    sides = {True: (-1.8, "right"), False: (1.8, "left")}
    for x, words, leads in ((has, there, has <= needed), (needed, size.n, needed < has)):
        shift, side = sides[leads]
        panel.sheet.text(x + shift, y, format_count(words), size=6.5, ha=side)


def _draw_shrinkage(panel: Panel, y: float, value: float) -> None:
    panel.sheet.line((panel.x(0.0), panel.x(1.0)), (y, y), **_SOFT)
    panel.sheet.dot(panel.x(value), y, "o", BLUE)
    panel.sheet.text(panel.x(value), y - 2.1, f"{value:.2f}", size=6.5, ha="center")


def _draw_key(sheet: Sheet, y: float) -> None:
    sheet.dot(_COUNTS + 1, y, "o", BLUE)
    sheet.text(_COUNTS + 3, y, _WORDS.text("there"), size=7)
    sheet.dot(_COUNTS + 22, y, "D", ORANGE, hollow=True)
    sheet.text(_COUNTS + 24, y, _WORDS.text("needed"), size=7)
    sheet.text(_SHRINKAGE + _SPAN[1], y, _WORDS.text("asked", least=f"{LEAST_SHRINKAGE:.2f}"), size=7, ha="right")
