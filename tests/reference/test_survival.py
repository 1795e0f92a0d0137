"""Kaplan-Meier, log-rank, Aalen-Johansen, Cox and Firth Cox on the PBC data, against R's survival and coxphf."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.stats.cox import CoxFit, fit_cox
from rarefactor.stats.hazards import compute_hazards_check
from rarefactor.stats.survival import (
    compare_survival,
    compute_restricted_mean,
    compute_survival_at,
    compute_survival_time,
    fit_aalen_johansen,
    fit_kaplan_meier,
)

HERE = Path(__file__).parent / "fixtures"
R = json.loads((HERE / "survival.json").read_text())
EXTRA = json.loads((HERE / "survival_extra.json").read_text())
TOLERANCE = 1e-7
SOLVED_BY_R = 2e-6  # coxphf stops at 1e-9 in its own step, its limits with it

with (HERE / "data/pbc_follow_up.csv").open() as file:
    ROWS = list(csv.DictReader(file))
PBC = {
    name: np.array([float(row[name] or "nan") for row in ROWS])
    for name in ("id", "time", "status", "age", "edema", "log_bili", "albumin", "log_protime", "stage")
}
PBC["sex_f"] = np.array([float(row["sex"] == "f") for row in ROWS])


def select(job: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Time, event, group and columns of a job."""
    keep = {"pbc80_small": PBC["id"] <= 80, "pbc_sex": PBC["id"] <= 312, "pbc_stage": ~np.isnan(PBC["stage"])}[job]
    time, status = PBC["time"][keep], PBC["status"][keep]
    if job == "pbc80_small":
        columns = ("sex_f", "log_bili", "age")
        event, time = (status == 2) & (time <= 730), np.minimum(time, 730)
    elif job == "pbc_sex":
        columns, event = ("age", "edema", "log_bili", "albumin", "log_protime"), status == 2
    else:
        stages = [PBC["stage"][keep] == stage for stage in (2, 3, 4)]
        return time, status >= 1, PBC["stage"][keep], np.column_stack([*stages, PBC["log_bili"][keep]]).astype(float)
    group = np.where(PBC["sex_f"][keep] == 1, "f", "m")
    return time, event, group, np.column_stack([PBC[column][keep] for column in columns])


def numbers(values: Any) -> np.ndarray:
    listed = list(values.values()) if isinstance(values, dict) else values
    return np.array([np.nan if v in (None, "NA") else float(v) for v in np.ravel(np.array(listed, dtype=object))])


