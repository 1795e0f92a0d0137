"""The part of the report on stained biopsies: how many, what was measured by outcome, staining runs, readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rarefactor.report._agreement import BLIND, draw_agreement
from rarefactor.report._cells import cell, difference, head, linked, number, p_value, right
from rarefactor.report._drawn import make_figure
from rarefactor.report._images_plot import Cloud, Range, draw_clouds
from rarefactor.report._muscles import range_of
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import decimals_for, format_count, format_fixed, format_p_in_text
from rarefactor.report.tree import Block, Cell, Figure, Paragraph, Row, Runs, Table
from rarefactor.results import OUTCOME_UNKNOWN, Estimate
from rarefactor.spec import upper_first

_WORDS = Words("pathology")
GROUPS = ("no_event", "event", OUTCOME_UNKNOWN)
_ALL = ("all", "event", "no_event")
_MOST = 9


def write_pathology(source: Source, name: str) -> Iterator[Block]:
    """Yield sentences, tables and figure of the stained biopsies that the study calls ``name``."""
    counted = source.results.select(analysis="pathology", model=name, measure="slides")
    if counted:
        yield Paragraph(runs=_counts(source, name, [row.term or "" for row in counted]))
    medians = source.results.select(analysis="pathology", model=name, measure="median_value", group="all")
    if medians:
        yield tabulate_stains(source, name, medians)
    clouds = _clouds(source, name)
    if clouds:
        yield _figure(source, name, clouds)
    sentences = linked(_runs(source, name))
    if sentences:
        yield Paragraph(runs=sentences)
    agreement = [row for row in _rows(source, name) if row.measure in _WORDS.names("agreement")]
    if agreement:
        yield _tabulate_agreement(source, agreement)
    yield from draw_agreement(source, name, _rows(source, name))


def _rows(source: Source, name: str) -> tuple[Estimate, ...]:
    return source.results.select(analysis="pathology", model=name)


def _counts(source: Source, name: str, stains: Sequence[str]) -> Runs:
    return _WORDS.runs("counts", stains=linked((_count_stain(source, name, stain) for stain in stains), "; "))


def _count_stain(source: Source, name: str, stain: str) -> Runs:
    found = {row.measure: row for row in _rows(source, name) if row.term == stain}
    slides, patients = (_counted(key, found.get(key)) for key in ("slides", "patients"))
    less = ((key, found.get(key)) for key in ("failed", "controls"))
    more = (_counted(key, row) for key, row in less if row and row.estimate)
    return linked([_WORDS.runs("stain", stain=stain, slides=slides, patients=patients), *more], ", ")


def _counted(key: str, row: Estimate | None) -> Runs:
    count = row.estimate if row else None
    return _WORDS.runs(key, count=count, n=number(row, format_count(count)))


def tabulate_stains(source: Source, name: str, medians: Sequence[Estimate]) -> Table:
    """Return the table of each measurement: all patients, and by outcome."""
    visits = dict.fromkeys(row.landmark or "" for row in medians)
    heads = _WORDS.items("heads", event=source.event, no_event=source.no_event)
    rows = tuple(_stain_row(source, name, row, several=len(visits) > 1) for row in medians)
    return Table(
        name=f"slides-{name}",
        number=0,
        caption=_WORDS.text("caption"),
        header=(head(*heads),),
        rows=rows,
        widths=(46, 24, 24, 24),
        footnotes=(_WORDS.runs("footnote"),),
    )


def _stain_row(source: Source, name: str, median: Estimate, *, several: bool) -> Row:
    column, visit = median.term or "", median.landmark or ""
    where = {"model": name, "landmark": visit, "term": column}
    found = [source.row("pathology", "median_value", group=group, **where) for group in _ALL]
    decimals = _decimals(median)
    at = f", {source.visit(visit)}" if several else ""
    return Row(cells=(cell(_label(source, name, column) + at), *(_value(row, decimals) for row in found)))


def _decimals(row: Estimate) -> int:
    spread = (row.high - row.low) / 1.5 if row.high is not None and row.low is not None else None
    return min(3, decimals_for(spread))


def _value(row: Estimate | None, decimals: int) -> Cell:
    return right(difference(row, decimals), f", {format_count(row.n)}" if row else "")


def _label(source: Source, name: str, column: str) -> str:
    quantity = source.results.quantities[f"{name}.{column}"]
    unit = f", {quantity.unit}" if quantity.unit and quantity.unit != "1/mm²" else ""
    return f"{quantity.label}{unit}"


def _clouds(source: Source, name: str) -> tuple[Cloud, ...]:
    """Return the patients' values of each measurement, by outcome."""
    values = source.results.select(analysis="pathology", model=name, measure="value")
    shown = dict.fromkeys((row.landmark or "", row.term or "") for row in values)
    return tuple(_cloud(source, name, visit, column) for visit, column in shown)[:_MOST]


