"""What we write is what others read: nibabel, SimpleITK and pydicom find the same numbers at the same places."""

import gzip
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from numpy.typing import NDArray

from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import DicomLabel, write_dicom, write_label_names, write_labels, write_nifti

TURN = np.deg2rad(10)
GRID = Grid(
    shape=(3, 5, 4),
    spacing_mm=(24.0, 0.8, 0.7),
    origin_mm=(-100.0, -50.0, 20.0),
    directions=((0.0, 0.0, 1.0), (-np.sin(TURN), np.cos(TURN), 0.0), (np.cos(TURN), np.sin(TURN), 0.0)),
)
VOLUME = Volume(values=np.random.default_rng(1).uniform(0, 3000, GRID.shape).astype(np.float32), grid=GRID)
ACQUISITION = Acquisition(
    sequence="vibe", repetition_ms=9.5, echo_ms=2.3, inversion_ms=220.0, flip_degrees=3.0, field_tesla=3.0, coil="Body"
)


def read_with_simpleitk(paths: list[Path]) -> tuple[NDArray[np.float64], SimpleITK.Image]:
    image = SimpleITK.ReadImage([str(path) for path in paths] if len(paths) > 1 else str(paths[0]))
    return SimpleITK.GetArrayFromImage(image), image


def place_files(folder: Path, files: dict[str, bytes]) -> list[Path]:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [folder / name for name in sorted(files)]


def test_simpleitk_finds_the_volume_of_a_nifti_file_at_its_place(tmp_path: Path) -> None:
    found, image = read_with_simpleitk(place_files(tmp_path, {"a.nii.gz": write_nifti(VOLUME)}))
    np.testing.assert_array_equal(found, VOLUME.values)
    for index in ((0, 0, 0), (2, 4, 3)):
        place = image.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(place, GRID.position(index), atol=1e-4)


@pytest.mark.parametrize("enhanced", [False, True])
def test_simpleitk_finds_the_volume_of_dicom_files_at_its_place(tmp_path: Path, *, enhanced: bool) -> None:
    files = write_dicom(VOLUME, Kind.WATER, ACQUISITION, enhanced=enhanced)
    found, image = read_with_simpleitk(place_files(tmp_path, dict(files)))
    np.testing.assert_allclose(found, VOLUME.values, atol=3000 / 65535)
    np.testing.assert_allclose(image.GetSpacing(), GRID.spacing_mm[::-1])
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((3, 4, 0)), GRID.position((0, 4, 3)), atol=1e-4)


@pytest.mark.parametrize("enhanced", [False, True])
def test_dicom_says_that_it_is_synthetic_and_names_only_the_given_id(tmp_path: Path, *, enhanced: bool) -> None:
    files = write_dicom(VOLUME, Kind.FAT, ACQUISITION, enhanced=enhanced, label=DicomLabel(patient="P7", series=4))
    for path in place_files(tmp_path, dict(files)):
        dataset = pydicom.dcmread(path)
        assert (dataset.PatientID, dataset.SeriesNumber) == ("P7", 4)
        assert "synthetic" in dataset.SeriesDescription
        assert "no patient" in dataset.ImageComments
        assert list(dataset.ImageType) == ["DERIVED", "PRIMARY", "M", "FAT"]
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_volumes_of_one_series_number_share_the_series_and_no_image() -> None:
    both = {**write_dicom(VOLUME, Kind.FAT, ACQUISITION), **write_dicom(VOLUME, Kind.WATER, ACQUISITION)}
    datasets = [pydicom.dcmread(pydicom.filebase.DicomBytesIO(data)) for data in both.values()]
    assert len({each.SeriesInstanceUID for each in datasets}) == 1
    assert len({each.SOPInstanceUID for each in datasets}) == len(datasets) == 6


def test_the_same_volume_gives_the_same_bytes() -> None:
    assert write_nifti(VOLUME) == write_nifti(VOLUME)
    assert write_dicom(VOLUME, Kind.FAT, ACQUISITION) == write_dicom(VOLUME, Kind.FAT, ACQUISITION)


def test_labels_are_written_as_whole_numbers_with_their_table(tmp_path: Path) -> None:
    values = np.zeros(GRID.shape, np.int16)
    values[1, 2, 3] = 104
    labels = LabelMap(values=values, grid=GRID, regions={104: Region(name="VI", side=Side.LEFT)}, source="reader")
    found, _ = read_with_simpleitk(place_files(tmp_path, {"a.nii": gzip.decompress(write_labels(labels))}))
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, values)
    assert write_label_names(labels).decode() == "label,name\n104,VI left\n"
