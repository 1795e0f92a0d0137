"""How far readers of the same things agree: intraclass correlation, weighted kappa, limits of agreement.

Convention: rows are what was read, columns are readers; a row with a missing value (NaN) is left out and not counted.
Differences are first minus second. An estimate that does not exist is NaN with a ``reason``, not an error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import compute_normal_quantile, compute_normal_tail, compute_t_quantile, compute_t_tail

Weights = Literal["linear", "quadratic"]
_NODES = 400
"""Points of the integral over the estimated standard deviation, accurate to 1e-12 from two differences up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """An intraclass correlation of single readings, with its interval."""

    icc: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Icc:
    """Both intraclass correlations of one table, and the analysis of variance behind them.

    Attributes
    ----------
    agreement
        ICC(2,1): readers are a sample of all readers, and a reader who scores higher throughout disagrees.
    consistency
        ICC(3,1): these readers only, and a constant difference between them does not count.
    n, readers
        Rows without a missing value, and columns.
    f, df, p
        The test of no difference between rows: statistic, both degrees of freedom, P value.
    variances
        Of rows, of readers and of what is left (negative estimates as 0).
    reason
        Why there is no estimate; empty where there is one.
    """

    agreement: Correlation
    consistency: Correlation
    n: int
    readers: int
    f: float
    df: tuple[int, int]
    p: float
    variances: tuple[float, float, float]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedKappa:
    """Agreement on ordered categories: 1 is full agreement, 0 what chance alone gives.

    ``seen`` and ``by_chance`` are the weighted shares (0 to 1) of agreement, ``p`` tests kappa against 0 by the normal
    distribution.
    """

    kappa: float
    se: float
    low: float
    high: float
    p: float
    seen: float
    by_chance: float
    n: int
    weights: Weights
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit of agreement with its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BlandAltman:
    """Limits of agreement of two readers, in the unit of their values.

    Attributes
    ----------
    bias
        Mean of first minus second.
    lower, upper
        Between them lie ``share`` of the differences.
    sd
        Standard deviation of the differences.
    slope, slope_p
        Change of the difference per unit of the mean of both, and its P value: bias that grows with the value.
    share
        0.95 unless asked otherwise.
    reason
        Why there is no estimate; empty where there is one.
    """

    bias: Limit
    lower: Limit
    upper: Limit
    sd: float
    slope: float
    slope_p: float
    n: int
    share: float
    reason: str = ""


def compute_icc(ratings: ArrayLike, *, level: float = 0.95) -> Icc:
    """Return the intraclass correlations ICC(2,1) and ICC(3,1) of readers who all read the same.

    Parameters
    ----------
    ratings
        Values (n, readers).
    level
        Of the intervals.

    Returns
    -------
    Icc
        NaN with a reason for fewer than two rows or where all values are the same.

    Raises
    ------
    InputError
        Not a table of numbers, or fewer than two readers.

    References
    ----------
    Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability. Psychol Bull 1979;86:420-428.
    McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients. Psychol Methods 1996;1:30-46.

    Examples
    --------
    >>> found = compute_icc([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> round(found.agreement.icc, 2), round(found.consistency.icc, 2)
    (0.29, 0.71)
    """
    check_level(level)
    table = _read_table(ratings)
    n, readers = table.shape
    if n < 2 or not np.ptp(table):
        return _no_icc(n, readers, "fewer than two rows" if n < 2 else "all values are the same")
    rows, between, rest = _compute_squares(table)
    df = (n - 1, (n - 1) * (readers - 1))
    scale = readers * (between - rest) / n
    agreement = _divide(rows - rest, rows + (readers - 1) * rest + scale)
    consistency = _divide(rows - rest, rows + (readers - 1) * rest)
    f = _divide(rows, rest)
    return Icc(
        agreement=_bound_agreement(agreement, (rows, between, rest), n, readers, level),
        consistency=_bound_consistency(consistency, f, df, readers, level),
        n=n,
        readers=readers,
        f=f,
        df=df,
        p=_compute_f_tail(f, df),
        variances=(max(0.0, (rows - rest) / readers), max(0.0, (between - rest) / n), rest),
    )


