"""Visits, their windows, who may be in the study, and how patients get to the analysis.

Convention: a change is one of the study file; counts are those of the data as the saved study reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from rarefactor import derive, live, report
from rarefactor.errors import Problem, RarefactorError, StudyFileError
from rarefactor.report import Flow
from rarefactor.spec import Change, Drop, Eligibility, Put, Study, Visit, check_study
from rarefactor.web._errors import unknown
from rarefactor.web._factors import Fields
from rarefactor.web._known import read_variables
from rarefactor.web._page import is_part, read_place, read_workspace, show
from rarefactor.web._results import read_results
from rarefactor.web._saving import needs_mending, read_history, save_changes
from rarefactor.web._workspace import Place, Workspace

router = APIRouter(prefix="/studies/{study}/visits")

_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Which form is open on the page: of a visit (``+``: a new one), a rule or the outcome; and what was sent in it."""

    edit: str = ""
    rule: int = -1
    outcome: bool = False
    drawn: bool = False
    fields: FormData | None = None
    problems: tuple[Problem, ...] = ()


@router.get("")
def show_visits(request: Request, study: str, edit: str = "", rule: int = -1, *, outcome: bool = False) -> Response:
    """Return the page, with the form of a visit (``edit``; ``+`` for a new one), of a rule or of the outcome."""
    place = read_place(request, study)
    if needs_mending(request, place):
        return RedirectResponse(f"{place.url}/file", status_code=303)
    return _show(request, place, Open(edit=edit, rule=rule, outcome=outcome))


@router.get("/flow")
def show_with_flow(request: Request, study: str) -> Response:
    """Return the page with the flow of patients, which takes the data of all visits; of htmx, the flow alone."""
    return _show(request, read_place(request, study), Open(drawn=True))


@router.get("/flow.svg")
def show_flow(request: Request, study: str, *, dark: bool = False) -> Response:
    """Return the flow diagram."""
    flow = draw_flow(read_workspace(request), read_place(request, study))
    return Response(report.darken(flow.svg) if dark else flow.svg, media_type="image/svg+xml")


@router.post("")
def save_visit(request: Request, study: str, fields: Fields) -> Response:
    """Save the form of a visit, or show it again with what is wrong."""
    place = read_place(request, study)
    loaded = read_workspace(request).loaded(place)
    old, name = _text(fields, "old"), _text(fields, "name")
    name = old or _NAME.sub("_", name).strip("_").lower()
    what = f"{'Changed' if old else 'Added'} the visit {name}"
    changes = _visit_changes(loaded.cohort.visits.get(name), name, fields)
    return _save(request, place, fields, changes, what, Open(edit=old or "+"))


@router.post("/remove")
def remove_visit(request: Request, study: str, fields: Fields) -> Response:
    """Take a visit out of the study; one that is still named elsewhere stays, and it is told where."""
    place = read_place(request, study)
    name = _text(fields, "name")
    if name not in read_workspace(request).loaded(place).cohort.visits:
        raise unknown("visit of this name")
    return _save(request, place, fields, [Drop(("cohort", "visits", name))], f"Removed the visit {name}", Open())


@router.post("/rule")
def save_rule(request: Request, study: str, fields: Fields) -> Response:
    """Save a rule of eligibility, new or changed."""
    place = read_place(request, study)
    rules = read_workspace(request).loaded(place).cohort.eligibility
    at = min(max(int(_text(fields, "at") or len(rules)), 0), len(rules))
    way = "drop" if _text(fields, "way") == "drop" else "keep"
    new = {"name": _text(fields, "name"), way: _text(fields, "when")}
    changes = _rule_changes(rules, at, new)
    what = f"{'Changed' if at < len(rules) else 'Added'} the rule {new['name']}"
    return _save(request, place, fields, changes, what, Open(rule=at))


@router.post("/rule/remove")
def remove_rule(request: Request, study: str, fields: Fields) -> Response:
    """Take a rule of eligibility out of the study."""
    place = read_place(request, study)
    rules = read_workspace(request).loaded(place).cohort.eligibility
    at = int(_text(fields, "at") or -1)
    if not 0 <= at < len(rules):
        raise unknown("rule at this place")
    what = f"Removed the rule {rules[at].name}"
    return _save(request, place, fields, [Drop(("cohort", "eligibility", at))], what, Open())


@router.post("/outcome")
def save_outcome(request: Request, study: str, fields: Fields) -> Response:
    """Save the form of the outcome, or show it again with what is wrong."""
    place = read_place(request, study)
    loaded = read_workspace(request).loaded(place)
    key = ("outcome", loaded.outcome_name)
    changes: list[Change] = []
    for name in _OUTCOME:
        now, new = getattr(loaded.the_outcome, name) or "", _text(fields, name)
        if new != now:
            changes.append(Put((*key, name), new) if new or name in _NEEDED else Drop((*key, name)))
    return _save(request, place, fields, changes, "Changed the outcome", Open(outcome=True))


