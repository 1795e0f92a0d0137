"""The section on published estimates: each beside ours, pooled, and as a prior; with what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, exists, head, number, ratio, right, runs, with_range
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import step_words
from rarefactor.report._forest import Scale, compute_scale, draw_interval, shown_ticks
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, Sheet, open_sheet, wrap_text
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count, format_p, format_percent, format_range, format_ratio
from rarefactor.report.tree import Block, Figure, Heading, Inline, Note, Number, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate

_WORDS = Words("published")
_STYLES = {
    "published": ("o", INK),
    "ml": ("s", ORANGE),
    "firth": ("s", BLUE),
    "logf22": ("D", BLUE),
    "reml_hk": ("D", ORANGE),
    "prior": ("^", BLUE),
}
_WIDTH, _TOP, _LINE = 170.0, 8.0, 5.4


def write_published(source: Source) -> Iterator[Block]:
    """Return the section on published estimates, empty where the study file names none."""
    rows = _odds_ratios(source)
    if not rows and not _shares(source):
        return
    yield Heading(text=_WORDS.text("heading"), anchor="evidence")
    yield Paragraph(runs=_introduction())
    yield tabulate_published(source, rows)
    told = dict.fromkeys(note.text for note in source.results.notes if note.about == "evidence")
    if told:
        yield Note(title=_WORDS.text("notes"), items=tuple(runs(text) for text in told))
    if rows:
        yield _figure(source, rows)


def _shares(source: Source) -> tuple[Estimate, ...]:
    """Return how many had the outcome: as published, then in this study."""
    return source.results.select(analysis="evidence", measure="risk")


def _odds_ratios(source: Source) -> tuple[Estimate, ...]:
    """Return the odds ratios by factor: published ones first, then ours, then both together."""
    rows = source.results.select(analysis="evidence", measure="odds_ratio")
    order, factors = list(_STYLES), [info.name for info in source.results.factors]
    return tuple(
        sorted(rows, key=lambda row: (factors.index(row.factor or ""), row.term, order.index(row.method or "")))
    )


def _footnote(rows: Sequence[Estimate]) -> Runs:
    pooled = any(row.method == "reml_hk" for row in rows)
    return _WORDS.runs("footnote", pooled=_WORDS.text("footnote_pooled") if pooled else "")


def _introduction() -> Runs:
    papers = {"altman": cite("altman2011"), "inthout": cite("inthout2014"), "greenland": cite("greenland2007")}
    return _WORDS.runs("introduction", **papers)


def tabulate_published(source: Source, rows: Sequence[Estimate]) -> Table:
    """Return a line per estimate, below its factor."""
    return Table(
        name="evidence",
        number=0,
        caption=_WORDS.text("caption", outcome=source.outcome.label),
        header=(head(*_WORDS.items("heads", interval=source.interval)),),
        rows=(*_share_rows(source), *_table_rows(source, rows)),
        widths=(46, 26, 10, 9, 9),
        footnotes=(_footnote(rows),),
    )


def _share_rows(source: Source) -> Iterator[Row]:
    """Yield how many had the outcome."""
    shares = _shares(source)
    if shares:
        yield Row(cells=(cell(_WORDS.text("share", outcome=source.outcome.label), span=5),), kind="head")
    for row in shares:
        published = row.method == "published"
        label = row.group if published else _WORDS.text("this_study")
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


def _risks(source: Source, row: Estimate) -> Runs:
    """Return how many had the outcome with and without a factor of two levels, in our patients."""
    info = source.factor(row.factor or "")
    if info.kind != "binary":
        return ()
    found = [
        source.row("univariable", "risk", landmark=info.measured_at, factor=info.name, group=g) for g in info.levels
    ]
    counted = [number(each, f"{format_count(each.events)}/{format_count(each.n)}") for each in found if each]
    if len(counted) != len(found):
        return ()
    return _WORDS.runs("risks", with_it=counted[1], without=counted[0])


def _table_rows(source: Source, rows: Sequence[Estimate]) -> Iterator[Row]:
    for (name, term), lines in groupby(rows, key=lambda row: (row.factor or "", row.term or "")):
        group = list(lines)
        yield Row(cells=(cell(factor_words(source, name, term), *_risks(source, group[0]), span=5),), kind="head")
        yield from (_table_row(source, row) for row in group)


def factor_words(source: Source, name: str, term: str) -> str:
    """Return what the odds ratios of a factor are for."""
    info = source.factor(name)
    if not info.levels:
        return _WORDS.text("factor_with_step", factor=info.label, step=step_words(info))
    alone = term.casefold() == "yes"
    return info.label if alone else _WORDS.text("factor_at_level", factor=info.label, level=term)


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
    if row.method != "published":
        return _WORDS.names("kinds")[row.method or ""]
    name = f"{row.group}"
    return _WORDS.text("adjusted", source=name) if "adjusted" in row.flags else name


def _heterogeneity(source: Source, row: Estimate) -> Runs:
    if row.method != "reml_hk":
        return ()
    i2 = source.row("evidence", "i2", factor=row.factor, term=row.term, group="pooled", method="reml_hk")
    return _WORDS.runs("i2", i2=number(i2, f"{format_percent(i2.estimate if i2 else None, 10)}%"))


def _printed_p(row: Estimate) -> Inline:
    if row.p is None:
        return Text(EMPTY)
    return Number(f"<{row.p:g}" if "p_below" in row.flags else format_p(row.p), row.id, "p")


def _figure(source: Source, rows: Sequence[Estimate]) -> Figure:
    alt = _WORDS.text("alt", estimates="; ".join(_in_words(source, row) for row in rows))
    caption = _WORDS.runs("figure", level=source.level)
    return make_figure(source, "evidence", caption, alt, partial(draw_published, source, rows))


def _in_words(source: Source, row: Estimate) -> str:
    factor = factor_words(source, row.factor or "", row.term or "")
    return _WORDS.text("alt_estimate", factor=factor, label=_label(row), estimate=shown_ratio(source, row))


def draw_published(source: Source, rows: Sequence[Estimate]) -> Sheet:
    """Return a forest plot with a group of lines for each factor."""
    heads = len({(row.factor, row.term) for row in rows})
    bottom = _TOP + _LINE * (len(rows) + heads)
    sheet = open_sheet(_WIDTH, bottom + 9)
    scale = compute_scale(rows)
    sheet.line((0, _WIDTH), (_TOP - 2, _TOP - 2), color=INK, lw=0.9)
    sheet.text(1, _TOP - 5, _WORDS.text("estimate"), strong=True)
    sheet.text(169, _TOP - 5, _WORDS.text("ratio", interval=source.interval), strong=True, ha="right")
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
    for tick in shown_ticks(scale):
        sheet.line((scale.place(tick), scale.place(tick)), (bottom, bottom + 1.1), color=MUTED)
        sheet.text(scale.place(tick), bottom + 3.2, f"{tick:g}", size=7, ha="center", color=MUTED)


def _draw_row(sheet: Sheet, scale: Scale, row: Estimate, y: float, shown: str) -> None:
    marker, color = _STYLES[row.method or "published"]
    sheet.text(4, y, wrap_text(_label(row), 64)[0])
    sheet.text(169, y, shown, ha="right")
    if not exists(row) or row.estimate is None:
        return
    if row.low is not None and row.high is not None:
        draw_interval(sheet, scale, row, y, color)
    inside = min(max(row.estimate, scale.low), scale.high)
    sheet.dot(scale.place(inside), y, marker, color, hollow=row.method == "published")
