"""The risk models of the PBC studies, patient by patient: what they predict beside R, and why they are refused."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rarefactor import analyse, predict, study
from rarefactor.analyse.stage import _models
from rarefactor.results import Results, RiskModel
from rarefactor.study import Checked

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests/reference/fixtures"
R = json.loads((FIXTURES / "pbc_performance.json").read_text())
FIRTH = json.loads((FIXTURES / "pbc_models.json").read_text())["early_course"]
NAMES = {"age10": "age", "log2bili": "bilirubin", "rate01": "bilirubin_rate"}


def build(folder: Path, example: str, resamples: int) -> tuple[Checked, dict[str, RiskModel]]:
    text = (ROOT / f"examples/{example}/study.yaml").read_text().replace("data/", f"{ROOT}/examples/{example}/data/")
    assert text.count("  resamples: 200 ") == 1
    (folder / "study.yaml").write_text(text.replace("  resamples: 200 ", f"  resamples: {resamples} "))
    checked = study.check(folder / "study.yaml")
    wanted = ("Performance", "Model ")
    tasks = [task for task in analyse.tasks(checked.study, checked.table, code="test") if task.label.startswith(wanted)]
    results = Results(
        study={"file": checked.study.model_dump(mode="json", by_alias=True)},
        flow=(),
        rows=tuple(row for task in tasks for row in task.compute().rows),
        factors=checked.table.factors,
        models=_models(checked.study),
    )
    return checked, {model.name: model for model in predict.build(checked.study, checked.table, results).models}


@pytest.fixture(scope="module")
def pbc(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checked, dict[str, RiskModel]]:
    return build(tmp_path_factory.mktemp("pbc"), "pbc", 0)


@pytest.fixture(scope="module")
def pbc48(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checked, dict[str, RiskModel]]:
    return build(tmp_path_factory.mktemp("pbc48"), "pbc48", 20)


def patients(checked: Checked, model: RiskModel, landmark: str) -> tuple[pl.DataFrame, list[dict[str, str]]]:
    """The patients of a landmark whose outcome is known, with their factors as texts, as one would write them."""
    frame = checked.table.landmarks[landmark].frame.filter(pl.col.outcome.is_not_null())
    shown = frame.select(factor.name for factor in model.factors)
    return frame, [{key: "" if value is None else str(value) for key, value in row.items()} for row in shown.to_dicts()]


def test_coefficients_are_those_of_r(pbc: tuple[Checked, dict[str, RiskModel]]) -> None:
    found = {term.factor: term.coefficient for term in pbc[1]["early_course"].terms}
    expected = {NAMES.get(name, name): coef for name, coef in zip(FIRTH["terms"], FIRTH["firth"]["coef"], strict=True)}
    assert found == pytest.approx(expected, abs=1e-7)


def test_risks_of_every_patient_make_the_brier_score_of_r(pbc: tuple[Checked, dict[str, RiskModel]]) -> None:
    checked, models = pbc
    model = models["early_course"]
    frame, given = patients(checked, model, "month_6")
    risk = np.array([each.risk for each in predict.compute_risks(model, given, research=True)])
    outcome = frame["outcome"].cast(pl.Float64).to_numpy()
    assert (len(risk), outcome.sum()) == (R["n"], R["events"])
    assert np.mean((outcome - risk) ** 2) == pytest.approx(R["brier"], abs=1e-7)
    assert risk.mean() == pytest.approx(R["events"] / R["n"], abs=1e-7)


def test_a_patient_who_lacks_a_value_has_no_risk(pbc: tuple[Checked, dict[str, RiskModel]]) -> None:
    checked, models = pbc
    frame, given = patients(checked, models["clinical"], "baseline")
    found = predict.compute_risks(models["clinical"], given, research=True)
    lacking = frame["platelets"].is_null().to_list()
    assert sum(lacking) == 4
    assert [each.risk is None for each in found] == lacking
    assert {each.reason for each in found} == {"", "not given: platelets"}


def test_the_patients_of_pbc_carry_no_calculator_by_rileys_criteria(pbc: tuple[Checked, dict[str, RiskModel]]) -> None:
    model = pbc[1]["early_course"]
    (size,) = model.size
    assert (size.n, size.enough) == (R["required_n"], False)
    assert size.expected_shrinkage == pytest.approx(R["expected_shrinkage"], abs=1e-9)
    assert [reason.name for reason in model.reasons] == ["too_few", "not_validated"]
    assert f"need {R['required_n']} patients" in model.reasons[0].text


def test_48_patients_carry_none_either_and_the_penalty_made_some_coefficients(
    pbc48: tuple[Checked, dict[str, RiskModel]],
) -> None:
    for model in pbc48[1].values():
        assert model.use == "research only"
        assert [reason.name for reason in model.reasons] == ["too_few", "too_few", "separated"]
        assert 0.0 < (model.shrinkage or 0.0) < 1.0
    assert "Oedema and Histological stage" in pbc48[1]["clinical"].reasons[-1].text
    assert "there are 43 with 13" in pbc48[1]["clinical"].reasons[0].text


def test_shrunken_risks_lie_nearer_together_and_are_right_on_average(
    pbc48: tuple[Checked, dict[str, RiskModel]],
) -> None:
    checked, models = pbc48
    model = models["early_course"]
    frame, given = patients(checked, model, "month_6")
    risk = np.array([each.risk for each in predict.compute_risks(model, given, research=True)])
    assert risk.mean() == pytest.approx(frame["outcome"].mean(), abs=1e-6)
    slopes = {term.factor: (term.shrunken, term.coefficient) for term in model.terms}
    assert all(small == pytest.approx((model.shrinkage or 1.0) * full) for small, full in slopes.values())


def test_no_number_of_the_file_is_an_extreme_of_a_patient(pbc48: tuple[Checked, dict[str, RiskModel]]) -> None:
    checked, models = pbc48
    frame = checked.table.landmarks["baseline"].frame.filter(pl.col.outcome.is_not_null())
    for factor in models["clinical"].factors:
        if not factor.levels:
            values = frame[factor.name].drop_nulls()
            assert values.min() < factor.low < factor.typical < factor.high < values.max()
