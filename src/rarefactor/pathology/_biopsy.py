"""A biopsy is the combination of its slides and regions, weighted by their area of tissue.

Convention: a share of tissue and a mean density are weighted by the tissue they were measured on, in mm² or, where the
size of a pixel is not known, in pixels; cells per mm² are all cells over all tissue in focus, the H-score of cells and
the share of positive cells are of all cells. So a biopsy has what it would have had as one slide. A region without
tissue, and a value that is missing or no number, weigh nothing. An area fraction is 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

BIOPSY = ("patient", "visit", "stain")
"""What makes slides and regions one biopsy."""
ADJUSTED = "_adjusted"
"""How a column ends whose values are adjusted for the staining run."""
_COUNTED = "counted_mm2"


def combine_biopsies(rows: pl.DataFrame, *, by: Sequence[str] = BIOPSY) -> pl.DataFrame:
    """Return one row for each biopsy.

    Parameters
    ----------
    rows
        The measurements, one row for each region of a slide. Adjusted columns are combined like their measured ones.
    by
        The columns that tell biopsies apart.

    Returns
    -------
    DataFrame
        ``by``, ``slides`` and ``regions`` (with tissue), ``tissue_mm2``, ``positive_area``, ``mean_density``,
        ``h_score`` (of cells where they were counted, else of pixels), ``positive_share``, ``cells_per_mm2``,
        ``positive_per_mm2``, and the adjusted ones.

    Examples
    --------
    >>> from rarefactor.pathology._measure_slide import SCHEMA
    >>> two = [{"patient": "a", "stain": "CD20", "positive_area": 0.1, "tissue_px": 100, "tissue_mm2": 1.0},
    ...        {"patient": "a", "stain": "CD20", "positive_area": 0.4, "tissue_px": 50, "tissue_mm2": 2.0}]
    >>> combine_biopsies(pl.DataFrame(two, schema=SCHEMA))["positive_area"].round(6).to_list()
    [0.3]
    """
    known = pl.col.tissue_mm2.is_not_null().all().over(list(by))
    weight = pl.when(known).then(pl.col.tissue_mm2).otherwise(pl.col.tissue_px.cast(pl.Float64))
    held = rows.filter(pl.col.tissue_px > 0).with_columns(weight=weight)
    ends = ["", *([ADJUSTED] if f"positive_area{ADJUSTED}" in rows.columns else [])]
    return held.group_by(list(by), maintain_order=True).agg(
        pl.col.slide.n_unique().alias("slides"),
        pl.len().alias("regions"),
        pl.when(pl.col.tissue_mm2.is_not_null().all()).then(pl.col.tissue_mm2.sum()).alias("tissue_mm2"),
        pl.when(pl.col(_COUNTED).sum() > 0).then(pl.col.cells.sum() / pl.col(_COUNTED).sum()).alias("cells_per_mm2"),
        *(expression for end in ends for expression in _combine(end)),
    )


def _combine(end: str) -> tuple[pl.Expr, ...]:
    positive, area, cells = pl.col(f"positive_cells{end}").sum(), pl.col(_COUNTED).sum(), pl.col.cells.sum()
    score = pl.coalesce(_mean(f"h_score{end}", "cells"), _mean(f"h_score_px{end}", "weight"))
    return (
        _mean(f"positive_area{end}", "weight").alias(f"positive_area{end}"),
        _mean(f"mean_density{end}", "weight").alias(f"mean_density{end}"),
        score.alias(f"h_score{end}"),
        pl.when(cells > 0).then(positive / cells).alias(f"positive_share{end}"),
        pl.when(area > 0).then(positive / area).alias(f"positive_per_mm2{end}"),
    )


def _mean(value: str, weight: str) -> pl.Expr:
    """The weighted mean over rows that have the value."""
    held = pl.col(value).is_not_null() & pl.col(value).is_not_nan()
    total = pl.col(weight).filter(held).sum()
    return pl.when(total > 0).then((pl.col(value) * pl.col(weight)).filter(held).sum() / total)
