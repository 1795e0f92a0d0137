"""Whatever stops a run, the output folder holds the complete output of the one before, or none."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rarefactor.cli import main
from rarefactor.work import MANIFEST, claim_folder, write_folder

EARLIER = {"results.json": b"{}", "report.html": b"earlier"}
START = [sys.executable, "-m", "rarefactor", "run"]


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_complete(out):
    done = subprocess.run(["sha256sum", "--quiet", "-c", MANIFEST], cwd=out, capture_output=True, check=False)
    return done.returncode == 0 and (out / "results.json").exists()


@pytest.fixture
def earlier(clinic):
    write_folder(clinic.out, EARLIER)
    return files(clinic.out)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 300 kB, where the system lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", folder], check=True)


def refuse(clinic, out, capsys, words):
    assert main(["run", str(clinic.folder), "--out", str(out), "--quiet"]) == 7
    shown = capsys.readouterr().err
    assert str(out) in shown
    assert "next step" in shown
    assert "Traceback" not in shown
    for word in words:
        assert word in shown


def test_a_full_disk(clinic, small_disk, capsys):
    out = small_disk / "out"
    write_folder(out, EARLIER)
    before = files(out)
    refuse(clinic, out, capsys, ["full disk", "Free some space"])
    assert files(out) == before
    assert os.listdir(small_disk) == ["out"]


def test_a_limit_on_the_size_of_files(clinic, earlier):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [*START, str(clinic.folder), "--quiet"], preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 7
    assert "a limit on the size of files" in done.stderr
    assert files(clinic.out) == earlier


def test_a_folder_that_nobody_may_write(clinic, capsys):
    refuse(clinic, Path("/proc/rarefactor/out"), capsys, ["Choose"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(clinic, earlier, capsys):
    clinic.out.parent.chmod(0o555)
    refuse(clinic, clinic.out, capsys, ["no permission to write", "Choose a folder that you may write to."])
    clinic.out.parent.chmod(0o755)
    assert files(clinic.out) == earlier


def test_a_folder_of_other_things(clinic, capsys):
    refuse(clinic, clinic.folder, capsys, ["holds other things", "Choose another folder"])
    assert clinic.study.exists()


def test_a_folder_that_another_run_writes(clinic, capsys):
    with claim_folder(clinic.out):
        refuse(clinic, clinic.out, capsys, ["another run"])


def test_a_failed_run_leaves_the_earlier_output(clinic, earlier):
    clinic.edit("per: 10", "per: ten")
    assert main(["run", str(clinic.folder)]) == 3
    assert files(clinic.out) == earlier


def start(clinic, seconds):
    process = subprocess.Popen([*START, str(clinic.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    return process


@pytest.mark.slow
def test_kill_at_any_moment_leaves_a_complete_output(clinic, earlier):
    for turn in range(8):
        process = start(clinic, 0.4 + 0.4 * turn)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        now = files(clinic.out)
        assert now == earlier or is_complete(clinic.out)
    assert main(["run", str(clinic.folder), "--quiet"]) == 0
    assert is_complete(clinic.out)
    assert json.loads((clinic.out / "results.json").read_bytes())["schema"] == 1
    assert [name for name in os.listdir(clinic.folder) if name.startswith(".out")] == []


def test_kill_leaves_none_or_a_complete_output_where_there_was_none(clinic):
    process = start(clinic, 1.0)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not clinic.out.exists() or is_complete(clinic.out)


def test_an_interrupt_ends_quietly(clinic, earlier):
    process = start(clinic, 0)
    process.stderr.readline()  # the first step is done
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert files(clinic.out) == earlier
