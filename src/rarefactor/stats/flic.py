"""Firth's logistic regression with risks that are right on average: FLIC and FLAC.

Firth's penalty pulls risks towards one half. FLIC keeps Firth's slopes and refits the intercept by maximum likelihood;
FLAC adds Firth's pseudo-patients as data of their own, marked by a column that is left out when predicting. Either way
the predicted risks add up to the events. Raw Firth risks are not for predicting.

Convention: the intercept stands first. FLIC's slopes have Firth's profile limits and tests; its intercept has Wald's,
from the information at the corrected risks. FLAC's limits and tests are those of the likelihood of the augmented data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats, compute_inverse
from rarefactor.stats._estimable import fit_estimable
from rarefactor.stats._inputs import raise_input, read_array
from rarefactor.stats._risk import compute_log_odds, compute_logistic
from rarefactor.stats._tails import compute_normal_quantile, compute_normal_tail
from rarefactor.stats.calibration import fit_levels
from rarefactor.stats.logistic import LogisticFit, ManyFits, fit_logistic, fit_many

CORRECTIONS = ("flic", "flac")
PORTION = 4_000_000
"""How many numbers of augmented data are held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFit:
    """A regression for predicting risks; arrays have the intercept first.

    ``coef``, ``se``, ``p`` (k,), ``ci`` (k, 2); ``risk`` (n,) of the patients it was fitted to.
    """

    method: str
    names: tuple[str, ...]
    level: float
    coef: Floats
    se: Floats
    ci: Floats
    p: Floats
    risk: Floats
    converged: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyRiskFits:
    """B regressions for predicting risks: ``coef`` (B, k) and ``log_odds`` (B, n), NaN where ``reason`` says why."""

    coef: Floats
    log_odds: Floats
    reason: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Data:
    """Columns (n, p) or (B, n, p), outcome (n,) or (B, n), weights (1 or B, n), offset (n,)."""

    columns: Floats
    outcome: Floats
    weights: Floats
    offset: Floats


