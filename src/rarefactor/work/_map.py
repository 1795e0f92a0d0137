"""The one way to do many things: each once, on as many processes or machines as there are, and kept as it is done.

Convention: a job is a function at the top of a module with its arguments, which gives bytes; its key names its content.
What is done is in the cache before the next is asked for, so that a run that is cut off goes on where it was. Results
come in the order of the jobs, whoever did them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from rarefactor.errors import InputError, Problem
from rarefactor.work._cache import Cache
from rarefactor.work._progress import Progress, Silent

_RETRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing to do: what its result is kept under, the function and its arguments (both can be pickled)."""

    key: str
    function: Callable[..., bytes]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Who does the work: ``processes`` of this machine, or a running Dask scheduler at ``cluster``.

    Examples
    --------
    >>> Workers(processes=2).cluster is None
    True
    """

    processes: int = 1
    cluster: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The result of a job, and whether it was there already."""

    data: bytes
    reused: bool


def map_jobs(
    jobs: Sequence[Job],
    *,
    cache: Cache | None = None,
    workers: Workers | None = None,
    step: str = "Work",
    progress: Progress | None = None,
) -> tuple[Done, ...]:
    r"""Do all jobs and return their results in order; those that the cache holds are not done again.

    Raises
    ------
    InputError
        The cluster cannot be reached, or the extra ``cluster`` is not installed.

    Examples
    --------
    >>> [done.data for done in map_jobs([Job(key="a", function=bytes, arguments=(2,))])]
    [b'\x00\x00']
    """
    progress = progress or Silent()
    progress.start(step, total=len(jobs))
    known = {place: Done(data=data, reused=True) for place, data in _known(jobs, cache)}
    if known:
        progress.advance(step, len(known))
    found = dict(known)
    for place, done in _do_rest(jobs, known, cache, workers):
        found[place] = done
        progress.advance(step)
    return tuple(found[place] for place in range(len(jobs)))


def do_jobs(
    jobs: Sequence[Job], *, cache: Cache | None = None, workers: Workers | None = None
) -> Iterator[tuple[int, Done]]:
    r"""Yield the place and the result of each job as it is done: first what the cache holds, then the others.

    The others are begun in the order of the jobs, so the longest are best put first. For whoever wants to tell
    one job from another while they are done; :func:`map_jobs` waits for all of them.

    Raises
    ------
    InputError
        The cluster cannot be reached, or the extra ``cluster`` is not installed.

    Examples
    --------
    >>> [(place, done.data) for place, done in do_jobs([Job(key="a", function=bytes, arguments=(2,))])]
    [(0, b'\x00\x00')]
    """
    known = {place: Done(data=data, reused=True) for place, data in _known(jobs, cache)}
    yield from known.items()
    yield from _do_rest(jobs, known, cache, workers)


def _do_rest(
    jobs: Sequence[Job], known: Mapping[int, Done], cache: Cache | None, workers: Workers | None
) -> Iterator[tuple[int, Done]]:
    """Do the jobs that are not known, and keep the result of each as it is done."""
    to_do = {place: job for place, job in enumerate(jobs) if place not in known}
    for place, data in _do(to_do, workers or Workers()) if to_do else ():
        if cache:
            cache.put(jobs[place].key, data)
        yield place, Done(data=data, reused=False)


def _known(jobs: Sequence[Job], cache: Cache | None) -> Iterator[tuple[int, bytes]]:
    for place, job in enumerate(jobs) if cache else ():
        data = cache.get(job.key) if cache else None
        if data is not None:
            yield place, data


def _do(jobs: dict[int, Job], workers: Workers) -> Iterator[tuple[int, bytes]]:
    """Yield place and result of each job as it is done."""
    if workers.cluster:
        return _on_cluster(jobs, workers.cluster)
    if workers.processes == 1 or len(jobs) == 1:
        return (_call(place, job) for place, job in jobs.items())
    return _on_processes(jobs, workers.processes)


def _call(place: int, job: Job) -> tuple[int, bytes]:
    return place, job.function(*job.arguments)


def _on_processes(jobs: dict[int, Job], processes: int) -> Iterator[tuple[int, bytes]]:
    from joblib import Parallel, delayed  # noqa: PLC0415 - late: a command that maps nothing does not load it

    parallel = Parallel(n_jobs=processes, return_as="generator_unordered", initializer=_keep_worker)
    found = parallel(delayed(_call)(place, job) for place, job in jobs.items())
    yield from cast("Iterator[tuple[int, bytes]]", found)


def _keep_worker() -> None:
    """Let a process stay for all steps of a run.

    joblib ends a process that has grown by 300 MB since its first job, as if it leaked. The first job of a run is small
    and the libraries of later steps are not: scans and slides would end it, with a warning to the user and all imports
    to be done again.
    """
    from joblib.externals.loky import process_executor  # noqa: PLC0415 - late: in a process that joblib has started

    process_executor._MAX_MEMORY_LEAK_SIZE = float("inf")  # noqa: SLF001 - there is no public setting


def _on_cluster(jobs: dict[int, Job], address: str) -> Iterator[tuple[int, bytes]]:
    try:
        from distributed import Client, as_completed  # noqa: PLC0415 - late: an extra
    except ImportError as error:
        raise _refuse(address, "no Dask in this installation", "Install rarefactor[cluster].") from error
    try:
        client = Client(address, timeout="15s")
    except (OSError, ValueError) as error:
        raise _refuse(address, "no scheduler at this address", "Start one with `dask scheduler`.") from error
    with client:
        submit = partial(client.submit, _call, pure=False, retries=_RETRIES)
        futures = [submit(place, job) for place, job in jobs.items()]
        for future in as_completed(futures):
            yield future.result()
            future.release()


def _refuse(address: str, found: str, next_step: str) -> InputError:
    return InputError(
        Problem(
            key=f"--cluster {address}",
            found=found,
            expected="the address of a running Dask scheduler, such as tcp://host:8786",
            next_step=next_step,
        )
    )
