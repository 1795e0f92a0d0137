"""Pooling estimates of several studies: random effects by REML, with Hartung and Knapp's interval.

Convention: estimates are on the scale on which they are normal (log odds ratios), with their standard errors. The
heterogeneity tau2 is a variance on that scale; I2 and H2 are those of the typical within-study variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import (
    compute_chi2_tail,
    compute_normal_quantile,
    compute_normal_tail,
    compute_t_quantile,
    compute_t_tail,
)

METHODS = ("reml", "dl", "fixed")
TESTS = ("hartung-knapp", "ad-hoc", "normal")
ROUNDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """The mean of k studies with its interval, and how far they differ.

    ``low`` and ``high`` are of the mean, ``prediction`` of the effect in a further study. ``tau2`` has its limits by
    the Q profile. ``i2`` is a share (0 to 1); ``q`` is Cochran's, with ``q_p`` on k - 1 degrees of freedom. ``weights``
    (k,) add up to 1.
    """

    method: str
    test: str
    level: float
    studies: int
    estimate: float
    se: float
    statistic: float
    p: float
    low: float
    high: float
    prediction: tuple[float, float]
    tau2: float
    tau2_se: float
    tau2_limits: tuple[float, float]
    i2: float
    h2: float
    q: float
    q_p: float
    weights: Floats
    converged: bool
    reason: str


def pool_studies(
    estimates: ArrayLike, se: ArrayLike, *, method: str = "reml", test: str = "hartung-knapp", level: float = 0.95
) -> Pooled:
    """Pool estimates of independent studies.

    Parameters
    ----------
    estimates
        For example log odds ratios (k,).
    se
        Their standard errors (k,), positive.
    method
        Heterogeneity by "reml" or "dl" (DerSimonian and Laird), or "fixed" for none.
    test
        "hartung-knapp" (t distribution, variance from the spread of the studies), "ad-hoc" (the same, but never
        narrower than without it) or "normal".
    level
        The confidence level.

    Returns
    -------
    Pooled
        With one study: that study, the test normal, and no prediction interval.

    Raises
    ------
    InputError
        Missing estimates, standard errors that are not positive, an unknown method.

    References
    ----------
    Hartung J, Knapp G. A refined method for the meta-analysis of controlled clinical trials with binary outcome. Stat
    Med 2001;20:3875-89.
    Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects model. J Educ Behav
    Stat 2005;30:261-93.
    Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis. Stat Med 2007;26:37-52.

    Examples
    --------
    >>> pooled = pool_studies([0.5, 1.2, 0.9], [0.3, 0.4, 0.25])
    >>> round(pooled.estimate, 3), round(pooled.low, 3), round(pooled.high, 3), round(pooled.i2, 3)
    (0.823, 0.052, 1.594, 0.0)
    """
    values, spread = read_array(estimates, "estimates"), read_array(se, "se")
    _check_studies(values, spread)
    for argument, value, known in (("method", method, METHODS), ("test", test, TESTS)):
        if value not in known:
            raise_input(argument, repr(value), f"one of {', '.join(known)}", suggest(value, known))
    variances = np.square(spread)
    single = values.size == 1
    tau2, converged = (0.0, True) if single or method == "fixed" else _estimate_tau2(values, variances, method)
    return _summarise(values, variances, (tau2, converged), (method, "normal" if single else test, check_level(level)))


def _check_studies(values: Floats, spread: Floats) -> None:
    if values.ndim != 1 or values.shape != spread.shape or not values.size:
        found = f"shapes {values.shape} and {spread.shape}"
        raise_input("estimates, se", found, "one estimate and one standard error per study", "Check the lengths.")
    if not (np.isfinite(values).all() and np.isfinite(spread).all() and (spread > 0.0).all()):
        found = "missing, infinite or non-positive values"
        raise_input("estimates, se", found, "finite estimates with positive standard errors", "Leave the study out.")


def _estimate_tau2(values: Floats, variances: Floats, method: str) -> tuple[float, bool]:
    """Return the heterogeneity and whether it was found."""
    start = _compute_dersimonian(values, variances)
    if method == "dl":
        return start, True
    tau2 = start
    for _ in range(ROUNDS):
        moved = max(0.0, tau2 + _derive_reml_step(values, variances, tau2))
        if abs(moved - tau2) <= 1e-13 * (1.0 + tau2):
            return moved, True
        tau2 = moved
    return tau2, False


def _compute_dersimonian(values: Floats, variances: Floats) -> float:
    weights = 1.0 / variances
    total = weights.sum()
    excess = _compute_q(values, variances, 0.0) - (values.size - 1.0)
    return max(0.0, float(excess / (total - np.square(weights).sum() / total)))


def _compute_q(values: Floats, variances: Floats, tau2: float) -> float:
    """Return the weighted squares about the weighted mean."""
    weights = 1.0 / (variances + tau2)
    return float((weights * np.square(values - weights @ values / weights.sum())).sum())


def _derive_reml_step(values: Floats, variances: Floats, tau2: float) -> float:
    """Return Fisher's scoring step of the restricted likelihood."""
    weights = 1.0 / (variances + tau2)
    total, squares = weights.sum(), np.square(weights)
    residuals = values - weights @ values / total
    trace = total - squares.sum() / total
    return float((squares @ np.square(residuals) - trace) / _compute_information(weights))


