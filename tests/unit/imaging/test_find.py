"""How a folder of scans is filed, seen from the folder itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging._find import find_scans, guess_layout
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import DicomLabel, write_dicom

GRID = Grid(shape=(2, 16, 16), spacing_mm=(5.0, 1.0, 1.0))


def write_series(folder: Path, *, study: str, series: int) -> None:
    volume = Volume(values=np.arange(512, dtype=np.float32).reshape(GRID.shape), grid=GRID)
    label = DicomLabel(patient="SYNTHETIC", study=study, series=series)
    folder.mkdir(parents=True)
    for name, data in write_dicom(volume, Kind.FAT, Acquisition(), label=label).items():
        (folder / Path(name).name).write_bytes(data)


@pytest.mark.parametrize(
    ("folders", "layout"),
    [
        ({"fat": "1", "water": "1"}, None),
        ({"P1": "1", "P2": "2"}, "{subject}"),
        ({"P1/fat": "1", "P1/water": "1", "P2/fat": "2", "P2/water": "2"}, "{subject}"),
        ({"P1/v0": "1", "P1/v3": "2", "P2/v0": "3", "P2/v3": "4"}, "{subject}/{visit}"),
        ({"P1/v0/fat": "1", "P1/v0/water": "1", "P1/v3/fat": "2", "P1/v3/water": "2"}, "{subject}/{visit}"),
    ],
    ids=["series of one scan", "patients", "patients with series", "visits", "visits with series"],
)
def test_a_layout_is_seen_from_the_examinations(tmp_path: Path, folders: dict[str, str], layout: str | None) -> None:
    for number, (name, study) in enumerate(folders.items()):
        write_series(tmp_path / name, study=study, series=number)
    assert guess_layout(tmp_path) == layout


def test_files_of_the_same_patient_and_visit_belong_together_in_the_order_of_the_visits(tmp_path: Path) -> None:
    for name in ("P_1_v3_fat.nii", "P_1_v0_fat.nii", "P_1_v0_water.nii", ".hidden_v0_fat.nii", "P_1_v9_fat.nii"):
        (tmp_path / name).touch()
    found = find_scans(tmp_path, "{subject}_{visit}_*.nii", visits={"baseline": "v0", "month_3": "v3"})
    assert [(each.subject, each.visit, len(each.paths)) for each in found] == [
        ("P_1", "baseline", 2),
        ("P_1", "month_3", 1),
    ]


def test_nothing_to_find_is_said(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no images"):
        guess_layout(tmp_path)
    with pytest.raises(ImageError, match="nothing that fits"):
        find_scans(tmp_path, "{subject}/{visit}")
