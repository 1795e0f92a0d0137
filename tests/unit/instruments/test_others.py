"""IMACS's definitions, strength, disability, enzymes and classification: published rules and computed cases."""

import csv

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.instruments import (
    EULAR_ACR_WEIGHTS,
    compute_confirmed,
    compute_eular_acr,
    compute_haq_categories,
    compute_haq_di,
    compute_imacs_improvement,
    compute_imacs_outcome,
    compute_imacs_worsening,
    compute_mmt8,
    compute_mmt_from_mrc,
    compute_mrc_sum,
    compute_mrc_weakness,
    compute_mrs,
    compute_multiples,
    compute_unit,
    read_censored,
)

NAN = float("nan")
BEFORE = {"physician_global": 5, "patient_global": 5, "mmt": 100, "haq": 2, "ck": 1000, "extramuscular": 4}


@pytest.fixture(scope="module")
def infliximab(request):
    """Thirteen patients of Dastmalchi et al. (Ann Rheum Dis 2008;67:1670), facts of one table."""
    shared = request.getfixturevalue("shared")
    with (shared / "data" / "myositis" / "dastmalchi2008.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.shared
def test_thirteen_patients_have_their_published_outcome(infliximab):
    assert len(infliximab) == 13
    stayed = [row for row in infliximab if row["clinical_outcome_imacs"] != "Dropped out"]
    improved, worse = ([measures(row[column]) for row in stayed] for column in ("improved_ge20", "worsened_ge30"))
    found = compute_imacs_outcome(improved, worse)
    assert found.tolist() == [row["clinical_outcome_imacs"].lower() for row in stayed]
    assert len(stayed) == 9


def measures(listed):
    """How many measures are listed; what was extramuscular stands in one pair of brackets."""
    return len(listed.split("(")[0].split(";")) if listed else 0


@pytest.mark.shared
def test_thirteen_patients_values_agree_with_the_measures_listed_as_improved(infliximab):
    followed = [row for row in infliximab if row["mmt8_after"]]
    columns = {"mmt": "mmt8", "ck": "ck"}
    before, after = (
        {name: [float(row[f"{column}_{when}"]) for row in followed] for name, column in columns.items()}
        for when in ("before", "after")
    )
    gain = np.array(after["mmt"]) / before["mmt"] - 1
    fall = 1 - np.array(after["ck"]) / before["ck"]
    assert [row["patient"] for row, each in zip(followed, fall, strict=True) if each >= 0.2] == [
        row["patient"] for row in followed if "CK" in row["improved_ge20"]
    ]
    assert (np.abs(gain) < 0.2).all()  # strength is listed for nobody
    assert np.isnan(compute_imacs_improvement(before, after, mmt_maximum=80)).all()  # four measures are not printed


@pytest.mark.parametrize(
    ("after", "improved"),
    [
        ({"physician_global": 4, "patient_global": 4, "haq": 1.6}, 1),  # 20 % in three
        ({"physician_global": 4, "patient_global": 4}, 0),
        ({"physician_global": 4, "patient_global": 4, "haq": 1.6, "mmt": 75}, 0),  # strength is worse by 25 %
        ({"physician_global": 4, "patient_global": 4, "haq": 1.6, "ck": 1250, "extramuscular": 5}, 1),  # two are worse
        ({"physician_global": 4, "patient_global": 4, "haq": 1.6, "mmt": NAN}, NAN),
        ({"physician_global": 4, "patient_global": 4, "haq": 1.6, "ck": NAN}, 1),  # one more could not spoil it
        ({"physician_global": NAN, "mmt": 70}, 0),
    ],
)
def test_improvement_is_three_of_six_without_loss_of_strength(after, improved):
    found = compute_imacs_improvement(BEFORE, BEFORE | after)
    assert found[0] == pytest.approx(improved, nan_ok=True)


@pytest.mark.parametrize(
    ("after", "worse"),
    [
        ({"physician_global": 7, "mmt": 80}, 1),
        ({"physician_global": 7, "mmt": 81}, 0),
        ({"extramuscular": 6}, 1),
        ({"physician_global": 6.5, "patient_global": 6.5, "haq": 2.6}, 1),
        ({"physician_global": 6.5, "patient_global": 6.5, "ck": 9000}, 0),  # enzymes do not count
        ({"extramuscular": NAN}, NAN),
    ],
)
def test_worsening_has_three_ways(after, worse):
    assert compute_imacs_worsening(BEFORE, BEFORE | after)[0] == pytest.approx(worse, nan_ok=True)


def test_worsening_is_confirmed_by_the_next_visit():
    visits = [[1, 1, 0], [1, 0, 1], [1, NAN, 1], [NAN, 0, NAN]]
    assert compute_confirmed(visits) == pytest.approx([1, 0, NAN, 0], nan_ok=True)


def test_strength_is_never_prorated():
    grades = np.full((2, 15), 10.0)
    grades[1, 3] = NAN
    assert compute_mmt8(grades, sides=2) == pytest.approx([150, NAN], nan_ok=True)
    with pytest.raises(InputError, match="8 columns: neck_flexors"):
        compute_mmt8(grades)
    with pytest.raises(InputError, match="row 0, column grades"):
        compute_mmt8([10.5] * 8)


def test_grades_of_the_research_council_have_a_table_that_can_be_replaced():
    written = ["5", "4+", "4", "4−", "3+", "3", "3-", "2+", "2", "2–", "1", "0", ""]
    assert compute_mmt_from_mrc(written) == pytest.approx([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 0, NAN], nan_ok=True)
    assert compute_mmt_from_mrc(["4.5"], table={"4.5": 9.5}).tolist() == [9.5]
    with pytest.raises(InputError, match="row 1"):
        compute_mmt_from_mrc(["5", "6"])


def test_the_sum_of_the_research_council_and_its_degrees():
    assert compute_mrc_sum([[4.5] * 12, [3] * 12]).tolist() == [54, 36]
    assert compute_mrc_weakness([60, 48, 47.5, 36, 35.5, NAN]).tolist() == [
        "none",
        "none",
        "significant",
        "significant",
        "severe",
        "",
    ]  # fmt: skip - one line


def test_the_disability_index_takes_the_highest_item_and_raises_for_aids():
    items = [0, 1, 2, 0, 0, 0, 0, 1, 0, 3, 1, 0, 0, 0, 2, 0, 0, 1, 0, 1]
    categories = compute_haq_categories(items)
    assert categories.tolist() == [[1, 2, 0, 1, 3, 0, 2, 1]]
    assert compute_haq_di(categories, aids=[1] + [0] * 7).tolist() == [11 / 8]
    assert compute_haq_di(categories, aids=[1] * 8).tolist() == [17 / 8]  # an aid never lowers a 3


def test_the_disability_index_needs_six_categories():
    assert compute_haq_di([[1, 1, 1, 1, 1, 3, NAN, NAN], [1, 1, 1, 1, 1, NAN, NAN, NAN]]) == pytest.approx(
        [8 / 6, NAN], nan_ok=True
    )


def test_who_has_died_has_the_last_grade():
    assert compute_mrs([3, NAN, NAN], died=[0, 1, 0]) == pytest.approx([3, 6, NAN], nan_ok=True)
    with pytest.raises(InputError, match="0 to 6"):
        compute_mrs([7])


def test_enzymes_change_units_and_keep_their_bounds():
    assert compute_unit([1.0, 3.5], "ukat/l").tolist() == [60, 210]
    assert compute_unit(compute_unit([250], "U/L", to="µkat/L"), "µkat/L")[0] == pytest.approx(250)
    assert compute_multiples([380], 190).tolist() == [2]
    found = read_censored(["<5", "≥ 20000", "12.5", " ", None]).scale(1 / 5)
    assert found.values == pytest.approx([1, 4000, 2.5, NAN, NAN], nan_ok=True)
    assert found.operators.tolist() == ["<", ">=", "", "", ""]
    with pytest.raises(InputError, match="row 1") as caught:
        read_censored(["5", "12,5"])
    assert "12,5" not in str(caught.value)


def classified(*present, onset=45, biopsy=0, **more):
    findings = dict.fromkeys(EULAR_ACR_WEIGHTS, 0) | dict.fromkeys(present, 1) | more
    return compute_eular_acr(findings, onset_age=onset, biopsy=biopsy)


WEAK = ("proximal_upper_weakness", "proximal_lower_weakness", "neck_flexors_weaker", "legs_proximal_weaker")


@pytest.mark.parametrize(
    ("present", "onset", "biopsy", "score", "category"),
    [
        ((*WEAK, "dysphagia", "raised_enzymes"), 45, 0, 8.4, "definite"),
        (WEAK, 45, 0, 6.4, "probable"),
        (("heliotrope", "gottron_papules"), 10, 0, 5.2, "none"),  # rashes add up
        (("heliotrope", "gottron_papules"), 18, 0, 6.5, "probable"),
        (("gottron_sign", "proximal_upper_weakness", "raised_enzymes"), 17.9, 0, 5.3, "possible"),
        ((*WEAK, "raised_enzymes"), 40, 1, 7.6, "probable"),
        ((*WEAK, "raised_enzymes", "endomysial_infiltrate"), 40, 1, 9.3, "definite"),
        ((*WEAK, "endomysial_infiltrate"), 40, 0, 6.4, "probable"),  # no biopsy, so that it cannot count
    ],
)
def test_the_classification_adds_weights_with_or_without_biopsy(present, onset, biopsy, score, category):
    found = classified(*present, onset=onset, biopsy=biopsy)
    assert (found.score[0], found.category[0]) == (pytest.approx(score), category)
    assert found.lower[0] == found.upper[0] == pytest.approx(score)


def test_the_probability_meets_the_published_cutoffs():
    heliotrope = classified("heliotrope", "gottron_papules", "gottron_sign")  # 10.6
    assert heliotrope.probability[0] == pytest.approx(1 / (1 + np.exp(5.33 - 10.6)))
    assert [heliotrope.biopsy_needed[0], classified(*WEAK).biopsy_needed[0]] == [0, 1]


def test_a_finding_that_is_not_known_bounds_the_score():
    found = classified(*WEAK, anti_jo1=NAN)
    assert np.isnan(found.score[0])
    assert found.category[0] == ""
    assert [found.lower[0], found.upper[0]] == pytest.approx([6.4, 10.3])
    assert classified(*WEAK, rimmed_vacuoles=NAN).score[0] == pytest.approx(6.4)  # there was no biopsy
