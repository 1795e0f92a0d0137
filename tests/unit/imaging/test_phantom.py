"""The phantom is a pair of thighs: muscles where anatomy has them, on both sides, with the fat that was asked for."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.imaging._regions import MUSCLES, Region, Side
from rarefactor.imaging._volume import Grid
from rarefactor.imaging.simulate import SMALL_GRID, Look, Thigh, simulate_thigh

LEVELS = Grid(shape=(11, 128, 128), spacing_mm=(30.0, 3.0, 3.0))  # slice 0 at the knee, 5 at mid-thigh, 10 at the hip


@pytest.fixture(scope="module")
def thigh() -> Thigh:
    return simulate_thigh(np.random.default_rng(3), grid=LEVELS)


def _places(thigh: Thigh, code: str, side: Side, index: int) -> np.ndarray:
    """Rows and columns of a muscle in one slice, in millimetres."""
    label = next(key for key, region in thigh.labels.regions.items() if region == Region(name=code, side=side))
    return np.argwhere(thigh.labels.values[index] == label) * 3.0


def _middle(thigh: Thigh, code: str, side: Side, index: int) -> tuple[float, float]:
    """Centre of a muscle: millimetres lateral to and in front of the vastus intermedius, which lies on the femur."""
    row, column = _places(thigh, code, side, index).mean(axis=0)
    row0, column0 = _places(thigh, "VI", side, index).mean(axis=0)
    return (column0 - column) * (1 if side == Side.RIGHT else -1), row0 - row


@pytest.mark.parametrize("side", list(Side))
def test_muscles_lie_where_a_radiologist_looks_for_them(thigh, side):
    lateral, forward = {}, {}
    for code in MUSCLES.keys() - {"BB"}:
        lateral[code], forward[code] = _middle(thigh, code, side, 5)
    back_to_front = ["SM", "AM", "VI", "RF"]
    assert sorted(back_to_front, key=forward.get) == back_to_front
    assert max(lateral, key=lateral.get) == "VL"
    assert min(lateral, key=lateral.get) == "GR"
    assert lateral["SM"] < lateral["ST"] < lateral["BL"]
    assert {code for code in lateral if forward[code] < forward["AM"] - 10} == {"SM", "ST", "BL"}


@pytest.mark.parametrize("side", list(Side))
def test_sartorius_crosses_and_vasti_change_places_along_the_femur(thigh, side):
    path = [_middle(thigh, "SA", side, index) for index in range(11)]
    assert all(lower[1] < upper[1] for lower, upper in pairwise(path))
    assert path[10][0] - path[0][0] > 25
    area = {code: [len(_places(thigh, code, side, index)) for index in range(11)] for code in MUSCLES}
    assert np.argmax(area["VM"]) <= 3
    assert np.argmax(area["VL"]) in (5, 6, 7)
    assert not any(area["BB"][7:])
    assert all(area["BB"][:4])
    assert area["AM"][0] == 0


def test_the_same_generator_gives_the_same_thigh():
    first, second = (simulate_thigh(np.random.default_rng(8), grid=SMALL_GRID) for _ in range(2))
    other = simulate_thigh(np.random.default_rng(9), grid=SMALL_GRID)
    assert np.array_equal(first.fat.values, second.fat.values)
    assert np.array_equal(first.labels.values, second.labels.values)
    assert (other.labels.values != first.labels.values).mean() > 0.03


def test_legs_are_like_each_other_but_no_mirror_images(thigh):
    right, left = (np.array([(thigh.labels.values == first + k).sum() for k in range(11)], float) for first in (1, 12))
    assert np.all(np.abs(np.log(right / left)) < 0.5)
    there = thigh.labels.values > 0
    mirrored = there[:, :, ::-1]
    assert 0.6 < 2 * (there & mirrored).sum() / (there.sum() + mirrored.sum()) < 0.99
    columns = np.argwhere((thigh.labels.values > 0) & (thigh.labels.values <= 11))[:, 2]
    assert columns.max() < 64, "the right leg is on the low columns"


@settings(max_examples=4)
@given(
    seed=st.integers(0, 2**32 - 1),
    rf=st.floats(0.01, 0.95),
    sm=st.floats(0.01, 0.95),
    gap=st.floats(-10, 15),
)
def test_the_fat_asked_for_is_the_fat_there(seed, rf, sm, gap):
    left = Region(name="SM", side=Side.LEFT)
    wanted = {left: sm, Region(name="RF", side=Side.LEFT): rf}
    thigh = simulate_thigh(np.random.default_rng(seed), grid=SMALL_GRID, fat=wanted, look=Look(gap_mm=gap))
    truth = thigh.fat_fraction.values
    assert 0 <= truth.min() <= truth.max() <= 1
    for label, region in thigh.labels.regions.items():
        if region in wanted:
            assert truth[thigh.labels.values == label].mean() == pytest.approx(wanted[region], abs=0.005)
