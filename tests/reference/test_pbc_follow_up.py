"""Follow-up and course of the PBC study from its raw files, against R (tests/reference/R/pbc_follow_up.R)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from rarefactor import analyse, study
from rarefactor.results import Estimate

ROOT = Path(__file__).parents[2]
R = json.loads((ROOT / "tests/reference/fixtures/pbc_follow_up.json").read_text())
STAGES = {1: "I", 2: "II", 3: "III", 4: "IV"}
FACTORS = {"age10": "age", "log2bili": "bilirubin", "albumin": "albumin", "protime": "protime"}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Estimate]:
    folder = tmp_path_factory.mktemp("pbc")
    (folder / "data").symlink_to(ROOT / "examples/pbc/data")
    text = (ROOT / "examples/pbc/study.yaml").read_text(encoding="utf-8")
    assert "by: [stage, oedema]" in text  # restricted means reach up to where all groups were followed to
    text = text.replace("by: [stage, oedema]", "by: [stage]")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    checked = study.check(folder / "study.yaml")
    wanted = ("Follow-up", "Cox model clinical", "Course")
    tasks = [task for task in analyse.tasks(checked.study, checked.table, code="test") if task.label.startswith(wanted)]
    return {row.id: row for task in tasks for row in task.compute().rows}


def test_who_was_followed(rows: dict[str, Estimate]) -> None:
    everyone = rows["survival/baseline/death/patients"]
    assert (everyone.n, everyone.events) == (R["n"], R["events"]) == (312, 144)
    watched = rows["survival/baseline/death/reverse_kaplan_meier/median_follow_up"]
    assert watched.estimate == pytest.approx(R["median_follow_up"], abs=1e-9)


@pytest.mark.parametrize("expected", R["km"], ids=lambda item: f"{STAGES[item['stage']]} at {item['time']}")
def test_kaplan_meier_by_stage(rows: dict[str, Estimate], expected: dict[str, float]) -> None:
    row = rows[f"survival/baseline/death/stage/{expected['time']}/{STAGES[expected['stage']]}/kaplan_meier/survival"]
    assert row.n == expected["at_risk"]
    for name in ("low", "high"):
        if 0 < expected["survival"] < 1:
            assert getattr(row, name) == pytest.approx(expected[name], abs=1e-9)
    assert row.estimate == pytest.approx(expected["survival"], abs=1e-9)


def test_medians_restricted_means_and_logrank_by_stage(rows: dict[str, Estimate]) -> None:
    for place, level in enumerate(STAGES.values()):
        median = rows[f"survival/baseline/death/stage/{level}/kaplan_meier/median_time"]
        for name in ("estimate", "low", "high"):
            assert getattr(median, name) == pytest.approx(R["median"][place].get(name), abs=1e-9)
        mean = rows[f"survival/baseline/death/stage/12/{level}/kaplan_meier/restricted_mean"]
        assert mean.estimate == pytest.approx(R["restricted_mean"][place]["estimate"], abs=1e-9)
        low = mean.estimate - 1.959963984540054 * R["restricted_mean"][place]["se"]
        assert mean.low == pytest.approx(low, abs=1e-8)
    test = rows["survival/baseline/death/stage/3_df/logrank/logrank"]
    assert test.estimate == pytest.approx(R["logrank"]["chisq"], abs=1e-8)


def test_cox_model_and_its_check(rows: dict[str, Estimate]) -> None:
    found = {(row.factor, row.method): row for row in rows.values() if row.model == "death.clinical" and row.factor}
    for place, expected in enumerate(R["cox"]):
        row = found[FACTORS[expected["column"]], "ml"]
        assert math.log(row.estimate) == pytest.approx(expected["coef"], abs=1e-8)
        assert math.log(row.low) == pytest.approx(expected["low"], abs=1e-7)
        assert math.log(row.high) == pytest.approx(expected["high"], abs=1e-7)
        assert row.p == pytest.approx(expected["p"], rel=1e-6)
        assert found[row.factor, "schoenfeld"].p == pytest.approx(R["zph"]["p"][place], abs=1e-7)
        assert found[row.factor, "firth"].estimate == pytest.approx(row.estimate, rel=0.02)
    whole = rows["survival/baseline/death.clinical/4_df/schoenfeld/proportional_hazards"]
    assert whole.estimate == pytest.approx(R["zph"]["chisq"][-1], abs=1e-6)


def expect(row: Estimate, expected: dict[str, list[float]], place: int) -> None:
    for name in ("estimate", "low", "high"):
        assert math.log(getattr(row, name)) == pytest.approx(expected[name][place], abs=1e-5)


def test_course_of_bilirubin(rows: dict[str, Estimate]) -> None:
    lead, course = "longitudinal/bilirubin", R["course"]
    measured = [rows[f"{lead}/{group}/measurements"].estimate for group in ("no_event", "event")]
    assert sum(measured) == R["rows"]
    for group in ("no_event", "event"):
        expect(rows[f"{lead}/{group}/reml/mean_at_start"], course[group], 0)
        expect(rows[f"{lead}/per_year/{group}/reml/slope"], course[group], 1)
        assert rows[f"{lead}/{group}/patients"].estimate == R["patients"][group == "event"]
        df = rows[f"{lead}/per_year/{group}/reml/slope_df"].estimate
        assert df == pytest.approx(course[group]["df"][1], rel=1e-4)
    expect(rows[f"{lead}/event/reml/difference_at_start"], course["no_event"], 2)
    expect(rows[f"{lead}/per_year/event/reml/slope_difference"], course["no_event"], 3)
    expect(rows[f"{lead}/12/no_event/reml/mean_at"], course["no_event_12"], 0)
    expect(rows[f"{lead}/24/event/reml/mean_at"], course["event_24"], 0)


def test_spread_of_patients(rows: dict[str, Estimate]) -> None:
    expected = R["course"]["no_event"]
    names = ("reml/sd_start", "per_year/reml/sd_slope", "reml/correlation", "reml/sd_residual")
    found = [rows[f"longitudinal/bilirubin/{name}"].estimate for name in names]
    np.testing.assert_allclose(found, expected["sd"], atol=1e-4)
    shares = [rows[f"longitudinal/bilirubin/{share}%/no_event/blup/patient_slope"] for share in (10, 25, 50, 75, 90)]
    np.testing.assert_allclose([math.log(row.estimate) for row in shares], expected["slopes"], atol=1e-4)
