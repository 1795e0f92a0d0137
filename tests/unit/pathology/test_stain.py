"""White and stain of real fields, and of images that are none."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rarefactor.errors import ImageError
from rarefactor.pathology._density import H_DAB, StainVectors
from rarefactor.pathology._stain import compute_stain_check
from rarefactor.pathology._tissue import compute_tissue
from rarefactor.pathology._white import White, WhiteSource, compute_white

GLASS = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
KI67 = [f"truth/{name}_ihc.png" for name in ("22_2", "34_3", "6_2", "799_2", "Bladder1", "Lung1")]
BROWN_AND_BLUE = ["open/skimage_ihc.png", *KI67, "truth/lymphocyte_ROI_1.png", "truth/lymphocyte_ROI_7.png"]


def _read(shared: Path, name: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(shared / "data" / "ihc" / name).convert("RGB"))


def _plain(*colour: int) -> NDArray[np.uint8]:
    return np.full((200, 200, 3), colour, dtype=np.uint8)


def _names(image: NDArray[np.uint8], white: White = GLASS) -> list[str]:
    return [flag.name for flag in compute_stain_check(image, white).flags]


@pytest.mark.shared
@pytest.mark.parametrize("name", BROWN_AND_BLUE)
def test_real_dab_passes(shared: Path, name: str) -> None:
    image = _read(shared, name)
    found = compute_stain_check(image, compute_white(image))
    assert not found.refused
    assert found.dab_angle is not None
    assert found.dab_angle < 9


@pytest.mark.shared
@pytest.mark.parametrize("name", ["open/idr0073_kidney_48_5.tif", "qc_artifacts/1k_version_pen_red.png"])
def test_red_chromogen_and_eosin_are_refused(shared: Path, name: str) -> None:
    image = _read(shared, name)
    assert compute_stain_check(image, compute_white(image)).refused


def test_no_dab_and_only_dab_and_no_tissue_are_said() -> None:
    assert _names(_plain(170, 165, 205)) == ["no_dab"]
    assert "all_dab" in _names(_plain(150, 95, 70))
    assert _names(_plain(238, 239, 240)) == ["no_tissue"]


def test_swapped_vectors_are_refused() -> None:
    swapped = StainVectors(name="swapped", hematoxylin=H_DAB.dab, dab=H_DAB.hematoxylin)
    assert compute_stain_check(_plain(150, 95, 70), GLASS, swapped).refused


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "level"), [("qc_artifacts/1k_version_pen_black.png", 242), ("open/idr0073_kidney_48_5.tif", 252)]
)
def test_white_is_measured_on_glass(shared: Path, name: str, level: float) -> None:
    found = compute_white(_read(shared, name))
    assert found.source is WhiteSource.GLASS
    assert found.level == pytest.approx((level, level, level), abs=1)


@pytest.mark.shared
def test_a_field_without_glass_says_that_white_is_assumed(shared: Path) -> None:
    found = compute_white(_read(shared, "truth/Bladder1_ihc.png"))
    assert [flag.name for flag in found.flags] == ["white_assumed"]


def test_brown_never_stands_for_white() -> None:
    found = compute_white(_plain(150, 95, 70))
    assert (found.level, found.flags[0].name) == ((255.0, 255.0, 255.0), "white_assumed")


def test_places_that_were_never_scanned_are_not_glass() -> None:
    slide = np.full((400, 400, 3), 232, dtype=np.uint8)
    slide[200:, :] = 255
    slide[40:160, 40:300] = (150, 130, 160)
    assert compute_white(slide).level == (232.0, 232.0, 232.0)
    assert compute_white(np.maximum(slide, np.uint8(255))).level == (255.0, 255.0, 255.0)


def test_a_blank_field_gives_white_only_if_it_is_blank() -> None:
    brown = _plain(150, 95, 70)
    assert compute_white(brown, blank=_plain(231, 233, 228)).level == (231.0, 233.0, 228.0)
    with pytest.raises(ImageError, match="not empty"):
        compute_white(brown, blank=brown)


@pytest.mark.parametrize("side", [1, 7, 20])
def test_tiny_images_are_measured_without_a_crash(side: int) -> None:
    image = np.full((side, side, 3), 90, dtype=np.uint8)
    assert compute_white(image).flags
    assert compute_stain_check(image, GLASS).positive_share is not None


@pytest.mark.shared
def test_a_small_biopsy_is_found_on_a_large_slide(shared: Path) -> None:
    image = _read(shared, "open/idr0073_kidney_48_5.tif")
    tissue = compute_tissue(image, compute_white(image))
    rows, columns = np.nonzero(tissue)
    assert 0.002 < tissue.mean() < 0.005
    assert abs(np.median(rows) - 535) < 8
    assert abs(np.median(columns) - 345) < 8
