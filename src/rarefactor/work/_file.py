"""One file, written whole or not at all.

Convention: the bytes go to a hidden file beside the target, are flushed to the disk, and take the target's name in one
step. What the system says when that fails is turned into an :class:`~rarefactor.errors.OutputError` here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Generator
from pathlib import Path

from rarefactor.errors import OutputError, Problem

_FREE_SPACE = "Free some space there, or write to another disk."
_PERMISSION = "Choose a folder that you may write to."
_CAUSES: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("a full disk", _FREE_SPACE),
    errno.EDQUOT: ("a full disk quota", _FREE_SPACE),
    errno.EFBIG: ("a limit on the size of files", "Raise the limit (ulimit -f), or write to another disk."),
    errno.EROFS: ("a read-only disk", _PERMISSION),
    errno.EACCES: ("no permission to write", _PERMISSION),
    errno.EPERM: ("no permission to write", _PERMISSION),
    errno.ENAMETOOLONG: ("a name that is too long", "Choose a shorter name."),
    errno.ENOTDIR: ("a file where a folder should be", "Choose a path whose parts are folders."),
    errno.EEXIST: ("a file where a folder should be", "Choose a path whose parts are folders."),
    errno.EISDIR: ("a folder where a file should be", "Choose another name, or move the folder away."),
    errno.ENOENT: ("a folder that cannot be made or has gone", "Choose an existing folder."),
    errno.EBUSY: ("a folder that is in use as a mount point", "Choose a folder inside it."),
}


def write_file(path: Path, data: bytes) -> None:
    """Write a file: afterwards it holds all of ``data``, or it is as it was before.

    Raises
    ------
    OutputError
        The disk is full, the folder is missing or may not be written, the name is too long.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(Path(folder) / "answer.txt", b"42")
    ...     (Path(folder) / "answer.txt").read_bytes()
    b'42'
    """
    with output_errors(path):
        draft = path.parent / f".rarefactor-{secrets.token_hex(8)}"
        try:
            write_new(draft, data)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        flush_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Make a file that does not exist yet and see it onto the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(folder: Path) -> None:
    """See the names in a folder onto the disk, where the file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems know no fsync of folders
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def output_errors(path: Path) -> Generator[None]:
    """Turn what the system says about writing ``path`` into an OutputError."""
    try:
        yield
    except OSError as error:
        words = (error.strerror or type(error).__name__).lower()
        found, next_step = _CAUSES.get(error.errno or 0, (words, "Choose another place to write to."))
        raise OutputError(
            Problem(file=str(path), found=found, expected="a place that can be written", next_step=next_step)
        ) from error
