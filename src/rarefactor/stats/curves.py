"""Profile likelihood curves: how far the best (penalised) log-likelihood falls as one coefficient moves away.

Convention: the intercept stands first; coefficients are log odds ratios per unit of a column. The fall is twice the
drop of the log-likelihood (a drop in deviance), so a 95 % interval is where it is at most 3.84. Penalties
keep all columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._batch import DEFAULT_PRIOR, Batch, read_batch
from rarefactor.stats._inference import choose_objective
from rarefactor.stats._inputs import check_penalty, raise_input, read_array
from rarefactor.stats._likelihood import Logistic
from rarefactor.stats._newton import Limits, Maximum, Stop, maximise
from rarefactor.stats._penalty import Objective
from rarefactor.stats.logistic import LogisticFit, fit_logistic

MARGIN = 0.3
"""How far a curve goes on beyond its bounds, as a share of the distance to them."""

WIDE = 6.0
"""Log odds per standard deviation that stand for a bound at infinity."""

PATIENT = Limits(rounds=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCurves:
    """One curve per coefficient, the intercept first.

    ``values`` (k, points), rising, and ``fall`` (k, points), twice the drop of the (penalised) log-likelihood below its
    maximum or supremum; NaN where a constrained fit failed. ``fit`` is the fit whose curves these are.
    """

    names: tuple[str, ...]
    values: Floats
    fall: Floats
    fit: LogisticFit


def compute_profiles(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    y: ArrayLike,
    *,
    penalty: str = "firth",
    prior_m: ArrayLike = DEFAULT_PRIOR,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    points: int | ArrayLike = 41,
    level: float = 0.95,
) -> ProfileCurves:
    """Trace the profile likelihood of every coefficient at once, for plots.

    Parameters
    ----------
    X, y, penalty, prior_m, weights, offset
        As in `fit_logistic`.
    points
        How many values, spread to a little beyond the bounds (and through the estimate), or the values themselves,
        (points,) for all coefficients or (p + 1, points), rising.
    level
        The confidence level of the bounds that the values reach beyond.

    Returns
    -------
    ProfileCurves
        Values of every coefficient and the fall at each.

    Raises
    ------
    InputError
        As `fit_logistic`; or points that are too few or do not rise.

    References
    ----------
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-19.

    Examples
    --------
    >>> x = np.repeat([0.0, 0.0, 1.0, 1.0], [20, 4, 10, 6])[:, None]
    >>> curves = compute_profiles(x, np.repeat([0, 1, 0, 1], [20, 4, 10, 6]), points=[-1.0, 0.0, 1.0, 3.0])
    >>> curves.fall[1].round(2).tolist()
    [8.08, 2.12, 0.0, 6.49]
    """
    fit = fit_logistic(
        X, y, penalty=check_penalty(penalty), prior_m=prior_m, weights=weights, offset=offset, level=level
    )
    batch = read_batch(X, y, prior_m=prior_m, weights=weights, offset=offset, fixed=None, start=None)
    likelihood, _ = batch.build()
    objective = choose_objective(likelihood, penalty, batch.prior)
    values = _lay_values(points, fit, batch)
    highest = fit.loglik - float(objective.constant()[0])
    fall = 2.0 * (highest - _trace(objective, values * likelihood.scale[0][:, None], fit))
    return ProfileCurves(names=fit.names, values=values, fall=np.maximum(fall, 0.0), fit=fit)


def _lay_values(points: int | ArrayLike, fit: LogisticFit, batch: Batch) -> Floats:
    given = read_array(points, "points")
    if given.ndim == 0:
        return _spread_values(int(given), fit, batch)
    values = np.array(np.broadcast_to(given, (fit.coef.size, given.shape[-1])))
    if not (np.isfinite(values).all() and (np.diff(values, axis=1) > 0.0).all()):
        raise_input("points", "values that are not finite and rising", "rising values of a coefficient", "Sort them.")
    return values


def _spread_values(count: int, fit: LogisticFit, batch: Batch) -> Floats:
    """Return ``count`` values (k, count) around the estimates, half of them on each side."""
    if count < 3:
        raise_input("points", str(count), "3 or more", "Use 41, the default.")
    spread = batch.design[0].std(axis=0)
    wide = WIDE / np.where(spread > 0.0, spread, 1.0)
    low, high = fit.ci.T
    low = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high - wide, -wide))
    high = np.where(np.isfinite(high), high, low + wide)
    middle = np.where(np.isfinite(fit.coef), fit.coef, 0.5 * (low + high))
    below, above = middle + (1.0 + MARGIN) * (low - middle), middle + (1.0 + MARGIN) * (high - middle)
    first = np.linspace(below, middle, count // 2 + 1, axis=1)
    return np.concatenate([first, np.linspace(middle, above, count - count // 2, axis=1)[:, 1:]], axis=1)


def _trace(objective: Objective[Logistic], values: Floats, fit: LogisticFit) -> Floats:
    """Return the best values (k, points) with each scaled coefficient held at ``values``.

    Every curve starts at the value nearest to the estimate and goes out both ways in step, each fit starting where the
    last one stopped: the profile of separated data can have several modes, and only small steps stay on the right one.
    """
    k, count = values.shape
    best = np.full((k, count), np.nan)
    centre = np.where(np.isfinite(fit.coef), fit.coef, 0.0) * objective.likelihood.scale[0]
    nearest = np.abs(values - centre[:, None]).argmin(axis=1)
    column = np.repeat(np.arange(k), 2)
    at, way = np.repeat(nearest, 2), np.tile([-1, 1], k)
    beta = np.tile(centre, (2 * k, 1))
    lanes = objective.take(np.zeros(2 * k, dtype=np.intp))
    held = np.eye(k, dtype=bool)[column]
    for _ in range(count):
        inside = np.clip(at, 0, count - 1)
        there = _fit_held(lanes, beta, held, values[column, inside])
        found = (there.stop == Stop.CONVERGED) | (there.stop == Stop.SEPARATED)
        best[column, inside] = np.where(found, there.point.value, np.nan)
        beta = np.where((there.stop == Stop.CONVERGED)[:, None], there.beta, beta)
        at = np.clip(at + way, 0, count - 1)
    return best


def _fit_held(objective: Objective[Logistic], beta: Floats, held: Bools, values: Floats) -> Maximum:
    return maximise(objective, np.where(held, values[:, None], beta), ~held, PATIENT)
