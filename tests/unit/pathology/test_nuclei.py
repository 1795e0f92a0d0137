"""Nuclei: those of fields with truth, those that a tile's edge cuts, and what is none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rarefactor.errors import InputError
from rarefactor.pathology._cells import Cells, compute_cells, join_cells
from rarefactor.pathology._nuclei import HALO_PX, NUCLEI, NUCLEI_IN_BROWN, NucleusSettings, compute_nuclei
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._watershed import compute_basins
from rarefactor.pathology._white import FULL, White, WhiteSource, compute_white

WHITE = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
BLUE, BROWN, PALE = (140, 150, 200), (100, 60, 40), (205, 212, 230)
Image = NDArray[np.uint8]


def paint(shape: tuple[int, int], nuclei: list[tuple[float, float, float]], colour: tuple[int, int, int]) -> Image:
    """Glass with discs (row, column, radius)."""
    image = np.full((*shape, 3), 240, dtype=np.uint8)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for row, column, radius in nuclei:
        image[np.hypot(rows - row, columns - column) < radius] = colour
    return image


def scatter(seed: int, size: int, count: int) -> Image:
    """Noisy tissue with blue and brown nuclei of 2.5 to 5 µm radius, many of them touching."""
    rng = np.random.default_rng(seed)
    image = np.full((size, size, 3), 225, dtype=np.uint8)
    rows, columns = np.mgrid[:size, :size]
    for _ in range(count):
        row, column, radius = *rng.uniform(0, size, 2), rng.uniform(5, 10)
        image[np.hypot(rows - row, columns - column) < radius] = BLUE if rng.random() < 0.7 else BROWN
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [BLUE, BROWN])
def test_touching_nuclei_are_two(colour: tuple[int, int, int]) -> None:
    labels = compute_nuclei(paint((80, 80), [(40, 30, 8), (40, 44, 8)], colour), WHITE)
    assert labels.max() == 2
    assert labels[40, 30] != labels[40, 44]


def test_the_size_of_a_nucleus_is_kept() -> None:
    labels = compute_nuclei(paint((80, 80), [(40, 40, 8)], BLUE), WHITE)
    assert (labels > 0).sum() == pytest.approx(np.pi * 8**2, rel=0.2)


def test_a_vesicular_nucleus_is_one() -> None:
    image = paint((80, 80), [(40, 40, 9)], BLUE)
    image[38:43, 38:43] = PALE
    labels = compute_nuclei(image, WHITE)
    assert labels.max() == 1
    assert labels[40, 40] == 1


def test_no_nucleus_in_glass_brown_specks_and_the_rim_of_a_fibre() -> None:
    assert compute_nuclei(paint((64, 64), [], BLUE), WHITE).max() == 0
    assert compute_nuclei(np.full((64, 64, 3), BROWN, dtype=np.uint8), FULL).max() == 0
    assert compute_nuclei(paint((64, 64), [(32, 32, 2)], BLUE), WHITE).max() == 0
    assert compute_nuclei(paint((256, 256), [(128, 128, 60)], PALE), WHITE).max() == 0


def test_brown_cytoplasm_hides_a_nucleus_unless_its_share_is_taken_off() -> None:
    from scipy import ndimage

    strands = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(96, 96)), 3)
    density = np.clip(0.8 + 4 * strands, 0, None)[..., None] * (0.26917, 0.56824, 0.77759)
    rows, columns = np.mgrid[:96, :96]
    density[np.hypot(rows - 48, columns - 48) < 8] += 0.4 * np.array((0.65111, 0.70119, 0.29049))
    image = np.round(240 * 10**-density).astype(np.uint8)
    found = compute_nuclei(image, WHITE, settings=NUCLEI_IN_BROWN)
    assert found.max() == 1
    assert found[48, 48] == 1
    assert compute_nuclei(image, WHITE).max() > 1


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (3, 5), (33, 47)])
def test_any_shape_is_taken(shape: tuple[int, int]) -> None:
    assert compute_nuclei(np.full((*shape, 3), 200, dtype=np.uint8), WHITE).shape == shape


def test_a_smoothing_coarser_than_the_blobs_is_refused() -> None:
    with pytest.raises(InputError, match="smoothing finer"):
        NucleusSettings(smooth_um=2.0)


def cells_of(image: Image, window: Window) -> Cells:
    """The cells of a window, from an image that has its halo around it."""
    tile = Tile(window=window, image=image, halo=HALO_PX)
    return compute_cells(tile, compute_nuclei(image, WHITE), WHITE, um_per_px=0.5)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), cut=st.sampled_from([64, 96, 130]))
def test_a_field_gives_the_same_cells_whether_it_is_cut_or_not(seed: int, cut: int) -> None:
    """Clumps larger than a halo may be split otherwise at a cut; single nuclei and pairs never."""
    size = 192
    image = np.pad(scatter(seed, size, 18), ((HALO_PX,) * 2, (HALO_PX,) * 2, (0, 0)), constant_values=255)
    whole = cells_of(image, Window(x=0, y=0, width=size, height=size))
    parts = [
        cells_of(image[:, : cut + 2 * HALO_PX], Window(x=0, y=0, width=cut, height=size)),
        cells_of(image[:, cut:], Window(x=cut, y=0, width=size - cut, height=size)),
    ]
    joined = join_cells(parts)
    order, other = (np.lexsort((each.y, each.x)) for each in (joined, whole))
    assert len(joined) == len(whole)
    for name in ("x", "y", "area_um2", "nucleus"):
        np.testing.assert_allclose(getattr(joined, name)[order], getattr(whole, name)[other], rtol=1e-9)
    # A neighbour of the nucleus may be cut by the rim of the halo, and its share of the ring with it.
    np.testing.assert_allclose(joined.ring[order], whole.ring[other], atol=0.01)


@given(seed=st.integers(0, 10_000), depth=st.sampled_from([0.0, 0.2, 0.5]))
def test_each_basin_is_one_piece_of_the_mask_and_deeper_means_fewer(seed: int, depth: float) -> None:
    from scipy import ndimage

    heights = np.random.default_rng(seed).random((12, 14), dtype=np.float32)
    mask = heights > 0.3
    labels = compute_basins(heights, mask, depth=depth)
    np.testing.assert_array_equal(labels > 0, mask)
    for label in range(1, labels.max() + 1):
        assert ndimage.label(labels == label, structure=np.ones((3, 3)))[1] == 1
    assert compute_basins(heights, mask, depth=depth + 0.3).max() <= labels.max()
    assert compute_basins(heights, mask, depth=9.0).max() == ndimage.label(mask, structure=np.ones((3, 3)))[1]


# Centroids within 4 µm of the truth's count as found, one to one; half the resolution of the fields is 0.5 µm/px.
FIELDS = ("22_2", "34_3", "6_2", "799_2", "Bladder1", "Lung1")


def read_field(folder: Path, name: str) -> tuple[Image, NDArray[np.float64], NDArray[np.bool_]]:
    """The field at 0.5 µm per pixel, and the truth's centroids (row, column) with whether they are positive."""
    from PIL import Image as Pil
    from scipy import ndimage

    image, truth = (np.asarray(Pil.open(folder / f"{name}_{kind}.png").convert("RGB")) for kind in ("ihc", "truth"))
    half = np.round(image.reshape(256, 2, 256, 2, 3).mean(axis=(1, 3))).astype(np.uint8)
    red, green, blue = (truth[..., channel] > 127 for channel in range(3))
    pieces, count = ndimage.label((red | blue) & ~green)
    large = 1 + np.flatnonzero(np.bincount(pieces.ravel(), minlength=count + 1)[1:] >= 20)
    centres = np.array(ndimage.center_of_mass(pieces > 0, pieces, large)) / 2 - 0.25
    return half, centres, ndimage.mean(red, pieces, large) > 0.5


