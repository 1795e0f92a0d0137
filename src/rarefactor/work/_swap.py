"""Putting a finished folder in the place of another in one step.

Convention: on Linux the two folders trade names atomically (``renameat2`` with ``RENAME_EXCHANGE``), so that at every
moment one of them stands at the name. Where the system cannot do that, the old one is renamed away first; a crash
between the two renames is mended by :func:`recover` at the next start.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


def place(new: Path, target: Path, old: Path) -> None:
    """Put ``new`` at ``target``; what stood there is at ``old`` or ``new`` afterwards.

    Raises
    ------
    OSError
        The system refuses.
    """
    if not target.exists():
        new.rename(target)
    elif not exchange(new, target):
        target.rename(old)
        try:
            new.rename(target)
        finally:
            recover(target, old)


def recover(target: Path, old: Path) -> None:
    """Put back what :func:`place` had moved away when it was interrupted."""
    if old.exists() and not target.exists():
        old.rename(target)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders trade names in one step; return False where the system cannot.

    Raises
    ------
    OSError
        The system can, but refuses.
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(other))
