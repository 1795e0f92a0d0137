"""The door of this part: results in, risk models out, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rarefactor.derive import AnalysisTable
from rarefactor.errors import InputError
from rarefactor.predict._build import build_model, list_rows
from rarefactor.predict._file import FOLDER, parse_model, write_model
from rarefactor.results import Estimate, ModelInfo, Note, Results, RiskModel, write_results
from rarefactor.spec import Study
from rarefactor.work import Cache, Progress, Silent, content_key, remember

STEP = "Build the risk models"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModels:
    """The risk models of a study, their numbers as rows of ``results.json``, and why others do not exist."""

    models: tuple[RiskModel, ...] = ()
    rows: tuple[Estimate, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the models by their path in the output folder."""
        return {f"{FOLDER}/{model.name}.json": write_model(model) for model in self.models}


def build(
    study: Study,
    table: AnalysisTable,
    results: Results,
    *,
    cache: Cache | None = None,
    code: str = "",
    progress: Progress | None = None,
) -> RiskModels:
    """Return the risk model of every multivariable model of the study file.

    One that its data cannot carry is marked as for research only, with the reasons. ``code`` names the version of the
    program: a model of another is not reused.
    """
    progress = progress or Silent()
    if not results.models:
        return RiskModels()
    progress.start(STEP)
    known = write_results(results)
    models, rows, notes, reused = list[RiskModel](), list[Estimate](), list[Note](), list[bool]()
    for info in results.models:
        at = table.landmarks[info.landmark]
        key = content_key("risk model", code, info.name, known, at.measured.write_csv(), at.frame.write_csv())
        try:
            model, again = _remember(cache, key, partial(build_model, study, table, results, info))
        except InputError as error:
            notes.append(_note(info, error))
            continue
        models.append(model)
        rows.extend(list_rows(model, info))
        reused.append(again)
    allowed = sum(model.allowed for model in models)
    detail = f"{len(models)} models, {allowed} of them for use"
    progress.finish(STEP, detail, reused=bool(reused) and all(reused))
    return RiskModels(models=tuple(models), rows=tuple(rows), notes=tuple(notes))


def _remember(cache: Cache | None, key: str, compute: Callable[[], RiskModel]) -> tuple[RiskModel, bool]:
    if cache is None:
        return compute(), False
    return remember(cache, key, compute, write=write_model, read=partial(parse_model, file="the cache"))


def _note(info: ModelInfo, error: InputError) -> Note:
    reason = "; ".join(f"{problem.where} {problem.found}".strip() for problem in error.problems)
    text = f"There is no risk model “{info.label}” ({reason})."
    return Note(about="risk_model", landmark=info.landmark, model=info.name, text=text)
