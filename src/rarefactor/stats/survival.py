"""Follow-up without a model: Kaplan-Meier, log-rank and Aalen-Johansen.

Convention: a patient is at risk at time t where the own time is at least t; at equal times events come before
censoring; curves are right-continuous steps that start at time 0. Limits are on the log(-log) scale by default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.stats._arrays import Bools, Floats, Ints, compute_inverse
from rarefactor.stats._follow_up import Counts, check_same_length, count_follow_up, read_follow_up, read_times, sum_by
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import compute_chi2_tail, compute_normal_quantile

SCALES = ("log-log", "log", "plain")
SAME = float(np.sqrt(np.finfo(np.float64).eps))
"""Survival this near a probability counts as equal to it (as in R)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """A Kaplan-Meier curve at the distinct times (t,) of follow-up.

    ``at_risk``, ``events``, ``censored`` are counts; ``survival`` holds just after each time, with Greenwood's ``se``
    and pointwise limits ``low`` and ``high``, NaN where the scale has none (survival of 1 or 0 on log-log).
    """

    time: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    survival: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float
    scale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalAt:
    """What a curve says at stated times (m,): patients still at risk, survival, standard error and limits."""

    time: Floats
    at_risk: Floats
    survival: Floats
    se: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeEstimate:
    """A time with its standard error (NaN for quantiles) and limits; NaN is not reached."""

    estimate: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRank:
    """A (weighted) log-rank test of k groups: ``observed``, ``expected`` (k,), their ``covariance`` (k, k)."""

    groups: tuple[object, ...]
    n: Ints
    observed: Floats
    expected: Floats
    covariance: Floats
    chisq: float
    df: int
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidenceCurves:
    """Aalen-Johansen cumulative incidence of c competing events at the distinct times (t,).

    ``incidence``, ``se``, ``low``, ``high`` (t, c), in the order of ``causes``; ``free`` (t,) is the share without any
    event; ``at_risk`` (t,) and ``events`` (t, c) are counts.
    """

    causes: tuple[float, ...]
    time: Floats
    at_risk: Floats
    events: Floats
    incidence: Floats
    free: Floats
    se: Floats
    low: Floats
    high: Floats
    level: float


def fit_kaplan_meier(
    time: ArrayLike, event: ArrayLike, *, level: float = 0.95, scale: str = "log-log"
) -> SurvivalCurve:
    """Estimate the share of patients still without the event.

    Parameters
    ----------
    time
        Follow-up (n,), in any unit, not negative.
    event
        1 where the event ended it, 0 where it was censored (n,).
    level
        The confidence level.
    scale
        Scale of the limits: "log-log", "log" or "plain".

    Returns
    -------
    SurvivalCurve
        At every distinct time, as R's survfit.

    Raises
    ------
    InputError
        Missing or negative times, an event that is not 0/1, an unknown scale.

    References
    ----------
    Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc 1958;53:457-81.
    Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. 2nd ed. Wiley, 2002, section 1.4.

    Examples
    --------
    >>> curve = fit_kaplan_meier([6, 6, 6, 7, 10], [1, 1, 0, 1, 0])
    >>> curve.time.tolist(), curve.survival.round(3).tolist(), curve.low.round(3).tolist()
    ([6.0, 7.0, 10.0], [0.6, 0.3, 0.3], [0.126, 0.012, 0.012])
    """
    if scale not in SCALES:
        raise_input("scale", repr(scale), f"one of {', '.join(SCALES)}", suggest(scale, SCALES))
    counts = count_follow_up(*read_follow_up(time, event))
    survival, greenwood = _multiply_survival(counts)
    se = survival * np.sqrt(greenwood)
    low, high = _derive_limits(survival, se, check_level(level), scale)
    return SurvivalCurve(
        time=counts.time,
        at_risk=counts.at_risk,
        events=counts.events,
        censored=counts.censored,
        survival=survival,
        se=se,
        low=low,
        high=high,
        level=level,
        scale=scale,
    )


