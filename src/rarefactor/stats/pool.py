"""From several completed data sets to one answer: Rubin's rules, pooled tests, and pooled profile likelihoods.

Convention: imputations stand on the axis before the coefficients, (..., m, k); leading axes are batches of their own.
A test of several coefficients answers the hypothesis that all of them are 0 and gives an F statistic. No quantity is
floored: where imputations agree entirely, the complete-data result comes back (but for Barnard and Rubin's degrees of
freedom, which are those of the observed data).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._batch import DEFAULT_PRIOR, read_batch
from rarefactor.stats._clip import compute_clip
from rarefactor.stats._inputs import check_level, check_penalty, name_columns, raise_input, read_array
from rarefactor.stats.logistic import fit_many


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEstimates:
    """Estimates pooled by Rubin's rules; every array (..., k).

    ``total`` variance = ``within`` + (1 + 1/m) ``between``; ``se`` its root; ``df`` after Barnard and Rubin; ``riv``
    the relative increase in variance and ``share_missing`` (lambda) the share of the variance that missing values
    cause; ``fmi`` the fraction of missing information. ``ci`` (..., k, 2) and ``p`` are Student's.
    """

    m: int
    level: float
    estimate: Floats
    within: Floats
    between: Floats
    total: Floats
    se: Floats
    df: Floats
    statistic: Floats
    ci: Floats
    p: Floats
    riv: Floats
    share_missing: Floats
    fmi: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledTest:
    """A pooled test that several coefficients are 0: F with ``df1`` and ``df2``, and ``riv`` averaged over them."""

    method: str
    statistic: float
    df1: int
    df2: float
    p: float
    riv: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledProfiles:
    """Coefficients with pooled profile intervals and P values (CLIP); the intercept stands first.

    ``estimate``, ``p`` (k,), ``ci`` (k, 2); NaN where ``reason`` says why. ``failed`` counts the imputations without
    a maximum.
    """

    names: tuple[str, ...]
    penalty: str
    level: float
    m: int
    estimate: Floats
    ci: Floats
    p: Floats
    failed: int
    converged: bool
    reason: str


def pool_rubin(
    estimates: ArrayLike, variances: ArrayLike, *, df_complete: float = np.inf, level: float = 0.95
) -> PooledEstimates:
    """Pool estimates and their squared standard errors by Rubin's rules.

    Parameters
    ----------
    estimates
        Estimates (..., m, k) of m >= 2 imputations.
    variances
        Their squared standard errors, of the same shape.
    df_complete
        Degrees of freedom that the complete data would have (n - k), infinite for large samples.
    level
        The confidence level.

    Returns
    -------
    PooledEstimates
        NaN where an imputation has no estimate.

    Raises
    ------
    InputError
        Fewer than two imputations, or shapes that differ.

    References
    ----------
    Rubin DB. Multiple imputation for nonresponse in surveys. New York: Wiley; 1987.
    Barnard J, Rubin DB. Small-sample degrees of freedom with multiple imputation. Biometrika 1999;86:948-55.

    Examples
    --------
    >>> pooled = pool_rubin([[1.0], [1.4], [1.2]], [[0.25], [0.24], [0.26]], df_complete=45)
    >>> pooled.estimate.round(2), pooled.se.round(3), pooled.df.round(1), pooled.fmi.round(3)
    (array([1.2]), array([0.551]), array([22.9]), array([0.239]))
    """
    values, squares = read_array(estimates, "estimates"), read_array(variances, "variances")
    if values.shape != squares.shape or values.ndim < 2:
        raise_input("variances", f"shape {squares.shape}", f"{values.shape}, imputations first", "Square each se.")
    m = _check_imputations(values.shape[-2])
    within, between = squares.mean(axis=-2), values.var(axis=-2, ddof=1)
    extra = (1.0 + 1.0 / m) * between
    total = within + extra
    share = extra / total
    df = compute_barnard_rubin(share, m, df_complete)
    riv = extra / within
    estimate, se = values.mean(axis=-2), np.sqrt(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    half = _compute_t_quantiles(0.5 + 0.5 * check_level(level), df) * se
    return PooledEstimates(
        m=m,
        level=level,
        estimate=estimate,
        within=within,
        between=between,
        total=total,
        se=se,
        df=df,
        statistic=statistic,
        ci=np.stack([estimate - half, estimate + half], axis=-1),
        p=_compute_t_tails(statistic, df),
        riv=riv,
        share_missing=share,
        fmi=(riv + 2.0 / (df + 3.0)) / (riv + 1.0),
    )


def compute_barnard_rubin(share_missing: Floats, m: int, df_complete: float) -> Floats:
    """Return the degrees of freedom of a pooled estimate.

    Examples
    --------
    >>> compute_barnard_rubin(np.array([0.0, 0.2]), 20, 40.0).round(2)
    array([38.14, 28.67])
    """
    with np.errstate(divide="ignore"):
        old = (m - 1.0) / np.square(share_missing)
    if np.isinf(df_complete):
        return old
    observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share_missing)
    return 1.0 / (1.0 / old + 1.0 / observed)


def pool_wald(estimates: ArrayLike, covariances: ArrayLike, *, df_complete: float = np.inf) -> PooledTest:
    """Test that all k coefficients are 0 from estimates and covariances (D1).

    Parameters
    ----------
    estimates
        Estimates (m, k) of the coefficients under test.
    covariances
        Their covariance matrices (m, k, k).
    df_complete
        Degrees of freedom of the complete data; finite ones give Reiter's, else Li's.

    Returns
    -------
    PooledTest
        F statistic with the averaged relative increase in variance.

    Raises
    ------
    InputError
        Fewer than two imputations, or shapes that do not fit.

    References
    ----------
    Li KH, Raghunathan TE, Rubin DB. Large-sample significance levels from multiply imputed data using moment-based
    statistics and an F reference distribution. J Am Stat Assoc 1991;86:1065-73.
    Reiter JP. Small-sample degrees of freedom for multi-component significance tests with multiple imputation for
    missing data. Biometrika 2007;94:502-8.

    Examples
    --------
    >>> test = pool_wald([[1.0, 0.5], [1.2, 0.3], [0.9, 0.4]], [np.eye(2) / 9] * 3)
    >>> round(test.statistic, 3), test.df1, round(test.df2, 1), round(test.p, 4)
    (4.604, 2, 108.0, 0.0121)
    """
    values, matrices = read_array(estimates, "estimates"), read_array(covariances, "covariances")
    if values.ndim != 2 or matrices.shape != (*values.shape, values.shape[-1]):
        raise_input("covariances", f"shape {matrices.shape}", "(m, k, k) beside estimates (m, k)", "Check the axes.")
    m, k = _check_imputations(values.shape[0]), values.shape[1]
    centre, within = values.mean(axis=0), matrices.mean(axis=0)
    apart = values - centre
    between = apart.T @ apart / (m - 1.0)
    riv = float((1.0 + 1.0 / m) * np.trace(np.linalg.solve(within, between)) / k)
    statistic = float(centre @ np.linalg.solve(within, centre)) / (k * (1.0 + riv))
    t = k * (m - 1.0)
    small = np.isfinite(df_complete) and t > 4.0 and riv > 0.0
    df2 = _compute_reiter_df(t, riv, df_complete) if small else _compute_li_df(t, riv, k)
    return _finish_test("D1", statistic, k, df2, riv)


def pool_chisq(statistics: ArrayLike, df: int) -> PooledTest:
    """Pool chi-squares of a test of ``df`` coefficients, Wald's or likelihood ratio's (D2).

    Parameters
    ----------
    statistics
        Chi-squares (m,).
    df
        Their degrees of freedom.

    Returns
    -------
    PooledTest
        F statistic; less powerful than D1 and D3, but it needs the m statistics only.

    Raises
    ------
    InputError
        Fewer than two imputations.

    References
    ----------
    Li KH, Meng XL, Raghunathan TE, Rubin DB. Significance levels from repeated p-values with multiply-imputed data.
    Stat Sin 1991;1:65-92.

    Examples
    --------
    >>> test = pool_chisq([7.1, 9.0, 8.2], 2)
    >>> round(test.statistic, 3), round(test.df2, 1), round(test.p, 4)
    (3.829, 748.6, 0.0222)
    """
    values = read_array(statistics, "statistics")
    m = _check_imputations(values.shape[0])
    riv = float((1.0 + 1.0 / m) * np.sqrt(np.maximum(values, 0.0)).var(ddof=1))
    statistic = float((values.mean() / df - (m + 1.0) / (m - 1.0) * riv) / (1.0 + riv))
    df2 = df ** (-3.0 / m) * (m - 1.0) * (1.0 + 1.0 / riv) ** 2 if riv > 0.0 else np.inf
    return _finish_test("D2", max(0.0, statistic), df, df2, riv)


def pool_likelihoods(
    X: ArrayLike, y: ArrayLike, columns: Sequence[int], *, weights: ArrayLike | None = None
) -> PooledTest:
    """Test columns of logistic regressions by pooled likelihood ratios (D3, maximum likelihood).

    Parameters
    ----------
    X
        Completed columns (m, n, p) without an intercept.
    y
        Outcome (n,) or (m, n) in {0, 1}.
    columns
        Places in X, counted from 0, of the columns under test.
    weights
        Case weights (n,) or (m, n).

    Returns
    -------
    PooledTest
        NaN where a fit has no maximum.

    Raises
    ------
    InputError
        Fewer than two imputations, or arguments that do not fit each other.

    References
    ----------
    Meng XL, Rubin DB. Performing likelihood ratio tests with multiply-imputed data sets. Biometrika 1992;79:103-11.

    Examples
    --------
    >>> x = np.arange(12.0) % 5
    >>> y = [0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0]
    >>> test = pool_likelihoods([np.c_[x], np.c_[x + np.eye(12)[3]], np.c_[x - np.eye(12)[5]]], y, [0])
    >>> round(test.statistic, 2), test.df1, round(test.p, 3)
    (4.09, 1, 0.046)
    """
    design = read_array(X, "X")
    if design.ndim != 3:
        raise_input("X", f"an array of {design.ndim} dimensions", "3: imputations, rows, columns", "Stack the data.")
    m, k = _check_imputations(design.shape[0]), len(columns)
    without = np.delete(design, list(columns), axis=2)
    own, pooled = zip(*(_compute_logliks(part, y, weights) for part in (design, without)), strict=True)
    at_own, at_pooled = (float(2.0 * (full - null).mean()) for full, null in (own, pooled))
    riv = max(0.0, (m + 1.0) / (k * (m - 1.0)) * (at_own - at_pooled))
    return _finish_test("D3", at_pooled / (k * (1.0 + riv)), k, _compute_li_df(k * (m - 1.0), riv, k), riv)


def _compute_logliks(design: Floats, y: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return the log-likelihoods (m,) at each imputation's own estimates and at the pooled ones."""
    own = fit_many(design, y, penalty="none", weights=weights)
    centre = np.where(own.converged[:, None], own.coef, np.nan).mean(axis=0)
    if np.isnan(centre).any():
        return own.loglik, np.full(len(design), np.nan)
    return own.loglik, fit_many(design, y, penalty="none", weights=weights, fixed=centre).loglik


