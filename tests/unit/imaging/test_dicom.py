"""DICOM of one visit: volumes are told apart, sorted by place and complete, and nobody's name comes along."""

import dataclasses
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from rarefactor.errors import ImageError
from rarefactor.imaging._read import read_scan
from rarefactor.imaging._scan import Acquisition, Kind, Scan
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import DicomLabel, write_dicom

GRID = Grid(
    shape=(5, 24, 20),
    spacing_mm=(24.0, 1.5, 1.4),
    origin_mm=(-100.0, -50.0, 20.0),
    directions=((0.0, 0.0, 1.0), (-0.6, 0.8, 0.0), (0.8, 0.6, 0.0)),
)
ACQUISITION = Acquisition(
    sequence="vibe", repetition_ms=9.5, echo_ms=2.3, flip_degrees=3.0, field_tesla=3.0, coil="Body", software="VE11"
)
RNG = np.random.default_rng(3)
FAT = Volume(values=RNG.uniform(0, 900, GRID.shape).astype(np.float32), grid=GRID)
WATER = Volume(values=RNG.uniform(0, 2500, GRID.shape).astype(np.float32), grid=GRID)
IN_PHASE = FAT.with_values(FAT.values + WATER.values)
OPPOSED = FAT.with_values(np.abs(WATER.values - FAT.values))
DIXON = {Kind.FAT: FAT, Kind.WATER: WATER, Kind.IN_PHASE: IN_PHASE, Kind.OPPOSED_PHASE: OPPOSED}
Change = Callable[[pydicom.Dataset], None]


def write_visit(
    folder: Path,
    volumes: Mapping[Kind, Volume] = DIXON,
    *,
    enhanced: bool = False,
    label: DicomLabel | None = None,
    change: Change | None = None,
) -> list[Path]:
    """All kinds in one series, as some scanners export them; ``change`` spoils or renames each file."""
    files: dict[str, bytes] = {}
    for kind, volume in volumes.items():
        files |= write_dicom(volume, kind, ACQUISITION, enhanced=enhanced, label=label)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(_changed(data, change) if change else data)
    return [folder / name for name in sorted(files)]


