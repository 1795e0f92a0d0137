"""The section on published estimates: each beside ours, pooled, and as a prior; with what contradicts itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, exists, number, ratio, right, runs, with_range
from rarefactor.report._effects import step_words
from rarefactor.report._forest import Scale, compute_scale
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, Sheet, open_sheet, wrap_text, write_png, write_svg
from rarefactor.report._source import Source
from rarefactor.report.format import EMPTY, format_count, format_p, format_percent, format_range, format_ratio
from rarefactor.report.tree import Block, Figure, Heading, Inline, Note, Number, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate

_KINDS = {
    "published": "published",
    "ml": "this study, maximum likelihood",
    "firth": "this study, Firth",
    "logf22": "this study, log-F(2,2)",
    "reml_hk": "pooled, random effects",
    "prior": "this study, with the published as prior",
}
_STYLES = {
    "published": ("o", INK),
    "ml": ("s", ORANGE),
    "firth": ("s", BLUE),
    "logf22": ("D", BLUE),
    "reml_hk": ("D", ORANGE),
    "prior": ("^", BLUE),
}
_WIDTH, _TOP, _LINE = 170.0, 8.0, 5.4
_TICKS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 100)


def write_published(source: Source) -> Iterator[Block]:
    """Return the section on published estimates, empty where the study file names none."""
    rows = _odds_ratios(source)
    if not rows and not _shares(source):
        return
    yield Heading(text="Beside published estimates", anchor="evidence")
    yield Paragraph(runs=_introduction())
    yield tabulate_published(source, rows)
    if rows:
        yield _figure(source, rows)
    told = dict.fromkeys(note.text for note in source.results.notes if note.about == "evidence")
    if told:
        yield Note(title="About these publications", items=tuple(runs(text) for text in told))


def _shares(source: Source) -> tuple[Estimate, ...]:
    """Return how many had the outcome: as published, then in this study."""
    return source.results.select(analysis="evidence", measure="risk")


def _odds_ratios(source: Source) -> tuple[Estimate, ...]:
    """Return the odds ratios by factor: published ones first, then ours, then both together."""
    rows = source.results.select(analysis="evidence", measure="odds_ratio")
    order, factors = list(_KINDS), [info.name for info in source.results.factors]
    return tuple(
        sorted(rows, key=lambda row: (factors.index(row.factor or ""), row.term, order.index(row.method or "")))
    )


def _introduction() -> Runs:
    return runs(
        "Published findings on the same factors, as printed, beside ours by maximum likelihood, Firth and log-F(2,2), "
        "each of which answers differently where patients are few. What was printed was checked against itself: odds "
        "ratio, interval, P value, counts, percentages and study size ",
        cite("altman2011"),
        ". Where the study file calls them comparable, they were pooled with ours by random effects with the interval "
        "of Hartung and Knapp ",
        cite("inthout2014"),
        ", which is wide where studies are few, and taken as a prior for ours ",
        cite("greenland2007"),
        ".",
    )


def tabulate_published(source: Source, rows: Sequence[Estimate]) -> Table:
    """Return a line per estimate, below its factor."""
    heads = (f"OR ({100 * source.study.analysis.level:g}% CI)", "P", "n", "Events")
    return Table(
        name="evidence",
        number=0,
        caption=f"Published findings on “{source.outcome.label}” or what the study file compares with it",
        header=(Row(cells=(cell("Estimate"), *(right(head) for head in heads))),),
        rows=(*_share_rows(source), *_table_rows(source, rows)),
        widths=(46, 26, 10, 9, 9),
        footnotes=(
            runs(
                "P of published estimates as printed; an interval in square brackets was not printed and follows "
                "from counts or P. Shares have Wilson intervals. n of pooled estimates: studies; I²: the share of "
                "their variance beyond chance."
            ),
        ),
    )


def _share_rows(source: Source) -> Iterator[Row]:
    """Yield how many had the outcome."""
    shares = _shares(source)
    if shares:
        yield Row(cells=(cell(f"{source.outcome.label}, %", span=5),), kind="head")
    for row in shares:
        published = row.method == "published"
        label = row.group if published else "This study"
        counts = (EMPTY if row.events is None else format_count(row.events)), format_count(row.n)
        cells = (cell(label or ""), right(number(row, _share(source, row))), right(EMPTY))
        yield Row(cells=(*cells, right(number(row, counts[1])), right(number(row, counts[0]))), kind="level")


def _share(source: Source, row: Estimate) -> str:
    """Return a percentage: a published one as printed, ours with its interval."""
    if row.method == "published":
        printed = (item for item in source.study.evidence if item.factor is None and item.source == row.group)
        return next(printed).percent or ""
    interval = format_range(row.low, row.high, lambda value: format_percent(value, row.n))
    return f"{format_percent(row.estimate, row.n)} ({interval})"


def _risks(source: Source, row: Estimate) -> list[Inline | str]:
    """Return how many had the outcome with and without a factor of two levels, in our patients."""
    info = source.factor(row.factor or "")
    if info.kind != "binary":
        return []
    found = [
        source.row("univariable", "risk", landmark=info.measured_at, factor=info.name, group=g) for g in info.levels
    ]
    counted = [number(each, f"{format_count(each.events)}/{format_count(each.n)}") for each in found if each]
    if len(counted) != len(found):
        return []
    return [" (", counted[1], " with it, ", counted[0], " without)"]


def _table_rows(source: Source, rows: Sequence[Estimate]) -> Iterator[Row]:
    for (name, term), lines in groupby(rows, key=lambda row: (row.factor or "", row.term or "")):
        group = list(lines)
        yield Row(cells=(cell(factor_words(source, name, term), *_risks(source, group[0]), span=5),), kind="head")
        yield from (_table_row(source, row) for row in group)


def factor_words(source: Source, name: str, term: str) -> str:
    """Return what the odds ratios of a factor are for."""
    info = source.factor(name)
    if not info.levels:
        return f"{info.label}, {step_words(info)}"
    return info.label if term.casefold() == "yes" else f"{info.label}: {term}"


def _table_row(source: Source, row: Estimate) -> Row:
    pooled = row.method == "reml_hk"
    events = Text(EMPTY) if row.events is None or pooled else number(row, format_count(row.events))
    return Row(
        cells=(
            cell(_label(row), *_heterogeneity(source, row)),
            right(number(row, shown_ratio(source, row)) if row.method == "published" else ratio(row)),
            right(_printed_p(row)),
            right(number(row, format_count(row.n))),
            right(events),
        ),
        kind="level",
    )


def shown_ratio(source: Source, row: Estimate) -> str:
    """Return an odds ratio with its interval; of a published one what was printed, and what follows from it."""
    if row.method != "published":
        return with_range(row) if exists(row) else EMPTY
    printed = next(item for item in source.study.evidence if (item.source, item.factor) == (row.group, row.factor))
    if printed.odds_ratio is None:
        return EMPTY
    if printed.low and printed.high:
        return f"{printed.odds_ratio} ({printed.low}–{printed.high})"
    if "interval_derived" in row.flags:
        return f"{printed.odds_ratio} [{format_range(row.low, row.high, format_ratio)}]"
    return printed.odds_ratio


def _label(row: Estimate) -> str:
    adjusted = ", adjusted" if "adjusted" in row.flags else ""
    words = _KINDS[row.method or ""]
    return f"{row.group}{adjusted}" if row.method == "published" else f"{words[:1].upper()}{words[1:]}"


def _heterogeneity(source: Source, row: Estimate) -> list[Inline | str]:
    if row.method != "reml_hk":
        return []
    i2 = source.row("evidence", "i2", factor=row.factor, term=row.term, group="pooled", method="reml_hk")
    return [" (I² ", number(i2, f"{format_percent(i2.estimate if i2 else None, 10)}%"), ")"]


def _printed_p(row: Estimate) -> Inline:
    if row.p is None:
        return Text(EMPTY)
    return Number(f"<{row.p:g}" if "p_below" in row.flags else format_p(row.p), row.id, "p")


def _figure(source: Source, rows: Sequence[Estimate]) -> Figure:
    sheet = draw_published(source, rows)
    title = Text("Ours beside published. ", "strong")
    what = f"Odds ratios with {100 * source.study.analysis.level:g}% intervals on a log scale, where they have one."
    told = "; ".join(
        f"{factor_words(source, row.factor or '', row.term or '')}, {_label(row)}: {shown_ratio(source, row)}"
        for row in rows
    )
    alt = f"Forest plot of published odds ratios beside ours. {told}."
    size = {"width_mm": sheet.width, "height_mm": sheet.height}
    svg, png = write_svg(sheet, "evidence"), write_png(sheet)
    return Figure(name="evidence", number=0, caption=runs(title, what), alt=alt, svg=svg, png=png, **size)


def draw_published(source: Source, rows: Sequence[Estimate]) -> Sheet:
    """Return a forest plot with a group of lines for each factor."""
    heads = len({(row.factor, row.term) for row in rows})
    bottom = _TOP + _LINE * (len(rows) + heads)
    sheet = open_sheet(_WIDTH, bottom + 9)
    scale = compute_scale(rows)
    sheet.line((0, _WIDTH), (_TOP - 2, _TOP - 2), color=INK, lw=0.9)
    sheet.text(1, _TOP - 5, "Estimate", strong=True)
    sheet.text(169, _TOP - 5, f"OR ({100 * source.study.analysis.level:g}% CI)", strong=True, ha="right")
    _draw_axis(sheet, scale, bottom)
    y = _TOP
    for (name, term), group in groupby(rows, key=lambda row: (row.factor or "", row.term or "")):
        sheet.text(1, y + _LINE / 2, factor_words(source, name, term), strong=True)
        y += _LINE
        for row in group:
            _draw_row(sheet, scale, row, y + _LINE / 2, source.style.write_range(shown_ratio(source, row)))
            y += _LINE
    return sheet


def _draw_axis(sheet: Sheet, scale: Scale, bottom: float) -> None:
    sheet.line((scale.place(1), scale.place(1)), (_TOP - 1, bottom), color=MUTED, lw=0.8, ls=(0, (3, 2)))
    sheet.line((scale.place(scale.low), scale.place(scale.high)), (bottom, bottom), color=MUTED)
    for tick in _TICKS:
        if scale.low <= tick <= scale.high:
            sheet.line((scale.place(tick), scale.place(tick)), (bottom, bottom + 1.1), color=MUTED)
            sheet.text(scale.place(tick), bottom + 3.2, f"{tick:g}", size=7, ha="center", color=MUTED)


def _draw_row(sheet: Sheet, scale: Scale, row: Estimate, y: float, shown: str) -> None:
    marker, color = _STYLES[row.method or "published"]
    sheet.text(4, y, wrap_text(_label(row), 64)[0])
    sheet.text(169, y, shown, ha="right")
    if not exists(row) or row.estimate is None:
        return
    if row.low is not None and row.high is not None:
        ends = (max(row.low, scale.low), min(row.high if math.isfinite(row.high) else scale.high, scale.high))
        sheet.line((scale.place(ends[0]), scale.place(ends[1])), (y, y), color=color, lw=1.1)
    inside = min(max(row.estimate, scale.low), scale.high)
    sheet.dot(scale.place(inside), y, marker, color, hollow=row.method == "published")
