"""The section on what this study could find: simulated studies of its size with a known truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, head, number, right, runs
from rarefactor.report._drawn import make_figure
from rarefactor.report._panel import Panel, draw_panel
from rarefactor.report._plot import MUTED, Sheet, open_sheet
from rarefactor.report._profile_plot import STYLES, draw_key
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_percent, format_ratio
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, ModelInfo

_WORDS = Words("reach")
_WIDTH, _ROW = 170.0, 46.0
_SIZE = (50.0, 28.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One factor of simulated studies and one true odds ratio for it."""

    source: Source
    model: ModelInfo
    factor: str
    term: str
    group: str

    @property
    def truth(self) -> float:
        """The true odds ratio."""
        return float(self.group.removeprefix("true"))

    def row(self, measure: str, method: str | None = None) -> Estimate | None:
        """Return a row of this case."""
        where = {"landmark": self.model.landmark, "model": self.model.name, "factor": self.factor, "term": self.term}
        return self.source.row("design", measure, group=self.group, method=method, **where)


def write_reach(source: Source) -> Iterator[Block]:
    """Return the section on what this study could find, empty where nothing was simulated."""
    models = [model for model in source.results.models if list_cases(source, model)]
    if not models:
        return
    yield Heading(text=_WORDS.text("heading"), anchor="design")
    yield Paragraph(runs=_introduction(source, models[0]))
    for model in models:
        cases = list_cases(source, model)
        yield Heading(text=_WORDS.text("heading_model", model=model.label), anchor=f"design-{model.name}", level=2)
        yield Paragraph(runs=_sentence(cases))
        yield tabulate_reach(source, model, cases)
        notes = source.notes("design", landmark=model.landmark, model=model.name)
        own = tuple(runs(note.text) for note in notes if note.model == model.name)
        if own:
            yield Note(title=_WORDS.text("notes"), items=own)
        yield _figure(source, model, cases)


def list_cases(source: Source, model: ModelInfo) -> tuple[Case, ...]:
    """Return what was simulated for a model, in its order."""
    rows = source.results.select(analysis="design", measure="usable", model=model.name, landmark=model.landmark)
    return tuple(
        Case(source=source, model=model, factor=row.factor or "", term=row.term or "", group=row.group or "")
        for row in rows
    )


def case_label(case: Case) -> str:
    """Return what the odds ratio of a case is for."""
    label = case.source.factor(case.factor).label
    alone = case.term.casefold() == "yes"
    return label if alone else _WORDS.text("factor_at_level", factor=label, level=case.term)


def _introduction(source: Source, model: ModelInfo) -> Runs:
    drawn = source.row("design", "data_sets", landmark=model.landmark, model=model.name)
    count = number(drawn, format_count(drawn.estimate if drawn else None))
    return _WORDS.runs("introduction", drawn=count, gelman=cite("gelman2014"))


