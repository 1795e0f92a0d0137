"""Candidate factors: made of the variables of the data by choosing or dragging, and shown beside the study file.

Convention: a form is sent with the version of the study file that it was made from; it changes what it names and
nothing else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from rarefactor import derive, report
from rarefactor.derive import Counted, Variable, Variables
from rarefactor.errors import Problem, RarefactorError, StudyFileError
from rarefactor.spec import (
    Change,
    Drop,
    ExpressionError,
    Factor,
    Move,
    Put,
    Study,
    check_study,
    find_code,
    find_flag,
    parse_column,
)
from rarefactor.web._errors import WebError, unknown
from rarefactor.web._factor_form import (
    KINDS,
    FactorForm,
    fill_form,
    list_changes,
    place_errors,
    read_form,
    start_form,
)
from rarefactor.web._known import read_variables
from rarefactor.web._page import is_part, read_place, read_workspace, show
from rarefactor.web._saving import needs_mending, read_history, read_text, save_changes
from rarefactor.web._workspace import Place

router = APIRouter()

_TYPES = {"number": "number", "integer": "number", "choice": "choice", "yesno": "yes or no", "date": "date"}
_NUMBERS = {"number", "integer", "date", "datetime"}


async def read_fields(request: Request) -> FormData:
    """Return the fields of a form."""
    return await request.form()


Fields = Annotated[FormData, Depends(read_fields)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A variable in the list."""

    variable: Variable
    type: str
    known: str
    more: str
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A factor: what it is made of, how it is spread, where it is used."""

    name: str
    factor: Factor
    variable: Variable | None
    made: str
    models: tuple[str, ...]
    figure: str | None = None
    words: str = ""
    levels: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A study and its variables as a page sees them."""

    place: Place
    study: Study
    variables: Variables


@router.get("/studies/{study}/factors")
def show_factors(request: Request, study: str, edit: str = "", new: str = "", role: str = "marker") -> Response:
    """Return the page, with the form of the factor ``edit`` or of a new one from the variable ``new``."""
    place = read_place(request, study)
    if needs_mending(request, place):
        return RedirectResponse(f"{place.url}/file", status_code=303)
    seen = _see(request, study)
    form = None
    if edit:
        form = fill_form(seen.study, _known_name(seen, edit))
    elif new:
        form = start_form(_usable(seen, new), seen.study, role)
    return _show(request, seen, form)


@router.get("/studies/{study}/factors/spread")
def show_spread(request: Request, study: str) -> Response:
    """Return how the variable of a form that is being filled in is spread, with its cut."""
    seen, form = _see(request, study), read_form(request.query_params)
    variable = _usable(seen, form.variable)
    return show(request, "spread.html.j2", chosen=_choices(seen, variable, form))


@router.post("/studies/{study}/factors")
def save_factor(request: Request, study: str, fields: Fields) -> Response:
    """Save the form of a factor, or show it again with what is wrong at its fields."""
    seen, form = _see(request, study), read_form(fields)
    if form.old:
        _known_name(seen, form.old)
    elif form.name in seen.study.factors:
        taken = Problem(
            found=f"the name {form.name}, which a factor has", expected="a name of its own", next_step="Choose another."
        )
        return _show(request, seen, place_errors(form, [_at_name(taken, form)]), status=422)
    form = _as_written(seen, form)
    what = f"{'Changed' if form.old else 'Added'} the factor {form.name}"
    try:
        _save(request, seen, fields, list_changes(seen.study, form), what)
    except StudyFileError as error:
        return _show(request, seen, place_errors(form, error.problems), status=422)
    return _again(request, study)


@router.post("/studies/{study}/factors/remove")
def remove_factor(request: Request, study: str, fields: Fields) -> Response:
    """Take a factor out of the study, and out of whatever names it."""
    seen = _see(request, study)
    name = _known_name(seen, str(fields.get("name", "")))
    _save(request, seen, fields, [Drop(("factors", name))], f"Removed the factor {name}")
    return _again(request, study)


@router.post("/studies/{study}/factors/move")
def move_factor(request: Request, study: str, fields: Fields) -> Response:
    """Put a factor before or behind the one beside it that has its role."""
    seen = _see(request, study)
    name = _known_name(seen, str(fields.get("name", "")))
    order = list(seen.study.factors)
    alike = [each for each in order if seen.study.factors[each].role == seen.study.factors[name].role]
    at = alike.index(name) + (-1 if fields.get("way") == "up" else 1)
    if 0 <= at < len(alike):
        _save(request, seen, fields, [Move(("factors", name), order.index(alike[at]))], f"Moved the factor {name}")
    return _again(request, study)


