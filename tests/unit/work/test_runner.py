"""Long work in another process: told, refused twice, ended with its own workers, and with its parent."""

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rarefactor.errors import OutputError
from rarefactor.work import Runner

HERE = Path(__file__).parent


@pytest.fixture
def work(monkeypatch):
    """The module of work, under a name that the other process can import too."""
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("runner_work")


@pytest.fixture
def wait_for():
    """Return a function that waits until something holds."""

    def wait(condition, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def told():
    return []


@pytest.fixture
def runner(told):
    made = Runner(told=told.append)
    yield made
    made.close()


def gone(pid):
    """Tell whether a process has ended; one that nobody has waited for has ended too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_work_is_told_step_by_step_and_gives_its_result(runner, told, work, tmp_path, wait_for):
    runner.start("a", "count", work.count, tmp_path, 300)
    wait_for(lambda: not runner.find("a").is_running, 30)
    job = runner.find("a")
    assert (job.state, job.result, job.kind) == ("done", 300, "count")
    assert [(s.name, s.total, s.done, s.detail) for s in job.steps] == [("Count", 300, 300, "300 files")]
    wait_for(lambda: told[-1].state == "done")
    assert told[0].steps == ()
    assert len(told) < 100, "ten times a second is enough"


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [("refuse", (), "one"), ("stumble", ("patient 17",), "a mistake in rarefactor"), ("vanish", (), "without a word")],
)
def test_work_that_fails_says_what_to_do_and_no_value(runner, work, wait_for, name, arguments, found):
    runner.start("a", "x", getattr(work, name), *arguments)
    wait_for(lambda: not runner.find("a").is_running, 30)
    job = runner.find("a")
    assert job.state == "failed"
    assert found in job.problems[0].found
    assert "17" not in str(job.problems[0])


def test_one_at_a_time_and_a_cancelled_one_ends_with_its_workers(runner, work, tmp_path, wait_for):
    runner.start("a", "hang", work.hang, tmp_path)
    with pytest.raises(OutputError):
        runner.start("a", "count", work.count, tmp_path, 1)
    wait_for((tmp_path / "pids").exists, 30)
    wait_for((tmp_path / "pids").read_text)
    pids = (tmp_path / "pids").read_text().split()
    assert runner.cancel("a").state == "cancelled"
    for pid in pids:
        wait_for(lambda pid=pid: gone(pid))
    runner.start("a", "count", work.count, tmp_path, 1)
    wait_for(lambda: runner.find("a").state == "done", 30)


def test_work_ends_when_the_server_is_killed(tmp_path, wait_for):
    program = (
        "import sys, time; from pathlib import Path; import runner_work as work; from rarefactor.work import Runner\n"
        "if __name__ == '__main__':\n"
        "    Runner(told=lambda job: None).start('a', 'hang', work.hang, Path(sys.argv[1])); time.sleep(600)"
    )
    script = tmp_path / "server.py"
    script.write_text(program)
    server = subprocess.Popen([sys.executable, script, tmp_path], env={**os.environ, "PYTHONPATH": str(HERE)})
    wait_for((tmp_path / "pids").exists, 30)
    wait_for((tmp_path / "pids").read_text)
    server.kill()
    server.wait()
    for pid in (tmp_path / "pids").read_text().split():
        wait_for(lambda pid=pid: gone(pid))
