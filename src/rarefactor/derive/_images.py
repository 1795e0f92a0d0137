"""What was measured in the images of the patients of the first landmark, by visit, and rates from the first visit on.

Rule: a rate is the change between two visits that may be compared, divided by the months between them; it belongs to
the later one. Of scans the fat fractions of both sides together are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from rarefactor.derive._values import Values
from rarefactor.results import MeasuredTable, Note, Quantity
from rarefactor.spec import DAYS_PER_MONTH, Study

FAT = "fat_fraction"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTable:
    """Measurements in images.

    Attributes
    ----------
    kind
        Which part of the study file they come from.
    values
        ``subject``, ``visit``, ``column``, ``value`` (Float64) and ``outcome`` (Boolean).
    rates
        ``subject``, ``visit`` (the later one), ``column``, ``value`` (per month) and ``outcome``.
    quantities
        The columns in words, under ``name.column``.
    """

    name: str
    kind: Literal["imaging", "pathology"]
    values: pl.DataFrame
    rates: pl.DataFrame
    quantities: Mapping[str, Quantity]


def derive_images(
    eligible: Values, study: Study, measured: list[MeasuredTable], first: pl.DataFrame
) -> tuple[ImageTable, ...]:
    """Return what each kind of images gave; ``first`` is the table of the first landmark."""
    outcome = first.select("subject", "outcome")
    return tuple(_image_table(eligible, study, table, outcome) for table in measured)


def _image_table(eligible: Values, study: Study, table: MeasuredTable, outcome: pl.DataFrame) -> ImageTable:
    kind = "imaging" if table.name in study.imaging else "pathology"
    columns = [name for name in table.quantities if kind == "pathology" or is_described(name)]
    frame = eligible.tables[table.name].frame
    long = frame.select("subject", "visit", *columns).unpivot(
        index=["subject", "visit"], variable_name="column", value_name="value"
    )
    rates = _rates(frame, table.changes, columns, list(study.cohort.visits))
    values = _joined(long, outcome)
    return ImageTable(
        name=table.name,
        kind=kind,
        values=values,
        rates=_joined(rates, outcome),
        quantities={f"{table.name}.{name}": table.quantities[name] for name in values["column"].unique().sort()},
    )


def count_without(eligible: Values, study: Study, measured: Sequence[MeasuredTable]) -> Iterator[Note]:
    """Say how many eligible patients have no image of a kind that could be measured."""
    for table in measured:
        about, what = ("imaging", "a scan") if table.name in study.imaging else ("pathology", "a section")
        without = eligible.subjects.join(table.frame, on="subject", how="anti").height
        if without and table.frame.height:
            text = f"{without} {'patient' if without == 1 else 'patients'} without {what} that could be measured."
            yield Note(about=about, text=text)


def is_described(column: str) -> bool:
    """Whether a column of scans is described by itself: a fat fraction of both sides.

    Examples
    --------
    >>> [is_described(name) for name in ("fat_fraction", "RF.fat_fraction", "left.fat_fraction", "RF.volume_ml")]
    [True, True, False, False]
    """
    *site, measure = column.split(".")
    return measure == FAT and not {"left", "right"} & set(site)


def _rates(frame: pl.DataFrame, changes: pl.DataFrame | None, columns: list[str], visits: list[str]) -> pl.DataFrame:
    """Return subject, visit, column and rate of the changes since the first visit that any change starts from."""
    if changes is None or changes.is_empty():
        return pl.DataFrame(schema={"subject": pl.String, "visit": pl.String, "column": pl.String, "value": pl.Float64})
    start = next((name for name in visits if name in changes["first"]), "")
    found = changes.filter((pl.col("first") == start) & pl.col.column.is_in(columns))
    days = frame.select("subject", "visit", pl.col.day.cast(pl.Float64))
    for end in ("first", "last"):
        named = days.rename({"visit": end, "day": f"{end}_day"})
        found = found.join(named, on=["subject", end], how="left", maintain_order="left")
    months = (pl.col.last_day - pl.col.first_day) / DAYS_PER_MONTH
    return found.select("subject", visit="last", column="column", value=pl.col.change / months)


def _joined(rows: pl.DataFrame, outcome: pl.DataFrame) -> pl.DataFrame:
    known = rows.filter(pl.col.value.is_not_null() & pl.col.value.is_finite())
    return known.join(outcome, on="subject", how="inner", maintain_order="left")
