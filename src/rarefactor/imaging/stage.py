"""The door of this part: a study, or a folder, in; measurements, rates and pictures out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from rarefactor.imaging._agreement import count_agreement
from rarefactor.imaging._counts import count_measured
from rarefactor.imaging._graded import (
    describe_graded,
    describe_grades,
    list_grade_changes,
    list_grade_inputs,
    read_study_grades,
    tabulate_grades,
)
from rarefactor.imaging._grades import GradeTable
from rarefactor.imaging._job import PatientResult, make_job, read_result
from rarefactor.imaging._output import join_measurements, join_rates, write_output
from rarefactor.imaging._plan import Plan, plan_study
from rarefactor.imaging._rate import PUBLISHED
from rarefactor.imaging._slice_picture import list_pictures
from rarefactor.imaging._wide import describe_quantities, tabulate_wide
from rarefactor.results import InputFile, Measured, MeasuredTable, Note, Picture
from rarefactor.spec import Study, Thigh
from rarefactor.work import Cache, Progress, Workers, content_key, map_jobs

STEP = "Measure thigh MRI"
_TYPICAL_FRACTION = 0.2


def describe(study: Study) -> Measured:
    """Return the tables that a study's scans give, without any rows: what its factors may name."""
    return Measured(tables=tuple(_table(name, source, ()) for name, source in study.imaging.items()))


def plan(study: Study, subjects: Mapping[str, str], days: pl.DataFrame) -> Plan | None:
    """Return what of a study is to be measured, or None where it has no scans; nothing is read but names.

    Parameters
    ----------
    study
        The study.
    subjects
        The subject that each patient's id stands for.
    days
        ``subject``, ``visit`` and ``day``: when the visits were.

    Raises
    ------
    ImageError
        The folder is not there, or nothing in it fits the layout.
    """
    return next((plan_study(study, source, subjects, days) for source in study.imaging.values()), None)


def count_known(asked: Plan, cache: Cache, *, code: str) -> int:
    """Return how many patients need not be measured again."""
    jobs = (make_job(files, asked.settings, code=code) for files in asked.patients)
    return sum(cache.get(job.key) is not None for job in jobs)


