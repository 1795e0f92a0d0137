"""The area pass: exact, additive, and what is known of real slides."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from rarefactor.errors import InputError
from rarefactor.pathology._bootstrap import compute_tile_interval
from rarefactor.pathology._density import H_DAB, RUIFROK, StainVectors, compute_density, compute_stains
from rarefactor.pathology._histogram import compute_histogram
from rarefactor.pathology._lookup import Lookup, compute_lookup
from rarefactor.pathology._positivity import AreaSettings, Denominator, compute_positivity
from rarefactor.pathology._white import White, WhiteSource

GLASS = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)


@pytest.fixture(scope="module")
def lookup() -> Lookup:
    return compute_lookup(GLASS)


def _noise(rows: int = 400, columns: int = 517) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def _by_pixel(image: NDArray[np.uint8], white: White, threshold: float) -> tuple[int, int]:
    dense = compute_density(image, white).astype(float).sum(axis=2) >= 0.15
    return int(dense.sum()), int((compute_stains(image, white)[..., 1][dense] >= threshold).sum())


@pytest.mark.parametrize("threshold", [0.15, 0.2, 0.25, 0.6])
def test_a_histogram_counts_what_a_pixelwise_computation_counts(lookup: Lookup, threshold: float) -> None:
    image = _noise()
    found = compute_histogram(image, lookup)
    tissue, positive = _by_pixel(image, GLASS, threshold)
    assert found.tissue == pytest.approx(tissue, abs=2)
    assert found.count_above(threshold) == pytest.approx(positive, abs=5)
    assert found.pixels == image.shape[0] * image.shape[1]


def test_white_255_is_what_a_second_pass_would_have_found(lookup: Lookup) -> None:
    image = _noise()
    full = White(level=(255.0, 255.0, 255.0), source=WhiteSource.GIVEN)
    tissue, positive = _by_pixel(image, full, 0.2)
    assert compute_histogram(image, lookup).compute_share(0.2, white_255=True) == pytest.approx(
        positive / tissue, abs=1e-4
    )


def test_only_pixels_of_the_mask_are_counted(lookup: Lookup) -> None:
    image = _noise(90, 80)
    mask = np.zeros((90, 80), dtype=bool)
    mask[10:30, 5:60] = True
    masked, cut = compute_histogram(image, lookup, mask), compute_histogram(image[10:30, 5:60], lookup)
    assert (masked.counts == cut.counts).all()
    assert masked.background == cut.background


def test_tiles_add_up_to_the_whole(lookup: Lookup) -> None:
    image = _noise()
    parts = [compute_histogram(part, lookup) for part in (image[:1], image[1:2, :1], image[1:2, 1:], image[2:])]
    whole = compute_histogram(image, lookup)
    total = parts[0] + parts[1] + parts[2] + parts[3]
    assert (total.counts == whole.counts).all()
    assert total.background == whole.background


def test_histograms_of_different_vectors_do_not_add() -> None:
    image = _noise(4, 4)
    with pytest.raises(InputError, match="different white"):
        _ = compute_histogram(image, compute_lookup(GLASS)) + compute_histogram(image, compute_lookup(GLASS, RUIFROK))


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.uint16)]
)
def test_an_image_of_another_kind_is_refused(lookup: Lookup, image: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="8-bit"):
        compute_histogram(image, lookup)


def test_parallel_stains_are_refused() -> None:
    with pytest.raises(InputError, match="two directions"):
        StainVectors(name="one stain", hematoxylin=H_DAB.dab, dab=H_DAB.dab)


@pytest.mark.shared
def test_real_tissue_has_its_known_share_in_every_format(shared: Path, lookup: Lookup) -> None:
    folder = shared / "data" / "ihc"
    png = np.asarray(Image.open(folder / "open" / "skimage_ihc.png").convert("RGB"))
    assert compute_histogram(png, lookup).compute_share(0.2) == pytest.approx(0.7358, abs=5e-4)
    for name in ("ihc_mosaic.ome.tif", "ihc_mosaic_generic.tif"):
        slide = tifffile.imread(folder / "derived" / name, level=0)
        assert compute_histogram(slide, lookup).compute_share(0.2) == pytest.approx(0.7387, abs=5e-4)


def test_a_region_carries_what_its_number_rests_on(lookup: Lookup) -> None:
    image = np.full((20, 20, 3), 240, dtype=np.uint8)
    image[:10] = (129, 60, 36)
    image[10:15] = (150, 150, 200)
    found = compute_positivity(compute_histogram(image, lookup), um_per_px=0.5)
    assert found.positive_area == pytest.approx(2 / 3)
    assert found.row["tissue_mm2"] == pytest.approx(300 * 0.25e-6)
    assert (found.row["white"], found.row["white_source"]) == ("240.0 240.0 240.0", "given")
    assert (found.row["stain_vectors"], found.row["threshold"]) == ("QuPath H-DAB default", 0.2)


def test_pale_fibres_count_in_the_denominator_of_the_section(lookup: Lookup) -> None:
    image = np.full((20, 20, 3), 232, dtype=np.uint8)
    image[:5] = (129, 60, 36)
    found = compute_histogram(image, lookup)
    assert compute_positivity(found).positive_area == 1
    section = compute_positivity(found, AreaSettings(denominator=Denominator.SECTION))
    assert (section.positive_area, section.h_score, section.tissue_px) == (0.25, 75, 400)
    assert section.row["denominator"] == "section"


def test_without_a_scale_nothing_is_per_mm2_and_without_tissue_nothing_is_a_share(lookup: Lookup) -> None:
    found = compute_positivity(compute_histogram(np.full((9, 9, 3), 240, dtype=np.uint8), lookup))
    assert found.tissue_mm2 is None
    assert np.isnan(found.positive_area)
    assert [flag.name for flag in found.flags] == ["no_tissue"]


def test_the_tile_interval_covers_the_share_it_is_drawn_from() -> None:
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(200):
        tissue = rng.integers(200, 1000, 40)
        positive = rng.binomial(tissue, rng.beta(2, 6, 40))
        found = compute_tile_interval(positive, tissue, rng=rng, resamples=400)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.25 <= found.high
    assert 180 <= covered <= 199


def test_few_tiles_have_no_interval() -> None:
    found = compute_tile_interval(np.ones(5), np.full(5, 4), rng=np.random.default_rng(1))
    assert (found.estimate, found.low, found.reason) == (0.25, None, "fewer than 8 tiles with tissue")
