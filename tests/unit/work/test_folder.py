"""A folder of output is complete, or as it was before; what the user put there stays."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rarefactor.errors import OutputError
from rarefactor.work import MANIFEST, claim_folder, write_file, write_folder
from rarefactor.work import _folder as folder_module
from rarefactor.work import _swap as swap_module

FIRST = {"results.json": b"1", "tables/one.csv": b"1", "tables/two.csv": b"1"}
SECOND = {"results.json": b"2", "tables/one.csv": b"2", "figures/flow.svg": b"2"}


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(folder):
    return {name: data for name, data in files(folder).items() if name != MANIFEST}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "deep" / "out"


@pytest.fixture(params=["exchange", "rename"])
def way(request, monkeypatch):
    """Both ways to put a folder in the place of another."""
    if request.param == "rename":
        monkeypatch.setattr(swap_module, "exchange", lambda *_: False)


@pytest.mark.usefixtures("way")
def test_the_second_output_takes_the_place_of_the_first(out):
    assert write_folder(out, FIRST) == ()
    assert write_folder(out, SECOND) == ()
    assert made(out) == SECOND
    assert not (out / "tables/two.csv").exists()
    assert os.listdir(out.parent) == ["out"]


def test_the_manifest_is_checked_by_sha256sum(out):
    write_folder(out, FIRST)
    subprocess.run(["sha256sum", "--strict", "-c", MANIFEST], cwd=out, check=True, capture_output=True)


@pytest.mark.usefixtures("way")
def test_what_the_user_added_stays(out):
    write_folder(out, FIRST)
    (out / "letter.txt").write_bytes(b"mine")
    (out / "tables/extra.csv").write_bytes(b"mine")
    (out / "empty").mkdir()
    (out / "link").symlink_to("letter.txt")
    assert write_folder(out, {"results.json": b"3"}) == ()
    assert made(out) == {"results.json": b"3", "letter.txt": b"mine", "tables/extra.csv": b"mine", "link": b"mine"}
    assert (out / "empty").is_dir()
    assert (out / "link").is_symlink()


def test_what_the_user_edited_stays_beside_the_new(out):
    write_folder(out, FIRST)
    for turn, kept in enumerate([["tables/one.edited.csv"], ["tables/one.edited2.csv"]]):
        (out / "tables/one.csv").write_bytes(b"edited %d" % turn)
        assert list(write_folder(out, FIRST)) == kept
    assert (out / "tables/one.csv").read_bytes() == b"1"
    assert (out / "tables/one.edited.csv").read_bytes() == b"edited 0"
    assert (out / "tables/one.edited2.csv").read_bytes() == b"edited 1"


def test_a_folder_of_other_things_is_refused_and_left_alone(out):
    out.mkdir(parents=True)
    (out / "thesis.docx").write_bytes(b"five years")
    with pytest.raises(OutputError, match=r"holds other things \(thesis.docx\).*Choose another folder"):
        write_folder(out, FIRST)
    assert files(out) == {"thesis.docx": b"five years"}
    assert os.listdir(out.parent) == ["out"]


def test_an_empty_folder_will_do(out):
    out.mkdir(parents=True)
    (out / ".DS_Store").write_bytes(b"")
    write_folder(out, FIRST)
    assert made(out) == FIRST | {".DS_Store": b""}


def test_a_link_to_a_folder_stays_a_link(out, tmp_path):
    write_folder(out, FIRST)
    link = tmp_path / "link"
    link.symlink_to(out)
    write_folder(link, SECOND)
    assert link.is_symlink()
    assert made(out) == SECOND


def refused_places():
    yield "a file", lambda base: write_file(base / "file", b"") or base / "file", "found a file"
    yield "below a file", lambda base: write_file(base / "file", b"") or base / "file/out", "a file where a folder"
    yield "too long", lambda base: base / ("n" * 300), "too long.*shorter name"
    yield "not to be written", lambda _: Path("/proc/rarefactor/out"), "Choose"
    yield "a mount point", lambda _: Path("/proc"), "mount point.*Write to /proc/results"
    yield "a link to itself", lambda base: (base / "loop").symlink_to(base / "loop") or base / "loop", "symbolic link"
    yield "a cache", lambda base: write_file(base / "CACHEDIR.TAG", b"") or base / "out", "inside the cache"


@pytest.mark.parametrize(("place", "words"), [pytest.param(*each[1:], id=each[0]) for each in refused_places()])
def test_a_place_that_will_not_do_is_refused_at_once(place, words, tmp_path):
    out = place(tmp_path)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OutputError) as caught, claim_folder(out):
        pass
    assert re.search(words, str(caught.value))
    assert str(out.name) in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("step", ["write_new", "_link", "flush_folder", "place"])
def test_a_failure_at_any_step_leaves_the_earlier_output(out, monkeypatch, code, step):
    write_folder(out, FIRST)
    (out / "mine.txt").write_bytes(b"mine")
    before = files(out)

    def fail(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(folder_module, step, fail)
    with pytest.raises(OutputError):
        write_folder(out, SECOND)
    assert files(out) == before
    assert os.listdir(out.parent) == ["out"]


def test_two_runs_do_not_meet(out):
    with claim_folder(out) as claim, pytest.raises(OutputError, match=r"another run.*Wait for it"):
        write_folder(out, SECOND)
    with claim_folder(out) as claim:
        claim.write(FIRST)
    assert made(out) == FIRST


def test_a_run_killed_between_two_renames_is_mended(out):
    write_folder(out, FIRST)
    hidden = out.parent / ".out.rarefactor"
    (hidden / "new").mkdir(parents=True)
    (hidden / "new" / "results.json").write_bytes(b"half")
    out.rename(hidden / "old")
    with claim_folder(out):
        assert made(out) == FIRST
    assert os.listdir(out.parent) == ["out"]


WRITER = """
import itertools, sys
from pathlib import Path
from rarefactor.work import write_folder
print("ready", flush=True)
for turn in itertools.count(1):
    data = str(turn).encode()
    write_folder(Path(sys.argv[1]), {f"{name}.txt": data * 1000 for name in range(20)})
"""


def test_kill_at_any_moment_leaves_one_complete_output(out):
    for turn in range(5):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(0.05 + 0.021 * turn)
            writer.send_signal(signal.SIGKILL)
        if out.exists():
            assert len(made(out)) == 20
            assert len(set(made(out).values())) == 1
            subprocess.run(["sha256sum", "--quiet", "-c", MANIFEST], cwd=out, check=True)
    write_folder(out, FIRST)
    assert made(out) == FIRST
    assert os.listdir(out.parent) == ["out"]
