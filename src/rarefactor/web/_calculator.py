"""The risk calculator: what a model asks for, the risk of one patient with its interval, or why there is none.

Convention: nothing that is typed here is kept or logged. A model for research only answers when it is asked for
research, and each answer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rarefactor import live, predict, report
from rarefactor.errors import InputError, Problem
from rarefactor.predict import PatientRisk, RiskModels
from rarefactor.results import RiskFactor, RiskModel
from rarefactor.web._errors import unknown
from rarefactor.web._page import is_part, read_place, read_workspace, show
from rarefactor.web._results import read_models, read_results
from rarefactor.web._workspace import Place

router = APIRouter(prefix="/studies/{study}/calculator")

_PAGE = "calculator.html.j2"
_SIGNS = {"<=": "≤", ">=": "≥"}
_RESEARCH = "research"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A field of the form: what is asked for under which name, what was given, and what is wrong with that."""

    factor: RiskFactor
    name: str
    hint: str
    levels: tuple[str, ...]
    given: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The fields as they were given, and the risk where all could be read and the model may answer."""

    fields: tuple[Asked, ...]
    risk: PatientRisk | None = None
    others: tuple[Problem, ...] = ()
    research: bool = False
    refused: bool = False


@router.get("")
def show_calculators(request: Request, study: str) -> Response:
    """Return the page of the first model, or say what is to be computed first."""
    place = read_place(request, study)
    risk = _models(request, place)
    first = next((model for model in risk.models if model.allowed), next(iter(risk.models), None))
    if first is None:
        return show(request, _PAGE, place=place, page="calculator", risk=risk, model=None)
    return _show(request, place, risk, first, Answer(fields=_ask(first, {})))


@router.get("/{name}")
def show_calculator(request: Request, study: str, name: str) -> Response:
    """Return the page of one model."""
    place = read_place(request, study)
    risk = _models(request, place)
    model = _model(risk, name)
    return _show(request, place, risk, model, Answer(fields=_ask(model, {})))


@router.post("/{name}")
async def compute(request: Request, study: str, name: str) -> Response:
    """Return the risk of one patient; what was typed is answered and forgotten."""
    place, form = read_place(request, study), await request.form()
    risk = _models(request, place)
    model = _model(risk, name)
    given = {key: str(value) for key, value in form.items() if key in predict.known_names(model)}
    answer = _answer(model, given, research=_RESEARCH in form)
    block = "answered" if is_part(request) else None
    return _show(request, place, risk, model, answer, block=block)


@router.get("/{name}/nomogram.svg")
def show_nomogram(request: Request, study: str, name: str, *, dark: bool = False) -> Response:
    """Return the nomogram of a model."""
    place = read_place(request, study)
    model = _model(_models(request, place), name)
    key = f"{model.intercept} {[term.shrunken for term in model.terms]} {model.label}"
    what = f"nomogram {name}"
    svg = read_workspace(request).remember(place, what, lambda: report.draw_model(model), signature=key)
    return Response(report.darken(svg) if dark else svg, media_type="image/svg+xml")


def _show(
    request: Request,
    place: Place,
    risk: RiskModels,
    model: RiskModel,
    answer: Answer,
    *,
    block: str | None = None,
) -> Response:
    page = "calculator"
    return show(request, _PAGE, place=place, page=page, block=block, risk=risk, model=model, answer=answer)


def _answer(model: RiskModel, given: Mapping[str, str], *, research: bool) -> Answer:
    if not (model.allowed or research):
        return Answer(fields=_ask(model, given), refused=True)
    try:
        risk = predict.compute_risk(model, given, research=research)
        return Answer(fields=_ask(model, given), risk=risk, research=research)
    except InputError as error:
        wrong = {problem.column or problem.key: problem for problem in error.problems}
        fields = _ask(model, given, wrong)
        placed = {field.problem for field in fields}
        others = tuple(each for each in error.problems if each not in placed)
        return Answer(fields=fields, others=others, research=research)


def _ask(
    model: RiskModel, given: Mapping[str, str], wrong: Mapping[str | None, Problem] | None = None
) -> tuple[Asked, ...]:
    return tuple(_field(factor, given, wrong or {}) for factor in model.factors)


def _field(factor: RiskFactor, given: Mapping[str, str], wrong: Mapping[str | None, Problem]) -> Asked:
    """Return the field of a factor; one that is a number cut in two is asked for as the number."""
    alias = factor.alias
    cut = alias if alias and alias.rule == "cut" else None
    name = cut.name if cut else factor.name
    low, high = (cut.low, cut.high) if cut else (factor.low, factor.high)
    unit = f" {factor.unit}" if factor.unit else ""
    seen = "" if low is None or high is None else f"{low:g} to {high:g}{unit} in the middle 90% of the patients"
    rule = f"{name} {_SIGNS.get(cut.comparison, cut.comparison)} {cut.threshold:g}{unit} counts as yes. " if cut else ""
    rare = f"Few patients had: {', '.join(factor.rare)}." if factor.rare and not cut else ""
    return Asked(
        factor=factor,
        name=name,
        hint=" ".join(part for part in (rule + (f"{seen[:1].upper()}{seen[1:]}." if seen else ""), rare) if part),
        levels=() if cut else factor.levels,
        given=given.get(name, ""),
        problem=wrong.get(name),
    )


def _model(risk: RiskModels, name: str) -> RiskModel:
    model = live.find_model(risk, name)
    if model is None:
        raise unknown("risk model of this name that is known")
    return model


def _models(request: Request, place: Place) -> RiskModels:
    workspace = read_workspace(request)
    return read_models(workspace, place, read_results(workspace, place))
