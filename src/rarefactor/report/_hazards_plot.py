"""Small multiples of hazard ratios over time: the smooth with its band, means of neighbouring events, the model's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rarefactor.report._panel import Panel, lay_grid, round_ticks, thin_ticks, tick_words
from rarefactor.report._plot import BLUE, MUTED, ORANGE, Sheet, open_sheet
from rarefactor.report._words import Words
from rarefactor.results import FEWEST_EVENTS_IN_MEAN, Estimate

_WORDS = Words("hazards_plot")
WIDTH = 170.0
_HEIGHT, _LEFT, _BELOW = 28.0, 9.5, 9.5
_TICKS = (1e-4, 1e-3, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100, 1e3, 1e4)
_ROOM = 0.12
"""How far apart ticks of time must stand, as a share of the axis."""

_DECADE = 1.0
"""How far beyond the smooth, in powers of ten, its band and the points are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """One hazard ratio over time: its words, the smooth, the means of neighbouring events, and the model's estimate."""

    label: str
    smooth: tuple[Estimate, ...]
    points: tuple[Estimate, ...]
    fitted: float | None


def draw_hazards(bends: Sequence[Bend], unit: str, level: float, times: Sequence[float] = ()) -> Sheet:
    """Return a panel per hazard ratio, over time in ``unit`` with ticks at ``times``."""
    grid = lay_grid([bend.label for bend in bends], _HEIGHT, left=_LEFT, below=_BELOW)
    sheet = open_sheet(WIDTH, grid.bottom + 6)
    end = max(float(row.group or 0) for bend in bends for row in (*bend.smooth, *bend.points))
    for bend, title, corner in zip(bends, grid.titles, grid.corners, strict=True):
        panel = Panel(sheet, *corner, *grid.size, (0.0, end), _derive_range(bend))
        _draw_axes(panel, title, unit, times)
        _draw_bend(panel, bend)
    _draw_key(sheet, level, points=any(bend.points for bend in bends))
    return sheet


def lie_beyond(bend: Bend) -> bool:
    """Whether some mean of neighbouring events lies further out than its panel, and is drawn hollow at its edge."""
    low, high = _derive_range(bend)
    return any(not low < _log(row.estimate) < high for row in bend.points)


def _log(value: float | None) -> float:
    return math.log10(min(max(value or 0.0, 1e-300), 1e300))


def _derive_range(bend: Bend) -> tuple[float, float]:
    """Return the ends of the axis: the smooth, and its band and the points as far as a decade beyond it."""
    middle = [_log(row.estimate) for row in bend.smooth]
    low, high = min(middle) - _DECADE, max(middle) + _DECADE
    others = [row.estimate for row in bend.points]
    others += [bound for row in bend.smooth for bound in (row.low, row.high)]
    seen = [*middle, 0.0, *(min(max(_log(value), low), high) for value in others)]
    return min(-0.35, *seen) - 0.05, max(0.35, *seen) + 0.05


def _draw_axes(panel: Panel, title: Sequence[str], unit: str, times: Sequence[float]) -> None:
    sheet, bottom = panel.sheet, panel.top + panel.height
    sheet.text(panel.left - _LEFT + 1, panel.top - 1.5, "\n".join(title), size=7, strong=True, va="bottom")
    sheet.line((panel.left, panel.left, panel.left + panel.width), (panel.top, bottom, bottom), color=MUTED)
    panel.curve(panel.across, (0.0, 0.0), color=MUTED, lw=0.7)
    for tick in _shown_ticks(panel.up):
        y = panel.y(math.log10(tick))
        sheet.line((panel.left - 0.9, panel.left), (y, y), color=MUTED)
        sheet.text(panel.left - 1.5, y, tick_words(tick), size=6.5, ha="right", color=MUTED)
    inside = thin_ticks([time for time in times if time <= panel.across[1]], panel.across, _ROOM)
    for time in inside if len(inside) > 1 else round_ticks(*panel.across):
        sheet.line((panel.x(time), panel.x(time)), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(panel.x(time), bottom + 2.7, tick_words(time), size=6.5, ha="center", color=MUTED)
    sheet.text(panel.left + panel.width / 2, bottom + 5.8, unit, size=6.5, ha="center", color=MUTED)


def _shown_ticks(up: tuple[float, float]) -> Iterator[float]:
    inside = [tick for tick in _TICKS if up[0] <= math.log10(tick) <= up[1]]
    wide = up[1] - up[0] > 2.4
    yield from (tick for tick in inside if not wide or math.log10(tick).is_integer())


def _draw_bend(panel: Panel, bend: Bend) -> None:
    xs = [float(row.group or 0) for row in bend.smooth]
    low, high = (_clip(panel, (getattr(row, name) for row in bend.smooth)) for name in ("low", "high"))
    across = [panel.x(value) for value in xs]
    panel.sheet.axes.fill_between(
        across, [panel.y(y) for y in low], [panel.y(y) for y in high], color=BLUE, alpha=0.15, linewidth=0
    )
    if bend.fitted is not None:
        panel.curve(panel.across, _clip(panel, (bend.fitted, bend.fitted)), color=ORANGE, lw=1.0, ls=(0, (4, 2)))
    panel.curve(xs, _clip(panel, (row.estimate for row in bend.smooth)), color=BLUE, lw=1.4)
    for row, y in zip(bend.points, _clip(panel, (row.estimate for row in bend.points)), strict=True):
        _draw_point(panel.sheet, panel.x(float(row.group or 0)), panel.y(y), beyond=y in panel.up)


def _draw_point(sheet: Sheet, x: float, y: float, *, beyond: bool) -> None:
    """Draw the mean of some events; hollow where it lies beyond the panel."""
    fill = "#ffffff" if beyond else MUTED
    sheet.axes.plot([x], [y], marker="o", ms=2.6, mec=MUTED, mfc=fill, mew=0.7, ls="none", zorder=3)


def _clip(panel: Panel, values: Iterable[float | None]) -> list[float]:
    low, high = panel.up
    return [min(max(_log(value), low), high) for value in values]


def _draw_key(sheet: Sheet, level: float, *, points: bool) -> None:
    y = sheet.height - 3
    sheet.line((1.0, 8.0), (y, y), color=BLUE, lw=1.4)
    sheet.text(9.5, y, _WORDS.text("smooth", level=f"{100 * level:g}"), size=7.5)
    sheet.line((62.0, 69.0), (y, y), color=ORANGE, lw=1.0, ls=(0, (4, 2)))
    sheet.text(70.5, y, _WORDS.text("fitted"), size=7.5)
    if points:
        _draw_point(sheet, 113.0, y, beyond=False)
        sheet.text(115.5, y, _WORDS.text("events", least=FEWEST_EVENTS_IN_MEAN), size=7.5)