_NEEDED = ("label", "at", "when")
_OUTCOME = (*_NEEDED, "event", "no_event")


def _text(fields: FormData, name: str) -> str:
    return str(fields.get(name, "")).strip()


def _visit_changes(visit: Visit | None, name: str, fields: FormData) -> list[Change]:
    """Return what the form changes of a visit: nothing where it says what the file says."""
    window = [_number(_text(fields, "low")), _number(_text(fields, "high"))]
    wanted: dict[str, Any] = {
        "event": _text(fields, "event") or None,
        "month": _number(_text(fields, "month")),
        "window": window if any(end != "" for end in window) else None,
        "label": _text(fields, "label") or None,
    }
    key = ("cohort", "visits", name)
    if visit is None:
        return [Put(key, {each: value for each, value in wanted.items() if value is not None})]
    changes: list[Change] = []
    for each, value in wanted.items():
        now = getattr(visit, each)
        now = list(now) if isinstance(now, tuple) else now
        if value is None and now is not None:
            changes.append(Drop((*key, each)))
        elif value is not None and value != now:
            changes.append(Put((*key, each), value))
    return changes


def _number(text: str) -> float | str:
    """Return a number, or the text for the study file's rules to refuse."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _rule_changes(rules: Sequence[Eligibility], at: int, new: Mapping[str, str]) -> list[Change]:
    key = ("cohort", "eligibility")
    if not rules:
        return [Put(key, [dict(new)])]
    if at == len(rules):
        return [Put((*key, at), dict(new))]
    old = rules[at].model_dump(exclude_none=True)
    changes: list[Change] = [Put((*key, at, each), value) for each, value in new.items() if old.get(each) != value]
    return changes + [Drop((*key, at, each)) for each in old if each not in new]


def _save(request: Request, place: Place, fields: FormData, changes: list[Change], what: str, form: Open) -> Response:
    try:
        if changes:
            save_changes(request, place, _text(fields, "version"), changes, what=what, check=_check(request, place))
    except StudyFileError as error:
        return _show(request, place, replace(form, fields=fields, problems=error.problems), status=422)
    return RedirectResponse(f"{place.url}/visits", status_code=303)


def _check(request: Request, place: Place) -> Any:
    """Return what refuses a study that names what the data do not hold."""
    scope = read_variables(read_workspace(request), place, read_workspace(request).loaded(place)).scope

    def check(study: Study) -> None:
        found = (
            scope
            if set(scope.visits) == set(study.cohort.visits)
            else type(scope)(tables=scope.tables, visits=tuple(study.cohort.visits))
        )
        check_study(study, found)

    return check


def _show(request: Request, place: Place, form: Open, *, status: int = 200) -> Response:
    workspace, version = read_workspace(request), place.version
    loaded = workspace.loaded(place)
    flow, stopped = _try_flow(request, place) if form.drawn else (None, ())
    return show(
        request,
        "visits.html.j2",
        place=place,
        page="visits",
        block="flow" if form.drawn and is_part(request) else None,
        status=status,
        study=loaded,
        found=derive.tabulate_attendance(read_variables(workspace, place, loaded), loaded),
        flow=flow,
        stopped=stopped,
        open=form,
        form=_form(loaded, form),
        file_version=version,
        past=read_history(place).look(),
    )


def _form(study: Study, form: Open) -> Mapping[str, str]:
    """Return what stands in the fields: what was sent, else what the study file says."""
    if form.fields is not None:
        return {name: str(value) for name, value in form.fields.items()}
    if form.outcome:
        return {name: getattr(study.the_outcome, name) or "" for name in _OUTCOME}
    rules, rule = study.cohort.eligibility, form.rule
    if 0 <= rule < len(rules):
        way = "drop" if rules[rule].keep is None else "keep"
        return {"name": rules[rule].name, "way": way, "when": rules[rule].keep or rules[rule].drop or ""}
    visit = study.cohort.visits.get(form.edit)
    if visit is None:
        return {}
    low, high = (f"{end:g}" for end in visit.window) if visit.window else ("", "")
    known = {"month": f"{visit.month:g}", "low": low, "high": high}
    return {**known, "event": visit.event or "", "label": visit.label or "", "name": form.edit}


def _try_flow(request: Request, place: Place) -> tuple[Flow | None, tuple[Problem, ...]]:
    try:
        return draw_flow(read_workspace(request), place), ()
    except RarefactorError as error:
        return None, error.problems


def draw_flow(workspace: Workspace, place: Place) -> Flow:
    """Return the flow of the patients of a study, drawn."""

    def draw() -> Flow:
        return report.draw_flow_chart(live.collect_results(read_results(workspace, place)))

    return workspace.remember(place, "flow", draw)
