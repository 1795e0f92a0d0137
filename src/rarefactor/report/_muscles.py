"""The part of the report on thigh MRI: the fat of each muscle at each visit, and its rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from rarefactor.report._cells import cell, difference, head, linked, right
from rarefactor.report._drawn import make_figure
from rarefactor.report._images_plot import Range, Ranges, draw_ranges
from rarefactor.report._readers import write_grade_agreement
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_fixed
from rarefactor.report.tree import Block, Figure, Inline, Paragraph, Row, Runs, Table
from rarefactor.results import Estimate
from rarefactor.spec import lower_first, upper_first

_WORDS = Words("muscles")
GROUPS = ("no_event", "event")
_TWICE = "posterior.fat_fraction"  # the hamstrings are the same muscles


@dataclass(frozen=True, slots=True, kw_only=True)
class Muscles:
    """What is known of the muscles of one kind of scans."""

    source: Source
    name: str

    def row(self, measure: str, visit: str, column: str, group: str = "all") -> Estimate | None:
        """Return the median of a column at a visit."""
        parts = {"model": self.name, "landmark": visit, "term": column, "group": group}
        return self.source.row("imaging", measure, **parts)

    def visits(self, measure: str) -> tuple[str, ...]:
        """Return the visits at which something was measured, in their order."""
        rows = self.source.results.select(analysis="imaging", model=self.name, measure=measure)
        found = {row.landmark for row in rows}
        return tuple(visit for visit in self.source.study.cohort.visits if visit in found)

    @property
    def columns(self) -> tuple[str, ...]:
        """The muscles, in the order in which they were measured."""
        rows = self.source.results.select(analysis="imaging", model=self.name, measure="median_value", group="all")
        return tuple(column for column in dict.fromkeys(row.term or "" for row in rows) if column != _TWICE)

    def label(self, column: str) -> str:
        """Return what a muscle is called."""
        words = self.source.results.quantities[f"{self.name}.{column}"].label
        return upper_first(words.rpartition(" of the ")[2])


def write_muscles(source: Source) -> Iterator[Block]:
    """Yield sentence, table and figure of the fat fractions of each kind of scans."""
    for name in source.study.imaging:
        muscles = Muscles(source=source, name=name)
        yield from write_grade_agreement(source, name)
        if not muscles.columns:
            continue
        yield Paragraph(runs=_sentence(muscles))
        yield tabulate_muscles(muscles)
        yield _figure(muscles)


def _sentence(muscles: Muscles) -> Runs:
    """Say the fat fraction of the whole, at each visit, and its rate."""
    whole = muscles.columns[0]
    told = {
        "whole": lower_first(muscles.label(whole)),
        "visits": linked(_at_visits(muscles, "median_value", whole), "; "),
    }
    rates = linked(_at_visits(muscles, "median_rate", whole), ". ")
    return _WORDS.runs("medians_rates", rates=rates, **told) if rates else _WORDS.runs("medians", **told)


def _at_visits(muscles: Muscles, measure: str, column: str) -> Iterator[Runs]:
    key = {"median_value": "at_visit", "median_rate": "changed"}[measure]
    for visit in muscles.visits(measure):
        row = muscles.row(measure, visit, column)
        n, label = format_count(row.n if row else None), muscles.source.visit(visit)
        yield _WORDS.runs(key, visit=label, median=_shown(row), n=n)


def _shown(row: Estimate | None) -> Inline:
    """Show a fat fraction with one decimal, a rate with two."""
    return difference(row, 2 if row and row.measure == "median_rate" else 1)


def tabulate_muscles(muscles: Muscles) -> Table:
    """Return the table: a row for each muscle, a column for each visit and each rate."""
    values, rates = muscles.visits("median_value"), muscles.visits("median_rate")
    visits = [_WORDS.text("head_visit", visit=upper_first(muscles.source.visit(visit))) for visit in values]
    slopes = [_WORDS.text("head_rate", visit=muscles.source.visit(visit)) for visit in rates]
    return Table(
        name=f"muscles-{muscles.name}",
        number=0,
        caption=_WORDS.text("caption"),
        header=(head(_WORDS.text("head_muscle"), *visits, *slopes),),
        rows=tuple(_muscle_row(muscles, column, values, rates) for column in muscles.columns),
        widths=(34, *(22 for _ in (*values, *rates))),
        footnotes=(_WORDS.runs("footnote"),),
    )


def _muscle_row(muscles: Muscles, column: str, values: tuple[str, ...], rates: tuple[str, ...]) -> Row:
    rows = [muscles.row("median_value", visit, column) for visit in values]
    rows += [muscles.row("median_rate", visit, column) for visit in rates]
    cells = (right(_shown(row), f", {format_count(row.n)}" if row else "") for row in rows)
    return Row(cells=(cell(muscles.label(column)), *cells))


def _figure(muscles: Muscles) -> Figure:
    source, columns = muscles.source, muscles.columns
    values, rates = muscles.visits("median_value"), muscles.visits("median_rate")
    shown = [("median_value", values[0], _WORDS.text("panel_visit", visit=source.visit(values[0])))]
    shown += [("median_rate", visit, _WORDS.text("panel_rate", visit=source.visit(visit))) for visit in rates[:1]]
    panels = tuple(
        Ranges(title=title, rows=tuple(_ranges(muscles, measure, visit, column) for column in columns))
        for measure, visit, title in shown
    )
    labels, groups = [muscles.label(column) for column in columns], (source.no_event, source.event)
    told = [_told(labels[0], panel, groups) for panel in panels]
    alt = _WORDS.text("alt", n=len(labels), panels=" ".join(told))
    draw = partial(draw_ranges, labels, panels, groups)
    return make_figure(source, f"muscles-{muscles.name}", _WORDS.runs("figure_caption"), alt, draw)


def _ranges(muscles: Muscles, measure: str, visit: str, column: str) -> tuple[Range | None, ...]:
    return tuple(range_of(muscles.row(measure, visit, column, group)) for group in GROUPS)


def range_of(row: Estimate | None) -> Range | None:
    """Return a median and its quartiles as a figure needs them."""
    if row is None or row.estimate is None or row.low is None or row.high is None:
        return None
    return Range(low=row.low, middle=row.estimate, high=row.high, n=row.n or 0)


def _told(label: str, panel: Ranges, groups: tuple[str, str]) -> str:
    """Say the first row of a panel in words."""
    pairs = zip(groups, panel.rows[0], strict=True)
    found = [
        _WORDS.text("group_alt", group=group, median=format_fixed(each.middle, 1), n=each.n)
        for group, each in pairs
        if each
    ]
    return _WORDS.text("panel_alt", panel=panel.title, label=lower_first(label), groups=", ".join(found))
