"""What images gave, kept under the times and sizes of their files."""

import os

import pytest

from rarefactor.errors import RarefactorError
from rarefactor.spec import load
from rarefactor.stored import key_images
from rarefactor.study import run


def test_the_key_of_images_changes_with_a_file_and_each_folder_is_read_once(clinic, monkeypatch) -> None:
    scans = clinic.folder / "data" / "mri" / "001" / "base"
    scans.mkdir(parents=True)
    (scans / "fat.dcm").write_bytes(b"1")
    clinic.edit(
        "analysis:", 'imaging:\n  thigh: {folder: data/mri, layout: "{subject}/{visit}", sequence: dixon}\nanalysis:'
    )
    study, read = load(clinic.study), list[str]()
    scandir = os.scandir
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", lambda folder: read.append(str(folder)) or scandir(folder))
        before = key_images(study, clinic.study)
    read = [each for each in read if each.startswith(str(clinic.folder.resolve()))]
    assert str(scans.resolve()) in read
    assert len(read) == len(set(read))
    clinic.study.write_text(clinic.study.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert key_images(study, clinic.study) == before  # the study file counts by what it says
    (scans / "fat.dcm").write_bytes(b"12")
    assert key_images(study, clinic.study) != before


def test_a_folder_of_images_that_is_not_there_is_named_as_such(clinic, tmp_path) -> None:
    clinic.edit(
        "analysis:", 'imaging:\n  thigh: {folder: data/mri, layout: "{subject}/{visit}", sequence: dixon}\nanalysis:'
    )
    with pytest.raises(RarefactorError) as caught:
        run(clinic.study, tmp_path / "out")
    assert [problem.found for problem in caught.value.problems] == ["no such folder"]
