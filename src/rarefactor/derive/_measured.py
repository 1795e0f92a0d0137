"""Measurements in images beside the patients' records: the same names, visits and days.

Rule: a measurement belongs to the visit that its scan or slide was filed under, on the day that the records give that
visit. A change between two visits is taken from pairs that may be compared, where the measurement knows such pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from rarefactor.cohort import Cohort, Table
from rarefactor.derive._visits import VisitTable, derive_visit_days, derive_visits
from rarefactor.results import MeasuredTable
from rarefactor.spec import DAYS_PER_MONTH, DataField, Study


def visit_days(study: Study, cohort: Cohort) -> pl.DataFrame:
    """Return ``subject``, ``visit`` and ``day`` (since baseline) of every visit that the records know.

    Raises
    ------
    DataError
        Rows of a patient cannot be told apart.
    """
    return list_days({name: derive_visits(table, study)[0] for name, table in cohort.tables.items()}, study)


def list_days(tables: Mapping[str, VisitTable], study: Study) -> pl.DataFrame:
    """Return the day of each visit of each patient, the nominal one where the records hold none."""
    return pl.concat(
        derive_visit_days(tables, name, visit).select("subject", pl.lit(name).alias("visit"), "day")
        for name, visit in study.cohort.visits.items()
    )


def describe_quantities(table: MeasuredTable) -> dict[str, DataField]:
    """Return the columns of a table of measurements as a dictionary describes them."""
    return {
        name: DataField(type="number", label=quantity.label, unit=quantity.unit)
        for name, quantity in table.quantities.items()
    }


def derive_measured(tables: Iterable[MeasuredTable], days: pl.DataFrame, study: Study) -> dict[str, VisitTable]:
    """Return the measurements as tables of the cohort's kind."""
    return {table.name: _visit_table(table, days, study) for table in tables}


def _visit_table(table: MeasuredTable, days: pl.DataFrame, study: Study) -> VisitTable:
    months = {name: visit.month * DAYS_PER_MONTH for name, visit in study.cohort.visits.items()}
    nominal = pl.col.visit.replace_strict(months, default=None, return_dtype=pl.Float64)
    frame = table.frame.join(days, on=["subject", "visit"], how="left", maintain_order="left").with_columns(
        pl.col.day.fill_null(nominal),
        row=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32),
        event=pl.col.visit,
        instance=pl.lit(None, pl.String),
    )
    described = Table(name=table.name, frame=frame, fields=describe_quantities(table))
    known = {name: each.repeatability for name, each in table.quantities.items() if each.repeatability is not None}
    return VisitTable(table=described, frame=frame, by_visit=True, repeatability=known)