@pytest.mark.shared
def test_nuclei_of_six_fields_with_truth(shared: Path) -> None:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    found = of = 0
    positive: list[tuple[int, int]] = []
    for name in FIELDS:
        image, centres, is_positive = read_field(shared / "data/ihc/truth", name)
        white = compute_white(image)
        tile = Tile(window=Window(x=0, y=0, width=256, height=256), image=image)
        cells = compute_cells(tile, compute_nuclei(image, white), white, um_per_px=0.5)
        far = cdist(centres, np.column_stack([cells.y, cells.x]) - 0.5)
        truth, ours = linear_sum_assignment(np.where(far <= 8, far, 1e6))
        near = far[truth, ours] <= 8
        found, of = found + int(near.sum()), of + len(centres) + len(cells)
        positive.append((int(is_positive.sum()), int((cells.nucleus[ours[near]] >= 0.2).sum())))
    assert 2 * found / of >= 0.78
    given_, read = np.array(positive).T
    assert np.abs(given_ - read).max() <= 3
    assert np.corrcoef(given_, read)[0, 1] >= 0.98


@pytest.mark.shared
def test_no_setting_is_a_lucky_one(shared: Path) -> None:
    """A tenth more or less of the least founded settings changes the count by less than a tenth."""
    image, _, _ = read_field(shared / "data/ihc/truth", "22_2")
    white = compute_white(image)
    count = compute_nuclei(image, white).max()
    for name in ("min_density", "min_blob", "split_um", "edge", "min_contrast", "min_area_um2"):
        for factor in (0.9, 1.1):
            changed = replace(NUCLEI, **{name: getattr(NUCLEI, name) * factor})
            assert abs(compute_nuclei(image, white, settings=changed).max() / count - 1) < 0.1, name
