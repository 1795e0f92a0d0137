"""The interval of a corrected AUC holds what the model has in new patients; quantiles of resamples do not."""

import numpy as np
import pytest

from rarefactor.stats import compute_auc, compute_optimism, correct_auc, draw_resamples, fit_many_risks
from rarefactor.stats.procedure import ModelProcedure

STUDIES, N, EFFECT = 60, 40, np.array([0.8, 0.5, 0.0, 0.0])


def draw(rng, n):
    x = rng.normal(size=(n, 4))
    return x, (rng.random(n) < 1.0 / (1.0 + np.exp(0.85 - x @ EFFECT))).astype(float)


@pytest.mark.slow
def test_the_interval_holds_the_auc_in_new_patients():
    rng = np.random.default_rng(5)
    new, later = draw(rng, 8000)
    held = []
    for _ in range(STUDIES):
        x, y = draw(rng, N)
        found = compute_optimism(y, ModelProcedure(columns=x, outcome=y), draw_resamples(N, 60, rng))
        coef = fit_many_risks(x, y, method="flic").coef[0]
        truth = compute_auc(later, coef[0] + new @ coef[1:]).estimate
        old = found.measures["auc"]
        moved = correct_auc(compute_auc(y, found.log_odds), old.optimism)
        held.append((moved.low <= truth <= moved.high, old.low <= truth <= old.high))
    ours, quantiles = np.mean(held, axis=0)
    assert ours >= 0.9
    assert quantiles < 0.9
