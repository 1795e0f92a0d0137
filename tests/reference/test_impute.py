"""Imputations of the PBC cohort against mice's, in distribution (tests/reference/R/mice_pbc.R).

Tolerance: 4.5 Monte-Carlo standard errors of the difference. Pseudo-patients are split as mice splits them.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rarefactor.stats import Imputations, Variable, fit_many, impute

FIXTURES = Path(__file__).parent / "fixtures"
MICE = json.loads((FIXTURES / "mice_pbc.json").read_text())
BINARY = ("poor2y", "sex_f", "ascites", "hepato", "spiders")
MODEL = ["age", "log_bili", "albumin", "log_copper", "spiders", "log_protime"]
M = 80


def read_incomplete() -> tuple[list[str], np.ndarray]:
    with (FIXTURES / "data" / "mi_pbc_incomplete.csv").open() as file:
        rows = list(csv.DictReader(file))
    return list(rows[0]), np.array([[float(value) if value else np.nan for value in row.values()] for row in rows])


@pytest.fixture(scope="module", params=["unordered", "ordered"])
def pair(request: pytest.FixtureRequest) -> tuple[Imputations, dict[str, dict[str, dict[str, float]]]]:
    names, data = read_incomplete()
    kinds = dict.fromkeys(BINARY, "binary") | {"stage": {"unordered": "categorical"}.get(request.param, "ordered")}
    variables = [Variable(name=name, kind=kinds.get(name, "continuous")) for name in names]
    found = impute(data, variables, m=M, iterations=10, pseudo="equal", rng=np.random.default_rng(2020))
    observed = ~np.isnan(data)
    assert (found.values[:, observed] == data[observed]).all()
    assert not found.unsettled
    return found, MICE[request.param]


def expect_close(found: np.ndarray, mean: float, between: float, what: str) -> None:
    """Compare the mean of one number per imputation with R's mean of 200."""
    error = np.sqrt(found.var(ddof=1) / found.size + between**2 / MICE["m"])
    assert abs(found.mean() - mean) < 4.5 * error, what


def test_imputed_values(pair: tuple[Imputations, dict[str, dict[str, dict[str, float]]]]) -> None:
    found, mice = pair
    for name, wanted in mice["imputed"].items():
        imputed = found.take([name])[:, found.imputed[:, found.names.index(name)], 0]
        expect_close(imputed.mean(axis=1), wanted["mean"], wanted["mean_between"], name)
        expect_close(imputed.std(axis=1, ddof=1), wanted["sd"], wanted["sd_between"], name)


def test_coefficients(pair: tuple[Imputations, dict[str, dict[str, dict[str, float]]]]) -> None:
    found, mice = pair
    fits = fit_many(found.take(MODEL), found.take(["poor2y"])[0, :, 0], penalty="none")
    for place, name in enumerate(["(Intercept)", *MODEL]):
        between = mice["between"][name]
        expect_close(fits.coef[:, place], mice["coef"][name], between**0.5, name)
        assert (fits.se[:, place] ** 2).mean() == pytest.approx(mice["within"][name], rel=0.05), name
        assert fits.coef[:, place].var(ddof=1) / between == pytest.approx(1.0, abs=0.75), name