def pool_profiles(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    y: ArrayLike,
    *,
    penalty: str = "firth",
    prior_m: ArrayLike = DEFAULT_PRIOR,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> PooledProfiles:
    """Pool the (penalised) profile likelihoods of a logistic regression in m completed data sets (CLIP).

    Each profile is read as a posterior distribution of its coefficient, the imputations' are averaged, and limits
    and P values are taken from the average, so that intervals stay asymmetric where the likelihoods are.

    Parameters
    ----------
    X
        Completed columns (m, n, p) without an intercept; m = 1 only where nothing was missing.
    y
        Outcome (n,) or (m, n) in {0, 1}.
    penalty, prior_m
        As in :func:`rarefactor.stats.fit_many`.
    weights, offset
        (n,) or (m, n).
    names
        Names of the p columns.
    level
        The confidence level.

    Returns
    -------
    PooledProfiles
        An imputation without a maximum leaves NaN and a reason.

    Raises
    ------
    InputError
        Arguments that do not fit each other.

    References
    ----------
    Heinze G, Ploner M, Beyea J. Confidence intervals after multiple imputation: combining profile likelihood
    information from logistic regressions. Stat Med 2013;32:5062-76.

    Examples
    --------
    >>> x = np.repeat([0.0, 1.0], [30, 25])
    >>> y = np.repeat([0, 1, 0], [30, 5, 20])
    >>> pooled = pool_profiles(np.stack([x, np.where(np.arange(55) == 3, 1.0, x)])[:, :, None], y, names=["factor"])
    >>> np.exp(pooled.ci[1]).round(2), pooled.p[1].round(4)
    (array([1.64000e+00, 2.10619e+03]), np.float64(0.0129))
    """
    design = read_array(X, "X")
    if design.ndim != 3:
        raise_input("X", f"an array of {design.ndim} dimensions", "3: imputations, rows, columns", "Stack the data.")
    batch = read_batch(design, y, prior_m=prior_m, weights=weights, offset=offset, fixed=None, start=None)
    clip = compute_clip(batch, check_penalty(penalty), check_level(level))
    return PooledProfiles(
        names=("(Intercept)", *name_columns(design.shape[2], names)),
        penalty=penalty,
        level=level,
        m=design.shape[0],
        estimate=clip.estimate,
        ci=clip.ci,
        p=clip.p,
        failed=clip.failed,
        converged=not clip.reason,
        reason=clip.reason,
    )


def _check_imputations(m: int) -> int:
    if m < 2:
        raise_input("m", f"{m} imputation", "at least 2", "One completed data set is never taken as observed.")
    return m


def _compute_li_df(t: float, riv: float, k: int) -> float:
    if riv <= 0.0:
        return np.inf
    if t > 4.0:
        return 4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / riv) ** 2
    return t * (1.0 + 1.0 / k) * (1.0 + 1.0 / riv) ** 2 / 2.0


