"""Measurements and rates as tables: one row per patient, visit, region and side.

Convention: side is "right", "left" or "both"; flags are names joined by "; ", with their sentences in a column beside
them; a source is a file and its SHA-256. No row holds more of a patient than the id that the study gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rarefactor.imaging._measure import Measurement
from rarefactor.imaging._rate import Rate
from rarefactor.results import Flag

if TYPE_CHECKING:
    import polars as pl

_MEASUREMENT_COLUMNS = (
    *("patient", "visit", "muscle", "side", "fat_fraction", "sd", "noise_se", "voxels", "left_out", "volume_ml"),
    *("oedema", "estimator", "sequence", "mask_source", "flags", "details", "sources"),
)
_RATE_COLUMNS = (
    *("patient", "muscle", "side", "baseline", "follow_up", "months", "change", "rate_per_month", "se", "detectable"),
    *("beyond_error", "repeatability", "estimator", "sequence", "flags", "details"),
)
_NUMBERS = frozenset(
    (
        *("fat_fraction", "sd", "noise_se", "volume_ml", "oedema"),
        *("months", "change", "rate_per_month", "se", "detectable"),
    )
)
_COUNTS = frozenset(("voxels", "left_out"))


def tabulate_measurements(patients: Mapping[str, Sequence[Measurement]]) -> pl.DataFrame:
    """Return the rows of all patients as one table.

    Examples
    --------
    >>> row = Measurement(visit="baseline", site="GR", side=None, fat_fraction=0.2, sd=0.1, noise_se=0.001, voxels=900,
    ...     left_out=3, volume_ml=9.0, estimator="voxel_mean", sequence="dixon", mask_source="reader")
    >>> tabulate_measurements({"P1": [row]}).select("patient", "muscle", "side", "fat_fraction").row(0)
    ('P1', 'GR', 'both', 0.2)
    """
    rows = [_list_measurement(patient, row) for patient, found in patients.items() for row in found]
    return _build(rows, _MEASUREMENT_COLUMNS)


def tabulate_rates(patients: Mapping[str, Sequence[Rate]]) -> pl.DataFrame:
    """Return the rates of all patients as one table: percentage points per month."""
    rows = [_list_rate(patient, row) for patient, found in patients.items() for row in found]
    return _build(rows, _RATE_COLUMNS)


def _list_measurement(patient: str, row: Measurement) -> tuple[Any, ...]:
    return (
        patient,
        row.visit,
        row.site,
        row.side or "both",
        row.fat_fraction,
        row.sd,
        row.noise_se,
        row.voxels,
        row.left_out,
        row.volume_ml,
        row.oedema,
        row.estimator,
        row.sequence,
        row.mask_source,
        *_describe(row.flags),
        "; ".join(f"{source.path} {source.sha256}" for source in row.sources),
    )


def _list_rate(patient: str, row: Rate) -> tuple[Any, ...]:
    return (
        patient,
        row.site,
        row.side or "both",
        *row.visits,
        row.months,
        row.change,
        row.rate_per_month,
        row.se,
        row.detectable,
        row.beyond_error,
        row.repeatability,
        row.estimator,
        row.sequence,
        *_describe(row.flags),
    )


def _describe(flags: Sequence[Flag]) -> tuple[str, str]:
    """Names, each once, and sentences."""
    names = dict.fromkeys(flag.name for flag in flags)
    details = dict.fromkeys(flag.detail for flag in flags)
    return "; ".join(names), " ".join(details)


def _build(rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415 - loaded late, so that importing this part is light

    def find_type(name: str) -> type[pl.DataType]:
        if name in _NUMBERS:
            return pl.Float64
        if name in _COUNTS:
            return pl.Int64
        return pl.Boolean if name == "beyond_error" else pl.String

    return pl.DataFrame(list(rows), schema={name: find_type(name) for name in columns}, orient="row")
