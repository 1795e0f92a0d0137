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

from rarefactor.work import MANIFEST, hash_file

_TABLES = frozenset(
    {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".yaml", ".yml", ".json", ".jsonl", ".geojson", ".label"}
)


_Key = tuple[str, tuple[str, ...]]
_SEEN: ContextVar[dict[_Key, str] | None] = ContextVar("seen", default=None)
"""What an answer that only reads has signed."""
_LISTING, _ = MANIFEST.split("/")
"""The folder in which an output says that it is one."""


def compute_signature(folder: Path, others: Iterable[Path] = ()) -> str:
    """Return the signature of a study folder, and of files that it names elsewhere.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     before = compute_signature(Path(folder))
    ...     written = (Path(folder) / "study.yaml").write_text("id: a")
    ...     compute_signature(Path(folder)) == before
    False
    """
    beside = tuple(map(str, others))
    seen = _SEEN.get()
    if seen is None:
        return _sign(str(folder), beside)
    key = (str(folder), beside)
    if key not in seen:
        seen[key] = _sign(*key)
    return seen[key]


@contextlib.contextmanager
def look_once() -> Generator[None]:
    """Within it, files are taken for unchanged once they were looked at: for an answer that changes none."""
    token = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(token)


def _sign(folder: str, others: tuple[str, ...]) -> str:
    lines = "".join((*_walk(folder), *map(_line, others)))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def read_version(file: Path) -> str:
    """Return the hash of the file's bytes: what a change names as the version that it was made from."""
    return hash_file(file)


def _walk(folder: str, *, below: bool = False) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    if below:
        if any(entry.name == _LISTING for entry in entries) and os.path.exists(f"{folder}/{MANIFEST}"):  # noqa: PTH110 - a thousand folders in milliseconds
            return
        yield _line(folder)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=True):
            yield from _walk(entry.path, below=True)
        elif entry.name[entry.name.rfind(".") :].lower() in _TABLES:
            yield _line(entry.path)


def _line(path: str) -> str:
    try:
        stat = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return f"{path}\0-\n"
    return f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_ino}\n"
