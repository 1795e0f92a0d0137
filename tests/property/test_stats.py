"""What must hold for every data set, whatever its numbers."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rarefactor.errors import InputError
from rarefactor.stats import LogisticFit, compare_ranks, fit_logistic, fit_many

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CLOSE = {"rtol": 1e-7, "atol": 1e-7}
Data = tuple[np.ndarray, np.ndarray]


@st.composite
def data(draw: st.DrawFn) -> Data:
    """Eighteen to forty patients, one continuous and one binary factor, both outcomes and both levels present."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(18, 40))
    X = np.column_stack([rng.normal(size=n), rng.random(n) < 0.4]).astype(float)
    y = (rng.random(n) < 1 / (1 + np.exp(1 - X[:, 0] - X[:, 1]))).astype(float)
    X[:2, 1], y[1:3] = (0.0, 1.0), (0.0, 1.0)
    return X, y


def numbers(fit: LogisticFit) -> np.ndarray:
    return np.concatenate([fit.coef, fit.se, fit.ci.ravel(), fit.p])


@QUICK
@given(data())
def test_swapping_the_outcome_flips_the_signs(given_data: Data) -> None:
    X, y = given_data
    forth, back = fit_logistic(X, y), fit_logistic(X, 1.0 - y)
    np.testing.assert_allclose(back.coef, -forth.coef, **CLOSE)
    np.testing.assert_allclose(back.ci, -forth.ci[:, ::-1], **CLOSE)
    np.testing.assert_allclose(back.p, forth.p, **CLOSE)


@QUICK
@given(data(), st.sampled_from([1e-4, 0.1, 30.0, 1e5]))
def test_a_change_of_unit_changes_the_coefficient_only(given_data: Data, unit: float) -> None:
    X, y = given_data
    forth, back = fit_logistic(X, y), fit_logistic(X * [unit, 1.0], y)
    np.testing.assert_allclose(back.coef[1] * unit, forth.coef[1], **CLOSE)
    np.testing.assert_allclose(back.ci[1] * unit, forth.ci[1], **CLOSE)
    np.testing.assert_allclose(back.p, forth.p, **CLOSE)
    np.testing.assert_allclose(back.ci[2], forth.ci[2], **CLOSE)


@QUICK
@given(data(), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(given_data: Data, random: object) -> None:
    X, y = given_data
    order = list(range(len(y)))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_allclose(numbers(fit_logistic(X[order], y[order])), numbers(fit_logistic(X, y)), **CLOSE)


@QUICK
@given(data())
def test_every_patient_twice_with_half_the_weight_is_the_same(given_data: Data) -> None:
    X, y = given_data
    twice = fit_logistic(np.repeat(X, 2, axis=0), np.repeat(y, 2), weights=np.full(2 * len(y), 0.5))
    np.testing.assert_allclose(numbers(twice), numbers(fit_logistic(X, y)), **CLOSE)


@QUICK
@given(data(), st.floats(-1e3, 1e3))
def test_a_constant_column_is_refused(given_data: Data, value: float) -> None:
    X, y = given_data
    with pytest.raises(InputError, match="column x3: found one value only"):
        fit_logistic(np.column_stack([X, np.full(len(y), value)]), y)


@QUICK
@given(data(), st.integers(0, 10_000))
def test_a_batch_is_a_loop_of_single_fits(given_data: Data, seed: int) -> None:
    X, y = given_data
    weights = np.random.default_rng(seed).integers(1, 4, size=(3, len(y))).astype(float)
    for penalty in ("firth", "none"):
        many = fit_many(X, y, weights=weights, penalty=penalty, tests=True, intervals=True)
        for b, row in enumerate(weights):
            single = fit_logistic(X, y, weights=row, penalty=penalty)
            found = np.concatenate([many.coef[b], many.se[b], many.ci[b].ravel(), many.p[b]])
            np.testing.assert_allclose(found, numbers(single), rtol=1e-6, atol=1e-6)


@QUICK
@given(data(), st.floats(-100, 100))
def test_a_shift_of_both_groups_leaves_the_ranks_alone(given_data: Data, shift: float) -> None:
    X, y = given_data
    x = X[:, 0].round(3)
    forth, back = compare_ranks(x[y == 1], x[y == 0]), compare_ranks(x[y == 1] * 2.0, x[y == 0] * 2.0)
    moved = compare_ranks(x[y == 1] + np.round(shift), x[y == 0])
    assert (back.p, back.shift) == pytest.approx((forth.p, 2 * forth.shift))
    assert moved.shift == pytest.approx(forth.shift + np.round(shift))
