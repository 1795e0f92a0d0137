"""Risks corrected in every resample: as the single fits say, whatever columns a resample can carry."""

import numpy as np
import pytest

from rarefactor.stats import ModelProcedure, SelectionProcedure, SelectionRule, draw_resamples, fit_logistic, fit_risk
from rarefactor.stats.flic import correct_risks

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3))
Y = (1.2 * X[:, 0] + RNG.logistic(size=60) > 1.0).astype(float)


@pytest.mark.parametrize("method", ["flic", "flac"])
def test_one_of_many_is_the_single_fit(method):
    firth = fit_logistic(X, Y).coef[None]
    found, reason = correct_risks(firth, X, Y, np.ones((1, 60)), method=method)
    assert found[0] == pytest.approx(fit_risk(X, Y, method=method).coef, abs=1e-7)
    assert reason == ("",)


def test_a_column_that_was_left_out_stays_out():
    firth = fit_logistic(X[:, [0, 2]], Y).coef
    held = np.array([[firth[0], firth[1], 0.0, firth[2]], [np.nan] * 4])
    found, _ = correct_risks(held, X, Y, np.ones((1, 60)), method="flac")
    assert found[0, [0, 1, 3]] == pytest.approx(fit_risk(X[:, [0, 2]], Y, method="flac").coef, abs=1e-7)
    assert found[0, 2] == 0.0
    assert np.isnan(found[1]).all()


def test_a_level_that_nobody_drew_ends_no_resample():
    rare = np.column_stack([X, np.arange(60) == 7])
    weights = np.vstack([np.ones(60), np.where(np.arange(60) == 7, 0.0, 1.0)])
    found = ModelProcedure(columns=rare, outcome=Y, method="flac")(weights)
    assert found.reason == ("", "")
    without = np.delete(np.arange(60), 7)
    alone = fit_risk(X[without], Y[without], method="flac")
    assert found.log_odds[1, without] == pytest.approx(np.log(alone.risk / (1 - alone.risk)), abs=1e-6)


@pytest.mark.parametrize(("method", "off"), [("flic", 1e-7), ("flac", 1e-7), ("firth", np.inf)])
def test_corrected_risks_add_up_in_the_resample_that_made_them(method, off):
    weights = draw_resamples(60, 20, np.random.default_rng(1))
    procedure = SelectionProcedure(columns=X, outcome=Y, terms=None, rule=SelectionRule(), risk=method)
    gap = (weights * (1.0 / (1.0 + np.exp(-procedure(weights).log_odds)) - Y)).sum(axis=1) / 60
    if method == "firth":
        assert gap.mean() > 0.002  # drawn towards one half, where a third have the event
    else:
        assert np.abs(gap).max() < off
