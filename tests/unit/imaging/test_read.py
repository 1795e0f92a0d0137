"""A visit's folder becomes a scan with a reason for each series; what is missing or contradicts itself is said."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging._masks import read_labels
from rarefactor.imaging._read import read_scan
from rarefactor.imaging._regions import MUSCLES
from rarefactor.imaging._scan import Acquisition, Kind, Scan
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import DicomLabel, write_dicom, write_nifti
from rarefactor.work import hash_file

GRID = Grid(shape=(4, 40, 48), spacing_mm=(24.0, 4.0, 4.0))
RNG = np.random.default_rng(5)
FAT = Volume(values=RNG.uniform(0, 900, GRID.shape).astype(np.float32), grid=GRID)
WATER = Volume(values=RNG.uniform(0, 2500, GRID.shape).astype(np.float32), grid=GRID)
IN_PHASE = FAT.with_values(FAT.values + WATER.values + RNG.normal(0, 20, GRID.shape).astype(np.float32))
OPPOSED = FAT.with_values(np.abs(WATER.values - FAT.values))
LOWER = Grid(shape=GRID.shape, spacing_mm=GRID.spacing_mm, origin_mm=(0.0, 0.0, -300.0))


def place_images(folder: Path, images: Mapping[str, Volume]) -> Path:
    for name, volume in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(write_nifti(volume))
    return folder


def problem_of(folder: Path, **options: object) -> str:
    with pytest.raises(ImageError) as caught:
        read_scan(folder, **options)
    return str(caught.value)


def flags_of(scan: Scan) -> dict[str, str]:
    return {flag.name: flag.detail for flag in scan.flags}


def test_files_are_known_by_the_words_of_their_names(tmp_path: Path) -> None:
    images = {"p1_F.nii.gz": FAT, "p1_W.nii.gz": WATER, "p1_dixon_in.nii.gz": IN_PHASE, "p1_opp.nii.gz": OPPOSED}
    scan = read_scan(place_images(tmp_path, images))
    assert {each.kind: each.reason for each in scan.series} == {
        Kind.FAT: "the file name says “f”",
        Kind.WATER: "the file name says “w”",
        Kind.IN_PHASE: "the file name says “in”",
        Kind.OPPOSED_PHASE: "the file name says “opp”",
    }
    assert scan.flags == ()
    np.testing.assert_array_equal(scan.first([Kind.FAT]).volume.values, FAT.values)


def test_a_number_comes_with_its_file_and_the_file_with_its_hash(tmp_path: Path) -> None:
    folder = place_images(tmp_path, {"P001/dixon/fat.nii.gz": FAT, "P001/dixon/water.nii.gz": WATER}) / "P001"
    source = read_scan(folder).series[0].files[0]
    assert source.path == "dixon/fat.nii.gz"
    assert source.sha256 == hash_file(folder / "dixon/fat.nii.gz")


def test_the_files_of_one_scan_can_be_listed(tmp_path: Path) -> None:
    folder = place_images(tmp_path, {f"P{each}_{name}.nii.gz": FAT for each in (1, 2) for name in ("fat", "water")})
    scan = read_scan(sorted(folder.glob("P2*")))
    assert [each.files[0].path for each in scan.series] == ["P2_fat.nii.gz", "P2_water.nii.gz"]
    assert scan.flags == ()


def test_patterns_decide_over_names(tmp_path: Path) -> None:
    folder = place_images(tmp_path, {"a_0000.nii.gz": FAT, "a_0001.nii.gz": WATER, "fat.nii.gz": OPPOSED})
    scan = read_scan(folder, patterns={Kind.FAT: "*_0000.nii.gz", Kind.WATER: "*_0001.nii.gz"})
    np.testing.assert_array_equal(scan.first([Kind.FAT]).volume.values, FAT.values)
    assert scan.first([Kind.FAT]).reason == "the pattern “*_0000.nii.gz” names it"
    assert "a pattern names another file" in flags_of(scan)["unused_series"]


def test_patterns_name_dicom_by_folder_or_description(tmp_path: Path) -> None:
    for number, (volume, text) in enumerate(((FAT, "first"), (WATER, "second")), start=1):
        files = write_dicom(volume, Kind.UNKNOWN, Acquisition(), label=DicomLabel(series=number, description=text))
        for name, data in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
    scan = read_scan(tmp_path, patterns={Kind.FAT: "001_*", Kind.WATER: "sec*"})
    np.testing.assert_allclose(scan.first([Kind.WATER]).volume.values, WATER.values, atol=0.1)


def test_a_pattern_that_names_nothing_lists_what_there_is(tmp_path: Path) -> None:
    folder = place_images(tmp_path, {"fat.nii.gz": FAT, "water.nii.gz": WATER})
    said = problem_of(folder, patterns={Kind.FAT: "*_0000.nii.gz"})
    assert "*_0000.nii.gz: found no fat image" in said
    assert "fat.nii.gz, water.nii.gz" in said


@pytest.mark.parametrize(("have", "lack"), [("fat", "water"), ("water", "fat")])
def test_half_of_a_dixon_scan_says_what_is_missing_and_what_was_found(tmp_path: Path, have: str, lack: str) -> None:
    said = problem_of(place_images(tmp_path, {f"{have}.nii.gz": FAT, "other.nii.gz": WATER}))
    assert f"no {lack} image beside the {have} image" in said
    assert "other.nii.gz: not recognised, nothing names its contrast" in said


def test_half_of_a_dixon_scan_beside_t1_is_a_doubt(tmp_path: Path) -> None:
    scan = read_scan(place_images(tmp_path, {"water.nii.gz": FAT, "t1_tse.nii.gz": WATER}))
    assert "incomplete_dixon" in flags_of(scan)
    assert scan.first([Kind.T1]) is not None


def test_a_folder_without_images_says_what_it_holds(tmp_path: Path) -> None:
    assert "no file" in problem_of(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert "notes.txt: found something that is neither DICOM nor NIfTI" in problem_of(tmp_path / "notes.txt")
    (tmp_path / "more.txt").write_text("x")
    assert "no image among 2 files (2 .txt)" in problem_of(tmp_path)
    assert "nothing of this name" in problem_of(tmp_path / "none")


def test_an_image_of_zeros_is_an_error(tmp_path: Path) -> None:
    zeros = FAT.with_values(np.zeros_like(FAT.values))
    said = problem_of(place_images(tmp_path, {"fat.nii.gz": zeros, "water.nii.gz": WATER}))
    assert "fat.nii.gz: found a fat image of nothing" in said


def test_four_dimensions_are_an_error_with_a_next_step(tmp_path: Path) -> None:
    import nibabel

    place_images(tmp_path, {"water.nii.gz": WATER})
    nibabel.Nifti1Image(np.ones((4, 4, 4, 2), np.int16), np.eye(4)).to_filename(tmp_path / "fat.nii")
    assert "fat.nii: found an image of 4 dimensions" in problem_of(tmp_path)


def test_every_broken_file_is_named_at_once(tmp_path: Path) -> None:
    place_images(tmp_path, {"fat.nii.gz": FAT, "water.nii.gz": WATER})
    for name in ("fat.nii.gz", "water.nii.gz"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-50])
    with pytest.raises(ImageError) as caught:
        read_scan(tmp_path)
    assert {problem.file for problem in caught.value.problems} == {"fat.nii.gz", "water.nii.gz"}


def test_fat_and_water_of_two_scans_do_not_go_together(tmp_path: Path) -> None:
    short = Volume(values=WATER.values[:3], grid=Grid(shape=(3, 40, 48), spacing_mm=GRID.spacing_mm))
    said = problem_of(place_images(tmp_path / "a", {"fat.nii.gz": FAT, "water.nii.gz": short}))
    assert "4 x 40 x 48 and 3 x 40 x 48" in said
    moved = Volume(values=WATER.values, grid=LOWER)
    said = problem_of(place_images(tmp_path / "b", {"fat.nii.gz": FAT, "water.nii.gz": moved}))
    assert "lie at different places" in said


def test_masks_beside_the_images_are_no_images(tmp_path: Path) -> None:
    images = {"fat.nii.gz": FAT, "water.nii.gz": WATER, "fat_seg.nii.gz": FAT, "mask_water.nii.gz": FAT}
    assert read_scan(place_images(tmp_path, images)).flags == ()


def test_the_thigh_is_taken_before_the_calf(tmp_path: Path) -> None:
    lower = {f"calf_{name}.nii.gz": Volume(values=WATER.values, grid=LOWER) for name in ("fat", "water")}
    upper = {f"dixon_{name}.nii.gz": volume for name, volume in (("fat", FAT), ("water", WATER))}
    scan = read_scan(place_images(tmp_path, lower | upper))
    assert scan.first([Kind.FAT]).files[0].path == "dixon_fat.nii.gz"
    assert "because the other's description names another part" in flags_of(scan)["duplicate_series"]


def test_two_scans_of_different_places_are_asked_about(tmp_path: Path) -> None:
    upper = {"one_fat.nii.gz": FAT, "one_water.nii.gz": WATER}
    lower = {f"two_{name}.nii.gz": Volume(values=WATER.values, grid=LOWER) for name in ("fat", "water")}
    folder = place_images(tmp_path, upper | lower)
    assert "2 fat images of different places" in problem_of(folder)
    scan = read_scan(folder, patterns={Kind.FAT: "one_fat*", Kind.WATER: "one_water*"})
    assert scan.first([Kind.FAT]).volume.grid.matches(GRID)


def test_the_fat_image_whose_partner_is_there_is_taken(tmp_path: Path) -> None:
    images = {"a_fat.nii.gz": Volume(values=FAT.values, grid=LOWER), "b_fat.nii.gz": FAT, "b_water.nii.gz": WATER}
    scan = read_scan(place_images(tmp_path, images))
    assert scan.first([Kind.FAT]).files[0].path == "b_fat.nii.gz"
    assert "because its partner lies on the same grid" in flags_of(scan)["duplicate_series"]


def test_echoes_that_contradict_fat_and_water_are_flags(tmp_path: Path) -> None:
    dixon = {"fat.nii.gz": FAT, "water.nii.gz": WATER}
    right = place_images(tmp_path / "a", dixon | {"in_phase.nii.gz": IN_PHASE, "opposed.nii.gz": OPPOSED})
    assert flags_of(read_scan(right)) == {}
    exchanged = place_images(tmp_path / "b", dixon | {"in_phase.nii.gz": OPPOSED, "opposed.nii.gz": IN_PHASE})
    assert list(flags_of(read_scan(exchanged))) == ["echoes_exchanged"]
    other = FAT.with_values(RNG.uniform(0, 900, GRID.shape).astype(np.float32))
    strange = place_images(tmp_path / "c", dixon | {"in_phase.nii.gz": other})
    assert list(flags_of(read_scan(strange))) == ["in_phase_differs"]


def test_one_slice_is_a_doubt(tmp_path: Path) -> None:
    grid = Grid(shape=(1, 40, 48), spacing_mm=GRID.spacing_mm)
    images = {f"{name}.nii.gz": Volume(values=WATER.values[:1], grid=grid) for name in ("fat", "water")}
    assert "one_slice" in flags_of(read_scan(place_images(tmp_path, images)))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("patient", "published"),
    [
        ("001", "0.182836 0.537026 0.309223 0.343359 0.300494 0.648822 0.235308 0.639768 0.649394 0.617633 0.418268"),
        ("002", "0.163060 0.501802 0.536133 0.529328 0.503416 0.405981 0.118544 0.618817 0.542495 0.672286 0.156817"),
    ],
)
def test_real_images_and_masks_meet_in_the_published_fat_fractions(shared: Path, patient: str, published: str) -> None:
    folder = shared / "data/mri/huashan_dixon_thigh"
    patterns = {kind: f"Thigh_{patient}_000{channel}.nii.gz" for channel, kind in enumerate((Kind.FAT, Kind.WATER))}
    scan = read_scan(folder, patterns=patterns)
    fat, water = (scan.first([kind]).volume for kind in (Kind.FAT, Kind.WATER))
    labels = read_labels(folder / f"Thigh_{patient}_seg.nii.gz", fat.grid)
    total = fat.values + water.values
    for code, value in zip(MUSCLES, map(float, published.split()), strict=True):
        muscle = np.isin(labels.values, [label for label, region in labels.regions.items() if region.name == code])
        found = np.mean(fat.values[muscle & (total > 0)] / total[muscle & (total > 0)], dtype=np.float64)
        assert found == pytest.approx(value, abs=5e-5)
