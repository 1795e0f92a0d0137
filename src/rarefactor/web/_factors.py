"""Candidate factors: made of the variables of the data by choosing or dragging, and shown beside the study file.

Convention: a form is sent with the version of the study file that it was made from; it changes what it names and
nothing else. The page is made of parts with an id: what htmx asks for are those that are no longer as the page shows
them, each in the place of the one with its id; all of them where the page shows another version of the study file.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from rarefactor import derive
from rarefactor.derive import Variable, Variables
from rarefactor.errors import Problem, RarefactorError, StudyFileError
from rarefactor.spec import (
    Change,
    Drop,
    ExpressionError,
    Move,
    Put,
    Study,
    check_study,
    find_code,
    find_flag,
    parse_column,
)
from rarefactor.web._errors import WebError, unknown
from rarefactor.web._factor_cards import (
    Kept,
    describe_spread,
    find_card,
    list_models,
    list_names,
)
from rarefactor.web._factor_form import (
    KINDS,
    FactorForm,
    fill_form,
    list_changes,
    place_errors,
    read_form,
    start_form,
)
from rarefactor.web._known import has_same_data, read_variables
from rarefactor.web._page import is_part, name_visits, read_place, read_user, read_workspace, show
from rarefactor.web._saving import needs_mending, read_history, read_text, save_changes
from rarefactor.web._signature import look_once
from rarefactor.web._workspace import Place

router = APIRouter()

_NUMBERS = {"number", "integer", "date", "datetime"}


async def read_fields(request: Request) -> FormData:
    """Return the fields of a form."""
    return await request.form()


Fields = Annotated[FormData, Depends(read_fields)]


_ZONES: Mapping[str, str] = {"markers": "marker", "adjusters": "adjuster"}
"""The parts of the page that hold the factors of a role."""

Parts = Mapping[str, Hashable]
"""What each part of a page is made of, by its id: one that is made of the same looks the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A study as a page sees it: the version of its file, and its variables with what was made of them."""

    place: Place
    version: str
    study: Study
    kept: Kept

    @property
    def variables(self) -> Variables:
        """The variables of the data."""
        return self.kept.variables


@router.get("/studies/{study}/factors")
def show_factors(request: Request, study: str, edit: str = "", new: str = "", role: str = "marker") -> Response:
    """Return the page, with the form of the factor ``edit`` or of a new one from the variable ``new``.

    A page that asks for parts says which ``version`` of the study file it shows, and which part is ``open`` as a form.
    """
    place = read_place(request, study)
    if needs_mending(request, place):
        return RedirectResponse(f"{place.url}/file", status_code=303)
    seen = _see(request, study)
    form = None
    if edit:
        form = fill_form(seen.study, _known_name(seen, edit))
    elif new:
        form = start_form(_usable(seen, new), seen.study, role)
    return _show(request, seen, form, before=_list_shown(seen, request.query_params))


@router.get("/studies/{study}/factors/variables")
def show_variables(request: Request, study: str) -> Response:
    """Return the variables that are not among the first of the list."""
    return HTMLResponse(_write_list(request, _see(request, study))[1])


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
    shown = _list_shown(seen, {**fields, "open": form.part})
    if form.old:
        _known_name(seen, form.old)
    elif form.name in seen.study.factors:
        taken = Problem(
            found=f"the name {form.name}, which a factor has", expected="a name of its own", next_step="Choose another."
        )
        return _show(request, seen, place_errors(form, [_at_name(taken, form)]), before=shown, status=422)
    form = _as_written(seen, form)
    what = f"{'Changed' if form.old else 'Added'} the factor {form.name}"
    try:
        _save(request, seen, fields, list_changes(seen.study, form), what)
    except StudyFileError as error:
        return _show(request, seen, place_errors(form, error.problems), before=shown, status=422)
    return _again(request, seen, shown)


@router.post("/studies/{study}/factors/remove")
def remove_factor(request: Request, study: str, fields: Fields) -> Response:
    """Take a factor out of the study, and out of whatever names it."""
    seen = _see(request, study)
    name = _known_name(seen, str(fields.get("name", "")))
    return _change(request, seen, fields, [Drop(("factors", name))], f"Removed the factor {name}")


@router.post("/studies/{study}/factors/move")
def move_factor(request: Request, study: str, fields: Fields, way: str = "") -> Response:
    """Put a factor before (``way`` is ``up``) or behind the one beside it that has its role."""
    seen = _see(request, study)
    name = _known_name(seen, str(fields.get("name", "")))
    order = list(seen.study.factors)
    alike = list_names(seen.study, seen.study.factors[name].role)
    at = alike.index(name) + (-1 if way == "up" else 1)
    moves = [Move(("factors", name), order.index(alike[at]))] if 0 <= at < len(alike) else []
    return _change(request, seen, fields, moves, f"Moved the factor {name}")


@router.post("/studies/{study}/factors/role")
def give_role(request: Request, study: str, fields: Fields, role: str = "") -> Response:
    """Make a factor a marker or an adjuster."""
    seen = _see(request, study)
    name = _known_name(seen, str(fields.get("name", "")))
    role = "adjuster" if role == "adjuster" else "marker"
    changes = [Put(("factors", name, "role"), role)] if role != seen.study.factors[name].role else []
    return _change(request, seen, fields, changes, f"Made {name} a{'n' * (role[0] == 'a')} {role}")


def _see(request: Request, study: str, earlier: Seen | None = None) -> Seen:
    """Return a study as it is now; ``earlier`` is as it was before a change, of which the data know nothing."""
    place, workspace = read_place(request, study), read_workspace(request)
    version = place.version  # before the study: a page that shows more than its version says is refused, not believed
    loaded = workspace.loaded(place)
    if earlier is not None and has_same_data(earlier.study, loaded):
        return replace(earlier, version=version, study=loaded)
    with look_once():
        variables = read_variables(workspace, place, loaded)
    same = f"{id(variables)}"  # of which no other can be while it is kept
    kept = workspace.remember(place, "factors", lambda: Kept(variables=variables), signature=same)
    return Seen(place=place, version=version, study=loaded, kept=kept)


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


def _change(request: Request, seen: Seen, fields: FormData, changes: Sequence[Change], what: str) -> Response:
    """Make a change that was asked for beside a factor."""
    shown = _list_shown(seen, fields)
    _save(request, seen, fields, changes, what)
    return _again(request, seen, shown)


def _save(request: Request, seen: Seen, fields: FormData, changes: Sequence[Change], what: str) -> None:
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


def _again(request: Request, seen: Seen, shown: Parts | None) -> Response:
    """Return what has changed since a page was as ``shown`` to htmx, anyone else to the page."""
    if is_part(request):
        return _show(request, _see(request, seen.place.name, seen), None, before=shown)
    return RedirectResponse(f"{seen.place.url}/factors", status_code=303)


def _show(
    request: Request, seen: Seen, form: FactorForm | None, *, before: Parts | None = None, status: int = 200
) -> Response:
    """Return the page; of htmx, the parts that are not as they were ``before``."""
    after = _list_parts(seen, form)
    if not is_part(request):
        return show(
            request, "factors.html.j2", place=seen.place, page="factors", status=status,
            listed=_write_list(request, seen), of=len(seen.kept.listed), every="every" in request.query_params,
            **_tell(seen, form, after, is_part=False),
        )  # fmt: skip
    if before is None:
        told = _tell(seen, form, after, is_part=True)
        return show(request, "factors.html.j2", place=seen.place, block="work", **told)
    parts = tuple(_list_changed(before, after))
    return show(
        request, "factor_parts.html.j2", place=seen.place, parts=parts, **_tell(seen, form, parts, is_part=True)
    )


def _write_list(request: Request, seen: Seen) -> tuple[str, str]:
    return seen.kept.write_list(seen.study, usable=read_user(request).role == "analyst")


def _tell(seen: Seen, form: FactorForm | None, parts: Collection[str], *, is_part: bool) -> Mapping[str, Any]:
    """Return what the parts show."""
    study = seen.study
    zones = {zone: list_names(study, role) for zone, role in _ZONES.items()}
    wanted = [name for zone, names in zones.items() for name in names if zone in parts or f"factor-{name}" in parts]
    return {
        "study": study,
        "file_version": seen.version,
        "is_part": is_part,
        "form": form,
        "zones": zones,
        "roles": _ZONES,
        "cards": {f"factor-{name}": find_card(seen.kept, study, name) for name in wanted},
        "chosen": _choices(seen, seen.variables.find(form.variable), form) if form else {},
        "misfits": _misfits(study, seen.variables) if "misfits" in parts else (),
        "visits": name_visits(study),
        "text": _excerpt(read_text(seen.place)) if "excerpt" in parts else (),
        "past": read_history(seen.place).look() if "state" in parts else None,
    }


def _list_shown(seen: Seen, given: Mapping[str, Any]) -> Parts | None:
    """Return the parts of the page that asks, by the version and the open form that it names; None of an older one."""
    return _list_parts(seen, str(given.get("open", ""))) if given.get("version") == seen.version else None


def _list_parts(seen: Seen, opened: FactorForm | str | None) -> Parts:
    """Return what the parts of a page with a form, or with one in the part of this id, are made of."""
    study = seen.study
    parts: dict[str, Hashable] = dict.fromkeys(("state", "misfits", "excerpt"), seen.version)
    parts |= {zone: list_names(study, role) for zone, role in _ZONES.items()}
    for name, factor in study.factors.items():
        parts[f"factor-{name}"] = (factor, list_models(study, name))
    parts["new-factor"] = None
    holder = opened.part if isinstance(opened, FactorForm) else opened
    if holder in parts:
        parts[holder] = opened  # of a page its name, of an answer the form: never the same
    return parts


def _list_changed(before: Parts, after: Parts) -> Iterator[str]:
    """Yield the parts that are not what they were; a card within one that is sent comes with it."""
    changed = {part for part, made in after.items() if part not in before or before[part] != made}
    within = {f"factor-{name}" for zone in changed & set(_ZONES) for name in _names(after[zone])}
    yield from (part for part in after if part in changed - within)


def _names(made: Hashable) -> tuple[str, ...]:
    return made if isinstance(made, tuple) else ()


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
        "spread": describe_spread(counted, variable, cut or None),
        "beyond": derive.count_beyond(seen.variables, form.variable, at, cut),
    }


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
