"""Work for the runner's tests: it travels to another process, so it stands in a module of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

from rarefactor.errors import DataError, Problem


def count(folder: Path, steps: int, *, progress):
    """Write a file at each step; a restart goes on where it was."""
    progress.start("Count", total=steps)
    for number in range(steps):
        (folder / f"{number}").touch()
        progress.advance("Count")
    progress.finish("Count", f"{steps} files")
    return steps


def hang(folder: Path, *, progress):
    """Start a worker of its own, say so, and wait for ever."""
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folder / "pids").write_text(f"{__import__('os').getpid()} {worker.pid}", encoding="utf-8")
    progress.start("Wait")
    time.sleep(600)


def refuse(*, progress):  # noqa: ARG001 - all work takes it
    raise DataError(Problem(file="records.csv", row=3, found="one", expected="another", next_step="Mend it."))


def stumble(secret: str, *, progress):  # noqa: ARG001 - all work takes it
    raise ValueError(secret)


def vanish(*, progress):  # noqa: ARG001 - all work takes it
    os._exit(9)
