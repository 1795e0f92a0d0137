"""Long work in a process of its own, one at a time for each topic: told, cancelled, and ended with its parent.

Convention: work is a function of a module, with plain arguments and a ``progress``; what it returns is plain too. It
keeps what it finishes on the disk, so that work that was cut off goes on where it was. A message from it never holds
more than names of steps, counts and problems.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Literal

from rarefactor.errors import OutputError, Problem, RarefactorError

State = Literal["running", "done", "failed", "cancelled"]

_TELL_EVERY_S = 0.1
_GRACE_S = 3.0
_NICE = 5
"""How far work steps back behind whoever waits for a page."""
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class LongStep:
    """A step of work; ``total`` is None where nobody knows it, ``seconds`` until it is done."""

    name: str
    total: int | None = None
    done: int = 0
    detail: str = ""
    reused: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongJob:
    """Work on a topic as it stands at one moment; ``kind`` says what it is for, ``number`` rises with each."""

    number: int
    topic: str
    kind: str
    state: State = "running"
    steps: tuple[LongStep, ...] = ()
    problems: tuple[Problem, ...] = ()
    result: Any = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.state == "running"


Told = Callable[[LongJob], None]


@dataclass(slots=True, kw_only=True)
class Runner:
    """Starts work, knows how it stands, ends it.

    ``told`` hears of every change, in a thread of the runner.
    """

    told: Told
    _jobs: dict[str, LongJob] = field(default_factory=dict[str, LongJob])
    _processes: dict[str, SpawnProcess] = field(default_factory=dict[str, SpawnProcess])
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _count: int = 0

    def find(self, topic: str) -> LongJob | None:
        """Return the work on a topic that goes on, or ended last."""
        return self._jobs.get(topic)

    def start(
        self, topic: str, kind: str, work: Callable[..., Any], *arguments: Any, replacing: bool = False
    ) -> LongJob:
        """Start ``work(*arguments, progress=...)`` in another process.

        Parameters
        ----------
        topic
            The name of the topic, or any name that no other work bears.
        kind
            What it is for, such as ``run``.
        work, arguments
            A function of a module, and what it takes; both travel to the other process.
        replacing
            End what goes on for this topic first, in place of refusing.

        Raises
        ------
        OutputError
            Work on this topic goes on already.
        """
        if replacing:
            self.cancel(topic)
        with self._lock:
            known = self._jobs.get(topic)
            if known and known.is_running:
                raise _busy()
            self._count += 1
            job = LongJob(number=self._count, topic=topic, kind=kind)
            ours, theirs = _CONTEXT.Pipe(duplex=False)
            process = _CONTEXT.Process(target=_work, args=(theirs, work, arguments), name=kind, daemon=False)
            process.start()
            theirs.close()
            self._jobs[topic], self._processes[topic] = job, process
        threading.Thread(target=self._follow, args=(job, process, ours), daemon=True).start()
        self.told(job)
        return job

    def cancel(self, topic: str) -> LongJob | None:
        """End the work on a topic and return how it stands; what it has finished stays."""
        with self._lock:
            job, process = self._jobs.get(topic), self._processes.get(topic)
            if job is None or process is None or not job.is_running:
                return job
            ended = replace(job, state="cancelled", ended=datetime.now(UTC))
            self._jobs[topic] = ended
        _end(process)
        self.told(ended)
        return ended

    def close(self) -> None:
        """End all work: the server goes."""
        for topic in tuple(self._jobs):
            self.cancel(topic)

    def _follow(self, job: LongJob, process: SpawnProcess, news: Connection) -> None:
        """Read what the process tells until it ends, and pass it on ten times a second at most."""
        told_at = 0.0
        with contextlib.suppress(EOFError, OSError):
            while True:
                job = _heard(job, news.recv())
                if not self._keep(job):
                    break
                waiting = news.poll() and job.is_running
                if not waiting or time.monotonic() - told_at > _TELL_EVERY_S:
                    told_at = time.monotonic()
                    self.told(job)
        process.join()
        news.close()
        lost = replace(job, state="failed", problems=(_lost(),), ended=datetime.now(UTC))
        if job.is_running and self._keep(lost):
            self.told(lost)

    def _keep(self, job: LongJob) -> bool:
        """Take note of how it stands, unless it was ended or replaced meanwhile."""
        with self._lock:
            known = self._jobs.get(job.topic)
            if known is None or known.number != job.number or not known.is_running:
                return False
            self._jobs[job.topic] = job
            return True


def _heard(job: LongJob, message: tuple[Any, ...]) -> LongJob:
    """Return how work stands after a message."""
    match message:
        case ("start", name, total):
            return replace(job, steps=(*(s for s in job.steps if s.name != name), LongStep(name=name, total=total)))
        case ("advance", name, by):
            return _change(job, name, lambda step: replace(step, done=step.done + by))
        case ("finish", name, detail, reused, seconds):
            if name not in {step.name for step in job.steps}:
                job = replace(job, steps=(*job.steps, LongStep(name=name)))
            return _change(job, name, lambda s: replace(s, detail=detail, reused=reused, seconds=seconds))
        case ("done", result):
            return replace(job, state="done", result=result, ended=datetime.now(UTC))
        case ("failed", problems):
            return replace(job, state="failed", problems=problems, ended=datetime.now(UTC))
        case _:
            return job


def _change(job: LongJob, name: str, change: Callable[[LongStep], LongStep]) -> LongJob:
    return replace(job, steps=tuple(change(step) if step.name == name else step for step in job.steps))


class _Teller:
    """The progress of work in the other process."""

    def __init__(self, news: Connection) -> None:
        self._news, self._started, self._more, self._told = news, dict[str, float](), dict[str, int](), 0.0

    def start(self, step: str, total: int | None = None) -> None:
        self._started[step] = time.perf_counter()
        self._news.send(("start", step, total))

    def advance(self, step: str, by: int = 1) -> None:
        self._more[step] = self._more.get(step, 0) + by
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._flush()

    def finish(self, step: str, detail: str = "", *, reused: bool = False) -> None:
        self._flush()
        seconds = time.perf_counter() - self._started.pop(step, time.perf_counter())
        self._news.send(("finish", step, detail, reused, seconds))

    def _flush(self) -> None:
        for step, by in self._more.items():
            self._news.send(("advance", step, by))
        self._more.clear()
        self._told = time.monotonic()


def _work(news: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Do the work in this process, and end with the one that started it."""
    os.setpgrp()  # its own workers end with it
    os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        try:
            news.send(("done", work(*arguments, progress=_Teller(news))))
        except RarefactorError as error:
            news.send(("failed", error.problems))
        except Exception as error:  # noqa: BLE001 - whatever it is, the page says where and never what it says
            news.send(("failed", (_bug(error),)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _end(process: SpawnProcess) -> None:
    """Ask a process and its own workers to end, and after a moment make them."""
    pid = process.pid
    if pid is None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            own = os.getpgid(pid) == pid  # it may not have come so far
            (os.killpg if own else os.kill)(pid, how)
        if wait([process.sentinel], _GRACE_S):
            return


def _bug(error: Exception) -> Problem:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Problem(
        found=f"a mistake in rarefactor ({type(error).__name__} in {Path(last.filename).name}, line {last.lineno})",
        expected="an answer",
        next_step="What was finished is kept. Try again; if it stays, please report it.",
    )


def _lost() -> Problem:
    return Problem(
        found="work that ended without a word, as when memory runs out",
        expected="a result",
        next_step="Start it again: what was finished is kept, and it goes on from there.",
    )


def _busy() -> OutputError:
    return OutputError(
        Problem(
            found="work on this study that goes on",
            expected="one at a time",
            next_step="Wait until it is done, or cancel it.",
        )
    )
