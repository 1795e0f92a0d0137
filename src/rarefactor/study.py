"""The road: from the study file to the report. It reads like the methods section of the paper.

Convention: every step is a door of one part; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rarefactor import analyse, cohort, derive, imaging, pathology, predict, report, spec
from rarefactor.results import Analysed, Measured, Results, write_results
from rarefactor.stored import has_images, key_images, store
from rarefactor.work import (
    Cache,
    Logged,
    Progress,
    Silent,
    Workers,
    claim_folder,
    code_key,
    content_key,
    read_packed,
    remember,
    write_packed,
)

_CODE = Path(__file__).parent
_IMAGING, _PATHOLOGY = _CODE / "imaging", _CODE / "pathology"


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Which images of a study belong to whom."""

    scans: imaging.Plan | None = None
    slides: pathology.Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A study whose data were read, and nothing analysed."""

    study: spec.Study
    cohort: cohort.Cohort
    images: Images
    table: derive.AnalysisTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study whose data were read, images measured and tables derived."""

    study: spec.Study
    cache: Cache
    measured: tuple[Measured, ...]
    table: derive.AnalysisTable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """A step that a run would take; ``reused`` where its result is already known."""

    name: str
    detail: str
    reused: bool = False


def check(path: Path, *, progress: Progress | None = None) -> Checked:
    """Read everything that a study names and derive its tables, without measuring, analysing or writing anything.

    Factors that come from images are described, and have no values.

    Raises
    ------
    StudyFileError, DataError, ImageError
        The study cannot be read; every problem found is in the error.
    """
    progress = progress or Silent()
    study = spec.load(path)
    return check_read(study, *_read(study, progress), progress=progress)


def check_read(study: spec.Study, data: cohort.Cohort, images: Images, *, progress: Progress | None = None) -> Checked:
    """Derive the tables of what a study names and was read before, see :func:`check`.

    Raises
    ------
    StudyFileError, DataError
        The study does not fit its data.
    """
    described = [imaging.describe(study), pathology.describe(study)]
    table = _derive(study, data, described, progress or Silent())
    return Checked(study=study, cohort=data, images=images, table=table)


def prepare(path: Path, *, workers: Workers | None = None, progress: Progress | None = None) -> Prepared:
    """Do all that a run does before its analyses; images that were measured before are not measured again.

    Raises
    ------
    RarefactorError
        The study or its data need mending; see :mod:`rarefactor.errors`.
    """
    progress = progress or Silent()
    study = spec.load(path)
    cache = open_cache(study)
    key = key_images(study, path) if has_images(study) else ""
    data, images = _read(study, progress)
    measured = _measure(study, images, cache, workers, progress)
    if key:
        store(cache, key, measured)
    return Prepared(study=study, cache=cache, measured=measured, table=_derive(study, data, measured, progress))


def _read(study: spec.Study, progress: Progress) -> tuple[cohort.Cohort, Images]:
    """Return the patients' data, and which images belong to whom."""
    progress.start("Read the data")
    data = cohort.ingest(study)
    progress.finish("Read the data", f"{sum(table.frame.height for table in data.tables.values())} rows")
    return data, find_images(study, data)


def find_images(study: spec.Study, data: cohort.Cohort) -> Images:
    """Return which images of a study belong to whom; none is opened.

    Raises
    ------
    StudyFileError, DataError, ImageError
        Folders or tables of images cannot be read, or do not fit the patients.
    """
    scans = imaging.plan(study, data.pseudonyms, derive.visit_days(study, data)) if study.imaging else None
    return Images(scans=scans, slides=pathology.plan(study, data.pseudonyms))


def _derive(
    study: spec.Study, data: cohort.Cohort, measured: Sequence[Measured], progress: Progress
) -> derive.AnalysisTable:
    progress.start("Derive outcome and factors")
    table = derive.build(study, data, measured)
    progress.finish("Derive outcome and factors", f"{len(table.factors)} factors, {len(table.landmarks)} landmarks")
    return table


def plan(path: Path) -> tuple[PlanStep, ...]:
    """Return what :func:`run` would do, without doing it: which analyses are known and which are to be made."""
    checked = check(path)
    cache = open_cache(checked.study)
    analyses = analyse.tasks(checked.study, checked.table, code=code_key(_CODE))
    return (
        PlanStep(name="Read the data", detail=", ".join(item.path for item in checked.cohort.inputs)),
        *_plan_images(checked.images, cache),
        PlanStep(name="Derive outcome and factors", detail=", ".join(checked.study.factors)),
        *(PlanStep(name=task.label, detail=task.detail, reused=cache.get(task.key) is not None) for task in analyses),
        *_plan_models(checked.study),
        PlanStep(name="Write the report", detail="report.html, report.docx, report.pdf, tables, figures, provenance"),
    )


