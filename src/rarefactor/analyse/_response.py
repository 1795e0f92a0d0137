"""The response to treatment at each visit: how many improved how far, each patient's score, the measures over time.

Groups: ``all`` the patients of the first landmark, ``event`` and ``no_event`` those with and without the outcome. A
score that misses a measure is known by its bounds; it counts in a category only where both bounds lie in it. A patient
is named by the keyed hash that stands for the id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from rarefactor.analyse._kinds import count_kinds, note_kinds
from rarefactor.derive import LandmarkTable, ResponseTable
from rarefactor.results import OUTCOME_UNKNOWN, Analysed, Estimate, Note
from rarefactor.stats import compute_risk, compute_summary

CATEGORIES = ("none", "minimal", "moderate", "major")
GROUPS: Mapping[str, pl.Expr] = {
    "all": pl.lit(value=True),
    "event": pl.col.outcome,
    "no_event": ~pl.col.outcome,
}


def analyse_response(table: ResponseTable, visits: Sequence[str], shown: str, level: float) -> Analysed:
    """Return counts, shares and scores at each of ``visits``, and every patient's score at the visit ``shown``."""
    base = Estimate(analysis="response", measure="", estimate=None, model=table.name)
    rows: list[Estimate] = []
    for visit in visits:
        here = table.frame.filter(pl.col.visit == visit)
        if here.height:
            rows.extend(_at_visit(replace(base, landmark=visit), table, _placed(here, table.thresholds), level))
    scores = _placed(table.frame.filter(pl.col.visit == shown), table.thresholds)
    rows.extend(_patients(replace(base, landmark=shown, measure="score"), scores))
    for visit in visits:
        rows.extend(_measures(replace(base, landmark=visit), table.measures.filter(pl.col.visit == visit)))
    return Analysed(rows=tuple(rows))


def analyse_outcome(table: LandmarkTable, level: float) -> Analysed:
    """Return the share with the outcome and of which kind it was, and what it could be with those not known."""
    outcome = table.frame["outcome"]
    events, n, everyone = int(outcome.sum() or 0), outcome.count(), outcome.len()
    risk = compute_risk(events, n, level=level)
    row = Estimate(analysis="response", landmark=table.landmark, measure="risk", estimate=risk.estimate, events=events)
    known = replace(row, method="wilson", low=risk.low, high=risk.high, n=n)
    rows = [known, *count_kinds(row, table.kinds)]
    if n < everyone:
        low, high = events / everyone, (events + everyone - n) / everyone
        rows.append(replace(row, measure="risk_bounds", estimate=None, low=low, high=high, n=everyone))
    note = Note(about="outcome", landmark=table.landmark, text="")
    return Analysed(rows=tuple(rows), notes=tuple(note_kinds(note, table.kinds)))


def describe(base: Estimate, rows: pl.DataFrame, value: str = "value") -> Iterator[Estimate]:
    """Yield the median and quartiles of a column in each group that has a value."""
    for group, members in GROUPS.items():
        known = rows.filter(members)[value].drop_nulls()
        if known.len():
            found = compute_summary(known.to_numpy())
            row = replace(base, group=group, method="quartiles", n=found.n)
            yield replace(row, estimate=found.median, low=found.q1, high=found.q3)


def _placed(rows: pl.DataFrame, thresholds: Sequence[float]) -> pl.DataFrame:
    """Return the rows with ``place``, the category as a number, null where the bounds lie in different ones."""
    low, high = (
        pl.sum_horizontal((pl.col(name) >= at).cast(pl.Int32) for at in thresholds) for name in ("low", "high")
    )
    bounds = rows.with_columns(
        low=pl.coalesce(pl.col.score, pl.col.lower), high=pl.coalesce(pl.col.score, pl.col.upper)
    )
    known = pl.col.low.is_not_null() & pl.col.high.is_not_null() & (low == high)
    return bounds.with_columns(place=pl.when(known).then(low))


def _at_visit(base: Estimate, table: ResponseTable, rows: pl.DataFrame, level: float) -> Iterator[Estimate]:
    known = rows["place"].drop_nulls()
    n = known.len()
    yield replace(base, measure="visits", estimate=float(rows.height), n=rows.height)
    yield replace(base, measure="unknown", estimate=float(rows.height - n), n=rows.height)
    yield replace(base, measure="incomplete", estimate=float(rows["score"].null_count()), n=rows.height)
    for place, category in enumerate(CATEGORIES):
        count = int((known == place).sum())
        yield from _share(replace(base, term=category), count, n, level)
        if category in {"minimal", "moderate"}:
            yield from _share(replace(base, term=f"{category} or better"), int((known >= place).sum()), n, level)
    yield from describe(replace(base, measure="median"), rows, "score")
    yield from _attainable(base, table, rows)


def _share(base: Estimate, count: int, n: int, level: float) -> Iterator[Estimate]:
    yield replace(base, measure="count", estimate=float(count), n=n)
    if n:
        risk = compute_risk(count, n, level=level)
        row = replace(base, measure="proportion", method="wilson", n=n, events=count)
        yield replace(row, estimate=risk.estimate, low=risk.low, high=risk.high)


def _attainable(base: Estimate, table: ResponseTable, rows: pl.DataFrame) -> Iterator[Estimate]:
    """Yield the highest score within reach of patients from where they started, and how many had too little of it."""
    known = rows["attainable"].drop_nulls().to_numpy()
    if not known.size:
        return
    found = compute_summary(known)
    row = replace(base, measure="attainable", n=found.n)
    yield replace(row, method="quartiles", estimate=found.median, low=found.q1, high=found.q3)
    for category, least in zip(CATEGORIES[1:], table.thresholds, strict=True):
        yield replace(row, measure="out_of_reach", term=category, estimate=float(np.sum(known < least)))


def _patients(base: Estimate, rows: pl.DataFrame) -> Iterator[Estimate]:
    """Yield each patient's score, or its bounds; ``term`` is the category, a flag says which outcome came of it."""
    bounded = rows.filter(pl.col.low.is_not_null() & pl.col.high.is_not_null())
    for row in bounded.sort("low", "high", "subject", descending=[True, True, False]).iter_rows(named=True):
        yield replace(
            base,
            group=row["subject"],
            term=None if row["place"] is None else CATEGORIES[row["place"]],
            estimate=row["score"],
            low=row["low"],
            high=row["high"],
            flags=(*(("incomplete",) if row["score"] is None else ()), flag_outcome(row["outcome"])),
        )


def flag_outcome(outcome: bool | None) -> str:  # noqa: FBT001 - the outcome itself is what is named
    """Return the flag for a patient's outcome.

    Examples
    --------
    >>> [flag_outcome(value) for value in (True, False, None)]
    ['event', 'no_event', 'outcome_unknown']
    """
    return OUTCOME_UNKNOWN if outcome is None else "event" if outcome else "no_event"


def _measures(base: Estimate, rows: pl.DataFrame) -> Iterator[Estimate]:
    for measure in rows["measure"].unique(maintain_order=True):
        yield from describe(replace(base, measure="median", term=measure), rows.filter(pl.col.measure == measure))
