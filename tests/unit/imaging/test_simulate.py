"""A follow-up whose truth is known, and files that a scanner might have written."""

import numpy as np
import pytest

from rarefactor.imaging._motion_follow_up import compute_means
from rarefactor.imaging._read import read_scan
from rarefactor.imaging._regions import MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._scan import Kind
from rarefactor.imaging.simulate import (
    SMALL_GRID,
    STILL,
    Movement,
    Thigh,
    simulate_follow_up,
    simulate_thigh,
    write_scan,
)


@pytest.fixture(scope="module")
def thigh() -> Thigh:
    return simulate_thigh(np.random.default_rng(3), grid=SMALL_GRID)


def test_without_motion_change_bias_and_noise_nothing_differs(thigh):
    rng = np.random.default_rng(1)
    later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change={}, motion=STILL, bias=0.0, noise=0.0)
    assert later.fat.values == pytest.approx(thigh.fat.values, abs=1e-3)
    assert np.array_equal(later.labels.values, thigh.labels.values)
    assert set(later.change.values()) == {0.0}


def test_still_muscles_change_by_what_was_asked(thigh):
    rng = np.random.default_rng(1)
    wanted = {Region(name="VL", side=Side.LEFT): 0.05, Region(name="SM", side=Side.RIGHT): -0.02}
    later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change=wanted, motion=STILL)
    assert later.change == pytest.approx({region: wanted.get(region, 0.0) for region in later.change}, abs=1e-3)


def test_a_moved_follow_up_is_the_baseline_displaced(thigh):
    """What the displacement points to in the baseline is what is seen in the follow-up."""
    rng = np.random.default_rng(6)
    later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change={}, bias=0.0, noise=0.0)
    z, y, x = np.argwhere(later.labels.values > 0).T
    dy, dx = later.displacement_mm[1:, z, y, x] / 3.0
    rows, columns = np.rint(y + dy).astype(int), np.rint(x + dx).astype(int)
    assert np.hypot(dy, dx).mean() * 3 > 2, "something moved"
    assert (thigh.labels.values[z, rows, columns] == later.labels.values[z, y, x]).mean() > 0.85
    assert max(map(abs, later.change.values())) < 0.03


def test_a_shift_along_the_leg_shows_the_slices_nearer_to_the_head(thigh):
    along = Movement(turn_degrees=0.0, shift_mm=0.0, bend_mm=0.0, slice_mm=0.0, along_mm=40.0)
    rng = np.random.default_rng(1)
    later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change={}, motion=along, bias=0.0, noise=0.0)
    assert later.water.values[:-1] == pytest.approx(thigh.water.values[1:], abs=1e-2)
    assert np.array_equal(later.labels.values[:-1], thigh.labels.values[1:])


def test_follow_ups_follow_from_the_generator(thigh):
    first, second = (
        simulate_follow_up(thigh.fat, thigh.water, thigh.labels, np.random.default_rng(5)) for _ in range(2)
    )
    assert np.array_equal(first.fat.values, second.fat.values)
    assert first.change == second.change


@pytest.mark.shared
def test_a_real_pair_gets_a_follow_up_with_truth(read_patient):
    fat, water, values = read_patient("Thigh_002")
    part = (slice(4, 7), slice(80, 400, 2), slice(None, None, 2))
    grid = SMALL_GRID.__class__(shape=fat.values[part].shape, spacing_mm=(24.0, 1.6, 1.6))
    cut = [each.__class__(values=np.ascontiguousarray(each.values[part]), grid=grid) for each in (fat, water)]
    regions = {number: Region(name=code) for number, code in enumerate(MUSCLES, start=1)}
    labels = LabelMap(values=values[part], grid=grid, regions=regions, source="reader")
    change = dict.fromkeys(MUSCLES, 0.04)
    later = simulate_follow_up(*cut, labels, np.random.default_rng(1), change=change)
    assert later.before == compute_means(cut[0].values, cut[1].values, labels)
    assert all(value == pytest.approx(0.04, abs=0.02) for value in later.change.values())
    assert (later.labels.values > 0).sum() == pytest.approx((labels.values > 0).sum(), rel=0.05)


@pytest.mark.parametrize("form", ["dicom", "enhanced", "nifti"])
def test_a_written_scan_is_read_again_and_says_that_it_is_synthetic(thigh, form, tmp_path):
    images = {Kind.FAT: thigh.fat, Kind.WATER: thigh.water}
    for name, content in write_scan(images, form=form, acquisition=thigh.look.acquisition).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
        assert name.endswith(".nii.gz") or b"ynthetic" in content
    scan = read_scan(tmp_path)
    found = {series.kind: series for series in scan.series}
    assert set(found) == {Kind.FAT, Kind.WATER}
    for kind, image in images.items():
        step = float(image.values.max()) / 65535
        assert found[kind].volume.values == pytest.approx(image.values, abs=step)
        assert found[kind].volume.grid.matches(image.grid)
        assert found[kind].acquisition.flip_degrees == 4.0
