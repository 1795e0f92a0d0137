"""The rate of one region, its error, and when there is none."""

import math
from dataclasses import replace

import pytest

from rarefactor.errors import InputError
from rarefactor.imaging._drift import Drift, ProtocolChange
from rarefactor.imaging._measure import Measurement
from rarefactor.imaging._rate import Repeatability, compute_rate
from rarefactor.imaging._table import tabulate_measurements, tabulate_rates
from rarefactor.results import Severity

OWN = Repeatability(absolute=0.006, relative=0.0, source="own")
BASELINE = Measurement(
    visit="baseline",
    site="SM",
    side=None,
    fat_fraction=0.40,
    sd=0.1,
    noise_se=0.0,
    voxels=9000,
    left_out=10,
    volume_ml=80.0,
    estimator="voxel_mean",
    sequence="dixon",
    mask_source="reader",
)
LATER = replace(BASELINE, visit="month_3", fat_fraction=0.37, mask_source="propagated")


def test_the_rate_and_its_error_by_hand():
    rate = compute_rate(BASELINE, LATER, 3.0, repeatability=OWN)
    assert rate.change == pytest.approx(-3.0)
    assert rate.rate_per_month == pytest.approx(-1.0)
    assert rate.se == pytest.approx(math.sqrt(2) * 0.6 / 3)
    assert rate.detectable == pytest.approx(1.959964 * rate.se)
    assert rate.beyond_error
    assert rate.repeatability == "own"


@pytest.mark.parametrize(
    ("source", "mixed"),
    [("propagated", False), ("reader", False), ("corrected by Ada, version 2", False), ("compartment", True)],
)
def test_masks_drawn_in_different_ways_are_told(source, mixed):
    rate = compute_rate(BASELINE, replace(LATER, mask_source=source), 3.0, repeatability=OWN)
    assert ("mixed_masks" in {flag.name for flag in rate.flags}) == mixed


def test_voxel_noise_of_both_scans_widens_it():
    noisy = [replace(row, noise_se=0.02) for row in (BASELINE, LATER)]
    rate = compute_rate(*noisy, 3.0, repeatability=OWN)
    assert rate.se == pytest.approx(math.sqrt(2 * (0.6**2 + 2.0**2)) / 3)
    assert not rate.beyond_error


@pytest.mark.parametrize(
    ("change", "flag"),
    [({"sequence": "t1_estimate"}, "mixed_sequence"), ({"estimator": "ratio_of_sums"}, "mixed_estimator")],
)
def test_what_is_never_compared(change, flag):
    rate = compute_rate(BASELINE, replace(LATER, **change), 3.0)
    assert rate.rate_per_month is None
    assert rate.beyond_error is None
    assert flag in [each.name for each in rate.flags]


def test_a_refused_protocol_leaves_no_rate_and_a_table_row_that_says_why():
    change = ProtocolChange(
        name="flip_degrees", words="flip angle", baseline="4", follow_up="9", severity=Severity.REFUSED
    )
    rate = compute_rate(BASELINE, LATER, 3.0, drift=Drift(changes=(change,)))
    row = tabulate_rates({"P1": [rate]}).row(0, named=True)
    assert row["rate_per_month"] is None
    assert row["flags"] == "drift_flip_degrees"
    assert "No rate" in row["details"]


def test_a_change_faster_than_any_published_is_noted_not_altered():
    rate = compute_rate(BASELINE, replace(LATER, fat_fraction=0.55), 3.0)
    assert rate.rate_per_month == pytest.approx(5.0)
    assert [flag.name for flag in rate.flags] == ["faster_than_published"]


def test_pairs_that_make_no_sense():
    with pytest.raises(InputError, match="two different regions"):
        compute_rate(BASELINE, replace(LATER, site="ST"), 3.0)
    with pytest.raises(InputError, match="no time"):
        compute_rate(BASELINE, LATER, 0.0)


def test_a_region_without_a_number_stays_in_the_table():
    table = tabulate_measurements({"P1": [replace(BASELINE, fat_fraction=None, sd=None)], "P2": []})
    assert table.select("patient", "muscle", "fat_fraction", "voxels").rows() == [("P1", "SM", None, 9000)]
