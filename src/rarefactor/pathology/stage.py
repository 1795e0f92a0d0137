"""The door of this part: a study, or a folder, in; measurements of slides and their pictures out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rarefactor.pathology._biopsy import combine_biopsies
from rarefactor.pathology._counts import count_measured
from rarefactor.pathology._excluded import EXCLUSION
from rarefactor.pathology._job import (
    Surveyed,
    find_problems,
    hash_content,
    make_adjusted_job,
    make_block_jobs,
    make_sum_job,
    make_survey_job,
    read_adjusted,
    read_blocks,
    read_result,
    read_surveyed,
)
from rarefactor.pathology._looked import Looked, Unmeasured, make_looked
from rarefactor.pathology._measure_slide import SCHEMA, SlideResult, make_failures
from rarefactor.pathology._output import write_output
from rarefactor.pathology._plan import Plan, make_readings, plan_study
from rarefactor.pathology._runs import RunGains
from rarefactor.pathology._scores_given import SCORE
from rarefactor.pathology._settings import SlideFile
from rarefactor.pathology._shown import list_pictures
from rarefactor.pathology._staining import find_gains
from rarefactor.pathology._summary import Again, Measurement, find_gain, summarise
from rarefactor.pathology._told import tell
from rarefactor.pathology._wide import Columns, tabulate_wide
from rarefactor.readings import LOG, read_readings
from rarefactor.results import InputFile, Measured, Note
from rarefactor.spec import Biopsy, Study
from rarefactor.work import Cache, Job, Progress, Silent, Workers, content_key, hash_file, map_jobs

STEP = "Measure stained sections"
LOOK, BLOCKS, RUNS = "Look at the slides", "Measure their blocks", "Adjust for staining runs"


def describe(study: Study) -> Measured:
    """Return the tables that a study's slides give, without any rows: what its factors may name."""
    return Measured(
        tables=tuple(
            tabulate_wide(name, _columns(source), combine_biopsies(pl.DataFrame(schema=SCHEMA)))
            for name, source in study.pathology.items()
        )
    )


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
        The folder is not there, nothing in it fits the layout, or there is no such detector.
    DataError
        The manifest of staining runs or the scores cannot be read.
    """
    return next((plan_study(study, source, subjects) for source in study.pathology.values()), None)


def count_known(asked: Plan, cache: Cache, *, code: str) -> int:
    """Return how many slides of patients were looked at before."""
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
    """Measure the slides of a study and read its scores; what the cache holds is not measured again.

    Slides that cannot be measured are told in a note and in ``measurements/ihc_failures.csv``; the others go on.
    """
    ((name, source),) = study.pathology.items()
    work = _Work(code=code, cache=cache, workers=workers, progress=progress or Silent())
    surveyed, found = _measure(asked, work)
    scales = {stain: scale.name for stain, scale in asked.scores.scales.items()} if asked.scores else None
    files = write_output(found)
    return Measured(
        tables=(tabulate_wide(name, _columns(source, scales), found.biopsies, found.scores, slides=found.rows),),
        notes=tuple(Note(about="pathology", text=text) for text in tell(asked, found, tested=False)),
        rows=tuple(count_measured(name, found)),
        inputs=tuple(_inputs(study, source, asked, surveyed)),
        files=files,
        pictures=tuple(list_pictures(name, found.results, asked.settings.readings, files)),
    )


def look(
    asked: Plan, file: SlideFile, *, code: str, cache: Cache | None = None, only_known: bool = False
) -> Looked | Unmeasured | None:
    """Return a slide of a study as :func:`measure` measures it; None where it was not yet and ``only_known``.

    What the cache holds is not measured again, and what is measured here :func:`measure` finds there.
    """
    work = _Work(code=code, cache=cache, progress=Silent(), only_known=only_known)
    try:
        (surveyed,) = _survey(asked, [file], work)
        (blocks,) = _measure_blocks(asked, [surveyed], work)
    except _NotKnownError:
        return None
    problems = find_problems(surveyed, blocks)
    if problems or surveyed.survey is None:
        told = tuple(each.problem for each in make_failures(file, problems))
        return Unmeasured(file=file, problems=told)
    parts = read_blocks(blocks, surveyed.survey)
    return make_looked(file, surveyed.survey, asked.settings.reading(file.stain), parts)


def measure_folder(asked: Plan, *, workers: Workers | None = None, progress: Progress | None = None) -> Measurement:
    """Measure what :func:`plan_folder` found, without a study."""
    return _measure(asked, _Work(code="", workers=workers, progress=progress or Silent()))[1]


class _NotKnownError(Exception):
    """Work that is not to be done was not done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """How work is done."""

    code: str
    progress: Progress
    cache: Cache | None = None
    workers: Workers | None = None
    only_known: bool = False

    def do(self, step: str, jobs: Sequence[Job], detail: str) -> list[bytes]:
        """Return what all jobs of a step give.

        Raises
        ------
        _NotKnownError
            ``only_known``, and the cache does not hold one of them.
        """
        if self.only_known and not all(self.cache and self.cache.get(job.key) for job in jobs):
            raise _NotKnownError
        done = map_jobs(jobs, cache=self.cache, workers=self.workers, step=step, progress=self.progress)
        self.progress.finish(step, detail, reused=all(each.reused for each in done))
        return [each.data for each in done]


