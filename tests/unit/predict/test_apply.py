"""The risk of a next patient: from texts, with an interval and what is doubtful, or with why there is none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.predict import compute_risk, compute_risks

GIVEN = {"male": "yes", "severe_weakness": "no", "age": "50"}
WHOLE = {**GIVEN, "muscle": "2000", "stage": "late"}


def logit(risk):
    return math.log(risk / (1 - risk))


def test_a_risk_is_that_of_the_equation(whole):
    terms = {(term.factor, term.term): term.shrunken for term in whole.terms}
    log_odds = (
        whole.shrunken_intercept
        + terms["male", "Yes"]
        + terms["age", "per 10 years"] * 5
        + terms["muscle", "per 2-fold"] * math.log2(2000)
        + terms["stage", "early"]
    )
    found = compute_risk(whole, {**WHOLE, "stage": "early"})
    assert logit(found.risk) == pytest.approx(log_odds)
    x = np.array([1.0, 1, 0, 5, math.log2(2000), 1, 0])
    half = 1.959964 * math.sqrt(x @ np.array(whole.covariance) @ x)
    assert (logit(found.low), logit(found.high)) == pytest.approx((log_odds - half, log_odds + half))


def test_contributions_lead_from_the_mean_of_the_cohort_to_the_patient(whole):
    found = compute_risk(whole, WHOLE)
    mean = whole.shrunken_intercept + sum(term.shrunken * term.centre for term in whole.terms)
    assert mean + sum(item.log_odds for item in found.contributions) == pytest.approx(logit(found.risk))
    assert [item.factor for item in found.contributions] == ["male", "severe_weakness", "age", "muscle", "stage"]
    assert found.mean_risk == whole.population.events / whole.population.n


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"sex": "male", "severe_weakness": "no", "age": "50"}, GIVEN),
        ({"male": "1", "mmt8": "57", "age": "50 years"}, GIVEN),
        ({"male": "Yes", "mmt8": "56", "age": "5e1"}, {**GIVEN, "severe_weakness": "yes"}),
    ],
)
def test_columns_of_the_data_may_be_given_in_place_of_factors(clinical, given, same):
    assert compute_risk(clinical, given).risk == compute_risk(clinical, same).risk


def test_a_factor_and_its_column_may_both_be_given_where_they_agree(clinical):
    assert compute_risk(clinical, {**GIVEN, "mmt8": "70", "sex": "male"}).risk == compute_risk(clinical, GIVEN).risk


def test_nothing_is_filled_in(clinical):
    found = compute_risks(clinical, [GIVEN, {**GIVEN, "age": ""}, {"male": "NA", "severe_weakness": "no"}])
    assert [each.risk is None for each in found] == [False, True, True]
    assert [each.reason for each in found] == ["", "not given: age", "not given: male, age"]


def test_what_lies_outside_the_ranges_is_told_without_its_value(whole):
    found = compute_risk(whole, {**WHOLE, "age": "88.125", "stage": "end"} | {"severe_weakness": "", "mmt8": "11.75"})
    assert [(item.factor, item.name) for item in found.warned] == [
        ("severe_weakness", "below_range"),
        ("age", "above_range"),
        ("stage", "rare_level"),
    ]
    assert "range of 23 to 77 years" in found.warned[1].text
    assert not any(value in item.text for item in found.warned for value in ("88.125", "11.75", "end"))
    assert compute_risk(whole, WHOLE).warned == ()


@pytest.mark.parametrize(
    ("change", "found", "step"),
    [
        ({"age": "fifty-one"}, "no number", "Write digits."),
        ({"age": "51,5"}, "no number", "Write a decimal point, not a comma."),
        ({"age": "51 months"}, "another unit", "Turn the number into this unit, or leave the unit out."),
        ({"age": "inf"}, "no finite number", "Leave it empty where it is missing."),
        ({"muscle": "-51"}, "a number that is not above 0", "Its logarithm is taken."),
        ({"stage": "fifty-one"}, "none of the levels", "Write its label; --list shows all of them."),
        ({"ck": "51"}, "another value than in muscle", "Leave one of them out."),
        ({"agee": "51"}, "a name that the model does not know", "Did you mean age?"),
    ],
)
def test_what_cannot_be_read_is_told_without_its_value(whole, change, found, step):
    with pytest.raises(InputError) as refused:
        compute_risk(whole, WHOLE | change)
    (problem,) = refused.value.problems
    assert (problem.found, problem.next_step, problem.row) == (found, step, None)
    assert "51" not in str(problem)
    assert "fifty" not in str(problem)


def test_every_problem_of_a_table_has_its_row_and_column(clinical):
    with pytest.raises(InputError) as refused:
        compute_risks(clinical, [GIVEN, {**GIVEN, "male": "x", "age": "y"}, {**GIVEN, "age": "z"}])
    assert [(item.row, item.column) for item in refused.value.problems] == [(1, "male"), (1, "age"), (2, "age")]


def test_a_cut_whose_column_has_its_name_takes_words_and_numbers(clinical):
    factor = clinical.factor("severe_weakness")
    renamed = replace(factor, alias=replace(factor.alias, name="severe_weakness"))
    model = replace(clinical, factors=(clinical.factors[0], renamed, clinical.factors[2]))
    risks = [compute_risk(model, {**GIVEN, "severe_weakness": text}).risk for text in ("yes", "50", "no", "1", "70")]
    assert risks[0] == risks[1] == risks[3] > risks[2] == risks[4]
