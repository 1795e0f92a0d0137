"""Measurements and rates as tables by patient and visit, one column for each thing that a factor can name.

Convention: ``fat_fraction`` is of the thigh, ``hamstrings.fat_fraction`` of a site, ``hamstrings.left.fat_fraction`` of
one side of it, and so on with ``volume_ml`` and ``oedema``. Fat fractions are in per cent here, changes in percentage
points.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import polars as pl

from rarefactor.imaging._regions import MUSCLES, SITES, Side
from rarefactor.results import CHANGES, ORIGINS, MeasuredTable, Quantity

_SIDES = (None, *Side)
_QUANTITIES: Mapping[str, tuple[str, str | None, float]] = {
    "fat_fraction": ("Fat fraction", "%", 100.0),
    "volume_ml": ("Volume", "ml", 1.0),
    "oedema": ("Signal of oedema, relative to the least affected muscle,", None, 1.0),
}
_FAT = "fat_fraction"


def describe_quantities(repeatability: float | None = None) -> dict[str, Quantity]:
    """Return every column in words; ``repeatability`` is the SD of a fat fraction repeated, in percentage points.

    Examples
    --------
    >>> describe_quantities()["hamstrings.left.fat_fraction"].label
    'Fat fraction of the hamstrings, left'
    """
    return {
        name_column(site, side, measure): Quantity(
            label=f"{words} of the {describe_site(site, side)}",
            unit=unit,
            repeatability=repeatability if measure == _FAT else None,
        )
        for site, side, (measure, (words, unit, _)) in product(SITES, _SIDES, _QUANTITIES.items())
    }


def tabulate_wide(
    name: str, measurements: pl.DataFrame, rates: pl.DataFrame, *, repeatability: float | None = None
) -> MeasuredTable:
    """Return the table that factors are made from."""
    quantities = describe_quantities(repeatability)
    return MeasuredTable(
        name=name,
        frame=_spread(measurements, quantities),
        quantities=quantities,
        changes=_list_changes(rates),
        origins=_list_files(measurements),
    )


def _list_files(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return the files of each scan, each once: a row of measurements names them with their content."""
    each = measurements.select("patient", "visit", file=pl.col.sources.str.split("; ")).explode("file").unique()
    named = each.filter(pl.col.file.str.contains(" ")).with_columns(
        name=pl.col.file.str.replace(r" \S+$", ""), sha256=pl.col.file.str.extract(r" (\S+)$")
    )
    found = named.select(pl.col.patient.alias("subject"), "visit", pl.lit("").alias("column"), "name", "sha256")
    return found.cast(ORIGINS).sort("subject", "visit", "name")


def _spread(measurements: pl.DataFrame, quantities: Mapping[str, Quantity]) -> pl.DataFrame:
    long = pl.concat(
        measurements.select(
            pl.col.patient.alias("subject"),
            "visit",
            column=_names(measure),
            value=pl.col(measure) * factor,
        )
        for measure, (_, _, factor) in _QUANTITIES.items()
    )
    wide = long.pivot("column", index=["subject", "visit"], values="value", maintain_order=True)
    missing = [pl.lit(None, pl.Float64).alias(name) for name in quantities if name not in wide.columns]
    return wide.with_columns(missing).select("subject", "visit", *quantities)


def _list_changes(rates: pl.DataFrame) -> pl.DataFrame:
    types: dict[str, pl.DataType | type[pl.DataType]] = dict(CHANGES)
    found = rates.select(
        pl.col.patient.alias("subject"),
        pl.col.baseline.alias("first"),
        pl.col.follow_up.alias("last"),
        column=_names(_FAT),
        change=pl.col.change,
    )
    return found.select(pl.col(name).cast(kind) for name, kind in types.items())


def _names(measure: str) -> pl.Expr:
    """The column of each row: the site and side before the measure, where they are not the whole thigh."""
    site = pl.when(pl.col.muscle == "thigh").then(pl.lit("")).otherwise(pl.col.muscle + ".")
    side = pl.when(pl.col.side == "both").then(pl.lit("")).otherwise(pl.col.side + ".")
    return site + side + pl.lit(measure)


def name_column(site: str, side: Side | None, measure: str) -> str:
    """Return the column of a measure: site and side before it, where they are not the whole thigh.

    Examples
    --------
    >>> name_column("hamstrings", Side.LEFT, "fat_fraction"), name_column("thigh", None, "fat_fraction")
    ('hamstrings.left.fat_fraction', 'fat_fraction')
    """
    return ".".join([*([site] if site != "thigh" else []), *([side.value] if side else []), measure])


def describe_site(site: str, side: Side | None) -> str:
    """Return a site and side in words, behind "of the".

    Examples
    --------
    >>> describe_site("RF", Side.LEFT), describe_site("medial", None)
    ('rectus femoris, left', 'medial compartment')
    """
    known = {"thigh": "thigh muscles", "hamstrings": "hamstrings", **{code: m.name for code, m in MUSCLES.items()}}
    return known.get(site, f"{site} compartment") + (f", {side}" if side else "")
