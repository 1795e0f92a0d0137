"""Made sections: what the truth says is what the pictures hold, and the files read back."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from rarefactor.errors import InputError
from rarefactor.pathology import open_slide
from rarefactor.pathology._density import H_DAB, compute_stains
from rarefactor.pathology._section_cells import thin_out
from rarefactor.pathology._section_fibres import compute_mosaic
from rarefactor.pathology._section_paint import View
from rarefactor.pathology._section_strands import chain_edges
from rarefactor.pathology._white import White, WhiteSource
from rarefactor.pathology._write_slide import write_field, write_slide
from rarefactor.pathology.simulate import (
    STAINS,
    Camera,
    Extent,
    Field,
    Lineage,
    Look,
    StainingRun,
    simulate_control,
    simulate_field,
    simulate_section,
    stain_section,
    write_truth,
)

SMALL = Camera(width=512, height=512)


def make(stain: str, seed: int = 3, camera: Camera = SMALL, run: StainingRun | None = None) -> Field:
    return simulate_field(np.random.default_rng(seed), stain=stain, camera=camera, run=run)


def measure_dab(field: Field) -> np.ndarray:
    white = White(level=field.camera.white, source=WhiteSource.GIVEN)
    return compute_stains(field.image, white, H_DAB)[..., 1]


@pytest.mark.parametrize("stain", list(STAINS))
def test_the_picture_holds_the_true_area(stain: str) -> None:
    field = make(stain)
    seen = (measure_dab(field) >= 0.2).sum() / field.truth.histogram.sum()
    assert seen == pytest.approx(field.truth.positive_area(0.2), abs=0.004)


def test_without_a_camera_s_faults_the_dab_is_exact() -> None:
    clean = make("MHC-I", camera=Camera(width=256, height=256, noise=0.0, jpeg_quality=None))
    seen = (measure_dab(clean) >= 0.3).sum() / clean.truth.histogram.sum()
    assert seen == pytest.approx(clean.truth.positive_area(0.3), abs=0.001)


def test_glass_is_white_and_part_of_the_field() -> None:
    field = make("CD20")
    assert 0.05 < 1 - field.truth.histogram.sum() / 512**2 < 0.3
    assert field.image[:, -20:].mean(axis=(0, 1)) == pytest.approx((241, 240, 238), abs=0.7)


def test_positive_cells_are_those_of_the_stain_and_are_brown() -> None:
    section = simulate_section(
        np.random.default_rng(2), width_um=256, height_um=256, look=Look(lymphocytes_per_mm2=900)
    )
    field = simulate_field(np.random.default_rng(5), stain="CD20", camera=SMALL, section=section)
    assert {cell.lineage for cell in field.truth.cells if cell.positive} == {Lineage.B}
    dab = measure_dab(field)
    brown = [
        dab[int(c.y) - 4 : int(c.y) + 5, int(c.x) - 4 : int(c.x) + 5].mean() for c in field.truth.cells if c.positive
    ]
    assert len(brown) > 5
    assert np.median(brown) > 0.35
    serial = simulate_field(np.random.default_rng(6), stain="CD3", camera=SMALL, section=section)
    assert [(c.x, c.y, c.lineage) for c in serial.truth.cells] == [(c.x, c.y, c.lineage) for c in field.truth.cells]


def test_a_look_gives_the_cells_it_asks_for() -> None:
    look = Look(lymphocytes_per_mm2=400)
    section = simulate_section(np.random.default_rng(1), width_um=900, height_um=900, look=look, extent=Extent.FULL)
    lymphocytes = sum("lymphocyte" in cell.lineage for cell in section.cells)
    assert lymphocytes / 0.81 == pytest.approx(400, rel=0.2)
    assert len(section.fibres) / 1.21 == pytest.approx(380, rel=0.2)  # of the tissue, which goes on for 100 µm


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_a_run_changes_density_but_neither_cells_nor_tissue(gain: float) -> None:
    usual, other = (make("BAFF-R", run=StainingRun(name="r", dab_gain=each)) for each in (1.0, gain))
    means = [float(f.truth.histogram @ (np.arange(400) + 0.5) / f.truth.histogram.sum()) for f in (usual, other)]
    assert means[1] / means[0] == pytest.approx(gain, rel=0.06)
    assert usual.truth.positive_cells_per_mm2 == other.truth.positive_cells_per_mm2
    assert usual.truth.tissue_mm2 == other.truth.tissue_mm2


def test_controls_show_the_run_s_gain() -> None:
    camera = Camera(width=400, height=400)
    weak, strong = (
        simulate_control(np.random.default_rng(seed), stain="CD20", run=StainingRun(dab_gain=gain), camera=camera)
        for seed, gain in ((1, 0.6), (2, 1.2))
    )
    dark = [np.mean(measure_dab(field)[measure_dab(field) > 0.2]) for field in (weak, strong)]
    assert dark[1] / dark[0] == pytest.approx(2.0, rel=0.25)


def test_a_view_is_a_part_of_the_whole() -> None:
    rng = np.random.default_rng(8)
    specimen = stain_section(simulate_section(rng, width_um=300, height_um=300), "C5b-9", rng)
    camera = Camera(jpeg_quality=None)
    whole, counts = specimen.render(View(x=0, y=0, width=600, height=600, um_per_px=0.5), camera)
    parts = [specimen.render(View(x=0, y=y, width=600, height=200, um_per_px=0.5), camera) for y in (0, 200, 400)]
    joined = np.concatenate([image for image, _ in parts])
    assert (np.abs(joined.astype(int) - whole).max(axis=2) > 8).mean() < 0.0015
    assert np.abs(sum(c for _, c in parts) - counts).sum() < 0.002 * counts.sum()


def test_a_field_reads_back_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    field = make("CD8", camera=Camera(width=300, height=200, um_per_px=0.46))
    path = tmp_path / "field.tif"
    path.write_bytes(write_field(field))
    with open_slide(path) as slide:
        assert slide.microns_per_pixel is not None
        assert slide.microns_per_pixel.value == pytest.approx(0.46, rel=1e-4)
        np.testing.assert_array_equal(slide.read(0, 0, 300, 200), field.image)
    with tifffile.TiffFile(path) as tiff:
        assert "SYNTHETIC" in tiff.pages.first.description
    assert json.loads(write_truth(field.truth))["positive_area"] == field.truth.positive_area()


def test_a_slide_is_a_pyramid_with_its_truth(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    section = simulate_section(rng, width_um=480, height_um=250, extent=Extent.PIECE)
    specimen = stain_section(section, "MHC-I", rng)
    path = tmp_path / "slide.ome.tif"
    truth = write_slide(path, specimen, copies=(2, 3))
    again = tmp_path / "again.ome.tif"
    write_slide(again, specimen, copies=(2, 3))
    assert again.read_bytes() == path.read_bytes()
    with tifffile.TiffFile(path) as tiff:
        assert [level.shape for level in tiff.series[0].levels] == [(1536, 2048, 3), (384, 512, 3)]
        assert "SYNTHETIC" in (tiff.ome_metadata or "")
        image = tiff.series[0].levels[0].asarray()
    assert np.array_equal(image[:512, :1024], image[512:1024, 1024:])
    with open_slide(path) as slide:
        assert slide.microns_per_pixel is not None
        assert slide.microns_per_pixel.value == pytest.approx(0.5)
        small = slide.read(0, 0, 2048, 1536, downsample=4.0)
    assert np.abs(small.astype(int) - image.reshape(384, 4, 512, 4, 3).mean(axis=(1, 3))).mean() < 2.0
    assert sum(cell.positive for cell in truth.cells) % 6 == 0
    white = White(level=(241.0, 240.0, 238.0), source=WhiteSource.GIVEN)
    seen = (compute_stains(image, white, H_DAB)[..., 1] >= 0.2).sum() / truth.histogram.sum()
    assert seen == pytest.approx(truth.positive_area(0.2), abs=0.005)


def test_the_same_seed_gives_the_same_picture() -> None:
    first, second = (make("CD3", camera=Camera(width=128, height=128)) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)


def test_a_stain_that_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean BAFF-R"):
        make("BAFFR")


def test_cells_keep_apart() -> None:
    points = thin_out(np.random.default_rng(1).uniform(0, 100, (2000, 2)), 6.0)
    apart = np.hypot(*(points[:, None] - points).T)
    assert apart[np.triu_indices(len(points), 1)].min() >= 6.0


def test_every_edge_between_fascicles_is_in_one_path() -> None:
    mosaic = compute_mosaic((600.0, 600.0), Look(fascicle_um=200), np.random.default_rng(1))
    edges = mosaic.between_fascicles
    paths = list(chain_edges(mosaic.corners[edges], mosaic.ends[edges]))
    assert sum(len(path) - 1 for path in paths) == edges.sum()


@pytest.mark.slow
def test_a_field_is_quick() -> None:
    make("BAFF-R")
    began = time.process_time()
    make("BAFF-R", camera=Camera())
    assert time.process_time() - began < 3.0  # about 1 second on an idle core
