import numpy as np
import pytest

from rarefactor.stats import (
    compare_many,
    compare_means,
    compare_ranks,
    compute_smd,
    compute_smd_of_counts,
    compute_summary,
)


def test_too_few_values_are_nan_not_errors() -> None:
    empty, one, same = [np.nan], [1.0], [2.0, 2.0]
    assert compute_summary(empty).n == 0
    assert np.isnan(compute_summary(empty).median)
    assert np.isnan(compare_means(one, [1.0, 2.0]).p)
    assert np.isnan(compare_means(same, same).p)
    assert np.isnan(compare_ranks(empty, one).p)
    assert np.isnan(compare_ranks(same, same).p)
    assert np.isnan(compare_many([empty, one]).p)
    assert np.isnan(compute_smd(same, same).estimate)
    assert np.isnan(compute_smd_of_counts([0, 0], [3, 4]).estimate)


def test_a_standardised_difference_that_is_sure_has_no_finite_size() -> None:
    assert np.isnan(compute_smd_of_counts([5, 0], [0, 5]).estimate)


def test_the_interval_of_a_standardised_difference() -> None:
    found = compute_smd([3.0, 4.0, 5.0], [1.0, 2.0, 3.0])
    # Yang & Dalton: sqrt(6/9 + 2^2/12) = 1
    assert (found.low, found.high) == (pytest.approx(2 - 1.959963984540054), pytest.approx(2 + 1.959963984540054))


def test_swapping_the_groups_swaps_the_signs() -> None:
    rng = np.random.default_rng(0)
    for rounding in (1, 8):
        one, zero = rng.normal(size=15).round(rounding), rng.normal(size=12).round(rounding)
        forth, back = compare_ranks(one, zero), compare_ranks(zero, one)
        assert (forth.shift, forth.low, forth.high) == pytest.approx((-back.shift, -back.high, -back.low))
        assert forth.p == pytest.approx(back.p)
