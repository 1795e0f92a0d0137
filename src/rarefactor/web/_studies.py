"""The studies of a folder: open one, or start a new one."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from rarefactor.errors import Problem, RarefactorError
from rarefactor.web._page import read_place, read_workspace, show
from rarefactor.web._workspace import Place, Workspace

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A study in the list: its title, or what is wrong with its file."""

    place: Place
    title: str
    synthetic: bool = False
    problems: tuple[Problem, ...] = ()


@router.get("/")
def show_studies(request: Request) -> Response:
    """Return the list; where one study alone is served, its first page."""
    workspace = read_workspace(request)
    listed = [_list(workspace, place) for place in workspace.places()]
    return show(request, "studies.html.j2", listed=listed)


@router.get("/studies/{study}")
def show_study(request: Request, study: str) -> Response:
    """Go to the first page of a study."""
    place = read_place(request, study)
    return RedirectResponse(f"{place.url}/{request.app.state.pages[0].name}", status_code=303)


def _list(workspace: Workspace, place: Place) -> Listed:
    try:
        study = workspace.loaded(place)
    except RarefactorError as error:
        return Listed(place=place, title=place.name, problems=error.problems)
    return Listed(place=place, title=study.title, synthetic=study.synthetic)
