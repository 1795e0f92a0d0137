"""The analysis, live: a card for each section of the report, and the models beside them.

Convention: the page shows what is known and asks for the rest; whatever is done is kept with the study, so that a run
finds it. A change of the study ends what is being computed for the version before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from rarefactor import live, report
from rarefactor.errors import RarefactorError
from rarefactor.spec import Change, Study
from rarefactor.web import _models as models
from rarefactor.web._errors import unknown
from rarefactor.web._page import is_part, read_place, read_runner, read_workspace, show
from rarefactor.web._results import (
    KIND,
    CardState,
    collect_all,
    draw_card,
    draw_figure,
    find_state,
    list_states,
    read_results,
)
from rarefactor.web._runner import Job
from rarefactor.web._saving import save_changes
from rarefactor.web._workspace import Place

router = APIRouter(prefix="/studies/{study}/analysis")

Version = Annotated[str, Form()]
Words = Annotated[str, Form()]
Names = Annotated[Sequence[str], Form()]
_PAGE = "analysis.html.j2"


@router.get("")
def show_analysis(request: Request, study: str) -> Response:
    """Return the page: what is known at once, the rest as it comes."""
    place = read_place(request, study)
    problems, states = (), ()
    try:
        found = _find(request, place)
        states = list_states(found, _job(request, place))
    except RarefactorError as error:
        problems = error.problems
    return _show(request, place, states=states, problems=problems, job=_job(request, place))


@router.get("/panel")
def show_panel(request: Request, study: str) -> Response:
    """Return the panel of models and settings."""
    return _panel(request, read_place(request, study))


@router.get("/state")
def tell_state(request: Request, study: str) -> Response:
    """Tell how each card stands, for the script of the page."""
    place = read_place(request, study)
    job = _job(request, place)
    told = {"version": place.version, "running": bool(job and job.is_running), "failed": bool(_failed(job))}
    try:
        states = list_states(_find(request, place), job)
    except RarefactorError as error:
        shown = show(request, "problems.html.j2", block="problems", problems=error.problems)
        return JSONResponse({**told, "cards": [], "problems": bytes(shown.body).decode()})
    cards = [{"name": s.card.name, "key": s.key, "state": s.state, "text": s.text} for s in states]
    return JSONResponse({**told, "cards": cards, "problems": "", "complete": all(s.state == "ready" for s in states)})


@router.get("/cards/{name}")
def show_card(request: Request, study: str, name: str) -> Response:
    """Return one card: its inside for the script, else a page."""
    place = read_place(request, study)
    found = _find(request, place)
    state = _state(request, place, name)
    part = draw_card(read_workspace(request), place, found, state) if state.key else None
    block = "part" if is_part(request) else None
    answer = show(request, "card.html.j2", place=place, page=KIND, block=block, state=state, part=part)
    answer.headers["X-Card-Key"] = state.key
    return answer


@router.get("/figures/{name}/{figure}.svg")
def show_figure(request: Request, study: str, name: str, figure: str, *, dark: bool = False) -> Response:
    """Return a figure of a card as it stands."""
    place = read_place(request, study)
    svg = draw_figure(read_workspace(request), place, _find(request, place), _state(request, place, name), figure)
    return Response(report.darken(svg) if dark else svg, media_type="image/svg+xml")


@router.get("/origin")
def show_origin(request: Request, study: str, row: str) -> Response:
    """Return where a number comes from."""
    place = read_place(request, study)
    found = _find(request, place)
    results = collect_all(read_workspace(request), place, found)
    told = report.tell_origin(live.trace_number(found, results, row), row)
    return show(request, "origin.html.j2", place=place, told=told)


@router.post("/start")
def start(request: Request, study: str, *, again: Annotated[bool, Form()] = False) -> Response:
    """Compute what is not known, in place of what is being computed for an earlier version of the study.

    What was done, or failed, for this version is done ``again`` only if someone asks for it.
    """
    place = read_place(request, study)
    runner, job = read_runner(request), _job(request, place)
    kind = f"{KIND} {read_workspace(request).signature(place)[:16]}"
    other = job is not None and job.is_running and not job.kind.startswith(KIND)  # a run: it computes the same
    same = job is not None and job.kind == kind and job.state != "cancelled" and (job.is_running or not again)
    if not (other or same):
        runner.start(place.name, kind, live.compute, place.file, replacing=True)
    return _back(request, place)


@router.post("/stop")
def stop(request: Request, study: str) -> Response:
    """End what is being computed; what is done is kept."""
    place = read_place(request, study)
    job = _job(request, place)
    if job and job.kind.startswith(KIND):
        read_runner(request).cancel(place.name)
    return _back(request, place)


@router.post("/models/{name}")
def change_model(request: Request, study: str, name: str, version: Version, factor: Names = ()) -> Response:
    """Change which factors a model holds."""
    place = read_place(request, study)
    return _save(request, place, version, models.change_factors(_study(request, place), name, factor), f"Model {name}")


@router.post("/models/{name}/remove")
def remove_model(request: Request, study: str, name: str, version: Version) -> Response:
    """Remove a model."""
    place = read_place(request, study)
    return _save(request, place, version, models.remove_model(_study(request, place), name), f"No model {name}")


@router.post("/models")
def add_model(request: Request, study: str, version: Version, label: Words = "") -> Response:
    """Add a model."""
    place = read_place(request, study)
    return _save(request, place, version, models.add_model(_study(request, place), label), f"Model {label}")


@router.post("/settings")
def change_settings(
    request: Request,
    study: str,
    version: Version,
    landmark: Names = (),
    resamples: Words = "",
    imputations: Words = "",
) -> Response:
    """Change landmarks, resamples and imputations."""
    place = read_place(request, study)
    counts = {"resamples": resamples, "imputations": imputations}
    return _save(request, place, version, models.change_settings(_study(request, place), landmark, counts), "Settings")


@router.post("/roles/{factor}")
def change_role(request: Request, study: str, factor: str, version: Version, role: Words) -> Response:
    """Change the role of a factor."""
    place = read_place(request, study)
    return _save(request, place, version, models.change_role(_study(request, place), factor, role), f"Role of {factor}")


def _save(request: Request, place: Place, version: str, changes: Sequence[Change], what: str) -> Response:
    if changes:
        save_changes(request, place, version, changes, what=what)
    return _panel(request, place) if is_part(request) else _back(request, place)


def _panel(request: Request, place: Place) -> Response:
    return _show(request, place, block="panel")


def _show(
    request: Request,
    place: Place,
    *,
    block: str | None = None,
    states: Sequence[CardState] = (),
    **values: Any,
) -> Response:
    try:
        study = _study(request, place)
    except RarefactorError:
        study = None
    return show(
        request,
        _PAGE,
        place=place,
        page=KIND,
        block=block,
        study=study,
        models=models.list_models(study) if study else (),
        states=states,
        may_change=_may_change(request),
        **values,
    )


def _may_change(request: Request) -> bool:
    user = getattr(request.state, "user", None)
    return user is None or user.role != "reader"


def _find(request: Request, place: Place) -> live.Live:
    return read_results(read_workspace(request), place)


def _study(request: Request, place: Place) -> Study:
    return read_workspace(request).loaded(place)


def _job(request: Request, place: Place) -> Job | None:
    return read_runner(request).find(place.name)


def _failed(job: Job | None) -> bool:
    return job is not None and job.state == "failed" and job.kind.startswith(KIND)


def _state(request: Request, place: Place, name: str) -> CardState:
    state = find_state(_find(request, place), _job(request, place), name)
    if state is None:
        raise unknown("card of this name in the analysis of this study")
    return state


def _back(request: Request, place: Place) -> Response:
    return Response(status_code=204) if is_part(request) else RedirectResponse(f"{place.url}/analysis", 303)
