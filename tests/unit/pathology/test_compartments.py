"""Where a cell's stain is read: nucleus, ring, and what lies beyond."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rarefactor.pathology._compartments import Staining, compute_staining
from rarefactor.pathology._white import White, WhiteSource

WHITE = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
BLUE, BROWN = (0.65111, 0.70119, 0.29049), (0.26917, 0.56824, 0.77759)
ROWS, COLUMNS = np.mgrid[:60, :60]
FAR = np.hypot(ROWS - 30, COLUMNS - 30)
NUCLEUS = (FAR < 6).astype(np.int32)


def stain(hematoxylin: NDArray[np.float64], dab: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.round(240 * 10 ** -(hematoxylin[..., None] * BLUE + dab[..., None] * BROWN)).astype(np.uint8)


def read(dab: NDArray[np.float64], labels: NDArray[np.int32] = NUCLEUS) -> Staining:
    return compute_staining(stain((labels > 0) * 0.5, dab), labels, WHITE, ring_px=4, belt_px=6)


def test_each_part_is_read_where_it_lies() -> None:
    found = read(np.select([FAR < 6, FAR < 10, FAR < 16], [0.1, 0.7, 0.3], 0.9))
    assert found.nucleus[0] == pytest.approx(0.1, abs=0.02)
    assert found.ring[0] == pytest.approx(0.7, abs=0.05)
    assert found.beyond[0] == pytest.approx(0.3, abs=0.03)
    assert found.hematoxylin[0] == pytest.approx(0.5, abs=0.02)
    assert found.max[0] == found.ring[0]
    assert (found.row[0], found.column[0]) == (30.0, 30.0)


@pytest.mark.parametrize(("brown", "expected"), [(0.15, 0.0), (0.4, 0.5)])
def test_brown_on_one_side_counts_as_beyond_only_if_it_is_more_than_a_quarter(brown: float, expected: float) -> None:
    angle = np.arctan2(ROWS - 30, COLUMNS - 30) / (2 * np.pi) + 0.5
    found = read(np.where((FAR > 10.5) & (angle < brown), 0.5, 0.0))
    assert found.beyond[0] == pytest.approx(expected, abs=0.03)


def test_a_neighbour_and_its_ring_are_not_what_lies_beyond() -> None:
    labels = NUCLEUS + 2 * (np.hypot(ROWS - 30, COLUMNS - 44) < 6).astype(np.int32)
    found = read(np.where(np.hypot(ROWS - 30, COLUMNS - 44) < 10, 0.8, 0.0), labels)
    assert found.beyond[0] == pytest.approx(0.0, abs=0.03)


def test_an_enclosed_nucleus_has_neither_ring_nor_belt() -> None:
    labels = np.ones((60, 60), dtype=np.int32) * 2
    labels[NUCLEUS > 0] = 1
    found = read(np.full((60, 60), 0.3), labels)
    assert np.isnan(found.ring).all()
    assert np.isnan(found.beyond).all()
    assert found.max == pytest.approx([0.3, 0.3], abs=0.02)


def test_without_labels_there_is_nothing_and_without_a_width_no_part() -> None:
    assert read(FAR, np.zeros((60, 60), dtype=np.int32)).pixels.size == 0
    found = compute_staining(stain(FAR * 0, FAR * 0), NUCLEUS, WHITE, ring_px=0, belt_px=0)
    assert np.isnan([found.ring[0], found.beyond[0]]).all()


def test_black_pixels_are_the_darkest_step_and_glass_brighter_than_white_is_none() -> None:
    image = np.full((60, 60, 3), 255, dtype=np.uint8)
    assert compute_staining(image, NUCLEUS, WHITE, ring_px=4, belt_px=6).beyond[0] == 0.0
    image[FAR > 10] = 0
    assert compute_staining(image, NUCLEUS, WHITE, ring_px=4, belt_px=6).beyond[0] > 1.0
