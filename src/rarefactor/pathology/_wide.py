"""Biopsies as a table by patient and visit, one column for each thing that a factor can name.

Convention: a biopsy is the combination of its slides and regions, weighted by their area of tissue; cells per mm² are
all cells over all tissue in focus. ``BAFF-R.positive_area`` is in per cent here. ``CD20.h_score`` is of cells where
they are counted, else of pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import polars as pl

from rarefactor.pathology._settings import Reading
from rarefactor.results import MeasuredTable, Quantity

_OF_AREA: Mapping[str, tuple[str, str | None]] = {
    "positive_area": ("DAB-positive area of {stain}", "%"),
    "mean_density": ("Mean DAB density of {stain}", None),
    "h_score": ("H-score of {stain}", None),
}
_OF_CELLS: Mapping[str, tuple[str, str | None]] = {
    "cells_per_mm2": ("Cells per mm² on the {stain} section", "1/mm²"),
    "positive_per_mm2": ("{stain}-positive cells per mm²", "1/mm²"),
}


def describe_quantities(readings: Mapping[str, Reading]) -> dict[str, Quantity]:
    """Return every column in words.

    Examples
    --------
    >>> describe_quantities({"CD20": Reading(measure="cells")})["CD20.positive_per_mm2"].label
    'CD20-positive cells per mm²'
    """
    return {
        f"{stain}.{name}": Quantity(label=words.format(stain=stain), unit=unit)
        for stain, reading in readings.items()
        for name, (words, unit) in {**_OF_AREA, **(_OF_CELLS if reading.measure == "cells" else {})}.items()
    }


def tabulate_wide(name: str, rows: pl.DataFrame, readings: Mapping[str, Reading]) -> MeasuredTable:
    """Return the table that factors are made from, of the rows of all slides and regions."""
    quantities = describe_quantities(readings)
    biopsies = combine_biopsies(rows)
    frame = rows.select(pl.col.patient.alias("subject"), "visit").unique(maintain_order=True)
    for stain, quantity in product(readings, {**_OF_AREA, **_OF_CELLS}):
        column = f"{stain}.{quantity}"
        if column in quantities:
            own = biopsies.filter(pl.col.stain == stain)
            found = own.select("subject", "visit", pl.col(quantity).cast(pl.Float64).alias(column))
            frame = frame.join(found, on=["subject", "visit"], how="left", maintain_order="left")
    return MeasuredTable(name=name, frame=frame, quantities=quantities)


def combine_biopsies(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per subject, visit and stain.

    Examples
    --------
    >>> from rarefactor.pathology._measure_slide import SCHEMA
    >>> two = [{"patient": "a", "stain": "CD20", "positive_area": 0.1, "tissue_px": 100, "tissue_mm2": 1.0},
    ...        {"patient": "a", "stain": "CD20", "positive_area": 0.4, "tissue_px": 50, "tissue_mm2": 2.0}]
    >>> combine_biopsies(pl.DataFrame(two, schema=SCHEMA))["positive_area"].round(6).to_list()
    [30.0]
    """
    groups = ["subject", "visit", "stain"]
    known = pl.col.tissue_mm2.is_not_null().all().over(groups)
    weighted = rows.rename({"patient": "subject"}).filter(pl.col.tissue_px > 0)
    weighted = weighted.with_columns(
        weight=pl.when(known).then(pl.col.tissue_mm2).otherwise(pl.col.tissue_px.cast(pl.Float64))
    )
    area = pl.col.counted_mm2.sum()
    return weighted.group_by(groups, maintain_order=True).agg(
        positive_area=100.0 * _mean("positive_area", "weight"),
        mean_density=_mean("mean_density", "weight"),
        h_score=pl.coalesce(_mean("h_score", "cells"), _mean("h_score_px", "weight")),
        cells_per_mm2=pl.when(area > 0).then(pl.col.cells.sum() / area),
        positive_per_mm2=pl.when(area > 0).then(pl.col.positive_cells.sum() / area),
    )


def _mean(value: str, weight: str) -> pl.Expr:
    """The weighted mean over rows that have the value."""
    held = pl.col(value).is_not_null() & pl.col(value).is_not_nan()
    total = pl.col(weight).filter(held).sum()
    return pl.when(total > 0).then((pl.col(value) * pl.col(weight)).filter(held).sum() / total)
