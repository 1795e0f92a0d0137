"""The files that a measurement leaves: tables for other programs, pictures for people, what failed and why."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import polars as pl

from rarefactor.pathology._agreement import pair_measured
from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._picture_readers import draw_readers
from rarefactor.pathology._picture_runs import draw_histograms
from rarefactor.pathology._picture_sheet import draw_contact_sheet
from rarefactor.pathology._staining import tabulate_runs
from rarefactor.pathology._summary import Measurement

_FAILURES = ("patient", "visit", "stain", "file", "found", "expected", "next_step")
_FOLDER = "measurements"


def write_output(found: Measurement) -> dict[str, bytes]:
    """Return the files by their place in the output folder; none where there are neither slides nor scores."""
    files = dict(_write_tables(found))
    for result in found.all:
        files.update({f"overlays/{name}": data for name, data in result.pictures.items()})
        if result.cells is not None:
            files[f"cells/{result.file.name}.geojson"] = result.cells
    pairs = pair_measured(found.scores, found.biopsies)
    read = {
        f"overlays/{each.stain.replace('/', '-')}_readers.png": draw_readers(each, found.agreement) for each in pairs
    }
    return {**files, **dict(_draw_sheets(found.results)), **read}


def _write_tables(found: Measurement) -> Iterator[tuple[str, bytes]]:
    if found.all:
        buffer = io.BytesIO()
        found.rows.write_parquet(buffer)
        yield f"{_FOLDER}/ihc.parquet", buffer.getvalue()
        yield f"{_FOLDER}/ihc.csv", found.rows.write_csv().encode()
        yield f"{_FOLDER}/ihc_biopsies.csv", found.biopsies.write_csv().encode()
    if found.control_rows.height:
        yield f"{_FOLDER}/ihc_controls.csv", found.control_rows.write_csv().encode()
    runs = tabulate_runs(found.runs)
    if runs.height:
        yield f"{_FOLDER}/ihc_runs.csv", runs.write_csv().encode()
    if found.agreement:
        rows = pl.DataFrame([each.row for each in found.agreement], infer_schema_length=None)
        yield f"{_FOLDER}/ihc_agreement.csv", rows.write_csv().encode()
    if any(result.failures for result in found.all):
        yield f"{_FOLDER}/ihc_failures.csv", _failed(found.all)


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
