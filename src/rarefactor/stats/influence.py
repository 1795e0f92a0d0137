"""Influence of single patients: hat values, Cook's distance, and every odds ratio with each patient left out.

Convention: leaving out is done, not approximated: n refits in one batch. Cook's distance is the usual one-step formula
(Pearson residual and hat value), as R's ``cooks.distance``, at the fit of the stated penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import read_array
from rarefactor.stats._risk import compute_log_odds, compute_logistic
from rarefactor.stats.logistic import fit_logistic, fit_many

ALONE = 1e-9
"""How near to 1 a hat value is of a patient who alone decides a coefficient (the only one with a level)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """How far each of n patients moves a regression at once: ``hat`` and ``cook``, (n,), or (m, n) of m imputations.

    NaN where the fit failed; ``cook`` is infinite where a patient alone decides a coefficient.
    """

    hat: Floats
    cook: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What each of n patients does to a regression; the intercept stands first among k coefficients.

    ``hat``, ``cook`` (n,); ``coef`` (k,) with all patients, ``coef_without`` (n, k) without each, ``change`` (n, k) the
    difference (without minus with). NaN or infinite where a refit failed, and ``reason`` (n,) says why.
    """

    names: tuple[str, ...]
    penalty: str
    hat: Floats
    cook: Floats
    coef: Floats
    coef_without: Floats
    change: Floats
    reason: tuple[str, ...]

    @property
    def odds_ratio(self) -> Floats:
        """Odds ratios (k,) with all patients."""
        return np.exp(self.coef)

    @property
    def odds_ratio_without(self) -> Floats:
        """Odds ratios (n, k) without each patient."""
        return np.exp(self.coef_without)


def compute_influence(
    X: ArrayLike,
    y: ArrayLike,
    *,
    penalty: str = "firth",
    weights: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> Influence:
    """Compute hat values, Cook's distances and the coefficients without each patient.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}.
    penalty
        As for :func:`fit_logistic`.
    weights
        Case weights (n,); a row is left out with all its weight.
    names
        Names of the columns.

    Returns
    -------
    Influence
        One row per patient.

    Raises
    ------
    InputError
        As for :func:`fit_logistic`.

    References
    ----------
    Pregibon D. Logistic regression diagnostics. Ann Stat 1981;9:705-24.

    Examples
    --------
    >>> found = compute_influence([[1.0], [2.0], [3.0], [4.0], [5.0], [9.0]], [0, 1, 0, 1, 0, 1])
    >>> found.odds_ratio[1].round(2), found.odds_ratio_without[:, 1].round(2)
    (np.float64(1.22), array([1.09, 1.41, 1.17, 1.23, 1.28, 1.  ]))
    """
    fit = fit_logistic(X, y, penalty=penalty, weights=weights, names=names, tests=False, intervals=False)
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    each = np.ones(outcome.size) if weights is None else read_array(weights, "weights")
    start = np.where(np.isfinite(fit.coef), fit.coef, 0.0)
    without = fit_many(columns, outcome, penalty=penalty, weights=each * (1.0 - np.eye(outcome.size)), start=start)
    hat, cook = _compute_cook(fit.coef, fit.covariance, (columns, outcome, each))
    with np.errstate(invalid="ignore"):  # infinite less infinite has no value
        change = without.coef - fit.coef
    return Influence(
        names=fit.names,
        penalty=penalty,
        hat=hat,
        cook=cook,
        coef=fit.coef,
        coef_without=without.coef,
        change=change,
        reason=without.reason,
    )


def compute_distances(X: ArrayLike, y: ArrayLike, *, penalty: str = "firth") -> Distances:
    """Compute hat values and Cook's distances without leaving anybody out, of one data set or of its imputations.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept, or imputations (m, n, p).
    y
        Outcome (n,) in {0, 1}.
    penalty
        As for :func:`fit_logistic`.

    Returns
    -------
    Distances
        Of each patient, in each imputation where there are any.

    Raises
    ------
    InputError
        As for :func:`fit_many`.

    References
    ----------
    Cook RD. Detection of influential observation in linear regression. Technometrics 1977;19:15-8.
    Pregibon D. Logistic regression diagnostics. Ann Stat 1981;9:705-24.

    Examples
    --------
    >>> found = compute_distances([[1.0], [2.0], [3.0], [4.0], [5.0], [9.0]], [0, 1, 0, 1, 0, 1])
    >>> found.cook.round(2), round(float(found.hat.sum()), 6)
    (array([0.26, 0.39, 0.12, 0.14, 0.2 , 2.51]), 2.0)
    """
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    fits = fit_many(columns, outcome, penalty=penalty)
    each = np.ones(outcome.size)
    tables = columns if columns.ndim == 3 else columns[None]
    coef = np.where(fits.converged[:, None], fits.coef, np.nan)
    fitted = zip(coef, fits.covariance, tables, strict=True)
    found = [_compute_cook(beta, spread, (table, outcome, each)) for beta, spread, table in fitted]
    hat, cook = (np.stack(values) for values in zip(*found, strict=True))
    return Distances(hat=hat, cook=cook) if columns.ndim == 3 else Distances(hat=hat[0], cook=cook[0])


def _compute_cook(coef: Floats, covariance: Floats, data: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Return hat values and Cook's distances (n,); NaN where the coefficients are not finite."""
    columns, outcome, weights = data
    risk = compute_logistic(compute_log_odds(coef[None], columns))[0]
    design = np.column_stack([np.ones(len(columns)), columns])
    variance = risk * (1.0 - risk)
    hat = weights * variance * ((design @ covariance) * design).sum(axis=1)
    residual = np.square(outcome - risk) * weights / variance
    free = np.where(hat < 1.0 - ALONE, 1.0 - hat, 0.0)
    with np.errstate(divide="ignore"):  # whoever alone decides a coefficient moves it without end
        return hat, residual * hat / (coef.size * np.square(free))
