"""Nuclei: those that touch, those that a tile's edge cuts, and what is none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rarefactor.errors import InputError
from rarefactor.pathology._cells import Cells, compute_cells, join_cells
from rarefactor.pathology._nuclei import HALO_PX, NUCLEI, NUCLEI_IN_BROWN, NucleusSettings, compute_nuclei
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._white import FULL, White, WhiteSource

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


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), down=st.integers(0, 6), right=st.integers(0, 6))
def test_nuclei_move_with_the_image(seed: int, down: int, right: int) -> None:
    """By two pixels and more of them: the Laplacian is read at half the resolution."""
    image = scatter(seed, 128, 8)
    still, moved = (
        compute_nuclei(np.pad(image, ((32 + dy, 44 - dy), (32 + dx, 44 - dx), (0, 0)), constant_values=225), WHITE)
        for dy, dx in ((0, 0), (2 * down, 2 * right))
    )
    np.testing.assert_array_equal(np.roll(still, (2 * down, 2 * right), (0, 1)), moved)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), way=st.integers(1, 7))
def test_nuclei_do_not_depend_on_which_way_round_the_image_lies(seed: int, way: int) -> None:
    """Up to pixels between touching nuclei, which a plain of distances leaves to the order in which they are read."""
    image = scatter(seed, 128, 8)

    def turn(array: NDArray[Any]) -> NDArray[Any]:
        turned = np.rot90(array, way % 4)
        return np.ascontiguousarray(turned.swapaxes(0, 1) if way > 3 else turned)

    found, turned = turn(compute_nuclei(image, WHITE)), compute_nuclei(turn(image), WHITE)
    assert abs(int(found.max()) - int(turned.max())) <= 1
    assert ((found > 0) == (turned > 0)).mean() > 0.99


@pytest.mark.parametrize("chosen", [NUCLEI, NUCLEI_IN_BROWN])
def test_patches_at_the_rim_of_a_fibre_are_no_nuclei_and_a_flat_nucleus_there_is_one(chosen: NucleusSettings) -> None:
    from scipy import ndimage

    rows, columns = np.mgrid[:200, :200]
    grain = 1 + 0.5 * ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(200, 200)), 1.5)
    inside = (rows + columns > 160) & (rows < 170) & (columns < 170) & (rows > 20) & (columns > 20)
    density = ndimage.gaussian_filter(np.where(inside, 0.1, 0.03), 0.7) * grain
    for with_nucleus in (0, 1):
        density[np.hypot((rows - 120) / 2.6, columns - 164) < 3.5 * with_nucleus] = 0.45
        image = np.round(240 * 10 ** -(density[..., None] * (0.65111, 0.70119, 0.29049))).astype(np.uint8)
        assert compute_nuclei(image, WHITE, settings=replace(chosen, max_open=1.0)).max() > 10
        found = compute_nuclei(image, WHITE, settings=chosen)
        assert found.max() == with_nucleus
        assert found[120, 164] == with_nucleus