def _compute_reiter_df(t: float, riv: float, df_complete: float) -> float:
    a = riv * t / (t - 2.0)
    observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete
    c1, c2 = observed - 2.0 * (1.0 + a), observed - 4.0 * (1.0 + a)
    bracket = (
        c1 / ((1.0 + a) ** 2 * c2)
        + 8.0 * c1 / ((1.0 + a) * c2**2)
        + 4.0 / ((1.0 + a) * c2)
        + 4.0 / (c2 * c1)
        + 16.0 * c1 / c2**3
        + 8.0 / c2**2
    )
    return 4.0 + 1.0 / (1.0 / c2 + a**2 / (t - 4.0) * bracket)


def _finish_test(method: str, statistic: float, df1: int, df2: float, riv: float) -> PooledTest:
    return PooledTest(
        method=method, statistic=statistic, df1=df1, df2=df2, p=_compute_f_tail(statistic, df1, df2), riv=riv
    )


def _compute_f_tail(statistic: float, df1: int, df2: float) -> float:
    from scipy.special import fdtrc, gammaincc  # noqa: PLC0415 - SciPy is loaded when a test is asked for

    if np.isinf(df2):
        return float(gammaincc(df1 / 2.0, df1 * statistic / 2.0))
    return float(fdtrc(df1, df2, statistic))


def _compute_t_tails(statistic: Floats, df: Floats) -> Floats:
    from scipy.special import stdtr  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return 2.0 * np.asarray(stdtr(df, -np.abs(statistic)), dtype=np.float64)


def _compute_t_quantiles(probability: float, df: Floats) -> Floats:
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    finite = np.asarray(stdtrit(np.where(np.isinf(df), 1.0, df), probability), dtype=np.float64)
    return np.where(np.isinf(df), ndtri(probability), finite)