def _multiply_survival(counts: Counts) -> tuple[Floats, Floats]:
    """Return survival and Greenwood's sum (t,), infinite once everyone had the event."""
    left = counts.at_risk - counts.events
    with np.errstate(divide="ignore"):
        parts = np.where(counts.events > 0.0, counts.events / (counts.at_risk * left), 0.0)
    survival = np.cumprod(left / counts.at_risk, dtype=np.float64)
    return survival, np.where(survival > 0.0, np.cumsum(np.where(left > 0.0, parts, 0.0)), np.nan)


def _derive_limits(share: Floats, se: Floats, level: float, scale: str) -> tuple[Floats, Floats]:
    z = compute_normal_quantile(0.5 + 0.5 * level)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "plain":
            low, high = share - z * se, share + z * se
        elif scale == "log":
            low, high = (share * np.exp(sign * z * se / share) for sign in (-1.0, 1.0))
        else:
            centre, half = np.log(-np.log(share)), z * se / np.abs(share * np.log(share))
            low, high = np.exp(-np.exp(centre + half)), np.exp(-np.exp(centre - half))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def compute_survival_at(curve: SurvivalCurve, times: ArrayLike) -> SurvivalAt:
    """Read a curve at stated times (m,), with the numbers at risk that stand below a figure.

    Before the first time of the curve survival is 1; after the last one nothing is known (NaN, nobody at risk).

    Examples
    --------
    >>> curve = fit_kaplan_meier([6, 6, 6, 7, 10], [1, 1, 0, 1, 0])
    >>> there = compute_survival_at(curve, [0, 6.5, 12])
    >>> there.at_risk.tolist(), there.survival.round(3).tolist()
    ([5.0, 2.0, 0.0], [1.0, 0.6, nan])
    """
    asked = read_array(times, "times")
    place = np.searchsorted(curve.time, asked, side="right")
    known = asked <= curve.time[-1]

    def read(values: Floats, start: float) -> Floats:
        return np.where(known, np.append(start, values)[place], np.nan)

    at_risk = np.append(curve.at_risk, 0.0)[np.searchsorted(curve.time, asked, side="left")]
    return SurvivalAt(
        time=asked,
        at_risk=at_risk,
        survival=read(curve.survival, 1.0),
        se=read(curve.se, 0.0),
        low=read(curve.low, 1.0),
        high=read(curve.high, 1.0),
    )


def compute_survival_time(curve: SurvivalCurve, share: float = 0.5) -> TimeEstimate:
    """Return the time at which survival has fallen to ``share`` (the median by default), with limits.

    The limits are where the curve's pointwise limits fall to the share (Brookmeyer and Crowley); NaN is not reached.

    References
    ----------
    Brookmeyer R, Crowley J. A confidence interval for the median survival time. Biometrics 1982;38:29-41.

    Examples
    --------
    >>> median = compute_survival_time(fit_kaplan_meier([6, 6, 6, 7, 10], [1, 1, 0, 1, 0]))
    >>> median.estimate, median.low, median.high
    (7.0, 6.0, nan)
    """
    if not 0.0 < share < 1.0:
        raise_input("share", f"{share:g}", "a number between 0 and 1", "Use 0.5 for the median.")
    estimate, low, high = (_find_fall(curve.time, band, share) for band in (curve.survival, curve.low, curve.high))
    return TimeEstimate(estimate=estimate, se=np.nan, low=low, high=high)


def _find_fall(time: Floats, band: Floats, share: float) -> float:
    """Return the first time at which a falling step function is below the share, midway where it rests on it."""
    known = np.isfinite(band)
    below, resting = known & (band < share - SAME), known & (np.abs(band - share) <= SAME)
    last = float(time[below.argmax()]) if below.any() else float(time[-1])
    if resting.any():
        return (float(time[resting.argmax()]) + last) / 2.0
    return last if below.any() else np.nan


