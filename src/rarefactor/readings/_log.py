"""The log and its files in a study's folder ``readings``.

Convention: ``log.jsonl`` holds a line for each reading; a file lies below ``files`` under its SHA-256. A line is added
under a lock, after its file is on the disk, so that two programs may read and write at the same time and a power cut
costs at most the line that was being written. A line that cannot be read is told and kept; the others count.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from rarefactor.errors import DataError, InputError, Problem, StaleError
from rarefactor.readings._line import read_line, write_line
from rarefactor.readings._model import Draft, Reading, Readings, number_reading
from rarefactor.work import hash_file, output_errors, write_file

FOLDER = "readings"
LOG = f"{FOLDER}/log.jsonl"
_FILES, _LOCK = "files", ".lock"
_LOGS, _LINES = 4, 2**16
"""Of how many logs and lines what they say is kept, under their bytes."""


def read_readings(study: Path) -> Readings:
    """Return the log of a study's folder; empty where nobody has read anything.

    Raises
    ------
    DataError
        The log is there and cannot be opened.
    """
    return _read_log(_read_bytes(study / LOG))


@lru_cache(maxsize=_LOGS)
def _read_log(data: bytes) -> Readings:
    entries: list[Reading] = []
    damaged: list[Problem] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        read = _try_line(line)
        if read is None:
            damaged.append(_damaged(number))
        else:
            entries.append(read)
    return Readings(entries=tuple(entries), damaged=tuple(damaged))


@lru_cache(maxsize=_LINES)
def _try_line(line: bytes) -> Reading | None:
    """Return the reading of a line, None where it holds none; a log only grows, so most lines were read before."""
    try:
        return read_line(line)
    except (ValueError, TypeError, KeyError, AttributeError, InputError):
        return None


def add_reading(
    study: Path, draft: Draft, *, data: bytes | None = None, ending: str = "", seen: int | None = None
) -> Reading:
    """Write a reading down and return it with its version.

    Parameters
    ----------
    study
        The folder of the study.
    data, ending
        The content of the file that belongs to the reading, and its ending, such as ``.nii.gz``.
    seen
        The version that the reader looked at when they began (0 for none): where another was saved meanwhile, nothing
        is written. None does not ask.

    Raises
    ------
    StaleError
        The place has another version than ``seen``.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> folder = Path(tempfile.mkdtemp())
    >>> draft = Draft(kind="mask", reader="Ada", when=datetime(2026, 1, 2, tzinfo=UTC), subject="a1", place="month_3")
    >>> reading = add_reading(folder, draft, data=b"a mask", ending=".nii.gz", seen=0)
    >>> reading.version, read_file(folder, reading)
    (1, b'a mask')
    """
    with _locked(study) as folder:
        file = _keep(folder, data, ending) if data is not None else None
        return _append(study, number_reading(draft, file), seen)


def add_readings(study: Path, drafts: Sequence[Draft]) -> tuple[Reading, ...]:
    """Write several readings down at once, as one look at an image gives them; raises as :func:`add_reading`.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC
    >>> folder, when = Path(tempfile.mkdtemp()), datetime(2026, 1, 2, tzinfo=UTC)
    >>> names = {"kind": "grade", "reader": "Ada", "when": when, "subject": "a1", "place": "month_3"}
    >>> [each.version for each in add_readings(folder, [Draft(**names, item=item) for item in ("VL", "VM", "VL")])]
    [1, 1, 2]
    """
    with _locked(study):
        latest = {each.key: each.version for each in read_readings(study).entries}
        found: list[Reading] = []
        for draft in drafts:
            latest[draft.key] = latest.get(draft.key, 0) + 1
            found.append(replace(number_reading(draft, None), version=latest[draft.key]))
        _write(study, found)
    return tuple(found)


def restore_reading(study: Path, earlier: Reading, *, reader: str, when: datetime, seen: int | None = None) -> Reading:
    """Bring an earlier version back, as a new one of whoever asks for it; raises as :func:`add_reading`."""
    reason = f"version {earlier.version} brought back"
    again = replace(earlier, reader=reader, when=when, restores=earlier.version, reason=reason)
    with _locked(study):
        return _append(study, again, seen)


def withdraw_reading(study: Path, latest: Reading, *, reader: str, when: datetime, seen: int | None = None) -> Reading:
    """Take back all that was read of a place, by a new version that says so; raises as :func:`add_reading`."""
    empty = replace(latest, reader=reader, when=when, content={}, file=None, restores=None)
    with _locked(study):
        return _append(study, replace(empty, reason="taken back", withdrawn=True), seen)


def read_file(study: Path, reading: Reading) -> bytes:
    """Return the content of the file that belongs to a reading.

    Raises
    ------
    DataError
        The reading has no file, or the file is missing or no longer what was saved.
    """
    return find_file(study, reading).read_bytes()


def find_file(study: Path, reading: Reading) -> Path:
    """Return where the file of a reading lies; raises as :func:`read_file`."""
    path = study / FOLDER / _FILES / Path(reading.file or "none").name
    if not path.is_file() or hash_file(path) != path.name.partition(".")[0]:
        raise DataError(_lost(path.name))
    return path


def _append(study: Path, reading: Reading, seen: int | None) -> Reading:
    """Add a line, whose version is the next of its place; the lock is held."""
    history = read_readings(study).history(reading.key)
    latest = history[-1].version if history else 0
    if seen is not None and seen != latest:
        raise StaleError(_stale(seen, history[-1] if history else None))
    numbered = replace(reading, version=latest + 1)
    _write(study, [numbered])
    return numbered


def _write(study: Path, numbered: Sequence[Reading]) -> None:
    """Add lines in one write; the lock is held."""
    path = study / LOG
    with output_errors(path), path.open("ab") as file:
        start = b"\n" if _is_cut_off(path) else b""
        file.write(start + b"".join(write_line(each) for each in numbered))
        file.flush()
        os.fsync(file.fileno())


def _is_cut_off(path: Path) -> bool:
    """Whether the last line has no end, as a power cut leaves it."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _keep(folder: Path, data: bytes, ending: str) -> str:
    name = hashlib.sha256(data).hexdigest() + ending
    path = folder / _FILES / name
    if not path.is_file() or hash_file(path) != name.partition(".")[0]:
        with output_errors(path):
            path.parent.mkdir(exist_ok=True)
        write_file(path, data)
    return name


