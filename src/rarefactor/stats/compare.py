"""Two groups (or more) of values compared: Welch, Wilcoxon with the Hodges-Lehmann shift, Kruskal-Wallis.

Convention: differences are group 1 minus group 0; NaN is missing and left out; tests are two-sided. The rules for
exact and approximate Wilcoxon tests are those of R's wilcox.test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import (
    compute_chi2_tail,
    compute_normal_quantile,
    compute_normal_tail,
    compute_t_quantile,
    compute_t_tail,
)

EXACT_BELOW = 50
"""Groups smaller than this get the exact Wilcoxon distribution where there are no ties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanComparison:
    """Welch's t test: the difference of means with its interval."""

    difference: float
    low: float
    high: float
    t: float
    df: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RankComparison:
    """Wilcoxon's rank-sum test with the Hodges-Lehmann shift; ``exact`` says which distribution was used."""

    statistic: float
    p: float
    exact: bool
    shift: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquareTest:
    """A test that is referred to a chi-square distribution."""

    statistic: float
    df: int
    p: float


def compare_means(group1: ArrayLike, group0: ArrayLike, *, level: float = 0.95) -> MeanComparison:
    """Compare two means by Welch's t test, without assuming equal variances.

    Parameters
    ----------
    group1, group0
        Values (n1,) and (n0,), NaN being missing.
    level
        The confidence level.

    Returns
    -------
    MeanComparison
        Group 1 minus group 0; NaN where a group has fewer than two values or neither varies.

    References
    ----------
    Welch BL. The generalization of Student's problem when several different population variances are involved.
    Biometrika 1947;34:28-35.

    Examples
    --------
    >>> round(compare_means([5.1, 4.9, 6.0, 5.5], [4.0, 4.2, 3.9, 4.7]).p, 4)
    0.0094
    """
    one, zero = _read_known(group1, "group1"), _read_known(group0, "group0")
    nothing = MeanComparison(difference=np.nan, low=np.nan, high=np.nan, t=np.nan, df=np.nan, p=np.nan)
    if min(one.size, zero.size) < 2:
        return nothing
    parts = one.var(ddof=1) / one.size, zero.var(ddof=1) / zero.size
    if sum(parts) == 0.0:
        return nothing
    se = float(np.sqrt(sum(parts)))
    df = float(sum(parts) ** 2 / (parts[0] ** 2 / (one.size - 1) + parts[1] ** 2 / (zero.size - 1)))
    difference = float(one.mean() - zero.mean())
    half = compute_t_quantile(0.5 + 0.5 * check_level(level), df) * se
    t = difference / se
    return MeanComparison(
        difference=difference, low=difference - half, high=difference + half, t=t, df=df, p=compute_t_tail(t, df)
    )


def compare_ranks(group1: ArrayLike, group0: ArrayLike, *, level: float = 0.95) -> RankComparison:
    """Compare two groups by Wilcoxon's rank-sum test and the Hodges-Lehmann shift.

    The exact distribution is used without ties and with fewer than 50 values in each group, as R's wilcox.test
    does; otherwise the normal one with continuity correction and the variance corrected for ties.

    Parameters
    ----------
    group1, group0
        Values (n1,) and (n0,), NaN being missing.
    level
        The confidence level.

    Returns
    -------
    RankComparison
        ``statistic`` is the number of pairs in which group 1 is higher, ties counting half. The shift is group 1
        minus group 0: the median of all differences of pairs, with the test-inversion interval. NaN where a group is
        empty or all values are equal.

    References
    ----------
    Hollander M, Wolfe DA. Nonparametric statistical methods. 2nd ed. Wiley, 1999, chapter 4.

    Examples
    --------
    >>> result = compare_ranks([1.1, 2.2, 3.3, 4.4], [0.5, 0.7, 1.0, 1.2])
    >>> result.statistic, round(result.p, 4), result.exact
    (15.0, 0.0571, True)
    """
    one, zero = _read_known(group1, "group1"), _read_known(group0, "group0")
    check_level(level)
    everything = np.concatenate([one, zero])
    if not (one.size and zero.size and np.ptp(everything)):
        return RankComparison(statistic=np.nan, p=np.nan, exact=False, shift=np.nan, low=np.nan, high=np.nan)
    exact = max(one.size, zero.size) < EXACT_BELOW and np.unique(everything).size == everything.size
    statistic = compute_ranks(everything)[: one.size].sum() - one.size * (one.size + 1) / 2.0
    differences = np.sort((one[:, None] - zero[None, :]).ravel())
    if exact:
        p, low, high = _compare_exactly((one.size, zero.size), float(statistic), differences, 1.0 - level)
    else:
        p, low, high = _compare_roughly(one, zero, differences, 1.0 - level)
    shift = float(np.median(differences))
    return RankComparison(statistic=float(statistic), p=p, exact=exact, shift=shift, low=low, high=high)


