"""Performance, optimism, FLIC and FLAC, influence and sample size against R on real data (fixtures/validation).

Tolerance 1e-8 for performance and for optimism on the same resamples, 1e-7 for the corrected Firth fits. R's
Monte-Carlo means (rms::validate) agree within 4 standard deviations of one run.
"""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.stats.calibration import compute_calibration_curve
from rarefactor.stats.decision import compute_net_benefit
from rarefactor.stats.discrimination import compare_auc
from rarefactor.stats.flic import fit_risk
from rarefactor.stats.influence import compute_distances, compute_influence
from rarefactor.stats.logistic import fit_logistic
from rarefactor.stats.optimism import compute_optimism
from rarefactor.stats.performance import compute_performance
from rarefactor.stats.procedure import ModelProcedure
from rarefactor.stats.resampling import count_resamples, draw_resamples
from rarefactor.stats.samplesize import compute_sample_size, derive_r2_of_auc, derive_r2_of_nagelkerke

FIXTURES = Path(__file__).parent / "fixtures"
VALIDATION = FIXTURES / "validation"
R = json.loads((VALIDATION / "results.json").read_text())
FITS = json.loads((VALIDATION / "performance.json").read_text())
STUDIES = ("pbc100", "pbc_mayo")
NAMES = {
    "brier": "brier",
    "brier_max": "brier_max",
    "brier_scaled": "brier_scaled",
    "log_score": "log_score",
    "mean_risk": "mean_predicted",
    "observed": "observed_rate",
    "expected_over_observed": "expected_over_observed",
}
CALIBRATION = {
    "in_the_large": "calibration_in_the_large",
    "in_the_large_se": "calibration_in_the_large_se",
    "intercept": "calibration_intercept_joint",
    "slope": "calibration_slope",
    "slope_se": "calibration_slope_se",
}
MEASURES = {"intercept": "Intercept", "slope": "Slope", "brier": "B", "log_score": "log_score"}


def read_columns(path: Path, *left_out: str) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name not in left_out}


