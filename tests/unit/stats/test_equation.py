"""The equation of a risk model: what it predicts, what shrinking does, and whether its limits hold the truth."""

import numpy as np
import pytest

from rarefactor.stats import (
    ImputedProcedure,
    ImputedSelectionProcedure,
    ModelProcedure,
    SelectionProcedure,
    SelectionRule,
    compute_optimism,
    draw_resamples,
    fit_equation,
    fit_logistic,
    fit_risk,
    pool_rubin,
    predict_risks,
)


def draw(n, seed=3, strength=1.0):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(n, 3)), rng.random((n, 2)) < 0.4])
    log_odds = -0.8 + strength * x @ np.array([0.7, 0.0, -0.4, 0.9, 0.3])
    return x, (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)


@pytest.mark.parametrize("method", ["flic", "flac"])
def test_without_shrinking_the_risks_are_those_of_the_regression(method):
    x, y = draw(60)
    equation, fit = fit_equation(x, y, method=method), fit_risk(x, y, method=method)
    assert predict_risks(equation, x).risk == pytest.approx(fit.risk, abs=1e-9)
    assert equation.coef == pytest.approx(fit.coef, abs=1e-8)


def test_the_error_of_the_intercept_is_that_of_the_regression_and_of_slopes_nearly_that_of_firth():
    x, y = draw(200)
    equation = fit_equation(x, y)
    found = np.sqrt(np.diag(equation.covariance))
    assert found[0] == pytest.approx(fit_risk(x, y).se[0], abs=1e-9)
    assert found[1:] == pytest.approx(fit_logistic(x, y).se[1:], rel=0.02)


def test_shrinking_draws_risks_together_and_keeps_their_sum():
    x, y = draw(60)
    full, half = fit_equation(x, y), fit_equation(x, y, shrinkage=0.5)
    assert half.shrunken[1:] == pytest.approx(0.5 * full.coef[1:])
    assert predict_risks(half, x).risk.sum() == pytest.approx(y.sum(), abs=1e-6)
    assert predict_risks(half, x).risk.std() < predict_risks(full, x).risk.std()


def test_completed_data_sets_that_agree_are_one():
    x, y = draw(60)
    one, many = fit_equation(x, y, shrinkage=0.7), fit_equation(np.stack([x, x, x]), y, shrinkage=0.7)
    assert many.shrunken == pytest.approx(one.shrunken, abs=1e-9)
    assert many.covariance == pytest.approx(one.covariance, abs=1e-9)


def test_completed_data_sets_that_differ_are_pooled_by_rubins_rules():
    x, y = draw(60)
    moved = np.stack([x, x, x])
    moved[1:, :10, 0] += np.array([[0.9], [-0.9]])
    each = [fit_equation(columns, y) for columns in moved]
    pooled = pool_rubin([one.coef for one in each], [np.diag(one.covariance) for one in each])
    found = fit_equation(moved, y)
    assert found.coef == pytest.approx(pooled.estimate)
    assert np.diag(found.covariance) == pytest.approx(pooled.total)


def test_what_selection_leaves_out_counts_nothing():
    x, y = draw(120)
    terms = {"a": [0], "b": [1], "c": [2], "d": [3], "e": [4]}
    equation = fit_equation(x, y, terms=terms, rule=SelectionRule())
    whole = SelectionProcedure(columns=x, outcome=y, terms=terms, rule=SelectionRule())(np.ones((1, 120)))
    assert predict_risks(equation, x).log_odds == pytest.approx(whole.log_odds[0], abs=1e-8)
    left_out = equation.coef == 0.0
    assert left_out.any()
    assert not equation.covariance[left_out].any()


def test_a_model_that_does_not_exist_says_why():
    x, y = draw(60)
    equation = fit_equation(np.column_stack([x, x[:, 0] + x[:, 1]]), y)
    assert equation.reason
    assert np.isnan(equation.coef).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n", "lowest", "highest"), [(60, 0.93, 1.0), (400, 0.92, 0.99)])
def test_limits_hold_the_true_risk_about_as_often_as_they_say(n, lowest, highest):
    rng, covered = np.random.default_rng(11), []
    new, _ = draw(200, seed=99)
    truth = 1 / (1 + np.exp(-(-0.8 + new @ np.array([0.7, 0.0, -0.4, 0.9, 0.3]))))
    for seed in range(120):
        x, y = draw(n, seed=seed)
        optimism = compute_optimism(y, ModelProcedure(columns=x, outcome=y), draw_resamples(n, 50, rng))
        slope = float(np.clip(optimism.measures["slope"].corrected, 0.05, 1.0))
        found = predict_risks(fit_equation(x, y, shrinkage=slope), new)
        covered.append(np.mean((found.low <= truth) & (truth <= found.high)))
    assert lowest < np.mean(covered) < highest


def test_risks_are_those_whose_performance_was_measured_where_values_were_filled_in():
    x, y = draw(60)
    completed = np.stack([x, x, x])
    completed[1:, :10, 0] += np.array([[0.9], [-0.9]])
    terms = {name: [place] for place, name in enumerate("abcde")}
    given = {"completed": completed, "outcome": y, "impute": lambda _: (completed[None], ("",))}
    rule = SelectionRule(alpha=0.3)
    plain = ImputedProcedure(**given)(np.ones((1, 60))).log_odds[0]
    selected = ImputedSelectionProcedure(**given, terms=terms, rule=rule)(np.ones((1, 60))).log_odds[0]
    mean = completed.mean(axis=0)
    assert predict_risks(fit_equation(completed, y), mean).log_odds == pytest.approx(plain, abs=1e-9)
    found = fit_equation(completed, y, terms=terms, rule=rule)
    assert 0 < np.count_nonzero(found.coef[1:]) < 5
    assert predict_risks(found, mean).log_odds == pytest.approx(selected, abs=1e-9)
