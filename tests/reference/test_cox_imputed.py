"""A Cox model on data that mice completed: pooling, proportional hazards by term (tests/reference/R/cox_imputed.R)."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import (
    compute_cumulative_hazard,
    compute_hazards_check,
    compute_hazards_smooth,
    fit_cox,
    pool_chisq,
    pool_cox,
    pool_hazards_check,
)

HERE = Path(__file__).parent / "fixtures"
R = json.loads((HERE / "cox_imputed.json").read_text())
CLIMBED_BY_R = 1e-6  # optim stops where the likelihood changes by 1e-15 of itself
STAGES = (3, 4, 5)

with (HERE / "design/cox_imputed.csv").open() as file:
    ROWS = list(csv.DictReader(file))
SETS = {name: np.array([float(row[name]) for row in ROWS]).reshape(R["m"], -1) for name in ROWS[0]}
TIME, EVENT = SETS["time"][0], SETS["event"][0]
STAGE = [SETS["stage"] == stage for stage in (2, 3, 4)]
FULL = np.stack([SETS["age"], SETS["log_bili"], SETS["albumin"], *STAGE], axis=2).astype(float)
SMALL = np.stack([SETS["age"] / 10, SETS["log_bili"], SETS["stage"] >= 3], axis=2).astype(float)


def test_maximum_likelihood_is_pooled_as_by_mice() -> None:
    found = pool_cox(FULL, TIME, EVENT)
    assert (found.m, found.events) == (R["m"], R["events"])
    for name in ("estimate", "se", "df", "fmi", "p"):
        np.testing.assert_allclose(getattr(found, name), [row[name] for row in R["pooled"]], rtol=1e-8, err_msg=name)


def test_penalised_profiles_are_pooled_as_solved_in_r() -> None:
    found, expected = pool_cox(SMALL, TIME, EVENT, penalty="firth"), R["clip"]
    np.testing.assert_allclose(found.estimate, [row["estimate"] for row in expected], atol=CLIMBED_BY_R)
    np.testing.assert_allclose(found.ci, [[row["low"], row["high"]] for row in expected], atol=1e-9)
    np.testing.assert_allclose(found.p, [row["p"] for row in expected], atol=1e-9)


def test_hazards_are_tested_by_term() -> None:
    checks = [compute_hazards_check(part, TIME, EVENT, fit_cox(part, TIME, EVENT), terms=[STAGES]) for part in FULL]
    for check, terms, columns in zip(checks, R["terms"], R["columns"], strict=True):
        np.testing.assert_allclose([*check.chisq, check.whole.statistic], columns["chisq"], rtol=1e-7)
        assert terms["names"][3:] == ["factor(stage)", "GLOBAL"]
        joint = check.terms[0]
        assert (joint.statistic, joint.df, joint.p) == pytest.approx([terms[key][3] for key in ("chisq", "df", "p")])


def test_pooled_check_is_of_the_tests_of_every_imputation() -> None:
    found = pool_hazards_check(FULL, TIME, EVENT, terms=[STAGES])
    expected = pool_chisq([terms["chisq"][3] for terms in R["terms"]], 3)
    assert (found.terms[0].statistic, found.terms[0].p) == pytest.approx((expected.statistic, expected.p), rel=1e-7)


def test_smooth_of_the_residuals() -> None:
    found = compute_hazards_smooth(compute_hazards_check(FULL[0], TIME, EVENT, fit_cox(FULL[0], TIME, EVENT)))
    for name in ("at", "estimate", "se"):
        np.testing.assert_allclose(getattr(found, name), R["smooth"][name], rtol=1e-6, atol=1e-7, err_msg=name)


def test_cumulative_hazard_is_that_of_the_imputation_model() -> None:
    np.testing.assert_allclose(compute_cumulative_hazard(TIME, EVENT), SETS["hazard"][0], rtol=1e-12)


def test_one_completed_data_set_is_never_taken_as_observed() -> None:
    with pytest.raises(InputError, match="1 imputation"):
        pool_cox(FULL[:1], TIME, EVENT)
