"""What a run has left, and what has changed since."""

import os
import time
import zipfile

import pytest

from rarefactor.outputs import list_changed, open_zip, read_output
from rarefactor.work import Logged, Silent, write_folder


@pytest.fixture
def study(tmp_path):
    """A study folder whose output is of now, and its files of a minute ago."""
    for name in ("study.yaml", "data/records.csv", "data/mri/p1/1.dcm", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a", encoding="utf-8")
    write_folder(tmp_path / "out", {"report.html": b"<p>", "run.log": Logged(Silent()).text().encode()})
    return tmp_path / "study.yaml"


def test_an_output_says_what_it_holds_and_when_it_was_begun(study):
    output = read_output(study.parent / "out")
    assert set(output.files) == {"report.html", "run.log", "provenance/SHA256SUMS"}
    assert abs(output.started.timestamp() - time.time()) < 60
    assert list_changed(study, output) == ()
    with open_zip(output) as made:
        assert f"{study.parent.name}/report.html" in zipfile.ZipFile(made).namelist()


@pytest.mark.parametrize("name", ["study.yaml", "data/records.csv", "data/mri/p1/1.dcm", "readings/new.jsonl"])
def test_a_file_that_is_younger_is_named(study, name):
    path = study.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("b", encoding="utf-8")
    os.utime(path, (time.time() + 60, time.time() + 60))
    assert list_changed(study, read_output(study.parent / "out")) == (name,)


def test_files_beside_the_study_and_hidden_ones_change_nothing(study):
    for name in ("README.md", ".rarefactor", "out/report.html"):
        path = study.parent / name
        path.touch()
        os.utime(path, (time.time() + 60, time.time() + 60))
    assert list_changed(study, read_output(study.parent / "out")) == ()


def test_a_link_that_leads_nowhere_is_no_change(study):
    (study.parent / "data" / "lost.csv").symlink_to(study.parent / "nowhere.csv")
    assert list_changed(study, read_output(study.parent / "out")) == ()
