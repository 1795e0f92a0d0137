"""Every version of a file, so that a change can be taken back: appended to, never overwritten.

Convention: a version is a numbered entry (``000001.json``) that says who made it, when and what was done, and names its
content by hash; contents lie beside. Taking back adds an entry too. The file itself is written by whoever owns it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from rarefactor.work._file import output_errors, write_file, write_new

Kind = Literal["change", "outside", "undo", "redo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: ``outside`` is what was found in the file that nobody had saved here; ``when`` is UTC, ISO 8601."""

    number: int
    sha256: str
    kind: Kind
    what: str
    who: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All versions, the first first, and those that taking back and making again give."""

    versions: tuple[Version, ...]
    undoable: Version | None
    redoable: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The versions of one file, kept in a folder of their own.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = History(folder=Path(folder) / "history")
    ...     for text in (b"a", b"b"):
    ...         _ = history.add(text, kind="change", what=f"wrote {text.decode()}", who="me")
    ...     earlier = history.undoable
    ...     earlier.what, history.read(earlier)
    ('wrote a', b'a')
    """

    folder: Path

    @property
    def versions(self) -> tuple[Version, ...]:
        """All versions, the first first."""
        files = sorted(self.folder.glob("[0-9]*.json"))
        return tuple(_read(str(file), file.stat().st_mtime_ns) for file in files)

    @property
    def undoable(self) -> Version | None:
        """The version that taking back the last change gives."""
        return self.look().undoable

    @property
    def redoable(self) -> Version | None:
        """The version that was taken back last."""
        return self.look().redoable

    def look(self) -> Past:
        """Return what the folder holds now, all of it from one look."""
        versions = self.versions
        line, at = _follow(versions)
        return Past(
            versions=versions,
            undoable=line[at - 1] if at > 0 else None,
            redoable=line[at + 1] if at + 1 < len(line) else None,
        )

    def read(self, version: Version) -> bytes:
        """Return the content of a version."""
        return (self.folder / version.sha256).read_bytes()

    def add(self, data: bytes, *, kind: Kind, what: str, who: str) -> Version:
        """Append a version.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        with output_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(data).hexdigest()
        if not (self.folder / name).exists():
            write_file(self.folder / name, data)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        number = max((int(file.stem) for file in self.folder.glob("[0-9]*.json")), default=0) + 1
        version = Version(number=number, sha256=name, kind=kind, what=what, who=who, when=when)
        self._append(version)
        return version

    @contextlib.contextmanager
    def hold(self) -> Generator[None]:
        """Let nobody else change the file meanwhile, in this program or another."""
        with output_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _append(self, version: Version) -> None:
        """Write the entry whole, and never over another."""
        draft = self.folder / f".rarefactor-{secrets.token_hex(8)}"
        with output_errors(self.folder):
            try:
                write_new(draft, json.dumps(asdict(version), ensure_ascii=False).encode())
                os.link(draft, self.folder / f"{version.number:06d}.json")
            finally:
                draft.unlink(missing_ok=True)


@lru_cache(maxsize=10_000)
def _read(file: str, _: int) -> Version:
    """Return an entry, read once while it is as old as it was: no entry is ever changed."""
    return Version(**json.loads(Path(file).read_text("utf-8")))


def _follow(versions: Iterable[Version]) -> tuple[list[Version], int]:
    """Return the versions that can be gone back and forth to, and which of them is current."""
    line: list[Version] = []
    at = -1
    for version in versions:
        if version.kind in {"undo", "redo"}:
            at += 1 if version.kind == "redo" else -1
            continue
        del line[at + 1 :]
        line.append(version)
        at += 1
    return line, at