def _changed(data: bytes, change: Change) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    change(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def problem_of(folder: Path) -> str:
    with pytest.raises(ImageError) as caught:
        read_scan(folder)
    return str(caught.value)


def flags_of(scan: Scan) -> dict[str, str]:
    return {flag.name: flag.detail for flag in scan.flags}


@pytest.mark.parametrize("enhanced", [False, True])
def test_four_contrasts_of_one_series_come_back_as_four_volumes(tmp_path: Path, *, enhanced: bool) -> None:
    write_visit(tmp_path, enhanced=enhanced)
    scan = read_scan(tmp_path)
    assert scan.flags == ()
    assert {each.kind: each.reason for each in scan.series} == {
        Kind.FAT: "Image Type says FAT",
        Kind.WATER: "Image Type says WATER",
        Kind.IN_PHASE: "Image Type says IN PHASE",
        Kind.OPPOSED_PHASE: "Image Type says OUT PHASE",
    }
    for each in scan.series:
        np.testing.assert_allclose(each.volume.values, DIXON[each.kind].values, atol=4000 / 65535)
        assert each.volume.grid.matches(GRID)
        assert each.acquisition == dataclasses.replace(ACQUISITION, scanner="rarefactor")
        assert len(each.files) == (1 if enhanced else 5)


def test_slices_are_sorted_by_place_whatever_their_names_and_numbers_say(tmp_path: Path) -> None:
    paths = write_visit(tmp_path, {Kind.FAT: FAT, Kind.WATER: WATER})
    for path in paths:
        path.rename(path.with_name(f"{9 - int(path.stem)}{path.suffix}"))
    np.testing.assert_allclose(read_scan(tmp_path).first([Kind.FAT]).volume.values, FAT.values, atol=0.1)


def test_left_is_the_patients_left_however_the_rows_run(tmp_path: Path) -> None:
    def mirror(dataset: pydicom.Dataset) -> None:
        along = np.array(dataset.ImageOrientationPatient[:3], float)
        far = np.array(dataset.ImagePositionPatient, float) + along * 1.4 * 19
        dataset.ImageOrientationPatient = [*(-along).tolist(), *dataset.ImageOrientationPatient[3:]]
        dataset.ImagePositionPatient = [f"{each:.9g}" for each in far]
        dataset.PixelData = dataset.pixel_array[:, ::-1].tobytes()

    write_visit(tmp_path, {Kind.FAT: FAT, Kind.WATER: WATER}, change=mirror)
    found = read_scan(tmp_path).first([Kind.FAT]).volume
    np.testing.assert_allclose(found.values, FAT.values, atol=0.1)
    assert found.grid.matches(GRID)


@pytest.mark.parametrize("enhanced", [False, True])
@pytest.mark.parametrize("kind", [Kind.FAT_FRACTION, Kind.T1, Kind.T2, Kind.STIR])
def test_what_is_written_as_a_kind_is_recognised_as_it(tmp_path: Path, kind: Kind, *, enhanced: bool) -> None:
    write_visit(tmp_path, {kind: FAT}, enhanced=enhanced)
    assert [each.kind for each in read_scan(tmp_path).series] == [kind]


def test_contrasts_of_one_enhanced_file_are_split(tmp_path: Path) -> None:
    parts = [
        pydicom.dcmread(io.BytesIO(next(iter(write_dicom(DIXON[kind], kind, ACQUISITION, enhanced=True).values()))))
        for kind in (Kind.FAT, Kind.WATER)
    ]
    one = parts[0]
    frames = []
    for part in parts:
        shared = part.SharedFunctionalGroupsSequence[0]
        for frame in part.PerFrameFunctionalGroupsSequence:
            frame.MRImageFrameTypeSequence = shared.MRImageFrameTypeSequence
            frame.PixelValueTransformationSequence = shared.PixelValueTransformationSequence
            frames.append(frame)
    order = np.random.default_rng(1).permutation(len(frames))
    pixels = np.concatenate([part.pixel_array for part in parts])[order]
    one.PerFrameFunctionalGroupsSequence = [frames[each] for each in order]
    del one.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence
    one.NumberOfFrames, one.PixelData = len(frames), pixels.tobytes()
    one.ImageType = ["DERIVED", "PRIMARY", "MIXED", "MIXED"]
    one.save_as(tmp_path / "one.dcm")
    scan = read_scan(tmp_path)
    for kind in (Kind.FAT, Kind.WATER):
        np.testing.assert_allclose(scan.first([kind]).volume.values, DIXON[kind].values, atol=0.1)


def test_philips_scale_slope_undoes_the_scaling_for_display(tmp_path: Path) -> None:
    def scale(dataset: pydicom.Dataset) -> None:
        slope = float(dataset.RescaleSlope)
        dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x0E, "FL", 1 / slope)
        dataset.RescaleSlope = "3.0"  # for display only

    write_visit(tmp_path, {Kind.FAT: FAT, Kind.WATER: WATER}, change=scale)
    np.testing.assert_allclose(read_scan(tmp_path).first([Kind.WATER]).volume.values, WATER.values, rtol=1e-4, atol=0.1)


def test_phase_copies_under_the_same_description_are_left_out(tmp_path: Path) -> None:
    def as_phase(dataset: pydicom.Dataset) -> None:
        dataset.ImageType = ["DERIVED", "PRIMARY", "FAT", "NONE"]
        dataset.ComplexImageComponent = "PHASE"
        dataset.SOPInstanceUID += ".1"

    write_visit(tmp_path / "a", {Kind.FAT: FAT, Kind.WATER: WATER})
    write_visit(tmp_path / "b", {Kind.FAT: WATER}, change=as_phase)
    scan = read_scan(tmp_path)
    np.testing.assert_allclose(scan.first([Kind.FAT]).volume.values, FAT.values, atol=0.1)
    assert "Complex Image Component says PHASE" in flags_of(scan)["unused_series"]