def compute_weighted_kappa(
    first: ArrayLike, second: ArrayLike, *, categories: int, weights: Weights = "linear", level: float = 0.95
) -> WeightedKappa:
    """Return how far two readers agree on ordered categories beyond chance.

    Parameters
    ----------
    first, second
        Whole numbers (n,) from 0 to ``categories`` - 1.
    categories
        How many the scale has, whether or not all were used.
    weights
        What a disagreement by k categories weighs: k, or k squared.
    level
        Of the interval, normal, cut at 1.

    Returns
    -------
    WeightedKappa
        NaN with a reason where a reader used one category only, so that kappa is 0 whatever the other read, or chance
        alone gives full agreement, and where nothing was read twice.

    Raises
    ------
    InputError
        Different lengths, or values outside the scale.

    References
    ----------
    Cohen J. Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit. Psychol
    Bull 1968;70:213-220.
    Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa. Psychol Bull
    1969;72:323-327.

    Examples
    --------
    >>> found = compute_weighted_kappa([0, 1, 2, 3, 3, 2], [0, 1, 2, 3, 2, 1], categories=4)
    >>> round(found.kappa, 3), found.n
    (0.714, 6)
    """
    check_level(level)
    one, other = _read_pair(first, second)
    _check_categories(np.concatenate([one, other]), categories)
    shares = np.zeros((categories, categories))
    np.add.at(shares, (one.astype(np.intp), other.astype(np.intp)), 1.0 / max(one.size, 1))
    agreement = _weigh(categories, weights)
    of_first, of_second = shares.sum(axis=1), shares.sum(axis=0)
    seen, chance = float((shares * agreement).sum()), float(of_first @ agreement @ of_second)
    reason = _why_no_kappa(of_first, of_second, one.size)
    if reason:
        return WeightedKappa(
            kappa=np.nan, se=np.nan, low=np.nan, high=np.nan, p=np.nan, seen=seen, by_chance=chance, n=one.size,
            weights=weights, reason=reason,
        )  # fmt: skip
    kappa = (seen - chance) / (1.0 - chance)
    spread = agreement - np.add.outer(agreement @ of_second, agreement.T @ of_first) * (1.0 - kappa)
    variance = float((shares * spread**2).sum()) - (kappa - chance * (1.0 - kappa)) ** 2
    se = math.sqrt(max(0.0, variance) / one.size) / (1.0 - chance)
    half = compute_normal_quantile(0.5 + level / 2) * se
    p = float(compute_normal_tail(np.array(kappa / _compute_null_se(of_first, of_second, agreement, one.size))))
    return WeightedKappa(
        kappa=kappa, se=se, low=kappa - half, high=min(1.0, kappa + half), p=p, seen=seen, by_chance=chance, n=one.size,
        weights=weights,
    )  # fmt: skip