def _sentence(cases: Sequence[Case]) -> Runs:
    """Say for the case with the middle true odds ratio of the first factor what such studies report."""
    first = [case for case in cases if case.factor == cases[0].factor]
    case = first[len(first) // 2]
    power, more, split = case.row("power", "firth"), case.row("exaggeration", "firth"), case.row("separated", "ml")
    return _WORDS.runs(
        "finding",
        factor=case_label(case),
        truth=f"{case.truth:g}",
        power=number(power, f"{format_percent(power.estimate if power else None, 10)}%"),
        exaggeration=_exaggeration(more),
        separated=number(split, f"{format_percent(split.estimate if split else None, 10)}%"),
    )


def _exaggeration(row: Estimate | None) -> Runs:
    if row is None or row.estimate is None:
        return ()
    times = _WORDS.text("times", ratio=format_ratio(row.estimate))
    return _WORDS.runs("finding_exaggeration", times=number(row, times))


def tabulate_reach(source: Source, model: ModelInfo, cases: Sequence[Case]) -> Table:
    """Return a line per factor and true odds ratio: what Firth and maximum likelihood would report."""
    methods = (cell(_WORDS.text(name), align="center", span=span) for name, span in (("firth", 6), ("ml", 3)))
    return Table(
        name=f"design-{model.name}",
        number=0,
        caption=_WORDS.text("caption", model=model.label),
        header=(Row(cells=(cell(), right(), *methods)), head(*_WORDS.items("heads"))),
        rows=tuple(_reach_rows(cases)),
        widths=(22, 8, 9, 9, 9, 7, 9, 8, 9, 10, 10),
        footnotes=(_footnote(source, model),),
    )


def _reach_rows(cases: Sequence[Case]) -> Iterator[Row]:
    before = ""
    for case in cases:
        label = case_label(case)
        share = case.source.row(
            "design", "share", landmark=case.model.landmark, model=case.model.name, factor=case.factor, term=case.term
        )
        named = [label, " (", number(share, f"{format_percent(share.estimate if share else None, 10)}%"), ")"]
        yield Row(cells=(cell(*(named if label != before else [])), right(f"{case.truth:g}"), *_numbers(case)))
        before = label


def _numbers(case: Case) -> Iterator[Cell]:
    shown = (
        ("median_odds_ratio", "firth", False),
        ("coverage", "firth", True),
        ("width", "firth", False),
        ("power", "firth", True),
        ("exaggeration", "firth", False),
        ("wrong_sign", "firth", True),
        ("median_odds_ratio", "ml", False),
        ("doubled", "ml", True),
        ("separated", "ml", True),
    )
    for measure, method, share in shown:
        row = case.row(measure, method)
        yield right(_share(row) if share else _ratio(row))


def _share(row: Estimate | None) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    return number(row, f"{format_percent(row.estimate, 10)}%")


def _ratio(row: Estimate | None) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    return number(row, format_ratio(row.estimate))


def _footnote(source: Source, model: ModelInfo) -> Runs:
    row = source.row("design", "data_sets", landmark=model.landmark, model=model.name)
    n, events = (row.n, row.events) if row else (None, None)
    error = _error(source, model, row)
    return _WORDS.runs(
        "footnote", n=number(row, format_count(n)), events=number(row, format_count(events)), error=error
    )


def _error(source: Source, model: ModelInfo, drawn: Estimate | None) -> Runs:
    """Say how far chance alone may have moved the shares."""
    row = source.row("design", "monte_carlo_error", landmark=model.landmark, model=model.name)
    if row is None or row.estimate is None or drawn is None:
        return ()
    shown = number(row, format_fixed(100 * row.estimate, 1))
    return _WORDS.runs("error", drawn=number(drawn, format_count(drawn.estimate)), error=shown)


def _figure(source: Source, model: ModelInfo, cases: Sequence[Case]) -> Figure:
    caption = _WORDS.runs("figure", model=model.label)
    alt = _WORDS.text("alt", cases="; ".join(_in_words(case) for case in cases))
    return make_figure(source, f"design-{model.name}", caption, alt, partial(draw_reach, cases))


def _in_words(case: Case) -> str:
    power, more = case.row("power", "firth"), case.row("exaggeration", "firth")
    return _WORDS.text(
        "alt_case",
        factor=case_label(case),
        truth=f"{case.truth:g}",
        power=format_percent(power.estimate if power else None, 10),
        exaggeration=_plain(more),
    )


def _plain(row: Estimate | None) -> str:
    return format_ratio(row.estimate) if row else EMPTY


def draw_reach(cases: Sequence[Case]) -> Sheet:
    """Return two panels for each factor: power, and exaggeration, over the true odds ratio."""
    factors = list(dict.fromkeys(case.factor for case in cases))
    sheet = open_sheet(_WIDTH, 7 + _ROW * len(factors) + 5)
    for place, factor in enumerate(factors):
        own = [case for case in cases if case.factor == factor]
        top = 9.0 + _ROW * place
        sheet.text(1, top - 5, case_label(own[0]), strong=True)
        _draw_measure(sheet, own, (17.0, top), ("power", (0.0, 1.0)))
        worst = max(2.0, *(row.estimate or 0 for row in _finite(own)))
        _draw_measure(sheet, own, (102.0, top), ("exaggeration", (0.5, math.ceil(2 * worst) / 2)))
    draw_key(sheet, sheet.height - 2.5)
    return sheet


def _finite(cases: Sequence[Case]) -> Iterator[Estimate]:
    for case in cases:
        for method in STYLES:
            row = case.row("exaggeration", method)
            if row and row.estimate is not None and math.isfinite(row.estimate):
                yield row


def _draw_measure(
    sheet: Sheet, cases: Sequence[Case], corner: tuple[float, float], what: tuple[str, tuple[float, float]]
) -> None:
    measure, up = what
    highest = max(case.truth for case in cases)
    across, upwards = _WORDS.items(f"{measure}_axes")
    panel = draw_panel(sheet, corner, _SIZE, (1.0, max(highest, 2.0)), up, (across, upwards))
    if measure == "exaggeration":
        panel.curve(panel.across, (1.0, 1.0), color=MUTED, lw=0.7, ls=(0, (1, 2)))
    for method, style in STYLES.items():
        _draw_line(panel, [(case.truth, case.row(measure, method)) for case in cases], style)


def _draw_line(panel: Panel, points: Sequence[tuple[float, Estimate | None]], style: Mapping[str, Any]) -> None:
    inside = [
        (truth, row.estimate)
        for truth, row in points
        if row and row.estimate is not None and panel.up[0] <= row.estimate <= panel.up[1]
    ]
    if len(inside) > 1:
        panel.curve(*zip(*inside, strict=True), **style)
    for truth, value in inside:
        panel.sheet.dot(panel.x(truth), panel.y(value), "o", str(style["color"]))