def test_a_nearly_empty_copy_gives_way_to_the_full_image(tmp_path: Path) -> None:
    empty = FAT.with_values(np.zeros_like(FAT.values))
    empty.values[0, 0, 0] = 1.0
    write_visit(tmp_path / "a", {Kind.FAT: FAT, Kind.WATER: WATER}, label=DicomLabel(series=1))
    write_visit(tmp_path / "b", {Kind.FAT: empty}, label=DicomLabel(series=9))
    scan = read_scan(tmp_path)
    np.testing.assert_allclose(scan.first([Kind.FAT]).volume.values, FAT.values, atol=0.1)
    assert "nearly empty" in flags_of(scan)["empty_copy"]


def test_repetitions_in_one_series_are_told_apart_by_their_acquisition(tmp_path: Path) -> None:
    def numbered(number: int) -> Change:
        def change(dataset: pydicom.Dataset) -> None:
            dataset.AcquisitionNumber = number
            dataset.SOPInstanceUID += f".{number}"

        return change

    write_visit(tmp_path / "a", {Kind.FAT: WATER, Kind.WATER: WATER}, change=numbered(1))
    write_visit(tmp_path / "b", {Kind.FAT: FAT, Kind.WATER: WATER}, change=numbered(2))
    scan = read_scan(tmp_path)
    np.testing.assert_allclose(scan.first([Kind.FAT]).volume.values, FAT.values, atol=0.1)
    assert [flag.name for flag in scan.flags] == ["duplicate_series", "duplicate_series"]
    assert scan.flags[0].detail.startswith("2 volumes show fat. b/001_fat (series 1) was taken because it is the last")


def test_copies_of_files_are_read_once(tmp_path: Path) -> None:
    write_visit(tmp_path / "a")
    write_visit(tmp_path / "b")
    scan = read_scan(tmp_path)
    assert scan.first([Kind.FAT]).volume.grid.shape == GRID.shape
    assert "20 images" in flags_of(scan)["copied_files"]


def test_a_missing_slice_is_found(tmp_path: Path) -> None:
    write_visit(tmp_path)[2].unlink()
    assert "1 missing slice among 4, the first gap after slice 2 (48.0 mm instead of 24.0 mm)" in problem_of(tmp_path)


def test_a_missing_last_slice_shows_beside_the_other_image(tmp_path: Path) -> None:
    write_visit(tmp_path, {Kind.FAT: FAT, Kind.WATER: WATER})[4].unlink()
    assert "4 x 24 x 20 and 5 x 24 x 20" in problem_of(tmp_path)


def test_unequal_distances_are_found(tmp_path: Path) -> None:
    def shift(dataset: pydicom.Dataset) -> None:
        if dataset.InstanceNumber == 3:
            dataset.ImagePositionPatient[2] += 5.0

    write_visit(tmp_path, change=shift)
    assert "slices 19.0 to 29.0 mm apart" in problem_of(tmp_path)


def test_images_at_one_place_that_nothing_tells_apart(tmp_path: Path) -> None:
    def renamed(dataset: pydicom.Dataset) -> None:
        dataset.SOPInstanceUID += ".7"

    write_visit(tmp_path / "a", {Kind.FAT: FAT, Kind.WATER: WATER})
    write_visit(tmp_path / "b", {Kind.FAT: FAT}, change=renamed)
    assert "several images at 5 places" in problem_of(tmp_path)


def test_two_patients_in_a_folder_are_an_error_that_names_neither(tmp_path: Path) -> None:
    write_visit(tmp_path / "a", label=DicomLabel(patient="Miller77"))
    write_visit(tmp_path / "b", label=DicomLabel(patient="Smith88"))
    said = problem_of(tmp_path)
    assert "files of 2 patients" in said
    assert "the patient's number differs" in said
    assert "Miller77" not in said
    assert "Smith88" not in said


def test_one_name_written_in_two_ways_is_one_patient(tmp_path: Path) -> None:
    def called(name: str) -> Change:
        return lambda dataset: setattr(dataset, "PatientName", name)

    write_visit(tmp_path / "a", {Kind.FAT: FAT}, change=called("Doe^Jane"))
    write_visit(tmp_path / "b", {Kind.WATER: WATER}, change=called("DOE, JANE"))
    assert read_scan(tmp_path).flags == ()


