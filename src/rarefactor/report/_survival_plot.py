"""Curves of follow-up with bands, labels at their ends and the numbers at risk below the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, Sheet, open_sheet, wrap_text
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.results import Estimate

_WORDS = Words("survival_plot")
WIDTH = 170.0
COLORS = (BLUE, ORANGE, "#2b7a4b", "#7a3e9d", INK, "#8a6d00")
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (7, 1.5, 1.5, 1.5)), (0, (3, 3)), (0, (2, 1, 1, 1)))
_LEFT, _RIGHT, _TOP, _HEIGHT = 38.0, 136.0, 4.0, 62.0
_LABEL, _LINE, _GAP = 32.0, 3.0, 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve: what it is called, its points, the numbers at risk at the ticks, and the rows that tell it in words."""

    label: str
    points: tuple[Estimate, ...]
    at: tuple[Estimate, ...]
    told: tuple[Estimate, ...] = ()


def draw_survival(lines: Sequence[Line], across: str, up: str) -> Sheet:
    """Return the figure of some curves; ``across`` and ``up`` are the words for the axes."""
    names = [wrap_text(line.label, _LABEL, size=7) for line in lines]
    heights = [_LINE * len(name) + _GAP for name in names]
    bottom = _TOP + _HEIGHT
    sheet = open_sheet(WIDTH, bottom + 16 + sum(heights))
    ticks = [float(row.term or 0) for row in lines[0].at]
    end = max(float(row.term or 0) for line in lines for row in (*line.points, *line.at))
    panel = Panel(sheet, _LEFT, _TOP, _RIGHT - _LEFT, _HEIGHT, (0, end), (0, 100))
    _draw_axes(panel, ticks, across, up)
    for place, line in enumerate(lines):
        _draw_line(panel, line, place)
    _draw_labels(panel, lines, names)
    _draw_at_risk(panel, lines, names, heights)
    return sheet


def _draw_axes(panel: Panel, ticks: Sequence[float], across: str, up: str) -> None:
    sheet, bottom = panel.sheet, panel.top + panel.height
    sheet.line((_LEFT, _LEFT, _RIGHT), (_TOP, bottom, bottom), color=MUTED)
    for value in (0, 25, 50, 75, 100):
        sheet.line((_LEFT - 1, _LEFT), (panel.y(value), panel.y(value)), color=MUTED)
        sheet.text(_LEFT - 1.8, panel.y(value), f"{value}", size=7, ha="right", color=MUTED)
    for value in ticks:
        sheet.line((panel.x(value), panel.x(value)), (bottom, bottom + 1), color=MUTED)
        sheet.text(panel.x(value), bottom + 3.0, f"{value:g}", size=7, ha="center", color=MUTED)
    sheet.text((_LEFT + _RIGHT) / 2, bottom + 6.8, across, size=7.5, ha="center", color=MUTED)
    words = "\n".join(wrap_text(up, _HEIGHT - 4, size=7.5))
    sheet.text(_LEFT - 12, _TOP + _HEIGHT / 2, words, size=7.5, ha="center", color=MUTED, rotation=90)


def _draw_line(panel: Panel, line: Line, place: int) -> None:
    """Draw a step curve and its band where limits exist."""
    known = [row for row in line.points if row.estimate is not None]
    color, dash = COLORS[place % len(COLORS)], DASHES[place % len(DASHES)]
    banded = [row for row in known if row.low is not None and row.high is not None]
    panel.sheet.axes.fill_between(
        [panel.x(float(row.term or 0)) for row in banded],
        [panel.y(100 * (row.low or 0)) for row in banded],
        [panel.y(100 * (row.high or 0)) for row in banded],
        step="post",
        color=color,
        alpha=0.12,
        linewidth=0,
    )
    xs = [panel.x(float(row.term or 0)) for row in known]
    ys = [panel.y(100 * (row.estimate or 0)) for row in known]
    panel.sheet.axes.step(xs, ys, where="post", color=color, lw=1.4, ls=dash)


def _draw_labels(panel: Panel, lines: Sequence[Line], names: Sequence[Sequence[str]]) -> None:
    """Name each curve at the right, moved apart where two would touch, with a thin line from its end."""
    ends = [_end(panel, line) for line in lines]
    order = sorted(range(len(lines)), key=lambda place: ends[place][1])
    floor = panel.top
    for place in order:
        half = _LINE * len(names[place]) / 2
        y = max(ends[place][1], floor + half)
        color = COLORS[place % len(COLORS)]
        panel.sheet.line((ends[place][0], _RIGHT + 1.5), (ends[place][1], y), color=color, lw=0.5, ls=(0, (1, 1.5)))
        panel.sheet.text(_RIGHT + 2, y, "\n".join(names[place]), size=7, color=color, strong=True)
        floor = y + half + 0.4


def _end(panel: Panel, line: Line) -> tuple[float, float]:
    last = [row for row in line.points if row.estimate is not None][-1]
    return panel.x(float(last.term or 0)), panel.y(100 * (last.estimate or 0))


def _draw_at_risk(
    panel: Panel, lines: Sequence[Line], names: Sequence[Sequence[str]], heights: Sequence[float]
) -> None:
    y = panel.top + panel.height + 11.5
    panel.sheet.text(1, y, _WORDS.text("at_risk"), size=7, strong=True)
    y += _LINE + _GAP / 2
    for place, line in enumerate(lines):
        color = COLORS[place % len(COLORS)]
        middle = y + (heights[place] - _GAP) / 2 - _LINE / 2
        panel.sheet.text(1, middle, "\n".join(names[place]), size=7, color=color)
        for row in line.at:
            panel.sheet.text(panel.x(float(row.term or 0)), middle, format_count(row.n), size=7, ha="center")
        y += heights[place]
