"""Slides that are looked at: those of a study, open ones, and what was counted on them.

Convention: everything here may be forgotten at any time; it is kept under what the file system says of a slide's files
and under what readers left out of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from fastapi import Request

from rarefactor import pathology
from rarefactor.errors import InputError, Problem
from rarefactor.web._errors import unknown
from rarefactor.web._known import find_images
from rarefactor.web._log import sign_log
from rarefactor.web._page import read_place, read_workspace
from rarefactor.web._workspace import Place, sign_images
from rarefactor.work import Cache, code_key

Value = TypeVar("Value")
_CODE = Path(pathology.__file__).parent
_OPEN, _LOOKED, _STORED, _DRAWN = 8, 24, 5000, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Slides:
    """The slides of a study, by name, as its file and its readers have them now."""

    place: Place
    asked: pathology.Plan
    by_name: Mapping[str, pathology.SlideFile]

    @property
    def stains(self) -> tuple[str, ...]:
        """What the slides are stained for, in the study's order."""
        held = {each.stain for each in self.by_name.values()}
        return tuple(each for each in self.asked.settings.readings if each in held)

    def find(self, name: str) -> pathology.SlideFile:
        """Return a slide.

        Raises
        ------
        UnknownError
            There is none of this name.
        """
        if name not in self.by_name:
            raise unknown("slide of this name")
        return self.by_name[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a line of the list says of a slide: its numbers, what is doubtful, or why it was not measured."""

    numbers: pathology.MovedNumbers | None = None
    flags: Sequence[str] = ()
    problems: Sequence[Problem] = ()


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """Things by name, the least recently used of which go; each under what it was made from, made once at a time."""

    size: int
    close: Callable[[Any], None] = lambda _: None
    _held: OrderedDict[Hashable, tuple[Hashable, Any]] = field(default_factory=OrderedDict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _making: dict[Hashable, threading.Lock] = field(default_factory=dict)

    def get(self, key: Hashable, made_from: Hashable, make: Callable[[], Value]) -> Value:
        """Return what is kept under the key, made anew where it was made from something else."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            known = self._find(key, made_from)
            if known is not None:
                return cast("Value", known)
            made = make()
            if made is not None:
                self._keep(key, made_from, made)
        return made

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            held = [value for _, value in self._held.values()]
            self._held.clear()
        for each in held:
            self.close(each)

    def _find(self, key: Hashable, made_from: Hashable) -> Any:
        with self._lock:
            kept, value = self._held.get(key, (None, None))
            if value is None or kept != made_from:
                return None
            self._held.move_to_end(key)
            return value

    def _keep(self, key: Hashable, made_from: Hashable, value: Any) -> None:
        with self._lock:
            _, before = self._held.pop(key, (None, None))
            self._held[key] = (made_from, value)
            gone = [] if before is None else [before]
            while len(self._held) > self.size:
                gone.append(self._held.popitem(last=False)[1][1])
        for each in gone:
            self.close(each)


@dataclass(slots=True, kw_only=True)
class Desk:
    """What is kept of the slides that someone looks at."""

    _views: _Shelf = field(default_factory=lambda: _Shelf(size=_OPEN, close=lambda view: view.close()))
    _looked: _Shelf = field(default_factory=lambda: _Shelf(size=_LOOKED))
    _stored: _Shelf = field(default_factory=lambda: _Shelf(size=_STORED))
    _listed: _Shelf = field(default_factory=lambda: _Shelf(size=_STORED))
    _drawn: _Shelf = field(default_factory=lambda: _Shelf(size=_DRAWN))

    def keep(self, key: Hashable, made_from: Hashable, make: Callable[[], Value]) -> Value:
        """Return what is drawn for a reader's page, made anew where it was made from something else."""
        return self._drawn.get(key, made_from, make)

    def close(self) -> None:
        """Let go of all open slides."""
        self._views.clear()

    def view(self, file: pathology.SlideFile) -> pathology.View:
        """Return an open slide."""
        return self._views.get(file.path, _stat(file.path), lambda: pathology.View(file.path))

    def look(
        self, slides: Slides, file: pathology.SlideFile, *, only_known: bool = False
    ) -> pathology.Looked | pathology.Unmeasured | None:
        """Return a slide as it was measured; it is measured now where it was not, unless ``only_known``."""

        def make() -> pathology.Looked | pathology.Unmeasured | None:
            cache = Cache(slides.place.folder / ".rarefactor" / "cache")
            return pathology.look(slides.asked, file, code=code_key(_CODE), cache=cache, only_known=only_known)

        return self._looked.get((slides.place.file, file.name), _sign(slides, file), make)

    def store(self, slides: Slides, file: pathology.SlideFile) -> pathology.Stored | None:
        """Return what little gives a slide's number at any threshold; None where it was not measured."""

        def make() -> pathology.Stored | None:
            looked = self.look(slides, file, only_known=True)
            return pathology.make_stored(looked) if isinstance(looked, pathology.Looked) else None

        return self._stored.get((slides.place.file, file.name), _sign(slides, file), make)

    def list_slide(self, slides: Slides, file: pathology.SlideFile) -> Listed | None:
        """Return what a line of the list says of a slide; None where it was not measured."""
        reading = slides.asked.settings.reading(file.stain)

        def make() -> Listed | None:
            found = self.look(slides, file, only_known=True)
            if isinstance(found, pathology.Looked):
                flags = [each.detail for each in found.flags if each.severity is not pathology.Severity.NOTE]
                return Listed(numbers=pathology.compute_moved(found, reading), flags=flags)
            return Listed(problems=found.problems) if found else None

        made_from = (_sign(slides, file), reading.threshold)
        return self._listed.get((slides.place.file, file.name), made_from, make)

    def preview(
        self, slides: Slides, looked: pathology.Looked, outlines: Sequence[pathology.Outline]
    ) -> pathology.Looked | None:
        """Return a slide with the regions that are drawn on its page left out, None where that takes too long.

        It is the slide itself where they are those that were saved.
        """
        saved = looked.file.excluded.outlines if looked.file.excluded else ()
        if set(saved) == set(outlines):
            return looked
        made_from = (_sign(slides, looked.file), tuple(outlines))
        return self._drawn.get(
            (slides.place.file, looked.file.name, "preview"), made_from, lambda: pathology.preview(looked, outlines)
        )

    def store_all(self, slides: Slides, stain: str) -> Iterator[tuple[str, pathology.Stored]]:
        """Yield what is known of the slides of a stain by their names, those of patients."""
        for file in slides.asked.slides:
            if file.stain == stain and (found := self.store(slides, file)) is not None:
                yield file.name, found


def read_desk(request: Request) -> Desk:
    """Return what is kept of slides."""
    return request.app.state.desk


def read_slides(request: Request, study: str) -> Slides:
    """Return the slides of the study of an address.

    Raises
    ------
    UnknownError
        There is no such study.
    InputError
        It has no slides.
    """
    found = find_slides(request, read_place(request, study))
    if found is None:
        raise InputError(
            Problem(
                found="a study without slides",
                expected="pathology: in the study file, with a folder of slides",
                next_step="Add pathology: to the study file; its documentation shows how.",
            )
        )
    return found


def find_slides(request: Request, place: Place) -> Slides | None:
    """Return the slides of a study, None where it has none."""
    workspace = read_workspace(request)
    loaded = workspace.loaded(place)
    sources = loaded.pathology.values()
    beside = [each for source in sources for each in (source.manifest, source.scores) if each]
    sign = sign_images(place, loaded, "pathology", [each.folder for each in sources if each.folder], beside)
    asked = workspace.remember(place, "slides", lambda: find_images(workspace, place, loaded).slides, signature=sign)
    if asked is None or not asked.all:
        return None
    by_name = workspace.remember(
        place, "slides by name", lambda: _name(place, asked.all), signature=f"{sign} {sign_log(place)}"
    )
    return Slides(place=place, asked=asked, by_name=by_name)


def _name(place: Place, files: Iterable[pathology.SlideFile]) -> Mapping[str, pathology.SlideFile]:
    return {each.name: each for each in pathology.derive_excluded(place.folder, files)}


def read_tile_place(text: str) -> pathology.Place:
    """Return the level, column and row of a tile's address, such as ``11_0_2``.

    Raises
    ------
    UnknownError
        It is none.
    """
    words = text.split("_")
    if len(words) != 3 or not all(word.isdecimal() and len(word) < 7 for word in words):
        raise unknown("tile at this address")
    level, column, row = map(int, words)
    return level, column, row


def _sign(slides: Slides, file: pathology.SlideFile) -> Hashable:
    """Return what a slide's counts are made from, its threshold left out: counts hold for all."""
    reading = slides.asked.settings.reading(file.stain)
    how = (reading.measure, reading.compartment, reading.denominator, reading.detector, reading.detector_content)
    beside = (_stat(file.path.with_name(f"{file.path.name}.json")), _stat(file.path.with_suffix(".json")))
    regions = _stat(file.regions) if file.regions else None
    left_out = (file.excluded.sha256, file.excluded.outlines) if file.excluded else None
    return _stat(file.path), beside, regions, left_out, how, slides.asked.settings.um_per_px


def _stat(path: Path) -> Hashable:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