def compute_restricted_mean(curve: SurvivalCurve, limit: float | None = None) -> TimeEstimate:
    """Return the mean time without the event up to ``limit`` (by default the last time), with standard error.

    References
    ----------
    Irwin JO. The standard error of an estimate of expectation of life. J Hyg 1949;47:188-9.

    Examples
    --------
    >>> mean = compute_restricted_mean(fit_kaplan_meier([6, 6, 6, 7, 10], [1, 1, 0, 1, 0]), 10)
    >>> round(mean.estimate, 3), round(mean.se, 3)
    (7.5, 0.84)
    """
    end = float(curve.time[-1]) if limit is None else limit
    if not 0.0 < end <= curve.time[-1]:
        raise_input("limit", f"{end:g}", "a time up to the end of follow-up", "Choose an earlier limit.")
    inside = curve.time < end
    edges = np.concatenate([[0.0], curve.time[inside], [end]])
    areas = np.append(1.0, curve.survival[inside]) * np.diff(edges)
    beyond = np.cumsum(areas[::-1])[::-1][1:]
    at_risk, events = curve.at_risk[inside], curve.events[inside]
    left = at_risk - events
    weights = np.where(left > 0.0, events / (at_risk * np.where(left > 0.0, left, 1.0)), 0.0)
    mean, se = float(areas.sum()), float(np.sqrt((np.square(beyond) * weights).sum()))
    half = compute_normal_quantile(0.5 + 0.5 * curve.level) * se
    return TimeEstimate(estimate=mean, se=se, low=mean - half, high=min(mean + half, end))


def compare_survival(time: ArrayLike, event: ArrayLike, group: ArrayLike, *, rho: float = 0.0) -> LogRank:
    """Compare the follow-up of k groups by the log-rank test or one of its family.

    Parameters
    ----------
    time, event
        As in :func:`fit_kaplan_meier`.
    group
        The group of each patient (n,), of any type that can be sorted.
    rho
        Events are weighted by survival before them to this power: 0 is the log-rank test, 1 Peto and Peto's.

    Returns
    -------
    LogRank
        NaN where fewer than two groups can be compared.

    References
    ----------
    Harrington DP, Fleming TR. A class of rank test procedures for censored survival data. Biometrika 1982;69:553-66.

    Examples
    --------
    >>> test = compare_survival([6, 7, 10, 15, 19, 25], [1, 0, 1, 1, 0, 1], list("aababb"))
    >>> test.observed.tolist(), test.expected.round(3).tolist(), round(test.p, 3)
    ([2.0, 2.0], [1.083, 2.917], 0.259)
    """
    times, events = read_follow_up(time, event)
    labels, member = np.unique(np.asarray(group), return_inverse=True)
    check_same_length("group", member.astype(float), times)
    counts = count_follow_up(times, events)
    grid = np.zeros((2, counts.time.size, labels.size))
    np.add.at(grid[0], (counts.place, member), 1.0)
    np.add.at(grid[1], (counts.place, member), events)
    at_risk, deaths = np.cumsum(grid[0, ::-1], axis=0)[::-1], grid[1]
    weight = np.append(1.0, _multiply_survival(counts)[0][:-1]) ** rho
    share = at_risk / counts.at_risk[:, None]
    rate = np.where(counts.at_risk > 1.0, (counts.at_risk - counts.events) / np.maximum(counts.at_risk - 1.0, 1.0), 0.0)
    spread = weight**2 * counts.events * rate
    expected = (weight * counts.events) @ share
    covariance = np.diag(spread @ share) - share.T @ (share * spread[:, None])
    observed = weight @ deaths
    chisq, df = _compute_quadratic(observed - expected, covariance, expected > 0.0)
    return LogRank(
        groups=tuple(labels.tolist()),
        n=np.bincount(member),
        observed=observed,
        expected=expected,
        covariance=covariance,
        chisq=chisq,
        df=df,
        p=float(compute_chi2_tail(np.array(chisq), float(max(df, 1)))),
    )


def _compute_quadratic(excess: Floats, covariance: Floats, usable: Bools) -> tuple[float, int]:
    """Return the chi-square of the excess over all usable groups but one, and its degrees of freedom."""
    kept = np.flatnonzero(usable)[1:]
    if not kept.size:
        return np.nan, 0
    inverse = compute_inverse(covariance[np.ix_(kept, kept)][None])
    chisq = float(excess[kept] @ inverse.matrix[0] @ excess[kept]) if inverse.positive[0] else np.nan
    return chisq, kept.size


