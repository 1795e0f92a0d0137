"""The door of this part: a study, or a folder, in; measurements, rates and pictures out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from rarefactor.imaging._job import PatientResult, make_job, read_result
from rarefactor.imaging._output import join_measurements, join_rates, write_output
from rarefactor.imaging._plan import Plan, plan_study
from rarefactor.imaging._rate import PUBLISHED
from rarefactor.imaging._wide import describe_quantities, tabulate_wide
from rarefactor.results import InputFile, Measured, MeasuredTable, Note
from rarefactor.spec import Study, Thigh
from rarefactor.work import Cache, Done, Progress, Workers, content_key, map_jobs

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
    return Measured(
        tables=(_table(name, source, results),),
        notes=tuple(_notes(asked, results)),
        inputs=(_input(source, done),),
        files=write_output(results),
    )


def measure_folder(
    asked: Plan, *, workers: Workers | None = None, progress: Progress | None = None
) -> tuple[PatientResult, ...]:
    """Measure what :func:`plan_folder` found, without a study."""
    jobs = [make_job(files, asked.settings, code="") for files in asked.patients]
    done = map_jobs(jobs, workers=workers, step=STEP, progress=progress)
    if progress:
        progress.finish(STEP, f"{asked.visits} visits")
    return tuple(read_result(each.data) for each in done)


def _table(name: str, source: Thigh, results: Sequence[PatientResult]) -> MeasuredTable:
    sd = source.repeatability or 100.0 * PUBLISHED.compute_sd(_TYPICAL_FRACTION)
    if results:
        return tabulate_wide(name, join_measurements(results), join_rates(results), repeatability=sd)
    quantities = describe_quantities(sd)
    schema = {"subject": pl.String, "visit": pl.String, **dict.fromkeys(quantities, pl.Float64)}
    return MeasuredTable(name=name, frame=pl.DataFrame(schema=schema), quantities=quantities)


def _input(source: Thigh, done: Sequence[Done]) -> InputFile:
    """All scans as one input: the tables of measurements name every file with its hash."""
    content = [each.data for each in done]
    return InputFile(id="mri", path=source.folder, sha256=content_key(*content), bytes=sum(map(len, content)))


def _notes(asked: Plan, results: Sequence[PatientResult]) -> Iterator[Note]:
    failed = {(each.patient, each.visit) for result in results for each in result.failures}
    refused = sum(_is_refused(result) for result in results)
    counts = {
        f"{len(failed)} scans could not be measured; each is in measurements/mri_failures.csv with its reason.": failed,
        f"{refused} patients have no rate although they were scanned twice; measurements/mri_rates.csv says why.": (
            refused
        ),
        f"{asked.strangers} folders of scans belong to nobody in the records and were left out.": asked.strangers,
        f"{asked.without} patients have no scan.": asked.without,
        f"{asked.masks_left} masks have no scan beside them.": asked.masks_left,
    }
    yield from (Note(about="imaging", text=text) for text, found in counts.items() if found)


def _is_refused(result: PatientResult) -> bool:
    thigh = result.rates.filter((pl.col.muscle == "thigh") & (pl.col.side == "both"))
    return thigh.height > 0 and thigh["change"].null_count() > 0
