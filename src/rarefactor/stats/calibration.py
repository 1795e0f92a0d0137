"""Calibration: whether predicted risks are the risks that come true, as a line and as a flexible curve.

Convention: the line regresses the outcome on the predicted log odds (intercept 0 and slope 1 are perfect; a slope below
1 means too extreme risks); calibration in the large is the intercept with the slope held at 1. The curve is a
restricted cubic spline of the predicted log odds, straight beyond its outer knots, fitted by maximum likelihood; its
limits are pointwise, from the delta method on the log odds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._risk import compute_log_odds, compute_logistic, compute_logit, read_predictions
from rarefactor.stats._tails import compute_normal_quantile
from rarefactor.stats.logistic import ManyFits, fit_many

KNOTS = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}
"""Where Harrell puts the knots, as quantiles of the predicted log odds."""

POINTS = 51


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The calibration line of predicted risks, each with standard error (Wald) and profile-likelihood limits.

    ``in_the_large`` is the intercept with the slope held at 1; ``intercept`` and ``slope`` are fitted together.
    ``ci`` values are (low, high); NaN where ``reason`` says why.
    """

    in_the_large: float
    in_the_large_se: float
    in_the_large_ci: tuple[float, float]
    intercept: float
    intercept_se: float
    intercept_ci: tuple[float, float]
    slope: float
    slope_se: float
    slope_ci: tuple[float, float]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationCurve:
    """Observed against predicted risk: ``risk``, ``observed``, ``low``, ``high`` (g,).

    ``knots`` are in log odds, empty where predictions had too few distinct values and a straight line was fitted.
    """

    risk: Floats
    observed: Floats
    low: Floats
    high: Floats
    knots: tuple[float, ...]
    converged: bool
    reason: str


def compute_calibration(y: ArrayLike, risk: ArrayLike, *, level: float = 0.95) -> Calibration:
    """Compute calibration in the large, calibration intercept and slope.

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
    Calibration
        Estimates with standard errors and profile limits.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class, risks of 0 or 1.

    References
    ----------
    Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562-5.
    Van Calster B, et al. Calibration: the Achilles heel of predictive analytics. BMC Med 2019;17:230.

    Examples
    --------
    >>> found = compute_calibration([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.5, 0.6, 0.9])
    >>> round(found.in_the_large, 3), round(found.slope, 3)
    (0.377, 1.471)
    """
    outcome, risks = read_predictions(y, risk)
    log_odds = compute_logit(risks)[None]
    line = fit_lines(log_odds, outcome, intervals=True, level=check_level(level))
    level_only = fit_levels(log_odds, outcome, intervals=True, level=level)
    return Calibration(
        in_the_large=float(level_only.coef[0, 0]),
        in_the_large_se=float(level_only.se[0, 0]),
        in_the_large_ci=(float(level_only.ci[0, 0, 0]), float(level_only.ci[0, 0, 1])),
        intercept=float(line.coef[0, 0]),
        intercept_se=float(line.se[0, 0]),
        intercept_ci=(float(line.ci[0, 0, 0]), float(line.ci[0, 0, 1])),
        slope=float(line.coef[0, 1]),
        slope_se=float(line.se[0, 1]),
        slope_ci=(float(line.ci[0, 1, 0]), float(line.ci[0, 1, 1])),
        reason=line.reason[0],
    )


def fit_lines(
    log_odds: Floats, outcome: Floats, weights: Floats | None = None, *, intervals: bool = False, level: float = 0.95
) -> ManyFits:
    """Fit the calibration lines of B models: ``log_odds`` (B, n), ``weights`` (n,) or (B, n)."""
    return fit_many(
        log_odds[:, :, None],
        outcome,
        penalty="none",
        weights=weights,
        start=np.array([0.0, 1.0]),
        intervals=intervals,
        level=level,
    )


def fit_levels(
    log_odds: Floats, outcome: Floats, weights: Floats | None = None, *, intervals: bool = False, level: float = 0.95
) -> ManyFits:
    """Fit calibration in the large of B models: an intercept beside the log odds (B, n) as they are."""
    nothing = np.empty((outcome.shape[-1], 0))
    return fit_many(
        nothing, outcome, penalty="none", weights=weights, offset=log_odds, intervals=intervals, level=level
    )


