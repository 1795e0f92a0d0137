"""Cook's distances where they have no end, and in imputations."""

import numpy as np
import pytest

from rarefactor.stats import compute_distances

RNG = np.random.default_rng(4)
X = RNG.normal(size=(40, 2))
Y = (X[:, 0] + RNG.logistic(size=40) > 0.0).astype(float)


def test_whoever_alone_has_a_level_moves_its_coefficient_without_end():
    found = compute_distances(np.column_stack([X, np.arange(40) == 5]), Y)
    assert found.hat[5] == pytest.approx(1.0)
    assert found.cook[5] == np.inf
    assert np.isfinite(np.delete(found.cook, 5)).all()


def test_each_imputation_has_its_own_distances():
    other = X + RNG.normal(scale=0.1, size=X.shape)
    both = compute_distances(np.stack([X, other]), Y)
    assert both.cook[0] == pytest.approx(compute_distances(X, Y).cook, rel=1e-9)
    assert both.cook[1] == pytest.approx(compute_distances(other, Y).cook, rel=1e-9)
