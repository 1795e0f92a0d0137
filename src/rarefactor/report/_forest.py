"""Forest plots: odds ratios on a log axis, with their counts and numbers set beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rarefactor.report._cells import exists, not_estimable, with_range
from rarefactor.report._effects import Effect
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, Sheet, open_sheet, wrap_text
from rarefactor.report._style import Style
from rarefactor.report._words import Words
from rarefactor.results import Estimate

_WORDS, _SHARED = Words("forest"), Words("words")
WIDTH = 170.0
_LABEL, _COUNTS, _LEFT, _RIGHT, _RATIO, _P = 1.0, 66.0, 71.0, 123.0, 157.5, 169.0
_LABEL_WIDTH = 52.0
_ROW, _ROW_OF_THREE, _LINE, _TOP = 5.2, 6.4, 3.2, 8.5
_WIDEST = 100.0  # beyond this a bound becomes an arrow
_FURTHEST = 1e4  # as far as estimates are followed
_TICKS: tuple[float, ...] = (*(digit * 10.0**power for power in range(-4, 4) for digit in (1, 2, 5)), _FURTHEST)


@dataclass(frozen=True, slots=True)
class Scale:
    """A log axis from ``low`` to ``high`` between the left and right edge of the plot."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a ratio lies, in millimetres."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return _LEFT + share * (_RIGHT - _LEFT)


def draw_forest(effects: Sequence[Effect], level: float, style: Style) -> Sheet:
    """Return the forest plot of some odds ratios; ``level`` is that of the intervals, such as 0.95."""
    labels = [_wrapped(effect) for effect in effects]
    row = _ROW_OF_THREE if any(effect.logf for effect in effects) else _ROW
    heights = [row + _LINE * (len(lines) - 1) for lines in labels]
    bottom = _TOP + sum(heights)
    sheet = open_sheet(WIDTH, bottom + 15)
    scale = compute_scale([row for effect in effects for row in effect.rows])
    _draw_heads(sheet, level)
    _draw_axis(sheet, scale, bottom)
    y = _TOP
    for effect, lines, height in zip(effects, labels, heights, strict=True):
        _draw_row(sheet, scale, effect, lines, y + height / 2)
        _write_row(sheet, effect.firth, y + height / 2, style)
        y += height
    _draw_legend(sheet, bottom + 12.6, with_prior=any(effect.logf for effect in effects))
    return sheet


def compute_scale(rows: Sequence[Estimate]) -> Scale:
    """Return an axis that holds the estimates, the bounds up to a hundredfold, and 1.

    Examples
    --------
    >>> row = Estimate(analysis="univariable", measure="odds_ratio", estimate=3.0, low=0.8, high=math.inf)
    >>> compute_scale([row])
    Scale(low=0.5, high=5.0)
    """
    known = [row for row in rows if exists(row)]
    bounds = [bound for row in known for bound in (row.low, row.high) if bound and math.isfinite(bound)]
    shown = [min(max(bound, 1 / _WIDEST), _WIDEST) for bound in bounds]
    shown += [min(max(row.estimate or 1.0, 1 / _FURTHEST), _FURTHEST) for row in known]
    low, high = min([*shown, 0.9]), max([*shown, 1.1])
    return Scale(
        max(tick for tick in _TICKS if tick <= low * 1.0001), min(tick for tick in _TICKS if tick >= high * 0.9999)
    )


def _wrapped(effect: Effect) -> tuple[str, ...]:
    return wrap_text(effect.label + effect.signs, _LABEL_WIDTH)


def _draw_heads(sheet: Sheet, level: float) -> None:
    y = _TOP - 4.5
    interval = _SHARED.text("interval", level=f"{100 * level:g}")
    sheet.text(_LABEL, y, _WORDS.text("factor"), strong=True)
    sheet.text(_COUNTS, y, _WORDS.text("events"), strong=True, ha="right")
    sheet.text(_RATIO, y, _WORDS.text("ratio", interval=interval), strong=True, ha="right")
    sheet.text(_P, y, _WORDS.text("p"), strong=True, ha="right")
    sheet.line((0, sheet.width), (_TOP - 1.2, _TOP - 1.2), color=INK, lw=0.9)


