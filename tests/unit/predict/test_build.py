"""What a risk model holds, when it may be used, and what keeps it from patients."""

import pytest

from rarefactor.errors import RefusalError
from rarefactor.predict import compute_risk, require_use

from .conftest import STUDY

GIVEN = {"male": "yes", "severe_weakness": "no", "age": "50"}


def test_a_model_that_its_patients_carry_may_be_used(clinical, built):
    assert (clinical.use, clinical.reasons) == ("prediction", ())
    assert all(size.enough and size.n < clinical.population.n for size in clinical.size)
    assert 0.9 < clinical.shrinkage <= 1.0
    allowed = next(row for row in built.rows if row.measure == "allowed")
    assert (allowed.id, allowed.estimate) == ("risk_model/baseline/clinical/allowed", 1.0)


def test_a_model_says_of_whom_it_is_and_where_it_comes_from(clinical):
    assert clinical.population.eligibility == ("adults",)
    assert (clinical.outcome.horizon_months, clinical.outcome.at) == (12.0, "one year")
    assert clinical.valid_for.startswith("Patients (adults) at baseline, for the outcome “Refractory at 12 months”")
    assert clinical.provenance.inputs[0].path == "records.csv"
    assert clinical.factor("severe_weakness").definition == "MMT8 <= 56 points, at baseline (a reason)"


def test_few_patients_carry_none(few):
    for model in few.models:
        assert (model.use, {reason.name for reason in model.reasons} >= {"too_few"}) == ("research only", True)
        with pytest.raises(RefusalError, match="there are 60 with") as refused:
            compute_risk(model, GIVEN)
        assert refused.value.exit_code == 10
        require_use(model, research=True)
    assert compute_risk(few.models[0], GIVEN, research=True).use == "research only"


def test_without_resamples_nobody_knows_how_much_to_shrink(build, tmp_path):
    model = build(tmp_path, STUDY.replace("resamples: 20", "resamples: 0"), 900).models[0]
    assert [reason.name for reason in model.reasons] == ["not_validated"]
    assert model.shrinkage is None
    assert model.intercept == model.shrunken_intercept


def test_selected_factors_are_those_that_are_asked_for(build, tmp_path):
    text = STUDY.replace("  resamples: 20", "  selection: {method: backward, alpha: 0.01}\n  resamples: 2")
    model = build(tmp_path, text, 400).models[0]
    assert [factor.name for factor in model.factors] == ["male", "severe_weakness"]
    assert len(model.covariance) == len(model.terms) + 1 == 3


def test_a_model_that_cannot_be_fitted_is_told_and_the_others_stand(build, tmp_path):
    text = STUDY.replace("[male, severe_weakness, age]", "[never]")
    text = text.replace("analysis:\n", '  never: {label: Never, from: age, cut: "> 200", reason: none}\nanalysis:\n')
    built = build(tmp_path, text, 120)
    assert [model.name for model in built.models] == ["whole"]
    assert built.notes[0].text == "There is no risk model “clinical” (no usable column)."


def test_a_column_at_two_visits_cannot_be_given_by_its_name(build, tmp_path):
    text = STUDY.replace("[male, severe_weakness, age]", "{factors: [severe_weakness, later], landmark: month_12}")
    text = text.replace("  resamples: 20", "  landmarks: [baseline, month_12]\n  resamples: 2")
    text = text.replace("analysis:\n", "  later: {label: Later, from: mmt8, measured_at: month_12}\nanalysis:\n")
    text = text.replace("at: month_12, when", "at: month_24, when").replace(
        "label: one year}", "label: one year}\n    month_24: {month: 24}"
    )
    model = build(tmp_path, text, 120).models[0]
    assert [factor.alias for factor in model.factors] == [None, None]


def test_made_patients_are_marked(build, tmp_path):
    assert build(tmp_path, STUDY.replace("title:", "synthetic: yes\ntitle:"), 60).models[0].synthetic
