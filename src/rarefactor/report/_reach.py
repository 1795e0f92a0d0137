"""The section on what this study could find: simulated studies of its size with a known truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, number, right, runs
from rarefactor.report._panel import Panel, draw_panel
from rarefactor.report._plot import MUTED, Sheet, open_sheet, write_png, write_svg
from rarefactor.report._profile_plot import STYLES, draw_key
from rarefactor.report._source import Source
from rarefactor.report.format import EMPTY, format_count, format_percent, format_ratio
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, ModelInfo

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
    yield Heading(text="What this study could find", anchor="design")
    yield Paragraph(runs=_introduction(source, models[0]))
    for model in models:
        cases = list_cases(source, model)
        yield Heading(text=f"Studies like this one: “{model.label}”", anchor=f"design-{model.name}", level=2)
        yield Paragraph(runs=_sentence(cases))
        yield tabulate_reach(source, model, cases)
        yield _figure(model, cases)
        notes = source.notes("design", landmark=model.landmark, model=model.name)
        own = tuple(runs(note.text) for note in notes if note.model == model.name)
        if own:
            yield Note(title="About these simulations", items=own)


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
    return label if case.term.casefold() == "yes" else f"{label}: {case.term}"


def _introduction(source: Source, model: ModelInfo) -> Runs:
    drawn = source.row("design", "data_sets", landmark=model.landmark, model=model.name)
    return runs(
        "Studies of this size, with this share of events and as many patients with each factor, were drawn ",
        number(drawn, format_count(drawn.estimate if drawn else None)),
        " times for each true odds ratio and analysed like this one: what would they have reported? Exaggeration is "
        "the median ratio of log odds ratios to the truth among those whose interval excludes 1 (type M), the wrong "
        "sign the share of these on the other side of 1 (type S) ",
        cite("gelman2014"),
        ". In the simulation one factor has the true odds ratio and the others 1; a continuous factor stands as above "
        "or below its median (the first stands for all of them), a categorical one as its reference or not, and "
        "factors do not depend on each other.",
    )


def _sentence(cases: Sequence[Case]) -> Runs:
    """Say for the case with the middle true odds ratio of the first factor what such studies report."""
    first = [case for case in cases if case.factor == cases[0].factor]
    case = first[len(first) // 2]
    power, more, split = case.row("power", "firth"), case.row("exaggeration", "firth"), case.row("separated", "ml")
    parts: list[Inline | str] = [
        f"If the odds ratio of “{case_label(case)}” were truly {case.truth:g}, the Firth interval would exclude 1 in ",
        number(power, f"{format_percent(power.estimate if power else None, 10)}%"),
    ]
    if more and more.estimate is not None:
        parts += [" of studies, and these would report a log odds ratio of ", number(more, _times(more)), " the truth"]
    else:
        parts.append(" of studies")
    parts += ["; in ", number(split, f"{format_percent(split.estimate if split else None, 10)}%")]
    return runs(*parts, " maximum likelihood would have no finite estimates, because the data are separated.")


def _times(row: Estimate) -> str:
    return f"{format_ratio(row.estimate)} times"


def tabulate_reach(source: Source, model: ModelInfo, cases: Sequence[Case]) -> Table:
    """Return a line per factor and true odds ratio: what Firth and maximum likelihood would report."""
    heads = ("True OR", "Median OR", "Coverage", "Width", "Power", "Exagge-\nration", "Wrong\nsign")
    more = ("Median OR", "At least\ntwice truth", "Separated")
    top = (cell(), right(), cell("Firth", align="center", span=6), cell("Maximum likelihood", align="center", span=3))
    return Table(
        name=f"design-{model.name}",
        number=0,
        caption=f"What studies like this one would report: model “{model.label}”",
        header=(Row(cells=top), Row(cells=(cell("Factor"), *(right(head) for head in (*heads, *more))))),
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
    return runs(
        "Studies of ",
        number(row, format_count(n)),
        " patients, ",
        number(row, format_count(events)),
        " with the outcome on average. In brackets: the share of patients with the factor. Width: median ratio of the "
        "upper to the lower limit. Coverage: share of intervals that hold the truth. ∞: half of the studies, or more, "
        "have no finite estimate.",
    )


def _figure(model: ModelInfo, cases: Sequence[Case]) -> Figure:
    name = f"design-{model.name}"
    sheet = draw_reach(cases)
    title = Text(f"Power and exaggeration in studies like this one: “{model.label}”. ", "strong")
    what = (
        "Left, the share of studies whose interval excludes 1; right, the median ratio of the reported log odds ratio "
        "to the truth among these (1: no exaggeration; no point: infinite, or no such study)."
    )
    told = "; ".join(_in_words(case) for case in cases)
    alt = f"Two panels of lines per factor over the true odds ratio, by method. Firth: {told}."
    size = {"width_mm": sheet.width, "height_mm": sheet.height}
    svg, png = write_svg(sheet, name), write_png(sheet)
    return Figure(name=name, number=0, caption=runs(title, what), alt=alt, svg=svg, png=png, **size)


def _in_words(case: Case) -> str:
    power, more = case.row("power", "firth"), case.row("exaggeration", "firth")
    shown = format_percent(power.estimate if power else None, 10)
    return f"{case_label(case)}, true odds ratio {case.truth:g}: power {shown}%, exaggeration {_plain(more)}"


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
        _draw_measure(sheet, own, (17.0, top), ("power", "Share of studies", (0.0, 1.0)))
        worst = max(2.0, *(row.estimate or 0 for row in _finite(own)))
        _draw_measure(sheet, own, (102.0, top), ("exaggeration", "Exaggeration", (0.5, math.ceil(2 * worst) / 2)))
    draw_key(sheet, sheet.height - 2.5)
    return sheet


def _finite(cases: Sequence[Case]) -> Iterator[Estimate]:
    for case in cases:
        for method in STYLES:
            row = case.row("exaggeration", method)
            if row and row.estimate is not None and math.isfinite(row.estimate):
                yield row


def _draw_measure(
    sheet: Sheet, cases: Sequence[Case], corner: tuple[float, float], what: tuple[str, str, tuple[float, float]]
) -> None:
    measure, words, up = what
    highest = max(case.truth for case in cases)
    panel = draw_panel(sheet, corner, _SIZE, (1.0, max(highest, 2.0)), up, ("True odds ratio", words))
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