def compute_calibration_curve(
    y: ArrayLike, risk: ArrayLike, *, knots: int = 3, at: ArrayLike | None = None, level: float = 0.95
) -> CalibrationCurve:
    """Fit a flexible calibration curve with pointwise limits.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    risk
        Predicted risks (n,), strictly between 0 and 1.
    knots
        3, 4 or 5 knots at Harrell's quantiles of the predicted log odds; few events want 3.
    at
        Predicted risks at which to read the curve; by default 51 from the lowest to the highest prediction.
    level
        The confidence level.

    Returns
    -------
    CalibrationCurve
        NaN with a ``reason`` where the spline could not be fitted.

    Raises
    ------
    InputError
        As for :func:`compute_calibration`; another number of knots.

    References
    ----------
    Harrell FE. Regression modeling strategies. 2nd ed. Springer; 2015. Section 2.4.
    Austin PC, Steyerberg EW. Graphical assessment of internal and external calibration of logistic regression models by
    using loess smoothers. Stat Med 2014;33:517-35.

    Examples
    --------
    >>> curve = compute_calibration_curve([0, 0, 1, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.35, 0.5, 0.6, 0.7, 0.9], at=[0.5])
    >>> curve.observed.round(2), len(curve.knots)
    (array([0.61]), 3)
    """
    outcome, risks = read_predictions(y, risk)
    if knots not in KNOTS:
        raise_input("knots", f"{knots}", "3, 4 or 5", "Use 3 with few events.")
    grid = np.linspace(risks.min(), risks.max(), POINTS) if at is None else read_array(at, "at")
    log_odds = compute_logit(risks)[None]
    places = choose_knots(log_odds, knots)
    usable = bool((np.diff(places[0]) > 1e-8).all())
    basis = build_spline(log_odds, places) if usable else log_odds[:, :, None]
    on_grid = compute_logit(grid)[None]
    grid_basis = build_spline(on_grid, places) if usable else on_grid[:, :, None]
    fits = fit_many(basis, outcome, penalty="none")
    centre = compute_log_odds(fits.coef, grid_basis)[0]
    half = compute_normal_quantile(0.5 + 0.5 * check_level(level)) * _compute_curve_se(fits, grid_basis)
    return CalibrationCurve(
        risk=grid,
        observed=compute_logistic(centre),
        low=compute_logistic(centre - half),
        high=compute_logistic(centre + half),
        knots=tuple(places[0].tolist()) if usable else (),
        converged=bool(fits.converged[0]),
        reason=fits.reason[0],
    )


def _compute_curve_se(fits: ManyFits, basis: Floats) -> Floats:
    """Return the standard errors (g,) of the log odds at the rows of a basis (1, g, q)."""
    design = np.column_stack([np.ones(basis.shape[1]), basis[0]])
    return np.sqrt(((design @ fits.covariance[0]) * design).sum(axis=1))


def choose_knots(log_odds: Floats, knots: int) -> Floats:
    """Return the knots (B, knots) of log odds (B, n)."""
    return np.quantile(log_odds, KNOTS[knots], axis=1).T


def build_spline(values: Floats, knots: Floats) -> Floats:
    """Return the restricted cubic spline basis (B, g, knots - 1) of values (B, g): the value, then its bends.

    The bends are divided by the squared distance of the outer knots, so that all columns have one unit.
    """
    left, right = knots[:, :1], knots[:, -1:]
    before = knots[:, -2:-1]
    outer = _cube(values, right)
    inner = _cube(values, before)
    columns = [values]
    for place in range(knots.shape[1] - 2):
        knot = knots[:, place : place + 1]
        bend = (
            _cube(values, knot) - inner * (right - knot) / (right - before) + outer * (before - knot) / (right - before)
        )
        columns.append(bend / np.square(right - left))
    return np.stack(columns, axis=2)


def _cube(values: Floats, knot: Floats) -> Floats:
    return np.maximum(values - knot, 0.0) ** 3
