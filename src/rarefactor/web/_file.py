"""The whole study file as text: checked while one types, saved when it is a study, never lost when it is not.

Convention: what is typed is kept as a draft at each check; the study file is replaced by Save alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from rarefactor.errors import Problem, RarefactorError, StaleError
from rarefactor.spec import Study, check_study, load_text
from rarefactor.web._errors import unknown
from rarefactor.web._factors import Fields
from rarefactor.web._known import has_same_data, read_variables
from rarefactor.web._page import is_part, read_place, read_workspace, show
from rarefactor.web._saving import (
    Draft,
    drop_draft,
    keep_draft,
    read_draft,
    read_history,
    read_text,
    save_text,
    take_back,
)
from rarefactor.web._workspace import Place, Workspace

router = APIRouter()

_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text in the editor, the version it was made from, and what is wrong with it."""

    text: str
    version: str
    problems: tuple[Problem, ...] = ()
    notice: str = ""

    @property
    def lines(self) -> frozenset[int]:
        """The lines with a problem."""
        return frozenset(problem.line for problem in self.problems if problem.line)


@router.get("/studies/{study}/file")
def show_file(request: Request, study: str, version: int = 0) -> Response:
    """Return the editor with the study file, the draft of it that was left, or an earlier ``version``."""
    place = read_place(request, study)
    text, notice = read_text(place), ""
    draft = read_draft(place)
    if version:
        text, notice = _read_version(place, version), "An earlier version. Save makes it the study file again."
    elif draft and draft.text != text:
        text, notice = draft.text, "A draft that is not saved yet."
    written = Written(text=text, version=place.version, notice=notice)
    return _show(request, place, _check(read_workspace(request), place, written))


@router.post("/studies/{study}/file/check")
def check_file(request: Request, study: str, fields: Fields) -> Response:
    """Keep the text as a draft and say what is wrong with it."""
    place = read_place(request, study)
    written = _read(fields)
    keep_draft(place, Draft(text=written.text, version=written.version))
    return _show(request, place, _check(read_workspace(request), place, written), block="found")


@router.post("/studies/{study}/file")
def save_file(request: Request, study: str, fields: Fields) -> Response:
    """Make the text the study file, or keep it as a draft and say why not."""
    place = read_place(request, study)
    written = _read(fields)
    keep_draft(place, Draft(text=written.text, version=written.version))
    try:
        save_text(request, place, written.version, written.text, what="Edited the study file")
    except StaleError as error:
        kept = Written(text=written.text, version=place.version, problems=error.problems, notice=_MEANWHILE)
        return _show(request, place, kept, status=409)
    except RarefactorError as error:
        kept = Written(text=written.text, version=written.version, problems=error.problems, notice=_NOT_SAVED)
        return _show(request, place, kept, status=422)
    drop_draft(place)
    return RedirectResponse(f"{place.url}/file", status_code=303)


_MEANWHILE = (
    "Not saved: the study file was changed elsewhere meanwhile. Your text is below and kept as a draft; Save now puts "
    "it in the place of the other version, which stays among the earlier ones."
)
_NOT_SAVED = "Not saved yet: the study file is as it was, and your text is kept as a draft."


@router.post("/studies/{study}/file/discard")
def discard_draft(request: Request, study: str) -> Response:
    """Forget the draft."""
    place = read_place(request, study)
    drop_draft(place)
    return RedirectResponse(f"{place.url}/file", status_code=303)


@router.post("/studies/{study}/file/undo")
def undo(request: Request, study: str, fields: Fields) -> Response:
    """Take the last change of the study file back."""
    place = read_place(request, study)
    take_back(request, place, str(fields.get("version", "")), "undo")
    return _go_back(request, place, fields)


@router.post("/studies/{study}/file/redo")
def redo(request: Request, study: str, fields: Fields) -> Response:
    """Make the change that was taken back again."""
    place = read_place(request, study)
    take_back(request, place, str(fields.get("version", "")), "redo")
    return _go_back(request, place, fields)


def _go_back(request: Request, place: Place, fields: FormData) -> Response:
    pages = {page.name for page in request.app.state.pages}
    back = str(fields.get("back", ""))
    return RedirectResponse(f"{place.url}/{back if back in pages else 'file'}", status_code=303)


def _read(fields: FormData) -> Written:
    """Return what was sent; browsers end lines with CR and LF, the file as it did before."""
    text = str(fields.get("text", "")).replace("\r\n", "\n")
    text = text.replace("\n", "\r\n") if fields.get("ends") == "crlf" else text
    return Written(text=text, version=str(fields.get("version", "")))


def _read_version(place: Place, number: int) -> str:
    history = read_history(place)
    for version in history.versions:
        if version.number == number:
            return history.read(version).decode("utf-8-sig", "replace")
    raise unknown("version of this number")


def _check(workspace: Workspace, place: Place, written: Written) -> Written:
    """Return the text with what is wrong with it, and with how it fits the data where these are known already."""
    try:
        known = written.text == read_text(place)
        study = workspace.loaded(place) if known else load_text(written.text, place.file)
        _check_fit(workspace, place, study)
    except RarefactorError as error:
        return Written(text=written.text, version=written.version, problems=error.problems, notice=written.notice)
    return written


def _check_fit(workspace: Workspace, place: Place, study: Study) -> None:
    try:
        saved = workspace.loaded(place)
        variables = read_variables(workspace, place, saved) if has_same_data(saved, study) else None
    except RarefactorError:
        return  # what stops the saved study is told on its own pages
    if variables is not None:
        check_study(study, variables.scope)


def _show(request: Request, place: Place, written: Written, *, block: str | None = None, status: int = 200) -> Response:
    past = read_history(place).look()
    values: Mapping[str, Any] = {
        "written": written,
        "changed": written.text != read_text(place),
        "rows": written.text.count("\n") + 1,
        "ends": "crlf" if "\r\n" in written.text else "lf",
        "past": past,
        "versions": past.versions[: -_SHOWN - 1 : -1],
        "file_version": place.version,
    }
    part = block if is_part(request) else None
    return show(request, "file.html.j2", place=place, page="file", block=part, status=status, **values)
