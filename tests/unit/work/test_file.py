"""A file is written whole or not at all."""

import os

import pytest

from rarefactor.errors import OutputError
from rarefactor.work import _file as file_module
from rarefactor.work import write_file


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "one.txt"
    write_file(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_module.os, "write", fail)
    with pytest.raises(OutputError, match=r"one\.txt: found a full disk.*Free some space"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["one.txt"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="gone"):
        write_file(tmp_path / "no" / "one.txt", b"")
