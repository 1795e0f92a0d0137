"""A whole folder of output: complete, or as it was before.

Convention: a run claims its output folder before it works, so that a place that cannot be written is refused at once
and two runs never meet. The new folder is built in a hidden one beside it and takes its place in one step. The folder
lists its own files with their SHA-256 in :data:`MANIFEST` (``sha256sum -c`` checks it); by this list the next run knows
which files it may replace, and every other file belongs to the user and stays.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import shutil
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rarefactor.errors import InputError, OutputError, Problem
from rarefactor.work._cache import TAG_NAME
from rarefactor.work._file import flush_folder, output_errors, write_new
from rarefactor.work._key import hash_file
from rarefactor.work._swap import place, recover

MANIFEST = "provenance/SHA256SUMS"
_DESKTOP_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


def write_folder(out: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write a folder of files: afterwards ``out`` holds exactly these and the user's own, or it is as it was before.

    Parameters
    ----------
    out
        The folder; it does not exist, is empty, or was written by this function.
    files
        Relative path with forward slashes, and content.

    Returns
    -------
    tuple of str
        The user's edited copies that were set aside, see :meth:`Claim.write`.

    Raises
    ------
    OutputError
        See :func:`claim_folder` and :meth:`Claim.write`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     edited = write_folder(Path(folder) / "out", {"tables/one.csv": b"a,b"})
    ...     (Path(folder) / "out" / "tables" / "one.csv").read_bytes()
    b'a,b'
    """
    with claim_folder(out) as claim:
        return claim.write(files)


@contextlib.contextmanager
def claim_folder(out: Path) -> Generator[Claim]:
    """Claim an output folder for one run; the claim ends with the ``with`` block and leaves no litter.

    Raises
    ------
    OutputError
        The folder holds something else than earlier output, is claimed by another run, or cannot be written.
    """
    out = Path(os.path.realpath(out))
    hidden = out.parent / f".{out.name}.rarefactor"
    with output_errors(out):
        _check_place(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = _read_lock(hidden, out)
    claim = Claim(out=out, hidden=hidden)
    try:
        claim.clean()
        _check_ours(out)
        yield claim
    finally:
        claim.clean()
        shutil.rmtree(hidden, ignore_errors=True)
        os.close(lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An output folder that no other run may write; made by :func:`claim_folder`."""

    out: Path
    hidden: Path

    def clean(self) -> None:
        """Mend what a killed run left behind."""
        with output_errors(self.out):
            recover(self.out, self._old)
            for litter in (self._new, self._old):
                shutil.rmtree(litter, ignore_errors=True)

    def write(self, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Put the files at the place of the earlier output.

        Files of the earlier output that are not among the new ones disappear. Files that the user added stay. A file of
        the earlier output that the user has changed stays as ``name.edited.ext`` beside the new one.

        Returns
        -------
        tuple of str
            Paths of the edited copies.

        Raises
        ------
        OutputError
            The disk is full or the folder may not be written; the earlier output is intact.
        """
        listed = {**files, MANIFEST: write_manifest(files)}
        with output_errors(self.out):
            for name, data in listed.items():
                _write_within(self._new, name, data)
            edited = self._carry(set(listed))
            for folder in {path.parent for path in self._new.rglob("*")} | {self.hidden}:
                flush_folder(folder)
            if self.out.exists():
                shutil.copymode(self.out, self._new)
            place(self._new, self.out, self._old)
            flush_folder(self.out.parent)
        return edited

    @property
    def _new(self) -> Path:
        return self.hidden / "new"

    @property
    def _old(self) -> Path:
        return self.hidden / "old"

    def _carry(self, made: set[str]) -> tuple[str, ...]:
        """Link the user's files into the new folder."""
        ours = read_manifest(self.out)
        edited: list[str] = []
        for path in _walk(self.out):
            name = path.relative_to(self.out).as_posix()
            if name == MANIFEST or (name in ours and ours[name] == _digest(path)):
                continue
            if name in made:
                name = self._free_name(PurePosixPath(name))
                edited.append(name)
            _link(path, self._new / name)
        return tuple(edited)

    def _free_name(self, path: PurePosixPath) -> str:
        marks = itertools.chain([""], itertools.count(2))
        names = (str(path.with_name(f"{path.stem}.edited{mark}{path.suffix}")) for mark in marks)
        return next(name for name in names if not (self._new / name).exists() and not (self.out / name).exists())


def write_manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the list of files in the form that ``sha256sum -c`` reads."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    return "".join(lines).encode()


def read_manifest(out: Path) -> Mapping[str, str]:
    """Return the SHA-256 of each file that the folder lists as ours; empty where there is no list."""
    try:
        text = (out / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.split("  ", 1) for line in text.splitlines() if "  " in line)
    return {name: digest for digest, name in pairs}


def _write_within(folder: Path, name: str, data: bytes) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\n" in name:
        raise InputError(
            Problem(found=f"the name {name!r}", expected="a path inside the folder", next_step="Write a relative path.")
        )
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    write_new(target, data)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files, links and empty folders within."""
    for path in sorted(folder.rglob("*")) if folder.exists() else ():
        if path.is_symlink() or not path.is_dir() or not any(path.iterdir()):
            yield path


def _link(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target, follow_symlinks=False)
    except OSError:  # file systems without hard links
        shutil.copy2(path, target, follow_symlinks=False)


def _digest(path: Path) -> str | None:
    return hash_file(path) if path.is_file() and not path.is_symlink() else None


def _check_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise _refused(out, "a file", "a folder, or a path that does not exist yet", "Choose another path for --out.")
    if out.is_symlink():
        raise _refused(out, "a symbolic link to itself", "a folder", "Choose another path for --out.")
    if out.is_mount():
        raise _refused(out, "a mount point", "a folder that can be replaced as a whole", f"Write to {out / 'results'}.")
    tagged = next((folder for folder in (out, *out.parents) if (folder / TAG_NAME).exists()), None)
    if tagged:
        found = f"a place inside the cache {tagged}"
        raise _refused(out, found, "a folder that is kept", "Choose a folder outside the cache.")


def _check_ours(out: Path) -> None:
    with output_errors(out):
        names = {path.name for path in out.iterdir()} if out.exists() else set[str]()
    if names <= _DESKTOP_LITTER or (out / MANIFEST).is_file():
        return
    raise _refused(
        out,
        f"a folder that holds other things ({', '.join(sorted(names)[:3])}{', ...' if len(names) > 3 else ''})",
        "an empty folder, earlier output, or a path that does not exist yet",
        f"Choose another folder, such as {out / 'results'}.",
    )


def _refused(out: Path, found: str, expected: str, next_step: str) -> OutputError:
    return OutputError(Problem(file=str(out), found=found, expected=expected, next_step=next_step))


def _read_lock(hidden: Path, out: Path) -> int:
    """Return an open handle that holds the lock; the system lets go of it when the handle or the process ends."""
    hidden.mkdir(exist_ok=True)
    lock = os.open(hidden, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), hidden.stat()):
            return lock
    except (BlockingIOError, FileNotFoundError):  # held by another run, or just given up by one
        pass
    except OSError:
        os.close(lock)
        raise
    os.close(lock)
    raise _refused(
        out, "another run that writes here", "one run at a time", "Wait for it to end, or choose another folder."
    )
