"""When files are the same as before: by what the file system says of them.

Convention: a signature is cheap (no file is opened) and changes with every write; it is never kept on the disk.
Tables count each by itself, images by the folders that hold them. Output folders and hidden ones count for nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Generator, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path

from rarefactor.work import hash_file, read_stat, walk_folders

_TABLES = frozenset(
    {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".yaml", ".yml", ".json", ".jsonl", ".geojson", ".label"}
)


_SEEN: ContextVar[dict[str, tuple[str, ...]] | None] = ContextVar("seen", default=None)
"""What an answer that only reads has found in folders."""


def compute_signature(folder: Path, others: Iterable[Path] = (), *, without: Path | None = None) -> str:
    """Return the signature of a study folder but for one file, and of files that it names elsewhere.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     before = compute_signature(Path(folder))
    ...     written = (Path(folder) / "study.yaml").write_text("id: a")
    ...     compute_signature(Path(folder)) == before
    False
    """
    left_out = f"{without}\0"
    found = (line for line in _look(str(folder)) if not line.startswith(left_out))
    lines = "".join((*found, *(_line(str(each)) for each in others)))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


@contextlib.contextmanager
def look_once() -> Generator[None]:
    """Within it, folders are taken for unchanged once they were looked at: for an answer that changes none."""
    token = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(token)


def _look(folder: str) -> tuple[str, ...]:
    seen = _SEEN.get()
    if seen is None:
        return tuple(_walk(folder))
    if folder not in seen:
        seen[folder] = tuple(_walk(folder))
    return seen[folder]


def read_version(file: Path) -> str:
    """Return the hash of the file's bytes: what a change names as the version that it was made from."""
    return hash_file(file)


def _walk(folder: str) -> Iterator[str]:
    for place, held in walk_folders(folder):
        if place != folder:
            yield f"{place}\0{held.changed_ns}\0{held.inode}\n"
        yield from (_line(f"{place}{os.sep}{name}") for name in held.files if _is_table(name))


def _is_table(name: str) -> bool:
    return name[name.rfind(".") :].lower() in _TABLES


def _line(path: str) -> str:
    found = read_stat(path)
    if found is None:
        return f"{path}\0-\n"
    return f"{path}\0{found.st_mtime_ns}\0{found.st_size}\0{found.st_ino}\n"
