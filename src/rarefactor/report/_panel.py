"""A small plot with axes on a sheet: data coordinates inside, millimetres outside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rarefactor.report._plot import MUTED, Sheet, wrap_text

_SHEET, _BETWEEN = 170.0, 3.0
_DIGITS = ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 5.0), (1.0,))


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of a sheet: ``left``, ``top``, ``width``, ``height`` in millimetres, and the ranges of its axes."""

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    across: tuple[float, float]
    up: tuple[float, float]

    def x(self, value: float) -> float:
        """Return where a value lies from left to right."""
        low, high = self.across
        return self.left + (value - low) / (high - low) * self.width

    def y(self, value: float) -> float:
        """Return where a value lies from top to bottom; larger values are higher."""
        low, high = self.up
        return self.top + (high - value) / (high - low) * self.height

    def curve(self, xs: Iterable[float], ys: Iterable[float], **style: Any) -> None:
        """Draw a line through points of the data."""
        self.sheet.line(tuple(self.x(value) for value in xs), tuple(self.y(value) for value in ys), **style)


def draw_panel(
    sheet: Sheet,
    corner: tuple[float, float],
    size: tuple[float, float],
    across: tuple[float, float],
    up: tuple[float, float],
    titles: tuple[str, str],
) -> Panel:
    """Draw the axes of a panel with ticks at round numbers, and return it."""
    panel = Panel(sheet, *corner, *size, across, up)
    bottom, right = panel.top + panel.height, panel.left + panel.width
    sheet.line((panel.left, panel.left, right), (panel.top, bottom, bottom), color=MUTED)
    for value in round_ticks(*across):
        sheet.line((panel.x(value), panel.x(value)), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(panel.x(value), bottom + 2.7, tick_words(value), size=6.5, ha="center", color=MUTED)
    for value in round_ticks(*up):
        sheet.line((panel.left - 0.9, panel.left), (panel.y(value), panel.y(value)), color=MUTED)
        sheet.text(panel.left - 1.5, panel.y(value), tick_words(value), size=6.5, ha="right", color=MUTED)
    sheet.text((panel.left + right) / 2, bottom + 6.0, titles[0], size=7, ha="center", color=MUTED)
    sheet.text(panel.left - 11, panel.top + panel.height / 2, titles[1], size=7, ha="center", color=MUTED, rotation=90)
    return panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Small panels in rows of ``across``: their ``size`` and ``corners``, ``bottom`` of the last, in millimetres.

    ``titles`` are those of the panels, in lines that fit above them.
    """

    titles: tuple[tuple[str, ...], ...]
    corners: tuple[tuple[float, float], ...]
    size: tuple[float, float]
    bottom: float


def lay_grid(titles: Sequence[str], height: float, *, left: float, below: float) -> Grid:
    """Return where small panels go: in rows as even as three or four across allow, each title above its panel.

    ``left`` is the room before a panel, ``below`` that under it; the sheet is 170 mm wide.

    Examples
    --------
    >>> grid = lay_grid(["Age", "Bilirubin", "Albumin", "Stage"], 24.0, left=6.0, below=9.0)
    >>> len({top for _, top in grid.corners}), len(lay_grid(["A"] * 9, 24.0, left=6.0, below=9.0).corners)
    (1, 9)
    """
    across = count_across(len(titles))
    step = _SHEET / max(across, 2)
    size = (step - left - _BETWEEN, height)
    wrapped = tuple(wrap_text(title, step - 4, size=7) for title in titles)
    corners: list[tuple[float, float]] = []
    top = 0.0
    for start in range(0, len(titles), across):
        row = wrapped[start : start + across]
        top += 3.5 + 2.9 * max(len(lines) for lines in row)
        corners += [(left + step * place, top) for place in range(len(row))]
        top += height + below
    return Grid(titles=wrapped, corners=tuple(corners), size=size, bottom=top)


def count_across(panels: int) -> int:
    """Return how many panels stand in a row: three or four, whichever leaves fewer blanks, then fewer rows.

    Examples
    --------
    >>> [count_across(panels) for panels in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12)]
    [1, 2, 3, 4, 3, 3, 4, 4, 3, 4]
    """
    if panels <= 2:
        return max(panels, 1)
    return min((3, 4), key=lambda across: (-panels % across, math.ceil(panels / across)))


def tick_words(value: float) -> str:
    """Return the number at a tick as it is, never rounded to what it is not, with a true minus.

    Examples
    --------
    >>> [tick_words(value) for value in (-10.0, 2.75, 1234567.0)]
    ['−10', '2.75', '1234567']
    """
    short = f"{value:g}"
    return (short if float(short) == value else f"{value:.12g}").replace("-", "−")


def round_ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Return at most ``most`` round numbers between two values.

    Examples
    --------
    >>> round_ticks(0.0, 1.0)
    (0.0, 0.25, 0.5, 0.75, 1.0)
    """
    return next(tuple(ticks) for step in _steps(high - low) if len(ticks := list(_between(low, high, step))) <= most)


def ratio_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Return at most ``most`` round ratios between two natural logarithms, even steps where those are finer.

    Examples
    --------
    >>> ratio_ticks(math.log(40), math.log(12000)), ratio_ticks(math.log(0.78), math.log(1.02))
    ((50.0, 100.0, 500.0, 1000.0, 5000.0, 10000.0), (0.8, 0.85, 0.9, 0.95, 1.0))
    """
    first, last = math.floor(low / math.log(10)), math.ceil(high / math.log(10))
    tiers: list[tuple[float, ...]] = []
    for digits in _DIGITS:
        each = (digit * 10.0**power for power in range(first, last + 1) for digit in digits)
        tiers.append(tuple(value for value in each if low <= math.log(value) <= high))
    finest = next((ticks for ticks in tiers if len(ticks) <= most), tiers[-1])
    if len(finest) < 3 and high - low < math.log(10):
        return round_ticks(math.exp(low), math.exp(high), most)
    return finest[:: math.ceil(len(finest) / most)] if finest else round_ticks(math.exp(low), math.exp(high), most)


def thin_ticks(ticks: Sequence[float], across: tuple[float, float], room: float) -> tuple[float, ...]:
    """Return those of some ticks that stand at least ``room`` (a share of the axis) from the one before.

    Examples
    --------
    >>> thin_ticks((0, 1, 3, 6, 12), (0, 12), 0.15)
    (0, 3, 6, 12)
    """
    kept: list[float] = []
    for tick in ticks:
        if not kept or tick - kept[-1] >= room * (across[1] - across[0]):
            kept.append(tick)
    return tuple(kept)


def _steps(span: float) -> Iterator[float]:
    power = math.floor(math.log10(span)) - 1
    for exponent in range(power, power + 4):
        for factor in (1.0, 2.0, 2.5, 5.0):
            yield factor * 10.0**exponent


def _between(low: float, high: float, step: float) -> Iterator[float]:
    slack = 1e-9 * (high - low)
    for multiple in range(math.ceil((low - slack) / step), math.floor((high + slack) / step) + 1):
        yield round(multiple * step, 10)
