"""The road: from the study file to the report. It reads like the methods section of the paper.

Convention: every step is a door of one part; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rarefactor import analyse, cohort, derive, report, spec
from rarefactor.results import Analysed, Results, write_results
from rarefactor.work import (
    Cache,
    Logged,
    Progress,
    Silent,
    claim_folder,
    code_key,
    content_key,
    read_packed,
    remember,
    write_packed,
)

_CODE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A study whose data were read, and nothing analysed."""

    study: spec.Study
    cohort: cohort.Cohort
    table: derive.AnalysisTable


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """A step that a run would take; ``reused`` where its result is already known."""

    name: str
    detail: str
    reused: bool = False


def check(path: Path, *, progress: Progress | None = None) -> Checked:
    """Read everything that a study names and derive its tables, without analysing or writing anything.

    Raises
    ------
    StudyFileError, DataError
        The study cannot be read; every problem found is in the error.
    """
    progress = progress or Silent()
    study = spec.load(path)
    progress.start("Read the data")
    data = cohort.ingest(study)
    progress.finish("Read the data", f"{sum(table.frame.height for table in data.tables.values())} rows")
    progress.start("Derive outcome and factors")
    table = derive.build(study, data)
    progress.finish("Derive outcome and factors", f"{len(table.factors)} factors, {len(table.landmarks)} landmarks")
    return Checked(study=study, cohort=data, table=table)


def plan(path: Path) -> tuple[PlanStep, ...]:
    """Return what :func:`run` would do, without doing it: which analyses are known and which are to be made."""
    checked = check(path)
    cache = _cache(checked.study)
    analyses = analyse.tasks(checked.study, checked.table, code=code_key(_CODE))
    return (
        PlanStep(name="Read the data", detail=", ".join(item.path for item in checked.cohort.inputs)),
        PlanStep(name="Derive outcome and factors", detail=", ".join(checked.study.factors)),
        *(PlanStep(name=task.label, detail=task.detail, reused=cache.get(task.key) is not None) for task in analyses),
        PlanStep(name="Write the report", detail="report.html, report.docx, report.pdf, tables, figures, provenance"),
    )


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


def run(path: Path, out: Path, *, progress: Progress | None = None) -> Results:
    """Run a study from its file to its report in the folder ``out``.

    What is unchanged since an earlier run is reused. ``out`` holds the complete output or what it held before.

    Raises
    ------
    RarefactorError
        The study, the data or the output folder need mending; see :mod:`rarefactor.errors`.
    """
    log = Logged(progress or Silent())
    with claim_folder(out) as claim:
        checked = check(path, progress=log)
        cache = _cache(checked.study)
        results = analyse.run(checked.study, checked.table, cache=cache, code=code_key(_CODE), progress=log)
        files = {**_report(results, cache, log), "results.json": write_results(results)}
        crate = report.write_provenance(results, files, created=datetime.now(UTC))
        claim.write({**files, report.PROVENANCE: crate, "run.log": log.text().encode()})
    return results


def _report(results: Results, cache: Cache, progress: Progress) -> Mapping[str, bytes]:
    progress.start("Write the report")
    key = content_key("report", write_results(results), code_key(_CODE))
    files, reused = remember(cache, key, lambda: report.write_report(results), write=write_packed, read=read_packed)
    progress.finish("Write the report", f"{len(files)} files", reused=reused)
    return files


def _cache(study: spec.Study) -> Cache:
    return Cache(study.folder / ".rarefactor" / "cache")
