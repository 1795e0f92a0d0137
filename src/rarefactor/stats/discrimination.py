"""Discrimination: the area under the ROC curve with DeLong's interval, and the comparison of two scores.

Convention: a higher score means a higher risk; a tie between an event and a non-event counts half. The variance is
DeLong's, from sorted ranks (n log n), and the interval is Wald's cut at 0 and 1, as in pROC. Where the variance is 0
(every event outranks every non-event) it says nothing about patients not seen, so the interval is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, check_outcome, raise_input, read_array
from rarefactor.stats._ranks import compute_placements
from rarefactor.stats._tails import compute_normal_quantile, compute_normal_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Auc:
    """An area under the ROC curve with DeLong's standard error and limits; NaN limits where ``reason`` says why."""

    estimate: float
    se: float
    low: float
    high: float
    n: int
    events: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AucComparison:
    """Two scores of the same patients: the areas, their difference (first minus second) with limits, z and P."""

    first: Auc
    second: Auc
    difference: float
    low: float
    high: float
    z: float
    p: float


def compute_auc(y: ArrayLike, score: ArrayLike, *, level: float = 0.95) -> Auc:
    """Compute the area under the ROC curve with DeLong's interval.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    score
        Risk, log odds or any score (n,), higher meaning a higher risk.
    level
        The confidence level.

    Returns
    -------
    Auc
        Estimate, standard error, limits.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class, missing scores, other lengths.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating
    characteristic curves. Biometrics 1988;44:837-45.
    Sun X, Xu W. Fast implementation of DeLong's algorithm. IEEE Signal Process Lett 2014;21:1389-93.

    Examples
    --------
    >>> auc = compute_auc([0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.9])
    >>> round(auc.estimate, 3), round(auc.se, 3), round(auc.low, 3), auc.high
    (0.833, 0.236, 0.371, 1.0)
    """
    outcome, scores = _read_scores(y, score)
    areas, covariance = _compute_delong(scores, outcome)
    return _describe(float(areas[0]), float(covariance[0, 0]), outcome, check_level(level))


def compare_auc(y: ArrayLike, first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> AucComparison:
    """Compare the areas of two scores of the same patients by DeLong's test.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    first, second
        Two scores (n,).
    level
        The confidence level.

    Returns
    -------
    AucComparison
        The difference is first minus second; z and P are NaN where its variance is 0.

    Raises
    ------
    InputError
        As for :func:`compute_auc`.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating
    characteristic curves. Biometrics 1988;44:837-45.

    Examples
    --------
    >>> found = compare_auc([0, 0, 0, 1, 1, 1], [1, 2, 5, 3, 6, 7], [1, 5, 2, 4, 3, 6])
    >>> round(found.difference, 3), round(found.p, 3)
    (0.111, 0.724)
    """
    outcome, scores = _read_scores(y, first, second)
    areas, covariance = _compute_delong(scores, outcome)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    se = np.sqrt(variance) if variance > 1e-15 else np.nan
    half = compute_normal_quantile(0.5 + 0.5 * check_level(level)) * se
    return AucComparison(
        first=_describe(float(areas[0]), float(covariance[0, 0]), outcome, level),
        second=_describe(float(areas[1]), float(covariance[1, 1]), outcome, level),
        difference=difference,
        low=float(difference - half),
        high=float(difference + half),
        z=float(difference / se),
        p=float(compute_normal_tail(np.asarray(difference / se))),
    )


def _read_scores(y: ArrayLike, *scores: ArrayLike) -> tuple[Floats, Floats]:
    outcome = read_array(y, "y")
    check_outcome(outcome)
    read = [read_array(score, "score") for score in scores]
    if any(score.shape != outcome.shape for score in read):
        raise_input("score", "another length than y", f"{outcome.size} scores", "Give one score per patient.")
    stacked = np.stack(read)
    if np.isnan(stacked).any():
        raise_input("score", "missing values", "a score for every patient", "Leave these patients out.")
    return outcome, stacked


def _compute_delong(scores: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Return the areas (S,) of scores (S, n) and their covariance (S, S)."""
    of_events, of_others = compute_placements(scores, outcome)
    return of_events.mean(axis=1), _compute_mean_covariance(of_events) + _compute_mean_covariance(of_others)


def _compute_mean_covariance(values: Floats) -> Floats:
    """Return the covariance (S, S) of the means of values (S, m); NaN where there is one value only."""
    count = values.shape[1]
    if count < 2:
        return np.full((len(values), len(values)), np.nan)
    centred = values - values.mean(axis=1, keepdims=True)
    return centred @ centred.T / ((count - 1.0) * count)


def correct_auc(apparent: Auc, optimism: float, *, level: float = 0.95) -> Auc:
    """Correct an area for optimism, with an interval as sure as the apparent area is.

    DeLong's standard error is carried to the logit scale and laid around the corrected area. In small studies this
    interval holds the area that a model has in new patients about as often as it says, while quantiles of the area in
    resamples of an overfitted model, which press against 1, do not (docs/validation.md).

    Parameters
    ----------
    apparent
        The area in the patients from whom the model was made, in (0, 1).
    optimism
        How much of it is lost in others.
    level
        The confidence level.

    Returns
    -------
    Auc
        The corrected area; NaN limits, with the reason, where the apparent area has no variance.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating
    characteristic curves. Biometrics 1988;44:837-45.
    Noma H, Shinozaki T, Iba K, et al. Confidence intervals of prediction accuracy measures for multivariable prediction
    models based on the bootstrap-based optimism correction methods. Stat Med 2021;40:5691-701.

    Examples
    --------
    >>> apparent = compute_auc([0, 0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.6, 0.3, 0.5, 0.9, 0.8])
    >>> moved = correct_auc(apparent, 0.1)
    >>> round(moved.estimate, 3), round(moved.low, 3), round(moved.high, 3)
    (0.817, 0.178, 0.989)
    """
    area = apparent.estimate - optimism
    reason = apparent.reason or ("" if 0.0 < area < 1.0 else "a corrected area outside 0 to 1: no interval")
    limits = (np.nan, np.nan)
    if not reason:
        half = compute_normal_quantile(0.5 + 0.5 * check_level(level)) * apparent.se
        half /= apparent.estimate * (1.0 - apparent.estimate)
        centre = np.log(area / (1.0 - area))
        limits = tuple(1.0 / (1.0 + np.exp(-centre + np.array([half, -half]))))
    return replace(apparent, estimate=area, low=float(limits[0]), high=float(limits[1]), reason=reason)


def _describe(area: float, variance: float, outcome: Floats, level: float) -> Auc:
    reason = _explain(variance)
    half = compute_normal_quantile(0.5 + 0.5 * level) * np.sqrt(variance) if not reason else np.nan
    return Auc(
        estimate=area,
        se=float(np.sqrt(variance)),
        low=float(np.maximum(area - half, 0.0)),
        high=float(np.minimum(area + half, 1.0)),
        n=outcome.size,
        events=int(outcome.sum()),
        reason=reason,
    )


def _explain(variance: float) -> str:
    if np.isnan(variance):
        return "one patient only in an outcome class: no variance"
    return "" if variance > 0.0 else "the score separates the outcome classes: no variance"
