"""Who had which visit, when, and whose rows lie outside every window.

Convention: patients are counted once, those of :class:`~rarefactor.derive.Variables`; months are days / 30.4375. Images
that were measured follow the visits of the records and are not counted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from rarefactor.derive._variables import Variables
from rarefactor.derive._visits import VisitTable
from rarefactor.spec import DAYS_PER_MONTH, Study, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitCount:
    """A visit: who had it, how many have rows of its event ``outside`` of its window only, and its months in the data.

    ``months`` are the least, the median and the most, empty where the data hold no days.
    """

    name: str
    visit: Visit
    n: int
    outside: int
    months: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """The visits of a study; ``unplaced`` counts the rows that stand for none of them, and whose they are."""

    n: int
    visits: tuple[VisitCount, ...]
    unplaced_rows: int
    unplaced_patients: int


def tabulate_attendance(variables: Variables, study: Study) -> Attendance:
    """Return how many patients had each visit of the study, and who did not because of its window."""
    subjects = variables.values.subjects
    tables = [table for name, table in variables.values.tables.items() if name in _records(variables)]
    tables = [_of(table, subjects) for table in tables if table.by_visit and table.refused is None]
    lost = [_unplaced(rows, chosen, study) for rows, chosen in tables]
    return Attendance(
        n=subjects.height,
        visits=tuple(_count(name, visit, tables) for name, visit in study.cohort.visits.items()),
        unplaced_rows=sum(rows.height for rows in lost),
        unplaced_patients=_patients(rows["subject"] for rows in lost),
    )


def _records(variables: Variables) -> set[str]:
    return {item.table for item in variables.items if item.origin == "records"}


def _of(table: VisitTable, subjects: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all rows of a table and those that stand for visits, of the patients who count."""
    rows = table.table.frame.join(subjects, on="subject", how="semi")
    return rows, table.frame.join(subjects, on="subject", how="semi")


def _count(name: str, visit: Visit, tables: Sequence[tuple[pl.DataFrame, pl.DataFrame]]) -> VisitCount:
    had = [chosen.filter(pl.col.visit == name) for _, chosen in tables]
    present = pl.concat([rows.select("subject", pl.col.day.cast(pl.Float64)) for rows in had]) if had else _NOBODY
    of_event = [rows.filter(pl.col.event == visit.event)["subject"] for rows, _ in tables] if visit.event else []
    missed = [subjects.filter(~subjects.is_in(present["subject"].implode())) for subjects in of_event]
    days = present.group_by("subject").agg(pl.col.day.min())["day"].drop_nulls() / DAYS_PER_MONTH
    return VisitCount(
        name=name,
        visit=visit,
        n=present["subject"].n_unique(),
        outside=_patients(missed),
        months=_spread(days) if days.len() else (),
    )


_NOBODY = pl.DataFrame(schema={"subject": pl.String, "day": pl.Float64})


def _spread(months: pl.Series) -> tuple[float, float, float]:
    numbers = sorted(months.to_list())
    middle = len(numbers) // 2
    median = numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2
    return numbers[0], median, numbers[-1]


def _unplaced(rows: pl.DataFrame, chosen: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the rows that lie in no window; a second row in the window of a visit has its place."""
    inside = pl.lit(value=False)
    for visit in study.cohort.visits.values():
        inside |= _fits(visit)
    return rows.join(chosen.select("row"), on="row", how="anti").filter(~inside.fill_null(value=False))


def _fits(visit: Visit) -> pl.Expr:
    low, high = visit.window or (0.0, 0.0)
    in_window = (pl.col.day / DAYS_PER_MONTH).is_between(low, high)
    if visit.event is None:
        return in_window
    return (pl.col.event == visit.event) & (in_window.fill_null(value=True) if visit.window else pl.lit(value=True))


def _patients(subjects: Iterable[pl.Series]) -> int:
    every = [series for series in subjects if series.len()]
    return pl.concat(every).n_unique() if every else 0
