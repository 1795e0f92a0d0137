"""What pooling must keep: identical imputations change nothing, and neither do their order or the units of a column."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.stats import fit_logistic, fit_many, pool_profiles, pool_rubin

FEW = settings(max_examples=15, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)


def draw_study(seed: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.normal(size=(1, 40, 3)), m, axis=0)
    X[0, :, 2] = X[:, :, 2] = X[0, :, 2] > 0.3
    X[:, :8, 0] = rng.normal(size=(m, 8))
    return X, (rng.random(40) < 1.0 / (1.0 + np.exp(-X[0] @ [0.5, -0.5, 1.0]))).astype(float)


@given(seeds)
@FEW
def test_profiles_of_identical_imputations_are_those_of_one_fit(seed: int) -> None:
    X, y = draw_study(seed, 1)
    for copies, penalty in ((1, "firth"), (3, "firth"), (2, "logf")):
        fit = fit_logistic(X[0], y, penalty=penalty, prior_m=1.0)
        pooled = pool_profiles(np.repeat(X, copies, axis=0), y, penalty=penalty, prior_m=1.0)
        np.testing.assert_allclose(pooled.ci, fit.ci, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(pooled.p, fit.p, rtol=1e-6, atol=1e-9)


@given(seeds)
@FEW
def test_order_and_units_do_not_matter(seed: int) -> None:
    X, y = draw_study(seed, 4)
    pooled, turned = pool_profiles(X, y), pool_profiles(X[::-1] * [100.0, 1.0, 1.0], y)
    np.testing.assert_allclose(turned.ci[1] * 100.0, pooled.ci[1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(turned.ci[2:], pooled.ci[2:], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(turned.p, pooled.p, rtol=1e-6, atol=1e-9)


@given(seeds, st.floats(1.0, 1000.0))
@FEW
def test_rubin_of_identical_imputations_is_complete_data(seed: int, df: float) -> None:
    X, y = draw_study(seed, 1)
    fits = fit_many(np.repeat(X, 5, axis=0), y)
    pooled = pool_rubin(fits.coef, fits.se**2)
    np.testing.assert_allclose(pooled.se, fits.se[0])
    assert pooled.riv == pytest.approx(0.0, abs=1e-12)
    assert (pool_rubin(fits.coef, fits.se**2, df_complete=df).df <= df).all()


def test_a_batch_of_studies_is_each_of_them() -> None:
    rng = np.random.default_rng(5)
    estimates, variances = rng.normal(size=(3, 4, 2)), rng.random((3, 4, 2))
    together = pool_rubin(estimates, variances, df_complete=30)
    for row in range(3):
        alone = pool_rubin(estimates[row], variances[row], df_complete=30)
        np.testing.assert_array_equal(together.ci[row], alone.ci)


def test_a_separated_imputation_leaves_a_reason_without_a_penalty() -> None:
    x = np.repeat([0.0, 1.0], [30, 25])
    y = np.repeat([0, 1, 0], [30, 5, 20])
    X = np.stack([x, x])[:, :, None]
    assert "2 of 2 imputations: separated" in pool_profiles(X, y, penalty="none").reason
    assert pool_profiles(X, y).ci[1, 1] == pytest.approx(fit_logistic(x[:, None], y).ci[1, 1])
