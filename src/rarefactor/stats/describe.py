"""The numbers of Table 1: what a factor looks like, and how far two groups are apart.

Convention: NaN is missing and is counted, never imputed. Quartiles are R's type 7. Differences are group 1 minus
group 0. The standardised mean difference divides by the root of the mean of the two variances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import raise_input, read_array
from rarefactor.stats._tails import compute_normal_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One group's values of a continuous factor; NaN where there are too few values."""

    n: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An estimate with its confidence interval."""

    estimate: float
    low: float
    high: float


def compute_summary(values: ArrayLike) -> Summary:
    """Summarise a continuous factor (n,), NaN being missing.

    Examples
    --------
    >>> summary = compute_summary([1.0, 2.0, 3.0, 10.0, float("nan")])
    >>> summary.n, summary.missing, summary.mean, summary.median, summary.q1, summary.q3
    (4, 1, 4.0, 2.5, 1.75, 4.75)
    """
    everything = read_array(values, "values")
    known = everything[~np.isnan(everything)]
    low, q1, median, q3, high = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]) if known.size else [np.nan] * 5
    return Summary(
        n=known.size,
        missing=everything.size - known.size,
        mean=float(known.mean()) if known.size else np.nan,
        sd=float(known.std(ddof=1)) if known.size > 1 else np.nan,
        median=float(median),
        q1=float(q1),
        q3=float(q3),
        low=float(low),
        high=float(high),
    )


def compute_smd(group1: ArrayLike, group0: ArrayLike, *, level: float = 0.95) -> Difference:
    """Return the standardised mean difference of a continuous factor.

    Parameters
    ----------
    group1, group0
        Values of each group (n1,) and (n0,); NaN is left out.
    level
        The confidence level.

    Returns
    -------
    Difference
        Group 1 minus group 0, in standard deviations; NaN where a group has fewer than two values or neither varies.

    References
    ----------
    Yang D, Dalton JE. A unified approach to measuring the effect size between two groups. SAS Global Forum 2012;335.

    Examples
    --------
    >>> round(compute_smd([3.0, 4.0, 5.0], [1.0, 2.0, 3.0]).estimate, 3)
    2.0
    """
    one, zero = compute_summary(group1), compute_summary(group0)
    spread = np.sqrt((one.sd**2 + zero.sd**2) / 2.0)
    value = (one.mean - zero.mean) / spread if spread > 0.0 else np.nan
    return _add_interval(value, (one.n, zero.n), level)


def compute_smd_of_counts(counts1: ArrayLike, counts0: ArrayLike, *, level: float = 0.95) -> Difference:
    """Return the standardised difference of a factor with two or more levels.

    With two levels it is signed (share of the second level, group 1 minus group 0); with more it is the
    (non-negative) Mahalanobis distance of the shares.

    Parameters
    ----------
    counts1, counts0
        Patients per level (m,) in each group, levels in the same order.
    level
        The confidence level.

    Returns
    -------
    Difference
        NaN where a group is empty or the shares do not vary.

    References
    ----------
    Yang D, Dalton JE. A unified approach to measuring the effect size between two groups. SAS Global Forum 2012;335.

    Examples
    --------
    >>> round(compute_smd_of_counts([15, 19], [143, 135]).estimate, 4)
    0.147
    """
    one, zero = read_array(counts1, "counts1"), read_array(counts0, "counts0")
    if one.shape != zero.shape or one.ndim != 1 or one.size < 2:
        raise_input(
            "counts1, counts0", "levels that differ", "the same two or more levels", "Count every level in both."
        )
    used = (one + zero) > 0.0
    one, zero = (one, zero) if one.size == 2 else (one[used], zero[used])
    if not (one.sum() and zero.sum()):
        return Difference(estimate=np.nan, low=np.nan, high=np.nan)
    share1, share0 = one / one.sum(), zero / zero.sum()
    value = _compute_distance(share1[1:], share0[1:])
    signed = value * np.sign(share1[1] - share0[1]) if one.size == 2 else value
    return _add_interval(signed, (int(one.sum()), int(zero.sum())), level)


def _compute_distance(share1: Floats, share0: Floats) -> float:
    """Return the Mahalanobis distance of two vectors of shares, the first level left out."""
    spread = 0.5 * (np.diag(share1) - np.outer(share1, share1) + np.diag(share0) - np.outer(share0, share0))
    if not share1.size or np.linalg.matrix_rank(spread) < share1.size:
        return np.nan
    apart = share1 - share0
    return float(np.sqrt(apart @ np.linalg.solve(spread, apart)))


def _add_interval(value: float, sizes: tuple[int, int], level: float) -> Difference:
    total, product = sum(sizes), sizes[0] * sizes[1]
    if not product:
        return Difference(estimate=np.nan, low=np.nan, high=np.nan)
    half = compute_normal_quantile(0.5 + 0.5 * level) * np.sqrt(total / product + value**2 / (2.0 * total))
    return Difference(estimate=float(value), low=float(value - half), high=float(value + half))