def compute_bland_altman(
    first: ArrayLike, second: ArrayLike, *, share: float = 0.95, level: float = 0.95
) -> BlandAltman:
    """Return bias and limits of agreement of two readers, each with its interval.

    The intervals of the limits are exact for normal differences (by the non-central t distribution), so that they hold
    for ten patients too.

    Parameters
    ----------
    first, second
        Values (n,) of the same things.
    share
        Of the differences that lies between the limits.
    level
        Of the intervals.

    Returns
    -------
    BlandAltman
        NaN with a reason for fewer than three pairs.

    References
    ----------
    Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res 1999;8:135-160.
    Carkeet A. Exact parametric confidence intervals for Bland-Altman limits of agreement. Optom Vis Sci
    2015;92:e71-e80.

    Examples
    --------
    >>> found = compute_bland_altman([10, 12, 20, 31, 44], [11, 10, 21, 30, 40])
    >>> round(found.bias.estimate, 2), round(found.lower.estimate, 2), round(found.upper.estimate, 2)
    (1.0, -3.16, 5.16)
    """
    check_level(level)
    check_level(share)
    one, other = _read_pair(first, second)
    n = one.size
    if n < 3:
        nothing = Limit(estimate=np.nan, low=np.nan, high=np.nan)
        return BlandAltman(
            bias=nothing, lower=nothing, upper=nothing, sd=np.nan, slope=np.nan, slope_p=np.nan, n=n, share=share,
            reason="fewer than three pairs",
        )  # fmt: skip
    apart = one - other
    bias, sd = float(apart.mean()), float(apart.std(ddof=1))
    half = compute_t_quantile(0.5 + level / 2, n - 1) * sd / math.sqrt(n)
    z = compute_normal_quantile(0.5 + share / 2)
    near, far = (_compute_tolerance(probability, z, n) * sd for probability in (0.5 - level / 2, 0.5 + level / 2))
    slope, slope_p = _compute_slope((one + other) / 2, apart)
    return BlandAltman(
        bias=Limit(estimate=bias, low=bias - half, high=bias + half),
        lower=Limit(estimate=bias - z * sd, low=bias - far, high=bias - near),
        upper=Limit(estimate=bias + z * sd, low=bias + near, high=bias + far),
        sd=sd,
        slope=slope,
        slope_p=slope_p,
        n=n,
        share=share,
    )


def _read_table(ratings: ArrayLike) -> Floats:
    table = read_array(ratings, "ratings")
    if table.ndim != 2 or table.shape[1] < 2:
        raise_input("ratings", f"shape {table.shape}", "rows by two or more readers", "One column per reader.")
    return table[np.isfinite(table).all(axis=1)]


def _read_pair(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    one, other = read_array(first, "first"), read_array(second, "second")
    if one.shape != other.shape or one.ndim != 1:
        raise_input("second", f"shapes {one.shape} and {other.shape}", "two of (n,)", "Pair the readings first.")
    known = np.isfinite(one) & np.isfinite(other)
    return one[known], other[known]


def _check_categories(values: Floats, categories: int) -> None:
    if categories < 2 or not np.isin(values, np.arange(categories)).all():
        raise_input(
            "categories",
            "values outside the scale, or a scale of one category",
            f"whole numbers from 0 to {categories - 1}, and two categories or more",
            "Subtract the scale's first grade where it starts at 1.",
        )


def _no_icc(n: int, readers: int, reason: str) -> Icc:
    nothing = Correlation(icc=np.nan, low=np.nan, high=np.nan)
    return Icc(
        agreement=nothing, consistency=nothing, n=n, readers=readers, f=np.nan, df=(n - 1, (n - 1) * (readers - 1)),
        p=np.nan, variances=(np.nan, np.nan, np.nan), reason=reason,
    )  # fmt: skip


def _compute_squares(table: Floats) -> tuple[float, float, float]:
    """Mean squares of rows, of readers, of the rest."""
    n, readers = table.shape
    of_rows, of_readers, middle = table.mean(axis=1), table.mean(axis=0), table.mean()
    rest = table - of_rows[:, None] - of_readers + middle
    return (
        float(readers * np.square(of_rows - middle).sum() / (n - 1)),
        float(n * np.square(of_readers - middle).sum() / (readers - 1)),
        float(np.square(rest).sum() / ((n - 1) * (readers - 1))),
    )


def _divide(above: float, below: float) -> float:
    if below == 0.0:
        return math.inf if above > 0 else math.nan
    return above / below


def _bound_consistency(icc: float, f: float, df: tuple[int, int], readers: int, level: float) -> Correlation:
    if math.isinf(f):
        return Correlation(icc=1.0, low=1.0, high=1.0)
    tail = 0.5 + level / 2
    low, high = f / _compute_f_quantile(tail, df), f * _compute_f_quantile(tail, (df[1], df[0]))
    return Correlation(icc=icc, low=(low - 1) / (low + readers - 1), high=(high - 1) / (high + readers - 1))


def _bound_agreement(
    icc: float, squares: tuple[float, float, float], n: int, readers: int, level: float
) -> Correlation:
    rows, between, rest = squares
    if rest == 0.0 and between == 0.0:
        return Correlation(icc=1.0, low=1.0, high=1.0)
    if rest == 0.0:
        return Correlation(icc=icc, low=np.nan, high=np.nan)
    spread = readers * icc * between / rest
    own = n * (1 + (readers - 1) * icc) - readers * icc
    df = (readers - 1) * (n - 1) * (spread + own) ** 2 / ((n - 1) * spread**2 + own**2)
    tail = 0.5 + level / 2
    up, down = _compute_f_quantile(tail, (n - 1, df)), _compute_f_quantile(tail, (df, n - 1))
    apart = readers * between + (readers * n - readers - n) * rest
    return Correlation(
        icc=icc,
        low=n * (rows - up * rest) / (up * apart + n * rows),
        high=n * (down * rows - rest) / (apart + n * down * rows),
    )


def _compute_f_quantile(probability: float, df: tuple[float, float]) -> float:
    from scipy.special import fdtri  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return float(fdtri(*df, probability))


def _compute_f_tail(f: float, df: tuple[int, int]) -> float:
    from scipy.special import fdtrc  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return 0.0 if math.isinf(f) else float(fdtrc(*df, f))


def _weigh(categories: int, weights: Weights) -> Floats:
    """Weights of agreement: 1 on the diagonal, 0 in the corners."""
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))) / (categories - 1)
    return np.asarray(1.0 - (apart if weights == "linear" else apart**2), np.float64)


