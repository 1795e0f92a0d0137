"""The door of this part: the study and its tables in, results out."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import polars as pl

from rarefactor import __version__
from rarefactor.analyse._cuts import analyse_cuts, list_cut
from rarefactor.analyse._evidence import analyse_evidence
from rarefactor.analyse._imputation import describe_imputation, needs_imputation
from rarefactor.analyse._later import plan_later
from rarefactor.analyse._missing import describe_missing
from rarefactor.analyse._multivariable import analyse_multivariable
from rarefactor.analyse._performance import analyse_performance
from rarefactor.analyse._selection import analyse_classical
from rarefactor.analyse._sensitivity import analyse_sensitivity
from rarefactor.analyse._simulated import Question, analyse_design
from rarefactor.analyse._table1 import describe_table1
from rarefactor.analyse._univariable import analyse_univariable
from rarefactor.derive import AnalysisTable, LandmarkTable
from rarefactor.errors import AnalysisError, InputError, Problem
from rarefactor.results import (
    Analysed,
    FactorInfo,
    ModelInfo,
    Note,
    Results,
    read_analysed,
    write_analysed,
)
from rarefactor.spec import Study
from rarefactor.work import Cache, Job, Progress, Silent, Workers, content_key, do_jobs

_SOFTWARE = ("numpy", "scipy", "polars", "matplotlib", "typst", "python-docx")
_COSTS = {"Design of": 4, "Performance of": 4, "Selection by": 3, "Sensitivity of": 2, "Course of": 1}
_PARTS = {
    "Describe": "table1",
    "Missing values": "missing",
    "One factor": "univariable",
    "Model": "multivariable",
    "Imputation": "imputation",
    "Performance of": "performance",
    "Selection by": "selection",
    "Sensitivity of": "sensitivity",
    "Other cut-points": "sensitivity",
    "Design of": "design",
    "Published": "evidence",
    "Outcome at": "response",
    "Response by": "response",
    "Images": "images",
    "Follow-up to": "survival",
    "Cox model": "survival",
    "Course of": "longitudinal",
    "Error of": "longitudinal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One analysis: its words for a progress bar, its key by content, and the function that does it."""

    label: str
    detail: str
    key: str
    compute: Callable[[], Analysed]

    @property
    def cost(self) -> int:
        """How long it takes beside the others, roughly: the longest are best begun first."""
        return next((cost for name, cost in _COSTS.items() if self.label.startswith(name)), 0)

    @property
    def part(self) -> str:
        """The part of the results that it belongs to, such as ``univariable``."""
        return next(part for name, part in _PARTS.items() if self.label.startswith(name))


def tasks(study: Study, table: AnalysisTable, *, code: str) -> tuple[Task, ...]:
    """Return the analyses of a study in the order of the report; nothing is computed yet.

    ``code`` names the version of the program: results of another are not reused.

    Raises
    ------
    AnalysisError
        At a landmark nobody, or everybody, has the outcome.
    """
    _check_outcome(study, table)
    return tuple(_tasks(study, table, code))


