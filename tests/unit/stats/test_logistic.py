import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import detect_separation, fit_logistic, fit_many

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 2))
Y = (RNG.random(30) < 0.4).astype(float)
NAMES = ["age", "male"]


def replaced(column: int, values: object) -> np.ndarray:
    changed = X.copy()
    changed[:, column] = values
    return changed


@pytest.mark.parametrize(
    ("columns", "outcome", "said"),
    [
        (replaced(1, 1.0), Y, "column male: found one value only"),
        (replaced(1, 2.0 * X[:, 0] - 1.0), Y, "column male: found a combination of the columns before it"),
        (replaced(0, np.where(X[:, 0] > 1, np.nan, X[:, 0])), Y, "column age: found missing or infinite values"),
        (X, Y + 1.0, "key y: found values other than 0 and 1"),
        (X, np.ones(30), "key y: found one class only"),
        (X, np.where(Y == 1, np.nan, Y), "key y: found .* missing values"),
        (X[:3], [0.0, 1.0, 0.0], "key X: found 3 rows for 2 columns"),
        (X[:20], Y, "key outcome: found length 30; expected length 20"),
        (X[:, 0], Y, "key X: found an array of 1 dimensions"),
        (np.array([["1"], ["yes"]]), [0, 1], "key X: found values that are not numbers"),
    ],
)
def test_input_that_cannot_be_fitted_is_named(columns: np.ndarray, outcome: np.ndarray, said: str) -> None:
    names = NAMES if columns.ndim == 2 and columns.shape[1] == 2 else None
    with pytest.raises(InputError, match=said):
        fit_logistic(columns, outcome, names=names)


def test_unknown_penalty_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean firth"):
        fit_logistic(X, Y, penalty="frith")


def test_separation_refuses_what_a_fit_refuses() -> None:
    with pytest.raises(InputError, match="column male"):
        detect_separation(replaced(1, 1.0), Y, names=NAMES)


def test_a_problem_that_fails_is_a_value_beside_the_others() -> None:
    designs = np.stack([X, replaced(1, 1.0), replaced(1, np.nan)])
    fits = fit_many(designs, Y, tests=True, intervals=True)
    assert fits.converged.tolist() == [True, False, False]
    assert [reason.split(":")[0] for reason in fits.reason] == ["", "singular", "invalid"]
    assert np.isnan(fits.coef[1:]).all()
    assert np.isnan(fits.ci[1:]).all()
    np.testing.assert_allclose(fits.ci[0], fit_logistic(X, Y).ci, rtol=1e-9)


def test_one_class_is_separated_for_maximum_likelihood() -> None:
    fits = fit_many(X, np.stack([Y, np.zeros(30)]), penalty="none")
    assert fits.separated.tolist() == [False, True]
    assert fits.coef[1, 0] == -np.inf


def test_rows_of_weight_zero_count_for_nothing_and_may_be_missing() -> None:
    weights = np.r_[np.ones(24), np.zeros(6)]
    holed = X.copy()
    holed[24:] = np.nan
    for penalty in ("none", "firth"):
        found, expected = (
            fit_logistic(holed, Y, weights=weights, penalty=penalty),
            fit_logistic(X[:24], Y[:24], penalty=penalty),
        )
        np.testing.assert_allclose(found.ci, expected.ci, rtol=1e-9)
        np.testing.assert_allclose(found.se_augmented, expected.se_augmented, rtol=1e-9)
        assert (found.n, found.events) == (expected.n, expected.events)


def test_held_coefficients_keep_their_value_and_the_penalty_of_all_columns() -> None:
    full = fit_logistic(X, Y)
    held = fit_many(X, Y, fixed=[np.nan, 0.0, np.nan])
    assert held.coef[0, 1] == 0.0
    assert 2.0 * (full.loglik - held.loglik[0]) == pytest.approx(full.lr_chisq[1], abs=1e-9)


def test_a_bound_is_where_the_constrained_fit_has_fallen_by_half_the_quantile() -> None:
    fit = fit_logistic(X, Y, level=0.9)
    held = np.full((6, 3), np.nan)
    held[np.arange(6), np.repeat(np.arange(3), 2)] = fit.ci.ravel()
    np.testing.assert_allclose(2.0 * (fit.loglik - fit_many(X, Y, fixed=held).loglik), 2.705543454095414, rtol=1e-9)


def test_an_offset_is_a_coefficient_of_one() -> None:
    known = fit_many(X, Y, fixed=[np.nan, np.nan, 0.7])
    offset = fit_logistic(X[:, :1], Y, offset=0.7 * X[:, 1], penalty="none")
    free = fit_many(X, Y, penalty="none", fixed=[np.nan, np.nan, 0.7])
    np.testing.assert_allclose(offset.coef, free.coef[0, :2], atol=1e-10)
    assert known.converged.all()


def test_starting_far_out_leads_back() -> None:
    start = [[50.0, 80.0, -90.0], [-40.0, 0.0, 60.0]]
    for penalty in ("none", "firth"):
        fits = fit_many(X, Y, start=start, penalty=penalty)
        np.testing.assert_allclose(fits.coef, np.tile(fit_logistic(X, Y, penalty=penalty).coef, (2, 1)), atol=1e-9)


def test_the_outer_of_two_modes_is_the_bound() -> None:
    """Nine patients whose penalised profile has a second mode that a leap misses: global search puts the bound here."""
    rng = np.random.default_rng(5)
    for case in range(79):
        n, p = rng.integers(8, 25), rng.integers(1, 4)
        columns = rng.normal(size=(n, p))
        if case % 2:
            columns[:, 0] = columns[:, 0] > 0.5
        if case % 3 == 0 and p > 1:
            columns[:, 1] = 30 * columns[:, 1] + 50
        outcome = (rng.random(n) < 1 / (1 + np.exp(1 - 3 * columns[:, 0]))).astype(float)
    fit = fit_logistic(columns, outcome)
    at_bound = np.tile([np.nan, np.nan, fit.ci[2, 1], np.nan], (200, 1))
    starts = np.random.default_rng(1).normal(scale=5.0, size=(200, 4)) + fit.coef
    fall = fit.loglik - fit_many(columns, outcome, fixed=at_bound, start=starts).loglik
    assert np.nanmin(fall) == pytest.approx(1.920729410347, abs=1e-6)


def test_the_package_is_light_to_import() -> None:
    import subprocess
    import sys

    code = "import sys, rarefactor.stats; print([m for m in sys.modules if m.startswith('scipy')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
