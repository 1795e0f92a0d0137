"""How far two measurements order the same things alike: Spearman's rank correlation.

Convention: ties share their mean rank; a pair with a missing value (NaN) is left out and not counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import compute_normal_quantile, compute_t_tail
from rarefactor.stats.compare import compute_ranks

FEWEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCorrelation:
    """Spearman's rho with its interval; ``reason`` says why there is none."""

    rho: float
    low: float
    high: float
    p: float
    n: int
    reason: str = ""


def compute_rank_correlation(first: ArrayLike, second: ArrayLike, *, level: float = 0.95) -> RankCorrelation:
    """Return Spearman's rank correlation.

    Parameters
    ----------
    first, second
        Values (n,) of the same things.
    level
        Of the interval, by Fisher's z with the variance of Bonett and Wright, which ties do not mislead.

    Returns
    -------
    RankCorrelation
        NaN with a reason for fewer than four pairs or where one of the two is constant. P by the t distribution.

    Raises
    ------
    InputError
        Different lengths.

    References
    ----------
    Spearman C. The proof and measurement of association between two things. Am J Psychol 1904;15:72-101.
    Bonett DG, Wright TA. Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
    Psychometrika 2000;65:23-28.

    Examples
    --------
    >>> found = compute_rank_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    >>> round(found.rho, 3), found.n
    (0.8, 5)
    """
    check_level(level)
    one, other = read_array(first, "first"), read_array(second, "second")
    if one.shape != other.shape or one.ndim != 1:
        raise_input("second", f"shapes {one.shape} and {other.shape}", "two of (n,)", "Pair the values first.")
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    n = one.size
    if n < FEWEST or not np.ptp(one) or not np.ptp(other):
        reason = f"fewer than {FEWEST} pairs" if n < FEWEST else "all values are the same"
        return RankCorrelation(rho=np.nan, low=np.nan, high=np.nan, p=np.nan, n=n, reason=reason)
    rho = min(1.0, max(-1.0, float(np.corrcoef(compute_ranks(one), compute_ranks(other))[0, 1])))
    if abs(rho) == 1.0:
        return RankCorrelation(rho=rho, low=rho, high=rho, p=0.0, n=n)
    half = compute_normal_quantile(0.5 + level / 2) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(rho) + side * half) for side in (-1, 1))
    p = compute_t_tail(rho * math.sqrt((n - 2) / (1 - rho**2)), n - 2)
    return RankCorrelation(rho=rho, low=low, high=high, p=p, n=n)
