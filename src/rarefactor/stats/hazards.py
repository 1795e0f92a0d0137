"""Whether the hazard ratios of a Cox model are constant over time: score tests, and a smooth of the residuals.

Convention: time is transformed (1 minus survival unless said otherwise); each coefficient may change with it, and the
tests ask whether it does. A scaled Schoenfeld residual is what one death says of a coefficient at its time; the smooth
of all is the log hazard ratio over time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import raise_input
from rarefactor.stats._partial_likelihood import Partial, build_partial
from rarefactor.stats.calibration import build_spline
from rarefactor.stats.compare import ChiSquareTest, compute_ranks
from rarefactor.stats.cox import CoxFit, compute_score, compute_test, read_model
from rarefactor.stats.survival import fit_kaplan_meier

TRANSFORMS = ("km", "rank", "identity", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardsCheck:
    """Whether hazard ratios change over time.

    ``chisq``, ``p`` (k,) test each column, ``terms`` the columns that were asked for together, ``whole`` all at once.
    For a plot, ``residuals`` (d, k) are the scaled Schoenfeld residuals of the d deaths, with the covariance ``spread``
    (k, k); ``time`` and ``at`` (d,) are the times of the deaths, as they are and transformed.
    """

    names: tuple[str, ...]
    transform: str
    chisq: Floats
    p: Floats
    terms: tuple[ChiSquareTest, ...]
    whole: ChiSquareTest
    time: Floats
    at: Floats
    residuals: Floats
    spread: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardsSmooth:
    """Log hazard ratios over time: ``estimate`` and ``se`` (q, k) at ``time`` and transformed time ``at`` (q,)."""

    time: Floats
    at: Floats
    estimate: Floats
    se: Floats


def compute_hazards_check(
    X: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    fit: CoxFit,
    *,
    terms: Sequence[Sequence[int]] = (),
    transform: str = "km",
) -> HazardsCheck:
    """Test whether the hazard ratios of a fit are constant over time.

    Each column's coefficient may change with a transform of time; the score test of that change, exact as in the
    current cox.zph of R (version 3), not the older approximation.

    Parameters
    ----------
    X, time, event
        The data of the fit.
    fit
        The fit; where it has no finite coefficients the tests are NaN.
    terms
        Places of columns to test together, such as those of one factor with several levels.
    transform
        "km" (1 minus survival), "rank", "identity" or "log" (needs times above 0).

    Returns
    -------
    HazardsCheck
        Tests and scaled Schoenfeld residuals.

    Raises
    ------
    InputError
        Data that cannot be those of a Cox model, or an unknown transform.

    References
    ----------
    Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted residuals. Biometrika
    1994;81:515-26.

    Examples
    --------
    >>> from rarefactor.stats import fit_cox
    >>> x, time, event = [[1], [0], [1], [0], [1], [0], [0], [1]], [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 1, 0, 1]
    >>> check = compute_hazards_check(x, time, event, fit_cox(x, time, event))
    >>> check.chisq.round(3), check.p.round(3)
    (array([1.176]), array([0.278]))
    """
    columns, _, times, events = read_model(X, time, event, fit.names)
    if transform not in TRANSFORMS:
        raise_input("transform", repr(transform), f"one of {', '.join(TRANSFORMS)}", suggest(transform, TRANSFORMS))
    partial, order = build_partial(columns, times, events, fit.ties)
    clock = _transform_time(times, events, transform)[order]
    beta = np.where(np.isfinite(fit.coef), fit.coef, np.nan) * partial.scale[0]
    dead = np.flatnonzero(partial.event)[::-1]
    bend, fisher, residuals = _compute_bend(partial, beta, clock - clock[dead].mean())
    single = [_test_together(bend, fisher, (column,)) for column in range(partial.width)]
    spread = fit.covariance * dead.size
    return HazardsCheck(
        names=fit.names,
        transform=transform,
        chisq=np.array([test.statistic for test in single]),
        p=np.array([test.p for test in single]),
        terms=tuple(_test_together(bend, fisher, places) for places in terms),
        whole=_test_together(bend, fisher, range(partial.width)),
        time=times[order][dead],
        at=clock[dead],
        residuals=residuals @ (spread * partial.scale[0][:, None]) + fit.coef,
        spread=spread,
    )


def _test_together(bend: Floats, fisher: Floats, columns: Sequence[int]) -> ChiSquareTest:
    """Test the change of some columns, whose own coefficients all columns adjust for."""
    k = len(bend) // 2
    places = [*range(k), *(k + column for column in columns)]
    return compute_test(compute_score(bend[None, places], fisher[None][:, places][:, :, places]), len(columns))


def _transform_time(times: Floats, events: Floats, transform: str) -> Floats:
    if transform == "km":
        curve = fit_kaplan_meier(times, events)
        return 1.0 - np.append(1.0, curve.survival)[np.searchsorted(curve.time, times, side="left")]
    if transform == "rank":
        return compute_ranks(times)
    if transform == "log" and (times <= 0.0).any():
        raise_input("transform", "times of 0", "times above 0 for their logarithm", 'Use "km" or "rank".')
    return np.log(times) if transform == "log" else times


def _compute_bend(partial: Partial, beta: Floats, clock: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the score (2k,) of a change with the clock (n,), its information (2k, 2k) and Schoenfeld residuals (d, k).

    The first k elements are of the coefficients themselves, whose score is zero at the fit.
    """
    sums = partial.evaluate(np.nan_to_num(beta)[None])
    spread, mean = sums.spread[0], sums.mean[0]
    at = clock[partial.deaths.last]
    weighted = [np.einsum("e,ekl->kl", partial.deaths.count * at**power, spread) for power in (0, 1, 2)]
    fisher = np.block([[weighted[0], weighted[1]], [weighted[1], weighted[2]]])
    dead = np.flatnonzero(partial.event)[::-1]
    first, end = partial.deaths.since[dead], partial.deaths.until[dead]
    running = np.concatenate([np.zeros((1, mean.shape[1])), np.cumsum(mean, axis=0)])
    residuals = partial.design[dead] - (running[end] - running[first]) / (end - first)[:, None]
    blank = np.where(np.isfinite(beta).all(), 1.0, np.nan)
    score = np.concatenate([np.zeros(partial.width), clock[dead] @ residuals])
    return score * blank, fisher, residuals


