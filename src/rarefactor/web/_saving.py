"""Changes of the study file: made to the version that a page showed, checked before they replace it, and all kept.

Convention: a text that is no study never takes the place of one that is; it stays as a draft. Every version is kept in
``.rarefactor/history`` with who and when, one that was made by hand too, so that each change can be taken back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fastapi import Request

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec import Change, Study, change_study, load_text
from rarefactor.web._errors import WebError, stale
from rarefactor.web._page import read_hub, read_user, read_workspace
from rarefactor.web._workspace import Place, sign_study
from rarefactor.work import History, write_file

CHANGED = "study"
"""The event that tells open pages that the study file has changed; its data is the file's new version."""

Way = Literal["undo", "redo"]
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text that was written and not saved, and the version of the study file that it was made from."""

    text: str
    version: str


def read_history(place: Place) -> History:
    """Return the versions of a study file."""
    return History(folder=place.folder / ".rarefactor" / "history" / place.file.stem)


def read_text(place: Place) -> str:
    """Return the study file as text, whatever it says.

    Raises
    ------
    StudyFileError
        It is no text in UTF-8.
    """
    try:
        return place.file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        step = "Save the file as UTF-8 in your editor."
        problem = Problem(file=place.file.name, found="no text", expected="text in UTF-8", next_step=step)
        raise StudyFileError(problem) from None


def needs_mending(request: Request, place: Place) -> bool:
    """Tell whether the study file is no study: pages made of it then lead to the file, which says why."""
    try:
        read_workspace(request).loaded(place)
    except StudyFileError:
        return True
    return False


def save_changes(
    request: Request,
    place: Place,
    version: str,
    changes: Sequence[Change],
    *,
    what: str,
    check: Callable[[Study], None] | None = None,
) -> Study:
    """Change the study file and tell open pages.

    Parameters
    ----------
    request, place
        Who asks, and the study.
    version
        The hash of the study file that the page showed.
    changes
        What is to be changed, see :func:`rarefactor.spec.change_study`.
    what
        In words, for the history.
    check
        Raises where the changed study will not do, besides what :func:`rarefactor.spec.load_text` refuses.

    Raises
    ------
    StaleError
        The study file is another one by now.
    StudyFileError
        What comes out is no study; the file stays as it is.
    """
    if version != place.version:
        raise stale("the study file")
    return save_text(request, place, version, change_study(read_text(place), *changes), what=what, check=check)


def save_text(
    request: Request,
    place: Place,
    version: str,
    text: str,
    *,
    what: str,
    check: Callable[[Study], None] | None = None,
) -> Study:
    """Replace the study file by a text that is a study, and tell open pages; see :func:`save_changes`."""
    study = load_text(text, place.file)
    if check is not None:
        check(study)
    history = read_history(place)
    with history.hold():
        _note_outside(place, version, history)
        data = _encode(place, text)
        write_file(place.file, data)
        history.add(data, kind="change", what=what, who=read_user(request).name)
    return _tell(request, place, study)


def take_back(request: Request, place: Place, version: str, way: Way) -> str:
    """Make the version before the last change current again, or the one that was taken back; say what it was.

    Raises
    ------
    StaleError
        The study file is another one by now.
    WebError
        There is no such version.
    """
    history = read_history(place)
    with history.hold():
        _note_outside(place, version, history)
        target = history.undoable if way == "undo" else history.redoable
        if target is None:
            found = "no change to take back" if way == "undo" else "no change that was taken back"
            raise WebError(Problem(found=found, expected="an earlier change", next_step="Go on from here."))
        data = history.read(target)
        write_file(place.file, data)
        history.add(data, kind=way, what=target.what, who=read_user(request).name)
    read_hub(request).publish(place.name, CHANGED, place.version)
    return target.what


def _note_outside(place: Place, version: str, history: History) -> None:
    """Refuse another version than the page showed; keep one that was made by hand before it is replaced."""
    if version != place.version:
        raise stale("the study file")
    data = place.file.read_bytes()
    last = history.versions[-1:]
    if not last or last[0].sha256 != hashlib.sha256(data).hexdigest():
        what = "Changed outside of these pages" if last else "As it was found"
        history.add(data, kind="outside", what=what, who="")


def _encode(place: Place, text: str) -> bytes:
    """Return the text with the byte order mark that the file had."""
    marked = place.file.read_bytes()[:3].decode("utf-8", "ignore") == _BOM
    return ((_BOM if marked else "") + text).encode()


def _tell(request: Request, place: Place, study: Study) -> Study:
    workspace = read_workspace(request)
    workspace.remember(place, "study", lambda: study, signature=sign_study(place))  # it need not be read again
    read_hub(request).publish(place.name, CHANGED, place.version)
    return study


def read_draft(place: Place) -> Draft | None:
    """Return the text that was written and not saved, where there is one."""
    file = _draft_file(place)
    return Draft(**json.loads(file.read_text("utf-8"))) if file.exists() else None


def keep_draft(place: Place, draft: Draft) -> None:
    """Keep a text that is no study, or not yet saved."""
    _draft_file(place).parent.mkdir(parents=True, exist_ok=True)
    write_file(_draft_file(place), json.dumps({"text": draft.text, "version": draft.version}).encode())


def drop_draft(place: Place) -> None:
    """Forget the draft."""
    _draft_file(place).unlink(missing_ok=True)


def _draft_file(place: Place) -> Path:
    return place.folder / ".rarefactor" / "drafts" / f"{place.file.stem}.json"
