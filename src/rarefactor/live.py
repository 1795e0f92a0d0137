"""A study as it stands now: which of its analyses are known, and the others done for someone who waits.

Convention: the same steps, keys and cache as :mod:`rarefactor.study`, so that a run finds what was done here and this
what a run did. Images are read by :func:`compute` only; what they gave is kept under the times and sizes of the files,
and is not known as soon as one of them changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rarefactor import analyse, cohort, derive, imaging, pathology, predict, spec
from rarefactor.results import Measured, Results, RiskModel, read_measured, write_measured
from rarefactor.study import open_cache, prepare
from rarefactor.work import (
    MANIFEST,
    Cache,
    Progress,
    Silent,
    Workers,
    code_key,
    content_key,
    read_packed,
    write_packed,
)

_CODE = Path(__file__).parent
_MEASURING = ("imaging", "pathology", "readings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A study, its data and tables, and the analyses that it asks for.

    ``measured`` is None where images are still to be measured: factors that come from them have no values then.
    """

    study: spec.Study
    cohort: cohort.Cohort
    cache: Cache
    table: derive.AnalysisTable
    tasks: tuple[analyse.Task, ...]
    measured: tuple[Measured, ...] | None

    @property
    def known(self) -> frozenset[str]:
        """The keys of the analyses whose results are known at this moment."""
        return frozenset(task.key for task in self.tasks if self.cache.get(task.key) is not None)


def read_live(path: Path) -> Live:
    """Read a study and its data, and say which analyses it asks for; nothing is measured or analysed.

    Raises
    ------
    RarefactorError
        The study or its data need mending; see :mod:`rarefactor.errors`.
    """
    study = spec.load(path)
    cache, data = open_cache(study), cohort.ingest(study)
    measured = _read_stored(study, path, cache)
    table = derive.build(study, data, _describe(study) if measured is None else measured)
    tasks = analyse.tasks(study, table, code=code_key(_CODE))
    return Live(study=study, cohort=data, cache=cache, table=table, tasks=tasks, measured=measured)


def compute(path: Path, *, workers: Workers | None = None, progress: Progress | None = None) -> None:
    """Do what a study still asks for: measure its images, then its analyses, those that take longest at the end.

    Each result is kept as it is done. Nothing is written but the cache.

    Raises
    ------
    RarefactorError
        The study or its data need mending; see :mod:`rarefactor.errors`.
    """
    progress = progress or Silent()
    live = read_live(path)
    if live.measured is None:
        key = _key_images(live.study, path)
        ready = prepare(path, workers=workers, progress=progress)
        live.cache.put(key, write_packed(write_measured(ready.measured)))
        live = replace(live, tasks=analyse.tasks(ready.study, ready.table, code=code_key(_CODE)))
    analyse.run_shortest_first(live.tasks, cache=live.cache, workers=workers, progress=progress)


def collect_results(live: Live) -> Results:
    """Return the results of the analyses that are known, with what was counted in images."""
    results = analyse.collect(live.study, live.table, live.tasks, cache=live.cache)
    seen = tuple(row for each in live.measured or () for row in each.rows)
    return replace(results, rows=(*seen, *results.rows))


def build_models(live: Live, results: Results) -> predict.RiskModels:
    """Return the risk models of those models whose performance is known."""
    validated = {row.model for row in results.select(analysis="performance")}
    models = tuple(model for model in results.models if model.name in validated)
    rows = tuple(row for row in results.rows if row.analysis in {"performance", "multivariable"})
    asked = replace(results, models=models, rows=rows, notes=())
    return predict.build(live.study, live.table, asked, cache=live.cache, code=code_key(_CODE))


def with_models(results: Results, risk: predict.RiskModels) -> Results:
    """Return results with the numbers of risk models."""
    return replace(results, rows=(*results.rows, *risk.rows), notes=(*results.notes, *risk.notes))


def trace_number(live: Live, results: Results, address: str) -> Results:
    """Return results in which the number of this address, and no other, knows its patients and images."""
    tables = [table for each in live.measured or () for table in each.tables]
    rows = tuple(row for row in results.rows if row.id == address)
    return analyse.trace_results(live.study, live.table, replace(results, rows=rows), tables)


def find_model(risk: predict.RiskModels, name: str) -> RiskModel | None:
    """Return the risk model of a name."""
    return next((model for model in risk.models if model.name == name), None)


def _describe(study: spec.Study) -> tuple[Measured, ...]:
    return (imaging.describe(study), pathology.describe(study))


def sign_images(study: spec.Study, path: Path) -> str:
    """Return what changes when the images of a study change, and when they have been measured."""
    if not (study.imaging or study.pathology):
        return ""
    key = _key_images(study, path)
    return f"{key} {open_cache(study).get(key) is not None}"


def read_images(study: spec.Study, path: Path) -> tuple[Measured, ...]:
    """Return what the images of a study gave, or what they will give where they are still to be measured."""
    stored = _read_stored(study, path, open_cache(study))
    return _describe(study) if stored is None else stored


def _read_stored(study: spec.Study, path: Path, cache: Cache) -> tuple[Measured, ...] | None:
    """Return what the images gave, nothing where the study has none, None where they are still to be measured."""
    if not (study.imaging or study.pathology):
        return ()
    stored = cache.get(_key_images(study, path))
    return None if stored is None else read_measured(read_packed(stored))


def _key_images(study: spec.Study, path: Path) -> str:
    """Return the key of what images give: how they are measured, and every file that they may be measured from.

    Visits and records count too: a rate needs the days of its scans, and a file is filed under a patient's id.
    """
    asked = study.model_dump(mode="json", include={"imaging", "pathology", "cohort"})
    code = [code_key(_CODE / name) for name in _MEASURING]
    sources = (*study.imaging.values(), *study.pathology.values())
    folders = dict.fromkeys([study.folder, *(study.folder / each.folder for each in sources if each.folder)])
    files = [line for folder in folders for line in _list_files(str(folder)) if line[0] != str(path)]
    return content_key("images", code, asked, files)


def _list_files(folder: str) -> Iterator[list[str | int]]:
    """Give path, time and size of each file below a folder, in order, but for hidden ones and finished outputs."""
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            stat = entry.stat()
            yield [entry.path, stat.st_mtime_ns, stat.st_size]
        elif not Path(entry.path, MANIFEST).exists():
            yield from _list_files(entry.path)
