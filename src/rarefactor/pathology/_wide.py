"""Biopsies as a table by patient and visit, one column for each thing that a factor can name.

Convention: ``BAFF-R.positive_area`` is in per cent here, and so is ``BAFF-R.positive_area_adjusted``, which stands
beside it where values adjusted for the staining run are asked for. ``CD20.h_score`` is of cells where they are counted,
else of pixels. ``CD20.score`` is what the readers say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rarefactor.pathology._biopsy import ADJUSTED
from rarefactor.pathology._scores import PatientScore
from rarefactor.pathology._settings import Reading
from rarefactor.results import ORIGINS, MeasuredTable, Quantity

_OF_AREA: Mapping[str, tuple[str, str | None]] = {
    "positive_area": ("DAB-positive area of {stain}", "%"),
    "mean_density": ("Mean DAB density of {stain}", None),
    "h_score": ("H-score of {stain}", None),
}
_OF_CELLS: Mapping[str, tuple[str, str | None]] = {
    "cells_per_mm2": ("Cells per mm² on the {stain} section", "1/mm²"),
    "positive_per_mm2": ("{stain}-positive cells per mm²", "1/mm²"),
}
_SCORE = "score"
_HUNDREDFOLD = {"positive_area", f"positive_area{ADJUSTED}"}
_KEY = {"subject": pl.String, "visit": pl.String}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What a study has columns of: stains in slides, their adjusted values, stains that readers scored."""

    readings: Mapping[str, Reading]
    adjusted: bool = False
    scored: Sequence[str] = ()
    scales: Mapping[str, str] | None = None

    def describe(self) -> dict[str, Quantity]:
        """Return every column in words.

        Examples
        --------
        >>> Columns(readings={"CD20": Reading(measure="cells")}).describe()["CD20.positive_per_mm2"].label
        'CD20-positive cells per mm²'
        """
        return dict(self._describe())

    def list_measured(self, stain: str) -> Iterator[str]:
        """Give what is measured of a stain, adjusted values included."""
        for name in (*_OF_AREA, *(_OF_CELLS if self.readings[stain].measure == "cells" else ())):
            yield name
            if self.adjusted and name != "cells_per_mm2":
                yield f"{name}{ADJUSTED}"

    def _describe(self) -> Iterator[tuple[str, Quantity]]:
        for stain in self.readings:
            for name in self.list_measured(stain):
                label, unit = {**_OF_AREA, **_OF_CELLS}[name.removesuffix(ADJUSTED)]
                ending = ", adjusted for the staining run" if name.endswith(ADJUSTED) else ""
                yield f"{stain}.{name}", Quantity(label=label.format(stain=stain) + ending, unit=unit)
        for stain in self.scored:
            scale = (self.scales or {}).get(stain)
            words = f"Readers’ score of {stain}" + (f" ({scale})" if scale and scale != "percent" else "")
            yield f"{stain}.{_SCORE}", Quantity(label=words, unit="%" if scale == "percent" else None)


def tabulate_wide(
    name: str,
    columns: Columns,
    biopsies: pl.DataFrame,
    scores: Sequence[PatientScore] = (),
    *,
    slides: pl.DataFrame | None = None,
) -> MeasuredTable:
    """Return the table that factors are made from, of all biopsies and scores; without any it is empty.

    ``slides`` names the files that the biopsies were measured in, as the table of measurements does.
    """
    quantities = columns.describe()
    frame = pl.DataFrame(schema=_KEY)
    for stain in columns.readings:
        own = biopsies.filter(pl.col.stain == stain)
        chosen = [
            (pl.col(each).cast(pl.Float64) * (100.0 if each in _HUNDREDFOLD else 1.0)).alias(f"{stain}.{each}")
            for each in columns.list_measured(stain)
        ]
        frame = _join(frame, own.select(pl.col.patient.alias("subject"), "visit", *chosen) if own.height else None)
    for stain in columns.scored:
        rows = [(each.patient, each.visit, each.score) for each in scores if each.stain == stain]
        schema = {**_KEY, f"{stain}.{_SCORE}": pl.Float64}
        frame = _join(frame, pl.DataFrame(rows, schema=schema, orient="row"))
    missing = [pl.lit(None, pl.Float64).alias(each) for each in quantities if each not in frame.columns]
    return MeasuredTable(
        name=name,
        frame=frame.with_columns(missing).select(*_KEY, *quantities),
        quantities=quantities,
        origins=pl.DataFrame(schema=ORIGINS) if slides is None else _list_files(slides),
    )


def _list_files(slides: pl.DataFrame) -> pl.DataFrame:
    named = slides.select(pl.col.patient.alias("subject"), "visit", column="stain", name="slide", sha256="slide_sha256")
    return named.cast(ORIGINS).unique().sort("subject", "visit", "column", "name")


def _join(frame: pl.DataFrame, more: pl.DataFrame | None) -> pl.DataFrame:
    if more is None:
        return frame
    return frame.join(more, on=list(_KEY), how="full", coalesce=True, maintain_order="left_right")
