"""Table 1: who the patients are, by outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, difference, head, mark, number, p_value, ratio, right
from rarefactor.report._effects import stands_alone
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, decimals_for, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Cell, Inline, Row, Runs, Table, Text
from rarefactor.results import OUTCOME_UNKNOWN, Estimate, FactorInfo

_WORDS = Words("table1")
_GROUPS = ("all", "event", "no_event")
_WIDTHS = (18.9, 13.0, 13.0, 13.6, 17.8, 16.6, 7.1)
_NARROWER, _LAST = (13.0, 12.3, 12.3, 12.3, 16.2, 15.5, 5.8), 12.6
_MARKS = {"a": "means", "b": "shift", "c": "odds_ratio", "d": "fisher", "e": "chi_square"}
_PAPERS = {
    "welch": "welch1947",
    "hodges": "hodges1963",
    "wilcoxon": "wilcoxon1945",
    "fisher": "fisher1935",
    "freeman": "freeman1951",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The patients of a landmark, described by the factors that are first known there."""

    source: Source
    landmark: str

    @property
    def is_first(self) -> bool:
        """Whether it is the landmark at which the study starts: Table 1."""
        return self.landmark == self.source.landmarks[0]

    @property
    def left_out(self) -> Estimate | None:
        """A row on the patients whose outcome is not known, where there are any: of a factor that some may lack."""
        rows = self.source.results.select(
            analysis="table1", measure="missing", landmark=self.landmark, group=OUTCOME_UNKNOWN
        )
        return rows[0] if rows else None

    @property
    def columns(self) -> int:
        """The number of columns: those whose outcome is not known stand in one of their own."""
        return len(_WIDTHS) + (self.left_out is not None)

    def get(self, measure: str, info: FactorInfo, **parts: str | None) -> Estimate | None:
        """Return a row on a factor at this landmark."""
        return self.source.row("table1", measure, landmark=self.landmark, factor=info.name, **parts)


def tabulate_characteristics(source: Source) -> Iterator[Table]:
    """Yield Table 1, and one for each later landmark at which more factors become known."""
    yield tabulate_table1(source, source.landmarks[0])
    for landmark in source.landmarks[1:]:
        if source.results.select(analysis="table1", landmark=landmark):
            yield tabulate_table1(source, landmark)


def tabulate_table1(source: Source, landmark: str) -> Table:
    """Return every factor that is first known at a landmark, for all its patients and by outcome."""
    at = Described(source=source, landmark=landmark)
    rows = tuple(row for info in source.results.factors for row in _factor_rows(at, info))
    return Table(
        name="table1" if at.is_first else f"table1-{landmark}",
        number=0,
        caption=_WORDS.text("caption" if at.is_first else "caption_later", visit=source.visit(landmark)),
        header=(_header(at),),
        rows=rows,
        widths=(*_NARROWER, _LAST) if at.left_out else _WIDTHS,
        footnotes=tuple(_footnotes(at, rows)),
    )


def _header(at: Described) -> Row:
    step = at.source.analysed(at.landmark)
    total, events = (step.n, step.events or 0) if step else (None, None)
    others = None if total is None or events is None else total - events
    counts = {name: format_count(n) for name, n in (("all", total), ("events", events), ("others", others))}
    groups = {"event": at.source.event, "no_event": at.source.no_event, "interval": at.source.interval}
    heads = _WORDS.items("heads", **counts, **groups)
    if at.left_out:
        everyone = (at.left_out.n or 0) + int(at.left_out.estimate or 0)
        heads = (*heads, _WORDS.text("head_left_out", n=format_count(everyone)))
    return head(*heads)


def _factor_rows(at: Described, info: FactorInfo) -> Iterator[Row]:
    if not _is_described(at, info):
        return
    shown = {"continuous": _continuous, "binary": _binary, "categorical": _categorical}[info.kind]
    yield from shown(at, info)
    yield from _missing(at, info)


def _is_described(at: Described, info: FactorInfo) -> bool:
    """A factor that is known before this landmark, or only after it, has no row here."""
    return any(row.factor == info.name for row in at.source.results.select(analysis="table1", landmark=at.landmark))


def _continuous(at: Described, info: FactorInfo) -> Iterator[Row]:
    unit = f", {info.unit}" if info.unit else ""
    spread = at.get("sd", info, group="all")
    decimals = decimals_for(spread.estimate if spread else None)
    welch = at.get("mean_difference", info, method="welch_t")
    shift = at.get("location_shift", info, method="wilcoxon")
    yield Row(cells=(cell(f"{info.label}{unit}", span=at.columns),), kind="head")
    means = (right(*_mean_sd(at, info, group, decimals)) for group in _GROUPS)
    yield Row(
        cells=(
            cell(_WORDS.text("mean")),
            *means,
            right(difference(welch, decimals), mark("a") if welch else ""),
            right(_smd(at.get("smd", info))),
            right(p_value(welch)),
            *_last(at, *_mean_sd(at, info, OUTCOME_UNKNOWN, decimals)),
        ),
        kind="level",
    )
    medians = (right(_median_iqr(at.get("median", info, group=group), decimals)) for group in _GROUPS)
    yield Row(
        cells=(
            cell(_WORDS.text("median")),
            *medians,
            right(difference(shift, decimals), mark("b") if shift else ""),
            right(),
            right(p_value(shift)),
            *_last(at, _median_iqr(at.get("median", info, group=OUTCOME_UNKNOWN), decimals)),
        ),
        kind="level",
    )


