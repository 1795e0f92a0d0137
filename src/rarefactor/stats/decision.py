"""Net benefit: what acting on a predicted risk gains over treating everybody or nobody.

Convention: a patient whose risk is at or above the threshold is treated; net benefit is true positives per patient less
false positives per patient weighted by the odds of the threshold. Treating nobody has net benefit 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._risk import compute_logistic, read_predictions
from rarefactor.stats.resampling import draw_resamples


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCurve:
    """Net benefit per patient at each threshold (t,).

    ``model`` with percentile limits ``low`` and ``high``; ``treat_all`` and ``treat_none`` are the alternatives, and
    ``gain`` is the model's advantage over the better of them, with ``gain_low`` and ``gain_high``. Limits are NaN
    without resamples.
    """

    threshold: Floats
    model: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    treat_none: Floats
    gain: Floats
    gain_low: Floats
    gain_high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedBenefit:
    """Net benefit per patient at each threshold (t,): ``apparent``, its ``optimism``, and what is left, ``corrected``.

    ``low`` and ``high`` (t,) hold the stated share of the net benefits in the resamples, moved by the optimism. NaN
    without resamples that gave a model; ``used`` is their number.
    """

    threshold: Floats
    apparent: Floats
    optimism: Floats
    corrected: Floats
    low: Floats
    high: Floats
    used: int


def compute_net_benefit(
    y: ArrayLike,
    risk: ArrayLike,
    thresholds: ArrayLike,
    *,
    rng: np.random.Generator | None = None,
    resamples: int = 1000,
    level: float = 0.95,
) -> DecisionCurve:
    """Compute the decision curve of predicted risks, with bootstrap limits where an ``rng`` is given.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    risk
        Predicted risks (n,), strictly between 0 and 1.
    thresholds
        Risks (t,) from which one would treat.
    rng
        Draws the resamples of patients; without it there are no limits.
    resamples
        Their number.
    level
        The confidence level.

    Returns
    -------
    DecisionCurve
        Net benefit of the model, of treating all, of treating none.

    Raises
    ------
    InputError
        An outcome that is not 0/1, risks or thresholds outside 0 to 1.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models. Med Decis Making
    2006;26:565-74.

    Examples
    --------
    >>> curve = compute_net_benefit([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.5, 0.6], [0.2, 0.3])
    >>> curve.model.round(3).tolist(), curve.treat_all.round(3).tolist()
    ([0.3, 0.314], [0.25, 0.143])
    """
    outcome, risks = read_predictions(y, risk)
    cuts = _read_thresholds(thresholds)
    model, everybody = _compute_benefits(outcome, risks, cuts, np.ones((1, outcome.size)))
    low, high = np.full((2, 2, cuts.size), np.nan)
    if rng is not None:
        drawn = _compute_benefits(outcome, risks, cuts, draw_resamples(outcome.size, resamples, rng))
        tail = 0.5 - 0.5 * check_level(level)
        both = np.stack([drawn[0], drawn[0] - np.maximum(drawn[1], 0.0)])
        low, high = np.quantile(both, [tail, 1.0 - tail], axis=1)
    return DecisionCurve(
        threshold=cuts,
        model=model[0],
        low=low[0],
        high=high[0],
        treat_all=everybody[0],
        treat_none=np.zeros(cuts.size),
        gain=model[0] - np.maximum(everybody[0], 0.0),
        gain_low=low[1],
        gain_high=high[1],
    )


def correct_net_benefit(
    y: ArrayLike,
    log_odds: ArrayLike,
    resampled: ArrayLike,
    weights: ArrayLike,
    thresholds: ArrayLike,
    *,
    level: float = 0.95,
) -> CorrectedBenefit:
    """Correct a decision curve for optimism: what of the net benefit is lost in patients who did not make the model.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    log_odds
        Predicted by the model of all patients (n,).
    resampled
        Predicted for the same patients by the models of B resamples (B, n); rows of NaN are left out.
    weights
        How often each patient stands in each resample (B, n).
    thresholds
        Risks (t,) from which one would treat.
    level
        The confidence level.

    Returns
    -------
    CorrectedBenefit
        Apparent and corrected net benefit at each threshold.

    Raises
    ------
    InputError
        An outcome that is not 0/1, thresholds outside 0 to 1, arrays of different shapes.

    References
    ----------
    Vickers AJ, Cronin AM, Elkin EB, Gonen M. Extensions to decision curve analysis, a novel method for evaluating
    diagnostic tests, prediction models and molecular markers. BMC Med Inform Decis Mak 2008;8:53.

    Examples
    --------
    In its own resample the first model finds the event that it was made from; in the others it does not.

    >>> found = correct_net_benefit([0, 1, 1], [-1, 1, 0], [[-1, 2, -1]], [[1, 2, 0]], [0.4])
    >>> found.apparent.round(2), found.optimism.round(2), found.corrected.round(2)
    (array([0.67]), array([0.33]), array([0.33]))
    """
    outcome, counts = read_array(y, "y"), np.atleast_2d(read_array(weights, "weights"))
    drawn, cuts = np.atleast_2d(read_array(resampled, "resampled")), _read_thresholds(thresholds)
    if counts.shape != drawn.shape:
        raise_input("weights", f"shape {counts.shape}", f"shape {drawn.shape}, as resampled", "Use the same resamples.")
    _, whole = read_predictions(outcome, compute_logistic(read_array(log_odds, "log_odds")))
    usable = np.isfinite(drawn).all(axis=1)
    apparent = _compute_each(outcome, whole[None], cuts, np.ones((1, outcome.size)))[0]
    risks = compute_logistic(drawn[usable])
    training = _compute_each(outcome, risks, cuts, counts[usable])
    test = _compute_each(outcome, risks, cuts, np.ones((1, outcome.size)))
    nothing = np.full(cuts.size, np.nan)
    optimism, low, high = nothing, nothing, nothing
    if len(risks):
        optimism, tail = (training - test).mean(axis=0), 0.5 - 0.5 * check_level(level)
        low, high = np.quantile(training, [tail, 1.0 - tail], axis=0) - optimism
    return CorrectedBenefit(
        threshold=cuts,
        apparent=apparent,
        optimism=optimism,
        corrected=apparent - optimism,
        low=low,
        high=high,
        used=len(risks),
    )


def _read_thresholds(thresholds: ArrayLike) -> Floats:
    cuts = read_array(thresholds, "thresholds")
    if cuts.ndim != 1 or not ((cuts > 0.0) & (cuts < 1.0)).all():
        raise_input("thresholds", "values outside 0 to 1", "a list of risks between 0 and 1", "Use 0.2 for 20%.")
    return cuts


def _compute_each(outcome: Floats, risk: Floats, cuts: Floats, weights: Floats) -> Floats:
    """Return the net benefit (B, t) of B models with risks (B, n), for case weights (1 or B, n)."""
    total = weights.sum(axis=1)
    columns = []
    for cut in cuts:
        gain = outcome - (1.0 - outcome) * cut / (1.0 - cut)
        columns.append(((risk >= cut) * weights) @ gain / total)
    return np.stack(columns, axis=1)


def _compute_benefits(outcome: Floats, risk: Floats, cuts: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the net benefit (B, t) of the model and of treating all, for case weights (B, n)."""
    treated = np.asarray(risk[:, None] >= cuts, dtype=np.float64)
    share = weights / weights.sum(axis=1, keepdims=True)
    odds = cuts / (1.0 - cuts)
    events, others = share * outcome, share * (1.0 - outcome)
    model = events @ treated - (others @ treated) * odds
    everybody = events.sum(axis=1, keepdims=True) - others.sum(axis=1, keepdims=True) * odds
    return model, everybody
