"""A log of the steps of a run: what was done, how long it took, what came of it. It never holds a patient's value."""

from __future__ import annotations

import platform
import time

from rarefactor import __version__
from rarefactor.work._progress import Progress


class Logged:
    """Passes progress on and remembers it as the text of ``run.log``.

    Examples
    --------
    >>> from rarefactor.work import Silent
    >>> log = Logged(Silent())
    >>> log.start("Read the data")
    >>> log.finish("Read the data", "418 rows")
    >>> "418 rows" in log.text()
    True
    """

    def __init__(self, watcher: Progress) -> None:
        self._watcher = watcher
        self._started: dict[str, float] = {}
        stamp = time.strftime("%Y-%m-%d %H:%M:%S %z")
        self._lines = [f"rarefactor {__version__}, Python {platform.python_version()}, {stamp}"]

    def start(self, step: str, total: int | None = None) -> None:
        """A step begins."""
        self._started[step] = time.perf_counter()
        self._watcher.start(step, total)

    def advance(self, step: str, by: int = 1) -> None:
        """Some more of the step is done."""
        self._watcher.advance(step, by)

    def finish(self, step: str, detail: str = "", *, reused: bool = False) -> None:
        """The step is done."""
        seconds = time.perf_counter() - self._started.get(step, time.perf_counter())
        origin = "reused" if reused else f"{seconds:.2f} s"
        self._lines.append(f"{step}: {detail + ', ' if detail else ''}{origin}")
        self._watcher.finish(step, detail, reused=reused)

    def text(self) -> str:
        """The log so far."""
        return "\n".join(self._lines) + "\n"
