"""Four panels on the risks of a model: discrimination, calibration, net benefit, instability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rarefactor.report._panel import Panel, draw_panel, round_ticks
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, Sheet, open_sheet, width_of
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.results import Estimate, ModelInfo

_WORDS = Words("risk_curves")
WIDTH, HEIGHT = 150.0, 125.0
_SIZE = (45.0, 45.0)
_LEFT, _RIGHT, _UPPER, _LOWER = 16.0, 101.0, 8.0, 71.0
_UNIT = (0.0, 1.0)
_LOWEST_BENEFIT = -0.1
_DASHED = {"color": MUTED, "lw": 0.8, "ls": (0, (3, 2))}
_KEYS: Mapping[str, Mapping[str, Any]] = {
    "corrected": {"color": BLUE, "lw": 1.4},
    "apparent": {"color": BLUE, "lw": 0.9, "ls": (0, (1, 1.5))},
    "model": {"color": BLUE, "lw": 1.4},
    "all": {"color": ORANGE, "lw": 1.2, "ls": (0, (5, 2))},
    "none": {"color": INK, "lw": 0.8},
}


def has_curves(source: Source, model: ModelInfo) -> bool:
    """Whether the risks of a model were predicted, so that there is something to draw."""
    return bool(_rows(source, model, "sensitivity_at"))


def draw_risk_curves(source: Source, model: ModelInfo) -> Sheet:
    """Return the figure of one model."""
    sheet = open_sheet(WIDTH, HEIGHT)
    _draw_roc(_panel(sheet, (_LEFT, _UPPER), "a", "roc"), source, model)
    _draw_calibration(_panel(sheet, (_RIGHT, _UPPER), "b", "calibration"), source, model)
    _draw_decision(sheet, source, model)
    _draw_instability(_panel(sheet, (_RIGHT, _LOWER), "d", "instability"), source, model)
    return sheet


def _panel(sheet: Sheet, corner: tuple[float, float], letter: str, name: str, up: tuple[float, float] = _UNIT) -> Panel:
    sheet.text(corner[0] - 12, corner[1] - 3.5, letter, size=9, strong=True)
    across, upwards = _WORDS.items(f"{name}_axes")
    panel = draw_panel(sheet, corner, _SIZE, _UNIT, up, (across, upwards))
    if up == _UNIT:  # the same scale in both directions, and no words inside
        _draw_grid(panel)
    return panel


def _draw_grid(panel: Panel) -> None:
    """Draw faint lines at the ticks of both axes, behind what is shown."""
    for value in round_ticks(*_UNIT):
        panel.curve((value, value), _UNIT, color=RULE, lw=0.4, alpha=0.5, zorder=0)
        panel.curve(_UNIT, (value, value), color=RULE, lw=0.4, alpha=0.5, zorder=0)


def _draw_roc(panel: Panel, source: Source, model: ModelInfo) -> None:
    rows = _rows(source, model, "sensitivity_at")
    panel.curve(_UNIT, _UNIT, **_DASHED)
    panel.curve((0.0, *_places(rows)), (0.0, *_values(rows)), color=BLUE, lw=1.4, drawstyle="steps-post")


def _draw_calibration(panel: Panel, source: Source, model: ModelInfo) -> None:
    panel.curve(_UNIT, _UNIT, **_DASHED)
    rows = [row for row in _rows(source, model, "observed_risk") if row.estimate is not None]
    if rows:
        _draw_band(panel, rows)
        panel.curve(_places(rows), _values(rows), color=BLUE, lw=1.4)
    else:
        _say_why_empty(panel, _WORDS.text("no_calibration"))


def _say_why_empty(panel: Panel, words: str) -> None:
    panel.sheet.text(panel.x(0.5), panel.y(0.5), words, size=7, ha="center", color=MUTED)


def _draw_decision(sheet: Sheet, source: Source, model: ModelInfo) -> None:
    apparent, corrected = benefit_rows(source, model)
    everyone, rows = _rows(source, model, "net_benefit", "all"), corrected or apparent
    highest = max([0.1, *(row.high or row.estimate or 0.0 for row in (*apparent, *corrected, *everyone))])
    panel = _panel(sheet, (_LEFT, _LOWER), "c", "decision", (_LOWEST_BENEFIT, highest * 1.05))
    panel.curve(_UNIT, (0.0, 0.0), **_KEYS["none"])
    treated = [row for row in everyone if (row.estimate or 0.0) >= _LOWEST_BENEFIT]
    _draw_band(panel, rows)
    panel.curve(_places(treated), _values(treated), **_KEYS["all"])
    names = ("corrected", "apparent") if corrected else ("model",)
    for curve, name in zip((corrected, apparent) if corrected else (apparent,), names, strict=True):
        inside = [row for row in curve if (row.estimate or 0.0) >= _LOWEST_BENEFIT]
        panel.curve(_places(inside), _values(inside), **_KEYS[name])
    _draw_key(panel, names)


def _draw_key(panel: Panel, models: Sequence[str]) -> None:
    """Name the curves of the decision panel above it, each behind a sample of its line."""
    left = panel.left
    for column in (models, ("all", "none")):
        words = [_WORDS.text(f"act_on_{name}") for name in column]
        for place, (name, text) in enumerate(zip(column, words, strict=True)):
            y = panel.top - 3.4 * (len(column) - place) - 0.4
            panel.sheet.line((left, left + 6.5), (y, y), **_KEYS[name])
            panel.sheet.text(left + 8, y, text, size=7)
        left += 12 + max(width_of(text, 7) for text in words)


def benefit_rows(source: Source, model: ModelInfo) -> tuple[tuple[Estimate, ...], tuple[Estimate, ...]]:
    """Return the net benefit of acting on a model: apparent, and corrected for optimism where that was asked."""
    rows = _rows(source, model, "net_benefit", "model")
    apparent = tuple(row for row in rows if row.method is None)
    return apparent, tuple(row for row in rows if row.method == "optimism_corrected")


def _draw_instability(panel: Panel, source: Source, model: ModelInfo) -> None:
    panel.curve(_UNIT, _UNIT, **_DASHED)
    centres = {row.term: row.estimate for row in _rows(source, model, "predicted_risk")}
    drawn = _rows(source, model, "resampled_risk")
    for row in drawn:
        at = centres.get(row.term) or 0.0
        panel.curve((at, at), (row.low or 0.0, row.high or 0.0), color=BLUE, lw=1.2)
        panel.sheet.dot(panel.x(at), panel.y(row.estimate or 0.0), "o", BLUE)
    if not drawn:
        _say_why_empty(panel, _WORDS.text("no_resamples"))


def _draw_band(panel: Panel, rows: Sequence[Estimate]) -> None:
    """Shade between the limits, where they are known, as far as the axes go."""
    known = [row for row in rows if row.low is not None and row.high is not None]
    floor, ceiling = panel.up
    panel.sheet.axes.fill_between(
        [panel.x(value) for value in _places(known)],
        [panel.y(min(max(row.low or 0.0, floor), ceiling)) for row in known],
        [panel.y(min(max(row.high or 0.0, floor), ceiling)) for row in known],
        color=BLUE,
        alpha=0.16,
        linewidth=0,
    )


def _rows(source: Source, model: ModelInfo, measure: str, group: str | None = None) -> tuple[Estimate, ...]:
    return source.results.select(
        analysis="performance", landmark=model.landmark, model=model.name, measure=measure, group=group
    )


def _places(rows: Sequence[Estimate]) -> tuple[float, ...]:
    return tuple(float(row.term or 0.0) for row in rows)


def _values(rows: Sequence[Estimate]) -> tuple[float, ...]:
    return tuple(row.estimate or 0.0 for row in rows)
