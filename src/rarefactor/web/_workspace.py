"""Which studies there are, and what is known of them while their files stay as they are.

Convention: the state is the folder; what is kept in memory is kept under the signature of the files it was made from,
and may be forgotten at any time. A path that a page names never leads out of its study's folder.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

from rarefactor import spec
from rarefactor.errors import Problem, RarefactorError
from rarefactor.templates import STUDY_FILE
from rarefactor.web._errors import ForbiddenError, unknown
from rarefactor.web._signature import compute_signature, read_version
from rarefactor.work import content_key

Value = TypeVar("Value")

_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A study and where it stands."""

    name: str
    file: Path

    @property
    def folder(self) -> Path:
        """The folder of the study file, from which its paths start."""
        return self.file.parent

    @property
    def out(self) -> Path:
        """Where a run writes."""
        return self.folder / "out"

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"/studies/{quote(self.name, safe='')}"

    @property
    def version(self) -> str:
        """The hash of the study file as it is now."""
        return read_version(self.file)


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The studies that a server serves: one, or those of a folder.

    ``home`` is a study file, a folder that holds ``study.yaml``, or a folder of such folders, which may be empty.
    """

    home: Path
    _known: OrderedDict[tuple[str, str], tuple[str, Any]] = field(default_factory=OrderedDict)
    _locks: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def folder(self) -> Path | None:
        """Where new studies go; None where one study alone is served."""
        return self.home if self.home.is_dir() and not (self.home / STUDY_FILE).exists() else None

    def places(self) -> tuple[Place, ...]:
        """Return the studies, by name."""
        if self.home.is_file():
            return (Place(name=_name(self.home), file=self.home),)
        if (self.home / STUDY_FILE).exists():
            return (Place(name=self.home.name, file=self.home / STUDY_FILE),)
        found = sorted(self.home.glob(f"*/{STUDY_FILE}"))
        return tuple(Place(name=file.parent.name, file=file) for file in found if not file.parent.name.startswith("."))

    def place(self, name: str) -> Place:
        """Return a study.

        Raises
        ------
        UnknownError
            There is none of this name.
        """
        for place in self.places():
            if place.name == name:
                return place
        raise unknown("study of this name")

    def signature(self, place: Place) -> str:
        """Return what changes when a file of the study changes."""
        return compute_signature(place.folder, [place.file])

    def loaded(self, place: Place) -> spec.Study:
        """Return the study as written.

        Raises
        ------
        StudyFileError
            See :func:`rarefactor.spec.load`.
        """
        return self.remember(place, "study", lambda: spec.load(place.file), signature=sign_study(place))

    def remember(self, place: Place, what: str, compute: Callable[[], Value], *, signature: str | None = None) -> Value:
        """Return what ``compute`` gives, or gave while the study's files were as they are now; so with its errors.

        ``what`` names it among the things kept of a study. Two pages that ask at once wait for one computation. A
        ``signature`` stands for what it was made from, where that is not all files of the study; an error, which names
        lines of the study file, is kept while that file stays, too.
        """
        key = (str(place.file), what)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            signature = self.signature(place) if signature is None else signature
            kept, value = self._known.get(key, ("", None))
            if kept != _sign_kept(place, signature, value):
                value = _try(compute)
            # what was there is kept anew too: the least recently used goes first
            self._keep(key, _sign_kept(place, signature, value), value)
        if isinstance(value, RarefactorError):
            raise value.with_traceback(None)
        return cast("Value", value)

    def _keep(self, key: tuple[str, str], signature: str, value: Any) -> None:
        with self._lock:
            self._known[key] = (signature, value)
            self._known.move_to_end(key)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def within(self, place: Place, *parts: str) -> Path:
        """Return a path inside the study's folder.

        Raises
        ------
        ForbiddenError
            It leads out of the folder, by ``..``, an absolute path or a link.
        """
        root = place.folder.resolve()
        path = root.joinpath(*parts).resolve() if "\0" not in "".join(parts) else root.parent
        if not path.is_relative_to(root):
            raise ForbiddenError(
                Problem(
                    found="a path that leads out of the study's folder",
                    expected="a file of the study",
                    next_step="Copy the file into the study's folder.",
                )
            )
        return path


def _sign_kept(place: Place, signature: str, value: object) -> str:
    return f"{signature} {sign_study(place)}" if isinstance(value, RarefactorError) else signature


def sign_study(place: Place) -> str:
    """Return what changes when the study file does, whatever becomes of its data."""
    return sign_files(place, [place.file])


def sign_files(place: Place, files: Iterable[Path]) -> str:
    """Return what changes when one of these files does."""
    return compute_signature(place.folder / ".rarefactor" / "none", files)


def sign_data(place: Place) -> str:
    """Return what changes when a file of the study does that is not the study file."""
    return compute_signature(place.folder, without=place.file)


def sign_images(place: Place, study: spec.Study, what: str, folders: Iterable[str], beside: Iterable[str] = ()) -> str:
    """Return what changes with images, whose they are and how they are measured: not with what readers do.

    ``what`` is the part of the study file that says how, ``folders`` where they lie, ``beside`` what tells of them.
    """
    tables = [place.folder / source.file for source in study.cohort.records.values()]
    tables += [place.folder / each for each in (study.cohort.dictionary, *beside) if each]
    files = [compute_signature(place.folder / folder, [place.folder / folder, *tables]) for folder in folders]
    return content_key(what, study.model_dump_json(include={"cohort", what}), study.analysis.level, files)


def _name(file: Path) -> str:
    return file.parent.name if file.name == STUDY_FILE else file.stem


def _try(compute: Callable[[], Value]) -> Value | RarefactorError:
    try:
        return compute()
    except RarefactorError as error:
        return error
