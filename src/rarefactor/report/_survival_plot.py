"""Curves of follow-up with bands, labels at their ends and the numbers at risk below the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel, tick_words
from rarefactor.report._plot import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    OCHRE,
    ORANGE,
    PURPLE,
    Sheet,
    open_sheet,
    width_of,
    wrap_text,
)
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.results import Estimate

_WORDS = Words("survival_plot")
WIDTH = 170.0
COLORS = (BLUE, ORANGE, GREEN, PURPLE, INK, OCHRE)
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (7, 1.5, 1.5, 1.5)), (0, (3, 3)), (0, (2, 1, 1, 1)))
_LEFT, _RIGHT, _TOP, _HEIGHT = 38.0, 136.0, 4.0, 62.0
_LABEL, _LINE, _GAP, _BESIDE = 32.0, 3.0, 1.2, 1.2
_FEW, _SHADE, _PALE = 2, 0.12, 0.05
"""Bands of so many curves are shaded like this; bands of more curves are paler, or they would mix to mud."""

Steps = tuple[tuple[float, ...], tuple[float, ...]]
"""Where the steps of a curve begin, from left and from the top, in millimetres."""

Box = tuple[float, float, float, float]
"""Left, right, upper and lower edge, in millimetres."""


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
    steps = [_derive_steps(panel, line) for line in lines]
    for place, line in enumerate(lines):
        _draw_band(panel, line, COLORS[place % len(COLORS)], many=len(lines) > _FEW)
    for place, (xs, ys) in enumerate(steps):
        color, dash = COLORS[place % len(COLORS)], DASHES[place % len(DASHES)]
        sheet.axes.step(xs, ys, where="post", lw=1.4, color=color, ls=dash)
    for place, (x, y) in enumerate(place_names(steps, names, (panel.top, bottom))):
        words = "\n".join(names[place])
        sheet.text(x, y, words, size=7, color=COLORS[place % len(COLORS)], strong=True)
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
        sheet.text(panel.x(value), bottom + 3.0, tick_words(value), size=7, ha="center", color=MUTED)
    sheet.text((_LEFT + _RIGHT) / 2, bottom + 6.8, across, size=7.5, ha="center", color=MUTED)
    words = "\n".join(wrap_text(up, _HEIGHT - 4, size=7.5))
    sheet.text(_LEFT - 12, _TOP + _HEIGHT / 2, words, size=7.5, ha="center", color=MUTED, rotation=90)


def _derive_steps(panel: Panel, line: Line) -> Steps:
    """Return where a curve goes on the sheet, as far as there are patients."""
    known = [row for row in line.points if row.estimate is not None]
    xs = tuple(panel.x(float(row.term or 0)) for row in known)
    return xs, tuple(panel.y(100 * (row.estimate or 0)) for row in known)


def _draw_band(panel: Panel, line: Line, color: str, *, many: bool) -> None:
    """Draw the band where limits exist; where many lie over each other, paler and with fine edges."""
    banded = [row for row in line.points if None not in {row.estimate, row.low, row.high}]
    xs = [panel.x(float(row.term or 0)) for row in banded]
    lows, highs = ([panel.y(100 * (getattr(row, name) or 0)) for row in banded] for name in ("low", "high"))
    alpha = _PALE if many else _SHADE
    panel.sheet.axes.fill_between(xs, lows, highs, step="post", color=color, alpha=alpha, linewidth=0)
    for edge in (lows, highs) if many else ():
        panel.sheet.axes.step(xs, edge, where="post", color=color, lw=0.4, alpha=0.6)


def place_names(
    steps: Sequence[Steps], names: Sequence[Sequence[str]], between: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return where each name begins, beside the end of its curve; at the right where curves or names are in its way.

    Examples
    --------
    >>> place_names([((38.0, 60.0), (4.0, 30.0)), ((38.0, 136.0), (4.0, 50.0))], [["A"], ["B"]], (4.0, 66.0))
    [(61.2, 30.0), (137.2, 50.0)]
    """
    top, bottom = between
    found, taken = [(0.0, 0.0)] * len(steps), list[Box]()
    for place in sorted(range(len(steps)), key=lambda item: steps[item][1][-1]):
        half = _LINE * len(names[place]) / 2
        width = max(width_of(line, 7) for line in names[place])
        x, y = steps[place][0][-1] + _BESIDE, min(max(steps[place][1][-1], top + half), bottom - half)
        box = (x, x + width, y - half, y + half)
        others = [other for item, other in enumerate(steps) if item != place]
        if any(_crosses(other, box) for other in others) or any(_touches(box, other) for other in taken):
            x = _RIGHT + _BESIDE
            y = max([y, *(low + half + 0.4 for _, right, _, low in taken if right > x)])
            box = (x, x + width, y - half, y + half)
        taken.append(box)
        found[place] = x, y
    return found


def _crosses(steps: Steps, box: Box) -> bool:
    """Whether a curve goes through a box, a step's fall included."""
    left, right, upper, lower = box
    xs, ys = steps
    pieces = zip(xs, (*xs[1:], xs[-1]), ys, (*ys[1:], ys[-1]), strict=True)
    return any(
        (start < right and end > left and upper < y < lower) or (left < end < right and y < lower and then > upper)
        for start, end, y, then in pieces
    )


def _touches(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


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
