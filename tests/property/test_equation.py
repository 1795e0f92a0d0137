"""What holds for the equation of every risk model: it does not depend on units or on the order of patients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.stats import fit_equation, predict_risks


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100.0), shrinkage=st.floats(0.05, 1.0))
def test_units_and_order_do_not_matter(seed: int, scale: float, shrinkage: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=40), rng.random(40) < 0.5]).astype(float)
    y = (rng.random(40) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    y[:2] = 0.0, 1.0
    order = rng.permutation(40)
    found = predict_risks(fit_equation(x, y, shrinkage=shrinkage), x)
    moved = x[order] * [scale, 1.0]
    other = predict_risks(fit_equation(moved, y[order], shrinkage=shrinkage), moved)
    for name in ("risk", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(found, name)[order], abs=1e-6)
    assert found.risk.sum() == pytest.approx(y.sum(), abs=1e-6)
    assert (found.low < found.risk).all()
    assert (found.risk < found.high).all()