def test_two_examinations_of_a_patient_are_a_doubt(tmp_path: Path) -> None:
    write_visit(tmp_path / "a", {Kind.FAT: FAT}, label=DicomLabel(study="1"))
    write_visit(tmp_path / "b", {Kind.WATER: WATER}, label=DicomLabel(study="2"))
    assert "2 examinations" in flags_of(read_scan(tmp_path))["several_examinations"]


def test_nothing_that_names_the_patient_is_kept(tmp_path: Path) -> None:
    def personal(dataset: pydicom.Dataset) -> None:
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Xavier^Quentin", "HOSP4711", "19610203"
        dataset.ReferringPhysicianName = dataset.OperatorsName = "Ypsilon^Zoe"
        dataset.InstitutionName, dataset.StudyDate = "Charterhouse", "20190817"
        dataset.SeriesDescription = "dixon F XAVIER thigh hosp4711"

    write_visit(tmp_path, {Kind.FAT: FAT, Kind.WATER: WATER}, change=personal)
    scan = read_scan(tmp_path)
    said = repr([dataclasses.replace(each, volume=None) for each in scan.series]) + repr(scan.flags)
    hidden = ("xavier", "quentin", "hosp4711", "1961", "ypsilon", "charterhouse", "20190817", "2.25.")
    assert not [word for word in hidden if word in said.lower()]
    assert scan.series[0].description == "dixon F thigh"


def test_a_file_cut_off_in_its_pixels_is_named(tmp_path: Path) -> None:
    path = write_visit(tmp_path)[3]
    path.write_bytes(path.read_bytes()[:-100])
    assert problem_of(tmp_path).startswith("001_fat/0004.dcm: found fewer pixels than the header declares")


@pytest.mark.parametrize("kept", [0, 100, 200, 700, 1100])
def test_a_file_cut_off_in_its_header_is_named(tmp_path: Path, kept: int) -> None:
    path = write_visit(tmp_path)[3]
    path.write_bytes(path.read_bytes()[:kept])
    assert problem_of(tmp_path).startswith("001_fat/0004.dcm: found a DICOM file that is cut off or damaged")


def test_a_broken_fat_image_is_not_replaced_by_another_kind(tmp_path: Path) -> None:
    write_visit(tmp_path, DIXON | {Kind.T1: WATER})[2].unlink()
    assert "missing slice" in problem_of(tmp_path)


def test_a_broken_image_beside_a_whole_dixon_scan_is_a_flag(tmp_path: Path) -> None:
    write_visit(tmp_path / "a")
    write_visit(tmp_path / "b", {Kind.T1: WATER}, label=DicomLabel(series=2))[2].unlink()
    scan = read_scan(tmp_path)
    assert scan.first([Kind.T1]) is None
    assert "missing slice" in flags_of(scan)["unreadable_series"]


def test_images_without_a_place_cannot_be_used(tmp_path: Path) -> None:
    write_visit(tmp_path, change=lambda dataset: delattr(dataset, "ImagePositionPatient"))
    assert "without position" in problem_of(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_padded.dcm"],
)
def test_encodings_of_one_image_give_the_same_numbers(name: str) -> None:
    scan = read_scan(Path(str(get_testdata_file(name, download=False))))
    truth = pydicom.dcmread(str(get_testdata_file("MR_small.dcm", download=False))).pixel_array
    np.testing.assert_array_equal(scan.series[0].volume.values[0], truth)
    assert "one_slice" in flags_of(scan)


def test_files_that_pydicom_ships_and_nobody_can_measure() -> None:
    folder = Path(str(get_testdata_file("MR_small.dcm", download=False))).parent
    assert "fewer pixels" in problem_of(folder / "MR_truncated.dcm")
    assert "4 of CT" in problem_of(folder / "dicomdirtests/77654033")
    assert "the description says “localizer”" in problem_of(folder / "dicomdirtests/98892003/MR1")
    assert "no image that can be measured" in problem_of(folder / "dicomdirtests/98892003/MR700")


def test_a_compression_without_a_decoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.pixels.decoders import JPEGLSLosslessDecoder

    monkeypatch.setattr(JPEGLSLosslessDecoder, "_available", {})
    path = Path(str(get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False)))
    assert "compressed as JPEG-LS Lossless" in problem_of(path)
