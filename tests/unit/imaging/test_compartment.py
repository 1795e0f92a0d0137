"""The muscle compartment without a mask: what it holds, what it leaves out, when it says that it cannot."""

import numpy as np
import pytest

from rarefactor.imaging._compartment import compute_compartment
from rarefactor.imaging._fat_fraction import compute_fat_fraction
from rarefactor.imaging._femur import SHAFT_SCORE, fit_femur
from rarefactor.imaging._legs import compute_legs
from rarefactor.imaging._regions import Region, Side


def _measure(thighs, *, femur=True, spoil=None):
    """Compartment of two round thighs, with a femur of 12 mm radius in the middle of each."""
    total, deep = thighs.total.values.copy(), 70 - thighs.depth
    fraction = compute_fat_fraction(thighs.fat, thighs.water).values.values.copy()
    if femur:
        total[deep < 12], fraction[deep < 12] = 5, 0.5
        total[deep < 8], fraction[deep < 8] = 300, 0.9
    if spoil is not None:
        fraction = spoil(fraction)
    image = thighs.total
    return compute_compartment(image.with_values(fraction), image.with_values(total), compute_legs(image))


def test_holds_the_muscle_of_each_leg_without_fat_and_bone(make_thighs):
    thighs = make_thighs()
    made = _measure(thighs)
    deep, left = 70 - thighs.depth, np.arange(200) >= 100
    assert made.flags == ()
    assert made.labels.regions == {number: Region(name="thigh", side=side) for number, side in enumerate(Side, start=1)}
    muscle = (thighs.depth > 15) & (deep > 14)
    assert (made.labels.values[muscle & ~left] == 1).mean() > 0.995
    assert (made.labels.values[muscle & left] == 2).mean() > 0.995
    assert not made.labels.values[(thighs.depth < 9) | (deep < 10)].any()


def test_muscle_of_little_contrast_and_a_vein_under_the_skin(make_thighs):
    def spoil(fraction):
        rows, columns = np.mgrid[:100, :200]
        vein = np.hypot(rows - 50, columns - 28) < 1.5  # 8 mm under the skin
        return np.where(vein, np.float32(0.05), fraction)

    thighs = make_thighs(muscle_fat=0.6)
    made = _measure(thighs, spoil=spoil)
    assert (made.labels.values[(thighs.depth > 16) & (thighs.depth < 56)] > 0).mean() > 0.99
    assert (made.labels.values[(thighs.depth > 0) & (thighs.depth < 8)] > 0).mean() < 0.05


def test_without_a_shaft_of_the_femur_there_is_no_compartment(make_thighs):
    made = _measure(make_thighs(), femur=False)
    assert not made.labels.values.any()
    assert [flag.name for flag in made.flags] == ["no_compartment"]
    assert not any(outline.used for outline in made.outlines)


def test_muscle_that_is_all_fat_hides_the_fascia(make_thighs):
    rows, columns = np.mgrid[:100, :200]
    angle = np.arctan2(rows - 49.5, np.where(columns < 100, columns - 59.5, columns - 139.5))
    wedges = np.cos(3 * angle) > 0.4  # three of a leg

    made = _measure(make_thighs(), spoil=lambda fraction: np.where(wedges, np.float32(0.84), fraction))
    assert [flag.name for flag in made.flags] == ["fascia_unseen"]
    assert [flag.name for flag in _measure(make_thighs(muscle_fat=0.84)).flags] == ["no_compartment"]


def test_a_broken_ring_is_no_shaft():
    rows, columns = np.mgrid[:80, :80]
    far, angle = np.hypot(rows - 40, columns - 40) * 1.5, np.arctan2(rows - 40, columns - 40)
    ring = (far > 8) & (far < 12)
    scores = [
        fit_femur(np.where(dark, 5, 100).astype(np.float32), np.ones((80, 80), bool), far < 40, 1.5).score
        for dark in (ring, ring & (angle > 0))
    ]
    assert scores[0] > SHAFT_SCORE > 0.6 * scores[1]
    assert fit_femur(np.ones((80, 80), np.float32), far < 40, far < 0, 1.5) is None


@pytest.mark.shared
@pytest.mark.parametrize("patient", ["Thigh_001", "Thigh_002", "Thigh_003"])
def test_holds_the_labelled_muscle_of_real_patients(read_patient, patient):
    fat, water, labels = read_patient(patient)
    fraction = compute_fat_fraction(fat, water)
    legs = compute_legs(fraction.total)
    made = compute_compartment(fraction.values, fraction.total, legs)
    used = np.zeros(labels.shape, bool)
    for each in made.outlines:
        if each.used:
            used[each.slice_index] |= legs[each.slice_index] == (1 if each.side is Side.RIGHT else 2)
    assert sum(each.used for each in made.outlines) >= 18  # of 32 slices of a leg, pelvis and knee among them
    assert (made.labels.values[used & (labels > 0)] > 0).mean() > 0.95
    assert ((made.labels.values > 0) & (labels == 0)).sum() < 1.1 * (labels > 0).sum()
