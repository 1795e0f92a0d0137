"""The task map: the same results whoever does the work, what is done is kept, a lost worker loses nothing."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from rarefactor.errors import InputError
from rarefactor.work import Cache, Job, Workers, map_jobs


def square(number: int) -> bytes:
    return str(number**2).encode()


def fail_at(number: int, at: int) -> bytes:
    if number == at:
        message = "cut off"
        raise RuntimeError(message)
    return square(number)


def die_once(mark: str) -> bytes:
    """Kill the worker the first time, as a machine that runs out of memory does."""
    path = Path(mark)
    if not path.exists():
        path.touch()
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    return b"done"


def grow() -> bytes:
    """Keep 400 MB, as the libraries and the heap of a later step do, for longer than the pool waits to look."""
    sys.kept = getattr(sys, "kept", None) or b"1" * 400_000_000
    time.sleep(1.1)
    return str(os.getpid()).encode()


def jobs(n: int = 6) -> list[Job]:
    return [Job(key=f"square {number}", function=square, arguments=(number,)) for number in range(n)]


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_jobs(processes: int) -> None:
    done = map_jobs(jobs(), workers=Workers(processes=processes))
    assert [each.data for each in done] == [b"0", b"1", b"4", b"9", b"16", b"25"]


@pytest.mark.filterwarnings("default")  # raised in the pool's thread, the warning would stop the pool for good
def test_processes_stay_however_much_they_grow() -> None:
    two = Workers(processes=2)
    map_jobs(jobs(), workers=two)
    done = map_jobs([Job(key=str(place), function=grow) for place in range(6)], workers=two)
    assert len({each.data for each in done}) <= 2


def test_what_was_done_before_a_failure_is_not_done_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    doomed = [Job(key=f"square {number}", function=fail_at, arguments=(number, 4)) for number in range(6)]
    with pytest.raises(RuntimeError, match="cut off"):
        map_jobs(doomed, cache=cache)
    assert [each.reused for each in map_jobs(jobs(), cache=cache)] == [True] * 4 + [False] * 2


def test_a_cluster_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distributed.Client", _no_scheduler)
    with pytest.raises(InputError, match="no scheduler at this address"):
        map_jobs(jobs(1), workers=Workers(cluster="tcp://127.0.0.1:1"))


def _no_scheduler(address: str, **_: object) -> None:
    raise OSError(address)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask says on the way out that a worker was lost
def test_a_killed_worker_of_a_cluster_loses_nothing(tmp_path: Path) -> None:
    from distributed import LocalCluster

    mark = str(tmp_path / "mark")
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        fatal = Job(key="fatal", function=die_once, arguments=(mark,))
        done = map_jobs([*jobs(), fatal], workers=Workers(cluster=cluster.scheduler_address))
    assert [each.data for each in done] == [b"0", b"1", b"4", b"9", b"16", b"25", b"done"]
    assert Path(mark).exists()
