"""Panels of what two readings differ by, over what they mean, with the limits of agreement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel, draw_panel
from rarefactor.report._plot import BLUE, MUTED, ORANGE, Sheet, open_sheet, wrap_text
from rarefactor.report._words import Words
from rarefactor.report.format import format_fixed
from rarefactor.results import Estimate

_WORDS = Words("agreement")
WIDTH = 170.0
_ACROSS, _LEFT, _TOP = 2, 17.0, 9.0
_PANEL, _STEP = (52.0, 40.0), (85.0, 60.0)
_LARGEST = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two readings: of what, by whom, mean and difference of each pair; lower limit, bias and upper limit."""

    title: str
    readers: tuple[str, str]
    means: tuple[float, ...]
    differences: tuple[float, ...]
    limits: tuple[Estimate, ...]


def draw_differences(panels: Sequence[Compared]) -> Sheet:
    """Return a panel for each pair of readers."""
    rows = math.ceil(len(panels) / _ACROSS)
    sheet = open_sheet(WIDTH, _STEP[1] * rows)
    for place, compared in enumerate(panels):
        corner = (_LEFT + _STEP[0] * (place % _ACROSS), _TOP + _STEP[1] * (place // _ACROSS))
        _draw_one(sheet, compared, corner)
    return sheet


def _draw_one(sheet: Sheet, compared: Compared, corner: tuple[float, float]) -> None:
    one, other = compared.readers
    ends = [end for row in compared.limits for end in (row.estimate, row.low, row.high) if end is not None]
    across, up = _widen(compared.means), _widen((0.0, *ends, *compared.differences))
    titles = (_WORDS.text("across"), _WORDS.text("up", one=one, other=other))
    panel = draw_panel(sheet, corner, _PANEL, across, up, titles)
    words = wrap_text(compared.title, _PANEL[0] + 10, size=7)
    sheet.text(corner[0] - 10, corner[1] - 4, words[0], size=7.5, strong=True)
    panel.curve(across, (0.0, 0.0), color=MUTED, lw=0.5)
    for row, dash in zip(compared.limits, ((0, (4, 2)), "-", (0, (4, 2))), strict=True):
        _draw_limit(panel, row, dash)
    for (mean, difference), count in sorted(Counter(zip(compared.means, compared.differences, strict=True)).items()):
        size = min(2.8 * math.sqrt(count), _LARGEST)
        x, y = panel.x(mean), panel.y(difference)
        sheet.axes.plot([x], [y], marker="o", ms=size, mec=BLUE, mfc=BLUE, alpha=0.6, mew=0.3, ls="none", zorder=3)


def _draw_limit(panel: Panel, row: Estimate, dash: object) -> None:
    """Draw a line with its interval and its number."""
    if row.estimate is None:
        return
    right = panel.left + panel.width
    if row.low is not None and row.high is not None:
        corner, height = (panel.left, panel.y(row.high)), panel.y(row.low) - panel.y(row.high)
        panel.sheet.fill(corner, (panel.width, height), ORANGE, alpha=0.1)
    panel.curve(panel.across, (row.estimate, row.estimate), color=ORANGE, lw=1.0, ls=dash)
    panel.sheet.text(right + 1.2, panel.y(row.estimate), format_fixed(row.estimate, 2), size=6.5, color=ORANGE)


def _widen(values: Sequence[float]) -> tuple[float, float]:
    edge = 0.07 * (max(values) - min(values)) or 1.0
    return min(values) - edge, max(values) + edge