def _measure(asked: Plan, work: _Work) -> tuple[tuple[Surveyed, ...], Measurement]:
    """Look at all slides, measure all their blocks, and add these up, slide by slide and all together."""
    settings, code = asked.settings, work.code
    surveyed = _survey(asked, asked.all, work)
    blocks = _measure_blocks(asked, surveyed, work)
    sums = [make_sum_job(s, settings, own, code=code) for s, own in zip(surveyed, blocks, strict=True)]
    drawn = work.do(STEP, sums, f"{len(sums)} slides") if sums else []
    results = [read_result(s.file, data, s.survey) for s, data in zip(surveyed, drawn, strict=True)]
    controls = [each for each in results if each.file.control]
    own = [each for each in results if not each.file.control]
    gains = find_gains(own, controls, settings.readings, asked.runs)
    again = _read_again(asked, (surveyed, blocks, results), gains, work)
    return surveyed, summarise(asked, results, gains, again)


def _survey(asked: Plan, files: Sequence[SlideFile], work: _Work) -> tuple[Surveyed, ...]:
    """Look at slides."""
    pairs = [(file, hash_content(file)) for file in files]
    looks = [make_survey_job(file, asked.settings, content, code=work.code) for file, content in pairs]
    seen = work.do(LOOK, looks, f"{len(pairs)} slides") if pairs else []
    return tuple(read_surveyed(file, content, data) for (file, content), data in zip(pairs, seen, strict=True))


def _measure_blocks(asked: Plan, surveyed: Sequence[Surveyed], work: _Work) -> list[list[bytes]]:
    """Return what the blocks of each slide hold."""
    pairs = [
        (place, job)
        for place, each in sorted(enumerate(surveyed), key=_weigh)
        for job in make_block_jobs(each, asked.settings, code=work.code)
    ]
    found: defaultdict[int, list[bytes]] = defaultdict(list)
    done = work.do(BLOCKS, [job for _, job in pairs], f"{len(pairs)} blocks") if surveyed else []
    for (place, _), data in zip(pairs, done, strict=True):
        found[place].append(data)
    return [found[place] for place in range(len(surveyed))]


def _weigh(placed: tuple[int, Surveyed]) -> int:
    """Return what puts the largest slides first, so that none of them is waited for in the end."""
    survey = placed[1].survey
    return -survey.width * survey.height if survey else 0


def _read_again(
    asked: Plan,
    measured: tuple[Sequence[Surveyed], Sequence[list[bytes]], Sequence[SlideResult]],
    gains: Mapping[str, RunGains],
    work: _Work,
) -> Again:
    """Return the rows of slides at the thresholds of their runs."""
    jobs = {
        result.file.name: make_adjusted_job(each, asked.settings, own, gain, code=work.code)
        for each, own, result in zip(*measured, strict=True)
        if result.rows.height and not result.file.control and (gain := find_gain(result, gains)) is not None
    }
    if not jobs:
        return {}
    done = work.do(RUNS, list(jobs.values()), f"{len(jobs)} slides")
    return {name: read_adjusted(data) for name, data in zip(jobs, done, strict=True)}


def _columns(source: Biopsy, scales: Mapping[str, str] | None = None) -> Columns:
    return Columns(
        readings=make_readings(source) if source.folder else {},
        adjusted=source.runs != "none",
        scored=tuple(name for name, stain in source.stains.items() if source.scores or stain.scale),
        scales=scales,
    )


def _inputs(study: Study, source: Biopsy, asked: Plan, surveyed: Sequence[Surveyed]) -> Iterator[InputFile]:
    """All slides as one input (the table of measurements names every file with its hash), and the tables beside."""
    if source.folder is not None:
        size = sum(each.path.stat().st_size for each in asked.all if each.path.is_file())
        yield InputFile(id="ihc", path=source.folder, sha256=content_key(*(s.content for s in surveyed)), bytes=size)
    for name, path in (("ihc_manifest", source.manifest), ("ihc_scores", source.scores)):
        if path is not None:
            file = study.folder / path
            yield InputFile(id=name, path=path, sha256=hash_file(file), bytes=file.stat().st_size)
    log, readings = study.folder / LOG, read_readings(study.folder)
    if readings.current(EXCLUSION) or readings.current(SCORE):
        yield InputFile(id="ihc_readings", path=LOG, sha256=hash_file(log), bytes=log.stat().st_size)
