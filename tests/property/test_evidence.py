"""Published numbers: what is consistent passes, what is not is named; priors and error do what they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.stats import (
    Published,
    check_published,
    compute_attainable,
    compute_log_odds,
    fit_many,
    fit_with_prior,
)
from rarefactor.stats.meta import pool_studies
from rarefactor.stats.rate import compute_rates

cells = st.integers(1, 60)


@settings(max_examples=100, deadline=None)
@given(cells, cells, cells, cells)
def test_a_rounded_crude_analysis_never_contradicts_itself(a: int, b: int, c: int, d: int) -> None:
    log_or, se, _ = compute_log_odds([[a, b], [c, d]])
    low, high = np.exp([log_or - 1.959963984540054 * se, log_or + 1.959963984540054 * se])
    from math import erfc

    p = round(erfc(abs(log_or / se) / 2**0.5), 3)
    published = Published(
        odds_ratio=round(float(np.exp(log_or)), 2),
        low=round(float(low), 2),
        high=round(float(high), 2),
        p=max(p, 0.001),
        p_below=p < 0.001,
        counts=((a, b), (c, d)),
        events=a + c,
        total=a + b + c + d,
    )
    if published.odds_ratio > 0.0 and published.low:
        assert check_published(published) == ()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"p": 0.2}, "p_against_interval"),
        ({"p": 0.001, "p_below": True}, "p_against_interval"),
        ({"odds_ratio": 4.4}, "interval_not_symmetric"),
        ({"odds_ratio": 9.0}, "outside_interval"),
        ({"counts": ((3, 7), (24, 6))}, "odds_ratio_against_counts"),
        ({"events": 13, "total": 40, "odds_ratio": 39.7, "low": None, "high": None}, "odds_ratio_not_attainable"),
    ],
)
def test_each_contradiction_is_named(change: dict[str, object], kind: str) -> None:
    sound: dict[str, object] = {"odds_ratio": 3.0, "low": 1.2, "high": 7.5, "p": 0.019}
    assert check_published(Published(**sound)) == ()  # type: ignore[arg-type]
    assert kind in [found.kind for found in check_published(Published(**(sound | change)))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("odds_ratio", "kinds"),
    [
        (19.57, ["odds_ratio_not_attainable"]),
        (7.51, ["odds_ratio_not_attainable", "p_not_attainable"]),
        (39.70, ["odds_ratio_not_attainable"]),
    ],
)
def test_the_published_odds_ratios_of_13_in_40_patients_are_not_crude(odds_ratio: float, kinds: list[str]) -> None:
    published = Published(odds_ratio=odds_ratio, p=0.001, p_below=True, events=13, total=40)
    assert [found.kind for found in check_published(published)] == kinds
    assert compute_attainable(published).nearest != pytest.approx(odds_ratio, abs=0.005)


def test_a_prior_is_the_normal_prior_it_stands_for() -> None:
    x, y = np.repeat([[0.0], [1.0]], [30, 10], axis=0), np.repeat([0, 1, 0, 1], [24, 6, 3, 7])
    weak = fit_with_prior(x, y, {"male": (0.0, 1e3)}, names=["male"])
    plain = fit_many(x, y, penalty="none", tests=True, intervals=True)
    np.testing.assert_allclose(weak.coef, plain.coef[0], atol=1e-4)
    np.testing.assert_allclose(weak.ci, plain.ci[0], atol=1e-4)
    strong = fit_with_prior(x, y, {"male": (0.7, 1e-3)}, names=["male"])
    assert strong.coef[1] == pytest.approx(0.7, abs=1e-4)
    informative = fit_with_prior(x, y, {"male": (0.7, 0.5)}, names=["male"])
    slope = (informative.coef[1] - 0.7) / 0.5**2
    risk = 1.0 / (1.0 + np.exp(-informative.coef.sum()))
    assert 7 - 10 * risk == pytest.approx(slope, abs=1e-3)  # the score balances the pull of the normal prior


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_pooling_follows_units_and_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, se = rng.normal(size=6), rng.uniform(0.1, 0.8, 6)
    order = rng.permutation(6)
    first, second = pool_studies(values, se), pool_studies(1.0 + 2.0 * values[order], 2.0 * se[order])
    assert second.estimate == pytest.approx(1.0 + 2.0 * first.estimate, abs=1e-8)
    assert second.tau2 == pytest.approx(4.0 * first.tau2, abs=1e-8)
    assert second.i2 == pytest.approx(first.i2, abs=1e-8)


def test_calibrated_rates_undo_the_dilution_by_error() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0.5, 0.2, 4000)
    first = rng.normal(size=4000)
    error = rng.normal(0.0, 0.3, (2, 4000))
    rates = compute_rates(first + error[0], first + 3.0 * true + error[1], 3.0, repeatability_sd=0.3)
    y = true + rng.normal(0.0, 0.1, 4000)
    diluted, corrected = (np.polyfit(x, y, 1)[0] for x in (rates.rate, rates.calibrated))
    assert diluted == pytest.approx(0.667, abs=0.03)
    assert corrected == pytest.approx(1.0, abs=0.04)
    assert rates.sd == pytest.approx(0.2, abs=0.01)
