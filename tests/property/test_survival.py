"""What follow-up and repeated measurements must not depend on: order, units, labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.errors import InputError
from rarefactor.stats.cox import fit_cox
from rarefactor.stats.cox_pool import pool_cox
from rarefactor.stats.hazards import compute_hazards_check
from rarefactor.stats.mixed import fit_mixed
from rarefactor.stats.survival import compare_survival, fit_aalen_johansen, fit_kaplan_meier

seeds = st.integers(0, 10_000)


def draw_follow_up(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, 15, 30).astype(float), (rng.random(30) < 0.7).astype(float)
    event[0] = 1.0
    return rng.normal(size=(30, 2)), time, event, rng


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_cox_does_not_depend_on_order_and_follows_units(seed: int) -> None:
    X, time, event, rng = draw_follow_up(seed)
    order = rng.permutation(time.size)
    for penalty in ("none", "firth"):
        fit = fit_cox(X, time, event, penalty=penalty)
        again = fit_cox(7.0 + 3.0 * X[order], np.log(time[order]) + 1.0, event[order], penalty=penalty)
        for name, power in (("coef", 1), ("ci", 1), ("se", 1), ("p", 0), ("lr_chisq", 0)):
            np.testing.assert_allclose(getattr(again, name) * 3.0**power, getattr(fit, name), rtol=1e-6, atol=1e-7)
    first = compute_hazards_check(X, time, event, fit_cox(X, time, event), transform="rank")
    second = compute_hazards_check(3.0 * X, time**2, event, fit_cox(3.0 * X, time**2, event), transform="rank")
    np.testing.assert_allclose(first.chisq, second.chisq, rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_score_test_of_two_groups_without_ties_is_the_log_rank_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    time, event = rng.permutation(40).astype(float), rng.random(40) < 0.7
    group = np.arange(40) % 2
    score = fit_cox(group[:, None], time, event, tests=False, intervals=False).score
    assert score.statistic == pytest.approx(compare_survival(time, event, group).chisq, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_one_cause_is_the_kaplan_meier_curve(seed: int) -> None:
    _, time, event, _ = draw_follow_up(seed)
    curve, incidence = fit_kaplan_meier(time, event, scale="plain"), fit_aalen_johansen(time, event, scale="plain")
    np.testing.assert_allclose(1.0 - incidence.incidence[:, 0], curve.survival, atol=1e-12)
    inside = curve.survival > 0.0
    np.testing.assert_allclose(incidence.se[inside, 0], curve.se[inside], atol=1e-10)


def test_causes_and_the_event_free_share_add_up_to_one() -> None:
    _, time, _, rng = draw_follow_up(1)
    curves = fit_aalen_johansen(time, rng.integers(0, 4, time.size))
    np.testing.assert_allclose(curves.incidence.sum(axis=1) + curves.free, 1.0, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_mixed_model_follows_units_and_labels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    patient, month = np.repeat(np.arange(12), 4), np.tile([0.0, 3.0, 6.0, 12.0], 12)
    lines = rng.normal(size=(12, 2))[patient] * [5.0, 0.6]
    y = 50.0 + lines[:, 0] + month * (lines[:, 1] - 1.0) + rng.normal(size=48)
    order = rng.permutation(48)
    fit = fit_mixed(month[:, None], y, patient, slope=0)
    again = fit_mixed(
        month[order, None] / 12.0, 10.0 * y[order], np.array([f"p{i:02}" for i in patient])[order], slope=0
    )
    np.testing.assert_allclose(again.coef, fit.coef * [10.0, 120.0], rtol=1e-6)
    np.testing.assert_allclose(again.df, fit.df, rtol=1e-5)
    np.testing.assert_allclose(again.lines, fit.lines * [10.0, 120.0], rtol=1e-5, atol=1e-6)


def test_each_patient_alone_is_not_enough_for_a_line_of_each() -> None:
    with pytest.raises(InputError, match="more than 2 measurements per patient"):
        fit_mixed(np.arange(20.0)[:, None], np.arange(20.0) ** 2, np.arange(20) // 2, slope=0)


def test_an_event_coded_1_and_2_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="status == 2"):
        fit_kaplan_meier([1, 2, 3], [1, 2, 1])


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_imputations_that_agree_give_the_complete_data_back(seed: int) -> None:
    X, time, event, _ = draw_follow_up(seed)
    completed = np.stack([X, X, X])
    for penalty in ("none", "firth"):
        fit, pooled = fit_cox(X, time, event, penalty=penalty), pool_cox(completed, time, event, penalty=penalty)
        np.testing.assert_allclose(pooled.estimate, fit.coef, atol=1e-8)
        if penalty == "firth":
            np.testing.assert_allclose(pooled.ci, fit.ci, atol=1e-5)
            np.testing.assert_allclose(pooled.p, fit.p, atol=1e-7)
        else:
            np.testing.assert_allclose(pooled.se, fit.se, atol=1e-8)