def _binary(at: Described, info: FactorInfo) -> Iterator[Row]:
    term = info.compared[-1] if info.compared else "yes"
    of_term = at.get("odds_ratio", info, method="fisher", term=term)
    test = of_term or at.get("odds_ratio", info, method="fisher")
    counts = (right(*_count_percent(at, info, term, group)) for group in _GROUPS)
    yield Row(
        cells=(
            cell(_WORDS.text("counted", label=stands_alone(info, term))),
            *counts,
            right(ratio(test), mark("c") if test else ""),
            right(_smd(at.get("smd", info))),
            right(p_value(test)),
            *_last(at, *_count_percent(at, info, term, OUTCOME_UNKNOWN)),
        ),
        kind="head",
    )


def _categorical(at: Described, info: FactorInfo) -> Iterator[Row]:
    exact = at.get("association", info, method="fisher")
    test = exact or at.get("association", info, method="chi_square")
    p = (p_value(test), mark("d" if exact else "e")) if test else (p_value(test),)
    yield Row(
        cells=(
            cell(_WORDS.text("counted", label=info.label), span=5),
            right(_smd(at.get("smd", info))),
            right(*p),
            *_last(at),
        ),
        kind="head",
    )
    for level in info.levels:
        counts = (right(*_count_percent(at, info, level, group)) for group in _GROUPS)
        last = _last(at, *_count_percent(at, info, level, OUTCOME_UNKNOWN))
        yield Row(cells=(cell(level), *counts, right(), right(), right(), *last), kind="level")


def _missing(at: Described, info: FactorInfo) -> Iterator[Row]:
    rows = [at.get("missing", info, group=group) for group in (*_GROUPS, OUTCOME_UNKNOWN)]
    if not any(row and row.estimate for row in rows):
        return
    *counts, left_out = (number(row, format_count(row.estimate) if row else "") for row in rows)
    counted = (*map(right, counts), right(), right(), right(), *_last(at, left_out))
    yield Row(cells=(cell(_WORDS.text("missing")), *counted), kind="level")


def _last(at: Described, *shown: Inline) -> tuple[Cell, ...]:
    """Return the cell of those whose outcome is not known, none where there is nobody."""
    return (right(*shown),) if at.left_out else ()


def _mean_sd(at: Described, info: FactorInfo, group: str, decimals: int) -> tuple[Inline, ...]:
    mean, spread = (at.get(measure, info, group=group) for measure in ("mean", "sd"))
    if mean is None or mean.estimate is None:
        return (Text(EMPTY),)
    first = number(mean, format_fixed(mean.estimate, decimals))
    return (first, Text(" ("), number(spread, format_fixed(spread.estimate if spread else None, decimals)), Text(")"))


def _median_iqr(row: Estimate | None, decimals: int) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    quartiles = format_range(row.low, row.high, lambda value: format_fixed(value, decimals))
    return number(row, f"{format_fixed(row.estimate, decimals)} ({quartiles})")


def _count_percent(at: Described, info: FactorInfo, term: str, group: str) -> tuple[Inline, ...]:
    count = at.get("count", info, term=term, group=group)
    share = at.get("proportion", info, term=term, group=group)
    if count is None:
        return (Text(EMPTY),)
    shown = number(count, format_count(count.estimate))
    if share is None or share.estimate is None:
        return (shown,)
    return (shown, Text(" ("), number(share, format_percent(share.estimate, _all_patients(at))), Text(")"))


def _all_patients(at: Described) -> int | None:
    """One denominator decides the decimals of all percentages, so that columns read alike."""
    step = at.source.analysed(at.landmark)
    return step.n if step else None


def _smd(row: Estimate | None) -> Inline:
    return difference(row, 2)


def _footnotes(at: Described, rows: Sequence[Row]) -> Iterator[Runs]:
    """Explain the abbreviations, and the marks that occur."""
    marks = {run.text for row in rows for cell in row.cells for run in cell.runs if _is_mark(run)}
    yield _WORDS.runs("abbreviations", austin=cite("austin2009"))
    if at.left_out:
        yield _WORDS.runs("left_out")
    yield from (_mark_footnote(at, letter, key) for letter, key in _MARKS.items() if letter in marks)


def _is_mark(run: Inline) -> TypeGuard[Text]:
    return isinstance(run, Text) and run.style == "superscript"


def _mark_footnote(at: Described, letter: str, key: str) -> Runs:
    groups = {"event": at.source.event, "no_event": at.source.no_event}
    papers = {name: cite(paper) for name, paper in _PAPERS.items()}
    return _WORDS.runs(key, mark=mark(letter), **papers, **groups)
