"""Fat fraction of voxels and regions: known fractions, the noise floor, both estimators, published values."""

from dataclasses import replace

import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging._fat_fraction import compute_fat_fraction, compute_fat_fraction_two_point, compute_region_fat
from rarefactor.imaging._noise import NoiseSource, fit_noise
from rarefactor.imaging._volume import Volume


def test_known_fraction_within_noise(make_thighs):
    thighs = make_thighs(muscle_fat=0.2)
    fraction = compute_fat_fraction(thighs.fat, thighs.water)
    muscle = compute_region_fat(fraction, thighs.depth > 14)
    assert muscle.fat_fraction == pytest.approx(0.2, abs=0.001)
    assert muscle.sd == pytest.approx(2 * np.hypot(0.2, 0.8) / 300, rel=0.1)  # nothing but noise
    assert fraction.noise_sd == pytest.approx(2.0, rel=0.05)
    assert fraction.noise()[thighs.depth > 14].mean() == pytest.approx(muscle.sd, rel=0.1)


def test_noise_error_of_a_mean_is_its_spread_over_scans(make_thighs):
    thighs, rng = make_thighs(muscle_fat=0.3), np.random.default_rng(3)
    region = thighs.depth > 60
    fat, water = (each.values[region] for each in (thighs.fat, thighs.water))
    again = [fat + rng.normal(0, 10, (300, fat.size)), water + rng.normal(0, 10, (300, fat.size))]
    means = (again[0] / (again[0] + again[1])).mean(axis=1)
    known = compute_region_fat(compute_fat_fraction(thighs.fat, thighs.water), region).noise_se
    assert means.std() == pytest.approx(5 * known, rel=0.15)  # five times the noise of the image


def test_voxels_in_the_noise_are_left_out_and_counted(make_thighs):
    thighs = make_thighs()
    hole = np.zeros(thighs.depth.shape, bool)
    hole[1, 48:52, 60:64] = True
    fat, water = (each.with_values(np.where(hole, np.float32(3), each.values)) for each in (thighs.fat, thighs.water))
    fraction = compute_fat_fraction(fat, water)
    assert compute_region_fat(fraction, thighs.depth > 14).left_out == 16
    empty = compute_region_fat(fraction, hole)
    assert (empty.fat_fraction, empty.voxels, empty.left_out) == (None, 0, 16)


def test_cleared_air_takes_the_noise_from_the_body(make_thighs):
    thighs = make_thighs(noise=4.0)
    fat, water = (
        each.with_values(np.where(thighs.depth < 0, np.float32(0), each.values)) for each in (thighs.fat, thighs.water)
    )
    noise = fit_noise(water, thighs.depth > 0)
    assert noise.source is NoiseSource.BODY
    assert noise.sd == pytest.approx(4.0, rel=0.15)  # edges of the fat add a little
    assert [flag.name for flag in compute_fat_fraction(fat, water).flags] == ["noise_from_body"]


def test_images_that_are_no_pair_are_refused(make_thighs):
    thighs = make_thighs()
    shorter = Volume(values=thighs.water.values[:2], grid=replace(thighs.water.grid, shape=(2, 100, 200)))
    with pytest.raises(ImageError, match="different grids"):
        compute_fat_fraction(thighs.fat, shorter)
    hollow = thighs.water.with_values(np.where(thighs.depth > 60, np.float32("nan"), thighs.water.values))
    with pytest.raises(ImageError, match="no number"):
        compute_fat_fraction(thighs.fat, hollow)
    empty = thighs.fat.with_values(np.zeros_like(thighs.fat.values))
    with pytest.raises(ImageError, match="same value everywhere"):
        compute_fat_fraction(empty, empty)


def test_two_magnitudes_fold_and_are_refused_unless_known_better(make_thighs):
    thighs = make_thighs(muscle_fat=0.2)
    in_phase, opposed = thighs.total, thighs.fat.with_values(np.abs(thighs.water.values - thighs.fat.values))
    with pytest.raises(ImageError, match="84% fat reads as 16%"):
        compute_fat_fraction_two_point(in_phase, opposed)
    made = compute_fat_fraction_two_point(in_phase, opposed, below_half=True)
    assert compute_region_fat(made, thighs.depth > 14).fat_fraction == pytest.approx(0.2, abs=0.002)
    under_skin = (thighs.depth > 4) & (thighs.depth < 9)
    assert compute_region_fat(made, under_skin).fat_fraction == pytest.approx(1 - 0.85, abs=0.005)
    assert [flag.name for flag in made.flags] == ["folded_above_half"]


PUBLISHED = {
    "Thigh_001": "0.182836 0.537026 0.309223 0.343359 0.300494 0.648822 0.235308 0.639768 0.649394 0.617633 0.418268",
    "Thigh_002": "0.163060 0.501802 0.536133 0.529328 0.503416 0.405981 0.118544 0.618817 0.542495 0.672286 0.156817",
}


@pytest.mark.shared
@pytest.mark.parametrize("patient", PUBLISHED)
def test_published_fractions_of_real_patients(read_patient, patient):
    fat, water, labels = read_patient(patient)
    fraction = compute_fat_fraction(fat, water)
    for label, published in enumerate(map(float, PUBLISHED[patient].split()), start=1):
        measured = compute_region_fat(fraction, labels == label)
        assert measured.fat_fraction == pytest.approx(published, abs=0.0005)
        assert measured.left_out == 0
