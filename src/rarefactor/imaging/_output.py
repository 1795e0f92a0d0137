"""The files that a measurement leaves: tables for other programs, pictures for people, what failed and why."""

from __future__ import annotations

import io
from collections.abc import Sequence

import polars as pl

from rarefactor.imaging._contact_sheet import Entry, draw_contact_sheet
from rarefactor.imaging._job import PatientResult
from rarefactor.imaging._patient import Failure
from rarefactor.imaging._slice_picture import is_slice

CONTACT_SHEET = "overlays/contact_sheet.png"
_FAILURES = ("patient", "visit", "file", "found", "expected", "next_step")


def write_output(results: Sequence[PatientResult]) -> dict[str, bytes]:
    """Return the files by their place in the output folder."""
    measurements, rates = join_measurements(results), join_rates(results)
    failures = [failure for result in results for failure in result.failures]
    drawn = ((name, data) for result in results for name, data in result.pictures.items() if not is_slice(name))
    pictures = {f"overlays/{name}": data for name, data in drawn}
    return {
        "measurements/mri.parquet": _parquet(measurements),
        "measurements/mri.csv": measurements.write_csv().encode(),
        **({"measurements/mri_rates.csv": rates.write_csv().encode()} if rates.height else {}),
        **({"measurements/mri_failures.csv": _failed(failures)} if failures else {}),
        **pictures,
        **({CONTACT_SHEET: _contact_sheet(results)} if len(pictures) > 1 else {}),
    }


def join_measurements(results: Sequence[PatientResult]) -> pl.DataFrame:
    """Return the measurements of all patients."""
    return pl.concat([result.measurements for result in results])


def join_rates(results: Sequence[PatientResult]) -> pl.DataFrame:
    """Return the rates of all patients."""
    return pl.concat([result.rates for result in results])


def _failed(failures: Sequence[Failure]) -> bytes:
    rows = [(each.patient, each.visit, *(getattr(each.problem, name) for name in _FAILURES[2:])) for each in failures]
    return pl.DataFrame(rows, schema=dict.fromkeys(_FAILURES, pl.String), orient="row").write_csv().encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _contact_sheet(results: Sequence[PatientResult]) -> bytes:
    entries = [_entry(result) for result in results if result.thumbnails]
    return draw_contact_sheet(entries, title="Fat fraction of the thigh at the first and the last visit, by rate")


def _entry(result: PatientResult) -> Entry:
    thigh = result.rates.filter((pl.col.muscle == "thigh") & (pl.col.side == "both"))
    rate, caption = None, "one visit" if len(result.thumbnails) == 1 else "no rate"
    for row in thigh.iter_rows(named=True):
        if row["rate_per_month"] is not None:
            rate = float(row["rate_per_month"])
            caption = f"{rate:+.2f} pp/month (SE {row['se']:.2f})"
        elif row["change"] is not None:
            caption = f"{row['change']:+.1f} pp"
    return Entry(title=result.patient, caption=caption, thumbnails=result.thumbnails, rate=rate)
