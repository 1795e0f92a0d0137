"""Small multiples on a log axis: profile likelihoods of markers, and what simulated studies report."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from rarefactor.report._effects import Effect
from rarefactor.report._panel import Panel, lay_grid
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, Sheet, open_sheet
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.results import Estimate, ModelInfo

_WORDS = Words("profile_plot")
WIDTH = 170.0
_HEIGHT, _LEFT, _BELOW = 24.0, 3.0, 6.5
_STEPS = 8
_TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100, 1000)
STYLES = {
    "firth": {"color": BLUE, "lw": 1.3},
    "ml": {"color": ORANGE, "lw": 1.0, "ls": (0, (4, 2))},
    "logf22": {"color": INK, "lw": 1.0, "ls": (0, (1, 1.5))},
}


def draw_profiles(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Sheet:
    """Return a panel per marker: relative likelihood over the odds ratio, by method."""
    drawn = [(effect, found) for effect in effects if (found := _curves(source, model, effect))]
    grid = lay_grid([effect.label for effect, _ in drawn], _HEIGHT, left=_LEFT, below=_BELOW)
    sheet = open_sheet(WIDTH, grid.bottom + 6)
    limit = source.row("sensitivity", "likelihood_at_limits", landmark=model.landmark, model=model.name)
    for (_, curves), title, corner in zip(drawn, grid.titles, grid.corners, strict=True):
        points = [at for curve in curves.values() for at, height in curve if height > 0.02]
        panel = _log_panel(sheet, corner, grid.size, (min(points), max(points)), title)
        if limit and limit.estimate is not None:
            panel.curve(panel.across, (limit.estimate, limit.estimate), color=MUTED, lw=0.7, ls=(0, (1, 2)))
        for method, curve in curves.items():
            inside = [(at, height) for at, height in curve if panel.across[0] <= at <= panel.across[1]]
            panel.curve(*zip(*inside, strict=True), **STYLES[method])
    draw_key(sheet, sheet.height - 3, {method for _, curves in drawn for method in curves})
    sheet.text(sheet.width - 1, sheet.height - 3, _WORDS.text("across"), size=7.5, ha="right", color=MUTED)
    return sheet


def _log_panel(
    sheet: Sheet,
    corner: tuple[float, float],
    size: tuple[float, float],
    across: tuple[float, float],
    title: Sequence[str],
) -> Panel:
    """Draw the axes of a panel over log10 odds ratios, with a line at 1, and return it."""
    low, high = min(across[0], -0.35), max(across[1], 0.35)
    panel = Panel(sheet, *corner, *size, (low, high), (0.0, 1.0))
    bottom = panel.top + panel.height
    sheet.text(panel.left - 1, panel.top - 1.5, "\n".join(title), size=7, strong=True, va="bottom")
    sheet.line((panel.left, panel.left + panel.width), (bottom, bottom), color=MUTED)
    panel.curve((0.0, 0.0), panel.up, color=MUTED, lw=0.7)
    for tick in _shown_ticks(low, high):
        x = panel.x(math.log10(tick))
        sheet.line((x, x), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(x, bottom + 2.7, f"{tick:g}", size=6.5, ha="center", color=MUTED)
    return panel


def draw_key(sheet: Sheet, y: float, methods: Collection[str] = STYLES) -> None:
    """Draw what the lines of some methods look like."""
    names = _WORDS.names("methods")
    for place, method in enumerate(name for name in STYLES if name in methods):
        x = 2.0 + 45 * place
        sheet.line((x, x + 7), (y, y), **STYLES[method])
        sheet.text(x + 8.5, y, names[method], size=7.5)


def _shown_ticks(low: float, high: float) -> Iterator[float]:
    inside = [tick for tick in _TICKS if low <= math.log10(tick) <= high]
    wide = high - low > 2.4
    yield from (tick for tick in inside if not wide or math.log10(tick).is_integer())


def _curves(source: Source, model: ModelInfo, effect: Effect) -> dict[str, list[tuple[float, float]]]:
    """Return for each method the points of a curve, log10 of the odds ratio and height, from left to right."""
    rows = source.results.select(
        analysis="sensitivity",
        measure="relative_likelihood",
        landmark=model.landmark,
        model=model.name,
        factor=effect.info.name,
        term=effect.term,
    )
    found = {method: sorted(_points(rows, method)) for method in STYLES}
    return {method: list(join_points(points)) for method, points in found.items() if len(points) > 1}


def join_points(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield a smooth curve through points: between them the signed root of the fall is straight, as they suppose."""
    top = max(range(len(points)), key=lambda place: points[place][1])
    top += top == len(points) - 1  # still rising at the end: the peak lies beyond, not before the last point
    roots = [
        math.sqrt(-2.0 * math.log(max(height, 1e-12))) * (-1.0 if place < top else 1.0)
        for place, (_, height) in enumerate(points)
    ]
    for place, (at, _) in enumerate(points[:-1]):
        wide, rise = points[place + 1][0] - at, roots[place + 1] - roots[place]
        for step in range(_STEPS):
            share = step / _STEPS
            yield at + share * wide, math.exp(-((roots[place] + share * rise) ** 2) / 2.0)
    yield points[-1]


def _points(rows: Sequence[Estimate], method: str) -> Iterator[tuple[float, float]]:
    for row in rows:
        if row.method == method and row.group and row.estimate is not None:
            yield math.log10(float(row.group)), row.estimate
