"""What must hold for performance, optimism, selection and influence on any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.errors import InputError
from rarefactor.stats.calibration import compute_calibration
from rarefactor.stats.decision import compute_net_benefit
from rarefactor.stats.discrimination import compute_auc
from rarefactor.stats.flic import fit_many_risks, fit_risk
from rarefactor.stats.influence import compute_influence
from rarefactor.stats.instability import compute_calibration_instability, compute_instability
from rarefactor.stats.logistic import fit_logistic
from rarefactor.stats.optimism import compute_optimism
from rarefactor.stats.performance import Measures, compute_measures
from rarefactor.stats.procedure import ImputedProcedure, ModelProcedure, Predictions
from rarefactor.stats.resampling import draw_resamples
from rarefactor.stats.samplesize import Criteria, compute_model_size, compute_sample_size
from rarefactor.stats.select import METHODS, SelectionProcedure, SelectionRule, fit_selection

few = settings(max_examples=8, deadline=None)
seeds = st.integers(0, 10_000)


def invent(seed: int, n: int = 48, p: int = 3) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Patients with one binary and otherwise normal factors, a third of them with the event."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, p))
    factors[:, 0] = np.arange(n) % 3 == 0
    outcome = (factors[:, 0] + 0.8 * factors[:, 1] + rng.logistic(size=n) > 1.0).astype(float)
    outcome[:4] = [0.0, 0.0, 1.0, 1.0]
    return factors, outcome, rng


@few
@given(seeds)
def test_auc_counts_pairs_and_ties(seed: int) -> None:
    _, outcome, rng = invent(seed)
    scores, weights = rng.integers(0, 6, (3, 48)).astype(float), rng.integers(0, 3, (3, 48)).astype(float)
    weights[:, :4] = 1.0
    wins = (scores[:, :, None] > scores[:, None]) + 0.5 * (scores[:, :, None] == scores[:, None])
    pairs = (weights * outcome)[:, :, None] * (weights * (1.0 - outcome))[:, None]
    expected = (wins * pairs).sum(axis=(1, 2)) / pairs.sum(axis=(1, 2))
    assert compute_measures(scores, outcome, weights).auc == pytest.approx(expected)
    assert compute_auc(outcome, -scores[0]).estimate == pytest.approx(1.0 - compute_auc(outcome, scores[0]).estimate)


@few
@given(seeds)
def test_weights_are_repeated_patients(seed: int) -> None:
    _, outcome, rng = invent(seed)
    log_odds, counts = rng.normal(size=(1, 48)), draw_resamples(48, 1, rng)[0]
    counts[:4] += 1.0
    places = np.repeat(np.arange(48), counts.astype(int))
    weighted, repeated = (
        compute_measures(log_odds, outcome, counts),
        compute_measures(log_odds[:, places], outcome[places]),
    )
    for name in Measures.__slots__:
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), abs=1e-9)


@few
@given(seeds)
def test_slope_undoes_a_stretch_of_the_log_odds(seed: int) -> None:
    _, outcome, rng = invent(seed)
    log_odds = rng.normal(size=48)
    plain, stretched = (compute_calibration(outcome, 1.0 / (1.0 + np.exp(-c * log_odds))) for c in (1.0, 2.0))
    assert stretched.slope == pytest.approx(0.5 * plain.slope)
    assert stretched.intercept == pytest.approx(plain.intercept)
    assert plain.slope_ci[0] < plain.slope < plain.slope_ci[1]


@few
@given(seeds, st.sampled_from(["flic", "flac"]))
def test_corrected_risks_add_up_to_the_events(seed: int, method: str) -> None:
    factors, outcome, rng = invent(seed)
    fit = fit_risk(factors, outcome, method=method)
    assert fit.risk.sum() == pytest.approx(outcome.sum())
    weights = draw_resamples(48, 3, rng)
    twice = fit_many_risks(
        np.tile(factors, (2, 1)), np.tile(outcome, 2), method=method, weights=np.tile(weights, 2) / 2
    )
    assert fit_many_risks(factors, outcome, method=method, weights=weights).coef == pytest.approx(twice.coef, abs=1e-7)


@few
@given(seeds)
def test_order_of_patients_does_not_matter(seed: int) -> None:
    factors, outcome, rng = invent(seed)
    weights, order = draw_resamples(48, 20, rng), rng.permutation(48)
    found = compute_optimism(outcome, ModelProcedure(columns=factors, outcome=outcome), weights)
    procedure = ModelProcedure(columns=factors[order], outcome=outcome[order])
    again = compute_optimism(outcome[order], procedure, weights[:, order])
    for name, measure in found.measures.items():
        assert again.measures[name].corrected == pytest.approx(measure.corrected, abs=1e-8)
        assert again.measures[name].used == measure.used
    for name, estimate in found.plus632.items():
        assert again.plus632[name].estimate == pytest.approx(estimate.estimate, abs=1e-8)


def test_without_resampling_there_is_no_optimism_and_no_instability() -> None:
    factors, outcome, _ = invent(1)
    found = compute_optimism(outcome, ModelProcedure(columns=factors, outcome=outcome), np.ones((3, 48)))
    assert [measure.optimism for measure in found.measures.values()] == pytest.approx([0.0] * 7, abs=1e-9)
    moved = compute_instability(found.log_odds, found.resampled_log_odds, thresholds=[0.2, 0.4])
    assert moved.mape == pytest.approx(np.zeros(48), abs=1e-9)
    assert not moved.reclassified.any()
    curves = compute_calibration_instability(outcome, found.log_odds, found.resampled_log_odds)
    assert curves.observed == pytest.approx(np.tile(curves.whole, (3, 1)), nan_ok=True, abs=1e-7)


def test_a_resample_without_a_model_is_counted_with_its_reason() -> None:
    factors, outcome, rng = invent(2)
    weights = draw_resamples(48, 10, rng)
    weights[3] = np.where(outcome == 1.0, weights[3], 0.0)
    found = compute_optimism(outcome, ModelProcedure(columns=factors, outcome=outcome), weights)
    assert (found.resamples, found.failed) == (10, 1)
    assert [reason.split(":")[0] for reason in found.reasons] == ["separated"]
    assert np.isfinite(found.measures["auc"].corrected)
    assert found.measures["auc"].used == 9


def test_a_factor_that_nobody_has_in_a_resample_is_left_out_there() -> None:
    factors, outcome, rng = invent(2)
    weights = draw_resamples(48, 10, rng)
    weights[3] = np.where(factors[:, 0] == 1.0, 0.0, weights[3])
    found = ModelProcedure(columns=factors, outcome=outcome)(weights)
    alone = ModelProcedure(columns=factors[:, 1:], outcome=outcome)(weights[3:4])
    assert not found.failed.any()
    assert found.log_odds[3] == pytest.approx(alone.log_odds[0], abs=1e-6)
    selected = SelectionProcedure(columns=factors, outcome=outcome, terms=None, rule=SelectionRule())
    assert compute_optimism(outcome, selected, weights).failed == 0


def test_imputing_complete_data_changes_nothing() -> None:
    factors, outcome, rng = invent(6)
    weights = draw_resamples(48, 8, rng)
    procedure = ImputedProcedure(
        completed=np.stack([factors] * 2),
        outcome=outcome,
        impute=lambda rows: (np.repeat(factors[rows][:, None], 2, axis=1), ("",) * len(rows)),
        portion=3,
    )
    expected = ModelProcedure(columns=factors, outcome=outcome)(weights)
    assert procedure(weights).log_odds == pytest.approx(expected.log_odds, abs=1e-8)


def test_a_procedure_that_always_fails_ends_nothing() -> None:
    _, outcome, rng = invent(3)

    def fail(weights: np.ndarray) -> Predictions:
        return Predictions(log_odds=np.full(weights.shape, np.nan), reason=("no model",) * len(weights))

    found = compute_optimism(outcome, fail, draw_resamples(48, 4, rng))
    assert (found.failed, found.reasons, found.reason) == (4, {"no model": 4}, "no model")
    assert np.isnan(found.measures["auc"].corrected)
    assert compute_instability(found.log_odds, found.resampled_log_odds).used == 0


@few
@given(seeds, st.sampled_from(METHODS))
def test_selection_does_not_depend_on_order_or_units(seed: int, method: str) -> None:
    factors, outcome, rng = invent(seed, p=4)
    weights, rule = draw_resamples(48, 20, rng), SelectionRule(method=method)
    found = fit_selection(factors, outcome, rule=rule, weights=weights)
    turned = fit_selection(factors[:, ::-1] * 10.0, outcome, rule=rule, weights=weights)
    assert (turned.selected[:, ::-1] == found.selected).all()
    assert turned.coef[:, :0:-1] == pytest.approx(found.coef[:, 1:] / 10.0, abs=1e-7)
    kept = fit_selection(factors, outcome, rule=SelectionRule(method=method, keep=("x4",)), weights=weights)
    assert kept.selected[:, 3].all()


def test_backward_elimination_is_a_loop_over_single_fits() -> None:
    factors, outcome, rng = invent(4, p=5)
    weights = draw_resamples(48, 12, rng)
    found = fit_selection(factors, outcome, weights=weights)
    for selected, drawn in zip(found.selected, weights, strict=True):
        active = [*range(5)]
        while active:
            p = fit_logistic(factors[:, active], outcome, weights=drawn, intervals=False).p[1:]
            if p.max() <= 0.157:
                break
            active.pop(int(p.argmax()))
        assert np.flatnonzero(selected).tolist() == active


@few
@given(seeds, st.sampled_from(["none", "firth"]))
def test_leaving_one_out_is_a_single_refit(seed: int, penalty: str) -> None:
    factors, outcome, _ = invent(seed)
    found = compute_influence(factors, outcome, penalty=penalty)
    rest = np.arange(48) != 7
    single = fit_logistic(factors[rest], outcome[rest], penalty=penalty, tests=False, intervals=False)
    assert found.coef_without[7] == pytest.approx(single.coef, abs=1e-8)
    assert found.hat.sum() == pytest.approx(4.0)


@few
@given(st.integers(30, 2000), st.floats(0.1, 0.5), st.floats(0.05, 0.4))
def test_the_largest_model_is_the_inverse_of_the_sample_size(n: int, prevalence: float, r2: float) -> None:
    loose = Criteria(margin=0.5)  # the intercept's criterion does not depend on the number of parameters
    largest = compute_model_size(n, prevalence, r2).largest
    assert compute_sample_size(largest + 1, prevalence, r2, criteria=loose).n > n
    if largest:
        assert compute_sample_size(largest, prevalence, r2, criteria=loose).n <= n
        assert compute_model_size(n, prevalence, r2, parameters=largest).shrinkage >= 0.9


def test_net_benefit_lies_within_its_limits() -> None:
    _, outcome, rng = invent(5)
    curve = compute_net_benefit(outcome, rng.uniform(0.05, 0.95, 48), [0.1, 0.3], rng=rng, resamples=500)
    assert (curve.low < curve.model).all()
    assert (curve.model < curve.high).all()


def test_risks_of_zero_are_refused_without_being_shown() -> None:
    with pytest.raises(InputError, match="at its ends"):
        compute_calibration([0, 1, 1], [0.0, 0.4, 0.7])