def measure(
    study: Study,
    asked: Plan,
    *,
    code: str,
    cache: Cache | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Measure the scans of a study; what the cache holds is not measured again.

    Visits that cannot be measured are told in a note and in ``measurements/mri_failures.csv``; the others go on.
    """
    ((name, source),) = study.imaging.items()
    jobs = [make_job(files, asked.settings, code=code) for files in asked.patients]
    done = map_jobs(jobs, cache=cache, workers=workers, step=STEP, progress=progress)
    results = [read_result(each.data) for each in done]
    if progress:
        progress.finish(STEP, f"{asked.visits} visits", reused=all(each.reused for each in done))
    table, graded = _table(name, source, results), _grades(study, source, asked)
    return Measured(
        tables=(_with_grades(table, graded, asked.subjects),),
        notes=(*_notes(asked, results), *(describe_graded(graded) if graded else ())),
        rows=(*count_measured(results), *(count_agreement(name, graded, level=study.analysis.level) if graded else ())),
        inputs=tuple(_inputs(study, source, asked)),
        files=write_output(results) if results else {},
        pictures=tuple(_pictures(name, results)),
    )


def measure_patient_of(asked: Plan, patient: str, *, code: str, cache: Cache, progress: Progress | None = None) -> None:
    """Measure one patient of a plan, so that who asks for all of them finds it known."""
    jobs = [make_job(files, asked.settings, code=code) for files in asked.patients if files.patient == patient]
    for _ in map_jobs(jobs, cache=cache, step=STEP, progress=progress):
        pass
    if progress:
        progress.finish(STEP, "1 patient")


def measure_folder(
    asked: Plan, *, workers: Workers | None = None, progress: Progress | None = None
) -> tuple[PatientResult, ...]:
    """Measure what :func:`plan_folder` found, without a study."""
    jobs = [make_job(files, asked.settings, code="") for files in asked.patients]
    done = map_jobs(jobs, workers=workers, step=STEP, progress=progress)
    if progress:
        progress.finish(STEP, f"{asked.visits} visits")
    return tuple(read_result(each.data) for each in done)


def _pictures(name: str, results: Sequence[PatientResult]) -> Iterator[Picture]:
    for each in results:
        visits = each.measurements.select("patient", "visit").unique(maintain_order=True).rows()
        pairs = each.rates.select("patient", "baseline", "follow_up").unique(maintain_order=True).rows()
        yield from list_pictures(name, pairs or visits, each.pictures)


def _table(name: str, source: Thigh, results: Sequence[PatientResult]) -> MeasuredTable:
    sd = source.repeatability or 100.0 * PUBLISHED.compute_sd(_TYPICAL_FRACTION)
    if results:
        wide = tabulate_wide(name, join_measurements(results), join_rates(results), repeatability=sd)
        graded = describe_grades(source.grades) if source.grades else {}
        return replace(wide, quantities={**wide.quantities, **graded})
    quantities = {**describe_quantities(sd), **(describe_grades(source.grades) if source.grades else {})}
    schema = {"subject": pl.String, "visit": pl.String, **dict.fromkeys(quantities, pl.Float64)}
    return MeasuredTable(name=name, frame=pl.DataFrame(schema=schema), quantities=quantities)


def _grades(study: Study, source: Thigh, asked: Plan) -> GradeTable | None:
    return read_study_grades(study.folder, source.grades, asked.subjects) if source.grades and asked.subjects else None


def _with_grades(table: MeasuredTable, graded: GradeTable | None, subjects: Mapping[str, str]) -> MeasuredTable:
    """Return the measurements with the grades of the same patients and visits beside them."""
    if graded is None:
        return table
    grades = tabulate_grades(graded, subjects)
    frame = table.frame.drop(set(grades.columns) & set(table.frame.columns) - {"subject", "visit"})
    joined = frame.join(grades, on=["subject", "visit"], how="full", coalesce=True, maintain_order="left_right")
    changes = list_grade_changes(graded, subjects)
    return replace(
        table, frame=joined, changes=changes if table.changes is None else pl.concat([table.changes, changes])
    )


def _inputs(study: Study, source: Thigh, asked: Plan) -> Iterator[InputFile]:
    """All scans as one input (the tables of measurements name every file with its hash), and the table of grades."""
    if source.folder is not None:
        yield InputFile(id="mri", path=source.folder, sha256=content_key(*asked.hashes), bytes=asked.bytes)
    if source.grades is not None:
        yield from list_grade_inputs(study.folder, source.grades)


def _notes(asked: Plan, results: Sequence[PatientResult]) -> Iterator[Note]:
    failed = {(each.patient, each.visit) for result in results for each in result.failures}
    refused = sum(_is_refused(result) for result in results)
    counts = {
        f"{_count(len(failed), 'scan')} could not be measured: measurements/mri_failures.csv says why.": failed,
        f"{_count(refused, 'patient')} scanned twice without a rate: measurements/mri_rates.csv says why.": refused,
        f"{_count(asked.strangers, 'folder')} of scans of nobody in the records, left out.": asked.strangers,
        f"{_count(asked.masks_left, 'mask')} without a scan.": asked.masks_left,
        f"{_count(asked.corrected, 'scan')} measured within a mask that a reader has corrected: mask_source in "
        "measurements/mri.csv says who, and which version.": asked.corrected,
        f"{_count(len(asked.damaged), 'line')} of readings/log.jsonl that cannot be read: "
        f"{', '.join(str(problem.line) for problem in asked.damaged)}.": asked.damaged,
    }
    yield from (Note(about="imaging", text=text) for text, found in counts.items() if found)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _is_refused(result: PatientResult) -> bool:
    thigh = result.rates.filter((pl.col.muscle == "thigh") & (pl.col.side == "both"))
    return thigh.height > 0 and thigh["change"].null_count() > 0
