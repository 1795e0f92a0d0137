"""Ink, folds, edges and blur on real slides and on fields that have none."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from rarefactor.pathology._artefacts import compute_artefacts
from rarefactor.pathology._blur import compute_blur
from rarefactor.pathology._density import compute_density
from rarefactor.pathology._white import White, WhiteSource, compute_white

GLASS = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)


def _read(shared: Path, name: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(shared / "data" / "ihc" / name).convert("RGB"))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "ink", "um_per_px", "least"),
    [
        ("1k_version_pen_black", "pen_black", 8.0, 0.95),
        ("1k_version_pen_green", "pen_green", 16.0, 0.10),
        ("1k_version_pen_red", "pen_red", 16.0, 0.05),
        ("tcga-green-pen", "pen_green", 2.0, 0.12),
        ("tcga-red-pen", "pen_red", 2.0, 0.30),
        ("wsi-blue-pen", "pen_blue", 16.0, 0.05),
    ],
)
def test_ink_is_found_by_its_colour(shared: Path, name: str, ink: str, um_per_px: float, least: float) -> None:
    image = _read(shared, f"qc_artifacts/{name}.png")
    found = compute_artefacts(image, compute_white(image), um_per_px=um_per_px)
    assert found.shares[ink] >= least


@pytest.mark.shared
@pytest.mark.parametrize("um_per_px", [0.25, None])
@pytest.mark.parametrize("name", ["22_2_ihc", "34_3_ihc", "6_2_ihc", "Bladder1_ihc", "lymphocyte_ROI_1"])
def test_stained_fields_hold_no_ink(shared: Path, name: str, um_per_px: float | None) -> None:
    image = _read(shared, f"truth/{name}.png")
    assert not compute_artefacts(image, compute_white(image), um_per_px=um_per_px).excluded.any()


@pytest.mark.shared
def test_what_lies_beyond_the_coverslip_is_left_out_and_the_tissue_is_kept(shared: Path) -> None:
    image = _read(shared, "qc_artifacts/coverslip_edge_ihc_coverslip_edge.png")
    allowed = compute_artefacts(image, compute_white(image), um_per_px=16.0).allowed
    assert not allowed[:80].any()
    assert allowed[235:].mean() > 0.999


def test_a_fold_is_found_and_a_brown_band_is_kept() -> None:
    slide = np.full((120, 160, 3), 240, dtype=np.uint8)
    slide[10:110, 10:150] = (190, 175, 185)
    slide[40:46, 10:150] = (150, 128, 143)
    slide[80:86, 10:150] = (150, 95, 70)
    allowed = compute_artefacts(slide, GLASS, um_per_px=8.0).allowed
    assert not allowed[41:45, 20:140].any()
    assert allowed[60:100, 20:140].all()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "um_per_px"), [("open/skimage_ihc", 0.5), ("truth/22_2_ihc", 0.25), ("truth/lymphocyte_ROI_7", 0.25)]
)
def test_blur_that_hides_nuclei_is_found(shared: Path, name: str, um_per_px: float) -> None:
    sharp = _read(shared, f"{name}.png")[:512, :512]
    sigma = 1.5 / um_per_px
    noise = np.random.default_rng(2).normal(0, 2, sharp.shape)
    blurred = np.clip(ndimage.gaussian_filter(sharp.astype(float), (sigma, sigma, 0)) + noise, 0, 255).astype(np.uint8)
    white = compute_white(sharp)
    shares = []
    for image in (sharp, blurred):
        tissue = np.asarray(compute_density(image, white).sum(axis=2) >= 0.15)
        shares.append(compute_blur(image, white, tissue, um_per_px=um_per_px).share)
    assert shares == [0.0, 1.0]


def test_focus_is_not_judged_without_a_scale() -> None:
    image = np.full((64, 64, 3), 120, dtype=np.uint8)
    found = compute_blur(image, GLASS, np.ones((64, 64), dtype=bool), um_per_px=None)
    assert (found.share, found.flags[0].name) == (None, "blur_unchecked")


@pytest.mark.parametrize("side", [1, 2, 9])
def test_tiny_images_have_no_artefacts_and_no_crash(side: int) -> None:
    found = compute_artefacts(np.full((side, side, 3), 200, dtype=np.uint8), GLASS, um_per_px=0.5)
    assert found.allowed.all()
