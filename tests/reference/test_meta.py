"""Random-effects pooling of the BCG trials, against R's metafor."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rarefactor.stats.evidence import compute_log_odds
from rarefactor.stats.meta import pool_studies

HERE = Path(__file__).parent / "fixtures"
R = json.loads((HERE / "meta.json").read_text())
TOLERANCE = 1e-7

with (HERE / "data/bcg.csv").open() as file:
    COUNTS = [
        [[float(row["tpos"]), float(row["tneg"])], [float(row["cpos"]), float(row["cneg"])]]
        for row in csv.DictReader(file)
    ]
VALUES, SE = np.array([compute_log_odds(table)[:2] for table in COUNTS]).T


def test_log_odds_of_counts() -> None:
    np.testing.assert_allclose(VALUES, R["yi"], rtol=TOLERANCE)
    np.testing.assert_allclose(SE**2, R["vi"], rtol=TOLERANCE)


@pytest.mark.parametrize(
    ("key", "method", "test"),
    [
        ("REML_z", "reml", "normal"),
        ("REML_knha", "reml", "hartung-knapp"),
        ("REML_adhoc", "reml", "ad-hoc"),
        ("DL_z", "dl", "normal"),
        ("DL_knha", "dl", "hartung-knapp"),
        ("FE_z", "fixed", "normal"),
    ],
)
def test_pooled(key: str, method: str, test: str) -> None:
    found, expected = pool_studies(VALUES, SE, method=method, test=test), R[key]
    pairs = {
        "estimate": found.estimate,
        "se": found.se,
        "statistic": found.statistic,
        "p": found.p,
        "ci_lower": found.low,
        "ci_upper": found.high,
        "tau2": found.tau2,
        "Q": found.q,
        "Q_p": found.q_p,
        "I2_percent": 100 * found.i2,
        "H2": found.h2,
        "pi_lower": found.prediction[0],
        "pi_upper": found.prediction[1],
    }
    if method == "reml":
        pairs["se_tau2"] = found.tau2_se
    for name, value in pairs.items():
        wanted = np.nan if expected[name] is None else expected[name]
        assert value == pytest.approx(wanted, rel=TOLERANCE, nan_ok=True), name
    np.testing.assert_allclose(100 * found.weights, expected["weights_percent"], rtol=TOLERANCE)


def test_limits_of_the_heterogeneity() -> None:
    found = pool_studies(VALUES, SE).tau2_limits
    assert found == pytest.approx(R["confint_tau2_Q_profile"]["tau2"][1:], rel=1e-4)  # R's uniroot is that loose


def test_leaving_one_trial_out() -> None:
    expected = R["leave1out_REML_z"]
    for i in range(VALUES.size):
        found = pool_studies(np.delete(VALUES, i), np.delete(SE, i), test="normal")
        assert found.estimate == pytest.approx(expected["estimate"][i], rel=1e-5)  # metafor's default stops early here
        assert found.tau2 == pytest.approx(expected["tau2"][i], rel=1e-4)
