"""A risk model as a nomogram: points for each factor, their sum, and the risk that goes with it.

Convention: the factor with the widest range of log odds has 100 points; a number's axis covers the middle 90 % of the
patients. The picture is the equation drawn, to the width of a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rarefactor.report._panel import round_ticks
from rarefactor.report._plot import BLUE, INK, MUTED, Sheet, open_sheet, wrap_text
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.results import RiskFactor, RiskModel, RiskTerm

_WORDS = Words("nomogram")
WIDTH = 170.0
_LEFT, _RIGHT, _TOP, _ROW = 48.0, 166.0, 6.0, 11.5
_RISKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
_GAP = 1.2
_CHARACTER = 1.25  # millimetres of a letter at the size of the marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One factor: words for places on its axis, and the log odds there."""

    label: str
    marks: tuple[tuple[str, float], ...]

    @property
    def lowest(self) -> float:
        """The lowest log odds of the axis."""
        return min(value for _, value in self.marks)

    @property
    def span(self) -> float:
        """How far the log odds reach."""
        return max(value for _, value in self.marks) - self.lowest


def draw_nomogram(model: RiskModel) -> Sheet:
    """Return the nomogram of a model."""
    axes = list_axes(model)
    per_point = max(axis.span for axis in axes) / 100.0
    total = sum(axis.span for axis in axes) / per_point
    step = 50.0 if total > 150.0 else 20.0
    most = math.ceil(total / step) * step
    sheet = open_sheet(WIDTH, _TOP + _ROW * (len(axes) + 2) + 5)
    y = _TOP
    _draw_scale(sheet, y, _WORDS.text("points"), [(f"{value:g}", value) for value in range(0, 101, 10)], 100.0)
    for axis in axes:
        y += _ROW
        marks = [(words, (value - axis.lowest) / per_point) for words, value in axis.marks]
        _draw_scale(sheet, y, axis.label, marks, 100.0, color=BLUE)
    y += _ROW
    ticks = [(f"{step * place:g}", step * place) for place in range(round(most / step) + 1)]
    _draw_scale(sheet, y, _WORDS.text("total"), ticks, most)
    start = model.shrunken_intercept + sum(axis.lowest for axis in axes)
    places = [(f"{100 * risk:g}%", (math.log(risk / (1 - risk)) - start) / per_point) for risk in _RISKS]
    inside = [(words, place) for words, place in places if 0.0 <= place <= total]
    _draw_scale(sheet, y + _ROW, _WORDS.text("risk", event=model.outcome.event), inside, most, strong=True)
    return sheet


def list_axes(model: RiskModel) -> tuple[Axis, ...]:
    """Return the axes of a model's factors, in their order."""
    return tuple(_axis(model, factor) for factor in model.factors)


def _axis(model: RiskModel, factor: RiskFactor) -> Axis:
    terms = {term.term: term.shrunken for term in model.terms if term.factor == factor.name}
    if factor.levels:
        return Axis(label=factor.label, marks=tuple((level, terms.get(level, 0.0)) for level in factor.levels))
    slope = next(iter(terms.values()))
    label = _WORDS.text("axis_with_unit", factor=factor.label, unit=factor.unit) if factor.unit else factor.label
    marks = tuple((_shown(value), slope * _steps(factor, value)) for value in _places(factor))
    return Axis(label=label, marks=marks)


def _steps(factor: RiskFactor, value: float) -> float:
    return math.log(value) / math.log(factor.step) if factor.transform == "log" else value / factor.step


def typical_column(factor: RiskFactor, term: RiskTerm) -> float:
    """Return what stands in the column of a term for a patient with the typical value of its factor."""
    if isinstance(factor.typical, str):
        return float(factor.typical == term.term)
    return _steps(factor, factor.typical)


def _shown(value: float) -> str:
    return format_count(value) if value >= 1000.0 and value.is_integer() else f"{value:g}"


def _places(factor: RiskFactor) -> tuple[float, ...]:
    """Return the ends of the range and round numbers between them."""
    low, high = factor.low or 0.0, factor.high or 0.0
    if not low < high:
        return (low, low + factor.step)
    between = _decades(low, high) if factor.transform == "log" and low > 0 else round_ticks(low, high, 6)
    return tuple(dict.fromkeys([low, *between, high]))


def _decades(low: float, high: float) -> Iterator[float]:
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (digit * 10.0**power for digit in (1, 2, 5) if low < digit * 10.0**power < high)


def _draw_scale(  # noqa: PLR0913 - a scale is its place, words, marks and look
    sheet: Sheet,
    y: float,
    label: str,
    marks: Sequence[tuple[str, float]],
    most: float,
    *,
    color: str = INK,
    strong: bool = False,
) -> None:
    """Draw an axis with its marks; words that would lie on others are left out or go below the line."""
    for place, line in enumerate(wrap_text(label, _LEFT - 6)[:3]):
        sheet.text(1, y + 3.1 * place, line, strong=strong)
    if not marks:
        return
    ends = [_x(value, most) for _, value in marks]
    sheet.line((min(ends), max(ends)), (y, y), color=color, lw=1.0)
    taken: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    order = [0, len(marks) - 1, *range(1, len(marks) - 1)]
    for place in order:
        words, value = marks[place]
        x, half = _x(value, most), 0.5 * _CHARACTER * len(words) + _GAP
        sheet.line((x, x), (y - 1.0, y), color=color, lw=0.8)
        above = _free(taken[True], x, half)
        if not above and not _free(taken[False], x, half):
            continue
        taken[above].append((x - half, x + half))
        height = y - 2.0 if above else y + 3.6
        sheet.text(min(x, WIDTH - half), height, words, size=6.5, ha="center", va="baseline", color=MUTED)


def _free(taken: Sequence[tuple[float, float]], x: float, half: float) -> bool:
    return all(x + half <= low or high <= x - half for low, high in taken)


def _x(value: float, most: float) -> float:
    return _LEFT + value / most * (_RIGHT - _LEFT)
