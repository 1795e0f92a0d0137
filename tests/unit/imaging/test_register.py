"""A follow-up made from a known visit by known motion: what is found again of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from rarefactor.errors import ImageError
from rarefactor.imaging._common_view import compute_common_view
from rarefactor.imaging._fat_fraction import compute_fat_fraction
from rarefactor.imaging._legs import compute_legs
from rarefactor.imaging._measure import Origin, measure_regions
from rarefactor.imaging._motion_found import compute_stillness
from rarefactor.imaging._propagate import compute_moved, propagate
from rarefactor.imaging._regions import MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._register import register
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging.simulate import SMALL_GRID, simulate_thigh

NOISE = 0.003  # little: folded noise reads as fat where there is hardly any


def move(values, legs, rng, *, order):
    """Each leg turned by 4 degrees, pushed 5 mm and pressed by a few mm: the same for every image by the same seed."""
    slices, rows, columns = values.shape
    found = np.zeros_like(values)
    row, column = np.mgrid[:rows, :columns].astype(float)
    for leg, turn in ((1, 4.0), (2, -4.0)):
        inside = legs == leg
        middle = [axis.mean() for axis in np.nonzero(inside)[1:]]
        angle, wave = np.deg2rad(turn), rng.uniform(0, 6, 4)
        y, x = row - middle[0], column - middle[1]
        scale = 128 / columns
        press = [
            1.0 * np.sin(row * scale / 14 + wave[0]) * np.cos(column * scale / 14 + wave[1]) / scale,
            1.0 * np.cos(row * scale / 14 + wave[2]) * np.sin(column * scale / 14 + wave[3]) / scale,
        ]
        y2 = middle[0] + np.cos(angle) * y - np.sin(angle) * x + 1.7 / scale + press[0]
        x2 = middle[1] + np.sin(angle) * y + np.cos(angle) * x + turn / 4 / scale + press[1]
        for k in range(slices):
            there = ndimage.map_coordinates(inside[k].astype(float), [y2, x2], order=1) > 0.5
            moved = ndimage.map_coordinates(values[k].astype(float), [y2, x2], order=order)
            found[k][there] = moved[there]
    return found


def follow(fat, water, labels, legs, change):
    """Fat, water and labels at follow-up; ``change`` of fat fraction per label; another coil, gain and noise."""
    table = np.zeros(int(labels.max()) + 1, np.float32)
    for label, points in change.items():
        table[label] = points
    total = fat + water
    fraction = np.clip(fat / np.maximum(total, 1e-6) + table[labels], 0, 1)
    rng = np.random.default_rng(11)
    coil = 0.8 + 0.4 * np.linspace(0, 1, fat.shape[1], dtype=np.float32)[None, :, None]
    sd = NOISE * float(np.median(total[labels > 0]))
    parts = (move(part, legs, np.random.default_rng(3), order=1) for part in (total * fraction, total * (1 - fraction)))
    noisy = [np.abs(part * coil + rng.normal(0, sd, part.shape)).astype(np.float32) for part in parts]
    return (*noisy, move(labels, legs, np.random.default_rng(3), order=0))


def compare(found, truth):
    """Dice of each label."""
    labels = np.unique(truth[truth > 0])
    return {int(k): 2 * ((found == k) & (truth == k)).sum() / ((found == k).sum() + (truth == k).sum()) for k in labels}


def measure(fat, water, labels, view):
    fraction = compute_fat_fraction(fat, water)
    rows = measure_regions(fraction, labels, Origin(visit="v"), view=view)
    return {(row.site, row.side): row.fat_fraction for row in rows if row.site in MUSCLES and row.side}


def serial_errors(fat, water, labels, change):
    """The motion, Dice per label, and per muscle and side the error of the change in points.

    Errors are from the change that was planted, and from what the true outlines would have measured.
    """
    total = fat.with_values(fat.values + water.values)
    after = follow(fat.values, water.values, labels.values, compute_legs(total), change)
    fat2, water2 = fat.with_values(after[0]), water.with_values(after[1])
    motion = register(total, fat.with_values(after[0] + after[1]))
    moved = propagate(labels, motion)
    view = compute_common_view(motion)
    before, later = measure(fat, water, labels, view.baseline), measure(fat2, water2, moved, view.follow_up)
    drawn = measure(fat2, water2, replace(labels, values=after[2]), view.follow_up)
    planted = {(region.name, region.side): change.get(label, 0.0) for label, region in labels.regions.items()}
    both = [key for key in planted if before[key] and later[key]]
    of_change = np.array([100 * (later[key] - before[key] - planted[key]) for key in both])
    of_outline = np.array([100 * (later[key] - drawn[key]) for key in both])
    return motion, compare(moved.values, after[2]), of_change, of_outline


@pytest.fixture(scope="module")
def thigh():
    return simulate_thigh(np.random.default_rng(4), grid=SMALL_GRID, fat={"SM": 0.3, "VL": 0.2})


def test_a_known_motion_is_found_and_no_change_is_seen_where_there_is_none(thigh):
    # in voxels of 3 mm, turning an image blurs fat into muscle: only the outlines' part of the error is judged
    motion, dice, _, errors = serial_errors(thigh.fat, thigh.water, thigh.labels, {})
    assert np.mean(list(dice.values())) > 0.93  # voxels of 3 mm: the outline alone is worth several per cent
    assert [leg.side for leg in motion.legs] == [Side.RIGHT, Side.LEFT]
    assert all(leg.similarity > max(0.9, leg.similarity_before) for leg in motion.legs)
    assert abs(motion.shift_mm) < 0.2 * SMALL_GRID.spacing_mm[0]
    assert not motion.flags
    assert abs(errors.mean()) < 0.4
    assert np.abs(errors).mean() < 0.8


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("patient", ["Thigh_001", "Thigh_003"])
def test_real_patients_serial_truth(read_patient, patient):
    fat, water, values = read_patient(patient)
    some = slice(3, 9)  # half the thigh, for time
    grid = replace(fat.grid, shape=(6, *fat.grid.shape[1:]))
    fat, water = (Volume(values=each.values[some], grid=grid) for each in (fat, water))
    legs = compute_legs(fat.with_values(fat.values + water.values))
    sided = np.where(values[some] > 0, values[some] + 11 * (legs == 2), 0).astype(np.int16)
    names = list(MUSCLES)
    regions = {11 * s + m + 1: Region(name=names[m], side=side) for s, side in enumerate(Side) for m in range(11)}
    regions = {label: region for label, region in regions.items() if (sided == label).any()}
    labels = LabelMap(values=sided, grid=grid, regions=regions, source="reader")
    rng = np.random.default_rng(8)
    change = {label: float(rng.normal(0.04, 0.05)) for label in labels.regions}
    table = np.array([0.0, *[change.get(k, 0.0) for k in range(1, int(sided.max()) + 1)]], np.float32)
    fraction = fat.values / np.maximum(fat.values + water.values, 1e-6)
    clipped = np.clip(fraction + table[sided], 0, 1) - fraction
    _, dice, errors, _ = serial_errors(fat, water, labels, change)
    lost = np.array([100 * (clipped[sided == k].mean() - change[k]) for k in labels.regions])  # below 0 there is no fat
    errors = errors - lost
    assert np.mean(list(dice.values())) >= 0.95
    assert np.abs(errors).mean() <= 0.5
    assert np.percentile(np.abs(errors), 95) <= 1.5


def test_a_poor_match_is_flagged(thigh):
    total = thigh.fat.with_values(thigh.fat.values + thigh.water.values)
    body = total.values > 200
    noise = np.random.default_rng(1).uniform(500, 1500, total.values.shape).astype(np.float32)
    motion = register(total, total.with_values(np.where(body, noise, 0)))
    assert [flag.name for flag in motion.flags] == ["poor_registration", "poor_registration"]


def test_no_leg_in_common_is_an_error(thigh):
    total = thigh.fat.with_values(thigh.fat.values + thigh.water.values)
    legs = compute_legs(total)
    right, left = (np.where(legs == leg, legs, 0).astype(np.int8) for leg in (1, 2))
    with pytest.raises(ImageError, match="no leg that both visits show"):
        register(total, total, legs_baseline=right, legs_follow_up=left)


GRID = Grid(shape=(5, 24, 24), spacing_mm=(20.0, 2.0, 2.0))
LEGS = np.ones(GRID.shape, np.int8)


def shifted(slices: float):
    """Every slice of the follow-up shows a place so many slices nearer the head."""
    still = compute_stillness(GRID, LEGS)
    places = still.legs[0].places.copy()
    places[0] += slices
    return replace(still, legs=(replace(still.legs[0], places=places, shift_mm=20.0 * slices),))


def test_outside_half_a_slice_there_is_no_region_and_between_slices_the_outline_is_between():
    values = np.zeros(GRID.shape, np.int16)
    for k, half in enumerate((4, 4, 8, 8, 8)):  # a region that widens by 4 voxels each way
        values[k, 12 - half : 12 + half, 12 - half : 12 + half] = 1
    labels = LabelMap(values=values, grid=GRID, regions={1: Region(name="VL")}, source="reader")
    widths = (propagate(labels, shifted(0.5)).values[:, 12] == 1).sum(axis=1)
    assert widths.tolist() == [8, 12, 16, 16, 16]
    widths = (propagate(labels, shifted(-2.0)).values[:, 12] == 1).sum(axis=1)
    assert widths.tolist() == [0, 0, 8, 8, 16]
    far = compute_moved(Volume(values=values.astype(np.float32), grid=GRID), shifted(-2.0)).values
    assert np.isnan(far[:2]).all()
    assert not np.isnan(far[2:]).any()


def test_the_common_view_is_what_both_show():
    view = compute_common_view(shifted(2.0))
    assert view.baseline.all(axis=(1, 2)).tolist() == [False, False, True, True, True]
    assert view.follow_up.all(axis=(1, 2)).tolist() == [True, True, True, False, False]
    assert view.share_follow_up == pytest.approx(0.6)
    assert not view.flags
    assert [flag.name for flag in compute_common_view(shifted(3.0)).flags] == ["small_common_view"]
