"""The legs and the ring under their skin: sides, touching thighs, one leg, swapped fat and water."""

from dataclasses import replace

import numpy as np
import pytest

from rarefactor.errors import ImageError
from rarefactor.imaging._body import compute_body, compute_depth_mm
from rarefactor.imaging._fat_fraction import compute_fat_fraction
from rarefactor.imaging._legs import check_legs, compute_joined, compute_legs
from rarefactor.imaging._regions import Side
from rarefactor.imaging._swap import check_swap, derive_unswapped
from rarefactor.imaging._volume import Volume


@pytest.mark.parametrize("gap_mm", [20.0, 0.0, -15.0])  # apart, touching, pressed together
def test_each_leg_is_found_on_its_side(make_thighs, gap_mm):
    thighs = make_thighs(gap_mm=gap_mm)
    legs = compute_legs(thighs.total)
    inside, right = thighs.depth > 2, np.arange(200) < 100
    assert (legs[inside & right] == 1).mean() > 0.98
    assert (legs[inside & ~right] == 2).mean() > 0.98
    assert (legs[thighs.depth < -6] == 0).all()
    assert check_legs(legs, thighs.total) == ()


def test_touching_is_measured_by_slice(make_thighs):
    assert compute_joined(compute_legs(make_thighs().total)).tolist() == [0, 0, 0]
    assert compute_joined(compute_legs(make_thighs(gap_mm=-15.0).total)).min() > 0.3


def test_one_leg_is_named_by_its_place_and_flagged(make_thighs):
    thighs = make_thighs()
    values = thighs.total.values[:, :, 90:]
    left = Volume(values=values, grid=replace(thighs.total.grid, shape=values.shape, origin_mm=(-20.0, -100.0, 0.0)))
    legs = compute_legs(left)
    assert set(np.unique(legs)) == {0, 2}
    assert [flag.name for flag in check_legs(legs, left)] == ["one_leg"]


def test_a_leg_cut_by_the_image_is_flagged_and_has_no_skin_there(make_thighs):
    thighs = make_thighs()
    values = thighs.total.values[:, :, 40:]
    cut = Volume(values=values, grid=replace(thighs.total.grid, shape=values.shape, origin_mm=(-120.0, -100.0, 0.0)))
    legs = compute_legs(cut)
    assert [flag.name for flag in check_legs(legs, cut)] == ["cut_field_of_view"]
    assert compute_depth_mm(legs > 0, (2.0, 2.0))[1, 50, 0] > 50


def test_air_alone_is_refused(make_thighs):
    rng = np.random.default_rng(1)
    noise = make_thighs().total.with_values(rng.rayleigh(2, (3, 100, 200)).astype(np.float32))
    noise.values[:, 40:44, 40:44] = 300
    with pytest.raises(ImageError, match="nothing larger than 8 cm²"):
        compute_body(noise)


def test_a_swapped_leg_is_found_left_out_and_named(make_thighs):
    thighs = make_thighs()
    legs = compute_legs(thighs.total)
    swapped = (legs == 2) & (np.arange(3)[:, None, None] == 1)
    fat, water = (
        one.with_values(np.where(swapped, other.values, one.values))
        for one, other in ((thighs.fat, thighs.water), (thighs.water, thighs.fat))
    )
    fraction = compute_fat_fraction(fat, water)
    rings = check_swap(fraction, legs)
    assert [(ring.slice_index, ring.side) for ring in rings if ring.swapped] == [(1, Side.LEFT)]
    assert [ring.fat_fraction for ring in rings if not ring.swapped] == pytest.approx([0.85] * 5, abs=0.01)
    measured = derive_unswapped(fraction, legs, rings)
    assert not measured.valid[swapped].any()
    assert np.array_equal(measured.valid[~swapped], fraction.valid[~swapped])
    (flag,) = measured.flags
    assert flag.detail.startswith("Fat and water are swapped in the left leg, slice 2 ")


@pytest.mark.shared
@pytest.mark.parametrize("patient", ["Thigh_001", "Thigh_002", "Thigh_003"])
def test_real_legs_hold_their_muscles_and_every_swap_is_found(read_patient, patient):
    fat, water, labels = read_patient(patient)
    fraction = compute_fat_fraction(fat, water)
    legs = compute_legs(fraction.total)
    assert (legs[labels > 0] > 0).mean() > 0.995
    assert check_legs(legs, fraction.total) == ()
    exchanged = replace(fraction, values=fraction.values.with_values(1 - fraction.values.values))
    for made, wrong in ((fraction, 0), (exchanged, 32)):
        rings = check_swap(made, legs)
        assert (len(rings), sum(ring.swapped for ring in rings)) == (32, wrong)
