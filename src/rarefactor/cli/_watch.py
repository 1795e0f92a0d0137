"""Progress in a terminal: a bar for the step at work, one line for each that is done."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Terminal:
    """Shows progress on a console; in a pipe or a log only the lines of what is done.

    Examples
    --------
    >>> with Terminal(Console(width=60)) as watcher:
    ...     watcher.start("Read the data", total=2)
    ...     watcher.finish("Read the data", "418 rows", reused=True)
      Read the data  418 rows (unchanged)
    """

    def __init__(self, console: Console) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._console = console
        self._bars = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._tasks: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> Self:
        if self._console.is_interactive:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_interactive:
            self._bars.stop()

    def start(self, step: str, total: int | None = None) -> None:
        """A step begins."""
        self._tasks[step] = self._bars.add_task(step, total=total), time.perf_counter()

    def advance(self, step: str, by: int = 1) -> None:
        """Some more of the step is done."""
        if step in self._tasks:
            self._bars.advance(self._tasks[step][0], by)

    def finish(self, step: str, detail: str = "", *, reused: bool = False) -> None:
        """The step is done: its bar goes and its line stays."""
        task, started = self._tasks.pop(step, (None, time.perf_counter()))
        if task is not None:
            self._bars.remove_task(task)
        took = "unchanged" if reused else f"{time.perf_counter() - started:.1f} s"
        self._console.print(f"  {step}  {detail + ' ' if detail else ''}({took})")
