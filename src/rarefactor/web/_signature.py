"""When files are the same as before: by what the file system says of them.

Convention: a signature is cheap (no file is opened) and changes with every write; it is never kept on the disk.
Tables count each by itself, images by the folders that hold them. Output folders and hidden ones count for nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rarefactor.work import MANIFEST, hash_file

_TABLES = frozenset(
    {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".yaml", ".yml", ".json", ".jsonl", ".geojson", ".label"}
)


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
    digest = hashlib.sha256()
    for line in (*_walk(str(folder)), *(_line(str(path)) for path in others)):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_version(file: Path) -> str:
    """Return the hash of the file's bytes: what a change names as the version that it was made from."""
    return hash_file(file)


def _walk(folder: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=True):
            if not os.path.exists(f"{entry.path}/{MANIFEST}"):  # noqa: PTH110 - a thousand folders in milliseconds
                yield _line(entry.path)
                yield from _walk(entry.path)
        elif os.path.splitext(entry.name)[1].lower() in _TABLES:  # noqa: PTH122 - as above
            yield _line(entry.path)


def _line(path: str) -> str:
    try:
        stat = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return f"{path}\0-\n"
    return f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_ino}\n"