@contextlib.contextmanager
def _locked(study: Path) -> Generator[Path]:
    """Make the folder and hold it for one writer."""
    folder = study / FOLDER
    with output_errors(folder):
        folder.mkdir(exist_ok=True)
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(handle)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise DataError(
            Problem(
                file=LOG,
                found=(error.strerror or type(error).__name__).lower(),
                expected="a log that can be read",
                next_step="Check its permissions.",
            )
        ) from error


def _damaged(line: int) -> Problem:
    return Problem(
        file=LOG,
        line=line,
        found="a line that is cut off or was changed",
        expected="a line as it was written",
        next_step="Restore the file from a backup, or do that reading again; the other lines count.",
    )


def _lost(name: str) -> Problem:
    return Problem(
        file=f"{FOLDER}/{_FILES}/{name}",
        found="a reading whose file is missing or was changed",
        expected="the file as it was saved",
        next_step="Restore it from a backup, or bring an earlier version back.",
    )


def _stale(seen: int, latest: Reading | None) -> Problem:
    now = f"version {latest.version}, which {latest.reader} saved meanwhile" if latest else "no version at all"
    return Problem(
        file=LOG,
        found=now,
        expected=f"version {seen}, which you looked at" if seen else "no version, as when you began",
        next_step="Load the page again, look at what was changed, and make your change there.",
    )