@router.post("/studies/{study}/factors/role")
def give_role(request: Request, study: str, fields: Fields) -> Response:
    """Make a factor a marker or an adjuster."""
    seen = _see(request, study)
    name = _known_name(seen, str(fields.get("name", "")))
    role = "adjuster" if fields.get("role") == "adjuster" else "marker"
    if role != seen.study.factors[name].role:
        _save(
            request,
            seen,
            fields,
            [Put(("factors", name, "role"), role)],
            f"Made {name} a{'n' * (role[0] == 'a')} {role}",
        )
    return _again(request, study)


def _see(request: Request, study: str) -> Seen:
    place = read_place(request, study)
    loaded = read_workspace(request).loaded(place)
    return Seen(place=place, study=loaded, variables=read_variables(read_workspace(request), place, loaded))


def _known_name(seen: Seen, name: str) -> str:
    if name not in seen.study.factors:
        raise unknown("factor of this name")
    return name


def _usable(seen: Seen, text: str) -> Variable:
    found = seen.variables.find(text)
    if found is None:
        raise unknown("variable of this name")
    if found.why_not:
        step = "Give it its type in the dictionary or under cohort.fields: choice with its choices, number or yesno."
        problem = Problem(found=f"{text}, {found.why_not}", expected="a number, a choice or yes or no", next_step=step)
        raise WebError(problem)
    return found


def _as_written(seen: Seen, form: FactorForm) -> FactorForm:
    """Return the form with its levels as the file names them, where they are the same ones."""
    factor = seen.study.factors.get(form.old)
    if factor and _resolve(seen, form.variable, form.equals) == _resolve(seen, factor.column, factor.equals):
        return replace(form, equals=factor.equals)
    return form


def _resolve(seen: Seen, text: str, values: Iterable[str]) -> frozenset[str]:
    """Return the levels as the page shows them, whatever way they are named."""
    variable = seen.variables.find(text)
    if variable is None or variable.type not in {"choice", "yesno"}:
        return frozenset(values)
    described = seen.variables.values.field(parse_column(text))
    try:
        if variable.type == "yesno":
            return frozenset("yes" if find_flag(value) else "no" for value in values)
        return frozenset(described.choices[find_code(described, value)] for value in values)
    except ExpressionError:
        return frozenset(values)


def _at_name(problem: Problem, form: FactorForm) -> Problem:
    return Problem(
        key=f"factors.{form.name}", found=problem.found, expected=problem.expected, next_step=problem.next_step
    )


def _save(request: Request, seen: Seen, fields: FormData, changes: list[Change], what: str) -> None:
    """Save changes after which the study fits its data no worse than before."""
    if not changes:
        return
    before = {problem.key for problem in _misfits(seen.study, seen.variables)}

    def check(study: Study) -> None:
        new = [problem for problem in _misfits(study, seen.variables) if problem.key not in before]
        if new:
            raise StudyFileError(*new)

    save_changes(request, seen.place, str(fields.get("version", "")), changes, what=what, check=check)


def _misfits(study: Study, variables: Variables) -> tuple[Problem, ...]:
    try:
        check_study(study, variables.scope)
    except RarefactorError as error:
        return error.problems
    return ()


def _again(request: Request, study: str) -> Response:
    """Return the changed part to htmx, anyone else to the page."""
    if is_part(request):
        return _show(request, _see(request, study), None)
    return RedirectResponse(f"{read_place(request, study).url}/factors", status_code=303)


def _show(request: Request, seen: Seen, form: FactorForm | None, *, status: int = 200) -> Response:
    history = read_history(seen.place)
    variable = seen.variables.find(form.variable) if form else None
    return show(
        request,
        "factors.html.j2",
        place=seen.place,
        page="factors",
        block="work" if is_part(request) else None,
        status=status if not is_part(request) else 200,
        study=seen.study,
        variables=[_list(item, seen) for item in seen.variables.items if item.type != "id"],
        roles={role: [_card(seen, name) for name in _of_role(seen.study, role)] for role in ("marker", "adjuster")},
        form=form,
        part=is_part(request),
        chosen=_choices(seen, variable, form) if form else {},
        misfits=_misfits(seen.study, seen.variables),
        visits=_visits(seen.study),
        text=_excerpt(read_text(seen.place)),
        last=history.versions[-1:],
        undoable=history.undoable,
        redoable=history.redoable,
    )


def _of_role(study: Study, role: str) -> list[str]:
    return [name for name, factor in study.factors.items() if factor.role == role]


