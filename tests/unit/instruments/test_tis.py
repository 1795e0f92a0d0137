"""The Total Improvement Score: computed cases, bounds, what holds for all patients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rarefactor.errors import InputError
from rarefactor.instruments import SLOTS, compute_tis, compute_tis_category, compute_tis_points

NAMES = ("physician_global", "patient_global", "mmt", "haq", "ck", "extramuscular")
BASELINE = (6, 7, 100, 1.5, 6000, 3)
HIGHEST = (10, 10, 150, 3, 9000, 10)
NAN = float("nan")


def score(baseline, final, **options):
    options = {"mmt_maximum": 150, "enzyme_limits": {"ck": 200}} | options
    return compute_tis(dict(zip(NAMES, baseline, strict=True)), dict(zip(NAMES, final, strict=True)), **options)


@pytest.mark.parametrize(
    ("final", "total", "category"),
    [
        ((2, 3, 135, 0.5, 600, 1), 80, "major"),
        ((6, 7, 100, 1.5, 600, 3), 7.5, "none"),
        (
            (5.5, 6.5, 103, 1.35, 5850, 2.5),
            0,
            "none",
        ),  # every change on a boundary, which belongs to the interval below
        ((5.4, 6.4, 104, 1.25, 5800, 2.4), 35, "minimal"),
        ((4.5, 5.5, 130, 1.125, 5000, 2), 50, "moderate"),
        ((8, 9, 80, 2.5, 9000, 6), 0, "none"),
    ],
)
def test_the_computed_cases(final, total, category):
    found = score(BASELINE, final)
    assert (found.total[0], found.category[0]) == (total, category)
    assert found.lower[0] == found.upper[0] == total


def test_every_boundary_belongs_to_the_interval_below():
    edges = {slot: (2, 10, 20, 30) if slot == "strength" else (5, 15, 25, 40) for slot in SLOTS}
    changes = {slot: [edge + step for edge in each for step in (0, 1e-6)] for slot, each in edges.items()}
    assert {slot: compute_tis_points(slot, each).tolist() for slot, each in changes.items()} == {
        "physician_global": [0, 7.5, 7.5, 15, 15, 17.5, 17.5, 20],
        "patient_global": [0, 2.5, 2.5, 5, 5, 7.5, 7.5, 10],
        "strength": [0, 10, 10, 20, 20, 27.5, 27.5, 32.5],
        "function": [0, 5, 5, 7.5, 7.5, 7.5, 7.5, 10],
        "muscle_enzyme": [0, 2.5, 2.5, 5, 5, 7.5, 7.5, 7.5],
        "extramuscular": [0, 7.5, 7.5, 12.5, 12.5, 15, 15, 20],
    }


def test_children_need_more_and_have_measures_of_their_own():
    names = ["none", "minimal", "minimal", "moderate", "major"]
    assert compute_tis_category([29, 30, 44, 45, 70], version="juvenile").tolist() == names
    before = {"physician_global": 6, "parent_global": 6, "cmas": 26, "chaq": 2, "chq_phs": 30, "das": 10}
    after = {"physician_global": 1, "parent_global": 1, "cmas": 50, "chaq": 0, "chq_phs": 50, "das": 0}
    found = compute_tis(before, after, ranges={"chq_phs": 100}, version="juvenile")
    assert found.total[0] == 97.5  # all there is, but 5 of 7.5 for 20 % of CHQ-PhS
    with pytest.raises(InputError, match=r"parent_global.*the adult set does not have"):
        compute_tis(before, after, ranges={"chq_phs": 100})


def test_the_same_gain_weighs_by_the_form_that_was_used():
    gain = ((6, 7, 60, 1.5, 6000, 3), (6, 7, 72, 1.5, 6000, 3))
    assert score(*gain, mmt_maximum=150).total[0] == 10  # 12 of 150 is 8 %
    assert score(*gain, mmt_maximum=80).total[0] == 20  # 12 of 80 is 15 %
    with pytest.raises(InputError, match="80 for MMT8 of one side, 150"):
        score(*gain, mmt_maximum=None)


def test_what_is_missing_bounds_the_score_and_is_never_filled_in():
    found = score(BASELINE, (2, NAN, 135, 0.5, 600, 1))
    assert np.isnan(found.total[0])
    assert found.category[0] == ""
    assert (found.lower[0], found.upper[0]) == (72.5, 82.5)
    unseen = score((6, 7, 100, 1.5, 6000, NAN), (2, 3, 135, 0.5, 600, NAN))
    assert (unseen.lower[0], unseen.upper[0]) == (67.5, 87.5)
    for lost in (0, 2):
        without = score(
            BASELINE, [NAN if place == lost else value for place, value in enumerate((2, 3, 135, 0.5, 600, 1))]
        )
        assert np.isnan([without.total[0], without.lower[0], without.upper[0]]).all()


def test_a_measure_that_was_never_taken_bounds_everyone():
    before, after = dict(zip(NAMES, BASELINE, strict=True)), dict(zip(NAMES, (2, 3, 135, 0.5, 600, 1), strict=True))
    del before["haq"], after["haq"]
    found = compute_tis(before, after, mmt_maximum=150, enzyme_limits={"ck": 200})
    assert np.isnan([found.total[0], found.attainable[0]]).all()
    assert (found.lower[0], found.upper[0]) == (72.5, 82.5)
    del before["mmt"], after["mmt"]
    with pytest.raises(InputError, match="no score without"):
        compute_tis(before, after, enzyme_limits={"ck": 200})


def test_what_was_normal_at_baseline_cannot_improve():
    found = score((6, 7, 150, 1.5, 6000, 0), (0, 0, 150, 0, 0, 0))
    assert found.total[0] == found.attainable[0] == 20 + 10 + 0 + 10 + 7.5 + 0


def test_the_enzyme_furthest_above_normal_at_baseline_counts():
    before = dict(zip(NAMES, BASELINE, strict=True)) | {"ck": [400, 4000, NAN], "ldh": [750, 750, 500]}
    after = dict(zip(NAMES, BASELINE, strict=True)) | {"ck": [100, 100, 100], "ldh": [250, 250, 500]}
    found = compute_tis(before, after, mmt_maximum=150, enzyme_limits={"ck": 200, "ldh": 250})
    assert found.enzyme.tolist() == ["ldh", "ck", "ldh"]
    assert found.points["muscle_enzyme"].tolist() == [7.5, 7.5, 0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vas": 3}, "a measure that the adult set does not have"),
        ({"haq": 4}, "0 to 3"),
        ({"physician_global": 60}, "0 to 10"),
        ({"haq": [1, 2], "ck": [1, 2, 3]}, "2 values of haq and 3 of ck"),
        ({"aldolase": 4}, "upper limit of normal of ck and aldolase"),
        ({"haq": "x"}, "not numbers"),
    ],
)
def test_what_cannot_be_a_score_is_refused_without_the_value(changes, said):
    measures = dict(zip(NAMES, BASELINE, strict=True)) | changes
    with pytest.raises(InputError, match=said) as caught:
        compute_tis(measures, measures, mmt_maximum=150, enzyme_limits={"ck": 200})
    assert "60" not in str(caught.value)


def visit():
    return st.tuples(*(st.floats(0, high) for high in HIGHEST))


@given(visit(), visit(), st.integers(0, 5), st.floats(0, 1))
def test_a_better_measure_never_lowers_the_score(baseline, final, place, share):
    better = list(final)
    better[place] += share * ((150 - better[place]) if NAMES[place] == "mmt" else -better[place])
    before, after = score(baseline, final), score(baseline, better)
    assert 0 <= before.total[0] <= after.total[0] <= after.attainable[0] <= 100


@given(st.lists(st.tuples(visit(), visit()), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_a_patient_has_the_same_score_among_others(patients, random):
    shuffled = random.sample(patients, len(patients))
    together = score(*(np.array([each[at] for each in shuffled]).T for at in (0, 1)))
    assert together.total.tolist() == [score(*each).total[0] for each in shuffled]


@given(visit(), visit(), st.sets(st.sampled_from([1, 3, 4, 5])), st.booleans())
def test_the_bounds_hold_whatever_was_missing(baseline, final, lost, at_baseline):
    known = score(baseline, final).total[0]
    visits = [list(baseline), list(final)]
    for place in lost:
        visits[0 if at_baseline else 1][place] = NAN
    found = score(*visits)
    assert found.lower[0] <= known <= found.upper[0]
    assert np.isnan(found.total[0]) == bool(lost)
