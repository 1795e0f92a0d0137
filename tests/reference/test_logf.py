"""Log-F(m, m) priors and profile curves against R: glm on data with pseudo-patients, profiles by uniroot."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.stats import compute_profiles, fit_logistic, fit_screen

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "logf.json").read_text())
CLOSE = {"rtol": 1e-7, "atol": 1e-7}


def read_design(name: str) -> tuple[np.ndarray, np.ndarray]:
    with (FIXTURES / "design" / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = [column for column in rows[0] if column not in ("row", "y")]
    return np.array([[float(row[c]) for c in columns] for row in rows]), np.array([float(row["y"]) for row in rows])


@pytest.mark.parametrize("reference", R["fits"], ids=lambda entry: f"{entry['name']}-{entry['m']}")
def test_logf(reference: dict[str, Any]) -> None:
    X, y = read_design(reference["name"])
    found = fit_logistic(X, y, penalty="logf", prior_m=reference["m"])
    assert found.converged
    assert not found.flags
    assert found.loglik == pytest.approx(reference["loglik"], abs=1e-7)
    ours = {"coef": found.coef, "se": found.se, "lr_chisq": found.lr_chisq, "p": found.p}
    for key, values in (ours | {"lower": found.ci[:, 0], "upper": found.ci[:, 1]}).items():
        np.testing.assert_allclose(values, reference[key], **CLOSE, err_msg=key)
    curves = compute_profiles(X, y, penalty="logf", prior_m=reference["m"], points=R["curve_at"])
    np.testing.assert_allclose(curves.fall[1], reference["curve"], **CLOSE)


@pytest.mark.parametrize("penalty", ["firth", "none", "logf"])
@pytest.mark.parametrize("name", ["endometrial_full", "toysep", "pbc_mayo"])
def test_a_curve_crosses_the_threshold_at_the_bounds(name: str, penalty: str) -> None:
    X, y = read_design(name)
    ci = fit_logistic(X, y, penalty=penalty).ci
    bounds = np.where(np.isfinite(ci), ci, [-90.0, 90.0])
    curves = compute_profiles(X, y, penalty=penalty, points=np.linspace(*bounds.T, 25, axis=1))
    ends = curves.fall[:, [0, -1]]
    np.testing.assert_allclose(ends[np.isfinite(ci)], 3.8414588206941254, rtol=1e-6)
    assert (ends[np.isinf(ci)] < 0.1).all()
    assert (np.diff(np.sign(np.diff(curves.fall, axis=1).round(9)), axis=1) >= 0).all()  # down, then up


def test_the_screen_adds_logf_when_asked() -> None:
    X, y = read_design("endometrial_full")
    alone = fit_logistic(X[:, :1], y, penalty="logf", prior_m=3.0)
    screened = fit_screen({"NV": X[:, 0], "PI": X[:, 1]}, y, prior_m=3.0)["NV"]
    assert screened.logf is not None
    np.testing.assert_allclose(screened.logf.ci, alone.ci[1:], **CLOSE)
    assert fit_screen({"NV": X[:, 0]}, y)["NV"].logf is None