def fit_aalen_johansen(
    time: ArrayLike, cause: ArrayLike, *, level: float = 0.95, scale: str = "log-log"
) -> IncidenceCurves:
    """Estimate the cumulative incidence of each of several competing events.

    Parameters
    ----------
    time
        Follow-up (n,), in any unit, not negative.
    cause
        0 where follow-up was censored, otherwise the number of the event that ended it (n,).
    level
        The confidence level.
    scale
        Scale of the limits: "log-log", "log" or "plain".

    Returns
    -------
    IncidenceCurves
        With standard errors by the infinitesimal jackknife, as R's survfit for several states.

    Raises
    ------
    InputError
        Missing or negative times or causes, or no event at all.

    References
    ----------
    Aalen OO, Johansen S. An empirical transition matrix for non-homogeneous Markov chains based on censored
    observations. Scand J Stat 1978;5:141-50.

    Examples
    --------
    >>> curves = fit_aalen_johansen([1, 2, 3, 4, 5], [1, 2, 0, 1, 0])
    >>> curves.incidence[-1].round(3).tolist(), curves.free[-1].round(3), curves.se[-1].round(3).tolist()
    ([0.5, 0.2], np.float64(0.3), [0.255, 0.179])
    """
    if scale not in SCALES:
        raise_input("scale", repr(scale), f"one of {', '.join(SCALES)}", suggest(scale, SCALES))
    times, kinds = read_times(time), read_array(cause, "cause")
    check_same_length("cause", kinds, times)
    if not (np.isfinite(kinds).all() and kinds.any()):
        raise_input("cause", "missing values or no event", "0 (censored) or the number of an event", "Check the rule.")
    causes = np.unique(kinds[kinds != 0.0])
    counts = count_follow_up(times, (kinds != 0.0).astype(float))
    per_cause = np.stack([sum_by(counts.place, (kinds == c).astype(float), counts.time.size) for c in causes], axis=1)
    free = _multiply_survival(counts)[0]
    before = np.append(1.0, free[:-1])
    incidence = np.cumsum(before[:, None] * per_cause / counts.at_risk[:, None], axis=0)
    se = np.stack(
        [_compute_jackknife_se(counts, per_cause[:, j], (before, incidence[:, j])) for j in range(causes.size)], axis=1
    )
    low, high = _derive_limits(incidence, se, check_level(level), scale)
    return IncidenceCurves(
        causes=tuple(causes.tolist()),
        time=counts.time,
        at_risk=counts.at_risk,
        events=per_cause,
        incidence=incidence,
        free=free,
        se=se,
        low=low,
        high=high,
        level=level,
    )


def _compute_jackknife_se(counts: Counts, deaths: Floats, curves: tuple[Floats, Floats]) -> Floats:
    """Return the root of the summed squared influences (t,) of all patients on one incidence curve.

    A patient followed beyond t has the same influence at t as all others like that; one whose follow-up ended at u has
    the influence a + b F(t) ever after, so that sums over patients are cumulative sums over times.
    """
    before, incidence = curves
    at_risk, events = counts.at_risk, counts.events
    left = np.maximum(at_risk - events, 1.0)
    drift = np.append(0.0, np.cumsum(events / (at_risk * left)))
    step = before * deaths / at_risk
    kept = np.cumsum(step * (drift[:-1] - 1.0 / at_risk))
    others = events - deaths

    def follow(jump: Floats, hit: Floats) -> tuple[Floats, Floats]:
        slope = drift[1:] - hit / left
        return kept + jump - slope * incidence, slope

    groups = (
        (deaths, *follow(before / at_risk, np.ones_like(left))),
        (others, *follow(np.zeros_like(left), np.ones_like(left))),
        (counts.censored, *follow(np.zeros_like(left), np.zeros_like(left))),
    )
    gather: Callable[[Floats], Floats] = np.cumsum
    squares = sum(gather(n * a * a) for n, a, _ in groups)
    crosses = sum(gather(n * a * b) for n, a, b in groups)
    slopes = sum(gather(n * b * b) for n, _, b in groups)
    still = at_risk - events - counts.censored
    total = still * np.square(kept) + squares + 2.0 * incidence * crosses + np.square(incidence) * slopes
    return np.sqrt(np.maximum(total, 0.0))