def _cloud(source: Source, name: str, visit: str, column: str) -> Cloud:
    where = {"analysis": "pathology", "model": name, "landmark": visit, "term": column}
    rows = source.results.select(measure="value", **where)
    labels = dict(zip(GROUPS, (source.no_event, source.event, _WORDS.text("outcome_unknown")), strict=True))
    found: list[tuple[str, tuple[float, ...], Range | None]] = []
    for flag, label in labels.items():
        own = tuple(row.estimate for row in rows if flag in row.flags and row.estimate is not None)
        summary = source.results.select(measure="median_value", group=flag, **where)
        if own:
            found.append((label, own, range_of(next(iter(summary), None))))
    return Cloud(title=_label(source, name, column), groups=tuple(found))


def _figure(source: Source, name: str, clouds: Sequence[Cloud]) -> Figure:
    alt = _WORDS.text("alt", measurements=" ".join(_told(cloud) for cloud in clouds))
    return make_figure(source, f"slides-{name}", _WORDS.runs("figure_caption"), alt, partial(draw_clouds, clouds))


def _told(cloud: Cloud) -> str:
    parts: list[str] = []
    for label, own, summary in cloud.groups:
        ends = {"lowest": format_fixed(own[0], 1), "highest": format_fixed(own[-1], 1)}
        median = format_fixed(summary.middle, 1) if summary else ""
        key = "group_median_alt" if summary else "group_alt"
        parts.append(_WORDS.text(key, group=label, n=len(own), median=median, **ends))
    return _WORDS.text("measurement_alt", measurement=cloud.title, groups="; ".join(parts))


def _runs(source: Source, name: str) -> Iterator[Runs]:
    """Say how far the staining runs differ, stain by stain."""
    tests = [row for row in _rows(source, name) if row.measure == "kruskal_wallis"]
    for test in tests:
        share = source.row("pathology", "share_between_runs", model=name, term=test.term)
        known = share is not None and share.estimate is not None
        yield _WORDS.runs(
            "runs_share" if known else "runs",
            what=upper_first(_named(source, name, test.term or "")),
            test=number(test, f"{format_fixed(test.estimate, 2)}, {format_p_in_text(test.p)}"),
            n=format_count(test.n),
            share=number(share, f"{format_fixed(100 * (share.estimate or 0.0), 0)}%") if share else "",
        )


def _named(source: Source, name: str, column: str) -> str:
    known = f"{name}.{column}" in source.results.quantities
    return _label(source, name, column) if known else column.replace("_", " ").replace(".", ", ")


def _tabulate_agreement(source: Source, rows: Sequence[Estimate]) -> Table:
    unseen = any(row.method == BLIND for row in rows)
    blind = _WORDS.runs("agreement_footnote_blind") if unseen else ()
    body: list[Row] = []
    for title, own in _by_pair(rows):
        body.append(Row(cells=(cell(title, span=4),), kind="head"))
        body += [_agreement_row(row) for row in own]
    return Table(
        name="agreement",
        number=0,
        caption=_WORDS.text("agreement_caption"),
        header=(head(*_WORDS.items("agreement_heads", interval=source.interval)),),
        rows=tuple(body),
        widths=(44, 26, 12, 18),
        footnotes=(linked([_WORDS.runs("agreement_footnote"), blind]),),
    )


def _by_pair(rows: Sequence[Estimate]) -> Iterator[tuple[str, list[Estimate]]]:
    pairs = dict.fromkeys((row.term or "", row.group or "", row.method or "") for row in rows)
    for term, group, method in pairs:
        own = [row for row in rows if (row.term, row.group, row.method or "") == (term, group, method)]
        key = "agreement_of_blind" if method == BLIND else "agreement_of"
        yield _WORDS.text(key, what=term.removesuffix(".score"), readers=group), own


def _agreement_row(row: Estimate) -> Row:
    cells = (right(difference(row, 2)), right(p_value(row)), right(number(row, format_count(row.n))))
    return Row(cells=(cell(_WORDS.names("agreement")[row.measure]), *cells), kind="level")
