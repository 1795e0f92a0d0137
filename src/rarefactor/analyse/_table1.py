"""Table 1: who the patients are at the first landmark, all of them and by outcome.

Groups: ``all`` the patients whose outcome is known, ``event`` and ``no_event`` those with and without it. Differences
are with minus without. ``outcome_unknown`` are the patients left out because nobody knows theirs: they are described,
where there are any, and never compared; of fewer than ``FEWEST_SUMMED`` values, which a mean would give away, only the
missing are counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from rarefactor.analyse._design import Bools, Floats, build_design
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import OUTCOME_UNKNOWN, Analysed, Estimate, FactorInfo
from rarefactor.stats import (
    Difference,
    Summary,
    compare_exactly,
    compare_means,
    compare_ranks,
    compare_shares,
    compute_smd,
    compute_smd_of_counts,
    compute_summary,
)

FEWEST_SUMMED = 3


def describe_table1(table: LandmarkTable, factors: Sequence[FactorInfo], *, level: float) -> Analysed:
    """Return what each factor looks like in each group, and how far the groups are apart."""
    design = build_design(table, ())
    rows: list[Estimate] = []
    for info in factors:
        base = Estimate(analysis="table1", landmark=table.landmark, factor=info.name, measure="", estimate=None)
        series = design.frame[info.name]
        if info.kind == "continuous":
            rows.extend(_continuous(series.cast(pl.Float64).fill_null(np.nan).to_numpy(), design.y, base, level))
        else:
            rows.extend(_categorical(series, info.ordered, design.y, base, level))
        rows.extend(_describe_left_out(table, info, replace(base, group=OUTCOME_UNKNOWN)))
    return Analysed(rows=tuple(rows))


def _describe_left_out(table: LandmarkTable, info: FactorInfo, base: Estimate) -> Iterator[Estimate]:
    """Describe those whose outcome is not known: whoever differs from the others may bias what they show."""
    series = table.frame.filter(pl.col.outcome.is_null())[info.name]
    if series.is_empty():
        return
    row = replace(base, n=series.len() - series.null_count())
    if info.kind != "continuous":
        yield from _shares(row, info.ordered, [int((series == term).sum()) for term in info.ordered])
    elif row.n and row.n >= FEWEST_SUMMED:
        yield from _moments(row, compute_summary(series.drop_nulls().cast(pl.Float64).to_numpy()))
    yield replace(row, measure="missing", estimate=series.null_count())


def _groups(y: Floats) -> dict[str, Bools]:
    return {"all": np.ones(len(y), dtype=bool), "event": y == 1, "no_event": y == 0}


def _continuous(values: Floats, y: Floats, base: Estimate, level: float) -> Iterator[Estimate]:
    for group, members in _groups(y).items():
        summary = compute_summary(values[members])
        row = replace(base, group=group, n=summary.n, events=_events(y, members & ~np.isnan(values)))
        yield from _moments(row, summary)
        yield replace(row, measure="missing", estimate=summary.missing)
    known = replace(base, n=int((~np.isnan(values)).sum()), events=_events(y, ~np.isnan(values)))
    yield from _contrasts(values[y == 1], values[y == 0], known, level)


def _moments(row: Estimate, summary: Summary) -> Iterator[Estimate]:
    yield replace(row, measure="mean", estimate=_number(summary.mean))
    yield replace(row, measure="sd", estimate=_number(summary.sd))
    low, high = _number(summary.q1), _number(summary.q3)
    yield replace(row, measure="median", method="quartiles", estimate=_number(summary.median), low=low, high=high)


def _contrasts(event: Floats, no_event: Floats, base: Estimate, level: float) -> Iterator[Estimate]:
    means = compare_means(event, no_event, level=level)
    apart = Difference(estimate=means.difference, low=means.low, high=means.high)
    yield _contrast(replace(base, measure="mean_difference", method="welch_t"), apart, means.p)
    ranks = compare_ranks(event, no_event, level=level)
    apart = Difference(estimate=ranks.shift, low=ranks.low, high=ranks.high)
    yield _contrast(replace(base, measure="location_shift", method="wilcoxon"), apart, ranks.p)
    yield _contrast(replace(base, measure="smd"), compute_smd(event, no_event, level=level))


def _categorical(
    series: pl.Series, levels: Sequence[str], y: Floats, base: Estimate, level: float
) -> Iterator[Estimate]:
    known = series.is_not_null().to_numpy()
    counts = _count(series, levels, y)
    totals = {"all": counts.sum(axis=1), "event": counts[:, 0], "no_event": counts[:, 1]}
    for group, members in _groups(y).items():
        n = int((known & members).sum())
        row = replace(base, group=group, n=n, events=_events(y, known & members))
        yield from _shares(row, levels, totals[group])
        yield replace(row, measure="missing", estimate=int((members & ~known).sum()))
    yield from _association(counts, replace(base, n=int(known.sum()), events=_events(y, known)), level)


def _shares(row: Estimate, levels: Sequence[str], counts: Iterable[float]) -> Iterator[Estimate]:
    """Yield how many patients have each level; ``row.n`` are those in whom it is known."""
    for term, count in zip(levels, counts, strict=True):
        yield replace(row, measure="count", term=term, estimate=int(count))
        yield replace(row, measure="proportion", term=term, estimate=float(count / row.n) if row.n else None)


def _count(series: pl.Series, levels: Sequence[str], y: Floats) -> Floats:
    """Return patients with and without the outcome in each level, (levels, 2)."""
    members = [(series == each).fill_null(value=False).to_numpy() for each in levels]
    return np.array([[np.sum(member & (y == outcome)) for outcome in (1, 0)] for member in members], dtype=float)


def _association(counts: Floats, base: Estimate, level: float) -> Iterator[Estimate]:
    """Compare the groups by the levels; with two levels the odds ratio is that of the second."""
    smd = compute_smd_of_counts(counts[:, 0], counts[:, 1], level=level)
    yield _contrast(replace(base, measure="smd"), smd)
    if len(counts) == 2:
        test = compare_exactly(counts[::-1], level=level)
        odds = Difference(estimate=test.odds_ratio, low=test.low, high=test.high)
        yield _contrast(replace(base, measure="odds_ratio", method="fisher"), odds, test.p)
    else:
        yield _independence(counts, replace(base, measure="association"))


def _independence(counts: Floats, row: Estimate) -> Estimate:
    """Test levels against groups exactly; a table too large to enumerate is large enough for the chi-square test."""
    try:
        return replace(row, method="fisher", p=_number(compare_exactly(counts).p))
    except InputError:
        return replace(row, method="chi_square", p=_number(compare_shares(counts).p))


def _contrast(row: Estimate, found: Difference, p: float = math.nan) -> Estimate:
    return replace(
        row, estimate=_number(found.estimate), low=_number(found.low), high=_number(found.high), p=_number(p)
    )


def _events(y: Floats, members: Bools) -> int:
    return int(y[members].sum())


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
