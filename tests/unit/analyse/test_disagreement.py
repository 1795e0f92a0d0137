"""When methods are said to disagree: in what their intervals exclude, in size, and in direction."""

import pytest

from rarefactor.analyse._multivariable import _disagreement
from rarefactor.results import Estimate


def rows(*estimates):
    for method, estimate in zip(("ml", "firth", "logf22"), estimates, strict=True):
        where = {"analysis": "multivariable", "measure": "odds_ratio", "method": method}
        yield Estimate(estimate=estimate, low=estimate / 9, high=estimate * 9, **where)


@pytest.mark.parametrize(
    ("estimates", "told"),
    [
        ((0.91, 1.26, 1.0), "the odds ratio is above 1 by Firth and below 1 by maximum likelihood"),
        ((0.99, 1.01, 1.0), ""),
        ((1.1, 1.26, 1.2), ""),
        ((2.6, 1.2, 1.3), "the largest odds ratio is 2.2 times the smallest"),
    ],
    ids=["turned", "no more than rounding", "one side", "size"],
)
def test_a_note_says_in_what_methods_differ(estimates, told):
    assert _disagreement(list(rows(*estimates))) == told
