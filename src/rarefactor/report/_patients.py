"""What single patients decide: Cook's distances, and every odds ratio of a marker without one of them.

Convention: a patient is named by the keyed hash that stands for the id; who holds the key can find the patient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import joined, linked, number, runs
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import Effect
from rarefactor.report._panel import Panel
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, Sheet, open_sheet, wrap_text
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, INFINITY, format_count, format_fixed, format_range, format_ratio
from rarefactor.report.tree import Block, Paragraph, Runs
from rarefactor.results import Estimate, ModelInfo

_WORDS = Words("patients")
WIDTH = 170.0
_TOP, _STEP, _BELOW = 11.5, 6.9, 6.0
_LEFT = (24.0, 38.0)
_LABELS, _LABEL_WIDTH = 76.0, 36.0
_RIGHT = (114.0, 34.0)
_NAMES = 152.0
_FEWEST_ROWS = 5
_FINE = (0.2, 0.5, 1.0, 2.0, 5.0)
_SLIM, _THICK = {"color": MUTED, "lw": 0.9}, {"color": BLUE, "lw": 3.2}


def write_patients(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Iterator[Block]:
    """Return the sentences and the figure on single patients, empty where nothing was asked."""
    distances = choose_distances(_rows(source, model, "cooks_distance"), len(_ranges(source, model, effects)))
    if not distances:
        return
    yield Paragraph(runs=_sentences(source, model, effects))
    name = f"patients-{model.name}"
    caption = _WORDS.runs("caption", model=model.label, cook=cite("cook1977", "pregibon1981"))
    yield make_figure(source, name, caption, _alt(distances, effects), partial(draw_patients, source, model, effects))


def draw_patients(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Sheet:
    """Return the figure: on the left the largest distances, on the right what leaving one patient out does."""
    ranges = _ranges(source, model, effects)
    distances = choose_distances(_rows(source, model, "cooks_distance"), len(ranges))
    height = _TOP + _STEP * max(len(distances), len(ranges), 2) + _BELOW
    sheet = open_sheet(WIDTH, height)
    for x, letter, title in ((1.0, "a", "panel_distances"), (_LABELS, "b", "panel_ratios")):
        sheet.text(x, 5.5, letter, size=9, strong=True)
        sheet.text(x + 4, 5.5, _WORDS.text(title), size=7.5)
    _draw_distances(sheet, distances)
    if ranges:
        sheet.text(_NAMES, 5.0, _WORDS.text("lowest_without"), size=6.5, color=MUTED)
        sheet.text(_NAMES, 7.5, _WORDS.text("highest_without"), size=6.5, color=MUTED)
        _draw_ranges(sheet, ranges)
    return sheet


def _ranges(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> list[tuple[Effect, list[Estimate]]]:
    return [(effect, found) for effect in effects if len(found := _without(source, model, effect)) > 1]


def choose_distances(rows: Sequence[Estimate], beside: int) -> tuple[Estimate, ...]:
    """Return as many of the largest distances as there are rows beside them, the others told as one."""
    named = [row for row in rows if row.group != "others"]
    kept = max(_FEWEST_ROWS, beside) - 1
    if len(named) <= kept:
        return tuple(rows)
    known = sum(row.n or 0 for row in rows if row.group == "others")
    others = replace(named[kept], group="others", n=known + len(named) - kept)
    return (*named[:kept], others)


def _draw_distances(sheet: Sheet, rows: Sequence[Estimate]) -> None:
    left, width = _LEFT
    finite = [row.estimate for row in rows if row.estimate is not None and math.isfinite(row.estimate)]
    longest = max([*finite, 1e-9])
    sheet.line((left, left), (_TOP, _TOP + _STEP * len(rows)), color=RULE)
    for place, row in enumerate(rows):
        y, value = _TOP + _STEP * (place + 0.5), row.estimate or 0.0
        rest = row.group == "others"
        label, colour = (_WORDS.text("others", n=format_count(row.n)), MUTED) if rest else (row.group or "", BLUE)
        end = left + width * min(value / longest, 1.0)
        sheet.text(left - 1.5, y, label, size=7, ha="right", color=MUTED if rest else INK)
        sheet.line((left, end), (y, y), color=colour, lw=1.2)
        if math.isfinite(value):
            sheet.dot(end, y, "o", colour)
        sheet.text(end + 2, y, _distance(row), size=7, color=MUTED if rest else INK)


def _draw_ranges(sheet: Sheet, ranges: Sequence[tuple[Effect, Sequence[Estimate]]]) -> None:
    shown = [row for effect, found in ranges for row in (*found, effect.firth)]
    ends = [math.log10(row.estimate) for row in shown if row and row.estimate and math.isfinite(row.estimate)]
    across = (min(-0.3, *ends) - 0.15, max(0.3, *ends) + 0.15)
    bottom = _TOP + _STEP * len(ranges)
    panel = Panel(sheet, _RIGHT[0], _TOP, _RIGHT[1], bottom - _TOP, across, (0.0, 1.0))
    _draw_axis(panel, bottom)
    for place, (effect, found) in enumerate(ranges):
        y = _TOP + _STEP * (place + 0.5)
        lines = wrap_text(effect.label, _LABEL_WIDTH, size=6.5)
        sheet.text(_LABELS, y, "\n".join(lines), size=6.5)
        _draw_range(panel, y, effect, found)


def _draw_axis(panel: Panel, bottom: float) -> None:
    sheet, low, high = panel.sheet, *panel.across
    sheet.line((panel.left, panel.left + panel.width), (bottom, bottom), color=MUTED)
    sheet.line((panel.x(0.0), panel.x(0.0)), (panel.top, bottom), color=MUTED, lw=0.7)
    for tick in _choose_ticks(low, high):
        x = panel.x(math.log10(tick))
        sheet.line((x, x), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(x, bottom + 2.7, f"{tick:g}", size=6.5, ha="center", color=MUTED)


def _choose_ticks(low: float, high: float) -> list[float]:
    """Return at most five powers of ten between two exponents, or finer steps where there is but one."""
    powers = range(math.ceil(low), math.floor(high) + 1)
    apart = max(1, math.ceil(len(powers) / 4))
    coarse = [10.0**power for power in powers if power % apart == 0]
    return coarse if len(coarse) > 1 else [tick for tick in _FINE if low <= math.log10(tick) <= high]


def _draw_range(panel: Panel, y: float, effect: Effect, found: Sequence[Estimate]) -> None:
    low, high = panel.across

    def at(value: float) -> float:
        return panel.x(min(max(math.log10(value), low), high) if value else low)

    firth = effect.firth
    if firth and firth.low is not None and firth.high is not None:
        panel.sheet.line((at(firth.low), at(firth.high)), (y, y), **_SLIM)
        if at(firth.low) <= panel.x(low):
            panel.sheet.arrow((panel.x(low) + 0.1, y), (panel.x(low) - 1.6, y), MUTED)
        if at(firth.high) >= panel.x(high):
            panel.sheet.arrow((panel.x(high) - 0.1, y), (panel.x(high) + 1.6, y), MUTED)
    lowest, highest = (_extreme(found, sign) for sign in (1, -1))
    panel.sheet.line((at(lowest.estimate or 0.0), at(highest.estimate or 0.0)), (y, y), **_THICK)
    if firth and firth.estimate:
        panel.sheet.dot(at(firth.estimate), y, "o", INK)
    for row, shift in ((lowest, -1.3), (highest, 1.3)):
        colour = ORANGE if "changed" in row.flags else INK
        panel.sheet.text(_NAMES, y + shift, row.group or "", size=6.5, color=colour)


def _sentences(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Runs:
    """Say whether one patient decides a conclusion, and whose distance is the largest."""
    decided = linked(_decided(source, model, effect) for effect in effects)
    largest = linked(_largest(_rows(source, model, "cooks_distance")))
    if decided:
        first = _WORDS.runs("some_decide", markers=decided)
    else:
        open_ = all(_holds_1(row) for each in effects for row in (each.firth, *_without(source, model, each)) if row)
        first = _WORDS.runs("none_excludes" if open_ else "none_decides")
    return linked([first, linked(_only(source, model, effects)), largest])


def _holds_1(row: Estimate) -> bool:
    return row.low is None or row.high is None or row.low <= 1 <= row.high


def _only(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Iterator[Runs]:
    """Say without whom an odds ratio does not exist, because nobody else has the level."""
    labels = {(effect.info.name, effect.term): effect.label for effect in effects}
    found: dict[str, list[str]] = {}
    for row in _rows(source, model, "no_odds_ratio_without"):
        found.setdefault(row.group or "", []).append(labels.get((row.factor or "", row.term or ""), row.factor or ""))
    for patient, markers in found.items():
        listed = joined([[label] for label in markers])
        yield _WORDS.runs("only", count=len(markers), patient=patient, markers=runs(*listed))


def _decided(source: Source, model: ModelInfo, effect: Effect) -> Runs:
    rows = [row for row in _without(source, model, effect) if "changed" in row.flags]
    if not rows:
        return ()
    where = {"landmark": model.landmark, "model": model.name, "factor": effect.info.name, "term": effect.term}
    count = source.row("sensitivity", "patients_changing", group="leave_one_out", **where)
    whole = source.row("sensitivity", "odds_ratio_without", group="nobody", **where) or effect.firth
    without = [_WORDS.runs("ratio_without", ratio=number(row, _odds(row)), patient=row.group or "") for row in rows]
    several = count is not None and (count.estimate or 0) > len(rows)
    return _WORDS.runs(
        "marker_several" if several else "marker",
        marker=effect.label,
        ratios=linked(without, ", "),
        n=number(count, format_count(count.estimate if count else None)),
        whole=number(whole, _odds(whole)),
    )


def _largest(rows: Sequence[Estimate]) -> Iterator[Runs]:
    alone = [row for row in rows if row.estimate is not None and math.isinf(row.estimate)]
    for row in alone:
        yield _WORDS.runs("alone", patient=row.group or "", distance=number(row, INFINITY))
    finite = [row for row in rows if row not in alone and row.group != "others"]
    if finite:
        shown = [number(row, _distance(row)) for row in finite]
        key = "largest" + ("_finite" if alone else "") + ("_next" if len(finite) > 1 else "")
        yield _WORDS.runs(key, patient=finite[0].group or "", distance=shown[0], next=shown[:2][-1])


def _odds(row: Estimate | None) -> str:
    if row is None:
        return EMPTY
    return f"{format_ratio(row.estimate)} ({format_range(row.low, row.high, format_ratio)})"


def _in_words(row: Estimate) -> str:
    if row.group == "others":
        return _WORDS.text("alt_others", distance=_distance(row))
    return _WORDS.text("alt_patient", patient=row.group, distance=_distance(row))


def _distance(row: Estimate) -> str:
    value = row.estimate
    return format_fixed(value, 2 if value is None or value >= 0.1 else 3)


def _alt(distances: Sequence[Estimate], effects: Sequence[Effect]) -> str:
    shown = "; ".join(_in_words(row) for row in distances)
    return _WORDS.text("alt", distances=shown, n=len(effects))


def _extreme(rows: Sequence[Estimate], sign: int) -> Estimate:
    return min(rows, key=lambda row: sign * (row.estimate or 0.0))


def _rows(source: Source, model: ModelInfo, measure: str) -> tuple[Estimate, ...]:
    return source.results.select(analysis="sensitivity", measure=measure, landmark=model.landmark, model=model.name)


def _without(source: Source, model: ModelInfo, effect: Effect) -> list[Estimate]:
    """Return the odds ratios of a marker without one patient or another."""
    rows = _rows(source, model, "odds_ratio_without")
    own = [row for row in rows if (row.factor, row.term) == (effect.info.name, effect.term)]
    return [row for row in own if row.group != "nobody"]
