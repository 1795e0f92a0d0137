"""A study as it stands now: which of its analyses are known, and the others done for someone who waits.

Convention: the same steps, keys and cache as :mod:`rarefactor.study`, so that a run finds what was done here and this
what a run did. Images are read by :func:`compute` only; see :mod:`rarefactor.stored` for what they gave.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from rarefactor import analyse, cohort, derive, imaging, pathology, predict, spec
from rarefactor.results import Measured, Results, RiskModel
from rarefactor.stored import has_images, key_images, read_stored
from rarefactor.study import open_cache, prepare
from rarefactor.work import (
    Cache,
    Progress,
    Silent,
    Workers,
    code_key,
)

_CODE = Path(__file__).parent


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
    sound: set[str] = field(default_factory=set[str], repr=False, compare=False)
    """The keys that were read and sound once; from then on it is enough that there is an entry."""

    @property
    def known(self) -> frozenset[str]:
        """The keys of the analyses whose results are known at this moment."""
        return frozenset(task.key for task in self.tasks if self._is_known(task.key))

    def _is_known(self, key: str) -> bool:
        if key in self.sound:
            return self.cache.holds(key)
        found = self.cache.get(key) is not None
        if found:
            self.sound.add(key)
        return found


def read_live(path: Path) -> Live:
    """Read a study and its data, and say which analyses it asks for; nothing is measured or analysed.

    Raises
    ------
    RarefactorError
        The study or its data need mending; see :mod:`rarefactor.errors`.
    """
    study = spec.load(path)
    measured = read_stored(open_cache(study), key_images(study, path)) if has_images(study) else ()
    return derive_live(study, cohort.ingest(study), measured)


def derive_live(
    study: spec.Study, data: cohort.Cohort, measured: tuple[Measured, ...] | None, *, sound: set[str] | None = None
) -> Live:
    """Derive the tables of a study whose data were read, and say which analyses it asks for; see :func:`read_live`.

    Parameters
    ----------
    study, data
        The study and its patients.
    measured
        What its images gave; None where they are still to be measured.
    sound
        The keys of analyses whose results are known to be sound, from an earlier look at the study.
    """
    table = derive.build(study, data, describe_images(study) if measured is None else measured)
    tasks = analyse.tasks(study, table, code=code_key(_CODE))
    return Live(
        study=study,
        cohort=data,
        cache=open_cache(study),
        table=table,
        tasks=tasks,
        measured=measured,
        sound=set() if sound is None else sound,
    )


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
        ready = prepare(path, workers=workers, progress=progress)
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


def describe_images(study: spec.Study) -> tuple[Measured, ...]:
    """Return what the images of a study will give, without a value."""
    return (imaging.describe(study), pathology.describe(study))
