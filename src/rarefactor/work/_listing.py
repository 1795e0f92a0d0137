"""What folders hold, read again only where they have changed.

Convention: hidden names count for nothing. A folder's own time tells that something in it came or went; one that has
changed within the last seconds is read again all the same, since some file systems count time in steps of 2 s.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rarefactor.work._folder import MANIFEST

_STEP_NS = 3_000_000_000
_FOLDERS = 100_000
_PROVENANCE, _ = MANIFEST.split("/")
"""The folder in which an output says that it is one."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of the folders and of the files in a folder, each in their order, without hidden ones.

    ``changed_ns``, ``inode`` and ``device`` are the folder's own, by which it was known to be as it was.
    """

    folders: tuple[str, ...]
    files: tuple[str, ...]
    changed_ns: int
    inode: int
    device: int


def list_folder(path: str) -> Listing:
    """Return what a folder holds, links counted as what they lead to.

    Raises
    ------
    OSError
        There is no such folder, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.mkdir(os.path.join(folder, "mri"))
    ...     held = list_folder(folder)
    >>> held.folders, held.files
    (('mri',), ())
    """
    found = os.stat(path)  # noqa: PTH116 - a thousand folders in milliseconds
    if time.time_ns() - found.st_mtime_ns < _STEP_NS:
        return _read(path, found.st_mtime_ns, found.st_ino, found.st_dev)
    return _recall(path, found.st_mtime_ns, found.st_ino, found.st_dev)


def walk_folders(path: str) -> Iterator[tuple[str, Listing]]:
    """Yield a folder and all below it with what they hold, each before those in it, but for finished outputs of a run.

    What is not there or cannot be read holds nothing: whoever needs it says so. A link to a folder that it lies in is
    not followed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(os.path.join(folder, "data", "mri"))
    ...     [os.path.basename(each) for each, _ in walk_folders(folder)][1:]
    ['data', 'mri']
    """
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(path, frozenset())]
    while waiting:
        folder, above = waiting.pop()
        try:
            held = list_folder(folder)
        except OSError:
            continue
        if folder != path and _PROVENANCE in held.folders and os.path.exists(f"{folder}{os.sep}{MANIFEST}"):  # noqa: PTH110 - as above
            continue
        itself = (held.device, held.inode)
        if itself in above:
            continue
        yield folder, held
        if held.folders:
            around = above | {itself}
            waiting += [(f"{folder}{os.sep}{name}", around) for name in reversed(held.folders)]


def read_stat(path: str) -> os.stat_result | None:
    """Return what the file system says of a file, None where it is gone or a link leads nowhere."""
    try:
        return os.stat(path)  # noqa: PTH116 - thousands of files
    except OSError:
        return None


def _read(path: str, changed_ns: int, inode: int, device: int) -> Listing:
    with os.scandir(path) as entries:
        found = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    return Listing(
        folders=tuple(name for name, is_folder in found if is_folder),
        files=tuple(name for name, is_folder in found if not is_folder),
        changed_ns=changed_ns,
        inode=inode,
        device=device,
    )


_recall = lru_cache(maxsize=_FOLDERS)(_read)
