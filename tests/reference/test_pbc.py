"""The PBC study from its raw files, through the command a user types, against R (tests/reference/R/pbc_models.R).

The script derives the cohort, the outcome and the factors a second time and fits every model with glm, brglm2 and a
solver of its own, so agreement here is agreement of the whole road.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rarefactor import study
from rarefactor.results import Results, read_results

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-7
R = json.loads((ROOT / "tests/reference/fixtures/pbc_models.json").read_text())

NAMES = {
    "age10": "age",
    "male": "male",
    "dpen": "treatment",
    "hepato": "hepatomegaly",
    "spiders": "spiders",
    "ascites": "ascites",
    "log2bili": "bilirubin",
    "albumin": "albumin",
    "protime": "protime",
    "platelet50": "platelets",
    "rate01": "bilirubin_rate",
    "oedema_half": "oedema",
    "oedema_one": "oedema",
    "stage_I": "stage",
    "stage_II": "stage",
    "stage_IV": "stage",
}
LEVELS = {
    "oedema_half": "untreated or resolved with diuretics",
    "oedema_one": "despite diuretics",
    "stage_I": "I",
    "stage_II": "II",
    "stage_IV": "IV",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    out = tmp_path_factory.mktemp("pbc") / "out"
    study.run(ROOT / "examples/pbc/study.yaml", out)
    return read_results(out / "results.json")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def expect_odds_ratios(
    results: Results,
    fit: Mapping[str, Any],
    analysis: str,
    methods: Sequence[str] = ("ml", "firth"),
    **parts: str | None,
) -> None:
    for method in methods:
        for position, column in enumerate(listed(fit["terms"])):
            name, level = NAMES[column], LEVELS.get(column)
            rows = results.select(
                analysis=analysis,
                factor=name,
                method=method,
                measure="odds_ratio",
                **({"term": level} if level else {}),
                **parts,
            )
            assert len(rows) == 1
            row, expected = (
                rows[0],
                {key: listed(fit[method][key])[position] for key in ("coef", "low", "high", "p", "wald_p", "se")},
            )
            assert (row.n, row.events) == (fit["n"], fit["events"])
            assert math.log(row.estimate) == pytest.approx(expected["coef"], abs=TOLERANCE)
            if analysis == "univariable" and method == "ml":  # the screen shows Wald limits for maximum likelihood
                assert math.log(row.high / row.low) / 2 == pytest.approx(1.959963984540054 * expected["se"], abs=1e-6)
                assert row.p == pytest.approx(expected["wald_p"], abs=1e-6)
            else:
                assert math.log(row.low) == pytest.approx(expected["low"], abs=TOLERANCE)
                assert math.log(row.high) == pytest.approx(expected["high"], abs=TOLERANCE)
                assert row.p == pytest.approx(expected["p"], abs=TOLERANCE)


def test_cohort_and_outcome_are_those_of_r(results: Results) -> None:
    steps = {step.id: step for step in results.flow}
    cohort = R["cohort"]
    assert steps["records"].n == cohort["records"] == 418
    assert steps["eligible/1"].n == cohort["randomised"] == 312
    assert (
        (steps["outcome/baseline"].n, steps["outcome/baseline"].events)
        == (cohort["known"], cohort["events"])
        == (273, 102)
    )
    assert steps["landmark/month_6"].n == cohort["month_6"]
    assert (steps["outcome/month_6"].n, steps["outcome/month_6"].events) == (
        cohort["month_6_known"],
        cohort["month_6_events"],
    )


@pytest.mark.parametrize("column", list(R["univariable"]))
def test_univariable(results: Results, column: str) -> None:
    expect_odds_ratios(results, R["univariable"][column], "univariable", landmark="baseline")


def test_univariable_with_levels_and_its_test(results: Results) -> None:
    expect_odds_ratios(results, R["oedema"], "univariable", landmark="baseline")
    expect_odds_ratios(results, R["stage"], "univariable", landmark="baseline")
    test = results.get("univariable/baseline/oedema/firth/factor_test")
    assert test.p == pytest.approx(R["oedema_test"], abs=TOLERANCE)


def test_rate_at_its_landmark(results: Results) -> None:
    expect_odds_ratios(results, R["rate"], "univariable", landmark="month_6")


def test_model_without_missing_values(results: Results) -> None:
    expect_odds_ratios(results, R["early_course"], "multivariable", model="early_course")
    assert all(row.imputations is None for row in results.select(analysis="multivariable", model="early_course"))


def test_model_with_missing_values_and_its_complete_cases(results: Results) -> None:
    expect_odds_ratios(results, R["clinical"], "sensitivity", ("firth",), model="clinical", group="complete_cases")
    for row in results.select(analysis="multivariable", model="clinical", method="firth", measure="odds_ratio"):
        assert (row.n, row.events, row.imputations) == (273, 102, 20)
        alone = results.select(analysis="sensitivity", factor=row.factor, term=row.term, group="complete_cases")
        se = math.log(row.high / row.low) / 3.92  # 4 of 273 patients lack one value; one is 1 of 3 events in stage I
        assert abs(math.log(row.estimate / alone[0].estimate)) < se


def test_what_was_imputed_is_shown(results: Results) -> None:
    assert results.get("imputation/baseline/platelets/missing").estimate == 4
    for group in ("observed", "imputed"):
        rows = results.select(analysis="imputation", landmark="baseline", measure="density", group=group)
        places = [float(row.term.removeprefix("at ")) for row in rows]
        area = sum(row.estimate for row in rows) * (places[-1] - places[0]) / (len(places) - 1)
        assert area == pytest.approx(1, abs=0.03)
    chains = results.select(analysis="imputation", landmark="baseline", measure="trace_mean")
    assert len(chains) == 5 * 10