def _why_no_kappa(of_first: Floats, of_second: Floats, n: int) -> str:
    """Return why there is no kappa, nothing where there is one."""
    constant = sum(np.count_nonzero(shares) == 1 for shares in (of_first, of_second))
    if not n:
        return "nothing was read by both"
    return ("", "one reader used one category only", "both readers used one category only")[constant]


def _compute_null_se(of_first: Floats, of_second: Floats, agreement: Floats, n: int) -> float:
    """The standard error of kappa where agreement is by chance."""
    chance = float(of_first @ agreement @ of_second)
    spread = agreement - np.add.outer(agreement @ of_second, agreement.T @ of_first)
    variance = float((np.outer(of_first, of_second) * spread**2).sum()) - chance**2
    return math.sqrt(max(0.0, variance) / n) / (1.0 - chance)


def _compute_slope(middle: Floats, apart: Floats) -> tuple[float, float]:
    centred = middle - middle.mean()
    square = float(centred @ centred)
    if square == 0.0:
        return math.nan, math.nan
    slope = float(centred @ apart) / square
    rest = apart - apart.mean() - slope * centred
    se = math.sqrt(float(rest @ rest) / (apart.size - 2) / square)
    return slope, compute_t_tail(slope / se, apart.size - 2) if se else math.nan


def _compute_tolerance(probability: float, z: float, n: int) -> float:
    """How many estimated standard deviations from the mean the ``z`` limit lies at most, with this probability.

    That is a quantile of the non-central t distribution with n - 1 degrees of freedom and non-centrality z sqrt(n),
    over sqrt(n): the normal distribution of the mean, averaged over that of the standard deviation.
    """
    from scipy.optimize import brentq  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import
    from scipy.special import ndtr  # noqa: PLC0415 - as above

    spread, weight = _weigh_spreads(n - 1)

    def gap(limit: float) -> float:
        return float(weight @ np.asarray(ndtr(math.sqrt(n) * (limit * spread - z)))) - probability

    high = z + 1.0
    while gap(high) < 0:
        high *= 2.0
    found: Any = brentq(gap, -high, high, xtol=1e-13)
    return float(found)


def _weigh_spreads(df: int) -> tuple[Floats, Floats]:
    """Points and weights of the distribution of an estimated standard deviation whose true value is 1."""
    width = 9.0 / math.sqrt(2.0 * df)
    low, high = max(0.0, 1.0 - width), 1.0 + 1.4 * width
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    spread = low + (high - low) * (nodes + 1.0) / 2.0
    density = weights * np.exp((df - 1) * np.log(spread) - df * (np.square(spread) - 1.0) / 2.0)
    return spread, density / density.sum()
