"""What folders hold: remembered, and never out of date."""

import os
import time

import pytest

from rarefactor.work import list_folder, walk_folders, write_folder

LONG_AGO_NS = time.time_ns() - 3600 * 10**9


@pytest.fixture
def folder(tmp_path):
    """A folder that has not changed for an hour, listed once."""
    (tmp_path / "mri").mkdir()
    (tmp_path / "records.csv").touch()
    os.utime(tmp_path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    assert list_folder(str(tmp_path)).files == ("records.csv",)
    return tmp_path


def test_a_folder_that_has_not_changed_is_not_read_again(folder, monkeypatch):
    monkeypatch.setattr(os, "scandir", lambda _: pytest.fail("read again"))
    assert list_folder(str(folder)).folders == ("mri",)


def test_what_comes_and_goes_is_seen(folder):
    (folder / "new.csv").touch()
    assert list_folder(str(folder)).files == ("new.csv", "records.csv")
    (folder / "records.csv").unlink()
    assert list_folder(str(folder)).files == ("new.csv",)


def test_a_change_within_the_same_step_of_the_clock_is_seen(folder):
    now = time.time_ns()
    os.utime(folder, ns=(now, now))
    assert list_folder(str(folder)).files == ("records.csv",)
    (folder / "new.csv").touch()
    os.utime(folder, ns=(now, now))  # as on a file system that counts in steps of 2 s
    assert list_folder(str(folder)).files == ("new.csv", "records.csv")


def test_a_walk_leaves_out_outputs_and_hidden_folders_and_survives_links_that_lead_nowhere(folder):
    write_folder(folder / "out", {"report.html": b"<p>"})
    (folder / ".rarefactor").mkdir()
    (folder / "lost").symlink_to(folder / "nowhere")
    walked = {os.path.relpath(place, folder): held.files for place, held in walk_folders(str(folder))}
    assert walked == {".": ("lost", "records.csv"), "mri": ()}
    assert list(walk_folders(str(folder / "nowhere"))) == []


def test_a_folder_linked_from_elsewhere_is_walked_and_one_that_a_link_lies_in_is_not(folder):
    for name in ("again", "once_more", "mri/back"):
        (folder / name).symlink_to(folder)
    (folder / "same").symlink_to(folder / "mri")
    walked = [os.path.relpath(place, folder) for place, _ in walk_folders(str(folder))]
    assert walked == [".", "mri", "same"]
