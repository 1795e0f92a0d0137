"""What must hold for logistic fits of any data: priors are pseudo-patients."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rarefactor.errors import InputError
from rarefactor.stats import fit_logistic, fit_many

QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CLOSE = {"rtol": 1e-7, "atol": 1e-7}
Data = tuple[np.ndarray, np.ndarray]


@st.composite
def data(draw: st.DrawFn) -> Data:
    """Fourteen to forty patients, one continuous and one binary factor; often separated."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(14, 40))
    X = np.column_stack([rng.normal(size=n), rng.random(n) < 0.4]).astype(float)
    y = (rng.random(n) < 1 / (1 + np.exp(1 - X[:, 0] - 3 * X[:, 1]))).astype(float)
    X[:2, 1], y[1:3] = (0.0, 1.0), (0.0, 1.0)
    return X, y


@QUICK
@given(data(), st.tuples(st.floats(0.3, 20.0), st.floats(0.3, 20.0)), st.sampled_from([0.01, 1.0, 10.0]))
def test_a_logf_prior_is_pseudo_patients_half_of_them_with_the_event(
    given_data: Data, m: tuple[float, float], unit: float
) -> None:
    X, y = given_data
    X = X * [unit, 1.0]
    pseudo = np.repeat(np.column_stack([np.zeros(2), np.eye(2)]), 2, axis=0)
    rows = np.concatenate([np.column_stack([np.ones(len(y)), X]), pseudo])  # the intercept of real patients is a column
    outcome, weights = np.concatenate([y, [0, 1, 0, 1]]), np.concatenate([np.ones(len(y)), np.repeat(m, 2) / 2])
    for effect in (np.nan, 0.0, 0.7):
        prior = fit_many(X, y, penalty="logf", prior_m=m, fixed=[np.nan, np.nan, effect])
        augmented = fit_many(rows, outcome, weights=weights, penalty="none", fixed=[0.0, np.nan, np.nan, effect])
        np.testing.assert_allclose(prior.coef[0], augmented.coef[0, 1:], **CLOSE)
        np.testing.assert_allclose(prior.loglik, augmented.loglik, **CLOSE)
        if np.isnan(effect):
            within = np.linalg.inv(np.linalg.inv(augmented.covariance[0])[1:, 1:])
            np.testing.assert_allclose(prior.covariance[0], within, **CLOSE)


@QUICK
@given(data())
def test_a_prior_without_strength_changes_nothing_and_a_strong_one_leaves_nothing(given_data: Data) -> None:
    X, y = given_data
    none, logf = (
        fit_many(X, y, tests=True, intervals=True, penalty=penalty, prior_m=0) for penalty in ("none", "logf")
    )
    for name in ("coef", "loglik", "lr_chisq", "ci"):
        np.testing.assert_allclose(getattr(logf, name), getattr(none, name), **CLOSE)
    assert np.abs(fit_logistic(X, y, penalty="logf", prior_m=1e7).coef[1:]).max() < 1e-4


@pytest.mark.parametrize("prior_m", [-1.0, np.nan, [1.0, 2.0, 3.0]])
def test_a_strength_is_a_number_from_0_up(prior_m: object) -> None:
    with pytest.raises(InputError, match="prior_m"):
        fit_logistic(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1], penalty="logf", prior_m=prior_m)
