"""Named users: a file of names, roles and hashes, and how often a password may be tried.

Convention: a line is ``name:role:salt:hash``, hash and salt in hexadecimal. Passwords are hashed with scrypt
(n = 2^15, r = 8, p = 1: 32 MB and about 0.1 s each) and never kept or shown.

References
----------
Percival C, Josefsson S. The scrypt password-based key derivation function. RFC 7914, 2016.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from rarefactor.errors import InputError, Problem
from rarefactor.web._session import Role, User
from rarefactor.work import write_file

SHORTEST = 12
_TRIES, _WINDOW_S = 5, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What the file holds of a user."""

    user: User
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Users:
    """Who may log in.

    The file is read at each attempt, so that a user can be added or taken out while the server runs. After five wrong
    passwords within five minutes a name, or an address, has to wait.
    """

    file: Path
    clock: Callable[[], float] = time.monotonic
    _failed: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def must_wait(self, *keys: str) -> bool:
        """Tell whether a name or address has failed too often."""
        now = self.clock()
        self._failed = {
            key: recent for key, times in self._failed.items() if (recent := [t for t in times if now - t < _WINDOW_S])
        }
        return any(len(self._failed.get(key, ())) >= _TRIES for key in keys)

    def check(self, name: str, password: str, *keys: str) -> User | None:
        """Return the user whose password this is, None where it is not; an unknown name takes as long."""
        secret = read_users(self.file).get(name)
        salt, digest = (secret.salt, secret.digest) if secret else (b"\0" * 16, b"")
        if secrets.compare_digest(_hash(password, salt), digest) and secret:
            return secret.user
        for key in keys:
            self._failed.setdefault(key, []).append(self.clock())
        return None


def read_users(file: Path) -> Mapping[str, Secret]:
    """Return the users of a file, by name.

    Raises
    ------
    InputError
        The file cannot be read, or one of its lines.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise _bad(file, "no file of users that can be read", "Add a user: rarefactor user FILE NAME.") from None
    found = [_read_line(file, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return {secret.user.name: secret for secret in found}


def add_user(file: Path, user: User, password: str) -> None:
    """Add a user to a file, or give a new password and role to one who is there.

    Raises
    ------
    InputError
        The password is too short, or the name cannot be used.
    """
    if len(password) < SHORTEST:
        raise _bad(None, f"a password of {len(password)} characters", "Choose a longer one, such as four words.")
    if not user.name or not user.name.isprintable() or ":" in user.name or user.name != user.name.strip():
        raise _bad(None, "a name that cannot be used", "Choose a name without colons and spaces around it.")
    known = dict(read_users(file)) if file.exists() else {}
    salt = secrets.token_bytes(16)
    known[user.name] = Secret(user=user, salt=salt, digest=_hash(password, salt))
    lines = (f"{s.user.name}:{s.user.role}:{s.salt.hex()}:{s.digest.hex()}\n" for s in known.values())
    write_file(file, "".join(lines).encode())
    file.chmod(0o600)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)


def _read_line(file: Path, number: int, line: str) -> Secret:
    parts = line.split(":")
    try:
        name, role, salt, digest = parts[0], parts[1], bytes.fromhex(parts[2]), bytes.fromhex(parts[3])
    except (IndexError, ValueError):
        name, role, salt, digest = "", "", b"", b""
    for known in get_args(Role):
        if name and role == known and len(digest) == 32:
            return Secret(user=User(name=name, role=known), salt=salt, digest=digest)
    raise _bad(file, "a line that names no user", "Add users by: rarefactor user FILE NAME.", line=number)


def _bad(file: Path | None, found: str, next_step: str, *, line: int | None = None) -> InputError:
    expected = f"name, role and a password of at least {SHORTEST} characters"
    return InputError(
        Problem(file=str(file) if file else None, line=line, found=found, expected=expected, next_step=next_step)
    )
