"""The data of a study: what was read, what does not fit, and how complete each variable is.

Convention: counts and row numbers only. The one way to the values that failed is the table for whoever analyses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rarefactor import cohort, findings
from rarefactor.derive import Variable, Variables
from rarefactor.drafts import list_gaps
from rarefactor.errors import DataError, Problem
from rarefactor.spec import Study
from rarefactor.study import Checked
from rarefactor.web._errors import ForbiddenError
from rarefactor.web._known import check_study, read_variables
from rarefactor.web._page import is_part, name_visits, read_place, read_user, read_workspace, show
from rarefactor.web._paging import Orders, cut_lines, find_lines, read_asked
from rarefactor.web._workspace import Place, Workspace

router = APIRouter()

_ROWS_SHOWN = 200
_ORDERS: Orders[Variable] = Orders(keys={"table": lambda item: item.table})  # as they come
_KINDS: Mapping[str, str] = {
    "id": "identifier",
    "number": "number",
    "integer": "whole number",
    "text": "text",
    "choice": "choice",
    "yesno": "yes or no",
    "date": "date",
    "datetime": "date and time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """How many patients have a value: 0 to 1 as ``share``, None where nobody is counted."""

    known: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRow:
    """A variable as the dictionary describes it; ``full`` has an entry for each visit, or one for all."""

    name: str
    table: str
    label: str
    kind: str
    unit: str
    levels: tuple[str, ...]
    full: tuple[Full, ...]
    by_visit: bool
    remark: str


@router.get("/studies/{study}/data")
def show_data(request: Request, study: str) -> Response:
    """Return the page; of htmx, the table of variables."""
    place, workspace = read_place(request, study), read_workspace(request)
    loaded = workspace.loaded(place)
    if is_part(request):
        return show(request, "data.html.j2", place=place, block="variables", **_describe(request, place, loaded))
    try:
        checked = check_study(workspace, place, loaded)
    except DataError as error:
        return show(request, "data.html.j2", place=place, page="data", **_say_why(workspace, place, loaded, error))
    described = _describe(request, place, loaded)
    return show(request, "data.html.j2", place=place, page="data", **_say(place, checked), **described)


@router.get("/studies/{study}/data/failures.csv")
def load_failures(request: Request, study: str) -> Response:
    """Return the values that failed, as `rarefactor check --failures` writes them: for whoever analyses."""
    place, workspace = read_place(request, study), read_workspace(request)
    if read_user(request).role != "analyst":
        raise ForbiddenError(
            Problem(
                found="a reader who asks for patients' values",
                expected="a user with the role analyst",
                next_step="Ask whoever analyses the study.",
            )
        )
    failures = _find(workspace, place, workspace.loaded(place)).failures
    headers = {"Content-Disposition": 'attachment; filename="failures.csv"'}
    return Response(findings.write_failures(failures), media_type="text/csv", headers=headers)


def _say(place: Place, checked: Checked) -> Mapping[str, Any]:
    """Return what a check found."""
    return {
        "title": checked.study.title,
        "problems": (),
        "gaps": list_gaps(place.file),
        "tables": findings.list_tables(checked),
        "landmarks": findings.list_landmarks(checked),
        "images": findings.list_images(checked),
        "told": findings.tell_images(checked),
        "beside": findings.find_problems(checked),
        "found": findings.list_findings(checked.cohort.failures),
        "notes": [note.text for note in checked.table.notes],
        "rows_shown": _ROWS_SHOWN,
    }


def _say_why(workspace: Workspace, place: Place, study: Study, error: DataError) -> Mapping[str, Any]:
    """Return what stops a run, and what was found all the same."""
    found = _find(workspace, place, study)
    return {
        "title": study.title,
        "problems": error.problems,
        "gaps": list_gaps(place.file),
        "tables": (),
        "landmarks": (),
        "images": (),
        "told": (),
        "beside": (),
        "found": findings.list_findings(found.failures),
        "notes": found.notes,
        "rows_shown": _ROWS_SHOWN,
        "leaf": None,
        "visits": name_visits(study),
    }


def _find(workspace: Workspace, place: Place, study: Study) -> cohort.Findings:
    return workspace.remember(place, "findings", lambda: cohort.check_data(study))


def _describe(request: Request, place: Place, study: Study) -> Mapping[str, Any]:
    """Return the variables whose name or label holds what is looked for, in the order of their tables."""
    variables, visits = read_variables(read_workspace(request), place, study), name_visits(study)
    asked = read_asked(request.query_params, _ORDERS)
    found = find_lines(variables.items, asked, lambda item: f"{item.text} {item.label} {item.table}".casefold())
    leaf = cut_lines(found, asked, of=len(variables.items))
    return {
        "leaf": leaf.show(lambda item: _row(item, variables, visits)),
        "patients": variables.n,
        "visits": visits,
        "is_part": is_part(request),
    }


def _row(item: Variable, variables: Variables, visits: Mapping[str, str]) -> VariableRow:
    known = item.known or {}
    by_visit = "" not in known
    counts = [known.get(visit, 0) for visit in visits] if by_visit else [known[""]]
    return VariableRow(
        name=item.text,
        table=item.table,
        label=item.label,
        kind=_KINDS[item.type],
        unit=item.unit or "",
        levels=item.levels,
        full=tuple(Full(known=n, share=n / variables.n if variables.n else None) for n in counts) if known else (),
        by_visit=by_visit,
        remark="" if known else ("after the images are measured" if item.origin == "images" else item.why_not),
    )
