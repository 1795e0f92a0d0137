"""What the images of a study gave, for someone who waits: kept under the times and sizes of their files.

Convention: a run measures by the content of the files and stores what it found; a page reads that without opening an
image, and takes it for unknown as soon as a file, or how it is measured, changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rarefactor.results import Measured, read_measured, write_measured
from rarefactor.spec import Study
from rarefactor.work import Cache, code_key, content_key, read_packed, read_stat, walk_folders, write_packed

_CODE = Path(__file__).parent
_MEASURING = ("imaging", "pathology", "readings")


def has_images(study: Study) -> bool:
    """Whether a study has scans or slides."""
    return bool(study.imaging or study.pathology)


def store(cache: Cache, key: str, measured: Sequence[Measured]) -> None:
    """Keep what the images gave under the key that they had before they were measured."""
    cache.put(key, write_packed(write_measured(measured)))


def read_stored(cache: Cache, key: str) -> tuple[Measured, ...] | None:
    """Return what the images of a key gave, None where they are still to be measured."""
    stored = cache.get(key)
    return None if stored is None else read_measured(read_packed(stored))


def key_images(study: Study, path: Path) -> str:
    """Return the key of what images give: how they are measured, and every file that they may be measured from.

    Visits and records count too: a rate needs the days of its scans, and a file is filed under a patient's id.
    """
    asked = study.model_dump(mode="json", include={"imaging", "pathology", "cohort"})
    code = [code_key(_CODE / name) for name in _MEASURING]
    sources = (*study.imaging.values(), *study.pathology.values())
    home = study.folder.resolve()
    folders = dict.fromkeys([home, *((home / each.folder).resolve() for each in sources if each.folder)])
    own = str(path.resolve())
    files = (line for line in _list_files(map(str, folders)) if line[0] != own)
    inside = f"{home}{os.sep}"
    listed = "".join(f"{name.removeprefix(inside)}\0{changed_ns}\0{size}\n" for name, changed_ns, size in files)
    return content_key("images", code, asked, listed.encode("utf-8", "surrogateescape"))


def _list_files(folders: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Give path, time and size of each file below some folders, in order; one inside another is not read again."""
    seen = set[str]()
    for folder in folders:
        for place, held in walk_folders(folder) if folder not in seen else ():
            seen.add(place)
            for path in (f"{place}{os.sep}{name}" for name in held.files):
                if (found := read_stat(path)) is not None:
                    yield path, found.st_mtime_ns, found.st_size