def read_design(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = read_columns(path)
    weights = columns.pop("case_weight", np.ones(columns["y"].size))
    outcome = columns.pop("y")
    return np.column_stack([values for name, values in columns.items() if name != "row"]), outcome, weights


def read_study(name: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    columns = read_columns(VALIDATION / f"{name}.csv")
    factors = [values for key, values in columns.items() if key not in {"row", "dev", "y", "p_ml"}]
    return np.column_stack(factors), columns["y"], columns


def predict_half(name: str, penalty: str) -> tuple[np.ndarray, np.ndarray]:
    """Fit in the development half, predict in the other."""
    factors, outcome, columns = read_study(name)
    first = columns["dev"] == 1.0
    coef = fit_logistic(factors[first], outcome[first], penalty=penalty, tests=False, intervals=False).coef
    return outcome[~first], 1.0 / (1.0 + np.exp(-coef[0] - factors[~first] @ coef[1:]))


def expect_performance(outcome: np.ndarray, risk: np.ndarray, expected: dict[str, Any]) -> None:
    found = compute_performance(outcome, risk)
    for ours, theirs in NAMES.items():
        assert getattr(found, ours) == pytest.approx(expected[theirs], abs=1e-8), ours
    for ours, theirs in CALIBRATION.items():
        margin = 1e-7 if ours.endswith("_se") else 1e-8  # glm's vcov is that of the iteration before its last
        assert getattr(found.calibration, ours) == pytest.approx(expected[theirs], abs=margin), ours
    area = (found.auc.estimate, found.auc.se**2, found.auc.low, found.auc.high)
    names = ("auc", "auc_delong_var", "auc_delong_lower", "auc_delong_upper")
    assert area == pytest.approx([expected[name] for name in names], abs=1e-10)
    curve = compute_net_benefit(outcome, risk, [float(cut) for cut in expected["net_benefit"]])
    assert curve.model == pytest.approx([*expected["net_benefit"].values()], abs=1e-12)
    assert curve.treat_all == pytest.approx([*expected["net_benefit_all"].values()], abs=1e-12)


@pytest.mark.parametrize("name", STUDIES)
def test_performance_is_that_of_r(name: str) -> None:
    expected = R["validation"][name]
    _, outcome, columns = read_study(name)
    expect_performance(outcome, columns["p_ml"], expected["apparent"])
    held_out, risk = predict_half(name, "none")
    assert risk == pytest.approx(expected["split_sample"]["predicted"], abs=1e-10)
    expect_performance(held_out, risk, expected["split_sample"])
    expect_performance(*predict_half(name, "firth"), expected["split_sample_firth"])


@pytest.mark.parametrize("name", STUDIES)
def test_two_areas_compare_as_in_proc(name: str) -> None:
    expected = R["validation"][name]["paired"]
    _, outcome, columns = read_study(name)
    second = expected["second_score"]
    found = compare_auc(outcome, columns["p_ml"], columns[second.lstrip("-")] * (-1.0 if second[0] == "-" else 1.0))
    areas = (found.first.estimate, found.second.estimate, found.z, found.p)
    assert areas == pytest.approx([expected[key] for key in ("auc1", "auc2", "z", "p")], abs=1e-9)


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("knots", [3, 4, 5])
def test_calibration_curve_is_a_spline_of_glm(name: str, knots: int) -> None:
    expected = FITS["curve"][name][str(knots)]
    _, outcome, columns = read_study(name)
    found = compute_calibration_curve(outcome, columns["p_ml"], knots=knots, at=expected["at"])
    assert found.knots == pytest.approx(expected["knots"], abs=1e-12)
    for ours, theirs in ((found.observed, "observed"), (found.low, "low"), (found.high, "high")):
        assert ours == pytest.approx(expected[theirs], abs=1e-8)


@pytest.mark.parametrize("method", ["ml", "firth"])
def test_optimism_on_the_same_resamples_is_exact(method: str) -> None:
    expect_optimism("pbc100", VALIDATION / "boot_indices_pbc100.csv", method)


@pytest.mark.shared
@pytest.mark.parametrize("method", ["ml", "firth"])
def test_optimism_of_the_whole_trial_is_exact(shared: Path, method: str) -> None:
    expect_optimism("pbc_mayo", shared / "reference/data/boot_indices_pbc_mayo.csv", method)


def expect_optimism(name: str, indices: Path, method: str) -> None:
    expected = R["validation"][name][f"optimism_{method}"]
    factors, outcome, _ = read_study(name)
    drawn = np.column_stack([*read_columns(indices).values()]).T.astype(int) - 1
    procedure = ModelProcedure(columns=factors, outcome=outcome, method={"ml": "none"}.get(method, method))
    found = compute_optimism(outcome, procedure, count_resamples(drawn, outcome.size))
    assert found.resamples - found.failed == expected["n_ok"]
    parts = {"apparent": "index_orig", "training": "training", "test": "test", "optimism": "optimism"}
    for ours, theirs in (parts | {"corrected": "index_corrected"}).items():
        for measure, key in MEASURES.items():
            value = getattr(found.measures[measure], ours)
            assert value == pytest.approx(expected[theirs][key], abs=1e-8), (ours, measure)
        moved = 0.0 if ours == "optimism" else 1.0  # Somers' D is 2 AUC - 1; differences lose the 1
        dxy = 2.0 * getattr(found.measures["auc"], ours) - moved
        assert dxy == pytest.approx(expected[theirs]["Dxy"], abs=1e-8)
    assert found.test.auc == pytest.approx(expected["per_resample_test_auc"], abs=1e-10)
    assert found.training.auc == pytest.approx(expected["per_resample_train_auc"], abs=1e-10)
    assert found.test.slope == pytest.approx(expected["per_resample_test_slope"], abs=1e-8)
    assert found.test.brier == pytest.approx(expected["per_resample_test_brier"], abs=1e-8)


def test_optimism_agrees_with_rms_within_monte_carlo_error() -> None:
    answers = R["validation"]["pbc100"]["rms_validate"]
    expected, spread = answers["index_corrected_mean_of_5"], answers["mc_sd_of_one_run"]
    factors, outcome, _ = read_study("pbc100")
    weights = draw_resamples(outcome.size, 2000, np.random.default_rng(1))
    procedure = ModelProcedure(columns=factors, outcome=outcome, method="none")
    found = compute_optimism(outcome, procedure, weights).measures
    assert abs(2.0 * found["auc"].corrected - 1.0 - expected["Dxy"]) < 4.0 * spread["Dxy"]
    assert abs(found["slope"].corrected - expected["Slope"]) < 4.0 * spread["Slope"]
    assert abs(found["brier"].corrected - expected["B"]) < 4.0 * spread["B"]


def test_plus632_is_that_of_a_loop_in_r() -> None:
    expected = FITS["plus632"]
    factors, outcome, _ = read_study("pbc100")
    indices = read_columns(VALIDATION / "boot_indices_pbc100.csv")
    drawn = count_resamples(np.column_stack([*indices.values()]).T.astype(int) - 1, outcome.size)
    found = compute_optimism(outcome, ModelProcedure(columns=factors, outcome=outcome, method="none"), drawn).plus632
    for name, parts in expected.items():
        for part, value in parts.items():
            assert getattr(found[name], part) == pytest.approx(value, abs=1e-8), (name, part)


@pytest.mark.parametrize("name", [*R["flic"]])
def test_risks_of_flic_and_flac_are_exact(name: str) -> None:
    expect_corrected_fits(read_design(FIXTURES / f"design/{name}.csv"), R["flic"][name])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["sex2_full", "sexagg_weighted"])
def test_risks_of_weighted_patterns_are_exact(shared: Path, name: str) -> None:
    full = json.loads((shared / f"reference/results/logistic__{name}.json").read_text())
    flac = {key: [*part.values()] if isinstance(part, dict) else part for key, part in full["flac"]["exact"].items()}
    expected = {"flic": full["flic"], "flac": flac, "hat": full["firth_exact"]["hat"]}
    expect_corrected_fits(read_design(shared / f"reference/data/design/{name}.csv"), expected)


def expect_corrected_fits(data: tuple[np.ndarray, np.ndarray, np.ndarray], expected: dict[str, Any]) -> None:
    factors, outcome, weights = data
    flic = fit_risk(factors, outcome, weights=weights)
    assert flic.risk == pytest.approx(expected["flic"]["predicted_exact"], abs=1e-7)
    assert flic.coef[0] == pytest.approx(expected["flic"]["intercept_exact"], abs=1e-7)
    assert flic.se[0] == pytest.approx(expected["flic"]["intercept_se_exact"], rel=1e-7)
    flac = fit_risk(factors, outcome, weights=weights, method="flac")
    assert flac.risk == pytest.approx(expected["flac"]["predicted"], abs=1e-7)
    assert flac.coef == pytest.approx(expected["flac"]["coefficients"], abs=1e-7)
    assert flac.se == pytest.approx(expected["flac"]["se"], rel=1e-7)
    assert flac.p == pytest.approx(expected["flac"]["lr_p"], abs=1e-7)
    limits = np.array([read_limits(expected["flac"][side]) for side in ("ci_lower", "ci_upper")]).T
    assert flac.ci == pytest.approx(limits, abs=1e-7)


def read_limits(values: list[float | str | None]) -> list[float]:
    return [np.nan if value is None else float(value) for value in values]


@pytest.mark.parametrize("name", [*R["flic"]])
def test_hat_values_are_those_of_the_firth_fit(name: str) -> None:
    factors, outcome, _ = read_design(FIXTURES / f"design/{name}.csv")
    assert compute_influence(factors, outcome).hat == pytest.approx(R["flic"][name]["hat"], abs=1e-7)


def test_influence_is_that_of_glm_refitted_without_each_patient() -> None:
    expected = FITS["influence"]
    factors, outcome, _ = read_design(FIXTURES / "design/birthwt_full.csv")
    found = compute_influence(factors, outcome, penalty="none")
    assert found.hat == pytest.approx(expected["hat"], abs=1e-8)
    assert found.cook == pytest.approx(expected["cook"], abs=1e-8)
    assert compute_distances(factors, outcome, penalty="none").cook == pytest.approx(expected["cook"], abs=1e-8)
    assert found.coef_without.ravel() == pytest.approx(expected["coef_without"], abs=1e-7)


def test_sample_size_is_the_published_and_that_of_pmsampsize() -> None:
    assert compute_sample_size(24, 0.174, 0.288).n == 662
    rounded = round(derive_r2_of_nagelkerke(0.3, 0.25), 3)  # as pmsampsize does; without, one patient more
    expect_sizes(R["samplesize"]["case5"], 8, 0.25, rounded, 0)


@pytest.mark.parametrize(
    ("case", "parameters", "prevalence", "auc"), [("case2", 24, 0.174, 0.89), ("case7", 5, 0.3, 0.75)]
)
def test_sample_size_from_an_auc(case: str, parameters: int, prevalence: float, auc: float) -> None:
    expect_sizes(R["samplesize"][case], parameters, prevalence, derive_r2_of_auc(auc, prevalence), 3)


def expect_sizes(expected: dict[str, Any], parameters: int, prevalence: float, r2: float, margin: int) -> None:
    """Compare the criteria; R's route from an AUC simulates, hence its margin in patients."""
    found = compute_sample_size(parameters, prevalence, r2)
    sizes = [row[0] for row in expected["results_table"]["values"]]
    assert np.abs(np.array([found.n_shrinkage, found.n_optimism, found.n_intercept, found.n]) - sizes).max() <= margin
    assert found.r2_max == pytest.approx(expected["max_r2a"], abs=1e-7)
    if not margin:
        assert found.shrinkage == pytest.approx(expected["shrinkage"]["Final"], abs=5e-4)
