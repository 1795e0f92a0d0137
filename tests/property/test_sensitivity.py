"""Scans say what separate analyses say, and a simulated design shows what statisticians know of it."""

import numpy as np
import pytest

from rarefactor.stats import fit_logistic
from rarefactor.stats.design import MethodDesign, simulate_design
from rarefactor.stats.sensitivity import scan_cuts, scan_missing_outcomes


def test_whole_patients_are_the_completed_counts() -> None:
    x = np.repeat([[0.0], [1.0]], [26, 22], axis=0)
    y = np.concatenate([np.repeat([0, 1, np.nan], [19, 3, 4]), np.repeat([0, 1, np.nan], [8, 10, 4])])
    scan = scan_missing_outcomes(x, y)
    completed = y.copy()
    completed[22:26], completed[44:48] = [1, 1, 1, 0], [1, 0, 0, 0]
    fit = fit_logistic(x, completed)
    place = np.flatnonzero((scan.rates == [0.25, 0.75]).all(axis=1))[0]
    assert scan.p[place] == pytest.approx(fit.p[1], abs=1e-9)
    assert [scan.low[place], scan.high[place]] == pytest.approx(np.exp(fit.ci[1]).tolist(), rel=1e-6)
    known = fit_logistic(x[~np.isnan(y)], y[~np.isnan(y)])
    assert scan.known[0] == pytest.approx(np.exp(known.coef[1]), rel=1e-8)
    assert scan.changed[place]
    assert known.ci[1, 0] > 0.0 > fit.ci[1, 0]


def test_cuts_depend_on_ranks_only_and_the_best_is_corrected() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=48), (rng.random(48) < 0.35).astype(float)
    first = scan_cuts(x, y, rng=np.random.default_rng(1), permutations=1000)
    second = scan_cuts(np.exp(3.0 * x), y, rng=np.random.default_rng(1), permutations=1000)
    np.testing.assert_allclose(first.p, second.p, atol=1e-9)
    assert first.best_p_permuted == second.best_p_permuted
    alone = fit_logistic((x > first.cuts[first.best])[:, None].astype(float), y)
    assert first.best_p == pytest.approx(alone.p[1], abs=1e-9)
    assert first.best_p < first.best_p_permuted


def test_the_permuted_p_value_holds_its_size_where_the_best_p_value_does_not() -> None:
    rng = np.random.default_rng(11)
    found = [scan_cuts(rng.normal(size=40), np.arange(40) < 13, rng=rng, permutations=199) for _ in range(100)]
    assert np.mean([scan.best_p_permuted <= 0.05 for scan in found]) < 0.12
    assert np.mean([scan.best_p <= 0.05 for scan in found]) > 0.25


def simulate(prevalences: list[float], odds_ratios: list[float], data_sets: int) -> tuple[MethodDesign, MethodDesign]:
    rng = np.random.default_rng(2020)
    ml, firth = simulate_design(40, prevalences, 0.325, odds_ratios, rng=rng, data_sets=data_sets).methods
    return ml, firth


def test_sparse_data_bias_of_40_patients() -> None:
    """One design with a true odds ratio of 8, against 4,000 data sets; three standard errors of the difference."""
    ml, firth = simulate([0.25, 0.5, 0.4], [8.0, 4.0, 4.0], 1500)
    assert ml.doubled[0] == pytest.approx(0.38, abs=0.044)
    assert ml.separated == pytest.approx(0.11, abs=0.028)
    assert firth.median[0] == pytest.approx(7.4, abs=0.8)
    assert firth.coverage[0] == pytest.approx(0.95, abs=0.020)
    assert firth.separated == 0.0
    assert ml.exaggeration[0] > firth.exaggeration[0] > 1.0


def test_half_of_the_studies_with_the_published_odds_ratios_are_separated() -> None:
    ml, _ = simulate([0.4, 0.4, 0.3], [19.57, 7.51, 39.70], 600)
    assert ml.separated == pytest.approx(0.5, abs=0.061)