def expect(found: Any, values: Any, tolerance: float = TOLERANCE) -> None:
    expected = numbers(values)
    np.testing.assert_allclose(np.ravel(found), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("job", list(R))
@pytest.mark.parametrize("scale", ["log-log", "log"])
def test_kaplan_meier(job: str, scale: str) -> None:
    time, event, group, _ = select(job)
    for name, expected in R[job]["km_" + scale.replace("-", "")].items():
        if name == "call":
            continue
        rows = np.ones(time.size, dtype=bool) if name == "all" else group.astype(str) == name
        if name not in ("all", "f", "m"):
            rows = group == float(name)
        curve = fit_kaplan_meier(time[rows], event[rows], scale=scale)
        there = compute_survival_at(curve, expected["times"])
        for found, key in ((there.at_risk, "n_risk"), (there.survival, "surv"), (there.se, "std_err")):
            expect(found, expected[key])
        expect(there.low, expected["lower"])
        expect(there.high, expected["upper"])
        quantiles = [compute_survival_time(curve, 1 - q) for q in expected["quantiles"]]
        expect([q.estimate for q in quantiles], expected["quantile"])
        expect([q.low for q in quantiles], expected["quantile_lower"])
        expect([q.high for q in quantiles], expected["quantile_upper"])
        mean = compute_restricted_mean(curve, expected["rmean_upper_limit"])
        expect([mean.estimate, mean.se], [expected["rmean"], expected["rmean_se"]])


@pytest.mark.parametrize("job", list(R))
def test_whole_curve(job: str) -> None:
    time, event, _, _ = select(job)
    curve, expected = fit_kaplan_meier(time, event), R[job]["km_full_curve_loglog"]
    place = np.searchsorted(curve.time, expected["time"])
    for name, key in (("at_risk", "n_risk"), ("events", "n_event"), ("survival", "surv"), ("low", "lower")):
        expect(getattr(curve, name)[place], expected[key])


@pytest.mark.parametrize("job", list(R))
@pytest.mark.parametrize(("key", "rho"), [("logrank", 0.0), ("peto_peto_rho1", 1.0)])
def test_log_rank(job: str, key: str, rho: float) -> None:
    time, event, group, _ = select(job)
    found, expected = compare_survival(time, event, group, rho=rho), R[job][key]
    expect(found.observed, expected["observed"])
    expect(found.expected, expected["expected"])
    expect(found.covariance, expected["variance"]["values"])
    expect([found.chisq, found.df], [expected["chisq"], expected["df"]])
    assert found.p == pytest.approx(expected["p"], rel=TOLERANCE)


def test_competing_events() -> None:
    curves, expected = fit_aalen_johansen(PBC["time"], PBC["status"]), EXTRA["competing"]
    assert list(curves.causes) == expected["causes"]
    rows = np.searchsorted(curves.time, expected["times"], side="right") - 1
    for name in ("incidence", "se", "low", "high"):
        expect(getattr(curves, name)[rows], expected[name])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("job", ["pbc_sex", "pbc_stage"])
def test_cox(job: str, ties: str) -> None:
    time, event, _, columns = select(job)
    fit, expected = fit_cox(columns, time, event, ties=ties), R[job][f"coxph_{ties}"]
    for name, key in (("coef", "coef"), ("se", "se"), ("wald_p", "p_wald")):
        expect(getattr(fit, name), expected[key])
    expect(np.exp(fit.wald_ci[:, 0]), expected["lower"])
    expect([fit.loglik_null, fit.loglik], [expected["loglik_null"], expected["loglik"]])
    expect([fit.lr.statistic, fit.score.statistic], [expected["lr_chisq"], expected["score_chisq"]])
    assert fit.wald.statistic == pytest.approx(expected["wald_chisq"], abs=0.005)  # R prints two decimals


@pytest.mark.parametrize("transform", ["km", "rank", "identity", "log"])
@pytest.mark.parametrize("job", ["pbc_sex", "pbc_stage"])
def test_proportional_hazards(job: str, transform: str) -> None:
    time, event, _, columns = select(job)
    check = compute_hazards_check(columns, time, event, fit_cox(columns, time, event), transform=transform)
    expected = R[job][f"cox_zph_{transform}"]
    expect([*check.chisq, check.whole.statistic], expected["chisq"])
    expect([*check.p, check.whole.p], expected["p"])


def test_profiles_and_residuals() -> None:
    time, event, _, columns = select("pbc_sex")
    fit, expected = fit_cox(columns, time, event), EXTRA["mayo"]
    for found, key in ((fit.ci[:, 0], "low"), (fit.ci[:, 1], "high"), (fit.lr_chisq, "chisq")):
        expect(found, expected[key])
    check = compute_hazards_check(columns, time, event, fit)
    for name, key in (("at", "x"), ("time", "time"), ("residuals", "y")):
        expect(getattr(check, name)[:10], EXTRA["schoenfeld"][key])


def expect_coxphf(fit: CoxFit, expected: dict[str, Any]) -> None:
    expect(fit.coef, expected["coef"], SOLVED_BY_R)
    expect(fit.ci[:, 0], expected["ci_lower_log_hr"], SOLVED_BY_R)
    expect(fit.ci[:, 1], expected["ci_upper_log_hr"], SOLVED_BY_R)
    expect(fit.p, expected["p"], SOLVED_BY_R)
    gain = expected["loglik"][1] - expected["loglik"][0]  # coxphf adds a constant that depends on the units
    expect(fit.loglik - fit.loglik_null, [gain], SOLVED_BY_R)


@pytest.mark.parametrize("job", ["pbc_sex", "pbc80_small"])
def test_firth_cox(job: str) -> None:
    time, event, _, columns = select(job)
    fit = fit_cox(columns, time, event, penalty="firth", ties="breslow")
    expect_coxphf(fit, R[job]["coxphf"])


def test_monotone_likelihood_is_named_and_tested_against_its_supremum() -> None:
    time, event, _, columns = select("pbc80_small")
    fit = fit_cox(columns, time, event, names=("sex_f", "log_bili", "age"))
    expected = R["pbc80_small"]["coxph_efron"]
    assert fit.monotone == ("sex_f",)
    assert fit.coef[0] == fit.ci[0, 1] == np.inf
    assert np.isfinite(fit.ci[0, 0])
    assert fit.flags == ("monotone", "infinite_bound")
    expect(fit.coef[1:], numbers(expected["coef"])[1:])
    expect([fit.loglik, fit.lr.statistic], [expected["loglik"], expected["lr_chisq"]])
