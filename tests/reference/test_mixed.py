"""The linear mixed model on the serial PBC data, against lme4 and lmerTest."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.stats.mixed import MixedFit, fit_mixed

HERE = Path(__file__).parent / "fixtures"
R = json.loads((HERE / "longitudinal.json").read_text())

with (HERE / "data/pbcseq_log_bili.csv").open() as file:
    ROWS = list(csv.DictReader(file))
D = {name: np.array([float(row[name]) for row in ROWS]) for name in ("id", "year", "log_bili", "trt", "age")}
D["sex_f"] = np.array([float(row["sex"] == "f") for row in ROWS])
D["year:trt"] = D["year"] * D["trt"]
JOBS: dict[str, Any] = {
    "ri": (D["id"] <= 60, ["year"]),
    "slope": (np.ones(D["id"].size, dtype=bool), ["year"]),
    "covars": (np.ones(D["id"].size, dtype=bool), ["year", "trt", "age", "sex_f", "year:trt"]),
    "early40": ((D["id"] <= 40) & (D["year"] <= 3), ["year"]),
}


def fit(job: str) -> MixedFit:
    keep, names = JOBS[job]
    if job == "slope":
        assert R[job]["n_obs"] == keep.sum()
    columns = np.column_stack([D[name][keep] for name in names])
    return fit_mixed(columns, D["log_bili"][keep], D["id"][keep], slope=None if job == "ri" else 0, names=names)


@pytest.mark.parametrize("job", list(JOBS))
def test_against_lmer(job: str) -> None:
    found, r = fit(job), R[job]
    expected = r["reml"]
    np.testing.assert_allclose(found.coef, [expected["fixed"][name] for name in found.names], atol=1e-5)
    np.testing.assert_allclose(found.se, [expected["se"][name] for name in found.names], atol=1e-5)
    np.testing.assert_allclose(found.df, [expected["df_satterthwaite"][name] for name in found.names], rtol=1e-4)
    np.testing.assert_allclose(found.p, [expected["p"][name] for name in found.names], rtol=1e-3)
    components = dict(zip(expected["varcomp"]["term"], expected["varcomp"]["value"], strict=True))
    assert found.residual_variance == pytest.approx(components["Residual"], abs=1e-4)
    assert found.random_covariance[0, 0] == pytest.approx(components["var:(Intercept)"], abs=1e-4)
    if job != "ri":
        assert found.random_covariance[1, 1] == pytest.approx(components["var:year"], abs=1e-4)
        assert found.random_covariance[0, 1] == pytest.approx(components["cov:(Intercept),year"], abs=1e-4)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-6)
    first = r["blup_first20"]
    assert list(found.patients[:20]) == first["id"]
    for j, name in enumerate(found.random_names):
        np.testing.assert_allclose(found.effects[:20, j], first["random_effects"][name], atol=1e-4)
        np.testing.assert_allclose(found.effects_sd[:20, j], first["conditional_sd"][name], atol=1e-4)
        np.testing.assert_allclose(found.lines[:20, j], first["coef_total"][name], atol=1e-4)
