"""Masks: the sides come from where the legs are, names from a table, and what does not fit is said."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from rarefactor.errors import ImageError
from rarefactor.imaging._label_names import derive_region, read_label_names
from rarefactor.imaging._masks import check_labels, read_labels
from rarefactor.imaging._nifti import read_nifti_volume
from rarefactor.imaging._regions import MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._sides import compute_left
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import write_label_names, write_labels, write_nifti

GRID = Grid(shape=(4, 60, 120), spacing_mm=(24.0, 3.0, 3.0), origin_mm=(-240.0, -90.0, 0.0))
PLACES = {"RF": (-14, 0), "VL": (-4, -12), "VI": (-6, 0), "VM": (-4, 9), "GR": (2, 15), "ST": (12, 3), "BL": (10, -6)}
NUMBERS = {code: label for label, code in enumerate(MUSCLES, start=1)}


def draw_leg(values: NDArray[np.int16], side: Side, *, row: int, column: int, size: int = 3) -> None:
    """A leg of seven muscles about ``row`` and ``column`` in every slice; medial looks to the other leg."""
    toward = 1 if side is Side.RIGHT else -1
    for code, (down, medial) in PLACES.items():
        y, x = row + down, column + toward * medial
        values[:, y - size : y + size, x - size : x + size] = NUMBERS[code]


def draw_legs(right: int = 25, left: int = 70, *, right_row: int = 30, left_row: int = 30) -> NDArray[np.int16]:
    values = np.zeros(GRID.shape, np.int16)
    draw_leg(values, Side.RIGHT, row=right_row, column=right)
    draw_leg(values, Side.LEFT, row=left_row, column=left)
    return values


def place_mask(folder: Path, values: NDArray[np.int16], grid: Grid = GRID) -> Path:
    path = folder / "mask.nii.gz"
    path.write_bytes(write_labels(LabelMap(values=values, grid=grid, regions={}, source="reader")))
    return path


def problem_of(path: Path, grid: Grid = GRID, **options: object) -> str:
    with pytest.raises(ImageError) as caught:
        read_labels(path, grid, **options)
    return str(caught.value)


def test_one_label_for_both_legs_becomes_two_at_the_line_between_the_legs(tmp_path: Path) -> None:
    # Both legs lie in the right half of the image: its middle is no line between them.
    labels = read_labels(place_mask(tmp_path, draw_legs(right=18, left=58)), GRID)
    for label, region in labels.regions.items():
        columns = np.nonzero(labels.values == label)[2]
        assert region.side is (Side.LEFT if columns.mean() > 38 else Side.RIGHT)
    assert labels.regions[3] == Region(name="VL", side=Side.RIGHT)
    assert labels.regions[103] == Region(name="VL", side=Side.LEFT)
    assert (labels.values == 3).sum() == (labels.values == 103).sum() > 0


def test_a_slice_that_shows_one_leg_is_not_cut_in_two(tmp_path: Path) -> None:
    values = draw_legs()
    values[3, :, :48] = 0
    labels = read_labels(place_mask(tmp_path, values), GRID)
    assert (labels.values[3][values[3] > 0] > 100).all()


def test_legs_that_lean_to_one_side_are_followed_slice_by_slice() -> None:
    values = np.stack([np.roll(each, shift, axis=1) for each, shift in zip(draw_legs(), (0, 3, 6, 9), strict=True)])
    truth = np.stack([np.roll(np.arange(120) >= 47, shift)[None].repeat(60, 0) for shift in (0, 3, 6, 9)])
    left = compute_left(values, 3.0)
    assert left is not None
    np.testing.assert_array_equal(left[values > 0], truth[values > 0])


def test_muscles_that_nearly_touch_across_the_middle_stay_whole() -> None:
    values = draw_legs(right=30, left=67, right_row=24, left_row=34)  # the right gracilis ends where the left begins
    left = compute_left(values, 3.0)
    assert left is not None
    right_leg = np.zeros_like(values)
    draw_leg(right_leg, Side.RIGHT, row=24, column=30)
    np.testing.assert_array_equal(left[values > 0], right_leg[values > 0] == 0)


@pytest.mark.parametrize("side", list(Side))
def test_a_single_leg_gets_its_side_from_its_muscles(tmp_path: Path, side: Side) -> None:
    values = np.zeros(GRID.shape, np.int16)
    draw_leg(values, side, row=30, column=60)
    labels = read_labels(place_mask(tmp_path, values), GRID)
    assert {region.side for region in labels.regions.values()} == {side}


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    first = read_labels(place_mask(tmp_path, draw_legs()), GRID)
    (tmp_path / "again.nii.gz").write_bytes(write_labels(first))
    (tmp_path / "names.csv").write_bytes(write_label_names(first))
    again = read_labels(tmp_path / "again.nii.gz", GRID, names=read_label_names(tmp_path / "names.csv"))
    assert again.regions == first.regions
    np.testing.assert_array_equal(again.values, first.values)


def test_a_mask_saved_by_slicer_lies_at_its_place(tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(draw_legs()[:, ::-1])
    image.SetSpacing(GRID.spacing_mm[::-1])
    image.SetOrigin((-240.0, -90.0 + 59 * 3.0, 0.0))
    image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))
    SimpleITK.WriteImage(image, str(tmp_path / "mask.nrrd"))
    np.testing.assert_array_equal(read_labels(tmp_path / "mask.nrrd", GRID).values % 100, draw_legs())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('# head\n    1   103 0 31   1  1  1    "SA"\n', "a.label"),
        ("index\tname\tabbreviation\n1\tSA\tx\n", "a.tsv"),
        ("label,muscle,side\n1,SA,\n", "a.csv"),
        ('{"labels": {"background": 0, "SA": 1}}', "a.json"),
        ('{"1": "SA"}', "a.json"),
    ],
)
def test_tables_of_names(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_label_names(tmp_path / name)[1] == "SA"


def test_a_table_that_is_none_says_what_is_needed(tmp_path: Path) -> None:
    for name, text in (("a.csv", "x"), ("a.json", "[]"), ("a.label", ""), ("a.pdf", "1,SA")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ImageError, match="no table of labels"):
            read_label_names(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("VL_R", Region(name="VL", side=Side.RIGHT)),
        ("L_RF", Region(name="RF", side=Side.LEFT)),
        ("Left M. semimembranosus", Region(name="SM", side=Side.LEFT)),
        ("Biceps femoris, short head", Region(name="BB")),
        ("BFLH", Region(name="BL")),
        ("hamstrings", Region(name="posterior")),
        ("anterior compartment left", Region(name="anterior", side=Side.LEFT)),
        ("adductor longus", None),
        ("Clear Label", None),
        ("subcutaneous fat", None),
    ],
)
def test_names_as_people_write_them(name: str, region: Region | None) -> None:
    assert derive_region(name) == region


def test_an_unknown_name_is_asked_about() -> None:
    with pytest.raises(ImageError, match="Did you mean gracilis"):
        derive_region("gracillis")


def test_a_mask_on_another_grid_names_both_shapes(tmp_path: Path) -> None:
    other = Grid(shape=(5, 60, 120), spacing_mm=(24.0, 3.0, 3.0))
    said = problem_of(place_mask(tmp_path, np.ones(other.shape, np.int16), other))
    assert "5 x 60 x 120" in said
    assert "4 x 60 x 120" in said


def test_a_mask_at_another_place_says_how_far(tmp_path: Path) -> None:
    moved = Grid(shape=GRID.shape, spacing_mm=GRID.spacing_mm, origin_mm=(-240.0, -80.0, 0.0))
    assert "10.0 mm away" in problem_of(place_mask(tmp_path, draw_legs(), moved))


def test_rounding_of_a_header_moves_no_mask(tmp_path: Path) -> None:
    near = Grid(shape=GRID.shape, spacing_mm=GRID.spacing_mm, origin_mm=(-240.1, -90.1, 0.1))
    assert read_labels(place_mask(tmp_path, draw_legs(), near), GRID).grid == GRID


def test_masks_that_cannot_be_used(tmp_path: Path) -> None:
    assert "without any muscle" in problem_of(place_mask(tmp_path, np.zeros(GRID.shape, np.int16)))
    assert "labels without a name: 12" in problem_of(place_mask(tmp_path, np.full(GRID.shape, 12, np.int16)))
    half = Volume(values=np.full(GRID.shape, 0.5, np.float32), grid=GRID)
    (tmp_path / "half.nii.gz").write_bytes(write_nifti(half))
    assert "no labels" in problem_of(tmp_path / "half.nii.gz")
    (tmp_path / "cut.nii.gz").write_bytes(write_nifti(half)[:200])
    assert "cut off" in problem_of(tmp_path / "cut.nii.gz")
    (tmp_path / "text.nii").write_text("no image" * 100)
    assert "not NIfTI" in problem_of(tmp_path / "text.nii")
    assert "no such file" in problem_of(tmp_path / "none.nii")


def test_right_and_left_exchanged_is_an_error(tmp_path: Path) -> None:
    values = np.zeros(GRID.shape, np.int16)
    values[:, 10:20, 10:20], values[:, 10:20, 90:100] = 1, 2
    path = place_mask(tmp_path, values)
    assert read_labels(path, GRID, names={1: "VL right", 2: "VL left"}).regions[1].side is Side.RIGHT
    assert "exchanged" in problem_of(path, names={1: "VL left", 2: "VL right"})


def test_a_single_leg_named_for_the_other_side_is_an_error(tmp_path: Path) -> None:
    values = np.zeros(GRID.shape, np.int16)
    draw_leg(values, Side.RIGHT, row=30, column=60)
    names = {label: f"{code} left" for code, label in NUMBERS.items()}
    assert "exchanged" in problem_of(place_mask(tmp_path, values), names=names)


def test_doubts_about_a_mask_are_flags(tmp_path: Path) -> None:
    values = draw_legs()
    values[:, :, :48][values[:, :, :48] == NUMBERS["GR"]] = 0
    labels = read_labels(place_mask(tmp_path, values), GRID)
    dark = Volume(values=np.zeros(GRID.shape, np.float32), grid=GRID)
    dark.values[:, :, 60:] = 100
    assert [flag.name for flag in check_labels(labels, dark)] == ["one_sided_labels", "mask_outside"]
    assert "GR" in check_labels(labels, dark)[0].detail


def test_names_in_the_wrong_order_are_noticed(tmp_path: Path) -> None:
    names = {label: code for code, label in NUMBERS.items()} | {NUMBERS["VL"]: "GR", NUMBERS["GR"]: "VL"}
    labels = read_labels(
        place_mask(tmp_path, np.where(np.isin(draw_legs(), [3, 7]), draw_legs(), 0)), GRID, names=names
    )
    assert "muscles_exchanged" in {flag.name for flag in check_labels(labels)}


@pytest.mark.shared
@pytest.mark.parametrize("patient", ["001", "002", "003"])
def test_legs_of_real_patients_are_told_apart(shared: Path, patient: str) -> None:
    folder = shared / "data/mri/huashan_dixon_thigh"
    image = read_nifti_volume(folder / f"Thigh_{patient}_0000.nii.gz")
    names = read_label_names(folder / "labels.label")
    labels = read_labels(folder / f"Thigh_{patient}_seg.nii.gz", image.grid, names=names)
    assert len(labels.regions) == 22
    assert check_labels(labels, image) == ()
    counts = {label: int((labels.values == label).sum()) for label in labels.regions}
    assert all(0.7 < counts[label] / counts[label + 100] < 1.4 for label in range(1, 12))
