"""NIfTI: the affine says where the patient's left is, the sidecar how it was scanned."""

import gzip
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging._nifti import read_nifti, read_nifti_volume
from rarefactor.imaging._recognise import derive_kind
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import write_nifti

GRID = Grid(shape=(3, 4, 5), spacing_mm=(24.0, 0.8, 0.7), origin_mm=(-10.0, 20.0, 30.0))
VOLUME = Volume(values=np.arange(60, dtype=np.float32).reshape(GRID.shape), grid=GRID)


def save_nifti(path: Path, values: np.ndarray, affine: np.ndarray | None = None) -> Path:
    nibabel.Nifti1Image(values, np.eye(4) if affine is None else affine).to_filename(path)
    return path


def problem_of(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        read_nifti_volume(path)
    return str(caught.value)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(write_nifti(VOLUME))
    found = read_nifti_volume(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.values, VOLUME.values)
    assert found.grid.matches(GRID, tolerance_mm=1e-4)


def test_the_affine_decides_where_left_is_not_the_order_of_the_array(tmp_path: Path) -> None:
    values = np.arange(60, dtype=np.int16).reshape(5, 4, 3)
    right_first = read_nifti_volume(save_nifti(tmp_path / "a.nii", values, np.diag([-1.0, -1, 1, 1])))
    left_first = read_nifti_volume(save_nifti(tmp_path / "b.nii", values[::-1], np.diag([1.0, -1, 1, 1])))
    np.testing.assert_array_equal(right_first.values, left_first.values)
    assert right_first.values[0, 0].tolist() == values[:, 0, 0].tolist()  # columns grow to the left, x of NIfTI falls
    assert left_first.grid.position((0, 0, 4)) == (0.0, 0.0, 0.0)


def test_a_scale_in_the_header_counts(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.ones((2, 3, 4), np.int16), np.eye(4))
    image.header.set_slope_inter(2.0, 5.0)
    image.to_filename(tmp_path / "a.nii")
    assert read_nifti_volume(tmp_path / "a.nii").values.max() == 1 * 2.0 + 5.0


def test_one_volume_of_four_dimensions_is_a_volume_and_two_are_not(tmp_path: Path) -> None:
    one = save_nifti(tmp_path / "one.nii", np.ones((4, 5, 6, 1), np.float32))
    assert read_nifti_volume(one).grid.shape == (6, 5, 4)
    two = save_nifti(tmp_path / "two.nii", np.ones((4, 5, 6, 2), np.float32))
    said = problem_of(two)
    assert "two.nii: found an image of 4 dimensions (4 x 5 x 6 x 2)" in said
    assert "one file for each volume" in said


def test_a_single_slice_is_a_volume_of_one(tmp_path: Path) -> None:
    assert read_nifti_volume(save_nifti(tmp_path / "a.nii", np.ones((4, 5), np.float32))).grid.shape == (1, 5, 4)


def test_no_value_is_no_signal(tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "a.nii", np.array([[[np.nan, 2.0]]], np.float32))
    assert sorted(read_nifti_volume(path).values.ravel().tolist()) == [0.0, 2.0]


def test_nifti_2_is_read(tmp_path: Path) -> None:
    nibabel.Nifti2Image(np.ones((2, 3, 4), np.int16), np.eye(4)).to_filename(tmp_path / "a.nii")
    assert read_nifti_volume(tmp_path / "a.nii").grid.shape == (4, 3, 2)


def test_what_is_no_image_says_why(tmp_path: Path) -> None:
    whole = write_nifti(VOLUME)
    files = {
        "cut.nii.gz": (whole[:-20], "cut off"),
        "short.nii": (gzip.decompress(whole)[:400], "cut off"),
        "empty.nii": (b"", "cut off"),
        "plain.nii.gz": (b"not packed at all", "cut off"),
        "text.nii": (b"x" * 400, "not NIfTI"),
    }
    for name, (data, said) in files.items():
        (tmp_path / name).write_bytes(data)
        assert f"{name}: found" in problem_of(tmp_path / name)
        assert said in problem_of(tmp_path / name)
    assert "complex numbers" in problem_of(save_nifti(tmp_path / "c.nii", np.ones((2, 2, 2), np.complex64)))


def test_an_image_without_a_place_is_an_error(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header()
    header.set_sform(np.diag([1.0, 1.0, 0.0, 1.0]), 1)
    nibabel.Nifti1Image(np.ones((2, 2, 2), np.float32), None, header).to_filename(tmp_path / "a.nii")
    assert "no usable place" in problem_of(tmp_path / "a.nii")


def test_the_sidecar_gives_the_acquisition_and_the_kind_and_no_name(tmp_path: Path) -> None:
    (tmp_path / "x_5.nii.gz").write_bytes(write_nifti(VOLUME))
    sidecar = {
        "SeriesDescription": "dixon_tra MUSTERMANN right",
        "PatientName": "Mustermann^Max",
        "ImageType": ["DERIVED", "PRIMARY", "M", "DIXON", "WATER"],
        "RepetitionTime": 0.0095,
        "EchoTime": 0.0023,
        "FlipAngle": 3,
        "MagneticFieldStrength": 3,
        "Manufacturer": "Siemens",
        "ManufacturersModelName": "Prisma",
        "SeriesNumber": 7,
    }
    (tmp_path / "x_5.json").write_text(json.dumps(sidecar))
    found = read_nifti(tmp_path / "x_5.nii.gz")
    assert derive_kind(found.clues).kind is Kind.WATER
    assert found.clues.acquisition == Acquisition(
        repetition_ms=9.5, echo_ms=2.3, flip_degrees=3.0, field_tesla=3.0, scanner="Siemens Prisma"
    )
    assert (found.number, found.description) == (7, "dixon_tra right")
    (tmp_path / "x_5.json").write_text("{")
    with pytest.raises(ImageError, match="not JSON"):
        read_nifti(tmp_path / "x_5.nii.gz")


@pytest.mark.shared
def test_columns_of_real_images_grow_to_the_left_whatever_the_array_order(shared: Path) -> None:
    thigh = read_nifti_volume(shared / "data/mri/huashan_dixon_thigh/Thigh_001_0000.nii.gz")
    calf = read_nifti_volume(shared / "data/mri/qmritools_leg/fat.nii.gz")
    assert thigh.grid.shape == (16, 512, 512)
    for grid in (thigh.grid, calf.grid):
        x, y, z = (np.array(grid.directions) @ axis for axis in np.eye(3))
        assert x[2] > 0.9
        assert y[1] > 0.9
        assert z[0] > 0.9
