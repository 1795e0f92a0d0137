"""Patients that were made: they are as their truth says, whatever the seed, and look as it expects."""

from __future__ import annotations

import numpy as np
import pytest

from rarefactor.errors import StudyFileError
from rarefactor.instruments import compute_tis_category
from rarefactor.simulate import SimulatedCohort, Truth, change_patients, simulate_cohort
from rarefactor.simulate._truth import Draw, Expect, Loss, MissingRule
from rarefactor.spec import Study


@pytest.fixture(scope="module")
def large(study: Study, truth: Truth, intercept: float) -> SimulatedCohort:
    return simulate_cohort(study, change_patients(truth, 4000), np.random.default_rng(3), intercept=intercept)


def test_the_example_is_the_published_cohort(drawn: SimulatedCohort) -> None:
    known = drawn.outcome_known
    assert drawn.follow_up.eligible.sum() == 48
    assert (known.sum(), (known & drawn.outcome).sum()) == (40, 13)
    low = drawn.baseline.measured["mhc1"] < 2
    assert low.any()
    assert not (drawn.outcome & known & low & drawn.follow_up.filled("mhc1", 0)).any()


@pytest.mark.parametrize("seed", range(6))
def test_the_score_of_the_records_tells_the_outcome(study: Study, truth: Truth, intercept: float, seed: int) -> None:
    drawn = simulate_cohort(study, change_patients(truth, 300), np.random.default_rng(seed), intercept=intercept)
    score = drawn.course.score[:, drawn.plan.outcome_visit]
    assert ((score < 40) == drawn.outcome).all()
    categories = compute_tis_category(score)
    assert set(categories[drawn.outcome]) <= {"none", "minimal"}
    assert set(categories[~drawn.outcome]) == {"moderate", "major"}


def test_as_many_have_the_outcome_as_the_truth_says(large: SimulatedCohort) -> None:
    assert large.outcome.mean() == pytest.approx(0.325, abs=0.025)
    assert large.risk.mean() == pytest.approx(0.325, abs=0.015)
    ill = large.risk[large.outcome].mean(), large.risk[~large.outcome].mean()
    assert ill[0] > ill[1] + 0.3


def test_values_follow_their_distributions_and_correlations(large: SimulatedCohort) -> None:
    values = large.baseline.values
    assert values["dysphagia"].mean() == pytest.approx(0.41, abs=0.03)
    assert np.median(values["fat_fraction"]) == pytest.approx(13, rel=0.08)
    assert values["age"].min() >= 18
    assert values["age"].max() <= 82
    logs = np.log(values["onset_months"]), np.log(values["fat_fraction"])
    assert np.corrcoef(*logs)[0, 1] == pytest.approx(0.5, abs=0.06)


def test_what_is_recorded_lies_on_the_steps_of_its_field(large: SimulatedCohort) -> None:
    recorded = large.course.recorded
    assert (recorded["mmt_neck"] == np.round(recorded["mmt_neck"])).all()
    assert np.allclose(recorded["haq"] * 8, np.round(recorded["haq"] * 8))
    assert recorded["physician_global"].min() >= 0
    assert recorded["physician_global"].max() <= 10
    error = large.course.recorded["patient_global"][:, 0] - large.baseline.true_core["patient_global"]
    assert 0.4 < error.std() < 0.7


def test_response_grows_and_some_relapse(large: SimulatedCohort) -> None:
    responders = np.mean(large.course.score[~large.outcome] >= 40, axis=0)
    assert responders[1] < responders[2] < responders[3] == 1
    relapsed = large.course.relapsed
    assert (large.course.score[relapsed, 2] >= 40).mean() > 0.8
    assert 0.1 < relapsed[large.outcome].mean() < 0.2


def test_exactly_as_many_are_lost(large: SimulatedCohort) -> None:
    lost = large.follow_up.eligible & (large.follow_up.last < len(large.plan.visits) - 1)
    assert lost.sum() == round(4000 * 0.1667)
    assert large.outcome_known.sum() == 4000 - lost.sum()


def test_loss_may_depend_on_the_outcome(study: Study, truth: Truth, intercept: float) -> None:
    loss = Loss(share=0.2, after={"month_6": 1}, odds_ratios={"refractory": 8})
    drawn = simulate_cohort(
        study,
        change_patients(truth, 3000).model_copy(update={"loss": loss}),
        np.random.default_rng(1),
        intercept=intercept,
    )
    gone = drawn.follow_up.last == 2
    odds = [gone[rows].mean() / (1 - gone[rows].mean()) for rows in (drawn.outcome, ~drawn.outcome)]
    assert odds[0] / odds[1] == pytest.approx(8, rel=0.35)


def test_values_go_missing_as_the_rule_says(study: Study, truth: Truth, intercept: float) -> None:
    rule = MissingRule(of=("ck",), at=("baseline",), share=0.3, odds_ratios={"male": 4})
    changed = change_patients(truth, 3000).model_copy(update={"missing": (rule,)})
    drawn = simulate_cohort(study, changed, np.random.default_rng(1), intercept=intercept)
    lacks, male = ~drawn.follow_up.filled("ck", 0), drawn.baseline.values["sex"] == 0
    assert lacks.mean() == pytest.approx(0.3, abs=0.03)
    odds = [lacks[rows].mean() / (1 - lacks[rows].mean()) for rows in (male, ~male)]
    assert odds[0] / odds[1] == pytest.approx(4, rel=0.3)
    assert drawn.follow_up.filled("ck", 1)[drawn.follow_up.last >= 1].all()


def test_a_cohort_that_cannot_be_is_refused(study: Study, truth: Truth, intercept: float) -> None:
    wanted = truth.model_copy(update={"expect": Expect(events=47, draws=200)})
    with pytest.raises(StudyFileError, match=r"truth\.yaml, line \d+, key expect: found no such cohort in 200 draws"):
        simulate_cohort(study, wanted, np.random.default_rng(1), intercept=intercept)


def test_nobody_has_room_to_respond(study: Study, truth: Truth) -> None:
    well = {name: each.model_copy(update={"baseline": Draw(mean=0.1)}) for name, each in truth.core_set.items()}
    well |= {"mmt": truth.core_set["mmt"].model_copy(update={"baseline": Draw(mean=80)})}
    well |= {"ck": truth.core_set["ck"].model_copy(update={"baseline": Draw(median=100)})}
    with pytest.raises(StudyFileError, match="hardly any patient with room to respond"):
        simulate_cohort(study, truth.model_copy(update={"core_set": well}), np.random.default_rng(1), intercept=0.0)