def _compare_exactly(
    sizes: tuple[int, int], statistic: float, differences: Floats, alpha: float
) -> tuple[float, float, float]:
    """Return P value and limits from the exact distribution of the rank sum."""
    below = np.cumsum(_count_rank_sums(*sizes))
    below /= below[-1]
    centre, place = differences.size / 2.0, round(statistic)
    tail = 1.0 - below[place - 1] if statistic > centre else below[place]
    cut = max(1, int(np.searchsorted(below, alpha / 2.0 * (1.0 - 1e-14))))
    return min(1.0, 2.0 * float(tail)), float(differences[cut - 1]), float(differences[differences.size - cut])


def _count_rank_sums(m: int, n: int) -> Floats:
    """Return the number of ways to each value 0..mn of Wilcoxon's statistic (coefficients of a Gaussian binomial)."""
    counts = np.zeros(m * n + 1)
    counts[0] = 1.0
    for j in range(1, m + 1):
        for value in range(m * n, n + j - 1, -1):
            counts[value] -= counts[value - n - j]
        for value in range(j, m * n + 1):
            counts[value] += counts[value - j]
    return counts


def _compare_roughly(one: Floats, zero: Floats, differences: Floats, alpha: float) -> tuple[float, float, float]:
    """Return P value and limits from the normal approximation with continuity correction."""
    z = _standardise(one, zero)
    p = float(compute_normal_tail(np.array(z)))
    quantile = compute_normal_quantile(1.0 - alpha / 2.0)
    places = np.unique(differences)

    def exceeds(target: float) -> Callable[[float], bool]:
        return lambda shift: _standardise(one - shift, zero) > target

    low = _find_crossing(places, exceeds(quantile))
    high = _find_crossing(places, exceeds(-quantile))
    return p, low, high


def _standardise(one: Floats, zero: Floats) -> float:
    """Return Wilcoxon's z with continuity correction; 0 where everything is tied."""
    ranks = compute_ranks(np.concatenate([one, zero]))
    total = ranks.size
    centred = ranks[: one.size].sum() - one.size * (one.size + 1) / 2.0 - one.size * zero.size / 2.0
    _, ties = np.unique(ranks, return_counts=True)
    lost = float((ties.astype(float) ** 3 - ties).sum()) / (total * (total - 1.0))
    sigma = np.sqrt(one.size * zero.size / 12.0 * (total + 1.0 - lost))
    return float((centred - 0.5 * np.sign(centred)) / sigma) if sigma > 0.0 else 0.0


def _find_crossing(places: Floats, above: Callable[[float], bool]) -> float:
    """Return the difference at which a test of the shifted groups stops being ``above``, by bisection between them."""
    gaps = (places[1:] + places[:-1]) / 2.0
    first, last = 0, gaps.size
    while first < last:
        middle = (first + last) // 2
        first, last = (middle + 1, last) if above(float(gaps[middle])) else (first, middle)
    return float(places[first])


def compare_many(groups: Sequence[ArrayLike]) -> ChiSquareTest:
    """Compare two or more groups by the Kruskal-Wallis test, corrected for ties.

    Parameters
    ----------
    groups
        Values of each group, NaN being missing; empty groups are left out.

    Returns
    -------
    ChiSquareTest
        NaN where fewer than two groups have values or all values are equal.

    Examples
    --------
    >>> result = compare_many([[1, 2, 3], [2, 4, 6], [7, 8, 9]])
    >>> round(result.statistic, 4), result.df, round(result.p, 4)
    (6.2521, 2, 0.0439)
    """
    known = [group for values in groups if (group := _read_known(values, "groups")).size]
    everything = np.concatenate(known) if known else np.empty(0)
    if len(known) < 2 or not np.ptp(everything):
        return ChiSquareTest(statistic=np.nan, df=max(0, len(known) - 1), p=np.nan)
    ranks, total = compute_ranks(everything), everything.size
    sums = [part.sum() ** 2 / part.size for part in np.split(ranks, np.cumsum([g.size for g in known])[:-1])]
    _, ties = np.unique(ranks, return_counts=True)
    correction = 1.0 - (ties.astype(float) ** 3 - ties).sum() / (total**3 - total)
    statistic = (12.0 * sum(sums) / (total * (total + 1.0)) - 3.0 * (total + 1.0)) / correction
    df = len(known) - 1
    return ChiSquareTest(statistic=float(statistic), df=df, p=float(compute_chi2_tail(np.array(statistic), float(df))))


def compute_ranks(values: Floats) -> Floats:
    """Return ranks (n,) from 1, ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((2 * last - counts + 1) / 2.0)[inverse]


def _read_known(values: ArrayLike, argument: str) -> Floats:
    array = read_array(values, argument)
    if array.ndim != 1:
        raise_input(argument, f"an array of {array.ndim} dimensions", "one dimension", "Pass one value per patient.")
    return array[~np.isnan(array)]