def fit_risk(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "flic",
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> RiskFit:
    """Fit one Firth regression whose predicted risks add up to the events.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}.
    method
        "flic" (intercept refitted) or "flac" (augmented data).
    weights
        Case weights (n,).
    offset
        Known part of the log odds (n,).
    names
        Names of the columns.
    level
        The confidence level.

    Returns
    -------
    RiskFit
        With ``converged`` and ``reason``.

    Raises
    ------
    InputError
        As for :func:`fit_logistic`; an unknown method.

    References
    ----------
    Puhr R, Heinze G, Nold M, Lusa L, Geroldinger A. Firth's logistic regression with rare events: accurate effect
    estimates and predictions? Stat Med 2017;36:2302-17.

    Examples
    --------
    An empty cell: 0 events in 30 patients without the factor, 5 in 25 with it.

    >>> x, y = np.repeat([[0.0], [1.0]], [30, 25], axis=0), np.repeat([0, 1, 0], [30, 5, 20])
    >>> fit_risk(x, y).risk[[0, -1]].round(4), fit_risk(x, y, method="flac").risk.sum().round(6)
    (array([0.0136, 0.1837]), np.float64(5.0))
    """
    _check_method(method)
    firth = fit_logistic(X, y, weights=weights, offset=offset, names=names, level=level)
    data = _read(X, y, weights, offset)
    if not firth.converged:
        return _describe(firth, method, data, np.full((len(firth.coef), 5), np.nan))
    return _fit_flic(firth, data) if method == "flic" else _fit_flac(firth, data)


def fit_many_risks(
    X: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "flic",
    weights: ArrayLike | None = None,
    start: ArrayLike | None = None,
) -> ManyRiskFits:
    """Fit B regressions for predicting risks and predict for every row, drawn or not.

    Parameters
    ----------
    X
        Columns (n, p) or (B, n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}.
    method
        "flic", "flac", "firth" (raw risks, for comparison) or "none" (maximum likelihood).
    weights
        Case weights (n,) or (B, n).
    start
        Coefficients (p + 1,) to start from.

    Returns
    -------
    ManyRiskFits
        A regression that fails (separated under maximum likelihood, a column of one value) is a value with a reason.

    References
    ----------
    Puhr R, et al. Firth's logistic regression with rare events. Stat Med 2017;36:2302-17.

    Examples
    --------
    >>> x, y = np.repeat([[0.0], [1.0]], [30, 25], axis=0), np.repeat([0, 1, 0], [30, 5, 20])
    >>> many = fit_many_risks(x, y, weights=np.ones((2, 55)))
    >>> np.exp(many.log_odds[:, 0]).round(4), many.reason
    (array([0.0138, 0.0138]), ('', ''))
    """
    data = _read(X, y, weights, None)
    penalty = "none" if method == "none" else "firth"
    fits = fit_many(data.columns, data.outcome, penalty=penalty, weights=data.weights, start=start)
    coef, reason = np.where(fits.converged[:, None], fits.coef, np.nan), fits.reason
    if method in CORRECTIONS:
        corrected, later = _correct_intercepts(coef, data) if method == "flic" else _correct_by_data(fits, data)
        coef, reason = corrected, tuple(first or second for first, second in zip(reason, later, strict=True))
    elif method not in {"firth", "none"}:
        _check_method(method)
    return ManyRiskFits(coef=coef, log_odds=compute_log_odds(coef, data.columns), reason=reason)


def correct_risks(
    coef: Floats, columns: Floats, outcome: Floats, weights: Floats, *, method: str = "flic"
) -> tuple[Floats, tuple[str, ...]]:
    """Return Firth coefficients (B, k) corrected for predicting, and why that failed (B,).

    ``columns`` (n, p) or (B, n, p), ``outcome`` (n,) or (B, n), ``weights`` (1 or B, n), ``method`` "flic", "flac" or
    "firth" (as they are). A column whose coefficient is exactly 0 was left out of the model, and stays out.

    Examples
    --------
    >>> x, y = np.repeat([[0.0], [1.0]], [30, 25], axis=0), np.repeat([0, 1, 0], [30, 5, 20])
    >>> firth, once = fit_logistic(x, y).coef[None], np.ones((1, 55))
    >>> [correct_risks(firth, x, y, once, method=name)[0].round(2).tolist() for name in ("firth", "flic", "flac")]
    [[[-4.11, 2.8]], [[-4.29, 2.8]], [[-4.52, 3.06]]]
    """
    data = _Data(columns, outcome, weights, np.zeros(outcome.shape[-1]))
    if method == "firth":
        return coef, ("",) * len(coef)
    return _correct_intercepts(coef, data) if method == "flic" else _correct_in_portions(coef, data)


def _correct_in_portions(coef: Floats, data: _Data) -> tuple[Floats, tuple[str, ...]]:
    size = max(1, PORTION // (3 * data.outcome.shape[-1] * (coef.shape[1] + 1)))
    parts = [_correct_estimable(*_take(coef, data, first, size)) for first in range(0, len(coef), size)]
    return np.concatenate([found for found, _ in parts]), tuple(each for _, reason in parts for each in reason)


def _take(coef: Floats, data: _Data, first: int, size: int) -> tuple[Floats, _Data]:
    def cut(values: Floats, dimensions: int) -> Floats:
        return values if values.ndim < dimensions or len(values) == 1 else values[first : first + size]

    taken = _Data(cut(data.columns, 3), cut(data.outcome, 2), cut(data.weights, 2), data.offset)
    return coef[first : first + size], taken


def _correct_estimable(coef: Floats, data: _Data) -> tuple[Floats, tuple[str, ...]]:
    """Return the coefficients (B, k) of the augmented data of what each model holds."""
    known = np.isfinite(coef).all(axis=1, keepdims=True)
    firth = np.where(known, coef, 0.0)
    held = np.asarray(firth[:, 1:] != 0.0)
    own = data if held.all() else _Data(data.columns * held[:, None, :], data.outcome, data.weights, data.offset)
    columns, outcome, weights = _augment(firth, _compute_covariance(firth, own), own)
    found, reason = fit_estimable(columns, outcome, weights, penalty="none", start=_shared_start(firth))
    return np.where(known, found[:, :-1], np.nan), reason


def _shared_start(coef: Floats) -> Floats:
    return np.append(coef.mean(axis=0), 0.0)


def _compute_covariance(coef: Floats, data: _Data) -> Floats:
    """Return the generalised inverse (B, k, k) of Fisher's information: columns without information have none."""
    risk = compute_logistic(compute_log_odds(coef, data.columns, data.offset))
    design = np.concatenate([np.ones((*data.columns.shape[:-1], 1)), data.columns], axis=-1)
    weighted = design * (data.weights * risk * (1.0 - risk))[:, :, None]
    information = np.swapaxes(weighted, 1, 2) @ design
    size = np.sqrt(np.diagonal(information, axis1=1, axis2=2))
    size = np.where(size > 0.0, size, 1.0)
    both = size[:, :, None] * size[:, None, :]
    return np.linalg.pinv(information / both, rcond=1e-10, hermitian=True) / both


def _correct_intercepts(coef: Floats, data: _Data) -> tuple[Floats, tuple[str, ...]]:
    slopes = compute_log_odds(coef * np.r_[0.0, np.ones(coef.shape[1] - 1)], data.columns, data.offset)
    levels = fit_levels(slopes, data.outcome, data.weights)
    intercept = np.where(levels.converged, levels.coef[:, 0], np.nan)
    failed = np.isnan(intercept)[:, None]
    return np.where(failed, np.nan, np.column_stack([intercept, coef[:, 1:]])), levels.reason


def _correct_by_data(firth: ManyFits, data: _Data) -> tuple[Floats, tuple[str, ...]]:
    """Return the coefficients (B, k) of the augmented data without the mark's, and why they failed."""
    fits = _fit_augmented(firth.coef, firth.covariance, data)
    return np.where(fits.converged[:, None], fits.coef[:, :-1], np.nan), fits.reason


def _fit_augmented(
    coef: Floats, covariance: Floats, data: _Data, *, inference: bool = False, level: float = 0.95
) -> ManyFits:
    """Fit the patients by maximum likelihood, each twice more, marked, with half its leverage and either outcome."""
    columns, outcome, weights = _augment(coef, covariance, data)
    start = np.column_stack([coef, np.zeros(len(coef))])
    return fit_many(
        columns,
        outcome,
        penalty="none",
        weights=weights,
        offset=np.tile(data.offset, 3),
        start=np.where(np.isfinite(start), start, 0.0),
        tests=inference,
        intervals=inference,
        level=level,
    )


def _augment(coef: Floats, covariance: Floats, data: _Data) -> tuple[Floats, Floats, Floats]:
    """Return columns (..., 3n, p + 1), outcome (..., 3n) and weights (B, 3n) of patients and marked pseudo-patients."""
    half = 0.5 * compute_leverage(coef, covariance, data)
    half = np.where(np.isfinite(half), half, 0.0)
    columns = np.concatenate([data.columns] * 3, axis=-2)
    rows = data.outcome.shape[-1]
    mark = np.broadcast_to((np.arange(3 * rows) >= rows)[:, None], (*columns.shape[:-1], 1))
    outcome = np.concatenate([data.outcome, data.outcome, 1.0 - data.outcome], axis=-1)
    weights = np.concatenate([np.broadcast_to(data.weights, half.shape), half, half], axis=1)
    return np.concatenate([columns, mark], axis=-1), outcome, weights


def compute_leverage(coef: Floats, covariance: Floats, data: _Data) -> Floats:
    """Return the diagonal (B, n) of the hat matrix: the share that each row has in its own fitted value."""
    risk = compute_logistic(compute_log_odds(coef, data.columns, data.offset))
    ones = np.ones((*data.columns.shape[:-1], 1))
    design = np.concatenate([ones, data.columns], axis=-1)
    return data.weights * risk * (1.0 - risk) * ((design @ covariance) * design).sum(axis=-1)


def _fit_flic(firth: LogisticFit, data: _Data) -> RiskFit:
    coef, reason = _correct_intercepts(firth.coef[None], data)
    se = _compute_intercept_se(coef, data)
    half = compute_normal_quantile(0.5 + 0.5 * firth.level) * se
    intercept = coef[0, 0]
    p = float(compute_normal_tail(np.asarray(intercept / se)))
    table = np.column_stack([coef[0], firth.se, firth.ci, firth.p])
    table[0, 1:] = se, intercept - half, intercept + half, p
    return _describe(firth, "flic", data, table, reason[0])


def _compute_intercept_se(coef: Floats, data: _Data) -> float:
    """Return the standard error of the intercept from the information of all columns at the corrected risks."""
    risk = compute_logistic(compute_log_odds(coef, data.columns, data.offset))[0]
    design = np.column_stack([np.ones(len(risk)), data.columns])
    information = (design * (data.weights[0] * risk * (1.0 - risk))[:, None]).T @ design
    return float(np.sqrt(compute_inverse(information[None]).matrix[0, 0, 0]))


def _fit_flac(firth: LogisticFit, data: _Data) -> RiskFit:
    fits = _fit_augmented(firth.coef[None], firth.covariance[None], data, inference=True, level=firth.level)
    table = np.column_stack([fits.coef[0], fits.se[0], fits.ci[0], fits.p[0]])[:-1]
    return _describe(firth, "flac", data, table, fits.reason[0])


def _describe(firth: LogisticFit, method: str, data: _Data, table: Floats, reason: str = "") -> RiskFit:
    """Assemble a fit from its table (k, 5) of coefficient, standard error, limits and P."""
    coef = table[:, 0]
    return RiskFit(
        method=method,
        names=firth.names,
        level=firth.level,
        coef=coef,
        se=table[:, 1],
        ci=table[:, 2:4],
        p=table[:, 4],
        risk=compute_logistic(compute_log_odds(coef[None], data.columns, data.offset))[0],
        converged=not (firth.reason or reason),
        reason=firth.reason or reason,
    )


def _read(X: ArrayLike, y: ArrayLike, weights: ArrayLike | None, offset: ArrayLike | None) -> _Data:
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    if columns.ndim < 2 or columns.shape[-2] != outcome.size:
        raise_input("X", f"shape {columns.shape}", f"{outcome.size} rows, as y", "Give one row per patient.")
    return _Data(
        columns=columns,
        outcome=outcome,
        weights=np.ones((1, outcome.size)) if weights is None else np.atleast_2d(read_array(weights, "weights")),
        offset=np.zeros(outcome.size) if offset is None else read_array(offset, "offset"),
    )


def _check_method(method: str) -> None:
    if method not in CORRECTIONS:
        raise_input("method", repr(method), f"one of {', '.join(CORRECTIONS)}", "Use flic.")
