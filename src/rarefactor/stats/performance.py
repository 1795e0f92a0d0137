"""Performance of predicted risks: all measures of one set of predictions, or a few of thousands of sets at once.

Convention: lower is better for the Brier score and the log score (mean negative log-likelihood), higher for the AUC and
the scaled Brier score (1 less Brier over that of predicting the overall risk). `calibration` describes the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_outcome, read_array
from rarefactor.stats._newton import Stop
from rarefactor.stats._ranks import compute_areas
from rarefactor.stats._risk import compute_logistic, compute_logit, read_predictions
from rarefactor.stats.calibration import Calibration, compute_calibration, fit_levels, fit_lines
from rarefactor.stats.discrimination import Auc, compute_auc
from rarefactor.stats.logistic import ManyFits


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How well predicted risks did in n patients.

    ``brier_max`` is the Brier score of predicting the overall risk for all; ``expected_over_observed`` is the mean
    predicted risk over the share of events.
    """

    n: int
    events: int
    auc: Auc
    brier: float
    brier_max: float
    brier_scaled: float
    log_score: float
    mean_risk: float
    observed: float
    expected_over_observed: float
    calibration: Calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The same measures of B sets of predictions, each (B,); NaN where a measure does not exist.

    ``intercept`` and ``slope`` are of the calibration line, ``in_the_large`` with the slope held at 1.
    """

    auc: Floats
    brier: Floats
    brier_scaled: Floats
    log_score: Floats
    in_the_large: Floats
    intercept: Floats
    slope: Floats


def compute_performance(y: ArrayLike, risk: ArrayLike, *, level: float = 0.95) -> Performance:
    """Compute how well predicted risks discriminate and whether they come true.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    risk
        Predicted risks (n,), strictly between 0 and 1.
    level
        The confidence level.

    Returns
    -------
    Performance
        AUC with DeLong's limits, Brier scores, log score, calibration.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class, risks of 0 or 1, other lengths.

    References
    ----------
    Steyerberg EW, Vickers AJ, Cook NR, et al. Assessing the performance of prediction models. Epidemiology
    2010;21:128-38.

    Examples
    --------
    >>> found = compute_performance([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.5, 0.6, 0.9])
    >>> round(found.auc.estimate, 3), round(found.brier, 3), round(found.brier_scaled, 3)
    (0.889, 0.16, 0.36)
    """
    outcome, risks = read_predictions(y, risk)
    measures = compute_measures(compute_logit(risks)[None], outcome)
    observed, mean_risk = float(outcome.mean()), float(risks.mean())
    return Performance(
        n=outcome.size,
        events=int(outcome.sum()),
        auc=compute_auc(outcome, risks, level=level),
        brier=float(measures.brier[0]),
        brier_max=observed * (1.0 - observed),
        brier_scaled=float(measures.brier_scaled[0]),
        log_score=float(measures.log_score[0]),
        mean_risk=mean_risk,
        observed=observed,
        expected_over_observed=mean_risk / observed,
        calibration=compute_calibration(outcome, risks, level=level),
    )


def compute_measures(log_odds: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> Measures:
    """Compute the measures of B sets of predictions for the same patients.

    Parameters
    ----------
    log_odds
        Predicted log odds (B, n); a row with missing values gives NaN.
    y
        Outcome (n,) in {0, 1}.
    weights
        Case weights (n,) or (B, n), for example how often a resample holds each patient.

    Returns
    -------
    Measures
        Each (B,).

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class.

    Examples
    --------
    >>> found = compute_measures([[-1, -2, 0, 1], [-1, 1, 0.5, 2]], [0, 0, 1, 1])
    >>> found.auc.tolist(), found.brier.round(3).tolist()
    ([1.0, 0.75], [0.102, 0.191])
    """
    outcome, predicted = read_array(y, "y"), read_array(log_odds, "log_odds")
    check_outcome(outcome)
    given = np.ones((1, outcome.size)) if weights is None else np.atleast_2d(read_array(weights, "weights"))
    usable = np.asarray(np.isfinite(predicted).all(axis=1))
    if usable.all():
        return _compute_usable(predicted, outcome, given)
    kept = _compute_usable(predicted[usable], outcome, given if len(given) == 1 else given[usable])
    return Measures(**{f.name: _spread(getattr(kept, f.name), usable) for f in fields(Measures)})


def _spread(values: Floats, usable: Bools) -> Floats:
    spread = np.full(usable.size, np.nan)
    spread[usable] = values
    return spread


def _compute_usable(log_odds: Floats, outcome: Floats, weights: Floats) -> Measures:
    if not len(log_odds):
        return Measures(**{f.name: np.empty(0) for f in fields(Measures)})
    total = weights.sum(axis=1)
    observed = (weights @ outcome) / total
    squares, logs = compute_losses(log_odds, outcome)
    brier = (weights * squares).sum(axis=1) / total
    line, level_only = fit_lines(log_odds, outcome, weights), fit_levels(log_odds, outcome, weights)
    worst = observed * (1.0 - observed)
    return Measures(
        auc=compute_areas(log_odds, weights * outcome, weights * (1.0 - outcome)),
        brier=brier,
        brier_scaled=1.0 - np.divide(brier, worst, out=np.full(brier.shape, np.nan), where=worst > 0.0),
        log_score=(weights * logs).sum(axis=1) / total,
        in_the_large=_take_finite(level_only, 0),
        intercept=_take_finite(line, 0),
        slope=_take_finite(line, 1),
    )


def compute_losses(log_odds: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Return the squared error and the negative log-likelihood of each patient, shaped as ``log_odds``."""
    squares = np.square(outcome - compute_logistic(log_odds))
    wrong = np.where(outcome == 1.0, -log_odds, log_odds)
    return squares, np.maximum(wrong, 0.0) + np.log1p(np.exp(-np.abs(wrong)))


def _take_finite(fits: ManyFits, place: int) -> Floats:
    """Return one coefficient of each fit, NaN where it did not converge (a separated line has no slope)."""
    return np.where(fits.stop == Stop.CONVERGED, fits.coef[:, place], np.nan)
