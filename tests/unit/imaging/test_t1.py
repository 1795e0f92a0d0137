"""T1 bias, the estimate from T1 alone, oedema: known truth on the phantom."""

import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging._fat_fraction import compute_fat_fraction, compute_region_fat
from rarefactor.imaging._legs import compute_legs
from rarefactor.imaging._oedema import compute_oedema
from rarefactor.imaging._regions import MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._t1_bias import compute_t1_corrected
from rarefactor.imaging._t1_only import MuscleAnchor, compute_t1_estimate
from rarefactor.imaging.simulate import SMALL_GRID, simulate_thigh

DYSTROPHIC = {"BL": 0.75, "ST": 0.6, "SM": 0.7, "BB": 0.5, "AM": 0.55, "VL": 0.3, "VI": 0.35, "VM": 0.25, "RF": 0.4}
HEALTHY = {code: 0.03 + 0.01 * number for number, code in enumerate(MUSCLES)}
STEEP = Acquisition(sequence="GR", repetition_ms=4.0, flip_degrees=9.0, field_tesla=3.0)


@pytest.mark.parametrize("true", [0.1, 0.6])
def test_t1_bias_is_taken_away(make_thighs, true):
    fat, muscle = 2.511 * true, 1 - true  # at TR 4 ms, 9 degrees, 3 T, fat shows 2.5 times as bright
    thighs = make_thighs(muscle_fat=fat / (fat + muscle))
    fraction = compute_fat_fraction(thighs.fat, thighs.water)
    corrected = compute_t1_corrected(fraction, STEEP)
    assert compute_region_fat(corrected, thighs.depth > 14).fat_fraction == pytest.approx(true, abs=0.003)
    assert corrected.flags[-1].detail == (
        "Corrected for T1: with this repetition time and flip angle, 10% fat reads as 22%."
    )


@pytest.mark.parametrize(
    "acquisition",
    [
        Acquisition(repetition_ms=4.0, field_tesla=3.0),
        Acquisition(repetition_ms=4.0, flip_degrees=9.0, field_tesla=0.5),
        Acquisition(sequence="SE", repetition_ms=600.0, flip_degrees=90.0, field_tesla=3.0),
    ],
)
def test_t1_bias_is_flagged_where_the_acquisition_is_not_known(make_thighs, acquisition):
    thighs = make_thighs()
    fraction = compute_fat_fraction(thighs.fat, thighs.water)
    unchanged = compute_t1_corrected(fraction, acquisition)
    assert unchanged.values is fraction.values
    assert [flag.name for flag in unchanged.flags] == ["t1_bias_unknown"]


def _compute_errors(fat, *, anchor, seed):
    """Errors in points of every muscle with at least 100 voxels, from a T1-weighted image of the phantom."""
    rng = np.random.default_rng(seed)
    thigh = simulate_thigh(rng, grid=SMALL_GRID, fat=fat)
    scan = Acquisition(repetition_ms=600.0, echo_ms=10.0, field_tesla=3.0)
    image = thigh.render(Kind.T1, rng, acquisition=scan)
    estimate = compute_t1_estimate(image, compute_legs(image), thigh.labels, acquisition=scan, anchor=anchor)
    assert [flag.name for flag in estimate.flags] == ["t1_estimate"]
    where = [thigh.labels.values == label for label in thigh.labels.regions]
    return 100 * np.array(
        [
            compute_region_fat(estimate, each).fat_fraction - thigh.fat_fraction.values[each].mean()
            for each in where
            if each.sum() >= 100
        ]
    )


@pytest.mark.parametrize(
    ("fat", "anchor", "within"),
    [
        (HEALTHY, MuscleAnchor.PERCENTILE, 3.0),
        (DYSTROPHIC, MuscleAnchor.PERCENTILE, 4.0),  # too low: only 4 of 22 muscles are spared
        (DYSTROPHIC, MuscleAnchor.PHYSICAL, 3.0),
    ],
)
def test_estimate_from_t1_alone(fat, anchor, within):
    errors = _compute_errors(fat, anchor=anchor, seed=1)
    assert abs(errors).mean() <= within


def test_physical_anchor_needs_the_acquisition(make_thighs):
    thighs = make_thighs()
    labels = simulate_thigh(np.random.default_rng(1), grid=SMALL_GRID).labels
    with pytest.raises(ImageError, match="does not say TR, TE"):
        compute_t1_estimate(thighs.fat, compute_legs(thighs.total), labels, anchor=MuscleAnchor.PHYSICAL)


def test_an_image_without_contrast_is_refused(make_thighs):
    thighs = make_thighs()
    muscle = LabelMap(
        values=(thighs.depth > 14).astype(np.int16), grid=thighs.fat.grid, regions={1: Region(name="thigh")}, source="x"
    )
    with pytest.raises(ImageError, match="hardly brighter than muscle"):
        compute_t1_estimate(thighs.water, compute_legs(thighs.total), muscle)


def test_oedema_is_found_in_its_muscle():
    rng = np.random.default_rng(5)
    thigh = simulate_thigh(
        rng, grid=SMALL_GRID, oedema={Region(name="VL", side=Side.LEFT): 0.3, Region(name="ST", side=Side.RIGHT): 0.15}
    )
    fraction = compute_fat_fraction(thigh.fat, thigh.water)
    made = compute_oedema(thigh.render(Kind.STIR, rng), thigh.labels, fraction=fraction)
    ranked = sorted(made.regions, key=lambda region: -made.regions[region].ratio)
    assert ranked[:2] == [Region(name="VL", side=Side.LEFT), Region(name="ST", side=Side.RIGHT)]
    assert made.regions[ranked[0]].bright_share > 0.9
    assert max(made.regions[each].ratio for each in ranked[2:]) < made.regions[ranked[1]].ratio - 0.2
    assert made.regions[made.reference].ratio == pytest.approx(1, abs=0.05)
    assert [flag.name for flag in made.flags] == ["oedema_semi_quantitative"]
