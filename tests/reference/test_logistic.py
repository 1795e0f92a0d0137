"""Every logistic number against R: coefficients, standard errors, tests, profile bounds, separation."""

import csv
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.stats import (
    LogisticFit,
    compute_term_tests,
    detect_separation,
    fit_logistic,
    fit_many,
    fit_screen,
)

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "logistic.json").read_text())
UNIVARIABLE = json.loads((FIXTURES / "univariable.json").read_text())
TOLERANCE = 1e-7
ALL = sorted(R)
FINITE = [name for name in ALL if R[name]["glm_ml"]["finite_mle"]]
SEPARATED = [name for name in ALL if name not in FINITE]


def read_design(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    columns = [column for column in rows[0] if column not in ("row", "y", "case_weight")]
    X = np.array([[float(row[column]) for column in columns] for row in rows])
    y = np.array([float(row["y"]) for row in rows])
    return X, y, np.array([float(row.get("case_weight", 1)) for row in rows])


@cache
def fit(name: str, penalty: str) -> LogisticFit:
    X, y, _ = read_design(FIXTURES / "design" / f"{name}.csv")
    return fit_logistic(X, y, penalty=penalty, names=R[name]["terms"][1:])


def numbers(entry: Mapping[str, Any]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in entry.values()])


def expect(found: np.ndarray, reference: Mapping[str, Any], *, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(found, numbers(reference), rtol=tolerance, atol=tolerance)


def expect_firth(found: LogisticFit, reference: Mapping[str, Any]) -> None:
    expect(found.coef, reference["coefficients"])
    expect(found.se, reference["se_inverse_fisher"])
    expect(found.se_augmented, reference["se_augmented"])
    expect(found.ci[:, 0], reference["ci_lower"])
    expect(found.ci[:, 1], reference["ci_upper"])
    expect(found.lr_chisq, reference["lr_chisq"])
    expect(found.p, reference["lr_p"])
    assert found.loglik == pytest.approx(reference["loglik"], abs=TOLERANCE)
    assert found.converged
    assert not found.flags


@pytest.mark.parametrize("name", ALL)
def test_firth(name: str) -> None:
    expect_firth(fit(name, "firth"), R[name]["firth_exact"])


@pytest.mark.parametrize("name", FINITE)
def test_maximum_likelihood(name: str) -> None:
    found, glm = fit(name, "none"), R[name]["glm_ml"]
    expect(found.coef, glm["coefficients"])
    expect(found.se, glm["se"])
    expect(found.wald_p, glm["p_wald"])
    assert found.loglik == pytest.approx(glm["loglik"], abs=TOLERANCE)


@pytest.mark.parametrize("name", ALL)
def test_profile_likelihood(name: str) -> None:
    found, exact = fit(name, "none"), R[name]["glm_profile_exact"]
    expect(found.lr_chisq, exact["lr_chisq"])
    # near a chi-square of 0 the P value is its square root: 1e-14 there is 1e-7 here
    expect(found.p, exact["lr_p"], tolerance=1e-6)
    expect(found.ci[:, 0], exact["ci_lower"])
    upper = dict(exact["ci_upper"])
    if name == "toysep":
        assert upper.pop("x1") == pytest.approx(43.34, abs=0.01)  # where that solver stopped; see the next test
    expect(np.delete(found.ci[:, 1], 1) if name == "toysep" else found.ci[:, 1], upper)


def test_a_separated_factor_has_no_upper_bound() -> None:
    X, y, _ = read_design(FIXTURES / "design" / "toysep.csv")
    held = np.full((3, 3), np.nan)
    held[:, 1] = [43.34, 60.0, 80.0]
    assert np.all(fit_many(X, y, penalty="none", fixed=held).loglik > -1e-4)  # far above the 1.92 below 0 of a bound
    assert fit("toysep", "none").ci[1, 1] == np.inf


@pytest.mark.parametrize("name", ALL)
def test_terms(name: str) -> None:
    X, y, _ = read_design(FIXTURES / "design" / f"{name}.csv")
    names, firth, drop1 = R[name]["terms"][1:], R[name]["firth_term_tests"], R[name]["glm_drop1_lrt"]
    assert compute_term_tests(X, y, {"all": range(len(names))})["all"].chisq == pytest.approx(
        firth["global"]["chisq"], abs=TOLERANCE
    )
    terms = {term: [j for j, column in enumerate(names) if column.startswith(term)] for term in drop1["chisq"]}
    found = compute_term_tests(X, y, terms, penalty="none")
    # glm stops short of the supremum where the data are separated
    tolerance = TOLERANCE if name in FINITE else 1e-5
    assert [test.df for test in found.values()] == list(drop1["df"].values())
    expect(np.array([test.chisq for test in found.values()]), drop1["chisq"], tolerance=tolerance)


def test_a_term_of_several_columns_by_firth() -> None:
    X, y, _ = read_design(FIXTURES / "design" / "birthwt_full.csv")
    found, reference = compute_term_tests(X, y, {"race": [2, 3]})["race"], R["birthwt_full"]["firth_term_tests"]["race"]
    assert (found.chisq, found.p) == (
        pytest.approx(reference["chisq"], abs=TOLERANCE),
        pytest.approx(reference["p"], abs=TOLERANCE),
    )


@pytest.mark.parametrize("name", ALL)
def test_separation(name: str) -> None:
    X, y, _ = read_design(FIXTURES / "design" / f"{name}.csv")
    found, reference = detect_separation(X, y), R[name]["separation"]
    np.testing.assert_array_equal(found.direction, numbers(reference["infinite"]))
    assert (found.kind != "none") == reference["separation"]
    assert found.kind == {"toysep": "complete"}.get(name, "quasi" if name in SEPARATED else "none")
    assert ("separated" in fit(name, "none").flags) == reference["separation"]


@pytest.mark.parametrize("name", SEPARATED)
def test_coefficients_that_run_away_are_infinite(name: str) -> None:
    np.testing.assert_array_equal(
        np.isinf(fit(name, "none").coef), np.isinf(numbers(R[name]["separation"]["infinite"]))
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", ["sex2_full", "sexagg_weighted"])
def test_case_weights_and_the_usual_demonstration(name: str, shared: Path) -> None:
    reference = json.loads((shared / "reference" / "results" / f"logistic__{name}.json").read_text())
    X, y, weights = read_design(shared / "reference" / "data" / "design" / f"{name}.csv")
    found = fit_logistic(X, y, weights=weights)
    expect_firth(found, reference["firth_exact"])
    assert (found.n, found.events) == (reference["n"], reference["events"])


def read_factors(name: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Factors as columns: levels become indicators of all but the first."""
    reference = UNIVARIABLE[name]
    with (FIXTURES / "data" / ("birthwt.csv" if name == "birthwt" else "pbc.csv")).open() as file:
        rows = [row for row in csv.DictReader(file) if row[reference["outcome"]]]
    rows = rows[: reference["n"]]
    factors = {}
    for factor, entry in reference["factors"].items():
        values = [row[factor] for row in rows]
        if entry["type"] == "continuous":
            factors[factor] = np.array([float(value or "nan") for value in values])
        else:
            levels = entry["levels"][1:]
            factors[factor] = np.array(
                [[float(value == level) if value else np.nan for level in levels] for value in values]
            )
    return factors, np.array([float(row[reference["outcome"]]) for row in rows])


@pytest.mark.parametrize("name", sorted(UNIVARIABLE))
def test_screen(name: str) -> None:
    factors, y = read_factors(name)
    screen = fit_screen(factors, y)
    assert list(screen) == list(factors)
    for factor, entry in UNIVARIABLE[name]["factors"].items():
        expect_screened(screen[factor], entry["logistic"])


def expect_screened(found: Any, reference: Mapping[str, Any]) -> None:
    assert (found.n, found.events) == (reference["n"], reference["events"])
    assert ("separated" in found.flags) == reference["separation"]
    firth, glm = reference["firth"], reference["glm"]
    expect(found.firth.coef, firth["coef"])
    expect(found.firth.se, firth["se_inverse_fisher"])
    expect(np.exp(found.firth.ci[:, 0]), firth["or_lower"])
    expect(np.exp(found.firth.ci[:, 1]), firth["or_upper"])
    expect(found.firth.p, firth["plr_p"])
    assert found.firth.term.p == pytest.approx(firth["overall_p"], abs=TOLERANCE)
    assert found.ml.term.chisq == pytest.approx(glm["lr_chisq"], abs=TOLERANCE)
    if not reference["separation"]:
        expect(found.ml.coef, glm["coef"])
        expect(found.ml.se, glm["se"])
        expect(found.ml.wald_p, glm["p_wald"])
