"""The door of this part: a study, or a folder, in; measurements of slides and their pictures out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from rarefactor.errors import InputError
from rarefactor.pathology._job import (
    Surveyed,
    hash_content,
    make_block_jobs,
    make_sum_job,
    make_survey_job,
    read_result,
    read_surveyed,
)
from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._output import join_rows, write_output
from rarefactor.pathology._plan import Plan, make_readings, plan_study
from rarefactor.pathology._runs import compute_run_effect
from rarefactor.pathology._settings import Settings
from rarefactor.pathology._wide import describe_quantities, tabulate_wide
from rarefactor.results import InputFile, Measured, MeasuredTable, Note
from rarefactor.spec import Biopsy, Study
from rarefactor.work import Cache, Progress, Workers, content_key, map_jobs

STEP = "Measure stained sections"
LOOK, BLOCKS = "Look at the slides", "Measure their blocks"


def describe(study: Study) -> Measured:
    """Return the tables that a study's slides give, without any rows: what its factors may name."""
    return Measured(tables=tuple(_empty(name, source) for name, source in study.pathology.items()))


def plan(study: Study, subjects: Mapping[str, str]) -> Plan | None:
    """Return what of a study is to be measured, or None where it has no slides; nothing is read but names.

    Parameters
    ----------
    study
        The study.
    subjects
        The subject that each patient's id stands for.

    Raises
    ------
    ImageError
        The folder is not there, or nothing in it fits the layout.
    DataError
        The manifest of staining runs cannot be read.
    """
    return next((plan_study(study, source, subjects) for source in study.pathology.values()), None)


def count_known(asked: Plan, cache: Cache, *, code: str) -> int:
    """Return how many slides were looked at before."""
    jobs = (make_survey_job(file, asked.settings, hash_content(file), code=code) for file in asked.slides)
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
    """Measure the slides of a study; what the cache holds is not measured again.

    Slides that cannot be measured are told in a note and in ``measurements/ihc_failures.csv``; the others go on.
    """
    ((name, source),) = study.pathology.items()
    surveyed, results = _measure(asked, code=code, cache=cache, workers=workers, progress=progress)
    rows = join_rows(results)
    table = tabulate_wide(name, rows, asked.settings.readings) if rows.height else _empty(name, source)
    return Measured(
        tables=(table,),
        notes=tuple(_notes(asked, results)),
        inputs=(_input(source, asked, surveyed),),
        files=write_output(results),
    )


def measure_folder(
    asked: Plan, *, workers: Workers | None = None, progress: Progress | None = None
) -> tuple[SlideResult, ...]:
    """Measure what :func:`plan_folder` found, without a study."""
    return _measure(asked, code="", workers=workers, progress=progress)[1]


def _measure(
    asked: Plan,
    *,
    code: str,
    cache: Cache | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Surveyed, ...], tuple[SlideResult, ...]]:
    """Look at all slides, measure all their blocks, and add these up, slide by slide."""
    settings = asked.settings
    contents = [hash_content(file) for file in asked.slides]
    pairs = list(zip(asked.slides, contents, strict=True))
    looks = [make_survey_job(file, settings, content, code=code) for file, content in pairs]
    done = map_jobs(looks, cache=cache, workers=workers, step=LOOK, progress=progress)
    surveyed = tuple(read_surveyed(file, content, each.data) for (file, content), each in zip(pairs, done, strict=True))
    jobs = [(place, job) for place, s in enumerate(surveyed) for job in make_block_jobs(s, settings, code=code)]
    if progress:
        progress.finish(LOOK, f"{len(surveyed)} slides")
    blocks: defaultdict[int, list[bytes]] = defaultdict(list)
    parts = map_jobs([job for _, job in jobs], cache=cache, workers=workers, step=BLOCKS, progress=progress)
    for (place, _), part in zip(jobs, parts, strict=True):
        blocks[place].append(part.data)
    if progress:
        progress.finish(BLOCKS, f"{len(jobs)} blocks", reused=all(part.reused for part in parts))
    sums = [make_sum_job(s, settings, blocks[place], code=code) for place, s in enumerate(surveyed)]
    drawn = map_jobs(sums, cache=cache, workers=workers, step=STEP, progress=progress)
    if progress:
        progress.finish(STEP, f"{len(sums)} slides", reused=all(each.reused for each in drawn))
    results = (read_result(s.file, each.data, s.survey) for s, each in zip(surveyed, drawn, strict=True))
    return surveyed, tuple(results)


def _empty(name: str, source: Biopsy) -> MeasuredTable:
    quantities = describe_quantities(make_readings(source))
    schema = {"subject": pl.String, "visit": pl.String, **dict.fromkeys(quantities, pl.Float64)}
    return MeasuredTable(name=name, frame=pl.DataFrame(schema=schema), quantities=quantities)


def _input(source: Biopsy, asked: Plan, surveyed: Sequence[Surveyed]) -> InputFile:
    """All slides as one input: the table of measurements names every file with its hash."""
    size = sum(each.path.stat().st_size for each in asked.slides if each.path.is_file())
    return InputFile(id="ihc", path=source.folder, sha256=content_key(*(s.content for s in surveyed)), bytes=size)


def _notes(asked: Plan, results: Sequence[SlideResult]) -> Iterator[Note]:
    failed = sum(bool(result.failures) for result in results)
    counts = {
        f"{failed} slides could not be measured; each is in measurements/ihc_failures.csv with its reason.": failed,
        f"{asked.strangers} patients with slides are not in the records and were left out.": asked.strangers,
        f"{asked.without} patients have no slide.": asked.without,
        f"{asked.rows_left} rows of the manifest of staining runs do not fit and were left out.": asked.rows_left,
    }
    yield from (Note(about="pathology", text=text) for text, found in counts.items() if found)
    yield from (Note(about="pathology", text=text) for text in _describe_runs(asked.settings, results))


def _describe_runs(settings: Settings, results: Sequence[SlideResult]) -> Iterator[str]:
    """Say of each stain whether its positive area differs between staining runs."""
    for stain in settings.readings:
        known = [
            (each.positive_area, each.file.run or "")
            for each in results
            if each.file.stain == stain and each.file.run and each.positive_area is not None
        ]
        if len({run for _, run in known}) < 2:
            continue
        try:
            found = compute_run_effect([value for value, _ in known], [run for _, run in known])
        except InputError:
            continue
        test = f"P = {found.test.p:.2g} (Kruskal-Wallis)"
        yield f"DAB-positive area of {stain} across staining runs: {test}; values are not adjusted."
