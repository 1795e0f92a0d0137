"""Instability: how different the risks of the same patients would be, had other patients been in the study.

Convention: every resample repeats the whole procedure and predicts for the original patients; resamples without a model
are left out. Risks, not log odds, are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_level, check_outcome, raise_input, read_array
from rarefactor.stats._risk import compute_log_odds, compute_logistic, compute_logit
from rarefactor.stats.calibration import build_spline, choose_knots, fit_lines
from rarefactor.stats.logistic import fit_many

POINTS = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class Instability:
    """How far predictions move between resamples.

    ``risk`` (n,) by the model of all patients, ``low`` and ``high`` (n,) hold the stated share of the resampled risks
    ``resampled`` (B, n); ``mape`` (n,) is each patient's mean absolute prediction error and ``mape_mean`` its
    mean. ``reclassified`` (t, n) is the share of resamples that put a patient on the other side of each
    ``threshold`` (t,), ``reclassified_mean`` (t,) its mean. ``used`` is the number of resamples.
    """

    risk: Floats
    resampled: Floats
    low: Floats
    high: Floats
    mape: Floats
    mape_mean: float
    threshold: Floats
    reclassified: Floats
    reclassified_mean: Floats
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationInstability:
    """Calibration curves of the resamples' models in the original patients.

    ``observed`` (B, g) at ``risk`` (g,), NaN outside the risks that a model predicts or where its curve could not be
    fitted; ``whole`` (g,) is the curve of the model of all patients.
    """

    risk: Floats
    whole: Floats
    observed: Floats


def compute_instability(
    log_odds: ArrayLike, resampled: ArrayLike, *, thresholds: ArrayLike = (), level: float = 0.95
) -> Instability:
    """Compute how unstable each patient's risk is.

    Parameters
    ----------
    log_odds
        Of the model of all patients (n,).
    resampled
        Of the models of B resamples for the same patients (B, n); rows of NaN are left out.
    thresholds
        Risks (t,) from which one would act.
    level
        The share of resampled risks between ``low`` and ``high``.

    Returns
    -------
    Instability
        What an instability plot shows, and its summaries.

    Raises
    ------
    InputError
        Predictions of different lengths.

    References
    ----------
    Riley RD, Collins GS. Stability of clinical prediction models developed using statistical or machine learning
    methods. Biom J 2023;65:e2200302.

    Examples
    --------
    >>> found = compute_instability([0.0, 1.0], [[-1.0, 1.0], [1.0, 2.0]], thresholds=[0.4])
    >>> found.mape.round(3).tolist(), found.reclassified.tolist()
    ([0.231, 0.075], [[0.5, 0.0]])
    """
    whole, many = _read(log_odds, resampled)
    cuts = np.atleast_1d(read_array(thresholds, "thresholds"))
    risk, risks = compute_logistic(whole), compute_logistic(many[_find_usable(many)])
    tail = 0.5 - 0.5 * check_level(level)
    low, high = np.quantile(risks, [tail, 1.0 - tail], axis=0) if len(risks) else np.full((2, risk.size), np.nan)
    mape = np.abs(risks - risk).sum(axis=0) / len(risks) if len(risks) else np.full(risk.size, np.nan)
    moved = [_share(risks, np.asarray(risk >= cut), cut) for cut in cuts]
    reclassified = np.array(moved).reshape(cuts.size, risk.size)
    return Instability(
        risk=risk,
        resampled=risks,
        low=low,
        high=high,
        mape=mape,
        mape_mean=float(mape.mean()),
        threshold=cuts,
        reclassified=reclassified,
        reclassified_mean=reclassified.mean(axis=1),
        used=len(risks),
    )


def _share(risks: Floats, above: Bools, cut: float) -> Floats:
    """Return the share (n,) of resampled risks on the other side of a threshold."""
    if not len(risks):
        return np.full(above.size, np.nan)
    return np.asarray((risks >= cut) != above).mean(axis=0)


def compute_calibration_instability(
    y: ArrayLike, log_odds: ArrayLike, resampled: ArrayLike, *, knots: int = 3
) -> CalibrationInstability:
    """Compute the calibration curve, in the original patients, of every resample's model.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    log_odds, resampled
        As for :func:`compute_instability`.
    knots
        As for :func:`compute_calibration_curve`; a model with too few distinct risks gets a straight line.

    Returns
    -------
    CalibrationInstability
        One curve per resample.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class; predictions of different lengths.

    References
    ----------
    Riley RD, Collins GS. Stability of clinical prediction models developed using statistical or machine learning
    methods. Biom J 2023;65:e2200302.

    Examples
    --------
    >>> y, whole = [0, 0, 1, 0, 1, 0, 1, 1], np.linspace(-2.0, 2.0, 8)
    >>> compute_calibration_instability(y, whole, [whole * 0.5, whole * 1.5]).observed.shape
    (2, 41)
    """
    outcome = read_array(y, "y")
    check_outcome(outcome)
    whole, many = _read(log_odds, resampled)
    risk = compute_logistic(whole)
    grid = np.linspace(risk.min(), risk.max(), POINTS)
    inner = np.clip(grid, 1e-12, 1.0 - 1e-12)
    curves = _compute_curves(np.concatenate([whole[None], many]), outcome, compute_logit(inner), knots)
    return CalibrationInstability(risk=grid, whole=curves[0], observed=curves[1:])


def _compute_curves(log_odds: Floats, outcome: Floats, grid: Floats, knots: int) -> Floats:
    """Return the calibrated risks (B, g) of models with log odds (B, n) at a grid (g,) of log odds."""
    usable = _find_usable(log_odds)
    curves = np.full((len(log_odds), grid.size), np.nan)
    places = np.zeros((len(log_odds), knots))
    places[usable] = choose_knots(log_odds[usable], knots)
    bent = usable & np.asarray((np.diff(places, axis=1) > 1e-8).all(axis=1))
    if bent.any():
        basis = build_spline(log_odds[bent], places[bent])
        grid_basis = build_spline(np.broadcast_to(grid, (int(bent.sum()), grid.size)), places[bent])
        curves[bent] = compute_log_odds(fit_many(basis, outcome, penalty="none").coef, grid_basis)
    straight = usable & ~bent
    if straight.any():
        curves[straight] = compute_log_odds(fit_lines(log_odds[straight], outcome).coef, grid[:, None])
    low, high = log_odds.min(axis=1, keepdims=True), log_odds.max(axis=1, keepdims=True)
    return np.where((grid >= low - 1e-12) & (grid <= high + 1e-12), compute_logistic(curves), np.nan)


def _find_usable(log_odds: Floats) -> Bools:
    return np.asarray(np.isfinite(log_odds).all(axis=1))


def _read(log_odds: ArrayLike, resampled: ArrayLike) -> tuple[Floats, Floats]:
    whole, many = read_array(log_odds, "log_odds"), read_array(resampled, "resampled")
    if whole.ndim != 1 or many.ndim != 2 or many.shape[1] != whole.size:
        raise_input("resampled", f"shape {many.shape}", f"rows of {whole.size} patients", "Predict for all patients.")
    return whole, many
