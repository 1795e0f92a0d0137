"""The compiled kernel and the NumPy code are one: the same objective, fits, stops, tests and bounds."""

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rarefactor.stats import ManyFits, _kernel, _penalty, draw_resamples, fit_many
from rarefactor.stats._batch import read_batch
from rarefactor.stats._inference import choose_objective

pytestmark = pytest.mark.skipif(_kernel.LIBRARY is None, reason="no C compiler when the package was installed")
QUICK = settings(
    max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)  # no shrinking: a fit by NumPy takes its time
Data = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def data(draw: st.DrawFn) -> Data:
    """Six problems of 9 to 60 patients, with weights (many 0), own or shared columns, often separated or singular."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n, p, own = draw(st.integers(9, 50)), draw(st.integers(1, 4)), draw(st.booleans())
    X = rng.normal(size=(6, n, p) if own else (n, p)) * rng.choice([0.01, 1.0, 30.0], size=p)
    X[..., 0] = X[..., 0] > 0.0
    y = (rng.random((6, n)) < 1.0 / (1.0 + np.exp(1.0 - 2.0 * X[..., 0]))).astype(float)
    return X, y, rng.choice([0.0, 1.0, 2.0, 0.5], size=(6, n))


def expect_close(left: np.ndarray, right: np.ndarray, tolerance: float) -> None:
    largest = np.abs(right[np.isfinite(right)]).max(initial=1.0)
    np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance * largest)


@QUICK
@given(data(), st.sampled_from(["none", "firth", "logf"]), st.floats(0.0, 3.0))
def test_an_objective_is_the_same_number_by_both(given_data: Data, penalty: str, size: float) -> None:
    X, y, weights = given_data
    batch = read_batch(X, y, weights=weights, offset=np.full(X.shape[-2], 0.3), fixed=None, start=None)
    objective = choose_objective(batch.build()[0], penalty, batch.prior)
    beta = size * np.random.default_rng(1).normal(size=(6, X.shape[-1] + 1))
    expected, problems = objective.evaluate(beta), _kernel.read_problems(objective)
    assert problems is not None
    found = _kernel.evaluate(problems, beta)
    sure = np.linalg.cond(expected.information) < 1e3  # beyond, rounding errors of both are larger than the tolerance
    for name in ("value", "gradient", "curvature", "information"):
        expect_close(
            getattr(found, name)[sure], getattr(expected, name)[sure], 1e-12 * (1e3 if penalty == "firth" else 1)
        )


def fit_by_both(fit: Callable[[], ManyFits]) -> tuple[ManyFits, ManyFits]:
    compiled = fit()
    with patch.object(_kernel, "LIBRARY", None):
        return compiled, fit()


@settings(QUICK, max_examples=4)
@given(data(), st.sampled_from(["none", "firth", "logf"]))
def test_a_fit_is_the_same_by_both(given_data: Data, penalty: str) -> None:
    X, y, weights = given_data
    compiled, numpy = fit_by_both(
        lambda: fit_many(X, y, weights=weights, penalty=penalty, tests=True, intervals=True, terms=[[0]])
    )
    np.testing.assert_array_equal(compiled.stop, numpy.stop)
    for name in ("coef", "loglik", "se", "lr_chisq", "term_chisq", "ci"):
        # where data are separated, what stays finite is known only as well as the value has settled
        for rows, tolerance in ((compiled.converged, 1e-6), (~compiled.converged, 1e-2)):
            expect_close(getattr(compiled, name)[rows], getattr(numpy, name)[rows], tolerance)


@pytest.mark.parametrize(("n", "p"), [(90, 6), (300, 7)])
def test_bounds_in_large_data_are_those_by_the_exact_curvature(n: int, p: int) -> None:
    """Two problems with columns of their own, some rows left out; 300 rows are several blocks of the kernel."""
    rng = np.random.default_rng(n)
    X = rng.normal(size=(2, n, p))
    y = (rng.random((2, n)) < 1.0 / (1.0 + np.exp(1.0 - X[..., 0]))).astype(float)
    weights = rng.choice([0.0, 1.0, 2.0], p=[0.1, 0.6, 0.3], size=(2, n))
    fits = [*fit_by_both(lambda: fit_many(X, y, weights=weights, tests=True, intervals=True))]
    with patch.object(_penalty, "HOLD_COLUMNS", p + 2):
        fits.append(fit_many(X, y, weights=weights, tests=True, intervals=True))
    for held in fits[:2]:
        expect_close(held.ci, fits[2].ci, 1e-9)
        expect_close(held.lr_chisq, fits[2].lr_chisq, 1e-9)


@settings(QUICK, max_examples=4)
@given(data(), st.sampled_from(["none", "firth"]))
def test_what_is_asked_of_some_columns_is_what_all_would_say(given_data: Data, penalty: str) -> None:
    X, y, weights = given_data
    last = X.shape[-1] - 1
    some, everything = (
        fit_many(X, y, weights=weights, penalty=penalty, tests=True, intervals=True, columns=columns)
        for columns in ([last], None)
    )
    assert np.isnan(some.ci[:, : last + 1]).all()
    assert np.isnan(some.lr_chisq[:, : last + 1]).all()
    np.testing.assert_array_equal(some.ci[:, last + 1], everything.ci[:, last + 1])
    np.testing.assert_array_equal(some.lr_chisq[:, last + 1], everything.lr_chisq[:, last + 1])


@QUICK
@given(data(), st.sampled_from(["none", "firth", "logf"]), st.floats(-2.0, 2.0))
def test_a_held_coefficient_is_held_by_both(given_data: Data, penalty: str, value: float) -> None:
    X, y, weights = given_data
    fixed = np.full(X.shape[-1] + 1, np.nan)
    fixed[1] = value
    compiled, numpy = fit_by_both(lambda: fit_many(X, y, weights=weights, penalty=penalty, fixed=fixed))
    assert (compiled.coef[compiled.converged, 1] == pytest.approx(value, abs=1e-12)) or not compiled.converged.any()
    np.testing.assert_array_equal(compiled.stop, numpy.stop)
    expect_close(compiled.coef[compiled.converged], numpy.coef[compiled.converged], 1e-9)


def test_a_saddle_is_left_behind_by_both() -> None:
    """Two resamples that scoring with the information alone leaves on a saddle of the penalised likelihood."""
    table = np.genfromtxt(Path(__file__).parents[1] / "reference/fixtures/design/sim40.csv", delimiter=",", names=True)
    columns = np.column_stack([table[name] for name in table.dtype.names or () if name not in ("row", "y")])
    weights = draw_resamples(40, 6000, np.random.default_rng(5))[[172, 3748]]
    for fits in fit_by_both(lambda: fit_many(columns, table["y"], weights=weights)):
        assert fits.converged.all()
        assert fits.iterations.max() < 30