def _plan_models(study: spec.Study) -> Iterator[PlanStep]:
    if study.analysis.models:
        yield PlanStep(name=predict.STEP, detail=", ".join(study.analysis.models))


def _plan_images(images: Images, cache: Cache) -> Iterator[PlanStep]:
    scans, slides = images.scans, images.slides
    if scans:
        known = imaging.count_known(scans, cache, code=code_key(_IMAGING))
        detail = f"{scans.visits} scans of {len(scans.patients)} patients, {known} of them measured before"
        yield PlanStep(name=imaging.STEP, detail=detail, reused=known == len(scans.patients))
    if slides:
        known = pathology.count_known(slides, cache, code=code_key(_PATHOLOGY))
        detail = f"{len(slides.slides)} slides of {slides.patients} patients, {known} of them looked at before"
        yield PlanStep(name=pathology.STEP, detail=detail, reused=known == len(slides.slides))


def design(
    path: Path,
    *,
    data_sets: int | None = None,
    odds_ratios: Mapping[str, float] | None = None,
    n: int | None = None,
) -> Mapping[str, Analysed]:
    """Return, for each model, what a study of its size could find; nothing is written.

    Raises
    ------
    RarefactorError
        The study, the data or a factor named in ``odds_ratios`` need mending.
    """
    checked = check(path)
    return analyse.simulate(checked.study, checked.table, data_sets=data_sets, odds_ratios=odds_ratios, n=n)


def run(path: Path, out: Path, *, workers: Workers | None = None, progress: Progress | None = None) -> Results:
    """Run a study from its file to its report in the folder ``out``.

    What is unchanged since an earlier run is reused. ``out`` holds the complete output or what it held before. Images
    are measured by ``workers``, one process where none are named.

    Raises
    ------
    RarefactorError
        The study, the data or the output folder need mending; see :mod:`rarefactor.errors`.
    """
    log = Logged(progress or Silent())
    with claim_folder(out) as claim:
        ready = prepare(path, workers=workers, progress=log)
        study, cache, measured, table = ready.study, ready.cache, ready.measured, ready.table
        results = analyse.run(study, table, cache=cache, code=code_key(_CODE), workers=workers, progress=log)
        risk = predict.build(study, table, results, cache=cache, code=code_key(_CODE), progress=log)
        rows = (*(row for each in measured for row in each.rows), *results.rows, *risk.rows)
        results = replace(results, rows=rows, notes=(*results.notes, *risk.notes))
        results = analyse.trace_results(study, table, results, [each for one in measured for each in one.tables])
        pictures = {name: data for each in measured for name, data in each.files.items()}
        written = _report(results, (risk, measured), cache, log)
        files = {**pictures, **written, **risk.files, "results.json": write_results(results)}
        crate = report.write_provenance(results, files, created=datetime.now(UTC))
        claim.write({**files, report.PROVENANCE: crate, "run.log": log.text().encode()})
    return results


def measure_scans(path: Path, patient: str, *, progress: Progress | None = None) -> None:
    """Measure the scans of one patient (by pseudonym), so that a run finds them known; nothing is written but that.

    Raises
    ------
    RarefactorError
        The study or the data need mending.
    """
    checked = check(path)
    if checked.images.scans:
        imaging.measure_patient_of(
            checked.images.scans, patient, code=scan_code(), cache=open_cache(checked.study), progress=progress
        )


def scan_code() -> str:
    """Return the key of the source that measures scans."""
    return code_key(_IMAGING)


def _measure(
    study: spec.Study, images: Images, cache: Cache, workers: Workers | None, progress: Progress
) -> tuple[Measured, ...]:
    measured: list[Measured] = []
    if images.scans:
        code = code_key(_IMAGING)
        measured.append(
            imaging.measure(study, images.scans, code=code, cache=cache, workers=workers, progress=progress)
        )
    if images.slides:
        code = code_key(_PATHOLOGY)
        measured.append(
            pathology.measure(study, images.slides, code=code, cache=cache, workers=workers, progress=progress)
        )
    return tuple(measured)


def _report(
    results: Results,
    beside: tuple[predict.RiskModels, Sequence[Measured]],
    cache: Cache,
    progress: Progress,
) -> Mapping[str, bytes]:
    """Write the report, with the risk models and what was measured beside the results."""
    risk, measured = beside
    pictures = [picture for each in measured for picture in each.pictures]
    progress.start("Write the report")
    shown = {picture.path: picture.png for picture in pictures}
    key = content_key("report", write_results(results), risk.files, shown, code_key(_CODE))
    write = partial(report.write_report, results, risk_models=risk.models, pictures=pictures)
    files, reused = remember(cache, key, write, write=write_packed, read=read_packed)
    progress.finish("Write the report", f"{len(files)} files", reused=reused)
    return files


def open_cache(study: spec.Study) -> Cache:
    """Return where results of a study are kept by their content."""
    return Cache(study.folder / ".rarefactor" / "cache")
