"""Table 1: who the patients are, by outcome."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, difference, head, mark, number, p_value, ratio, right
from rarefactor.report._effects import stands_alone
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, decimals_for, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Inline, Row, Runs, Table, Text
from rarefactor.results import Estimate, FactorInfo

_WORDS = Words("table1")
_GROUPS = ("all", "event", "no_event")


def tabulate_table1(source: Source, number_of_table: int) -> Table:
    """Return Table 1: every factor at the first landmark, for all patients and by outcome."""
    rows = tuple(row for info in source.results.factors for row in _factor_rows(source, info))
    return Table(
        name="table1",
        number=number_of_table,
        caption=_WORDS.text("caption", visit=source.visit(source.landmarks[0])),
        header=(_header(source),),
        rows=rows,
        widths=(18.9, 13.0, 13.0, 13.6, 17.8, 16.6, 7.1),
        footnotes=_footnotes(source),
    )


def _header(source: Source) -> Row:
    step = source.analysed(source.landmarks[0])
    total, events = (step.n, step.events or 0) if step else (None, None)
    others = None if total is None or events is None else total - events
    counts = {name: format_count(n) for name, n in (("all", total), ("events", events), ("others", others))}
    groups = {"event": source.event, "no_event": source.no_event, "interval": source.interval}
    return head(*_WORDS.items("heads", **counts, **groups))


def _factor_rows(source: Source, info: FactorInfo) -> Iterator[Row]:
    if not _is_described(source, info):
        return
    shown = {"continuous": _continuous, "binary": _binary, "categorical": _categorical}[info.kind]
    yield from shown(source, info)
    yield from _missing(source, info)


def _is_described(source: Source, info: FactorInfo) -> bool:
    """A factor that is known only after the first landmark has no row here."""
    first = source.landmarks[0]
    return any(row.factor == info.name for row in source.results.select(analysis="table1", landmark=first))


def _get(source: Source, measure: str, info: FactorInfo, **parts: str | None) -> Estimate | None:
    return source.row("table1", measure, landmark=source.landmarks[0], factor=info.name, **parts)


def _continuous(source: Source, info: FactorInfo) -> Iterator[Row]:
    unit = f", {info.unit}" if info.unit else ""
    spread = _get(source, "sd", info, group="all")
    decimals = decimals_for(spread.estimate if spread else None)
    welch = _get(source, "mean_difference", info, method="welch_t")
    shift = _get(source, "location_shift", info, method="wilcoxon")
    yield Row(cells=(cell(f"{info.label}{unit}", span=7),), kind="head")
    means = (right(*_mean_sd(source, info, group, decimals)) for group in _GROUPS)
    yield Row(
        cells=(
            cell(_WORDS.text("mean")),
            *means,
            right(difference(welch, decimals), mark("a") if welch else ""),
            right(_smd(_get(source, "smd", info))),
            right(p_value(welch)),
        ),
        kind="level",
    )
    medians = (right(_median_iqr(_get(source, "median", info, group=group), decimals)) for group in _GROUPS)
    yield Row(
        cells=(
            cell(_WORDS.text("median")),
            *medians,
            right(difference(shift, decimals), mark("b") if shift else ""),
            right(),
            right(p_value(shift)),
        ),
        kind="level",
    )


def _binary(source: Source, info: FactorInfo) -> Iterator[Row]:
    term = info.compared[-1] if info.compared else "yes"
    test = _get(source, "odds_ratio", info, method="fisher", term=term) or _get(
        source, "odds_ratio", info, method="fisher"
    )
    counts = (right(*_count_percent(source, info, term, group)) for group in _GROUPS)
    yield Row(
        cells=(
            cell(_WORDS.text("counted", label=stands_alone(info, term))),
            *counts,
            right(ratio(test), mark("c") if test else ""),
            right(_smd(_get(source, "smd", info))),
            right(p_value(test)),
        ),
        kind="head",
    )


def _categorical(source: Source, info: FactorInfo) -> Iterator[Row]:
    exact = _get(source, "association", info, method="fisher")
    test = exact or _get(source, "association", info, method="chi_square")
    p = (p_value(test), mark("d" if exact else "e")) if test else (p_value(test),)
    yield Row(
        cells=(
            cell(_WORDS.text("counted", label=info.label), span=5),
            right(_smd(_get(source, "smd", info))),
            right(*p),
        ),
        kind="head",
    )
    for level in info.levels:
        counts = (right(*_count_percent(source, info, level, group)) for group in _GROUPS)
        yield Row(cells=(cell(level), *counts, right(), right(), right()), kind="level")


def _missing(source: Source, info: FactorInfo) -> Iterator[Row]:
    rows = [_get(source, "missing", info, group=group) for group in _GROUPS]
    if not any(row and row.estimate for row in rows):
        return
    counts = (right(number(row, format_count(row.estimate) if row else "")) for row in rows)
    yield Row(cells=(cell(_WORDS.text("missing")), *counts, right(), right(), right()), kind="level")


def _mean_sd(source: Source, info: FactorInfo, group: str, decimals: int) -> tuple[Inline, ...]:
    mean, spread = (_get(source, measure, info, group=group) for measure in ("mean", "sd"))
    if mean is None or mean.estimate is None:
        return (Text(EMPTY),)
    first = number(mean, format_fixed(mean.estimate, decimals))
    return (first, Text(" ("), number(spread, format_fixed(spread.estimate if spread else None, decimals)), Text(")"))


def _median_iqr(row: Estimate | None, decimals: int) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    quartiles = format_range(row.low, row.high, lambda value: format_fixed(value, decimals))
    return number(row, f"{format_fixed(row.estimate, decimals)} ({quartiles})")


def _count_percent(source: Source, info: FactorInfo, term: str, group: str) -> tuple[Inline, ...]:
    count = _get(source, "count", info, term=term, group=group)
    share = _get(source, "proportion", info, term=term, group=group)
    if count is None:
        return (Text(EMPTY),)
    shown = number(count, format_count(count.estimate))
    if share is None or share.estimate is None:
        return (shown,)
    return (shown, Text(" ("), number(share, format_percent(share.estimate, _all_patients(source))), Text(")"))


def _all_patients(source: Source) -> int | None:
    """One denominator decides the decimals of all percentages, so that columns read alike."""
    step = source.analysed(source.landmarks[0])
    return step.n if step else None


def _smd(row: Estimate | None) -> Inline:
    return difference(row, 2)


def _footnotes(source: Source) -> tuple[Runs, ...]:
    groups = {"event": source.event, "no_event": source.no_event}
    shift = {"hodges": cite("hodges1963"), "wilcoxon": cite("wilcoxon1945")}
    return (
        _WORDS.runs("abbreviations", austin=cite("austin2009")),
        _WORDS.runs("means", mark=mark("a"), welch=cite("welch1947"), **groups),
        _WORDS.runs("shift", mark=mark("b"), **shift, **groups),
        _WORDS.runs("odds_ratio", mark=mark("c"), fisher=cite("fisher1935")),
        _WORDS.runs("fisher", mark=mark("d"), freeman=cite("freeman1951")),
        *_large_tables(source),
    )


def _large_tables(source: Source) -> Iterator[Runs]:
    if source.results.select(analysis="table1", measure="association", method="chi_square"):
        yield _WORDS.runs("chi_square", mark=mark("e"))