def compute_hazards_smooth(check: HazardsCheck, *, places: int = 40, bends: int = 2) -> HazardsSmooth:
    """Smooth the scaled Schoenfeld residuals by a natural cubic spline over transformed time, as R's plot.cox.zph.

    Parameters
    ----------
    check
        What :func:`compute_hazards_check` returned.
    places
        At how many equally spaced transformed times, from the first death to the last, the smooth is read.
    bends
        Inner knots; with 0 the smooth is a straight line.

    Returns
    -------
    HazardsSmooth
        NaN where the deaths come at too few distinct times, or the fit had no finite coefficients.

    References
    ----------
    Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted residuals. Biometrika
    1994;81:515-26.

    Examples
    --------
    >>> from rarefactor.stats import fit_cox
    >>> x, time, event = [[1], [0], [1], [0], [1], [0], [0], [1]], [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 1, 0, 1]
    >>> check = compute_hazards_check(x, time, event, fit_cox(x, time, event))
    >>> compute_hazards_smooth(check, places=3, bends=0).estimate.round(2).tolist()
    [[0.98], [-0.18], [-1.34]]
    """
    grid = np.linspace(check.at[0], check.at[-1], places)
    shares = np.linspace(0.0, 1.0, bends + 2)
    knots = np.quantile(np.concatenate([grid, check.at]), shares)
    own, there = (_lay_spline(values, knots) for values in (check.at, grid))
    distinct, first = np.unique(check.at, return_index=True)
    estimate = se = np.full((places, len(check.names)), np.nan)
    if distinct.size >= own.shape[1]:
        root = np.linalg.cholesky(own.T @ own)
        turned = np.linalg.solve(root, there.T)
        estimate = there @ np.linalg.solve(root.T, np.linalg.solve(root, own.T @ check.residuals))
        se = np.sqrt(np.square(turned).sum(axis=0)[:, None] * np.diagonal(check.spread))
    return HazardsSmooth(time=np.interp(grid, distinct, check.time[first]), at=grid, estimate=estimate, se=se)


def _lay_spline(values: Floats, knots: Floats) -> Floats:
    """Return the columns (g, q) of a natural spline of values (g,), with an intercept."""
    return np.column_stack([np.ones(values.size), build_spline(values[None], knots[None])[0]])
