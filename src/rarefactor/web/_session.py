"""Who may come in: whoever holds the start token, or a named user who has logged in.

Convention: tokens and session names are random and compared in constant time; nothing of them is logged or kept on
the disk. A cookie bears the port in its name, since cookies do not tell ports apart.
"""

from __future__ import annotations

import getpass
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["reader", "analyst"]

LIFETIME_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whoever sits before the page; an analyst may change the study, a reader may look and grade."""

    name: str
    role: Role = "analyst"


@dataclass(slots=True, kw_only=True)
class Sessions:
    """Open sessions, in memory only: a server that is started anew asks again.

    ``token`` opens a session without a password; it is None where users log in by name.
    """

    port: int
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    clock: Callable[[], float] = time.monotonic
    _open: dict[str, tuple[User, float]] = field(default_factory=dict[str, tuple[User, float]])

    @property
    def cookie(self) -> str:
        """The name of the cookie."""
        return f"rarefactor-{self.port}"

    def enter(self, token: str) -> str | None:
        """Return a new session for the start token, None for any other."""
        if self.token is None or not secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        return self.open(User(name=_who()))

    def open(self, user: User) -> str:
        """Return the name of a new session."""
        now = self.clock()
        self._open = {name: kept for name, kept in self._open.items() if kept[1] > now}
        name = secrets.token_urlsafe(32)
        self._open[name] = (user, now + LIFETIME_S)
        return name

    def find(self, name: str) -> User | None:
        """Return whose session this is, None where it is unknown or over."""
        user, end = self._open.get(name, (None, 0.0))
        return user if self.clock() < end else None

    def close(self, name: str) -> None:
        """End a session."""
        self._open.pop(name, None)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "you"
