"""The files that a measurement leaves: tables for other programs, pictures for people, what failed and why."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import polars as pl

from rarefactor.pathology._measure_slide import SCHEMA, SlideResult
from rarefactor.pathology._picture_sheet import draw_contact_sheet, draw_histograms

_FAILURES = ("patient", "visit", "stain", "file", "found", "expected", "next_step")


def write_output(results: Sequence[SlideResult]) -> dict[str, bytes]:
    """Return the files by their place in the output folder."""
    rows = join_rows(results)
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    pictures = {f"overlays/{name}": data for result in results for name, data in result.pictures.items()}
    return {
        "measurements/ihc.parquet": buffer.getvalue(),
        "measurements/ihc.csv": rows.write_csv().encode(),
        **({"measurements/ihc_failures.csv": _failed(results)} if any(r.failures for r in results) else {}),
        **pictures,
        **dict(_draw_sheets(results)),
    }


def join_rows(results: Sequence[SlideResult]) -> pl.DataFrame:
    """Return the measurements of all slides, with the run in which each was stained."""
    tables = [each.rows.with_columns(run=pl.lit(each.file.run, pl.String)) for each in results]
    return pl.concat(tables) if tables else pl.DataFrame(schema={**SCHEMA, "run": pl.String})


def _draw_sheets(results: Sequence[SlideResult]) -> Iterator[tuple[str, bytes]]:
    for stain in sorted({each.file.stain for each in results}):
        own = [each for each in results if each.file.stain == stain and each.thumbnail is not None]
        name = stain.replace("/", "-")
        if len(own) > 1:
            yield f"overlays/{name}_contact_sheet.png", draw_contact_sheet(own, stain)
            yield f"overlays/{name}_histograms.png", draw_histograms(own, stain)


def _failed(results: Sequence[SlideResult]) -> bytes:
    rows = [
        (each.patient, each.visit, each.stain, *(getattr(each.problem, name) for name in _FAILURES[3:]))
        for result in results
        for each in result.failures
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_FAILURES, pl.String), orient="row").write_csv().encode()
