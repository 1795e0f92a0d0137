"""One patient as a job: files in, bytes out, so that it can be done anywhere, kept, and gone on with.

Convention: the bytes are an archive of tables (Parquet), failures (JSON) and pictures; a patient's own id, which may
stand in the names of files, is replaced by the name under which the numbers are kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from rarefactor.errors import Problem
from rarefactor.imaging._contact_sheet import Thumbnail, read_thumbnail
from rarefactor.imaging._numbered import write_numbered
from rarefactor.imaging._patient import Failure, Patient, measure_patient
from rarefactor.imaging._settings import PatientFiles, Settings, VisitFiles, list_files
from rarefactor.imaging._table import tabulate_measurements, tabulate_rates
from rarefactor.work import Job, content_key, hash_file, read_packed, write_packed

Hasher = Callable[[Path], str]

_PICTURES, _THUMBNAILS, _MASKS, _FIRST, _FRACTIONS = "pictures/", "thumbnails/", "masks/", "first/", "fractions/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientResult:
    """What a job gave: tables of measurements and rates, failures, pictures by name."""

    patient: str
    measurements: pl.DataFrame
    rates: pl.DataFrame
    failures: tuple[Failure, ...]
    pictures: Mapping[str, bytes]
    thumbnails: tuple[Thumbnail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The regions that a visit was measured within (NIfTI), and what a viewer shows of it first (PNG)."""

    mask: bytes
    first: bytes


def make_job(files: PatientFiles, settings: Settings, *, code: str, hasher: Hasher = hash_file) -> Job:
    """Return the job that measures a patient; its key holds the content of every file that it may read.

    Parameters
    ----------
    code
        The key of the program's source.
    hasher
        Gives the SHA-256 of a file; who asks often may remember it.
    """
    visits = [[each.visit, each.month, *_hash_visit(each, hasher)] for each in files.visits]
    key = content_key("mri", code, files.patient, settings.content(), visits)
    return Job(key=key, function=measure_to_bytes, arguments=(files, settings))


def measure_to_bytes(files: PatientFiles, settings: Settings) -> bytes:
    """Measure a patient and return everything as one archive."""
    return write_result(_hide(measure_patient(files, settings), files.own_id))


def write_result(patient: Patient) -> bytes:
    """Return the archive of a measured patient."""
    named = {patient.patient: patient.measurements}, {patient.patient: patient.rates}
    return write_packed(
        {
            "patient.txt": patient.patient.encode(),
            "measurements.parquet": _parquet(tabulate_measurements(named[0])),
            "rates.parquet": _parquet(tabulate_rates(named[1])),
            "failures.json": json.dumps([asdict(each) for each in patient.failures]).encode(),
            **{f"{_PICTURES}{name}": picture for name, picture in patient.pictures.items()},
            **{f"{_THUMBNAILS}{place}": each.write() for place, each in enumerate(patient.thumbnails)},
            **{f"{_MASKS}{visit}": write_numbered(labels) for visit, labels in patient.labels.items()},
            **{f"{_FIRST}{visit}": picture for visit, picture in patient.first.items()},
            **{f"{_FRACTIONS}{visit}": fraction for visit, fraction in patient.fractions.items()},
        }
    )


def read_result(data: bytes) -> PatientResult:
    """Return what :func:`write_result` wrote."""
    files = read_packed(data)
    return PatientResult(
        patient=files["patient.txt"].decode(),
        measurements=pl.read_parquet(io.BytesIO(files["measurements.parquet"])),
        rates=pl.read_parquet(io.BytesIO(files["rates.parquet"])),
        failures=tuple(_read_failure(item) for item in json.loads(files["failures.json"])),
        pictures=_below(files, _PICTURES),
        thumbnails=tuple(read_thumbnail(data) for data in _below(files, _THUMBNAILS).values()),
    )


def read_visit_drawn(data: bytes, visit: str) -> Drawn | None:
    """Return what was drawn of a visit, without reading the rest; None where it could not be measured."""
    mask, first = f"{_MASKS}{visit}", f"{_FIRST}{visit}"
    files = read_packed(data, (mask, first))
    return Drawn(mask=files[mask], first=files[first]) if mask in files else None


def read_visit_fraction(data: bytes, visit: str) -> bytes | None:
    """Return the fat fraction of a visit as a viewer takes it (NIfTI); None where it could not be measured."""
    name = f"{_FRACTIONS}{visit}"
    return read_packed(data, (name,)).get(name)


def _hide(patient: Patient, own_id: str | None) -> Patient:
    """Replace the patient's own id in names of files and in what was said about them."""
    if not own_id or own_id == patient.patient:
        return patient

    def hidden(text: str) -> str:
        return text.replace(own_id, patient.patient)

    rows = (
        replace(
            row,
            flags=tuple(replace(flag, detail=hidden(flag.detail)) for flag in row.flags),
            sources=tuple(replace(source, path=hidden(source.path)) for source in row.sources),
        )
        for row in patient.measurements
    )
    rates = (
        replace(rate, flags=tuple(replace(flag, detail=hidden(flag.detail)) for flag in rate.flags))
        for rate in patient.rates
    )
    failures = (
        replace(
            each, problem=replace(each.problem, file=hidden(each.problem.file or ""), found=hidden(each.problem.found))
        )
        for each in patient.failures
    )
    return replace(patient, measurements=tuple(rows), rates=tuple(rates), failures=tuple(failures))


def _hash_visit(files: VisitFiles, hasher: Hasher) -> Iterator[Any]:
    yield list(_hash_files(files, hasher))
    yield files.mask and hasher(files.mask)
    if files.corrected:
        names = {str(label): name for label, name in files.corrected.names.items()}
        yield [files.corrected.source, names, hasher(files.corrected.path)]


def _hash_files(files: VisitFiles, hasher: Hasher) -> Iterator[Sequence[str]]:
    for place in files.paths:
        for path in list_files(place):
            yield [path.relative_to(place.parent if place.is_file() else place).as_posix(), hasher(path)]


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _read_failure(item: Mapping[str, object]) -> Failure:
    problem = Problem(**item["problem"])  # pyright: ignore[reportCallIssue] - it was written from a problem
    return Failure(patient=str(item["patient"]), visit=str(item["visit"]), problem=problem)


def _below(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    return {name.removeprefix(folder): data for name, data in sorted(files.items()) if name.startswith(folder)}
