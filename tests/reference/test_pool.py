"""Pooling over imputations against R (mice, mitml, logistf and exact solutions) on the incomplete PBC cohort.

Fixtures: mi_pbc.json holds R's answers, mi_pbc_completed.csv.gz the 20 completed data sets from which they come.
"""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import fit_many, pool_chisq, pool_likelihoods, pool_profiles, pool_rubin, pool_wald

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "mi_pbc.json").read_text())
EXACT = {"rtol": 1e-7, "atol": 1e-7}
MODELS = {
    "main": ["age", "log_bili", "albumin", "log_copper", "spiders", "log_protime"],
    "stage": ["age", "log_bili", "log_copper", "hepato"],
}


@pytest.fixture(scope="module")
def completed() -> np.ndarray:
    """Return the completed data sets as a record array (20, 417)."""
    text = gzip.decompress((FIXTURES / "data" / "mi_pbc_completed.csv.gz").read_bytes()).decode()
    return np.genfromtxt(io.StringIO(text), delimiter=",", names=True).reshape(20, -1)


def take(completed: np.ndarray, names: list[str]) -> np.ndarray:
    return np.stack([completed[name] for name in names], axis=-1)


def expect(found: np.ndarray, entry: dict[str, float], **tolerance: float) -> None:
    np.testing.assert_allclose(found, list(entry.values()), **(tolerance or EXACT))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("penalty", "entry"), [("none", "rubin_ml"), ("firth", "rubin_firth_inverse_fisher_se")])
def test_rubins_rules(completed: np.ndarray, model: str, penalty: str, entry: str) -> None:
    X = take(completed, MODELS[model])
    fits = fit_many(X, completed["poor2y"], penalty=penalty)
    pooled = pool_rubin(fits.coef, fits.se**2, df_complete=len(X[0]) - len(MODELS[model]) - 1)
    wanted = R["models"][model][entry]
    parts = {"estimate": pooled.estimate, "se": pooled.se, "p": pooled.p, "riv": pooled.riv, "fmi": pooled.fmi}
    parts |= {"ci_lower": pooled.ci[:, 0], "ci_upper": pooled.ci[:, 1], "statistic": pooled.statistic}
    parts |= {"lambda": pooled.share_missing, "df": pooled.df, "df_barnard_rubin": pooled.df}
    for name in parts.keys() & wanted.keys():
        expect(parts[name], wanted[name])


def test_large_sample_degrees_of_freedom(completed: np.ndarray) -> None:
    fits = fit_many(take(completed, MODELS["main"]), completed["poor2y"], penalty="none")
    pooled = pool_rubin(fits.coef, fits.se**2)
    wanted = R["models"]["main"]["rubin_ml_dfcom_inf"]
    for found, name in ((pooled.df, "df"), (pooled.p, "p"), (pooled.fmi, "fmi"), (pooled.ci[:, 1], "ci_upper")):
        expect(found, wanted[name])


@pytest.mark.parametrize("model", MODELS)
def test_pooled_profiles(completed: np.ndarray, model: str) -> None:
    pooled = pool_profiles(take(completed, MODELS[model]), completed["poor2y"], names=MODELS[model])
    wanted = R["models"][model]["clip_exact"]
    assert pooled.converged
    assert list(wanted["p"]) == list(pooled.names)
    expect(pooled.estimate, wanted["estimate"])
    expect(pooled.ci[:, 0], wanted["ci_lower"])
    expect(pooled.ci[:, 1], wanted["ci_upper"])
    expect(pooled.p, wanted["p"])


def test_pooled_profiles_against_logistf(completed: np.ndarray) -> None:
    """logistf's own answer, with covariates on a standard scale, where its search succeeds."""
    entry = R["models"]["main"]["clip_R"]
    names = MODELS["main"]
    centre, scale = ([entry[part][name] for name in names] for part in ("centre", "scale"))
    pooled = pool_profiles((take(completed, names) - centre) / scale, completed["poor2y"])
    for place, name in enumerate(names, start=1):
        found: dict[str, Any] = entry["variables"][name]["standardised"]
        limits = np.array([found["ci_lower"], found["ci_upper"]]) * scale[place - 1]
        np.testing.assert_allclose(pooled.ci[place], limits, atol=1e-4)
        assert pooled.p[place] == pytest.approx(found["p"], abs=1e-7)


def test_several_coefficients_at_once(completed: np.ndarray) -> None:
    X, y = take(completed, ["age", "log_bili", "s3", "s4"]), completed["poor2y"]
    fits = fit_many(X, y, penalty="none", terms=[[2, 3]])
    coef, covariance = fits.coef[:, 3:], fits.covariance[:, 3:, 3:]
    wald = np.einsum("mi,mij,mj->m", coef, np.linalg.inv(covariance), coef)
    n = X.shape[1]
    tests = {
        "D1(M1, M0)": pool_wald(coef, covariance, df_complete=n - 5),
        'mitml::testModels(f1l, f0l, method="D1")': pool_wald(coef, covariance),
        'D2(M1, M0, use="wald")': pool_chisq(wald, 2),
        'D2(M1, M0, use="likelihood")': pool_chisq(fits.term_chisq[:, 0], 2),
        "D3_by_hand": pool_likelihoods(X, y, [2, 3]),
    }
    for name, test in tests.items():
        wanted = {key: next(iter(v.values())) if isinstance(v, dict) else v for key, v in R["multi_df"][name].items()}
        found = {"F": test.statistic, "df1": test.df1, "df2": test.df2, "p": test.p, "riv": test.riv}
        assert found == pytest.approx({key: wanted[key] for key in found}, rel=1e-7), name


def test_one_imputation_is_never_taken_as_observed() -> None:
    with pytest.raises(InputError, match="at least 2"):
        pool_rubin([[1.0]], [[0.1]])