def _compute_information(weights: Floats) -> float:
    """Return tr(PP), twice the expected information on the heterogeneity."""
    total, squares = weights.sum(), np.square(weights)
    return float(squares.sum() - 2.0 * (weights * squares).sum() / total + (squares.sum() / total) ** 2)


def _summarise(values: Floats, variances: Floats, found: tuple[float, bool], asked: tuple[str, str, float]) -> Pooled:
    tau2, converged = found
    method, test, level = asked
    k, weights = values.size, 1.0 / (variances + tau2)
    total = float(weights.sum())
    estimate, se = float(weights @ values / total), float(1.0 / np.sqrt(total))
    if test != "normal":
        factor = _compute_q(values, variances, tau2) / (k - 1.0)
        se *= float(np.sqrt(max(factor, 1.0) if test == "ad-hoc" else factor))
    statistic = estimate / se if se > 0.0 else np.nan
    quantile = _find_quantile(test, k, level)
    reach = quantile * float(np.sqrt(se**2 + tau2)) if k > 1 and method != "fixed" else np.nan
    q = _compute_q(values, variances, 0.0)
    typical = _compute_typical(variances)
    inside = tau2 if method != "fixed" else max(0.0, q / max(k - 1.0, 1.0) - 1.0) * typical
    return Pooled(
        method=method, test=test, level=level, studies=k, estimate=estimate, se=se, statistic=statistic,
        p=compute_t_tail(statistic, k - 1.0) if test != "normal" else float(compute_normal_tail(np.array(statistic))),
        low=estimate - quantile * se, high=estimate + quantile * se,
        prediction=(estimate - reach, estimate + reach),
        tau2=tau2, tau2_se=_compute_tau2_se(weights, method),
        tau2_limits=_search_tau2(values, variances, method, level),
        i2=inside / (inside + typical) if k > 1 else np.nan, h2=1.0 + inside / typical if k > 1 else np.nan,
        q=q, q_p=float(compute_chi2_tail(np.array(q), k - 1.0)) if k > 1 else np.nan,
        weights=weights / total, converged=converged,
        reason="" if converged else "not converged: the heterogeneity has no maximum that could be found",
    )  # fmt: skip


def _find_quantile(test: str, studies: int, level: float) -> float:
    tail = 0.5 + 0.5 * level
    return compute_normal_quantile(tail) if test == "normal" else compute_t_quantile(tail, studies - 1.0)


def _compute_typical(variances: Floats) -> float:
    """Return the typical within-study variance of Higgins and Thompson."""
    weights = 1.0 / variances
    total = weights.sum()
    if variances.size == 1:
        return float(variances[0])
    return float((variances.size - 1.0) / (total - np.square(weights).sum() / total))


def _compute_tau2_se(weights: Floats, method: str) -> float:
    return float(np.sqrt(2.0 / _compute_information(weights))) if method == "reml" and weights.size > 1 else np.nan


def _search_tau2(values: Floats, variances: Floats, method: str, level: float) -> tuple[float, float]:
    """Return the limits of the heterogeneity at which Cochran's Q is just compatible with the studies."""
    from scipy.special import chdtri  # noqa: PLC0415 - SciPy is loaded when limits are asked for, not at import

    if values.size == 1 or method == "fixed":
        return np.nan, np.nan
    tails = 0.5 - 0.5 * level, 0.5 + 0.5 * level
    low, high = (_solve_q(values, variances, float(chdtri(values.size - 1.0, tail))) for tail in tails)
    return low, high


def _solve_q(values: Floats, variances: Floats, target: float) -> float:
    """Return where Q has fallen to its target: it is convex, so that Newton's steps from 0 never go too far."""
    tau2 = 0.0
    for _ in range(ROUNDS):
        weights = 1.0 / (variances + tau2)
        residuals = values - weights @ values / weights.sum()
        step = (_compute_q(values, variances, tau2) - target) / float(np.square(weights * residuals).sum() or 1.0)
        if step <= 1e-13 * (1.0 + tau2):
            break
        tau2 += step
    return tau2
