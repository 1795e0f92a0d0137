"""Rows per region: pooling over sides and compartments, what is left out, empty masks, the common view."""

import numpy as np
import pytest

from rarefactor.imaging._fat_fraction import Estimator, FatFraction
from rarefactor.imaging._measure import Origin, measure_regions
from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._scan import SourceFile
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.results import Flag, Severity

GRID = Grid(shape=(2, 20, 20), spacing_mm=(10.0, 2.0, 2.0))
REGIONS = {
    1: Region(name="SM", side=Side.RIGHT),
    2: Region(name="ST", side=Side.RIGHT),
    3: Region(name="SM", side=Side.LEFT),
    4: Region(name="VL", side=Side.LEFT),
}
ORIGIN = Origin(
    visit="baseline",
    sources=(SourceFile(path="fat.nii.gz", sha256="ab"),),
    flags=(Flag(name="t1_bias", severity=Severity.WARNING, detail="Large flip angle."),),
)


@pytest.fixture
def scan():
    """SM right 0.2 (200 voxels), ST right 0.4 (100), SM left 0.6 (200); label 4 empty."""
    labels = np.zeros(GRID.shape, np.int16)
    labels[:, :10, :10], labels[0, 10:, :10], labels[:, :10, 10:] = 1, 2, 3
    fraction = np.array([0.0, 0.2, 0.4, 0.6], np.float32)[labels]
    volume = Volume(values=fraction, grid=GRID)
    total = volume.with_values(np.where(labels == 3, 3000, 1000).astype(np.float32))
    found = FatFraction(values=volume, total=total, valid=np.ones(GRID.shape, bool), noise_sd=10.0)
    return found, LabelMap(values=labels, grid=GRID, regions=REGIONS, source="reader")


def by_site(rows):
    return {(row.site, row.side): row for row in rows}


def test_sites_and_sides_are_weighted_by_volume(scan):
    rows = by_site(measure_regions(*scan, ORIGIN))
    assert rows["SM", Side.RIGHT].fat_fraction == pytest.approx(0.2)
    assert rows["SM", None].fat_fraction == pytest.approx(0.4)
    assert rows["hamstrings", Side.RIGHT].fat_fraction == pytest.approx((200 * 0.2 + 100 * 0.4) / 300)
    assert rows["thigh", None].fat_fraction == pytest.approx((200 * 0.2 + 100 * 0.4 + 200 * 0.6) / 500)
    assert rows["SM", Side.RIGHT].volume_ml == pytest.approx(200 * 0.04)
    assert rows["SM", Side.RIGHT].noise_se == pytest.approx(0.01 * np.sqrt(0.04 + 0.64) / np.sqrt(200))
    assert ("RF", None) not in rows


def test_the_estimator_is_named_and_differs(scan):
    rows = by_site(measure_regions(*scan, ORIGIN, estimator=Estimator.RATIO_OF_SUMS))
    assert rows["SM", None].estimator == "ratio_of_sums"
    assert rows["SM", None].fat_fraction == pytest.approx((0.2 * 1000 + 0.6 * 3000) / 4000)


def test_every_row_says_whence_it_came_and_what_is_doubtful(scan):
    rows = by_site(measure_regions(*scan, ORIGIN))
    assert rows["VL", Side.LEFT].fat_fraction is None
    assert [flag.name for flag in rows["VL", Side.LEFT].flags] == ["t1_bias", "empty_mask"]
    assert [flag.name for flag in rows["thigh", Side.LEFT].flags] == ["t1_bias", "incomplete"]
    assert rows["SM", Side.LEFT].sources == ORIGIN.sources
    assert rows["SM", Side.LEFT].mask_source == "reader"


def test_only_the_common_view_counts(scan):
    view = np.zeros(GRID.shape, bool)
    view[1, :9] = True
    rows = by_site(measure_regions(*scan, ORIGIN, view=view))
    assert (rows["SM", Side.RIGHT].voxels, rows["ST", Side.RIGHT].voxels) == (90, 0)
    assert "few_voxels" in [flag.name for flag in rows["SM", Side.RIGHT].flags]


def test_voxels_left_out_are_counted_and_many_are_flagged(scan):
    fraction, labels = scan
    fraction.valid[:, :6, :10] = False
    row = by_site(measure_regions(fraction, labels, ORIGIN))["SM", Side.RIGHT]
    assert (row.voxels, row.left_out) == (80, 120)
    assert "many_left_out" in [flag.name for flag in row.flags]


def test_oedema_leaves_out_what_is_not_known(scan):
    signal = np.full(GRID.shape, 2.0, np.float32)
    signal[0] = np.nan
    rows = by_site(measure_regions(*scan, ORIGIN, oedema=signal))
    assert rows["SM", Side.RIGHT].oedema == pytest.approx(2.0)
    assert rows["ST", Side.RIGHT].oedema is None


def test_a_region_that_is_no_muscle_makes_its_own_row_and_the_thigh(scan):
    fraction, labels = scan
    whole = LabelMap(
        values=(labels.values > 0).astype(np.int16), grid=GRID, regions={1: Region(name="muscle")}, source="compartment"
    )
    rows = by_site(measure_regions(fraction, whole, ORIGIN))
    assert set(rows) == {("muscle", None), ("thigh", None)}
    assert rows["thigh", None].voxels == 500
