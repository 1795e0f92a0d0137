"""Slides of made patients: what is asked for is there, and told as it came out; one seed gives one set of bytes."""

from pathlib import Path

import pytest

from rarefactor.errors import InputError
from rarefactor.pathology import open_slide, read_manifest
from rarefactor.simulate._slides import CONTROLS, MadeSlide, SlideTruth, write_runs, write_slides

SLIDES = (
    SlideTruth(subject="SRP-001", stain="BAFF-R", positive_area=0.2, run="B1", seed=1),
    SlideTruth(subject="SRP-001", stain="CD20", positive_cells_per_mm2=60.0, run="C1", gain=0.8, seed=1),
    SlideTruth(subject="SRP-002", stain="CD20", positive_cells_per_mm2=12.0, run="C1", gain=0.8, whole=True, seed=2),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, MadeSlide]]:
    folder = tmp_path_factory.mktemp("slides")
    return folder, {each.file: each for each in write_slides(folder, SLIDES)}


def test_the_truth_is_near_what_was_asked_for(made):
    _, truth = made
    assert truth["SRP-001_BAFF-R.tif"].positive_area == pytest.approx(0.2, rel=0.1)
    assert truth["SRP-001_CD20.tif"].positive_cells_per_mm2 == pytest.approx(60, abs=2.5)
    assert truth["SRP-002_CD20.tif"].positive_cells_per_mm2 == pytest.approx(12, abs=1.5)
    assert 0.2 < truth["SRP-001_CD20.tif"].tissue_mm2 < 1 < truth["SRP-002_CD20.tif"].tissue_mm2


def test_files_are_small_synthetic_and_scaled_and_whole_slides_have_a_pyramid(made):
    folder, _ = made
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len(SLIDES) + 2
    assert all(b"SYNTHETIC" in path.read_bytes() for path in files)
    assert sum(path.stat().st_size for path in files) < 4e6
    for name, levels in (("SRP-001_CD20.tif", 1), ("SRP-002_CD20.tif", 2)):
        with open_slide(folder / name) as slide:
            assert slide.microns_per_pixel is not None
            assert slide.microns_per_pixel.value == pytest.approx(0.5)
            assert len(slide.downsamples) == levels


def test_each_run_of_a_stain_has_one_control_and_the_manifest_names_it(made, tmp_path):
    folder, truth = made
    assert sorted(path.name for path in (folder / CONTROLS).iterdir()) == ["BAFF-R_B1.tif", "CD20_C1.tif"]
    path = tmp_path / "runs.csv"
    path.write_bytes(write_runs(list(truth.values()), {"B1": "2020-03-02", "C1": "2020-03-09"}))
    manifest = read_manifest(path)
    assert not manifest.failures
    controls = {each.slide for each in manifest.slides if each.control}
    assert controls == {f"{CONTROLS}/BAFF-R_B1.tif", f"{CONTROLS}/CD20_C1.tif"}


def test_the_same_truth_gives_the_same_bytes(made, tmp_path):
    folder, truth = made
    again = write_slides(tmp_path, SLIDES[1:])
    for each in again:
        assert truth[each.file] == each
        assert (tmp_path / each.file).read_bytes() == (folder / each.file).read_bytes()


def test_an_unknown_stain_is_refused(tmp_path):
    with pytest.raises(InputError, match="CD21"):
        write_slides(tmp_path, [SlideTruth(subject="P", stain="CD21", positive_area=0.1, seed=1)])
