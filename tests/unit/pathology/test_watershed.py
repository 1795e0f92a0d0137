"""Shapes told apart and grown: where heights say so, and the same wherever and whichever way round they lie."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rarefactor.pathology._nuclei_mask import (
    compute_closing,
    compute_dilation,
    compute_erosion,
    compute_filling,
    compute_inner_distance,
    compute_opening,
)
from rarefactor.pathology._watershed import compute_basins, compute_growth, drop_labels

Labels = NDArray[np.int32]
SEEDS = st.integers(0, 10_000)


def turn(array: NDArray[Any], way: int) -> NDArray[Any]:
    """One of the eight ways in which an image can lie."""
    turned = np.rot90(array, way % 4)
    return np.ascontiguousarray(turned.T if way > 3 else turned)


def same_parts(one: Labels, other: Labels) -> bool:
    """Whether two label images part the same pixels the same way, whatever the numbers."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return pairs.shape[1] == len(np.unique(one)) == len(np.unique(other)) and bool(((one > 0) == (other > 0)).all())


def distinct_heights(seed: int, shape: tuple[int, int] = (11, 13)) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.permutation(np.arange(1, 1 + np.prod(shape), dtype=np.float32)).reshape(shape)


@settings(max_examples=30)
@given(seed=SEEDS, way=st.integers(1, 7), depth=st.sampled_from([0.0, 10.0, 40.0]))
@example(seed=1800, way=1, depth=40.0)  # one pixel is the pass between several basins
def test_basins_do_not_depend_on_which_way_round_an_image_lies(seed: int, way: int, depth: float) -> None:
    heights = distinct_heights(seed)
    mask = heights > 30
    there = compute_basins(turn(heights, way), turn(mask, way), depth=depth)
    assert same_parts(there, turn(compute_basins(heights, mask, depth=depth), way))


@settings(max_examples=30)
@given(seed=SEEDS, down=st.integers(0, 5), right=st.integers(0, 5))
def test_basins_and_growth_move_with_the_image(seed: int, down: int, right: int) -> None:
    heights = distinct_heights(seed)
    mask = heights > 90
    moved = tuple(np.pad(each, ((3 + down, 8 - down), (3 + right, 8 - right))) for each in (heights, mask))
    still = tuple(np.pad(each, ((3, 8), (3, 8))) for each in (heights, mask))
    one, other = (compute_growth(compute_basins(*each, depth=5.0), 2) for each in (still, moved))
    np.testing.assert_array_equal(np.roll(one, (down, right), (0, 1)), other)


def test_a_plain_is_one_basin_and_nothing_is_none() -> None:
    plain = np.ones((4, 5), dtype=np.float32)
    assert compute_basins(plain, plain > 0, depth=0.0).tolist() == np.ones((4, 5)).tolist()
    assert compute_basins(plain, plain > 2, depth=0.0).max() == 0


def test_a_summit_joins_the_one_over_the_highest_pass_and_only_if_it_is_shallow() -> None:
    ridge = np.array([[9, 3, 5, 4, 8]], dtype=np.float32)  # the middle rises 1 above the pass to its right
    every = compute_basins(ridge, ridge > 0, depth=0.5)[0]
    fewer = compute_basins(ridge, ridge > 0, depth=1.5)[0]
    assert (every.max(), fewer.max()) == (3, 2)
    assert fewer[2] == fewer[4] != fewer[0]


@settings(max_examples=30)
@given(seed=SEEDS, steps=st.integers(0, 4))
def test_growth_keeps_what_was_labelled_and_reaches_no_further_than_its_steps(seed: int, steps: int) -> None:
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    labels = np.where(rng.random((15, 15)) < 0.03, rng.integers(1, 9, (15, 15)), 0).astype(np.int32)
    grown = compute_growth(labels, steps)
    np.testing.assert_array_equal(grown[labels > 0], labels[labels > 0])
    far = ndimage.distance_transform_cdt(labels == 0, metric="chessboard") if labels.any() else np.full((15, 15), 99)
    assert (grown[far > steps] == 0).all()
    assert (grown[ndimage.distance_transform_edt(labels == 0) <= 0.7 * steps] > 0).all() or not labels.any()


def test_labels_that_meet_stop_and_those_at_the_edge_stay_inside() -> None:
    labels = np.array([[1, 0, 0, 0, 2]], dtype=np.int32)
    grown = compute_growth(labels, 9)
    assert grown.shape == labels.shape
    assert grown[0, [0, 1, 3, 4]].tolist() == [1, 1, 2, 2]
    assert compute_growth(np.zeros((3, 3), dtype=np.int32), 2).max() == 0


def test_dropped_labels_leave_no_gap_in_the_numbers() -> None:
    labels = np.array([[3, 1, 0, 2, 3]], dtype=np.int32)
    assert drop_labels(labels, np.array([False, True, False, True])).tolist() == [[2, 1, 0, 0, 2]]


@settings(max_examples=30)
@given(seed=SEEDS, way=st.integers(1, 7), steps=st.integers(0, 3))
def test_shapes_do_not_depend_on_which_way_round_a_mask_lies(seed: int, way: int, steps: int) -> None:
    mask = np.random.default_rng(seed).random((14, 14)) < 0.6
    for change in (compute_erosion, compute_dilation, compute_opening, compute_closing, compute_filling):
        np.testing.assert_array_equal(change(turn(mask, way), steps), turn(change(mask, steps), way))
    distance = compute_inner_distance(mask, steps)
    np.testing.assert_array_equal(compute_inner_distance(turn(mask, way), steps), turn(distance, way))


@settings(max_examples=30)
@given(seed=SEEDS, steps=st.integers(1, 3))
def test_opening_only_takes_closing_only_gives(seed: int, steps: int) -> None:
    mask = np.random.default_rng(seed).random((14, 14)) < 0.6
    assert not (compute_opening(mask, steps) & ~mask).any()
    assert not (mask & ~compute_closing(mask, steps)).any()


@pytest.mark.parametrize("largest", [3, 4])
def test_a_hole_is_filled_up_to_its_size_and_what_reaches_the_edge_is_no_hole(largest: int) -> None:
    mask = np.ones((40, 40), dtype=bool)
    mask[10:12, 10:12] = False
    mask[0:20, 30:32] = False
    found = compute_filling(mask, largest)
    assert bool(found[10, 10]) is (largest == 4)
    assert not found[5, 30]


@settings(max_examples=30)
@given(seed=SEEDS, depth=st.sampled_from([0.0, 0.2, 0.5]))
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
