"""The equation of a risk model: coefficients for predicting, what shrinking them gives, and their covariance.

Convention: the intercept stands first. ``coef`` are Firth's coefficients corrected for predicting (FLIC, FLAC, or not),
averaged over completed data sets; ``shrunken`` are the same slopes times a uniform factor, with an intercept fitted
anew so that the risks again add up to the events. ``covariance`` is that of ``coef`` (Rubin's rules over completed data
sets) and is not shrunken with them. A column that selection left out has coefficient and covariance 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._estimable import fit_estimable
from rarefactor.stats._inputs import check_level, check_outcome, raise_input, read_array
from rarefactor.stats._risk import compute_log_odds, compute_logistic
from rarefactor.stats._tails import compute_normal_quantile
from rarefactor.stats.flic import correct_risks
from rarefactor.stats.imputed_selection import stack
from rarefactor.stats.select import SelectionRule, fit_selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """A risk model of p columns, k = p + 1.

    ``coef``, ``shrunken`` (k,), ``covariance`` (k, k) of ``coef``, ``centre`` (p,) the mean of each column. NaN where
    ``reason`` says why there is no model.
    """

    method: str
    shrinkage: float
    coef: Floats
    shrunken: Floats
    covariance: Floats
    centre: Floats
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedRisks:
    """Risks (n,) with limits, and their ``log_odds``."""

    log_odds: Floats
    risk: Floats
    low: Floats
    high: Floats


def fit_equation(
    X: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "flic",
    shrinkage: float = 1.0,
    terms: Mapping[str, Sequence[int]] | None = None,
    rule: SelectionRule | None = None,
) -> Equation:
    """Fit the equation of a risk model.

    Parameters
    ----------
    X
        Columns (n, p), or (m, n, p) of m completed data sets, without an intercept.
    y
        Outcome (n,) in {0, 1}.
    method
        "flic", "flac" or "firth", as for :func:`fit_many_risks`.
    shrinkage
        The factor for the slopes, above 0 and at most 1, such as the optimism-corrected calibration slope.
    terms, rule
        As for :func:`fit_selection`, where terms are to be selected.

    Returns
    -------
    Equation
        A fit that fails is a value with a reason.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class, a shrinkage out of range.

    References
    ----------
    Puhr R, Heinze G, Nold M, Lusa L, Geroldinger A. Firth's logistic regression with rare events: accurate effect
    estimates and predictions? Stat Med 2017;36:2302-17.
    Steyerberg EW, Eijkemans MJC, Habbema JDF. Application of shrinkage techniques in logistic regression analysis: a
    case study. Stat Neerl 2001;55:76-88.

    Examples
    --------
    >>> x, y = np.repeat([[0.0], [1.0]], [30, 25], axis=0), np.repeat([0, 1, 0], [30, 5, 20])
    >>> found = fit_equation(x, y, shrinkage=0.8)
    >>> found.coef.round(2).tolist(), found.shrunken.round(2).tolist()
    ([-4.29, 2.8], [-3.8, 2.24])
    """
    completed, outcome = _read(X, y)
    if not 0.0 < shrinkage <= 1.0:
        raise_input("shrinkage", f"{shrinkage:g}", "above 0, at most 1", "Without a factor, give 1.")
    held, whole = _select(completed, outcome, terms, rule, method)
    own = completed * held
    each, reason = _fit_each(own, outcome, method)
    coef = each.mean(axis=0) if whole is None else whole
    why = next(filter(None, reason), "") or ("" if np.isfinite(coef).all() else "the selected model has no maximum")
    if why:
        each, coef = np.full_like(each, np.nan), np.full_like(coef, np.nan)
    return Equation(
        method=method,
        shrinkage=shrinkage,
        coef=coef,
        shrunken=coef if shrinkage == 1.0 or why else _shrink(coef, own, outcome, shrinkage),
        covariance=np.full((coef.size, coef.size), np.nan) if why else _pool_covariance(each, own),
        centre=completed.mean(axis=(0, 1)),
        reason=why,
    )


def predict_risks(equation: Equation, X: ArrayLike, *, level: float = 0.95) -> PredictedRisks:
    """Predict risks with limits.

    The limits are Wald's on the log odds: of the shrunken equation, as wide as before shrinking.

    Parameters
    ----------
    equation
        The model; only ``shrunken`` and ``covariance`` are looked at.
    X
        Columns (n, p) of new patients.
    level
        The confidence level.

    Examples
    --------
    >>> x, y = np.repeat([[0.0], [1.0]], [30, 25], axis=0), np.repeat([0, 1, 0], [30, 5, 20])
    >>> found = predict_risks(fit_equation(x, y), [[0.0], [1.0]])
    >>> found.risk.round(3).tolist(), found.low.round(3).tolist(), found.high.round(3).tolist()
    ([0.014, 0.184], [0.001, 0.076], [0.233, 0.382])
    """
    columns = np.atleast_2d(read_array(X, "X"))
    log_odds = compute_log_odds(equation.shrunken[None], columns)[0]
    design = np.column_stack([np.ones(len(columns)), columns])
    spread = np.sqrt(np.maximum(((design @ equation.covariance) * design).sum(axis=1), 0.0))
    half = compute_normal_quantile(0.5 + 0.5 * check_level(level)) * spread
    risk, low, high = (compute_logistic(values) for values in (log_odds, log_odds - half, log_odds + half))
    return PredictedRisks(log_odds=log_odds, risk=risk, low=low, high=high)


def _read(X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    check_outcome(outcome)
    if columns.ndim not in (2, 3) or columns.shape[-2] != outcome.size:
        raise_input("X", f"shape {columns.shape}", f"{outcome.size} rows, as y", "Give one row per patient.")
    return (columns if columns.ndim == 3 else columns[None]), outcome


def _select(
    completed: Floats,
    outcome: Floats,
    terms: Mapping[str, Sequence[int]] | None,
    rule: SelectionRule | None,
    method: str,
) -> tuple[Bools, Floats | None]:
    """Return which columns the model holds (p,), and the coefficients (k,) of what was selected."""
    if rule is None:
        return np.ones(completed.shape[2], dtype=np.bool_), None
    stacked, repeated, weights = stack(completed[None], outcome[None])
    found = fit_selection(stacked, repeated, terms=terms, rule=rule, weights=weights)
    coef, _ = correct_risks(found.coef, stacked, repeated, weights[None], method=method)
    return np.asarray(coef[0, 1:] != 0.0), coef[0]


def _fit_each(completed: Floats, outcome: Floats, method: str) -> tuple[Floats, tuple[str, ...]]:
    """Return corrected coefficients (m, k), and why there are none (m,)."""
    coef, reason = fit_estimable(completed, outcome)
    corrected, later = correct_risks(coef, completed, outcome, np.ones((1, outcome.size)), method=method)
    return corrected, tuple(first or second for first, second in zip(reason, later, strict=True))


def _shrink(coef: Floats, completed: Floats, outcome: Floats, shrinkage: float) -> Floats:
    """Return shrunken slopes with an intercept fitted anew, the mean over the completed data sets."""
    slopes = np.tile(np.r_[coef[0], shrinkage * coef[1:]], (len(completed), 1))
    again, _ = correct_risks(slopes, completed, outcome, np.ones((1, outcome.size)), method="flic")
    return np.r_[again[:, 0].mean(), slopes[0, 1:]]


def _pool_covariance(each: Floats, completed: Floats) -> Floats:
    """Return the covariance (k, k) by Rubin's rules; the information is Fisher's at the corrected risks."""
    held = np.r_[True, (each[:, 1:] != 0.0).any(axis=0)]
    risk = compute_logistic(compute_log_odds(each, completed))
    design = np.concatenate([np.ones((*completed.shape[:2], 1)), completed], axis=2)[:, :, held]
    information = np.swapaxes(design * (risk * (1.0 - risk))[:, :, None], 1, 2) @ design
    within = np.linalg.inv(information).mean(axis=0)
    m, off = len(each), each[:, held] - each[:, held].mean(axis=0)
    total = within + (1.0 + 1.0 / m) * (off.T @ off) / max(m - 1, 1)
    covariance = np.zeros((held.size, held.size))
    covariance[np.ix_(held, held)] = 0.5 * (total + total.T)
    return covariance
