"""Which row of a table stands for which visit of a patient.

Rule: a row counts for a visit if its event is the visit's, or, where a table names no events, if its day lies in the
visit's window. Of several rows the one nearest to the nominal month is taken, then the earlier, then the first in the
file; each such choice is counted and reported. A table with neither events nor days describes patients, one row each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from rarefactor.cohort import Table
from rarefactor.errors import DataError, Problem
from rarefactor.results import Note
from rarefactor.spec import DAYS_PER_MONTH, Study, Visit

_SHOWN_ROWS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTable:
    """A table whose rows are at most one per patient and visit.

    ``frame`` is the table with a column ``visit``; it is null throughout where the table describes patients.
    ``repeatability`` is the SD of one measurement repeated, of the columns for which it is known. ``refused`` says why
    a repeating form has no row for a visit: whatever names one of its columns is refused with it.
    """

    table: Table
    frame: pl.DataFrame
    by_visit: bool
    repeatability: Mapping[str, float] = field(default_factory=dict[str, float])
    refused: DataError | None = None


def derive_visits(table: Table, study: Study) -> tuple[VisitTable, tuple[Note, ...]]:
    """Return the rows of a table that stand for the visits of the study, and what had to be chosen.

    Raises
    ------
    DataError
        Several rows of a patient cannot be told apart by event or day, or a visit has no window. Such rows of a
        repeating form are refused where a column of theirs is named.
    """
    if not _has(table, "event") and not _has(table, "day"):
        _check_one_row_each(table, ["subject"])
        frame = table.frame.with_columns(visit=pl.lit(None, pl.String))
        return VisitTable(table=table, frame=frame, by_visit=False), ()
    chosen, notes = [], []
    for name, visit in study.cohort.visits.items():
        rows = _candidates(table, study, name, visit)
        try:
            frame, found = _nearest(rows, table, name, visit)
        except DataError as error:
            if table.frame["instance"].is_null().all():
                raise
            return _repeated(table, error)
        chosen.append(frame)
        notes.extend(found)
    return VisitTable(table=table, frame=pl.concat(chosen), by_visit=True), tuple(notes)


def _repeated(table: Table, error: DataError) -> tuple[VisitTable, tuple[Note, ...]]:
    """Return a repeating form whose rows cannot be told apart: it stands for no visit, which is told."""
    none = table.frame.clear().with_columns(visit=pl.lit(None, pl.String))
    text = f"The {table.frame.height} rows of {table.name} repeat within a visit: none stands for it, and none is used."
    return VisitTable(table=table, frame=none, by_visit=True, refused=error), (Note(about="visits", text=text),)


def derive_visit_days(visits: Mapping[str, VisitTable], name: str, visit: Visit) -> pl.DataFrame:
    """Return subject and day of everyone who has a visit; the day is nominal where the data hold none."""
    found = [table.frame.filter(pl.col.visit == name) for table in visits.values() if table.by_visit]
    if not found:
        return pl.DataFrame(schema={"subject": pl.String, "day": pl.Float64})
    nominal = visit.month * DAYS_PER_MONTH
    rows = pl.concat([frame.select("subject", pl.col("day").cast(pl.Float64).fill_null(nominal)) for frame in found])
    return rows.group_by("subject", maintain_order=True).agg(pl.col.day.min())


def _candidates(table: Table, study: Study, name: str, visit: Visit) -> pl.DataFrame:
    rows = table.frame.with_columns(visit=pl.lit(name))
    if visit.event is not None and _has(table, "event"):
        inside = pl.lit(value=True)
        if visit.window is not None:
            inside = _month().is_between(*visit.window).fill_null(value=True)
        return rows.filter((pl.col.event == visit.event) & inside)
    if not _has(table, "day"):
        raise DataError(
            study.problem(
                "cohort",
                "visits",
                name,
                found=f"no event, but the rows of {table.name} are told apart by events only",
                expected="an event for each visit, or a day or date of each row",
                next_step="Add event: to the visit, or name the column with day: or visit_date:.",
            )
        )  # fmt: skip - a problem reads best as one block
    return rows.filter(_month().is_between(*_window(study, name, visit)))


def _window(study: Study, name: str, visit: Visit) -> tuple[float, float]:
    if visit.window is None and visit.month > 0:
        raise DataError(
            study.problem(
                "cohort",
                "visits",
                name,
                found="no window",
                expected="the first and last month that still count for this visit",
                next_step=f"Write for example window: [{visit.month * 0.75:g}, {visit.month * 1.5:g}].",
            )
        )  # fmt: skip - a problem reads best as one block
    return visit.window or (0, 0)


def _nearest(rows: pl.DataFrame, table: Table, name: str, visit: Visit) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    if not rows["day"].is_null().all():
        rows = rows.with_columns(distance=(_month() - visit.month).abs().round(9)).sort(
            "subject", "distance", "day", "row"
        )
    else:
        _check_one_row_each(Table(name=table.name, frame=rows, fields=table.fields), ["subject", "visit"])
        rows = rows.with_columns(distance=pl.lit(0.0))
    first = rows.unique("subject", keep="first", maintain_order=True)
    return first.drop("distance"), tuple(_choices(rows, table, name, visit))


def _choices(rows: pl.DataFrame, table: Table, name: str, visit: Visit) -> Iterator[Note]:
    several = rows.filter(pl.len().over("subject") > 1)
    best = several.filter(pl.col.distance == pl.col.distance.min().over("subject"))
    tied = best.filter(pl.len().over("subject") > 1)
    same_day = tied.filter(pl.struct("subject", "day").is_duplicated())["subject"].n_unique()
    ties = tied["subject"].n_unique() - same_day
    label = visit.label or name.replace("_", " ")
    if near := several["subject"].n_unique() - tied["subject"].n_unique():
        text = f"had several rows of {table.name} in the window of {label}; the nearest to month {visit.month:g} counts"
        yield Note(about="visits", text=f"{_patients(near)} {text}.")
    if ties:
        text = f"had two rows of {table.name} equally near to month {visit.month:g} ({label}); the earlier counts"
        yield Note(about="visits", text=f"{_patients(ties)} {text}.")
    if same_day:
        text = f"had two rows of {table.name} on the same day for {label}; the first in the file counts"
        yield Note(about="visits", text=f"{_patients(same_day)} {text}.")


def _check_one_row_each(table: Table, key: list[str]) -> None:
    again = table.frame.filter(pl.struct(key).is_duplicated())
    if again.is_empty():
        return
    rows = again["row"].sort().to_list()
    more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
    raise DataError(
        Problem(
            file=table.name,
            row=rows[0],
            found=f"several rows of the same patient (rows {', '.join(map(str, rows[:_SHOWN_ROWS]))}{more})",
            expected="one row per patient" + (" and visit" if len(key) > 1 else ""),
            next_step="Repeated rows are never analysed as patients: name the visit of each row with event:, day: or "
            "visit_date:, or remove the duplicates.",
        )
    )


def _has(table: Table, column: str) -> bool:
    return not table.frame[column].is_null().all()


def _month() -> pl.Expr:
    return pl.col("day") / DAYS_PER_MONTH


def _patients(n: int) -> str:
    return "1 patient" if n == 1 else f"{n} patients"
