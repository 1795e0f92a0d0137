"""Arrays of another library: the same code gives the same numbers there, and gives them back as that library's arrays.

The library is array-api-strict, which has what the array API standard has and nothing more.
"""

from unittest.mock import patch

import array_api_strict as xp
import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import _kernel, fit_logistic, fit_many, fit_screen
from rarefactor.stats._arrays import fetch

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 2))
X[:, 0] = X[:, 0] > 0.0
OUTCOMES = (RNG.random((6, 60)) < 0.35).astype(float)
FIXED = np.array([[np.nan, value, np.nan] for value in (-1.0, 0.0, 0.5, 1.0, 2.0, 3.0)])
BATCHES = {
    "weights": {"X": X, "y": OUTCOMES[0], "weights": RNG.choice([0.0, 1.0, 2.0, 0.5], size=(6, 60)), "terms": [[0, 1]]},
    "outcomes": {"X": X, "y": OUTCOMES, "offset": RNG.normal(scale=0.3, size=(6, 60))},
    "designs": {"X": RNG.normal(size=(6, 60, 2)), "y": OUTCOMES},
    "six columns": {"X": RNG.normal(size=(90, 6)), "y": (RNG.random((2, 90)) < 0.4).astype(float)},
    "held": {"X": X, "y": OUTCOMES, "fixed": FIXED},
}


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("penalty", ["none", "firth", "logf"])
def test_a_batch_is_the_same_in_another_library(penalty: str, batch: str) -> None:
    given, profiles = BATCHES[batch], batch != "held"
    wanted = {"penalty": penalty, "tests": profiles, "intervals": profiles}
    foreign = {name: xp.asarray(values) if isinstance(values, np.ndarray) else values for name, values in given.items()}
    found = fit_many(foreign.pop("X"), foreign.pop("y"), **foreign, **wanted)
    with patch.object(_kernel, "LIBRARY", None):
        expected = fit_many(**given, **wanted)
    assert expected.converged.all()
    assert found.reason == expected.reason
    for name in ("coef", "se", "loglik", "lr_chisq", "p", "term_chisq", "ci", "covariance"):
        assert isinstance(getattr(found, name), type(xp.asarray(0.0)))
        np.testing.assert_allclose(fetch(getattr(found, name)), getattr(expected, name), rtol=1e-10, atol=1e-10)


def test_one_fit_and_a_screen_take_arrays_of_another_library() -> None:
    y = OUTCOMES[0]
    found = fit_logistic(xp.asarray(X), xp.asarray(y), weights=xp.asarray(np.ones(60)))
    np.testing.assert_array_equal(found.ci, fit_logistic(X, y).ci)
    screened = fit_screen({"male": xp.asarray(X[:, 0])}, xp.asarray(y))["male"]
    np.testing.assert_array_equal(screened.firth.ci, fit_screen({"male": X[:, 0]}, y)["male"].firth.ci)


def test_tensors_of_pytorch_give_the_same() -> None:
    torch = pytest.importorskip("torch")
    given = BATCHES["weights"]
    tensors = {name: torch.asarray(values) if name != "terms" else values for name, values in given.items()}
    found = fit_many(tensors.pop("X"), tensors.pop("y"), **tensors, tests=True, intervals=True)
    expected = fit_many(**given, tests=True, intervals=True)
    for name in ("coef", "lr_chisq", "ci", "term_chisq"):
        np.testing.assert_allclose(fetch(getattr(found, name)), getattr(expected, name), rtol=1e-8, atol=1e-8)
    fit = fit_logistic(torch.asarray(X), torch.asarray(OUTCOMES[0]))
    np.testing.assert_array_equal(fit.ci, fit_logistic(X, OUTCOMES[0]).ci)
    with pytest.raises(InputError, match="tensor"):
        fit_logistic(torch.asarray(X, dtype=torch.float64).requires_grad_(), OUTCOMES[0])


def test_separated_singular_and_invalid_problems_are_values_there_too() -> None:
    columns = np.stack([X, X * [1.0, 0.0], X, X])
    outcome = np.stack([X[:, 0], OUTCOMES[0], OUTCOMES[0], OUTCOMES[0]])
    columns[2, 5, 1] = np.nan
    found = fit_many(xp.asarray(columns), outcome, penalty="none")
    expected = fit_many(columns, outcome, penalty="none")
    assert found.reason == expected.reason
    assert [reason.split(":")[0] for reason in found.reason] == ["separated", "singular", "invalid", ""]
    np.testing.assert_allclose(fetch(found.coef)[1:], expected.coef[1:], rtol=1e-8)
