"""Every measurement of a patient over time, not only the one that stands for a visit.

Convention: months are days since baseline / 30.4375, from 0 to ``until``; where a row has no day, the nominal month of
the visit that it is for counts. A value that has no logarithm, where one is taken, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from rarefactor.derive._factors import Derived
from rarefactor.derive._values import Values, column_name
from rarefactor.errors import DataError
from rarefactor.results import Note
from rarefactor.spec import DAYS_PER_MONTH, OUTCOME, Study, Trajectory, parse_column


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseTable:
    """The course of one measurement: ``frame`` has ``subject``, ``month``, ``value`` (Float64) and ``group`` (String).

    ``groups`` are in the order in which they are shown; without groups everyone is in the group ``all``.
    """

    name: str
    frame: pl.DataFrame
    groups: tuple[str, ...]
    notes: tuple[Note, ...]


def derive_course(
    eligible: Values, study: Study, name: str, derived: Mapping[str, Derived], outcome: pl.DataFrame
) -> CourseTable:
    """Return the rows of one trajectory; ``outcome`` is the table of the first landmark.

    Raises
    ------
    DataError
        The column stands in a table without visits.
    """
    trajectory = study.trajectories[name]
    rows, lost = _rows(eligible, study, name, trajectory)
    labels, groups = _groups(eligible, trajectory, derived, outcome)
    rows = rows.join(labels, on="subject", how="left", maintain_order="left")
    unknown = rows.filter(pl.col.group.is_null())["subject"].n_unique()
    rows = rows.filter(pl.col.group.is_not_null())
    present = set(rows["group"].unique())
    notes = tuple(Note(about="longitudinal", model=name, text=text) for text in _told(trajectory, lost, unknown))
    return CourseTable(name=name, frame=rows, groups=tuple(g for g in groups if g in present), notes=notes)


def _rows(eligible: Values, study: Study, name: str, trajectory: Trajectory) -> tuple[pl.DataFrame, int]:
    """Return subject, month and value of every row in time, and how many values have no logarithm."""
    column = parse_column(trajectory.column)
    table = eligible.tables[eligible.scope.find(column)[0]]
    if not table.by_visit:
        raise DataError(
            study.problem(
                "trajectories",
                name,
                "from",
                found=f"{trajectory.column}, which is measured once per patient",
                expected="a column of a table with visits",
                next_step="Name a column of a table whose rows have a day, a date or an event.",
            )
        )  # fmt: skip - a problem reads best as one block
    nominal = {visit.event: visit.month for visit in study.cohort.visits.values() if visit.event is not None}
    planned = pl.col.event.replace_strict(nominal, default=None, return_dtype=pl.Float64) if nominal else pl.lit(None)
    month = (pl.col.day / DAYS_PER_MONTH).fill_null(planned)
    value = pl.col(column_name(column, table)).cast(pl.Float64)
    frame = table.table.frame.select("subject", month=month.cast(pl.Float64), value=value).drop_nulls()
    frame = frame.filter(pl.col.month.is_between(0, trajectory.until))
    frame = frame.join(eligible.subjects, on="subject", how="semi", maintain_order="left")
    usable = pl.col.value > 0 if trajectory.transform == "log" else pl.lit(value=True)
    kept = frame.filter(usable)
    return kept.sort("subject", "month", maintain_order=True), frame.height - kept.height


def _groups(
    eligible: Values, trajectory: Trajectory, derived: Mapping[str, Derived], outcome: pl.DataFrame
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    if trajectory.by is None:
        return eligible.subjects.with_columns(group=pl.lit("all")), ("all",)
    if trajectory.by == OUTCOME:
        group = pl.when(pl.col.outcome).then(pl.lit("event")).when(~pl.col.outcome).then(pl.lit("no_event"))
        return outcome.select("subject", group=group), ("no_event", "event")
    factor = derived[trajectory.by]
    return eligible.subjects.with_columns(factor.series.alias("group")), factor.info.ordered


def _told(trajectory: Trajectory, lost: int, unknown: int) -> Iterator[str]:
    if lost:
        yield f"{lost} values of {trajectory.label} are not above 0, have no logarithm and are left out."
    if unknown:
        yield f"{unknown} patients whose group is not known are left out."