def _draw_axis(sheet: Sheet, scale: Scale, bottom: float) -> None:
    sheet.line((scale.place(1), scale.place(1)), (_TOP, bottom), color=MUTED, lw=0.8, ls=(0, (3, 2)))
    sheet.line((_LEFT, _RIGHT), (bottom, bottom), color=MUTED)
    for tick in shown_ticks(scale):
        x = scale.place(tick)
        sheet.line((x, x), (bottom, bottom + 1.1), color=MUTED)
        sheet.text(x, bottom + 3.2, f"{tick:g}", size=7, ha="center", color=MUTED)
    sheet.text(_LEFT, bottom + 7.2, _WORDS.text("lower"), size=7.5, color=MUTED)
    sheet.text(_RIGHT, bottom + 7.2, _WORDS.text("higher"), size=7.5, color=MUTED, ha="right")


def shown_ticks(scale: Scale) -> Iterator[float]:
    """Yield the ticks of an axis: round ratios, or powers of ten where these are many."""
    inside = [tick for tick in _TICKS if scale.low <= tick <= scale.high]
    decades = [tick for tick in inside if math.log10(tick).is_integer()]
    yield from inside if len(inside) <= 9 else decades


def _draw_row(sheet: Sheet, scale: Scale, effect: Effect, lines: Sequence[str], y: float) -> None:
    sheet.text(_LABEL, y, "\n".join(lines))
    sheet.text(_COUNTS, y, effect.counts, ha="right")
    _draw_estimate(sheet, scale, effect.firth, y - (2.0 if effect.logf else 0.9), "s", BLUE)
    _draw_estimate(sheet, scale, effect.logf, y, "D", MUTED)
    _draw_estimate(sheet, scale, effect.ml, y + (2.0 if effect.logf else 1.3), "o", ORANGE)


def _write_row(sheet: Sheet, firth: Estimate | None, y: float, style: Style) -> None:
    shown = style.write_range(with_range(firth)) if firth and exists(firth) else not_estimable()
    sheet.text(_RATIO, y, shown, ha="right")
    sheet.text(_P, y, style.write_p(firth.p if firth else None), ha="right")


def _draw_estimate(sheet: Sheet, scale: Scale, row: Estimate | None, y: float, marker: str, color: str) -> None:
    if row is None or not exists(row) or row.estimate is None:
        return
    draw_interval(sheet, scale, row, y, color)
    inside = min(max(row.estimate, scale.low), scale.high)
    sheet.dot(scale.place(inside), y, marker, color, hollow=marker == "o")


def draw_interval(sheet: Sheet, scale: Scale, row: Estimate, y: float, color: str) -> None:
    """Draw an interval as a line, with an arrow where it goes on beyond the axis."""
    low, high = (row.low or 0.0), (math.inf if row.high is None else row.high)
    first, last = scale.place(max(low, scale.low)), scale.place(min(high, scale.high))
    sheet.line((first, last), (y, y), color=color, lw=1.1)
    if low < scale.low:
        sheet.arrow((first + 0.1, y), (first - 1.6, y), color)
    if high > scale.high:
        sheet.arrow((last - 0.1, y), (last + 1.6, y), color)


def _draw_legend(sheet: Sheet, y: float, *, with_prior: bool) -> None:
    sheet.line((0, sheet.width), (y - 2.6, y - 2.6), color=RULE, lw=0.7)
    sheet.dot(_LABEL + 1.2, y, "s", BLUE)
    sheet.text(_LABEL + 3.4, y, _WORDS.text("firth"), size=7.5)
    sheet.dot(_LABEL + 35.2, y, "o", ORANGE, hollow=True)
    sheet.text(_LABEL + 37.4, y, _WORDS.text("ml"), size=7.5)
    if with_prior:
        sheet.dot(_LABEL + 68.2, y, "D", MUTED)
        sheet.text(_LABEL + 70.4, y, _WORDS.text("logf"), size=7.5)
    sheet.text(_P, y, _WORDS.text("lines"), size=7.5, ha="right", color=MUTED)
