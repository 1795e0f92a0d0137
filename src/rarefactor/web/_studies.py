"""The studies of a folder: open one, start one from an example, or from one's own files.

Convention: a new study is made in another process, in a hidden folder, and takes its name when it is whole. What is
uploaded is looked at in that process only.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from rarefactor import spec
from rarefactor.drafts import list_gaps, write_draft
from rarefactor.errors import Problem, RarefactorError
from rarefactor.templates import STUDY_FILE, make_template, read_templates
from rarefactor.web._errors import WebError
from rarefactor.web._job import stream_news
from rarefactor.web._page import is_part, read_place, read_runner, read_workspace, show
from rarefactor.web._workspace import Place, Workspace

router = APIRouter()

NEW = "new study"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
_TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A study in the list: its title, what is wrong with its file, how much is left to fill in."""

    place: Place
    title: str
    synthetic: bool = False
    problems: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A template that a study may start from."""

    name: str
    title: str
    synthetic: bool


@router.get("/")
def show_studies(request: Request) -> Response:
    """Return the list of studies and the ways to a new one; of htmx, the list and the work on a new one."""
    return show(request, "studies.html.j2", block="listed" if is_part(request) else None, **_say(request))


@router.get("/events")
async def listen(request: Request) -> StreamingResponse:
    """Stream the news of new studies."""
    return stream_news(request, NEW)


@router.get("/studies/{study}")
def show_study(request: Request, study: str) -> Response:
    """Go to the first page of a study."""
    place = read_place(request, study)
    return RedirectResponse(f"{place.url}/{request.app.state.pages[0].name}", status_code=303)


@router.post("/new/example")
def start_example(
    request: Request, name: Annotated[str, Form()] = "", example: Annotated[str, Form()] = ""
) -> Response:
    """Make a study from an example; its patients are made where they are synthetic."""
    try:
        target = _new_folder(read_workspace(request), name)
    except RarefactorError as error:
        return _show_again(request, error, "example", {"name": name, "example": example})
    processes = os.cpu_count() or 1
    read_runner(request).start(NEW, "example", make_template, example, target, processes)
    return RedirectResponse("/", status_code=303)


@router.post("/new/upload")
def start_upload(
    request: Request,
    records: Annotated[UploadFile, File()],
    name: Annotated[str, Form()] = "",
    dictionary: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take a user's files and draft a study for them."""
    try:
        target = _new_folder(read_workspace(request), name)
        _clean(request, target.parent)
        upload = target.with_name(f".upload-{secrets.token_hex(8)}")
        first = _keep(upload, records, "records")
        second = _keep(upload, dictionary, "dictionary") if dictionary and dictionary.filename else None
    except RarefactorError as error:
        return _show_again(request, error, "upload", {"name": name})
    try:
        read_runner(request).start(NEW, "upload", write_draft, upload, target, first, second)
    except RarefactorError:
        shutil.rmtree(upload, ignore_errors=True)
        raise
    return RedirectResponse("/", status_code=303)


def _say(request: Request) -> Mapping[str, Any]:
    workspace = read_workspace(request)
    job = read_runner(request).find(NEW)
    return {
        "listed": [_list(workspace, place) for place in workspace.places()],
        "examples": _list_examples() if workspace.folder else (),
        "job": job,
        "made": job.result if job and job.state == "done" else None,
        "wrong": "",
        "problems": (),
        "given": {},
    }


def _show_again(request: Request, error: RarefactorError, wrong: str, given: Mapping[str, str]) -> Response:
    """Return the page with what is wrong at the form that it is wrong in."""
    said: dict[str, Any] = {**_say(request), "wrong": wrong, "problems": error.problems, "given": given}
    return show(request, "studies.html.j2", status=422, **said)


def _list(workspace: Workspace, place: Place) -> Listed:
    try:
        study = workspace.loaded(place)
    except RarefactorError as error:
        return Listed(place=place, title=place.name, problems=len(error.problems), gaps=len(list_gaps(place.file)))
    return Listed(place=place, title=study.title, synthetic=study.synthetic, gaps=len(list_gaps(place.file)))


def _list_examples() -> Sequence[Example]:
    read = {name: spec.load(folder / STUDY_FILE) for name, folder in read_templates().items()}
    return [Example(name=name, title=study.title, synthetic=study.synthetic) for name, study in read.items()]


def _new_folder(workspace: Workspace, name: str) -> Path:
    """Return the folder of a new study.

    Raises
    ------
    WebError
        One study alone is served, or the name cannot be used or is taken.
    """
    home = workspace.folder
    if home is None:
        raise _refused("one study that is served alone", "a folder of studies", "Serve the folder that holds it.")
    if not _NAME.match(name):
        step = "Choose a short name such as my-study."
        raise _refused("a name that cannot be that of a folder", "letters, digits, - and _, at most 60", step)
    if (home / name).exists():
        raise _refused("a study of this name", "a new name", "Choose another name; nothing is overwritten.")
    return home / name


def _keep(folder: Path, sent: UploadFile, name: str) -> str:
    """Write what was sent into a folder, under a name of ours, and return its path from the folder."""
    suffix = Path(sent.filename or "").suffix.lower()
    if suffix not in _TABLES:
        found = f"a file that ends in {suffix}" if suffix else "no file"
        raise _refused(found, "a table: .csv, .tsv, .txt or .xlsx", "Export the records as CSV or save them as .xlsx.")
    path = folder / "data" / f"{name}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as kept:
        shutil.copyfileobj(sent.file, kept)
    return f"data/{path.name}"


def _clean(request: Request, home: Path) -> None:
    """Remove uploads that were never finished, unless one is being looked at."""
    job = read_runner(request).find(NEW)
    for left in home.glob(".upload-*") if job is None or not job.is_running else ():
        shutil.rmtree(left, ignore_errors=True)


def _refused(found: str, expected: str, next_step: str) -> WebError:
    return WebError(Problem(found=found, expected=expected, next_step=next_step))
