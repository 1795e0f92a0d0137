"""The decision curve corrected for optimism, against its definition resample by resample."""

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import ModelProcedure, compute_net_benefit, correct_net_benefit, draw_resamples

RNG = np.random.default_rng(3)
X = RNG.normal(size=(50, 4))
Y = (X[:, 0] + RNG.logistic(size=50) > 0.7).astype(float)
CUTS = [0.1, 0.3, 0.6]


def risk(log_odds):
    return 1.0 / (1.0 + np.exp(-log_odds))


def test_it_is_the_mean_loss_from_each_resample_to_all_patients():
    weights = draw_resamples(50, 30, np.random.default_rng(8))
    procedure = ModelProcedure(columns=X, outcome=Y)
    whole, drawn = procedure(np.ones((1, 50))).log_odds[0], procedure(weights).log_odds
    drawn[4] = np.nan
    found = correct_net_benefit(Y, whole, drawn, weights, CUTS)
    lost = []
    for row, counts in zip(drawn, weights, strict=True):
        if np.isfinite(row).all():
            own = np.repeat(np.arange(50), counts.astype(int))
            within = compute_net_benefit(Y[own], risk(row)[own], CUTS).model
            lost.append(within - compute_net_benefit(Y, risk(row), CUTS).model)
    assert found.used == len(lost) == 29
    assert found.optimism == pytest.approx(np.mean(lost, axis=0), abs=1e-12)
    assert found.apparent == pytest.approx(compute_net_benefit(Y, risk(whole), CUTS).model, abs=1e-12)
    assert (found.corrected < found.apparent).all()
    assert (found.low < found.high).all()


def test_without_a_model_in_any_resample_nothing_is_corrected():
    found = correct_net_benefit(Y, X[:, 0], np.full((3, 50), np.nan), np.ones((3, 50)), CUTS)
    assert found.used == 0
    assert np.isnan(found.corrected).all()


def test_resamples_of_another_number_are_refused():
    with pytest.raises(InputError, match="Use the same resamples"):
        correct_net_benefit(Y, X[:, 0], np.zeros((3, 50)), np.ones((2, 50)), CUTS)