def _visits(study: Study) -> Mapping[str, str]:
    return {name: visit.label or name.replace("_", " ") for name, visit in study.cohort.visits.items()}


def _list(variable: Variable, seen: Seen) -> Listed:
    n, known, visits = seen.variables.n, variable.known, _visits(seen.study)
    if known is None:
        told, share = ("not measured yet" if variable.origin == "images" else ""), None
    else:
        first = next(iter(known.values()), 0)
        at = next(iter(known), "")
        told, share = f"{first} of {n}" + (f" at {visits[at]}" if at else ""), first / n if n else 0.0
    more = ", ".join(f"{visits[visit]} {count}" for visit, count in (known or {}).items() if visit)
    return Listed(variable=variable, type=_TYPES.get(variable.type, variable.type), known=told, more=more, share=share)


def _choices(seen: Seen, variable: Variable | None, form: FactorForm) -> Mapping[str, Any]:
    """Return what the form offers for a variable."""
    kind = variable.type if variable else "number"
    levels = {"choice": variable.levels if variable else (), "yesno": ("yes", "no")}.get(kind, ())
    by_visit = variable is not None and variable.known is not None and "" not in variable.known
    several = (by_visit or variable is None or variable.known is None) and len(seen.study.cohort.visits) > 1
    kinds = (
        ["value", "equals"] if levels else ["value", "cut", *(("change_between", "rate_between") if several else ())]
    )
    at = form.measured_at or next(iter(seen.study.cohort.visits))
    counted = derive.count_variable(seen.variables, form.variable, at) if variable else None
    cut = f"{form.comparison} {form.threshold.replace(',', '.')}" if form.kind == "cut" else ""
    return {
        "variable": variable,
        "levels": levels,
        "ticked": _resolve(seen, form.variable, form.equals),
        "kinds": {each: KINDS[each] for each in kinds},
        "reference": kind == "choice",
        "numeric": kind in _NUMBERS,
        "figure": _figure(counted, cut or None),
        "beyond": derive.count_beyond(seen.variables, form.variable, at, cut),
        "words": _words(counted, variable),
        "counts": _levels(counted),
    }


def _card(seen: Seen, name: str) -> Card:
    factor = seen.study.factors[name]
    variable = seen.variables.find(factor.column)
    counted = derive.count_factor(seen.variables, seen.study, name)
    spread = counted
    if factor.cut and variable:
        spread = derive.count_variable(seen.variables, factor.column, factor.measured_at)
    return Card(
        name=name,
        factor=factor,
        variable=variable,
        made=_made(factor, _visits(seen.study)),
        models=tuple(model for model, each in seen.study.analysis.models.items() if name in each.factors),
        figure=_figure(spread, factor.cut),
        words=_words(spread, variable) if not (factor.rate_between or factor.change_between) else _words(spread, None),
        levels=_levels(counted),
    )


def _made(factor: Factor, visits: Mapping[str, str]) -> str:
    names = [visits.get(visit, visit) for visit in factor.visits]
    if factor.equals:
        return f"{' or '.join(factor.equals)}, at {names[0]}"
    if factor.cut:
        return f"{factor.cut.replace('<=', '≤').replace('>=', '≥')}, at {names[0]}"
    if len(names) == 2:
        return f"{'rate' if factor.rate_between else 'change'} from {names[0]} to {names[1]}"
    return f"at {names[0]}"


def _figure(counted: Counted | None, cut: str | None) -> str | None:
    if counted is None or not counted.counts:
        return None
    return f"data:image/svg+xml;base64,{b64encode(report.draw_bars(counted.edges, counted.counts, cut)).decode()}"


def _words(counted: Counted | None, variable: Variable | None) -> str:
    if counted is None:
        return "Counted once the images are measured." if variable and variable.origin == "images" else ""
    known = f"Known in {report.describe_known(counted.n, counted.missing)}"
    if not counted.quartiles:
        return f"{known}."
    return f"{known}: {report.describe_spread(counted.quartiles, variable.unit if variable else None)}."


def _levels(counted: Counted | None) -> tuple[tuple[str, int, float], ...]:
    if counted is None or not counted.n:
        return ()
    return tuple((level, n, n / counted.n) for level, n in counted.levels)


def _excerpt(text: str) -> tuple[tuple[int, str], ...]:
    """Return the lines of factors and analysis, with their numbers."""
    return tuple(line for key in ("factors", "analysis") for line in _section(text, key))


def _section(text: str, key: str) -> Iterator[tuple[int, str]]:
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1].strip() and not line.startswith("#"):
            inside = line.startswith(f"{key}:")
        if inside:
            yield number, line
