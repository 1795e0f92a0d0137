"""Dates become days since baseline.

Convention: the baseline of a patient is the date of the visit at month 0 where the study names its event, and the
earliest visit otherwise; the tables that hold ``visit_date`` decide, or else the first table that has a date. Days are
whole and count from that day; times within a day are kept only in datetime fields.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from rarefactor.cohort._check import TypedTable, row_failures
from rarefactor.cohort._model import join_failures
from rarefactor.spec import DAYS_PER_MONTH, Study


def has_baseline(study: Study) -> bool:
    """Tell whether the study names any date from which days could be counted."""
    return study.cohort.visit_date is not None or any(source.date for source in study.cohort.records.values())


def derive_baselines(tables: Sequence[TypedTable], study: Study) -> pl.DataFrame:
    """Return id and baseline (days since 1970-01-01) of each patient whose baseline is dated."""
    dated = [table for table in tables if table.raw.date]
    first = [table for table in dated if table.raw.date == study.cohort.visit_date] or dated[:1]
    empty = pl.DataFrame(schema={"id": pl.String, "event": pl.String, "date": pl.Float64})
    visits = pl.concat([empty, *(table.keys.select("id", "event", "date") for table in first)]).drop_nulls("date")
    events = [visit.event for visit in study.cohort.visits.values() if visit.month == 0 and visit.event]
    if events and visits["event"].is_in(events).any():
        visits = visits.filter(pl.col("event").is_in(events))
    return visits.group_by("id", maintain_order=True).agg(baseline=pl.col("date").min().floor())


def derive_days(table: TypedTable, baselines: pl.DataFrame, study: Study) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the keys with ``baseline`` and ``day``, and the failures of visits before baseline.

    A visit may come before baseline by what the earliest window of the study allows; its day is null otherwise.
    """
    keys = table.keys.join(baselines, on="id", how="left", maintain_order="left")
    day = pl.coalesce("day", pl.col("date").floor() - pl.col("baseline"))
    keys = keys.with_columns(day=day)
    windows = [visit.window[0] for visit in study.cohort.visits.values() if visit.window]
    early = keys["day"] < min([0.0, *windows]) * DAYS_PER_MONTH
    wrong = keys.filter(early)
    written = wrong["date"].cast(pl.Int32).cast(pl.Date).cast(pl.String)
    values = wrong["day"].cast(pl.String) if table.raw.day else written
    column = table.raw.day or table.raw.date or ""
    failures = row_failures(table.raw, wrong["row"], column, "before_baseline", values)
    return keys.with_columns(day=pl.when(~early).then(pl.col("day"))), join_failures([failures])
