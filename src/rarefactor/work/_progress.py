"""What a long computation tells whoever watches.

Convention: a step is started once, advanced any number of times and finished once; its name is shown as it stands.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Whoever watches: a terminal, a web page, a log, or nobody."""

    def start(self, step: str, total: int | None = None) -> None:
        """A step begins; ``total`` is the number of advances to come, where it is known."""
        ...

    def advance(self, step: str, by: int = 1) -> None:
        """Some more of the step is done."""
        ...

    def finish(self, step: str, detail: str = "", *, reused: bool = False) -> None:
        """The step is done; ``detail`` says what came of it, ``reused`` that nothing changed since it was last done."""
        ...


class Silent:
    """Nobody watches.

    Examples
    --------
    >>> Silent().start("read", total=3)
    """

    def start(self, step: str, total: int | None = None) -> None:
        """Take note of nothing."""

    def advance(self, step: str, by: int = 1) -> None:
        """Take note of nothing."""

    def finish(self, step: str, detail: str = "", *, reused: bool = False) -> None:
        """Take note of nothing."""