def run(
    study: Study,
    table: AnalysisTable,
    *,
    cache: Cache,
    code: str,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> Results:
    """Return the results of all analyses of a study, each computed or, where nothing changed, reused.

    Whoever the ``workers`` are, the results are the same; one process does the work where none are named.

    Raises
    ------
    AnalysisError
        At a landmark nobody, or everybody, has the outcome.
    """
    asked = tasks(study, table, code=code)
    found = _do(asked, cache, workers or Workers(), progress or Silent(), sorted(asked, key=lambda task: -task.cost))
    return _results(study, table, found)


def run_shortest_first(
    asked: Sequence[Task], *, cache: Cache, workers: Workers | None = None, progress: Progress | None = None
) -> None:
    """Do the analyses for someone who waits: each is in the cache as it is done, those that take longest come last."""
    _do(asked, cache, workers or Workers(), progress or Silent(), sorted(asked, key=lambda task: task.cost))


def collect(study: Study, table: AnalysisTable, asked: Iterable[Task], *, cache: Cache) -> Results:
    """Return the results of those of the analyses that the cache holds; nothing is computed."""
    stored = (cache.get(task.key) for task in asked)
    return _results(study, table, [read_analysed(data) for data in stored if data is not None])


def _results(study: Study, table: AnalysisTable, found: Sequence[Analysed]) -> Results:
    sources = tuple(item.id for item in table.inputs)
    return Results(
        study={"file": study.model_dump(mode="json", by_alias=True)},
        flow=table.flow,
        rows=tuple(dataclasses.replace(row, source=sources) for analysed in found for row in analysed.rows),
        notes=(*table.notes, *_lost_to_follow_up(table), *(note for analysed in found for note in analysed.notes)),
        factors=table.factors,
        models=_models(study),
        inputs=table.inputs,
        software=_software(),
        quantities={name: each for made in (*table.responses, *table.images) for name, each in made.quantities.items()},
    )


def _do(
    asked: Sequence[Task], cache: Cache, workers: Workers, progress: Progress, order: Sequence[Task]
) -> tuple[Analysed, ...]:
    """Do the analyses in an order of their own, and return what they found in the order of the report."""
    jobs = [Job(key=task.key, function=_write, arguments=(task.compute,)) for task in order]
    waiting = [task for task in order if cache.get(task.key) is None]
    for task in waiting[: workers.processes]:
        progress.start(task.label)
    upcoming = iter(waiting[workers.processes :])
    found: dict[str, Analysed] = {}
    for place, done in do_jobs(jobs, cache=cache, workers=workers):
        task = order[place]
        found[task.key] = read_analysed(done.data)
        progress.finish(task.label, task.detail, reused=done.reused)
        following = None if done.reused else next(upcoming, None)
        if following:
            progress.start(following.label)
    return tuple(found[task.key] for task in asked)


def _write(compute: Callable[[], Analysed]) -> bytes:
    return write_analysed(compute())


def _tasks(study: Study, table: AnalysisTable, code: str) -> Iterator[Task]:
    level = study.analysis.level
    infos = {info.name: info for info in table.factors}
    known = {name: [infos[factor] for factor in at.factors] for name, at in table.landmarks.items()}
    yield from _descriptions(table, known, code, level)
    for landmark, at in table.landmarks.items():
        yield _task("Missing values", landmark, partial(describe_missing, at), at, known[landmark], [code])
    for landmark, at in table.landmarks.items():
        work = partial(analyse_univariable, at, known[landmark], level=level)
        yield _task("One factor at a time", landmark, work, at, known[landmark], [code, level])
    for model in _models(study):
        factors = [infos[name] for name in model.factors]
        at = table.landmarks[model.landmark]
        work = partial(analyse_multivariable, at, factors, model, study.analysis)
        key = [code, dataclasses.asdict(model), _dump_settings(study), at.measured.write_csv()]
        yield _task(f"Model {model.label}", model.landmark, work, at, factors, key)
    yield from _doubt_tasks(study, table, code)
    for later in plan_later(study, table):
        key = content_key(later.label, code, *later.content)
        yield Task(label=later.label, detail=later.detail, key=key, compute=later.compute)
    for landmark, at in table.landmarks.items():
        work = partial(describe_imputation, at, known[landmark], study.analysis.missing, seed=study.analysis.seed)
        key = [code, study.analysis.missing.model_dump(), study.analysis.seed, at.measured.write_csv()]
        if needs_imputation(at, (model for model in _models(study) if model.landmark == landmark)):
            yield _task("Imputation", landmark, work, at, known[landmark], key)
    yield from _validations(study, table, infos, code)


def _descriptions(
    table: AnalysisTable, known: Mapping[str, Sequence[FactorInfo]], code: str, level: float
) -> Iterator[Task]:
    """Describe the patients of each landmark by the factors that are first known there."""
    told: set[str] = set()
    for landmark, at in table.landmarks.items():
        new = [info for info in known[landmark] if info.name not in told]
        told |= {info.name for info in new}
        if new:
            work = partial(describe_table1, at, new, level=level)
            yield _task("Describe the patients", landmark, work, at, new, [code, level])


def _validations(study: Study, table: AnalysisTable, infos: Mapping[str, FactorInfo], code: str) -> Iterator[Task]:
    """How well the models predict, and how unstable a choice of factors by their P values would be."""
    settings = _dump_settings(study)
    for model in _models(study):
        factors, at = [infos[name] for name in model.factors], table.landmarks[model.landmark]
        work = partial(analyse_performance, at, factors, model, study.analysis)
        key = [code, dataclasses.asdict(model), settings, at.measured.write_csv()]
        yield _task(f"Performance of {model.label}", model.landmark, work, at, factors, key)
    for landmark, at in table.landmarks.items() if study.analysis.resamples else ():
        factors = [infos[name] for name in at.factors]
        work = partial(analyse_classical, at, factors, study.analysis)
        yield _task("Selection by P values", landmark, work, at, factors, [code, settings, at.measured.write_csv()])


def _doubt_tasks(study: Study, table: AnalysisTable, code: str) -> Iterator[Task]:
    """Yield what asks how far the results carry: sensitivity, cut-points, published evidence, and the design."""
    infos = {info.name: info for info in table.factors}
    settings, dumped = study.analysis, _dump_settings(study)
    coupled = sorted({note.factor for note in table.notes if note.about == "coupling" and note.factor})
    for model in _models(study):
        factors, at = [infos[name] for name in model.factors], table.landmarks[model.landmark]
        key = [code, dataclasses.asdict(model), dumped, at.measured.write_csv()]
        work = partial(analyse_sensitivity, at, factors, model, settings, coupled=coupled)
        named = [*key, coupled, at.frame["subject"].to_list()]  # the most influential patients are named
        yield _task(f"Sensitivity of {model.label}", model.landmark, work, at, factors, named)
        work = partial(analyse_design, at, factors, model, _question(study))
        yield _task(f"Design of {model.label}", model.landmark, work, at, factors, key)
    for landmark, at in table.landmarks.items():
        cut = list_cut(at, [infos[name] for name in at.factors])
        work = partial(analyse_cuts, at, cut, settings)
        if cut:
            yield _task("Other cut-points", landmark, work, at, cut, [code, dumped, at.measured.write_csv()])
    if study.evidence:
        first = settings.landmarks[0]
        published = [item.model_dump(mode="json") for item in study.evidence]
        models = [dataclasses.asdict(model) for model in _models(study)]
        work = partial(analyse_evidence, table.landmarks, infos, _models(study), (study.evidence, settings))
        contents = [at.measured.write_csv() + at.frame.write_csv() for at in table.landmarks.values()]
        key = [code, dumped, models, published, contents]
        yield _task("Published evidence", first, work, table.landmarks[first], [], key)


def _dump_settings(study: Study) -> Mapping[str, object]:
    """Return what all analyses share; the models are left out, so that a change of one leaves what the others gave."""
    return study.analysis.model_dump(mode="json", exclude={"models"})


def _question(study: Study) -> Question:
    plan, settings = study.analysis.design, study.analysis
    return Question(data_sets=plan.data_sets, odds_ratios=plan.odds_ratios, level=settings.level, seed=settings.seed)


def simulate(
    study: Study,
    table: AnalysisTable,
    *,
    data_sets: int | None = None,
    odds_ratios: Mapping[str, float] | None = None,
    n: int | None = None,
) -> Mapping[str, Analysed]:
    """Return, for each model, what a study of its size could find; see the keys of ``analysis.design``.

    ``odds_ratios`` holds true odds ratios by factor, which then hold at once; ``n`` is another number of patients.

    Raises
    ------
    InputError
        A factor of ``odds_ratios`` is in no model.
    """
    infos = {info.name: info for info in table.factors}
    given = odds_ratios or {}
    question = dataclasses.replace(_question(study), given=given, n=n)
    question = dataclasses.replace(question, data_sets=data_sets or question.data_sets)
    models = _models(study)
    chosen = [model for model in models if set(given) <= set(model.factors)]
    if not chosen:
        known = dict.fromkeys(name for model in models for name in model.factors)
        found = f"no model with {', '.join(given)}" if models else "no model"
        expected = f"factors of one model, of {', '.join(known)}" if models else "a model in analysis.models"
        raise InputError(Problem(found=found, expected=expected, next_step="Correct the names, or add a model."))
    return {
        model.name: analyse_design(
            table.landmarks[model.landmark], [infos[name] for name in model.factors], model, question
        )
        for model in chosen
    }


def _task(
    label: str,
    landmark: str,
    work: Callable[[], Analysed],
    table: LandmarkTable,
    factors: Iterable[FactorInfo],
    key: Sequence[object],
) -> Task:
    infos = list(factors)
    columns = table.frame.select("outcome", *(info.name for info in infos))
    described: list[Mapping[str, object]] = [dataclasses.asdict(info) for info in infos]
    content = content_key(label, landmark, columns.write_csv(), described, *key)
    detail = f"{landmark.replace('_', ' ')}, {len(infos)} {'factor' if len(infos) == 1 else 'factors'}"
    return Task(label=f"{label} at {landmark.replace('_', ' ')}", detail=detail, key=content, compute=work)


def _models(study: Study) -> tuple[ModelInfo, ...]:
    return tuple(
        ModelInfo(
            name=name,
            label=model.label or name.replace("_", " "),
            landmark=study.landmark_of(model),
            factors=model.factors,
        )
        for name, model in study.analysis.models.items()
    )


def _check_outcome(study: Study, table: AnalysisTable) -> None:
    problems: list[Problem] = []
    for landmark, at in table.landmarks.items():
        known = at.frame["outcome"].drop_nulls()
        if known.n_unique() < 2:
            problems.append(_one_class(study, landmark, known))
    if problems:
        raise AnalysisError(*problems)


def _one_class(study: Study, landmark: str, known: pl.Series) -> Problem:
    events = int(known.sum())
    return study.problem(
        "outcome",
        study.outcome_name,
        "when",
        found=f"an outcome with one class at {landmark}: {events} of {known.len()} patients have it",
        expected="patients with and patients without the outcome",
        next_step="Check the expression and the visit against the data (rarefactor check shows the flow).",
    )


def _lost_to_follow_up(table: AnalysisTable) -> Iterator[Note]:
    """Say at each landmark how many patients have no outcome: what they would change is not known."""
    for step in table.flow:
        lost = sum(item.n for item in step.excluded)
        if step.id.startswith("outcome/") and lost:
            text = f"{lost} of {lost + step.n} patients have no outcome and are not in the analysis."
            yield Note(about="outcome", landmark=step.landmark, text=text)


def _software() -> dict[str, str]:
    return {
        "rarefactor": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in _SOFTWARE},
    }
