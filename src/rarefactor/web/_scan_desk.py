"""The scans of a study, for the pages that look at them: which there are, what is known of each, its images.

Convention: nothing is measured here. What is kept may be forgotten at any time; a file is hashed once for as long as
the file system says that it is the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import Request

from rarefactor import imaging, study
from rarefactor.errors import InputError, Problem
from rarefactor.readings import Reading
from rarefactor.spec import Study
from rarefactor.web._known import find_images
from rarefactor.web._log import read_log, sign_log
from rarefactor.web._page import read_place, read_workspace
from rarefactor.web._workspace import Place, Workspace, sign_images
from rarefactor.work import Cache, content_key, hash_file

CODE = study.scan_code()
_HASHES = 200_000


@dataclass(slots=True, kw_only=True)
class Listed:
    """The list of all scans, and what was known of each patient when it was made."""

    gists: tuple[imaging.Gist | None, ...] = ()
    scans: tuple[imaging.ListedScan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """The scans of a study as its files and its readers have them now."""

    place: Place
    study: Study
    asked: imaging.Plan
    signed: str
    """What changes with the images and with how they are measured."""
    known: dict[tuple[str, ...], imaging.Gist]
    """What was measured, by patient and by whose masks; kept while images and study file stay."""
    unknown: dict[tuple[str, ...], str]
    """Of whom nothing was, and the state of the cache when it was looked for."""
    listed: Listed

    @property
    def cache(self) -> Cache:
        """Where measurements are kept."""
        return study.open_cache(self.study)

    def gist(self, patient: str) -> imaging.Gist | None:
        """What was measured in a patient, None where nothing was since files or masks changed."""
        return self._read([each for each in self.asked.patients if each.patient == patient])[0]

    def list_all(self) -> tuple[imaging.ListedScan, ...]:
        """Every scan with what is known of it."""
        gists = self._read(self.asked.patients)
        if self.listed.gists != gists:
            self.listed.gists, self.listed.scans = gists, imaging.list_scans(self.asked, gists)
        return self.listed.scans

    def _read(self, patients: Sequence[imaging.PatientFiles]) -> tuple[imaging.Gist | None, ...]:
        by_key = {_name(each): each for each in patients}
        missing = {key: files for key, files in by_key.items() if key not in self.known}
        if missing:
            self._look_for(missing)
        return tuple(self.known.get(key) for key in by_key)

    def _look_for(self, missing: Mapping[tuple[str, ...], imaging.PatientFiles]) -> None:
        """Read what is kept of patients, unless it was looked for since anything was kept last."""
        cache = self.cache
        state = _sign_cache(cache)
        for key, files in missing.items():
            if self.unknown.get(key) == state:
                continue
            found = imaging.read_gist(files, self.asked, cache, code=CODE, hasher=remember_hash)
            if found is None:
                self.unknown[key] = state
            else:
                self.known[key] = found

    def history(self, patient: str, visit: str) -> tuple[Reading, ...]:
        """All corrections of a scan's mask, the oldest first."""
        return read_log(self.place).history((imaging.MASK, patient, visit, "", None))

    def images(self, patient: str, visit: str) -> dict[str, bytes]:
        """The images of a scan as NIfTI, by name."""
        shown = imaging.read_shown(self.asked, patient, visit, cache=self.cache, code=CODE, hasher=remember_hash)
        return dict(shown)

    def fraction(self, patient: str, visit: str) -> bytes | None:
        """The fat fraction of a scan as it was measured, as NIfTI."""
        return imaging.read_fraction(self.asked, patient, visit, cache=self.cache, code=CODE, hasher=remember_hash)

    def drawn(self, patient: str, visit: str) -> imaging.Drawn | None:
        """The regions that a scan was measured within, and what the viewer shows of it first."""
        return imaging.read_drawn(self.asked, patient, visit, cache=self.cache, code=CODE, hasher=remember_hash)

    def mask(self, patient: str, visit: str) -> bytes | None:
        """The regions that a scan was measured within, as NIfTI."""
        drawn = self.drawn(patient, visit)
        return drawn.mask if drawn else None


def has_scans(loaded: Study) -> bool:
    """Tell whether a study names a folder of scans."""
    return any(each.folder for each in loaded.imaging.values())


def read_scans(request: Request, name: str) -> Scans:
    """Return the scans of the study of an address.

    Raises
    ------
    UnknownError
        There is no such study.
    InputError
        It has no scans.
    """
    return collect_scans(read_workspace(request), read_place(request, name))


def collect_scans(workspace: Workspace, place: Place) -> Scans:
    """Return the scans of a study; see :func:`read_scans`."""
    loaded = workspace.loaded(place)
    folder = next((each.folder for each in loaded.imaging.values()), None)
    if folder is None:
        raise InputError(_without())
    sign = sign_images(place, loaded, "imaging", [folder])
    asked = workspace.remember(place, "scans", lambda: _plan(workspace, place, loaded), signature=sign)
    known = workspace.remember(place, "gists of scans", dict[tuple[str, ...], imaging.Gist], signature=sign)
    unknown = workspace.remember(place, "scans without a gist", dict[tuple[str, ...], str], signature=sign)
    listed = workspace.remember(place, "scans listed", Listed, signature=sign)
    renewed = workspace.remember(
        place, "scans as corrected", lambda: imaging.renew_corrected(asked, place.folder),
        signature=f"{sign} {sign_log(place)}",
    )  # fmt: skip
    return Scans(place=place, study=loaded, asked=renewed, signed=sign, known=known, unknown=unknown, listed=listed)


def _name(files: imaging.PatientFiles) -> tuple[str, ...]:
    """A patient and by whose masks the visits are measured."""
    return files.patient, *(each.corrected.source if each.corrected else "" for each in files.visits)


def remember_hash(path: Path) -> str:
    """Return the SHA-256 of a file, read once while its size and times stay."""
    found = path.stat()
    return _hash(path, found.st_mtime_ns, found.st_size, found.st_ino)


def _sign_cache(cache: Cache) -> str:
    """Return what changes when something is put into a cache: the times of its folders."""
    try:
        times = sorted((each.name, each.stat().st_mtime_ns) for each in os.scandir(cache.folder))
    except OSError:
        times = []
    return content_key(times)


@lru_cache(maxsize=_HASHES)
def _hash(path: Path, *_: int) -> str:
    return hash_file(path)


def _plan(workspace: Workspace, place: Place, study: Study) -> imaging.Plan:
    found = find_images(workspace, place, study).scans
    if found is None:
        raise InputError(_without())
    return found


def _without() -> Problem:
    return Problem(
        found="a study without scans",
        expected="imaging: in the study file, with a folder of scans",
        next_step="Add imaging: to the study file; its documentation shows how.",
    )
