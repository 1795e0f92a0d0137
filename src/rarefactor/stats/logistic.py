"""Logistic regression for few events: maximum likelihood, Firth, log-F; likelihood-ratio tests, profile bounds.

Convention: X has no intercept; it is added first, and stands first in every result. Tests and intervals come from
the (penalised) likelihood ratio with the penalty of all columns kept in the constrained fit, as in logistf.
Standard errors come from the inverse Fisher information. Coefficients are log odds ratios per unit of a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import (
    Bools,
    Floats,
    Ints,
    compute_inverse,
    fetch,
    get_namespace,
    send,
)
from rarefactor.stats._batch import DEFAULT_PRIOR, Batch, read_batch
from rarefactor.stats._inference import choose_objective, compute_lr_terms, compute_profiles
from rarefactor.stats._inputs import (
    check_columns,
    check_level,
    check_outcome,
    check_penalty,
    name_columns,
    raise_input,
    read_array,
)
from rarefactor.stats._likelihood import Logistic
from rarefactor.stats._newton import Maximum, Stop, derive_divergence, maximise
from rarefactor.stats._penalty import Objective
from rarefactor.stats._tails import compute_chi2_tail, compute_normal_quantile, compute_normal_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyFits:
    """B fits with k coefficients each; a fit that failed is a row of NaN with its ``reason``.

    ``coef``, ``se``, ``lr_chisq``, ``p`` (B, k); ``covariance`` (B, k, k); ``ci`` (B, k, 2); ``term_chisq``
    (B, m) of the terms asked for; ``loglik`` (B,), penalised where there is a penalty; ``iterations``, ``converged``,
    ``separated`` (B,).

    Under separation maximum likelihood has no finite coefficients: those that run away are infinite, ``loglik`` is the
    supremum, and tests and bounds hold against it.
    """

    coef: Floats
    covariance: Floats
    loglik: Floats
    iterations: Ints
    stop: Ints
    lr_chisq: Floats
    term_chisq: Floats
    ci: Floats

    @property
    def converged(self) -> Bools:
        """Whether each fit has arrived at a maximum."""
        return self.stop == Stop.CONVERGED.value

    @property
    def separated(self) -> Bools:
        """Whether the likelihood of each fit has no maximum at finite coefficients."""
        return self.stop == Stop.SEPARATED.value

    @property
    def reason(self) -> tuple[str, ...]:
        """Why each fit did not converge, empty where it did."""
        return tuple(Stop(code).reason for code in fetch(self.stop).tolist())

    @property
    def se(self) -> Floats:
        """Standard errors (B, k) from the inverse Fisher information."""
        xp = get_namespace(self.covariance)
        return xp.sqrt(xp.linalg.diagonal(self.covariance))

    @property
    def p(self) -> Floats:
        """P values (B, k) of the likelihood-ratio tests."""
        return send(compute_chi2_tail(fetch(self.lr_chisq)), self.lr_chisq)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """One fitted logistic regression; every array has the intercept first.

    ``coef``, ``se``, ``p``, ``lr_chisq`` (p + 1,); ``covariance`` (p + 1, p + 1); ``ci`` (p + 1, 2). ``p`` and
    ``ci`` are of the (penalised) likelihood ratio; ``wald_p`` and ``wald_ci`` are Wald's. ``se`` is of the inverse
    Fisher information (with what a log-F prior adds), ``se_augmented`` of Firth's augmented data (what logistf prints;
    for the other penalties the same).
    ``flags``: separated, not_converged, infinite_bound, bound_not_found.
    """

    names: tuple[str, ...]
    penalty: str
    level: float
    n: int
    events: int
    coef: Floats
    covariance: Floats
    se: Floats
    se_augmented: Floats
    ci: Floats
    p: Floats
    lr_chisq: Floats
    wald_ci: Floats
    wald_p: Floats
    loglik: float
    iterations: int
    converged: bool
    reason: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of every problem; ``level`` None for no intervals.

    ``columns`` and ``terms`` are places of coefficients; ``columns`` None asks for tests and intervals of all.
    """

    penalty: str
    tests: bool
    level: float | None
    columns: tuple[int, ...] | None = None
    terms: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TermTest:
    """A likelihood-ratio test that all coefficients of a term are 0."""

    chisq: float
    df: int
    p: float


def fit_many(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    y: ArrayLike,
    *,
    penalty: str = "firth",
    prior_m: ArrayLike = DEFAULT_PRIOR,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fixed: ArrayLike | None = None,
    start: ArrayLike | None = None,
    tests: bool = False,
    intervals: bool = False,
    level: float = 0.95,
    columns: Sequence[int] | None = None,
    terms: Sequence[Sequence[int]] = (),
) -> ManyFits:
    """Fit B logistic regressions in step: resamples, imputations, simulated data or constrained fits.

    Arrays of another library that follows the array API standard (PyTorch, CuPy) are worked on by that library, on its
    device, and so are the results; where one argument is such an array, all others go there. All in double precision.

    Parameters
    ----------
    X
        Columns (n, p) shared by all problems, or (B, n, p), without an intercept.
    y
        Outcome in {0, 1}, (n,) or (B, n).
    penalty
        "firth", "none" (maximum likelihood) or "logf" (log-F(m, m) priors on all coefficients but the intercept).
    prior_m
        For "logf" the strength m: one number, one per column (p,), or (B, p); see `fit_logistic`.
    weights
        Case weights (n,) or (B, n); a row of weight 0 counts for nothing and may hold missing values.
    offset
        Known part of the log odds, (n,) or (B, n).
    fixed
        Values (p + 1,) or (B, p + 1) at which coefficients are held, NaN where they are free; intercept first.
    start
        Coefficients (p + 1,) or (B, p + 1) to start from; by default zeros.
    tests, intervals
        Whether to add likelihood-ratio tests and profile bounds (not together with ``fixed``).
    level
        The confidence level.
    columns
        The columns of X, counted from 0, whose tests and bounds are made, NaN for the others and the intercept; None
        for all of them, intercept included.
    terms
        Terms to test as a whole, each by the places of its columns in X, counted from 0.

    Returns
    -------
    ManyFits
        A problem that fails is a value with a reason, never an exception.

    Raises
    ------
    InputError
        Arguments that do not fit each other.

    References
    ----------
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-19.

    Examples
    --------
    >>> x = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    >>> fits = fit_many(x, [0, 0, 1, 1, 1, 0], weights=[[1, 1, 1, 1, 1, 1], [2, 1, 1, 1, 1, 0]])
    >>> fits.coef.round(3).tolist(), fits.converged.tolist()
    ([[-0.511, 1.022], [-0.847, 2.457]], [True, True])
    """
    if fixed is not None and (tests or intervals or terms):
        raise_input("fixed", "held coefficients with tests or intervals", "one of them", "Fit twice.")
    batch = read_batch(X, y, prior_m=prior_m, weights=weights, offset=offset, fixed=fixed, start=start)
    wanted = Wanted(
        penalty=check_penalty(penalty),
        tests=tests,
        level=check_level(level) if intervals else None,
        columns=None if columns is None else tuple(column + 1 for column in columns),
        terms=tuple(tuple(column + 1 for column in term) for term in terms),
    )
    parts = [fit_portion(portion, wanted) for portion in batch.split()]
    if len(parts) == 1:
        return parts[0]
    concat = get_namespace(parts[0].coef).concat
    return ManyFits(**{f.name: concat([getattr(part, f.name) for part in parts]) for f in fields(ManyFits)})


def fit_portion(batch: Batch, wanted: Wanted) -> ManyFits:
    """Fit the problems of one batch, with the tests and bounds that are wanted."""
    xp = get_namespace(batch.design)
    likelihood, invalid = batch.build()
    objective = choose_objective(likelihood, wanted.penalty, batch.prior)
    shape = (batch.problems, likelihood.width)
    fixed = xp.broadcast_to(batch.fixed, shape)
    start = xp.where(xp.isnan(fixed), batch.start, fixed) * likelihood.scale
    top = maximise(objective, xp.broadcast_to(start, shape), xp.isnan(fixed))
    top = replace(top, stop=xp.where(invalid, Stop.INVALID.value, top.stop))
    lr_chisq, bounds = compute_profiles(objective, top, tests=wanted.tests, level=wanted.level, columns=wanted.columns)
    term_chisq = compute_lr_terms(objective, top, wanted.terms)
    return _assemble(objective, top, (lr_chisq, term_chisq, bounds))


def _assemble(objective: Objective[Logistic], top: Maximum, profiles: tuple[Floats, Floats, Floats]) -> ManyFits:
    """Return to the units of the columns; what failed becomes NaN, what runs away infinite."""
    xp, scale = get_namespace(top.beta), objective.likelihood.scale
    usable = (top.stop == Stop.CONVERGED.value) | (top.stop == Stop.SEPARATED.value)
    towards = derive_divergence(top)
    coef = xp.where(towards == 0.0, top.beta / scale, xp.where(towards > 0.0, xp.inf, -xp.inf + towards))
    covariance = compute_inverse(top.point.information).matrix / (scale[:, :, None] * scale[:, None, :])
    covariance = _blank_running(covariance, towards != 0.0)
    blank = xp.where(usable, 1.0, xp.nan + top.point.value)
    return ManyFits(
        coef=coef * blank[:, None],
        covariance=covariance * blank[:, None, None],
        loglik=(top.point.value + objective.constant()) * blank,
        iterations=top.rounds,
        stop=top.stop,
        lr_chisq=profiles[0],
        term_chisq=profiles[1],
        ci=profiles[2] / scale[:, :, None],
    )


def _blank_running(covariance: Floats, running: Bools) -> Floats:
    """Give coefficients at infinity an infinite variance and no covariances."""
    xp = get_namespace(running)
    if not xp.any(running):
        return covariance
    own = send(np.eye(running.shape[1], dtype=bool), running)
    covariance = xp.where(running[:, :, None] | running[:, None, :], xp.nan, covariance)
    return xp.where(running[:, :, None] & own, xp.inf, covariance)


def fit_logistic(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    y: ArrayLike,
    *,
    penalty: str = "firth",
    prior_m: ArrayLike = DEFAULT_PRIOR,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    tests: bool = True,
    intervals: bool = True,
    level: float = 0.95,
) -> LogisticFit:
    """Fit one logistic regression, with tests and intervals of the (penalised) likelihood ratio.

    Arrays of another library are copied to NumPy's first: one fit is no work for a device (see `fit_many`).

    Parameters
    ----------
    X
        Columns (n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}.
    penalty
        "firth" (Jeffreys' prior as penalty), "none" (maximum likelihood), or "logf": log-F(m, m) priors on all
        coefficients but the intercept, with the intervals and tests of the penalised likelihood.
    prior_m
        For "logf" the strength m, one number or one per column (p,); 0 for no prior. A prior of strength m is worth
        m patients, half of them with the event, who differ by one unit in this column alone, so **the unit of a column
        as it is passed matters**: with m = 2 the odds ratio per unit is thought to lie between 1/39 and 39 (95 %).
        Pass years as decades, or in another unit whose odds ratio could be judged so.
    weights
        Case weights (n,), for example counts of identical rows.
    offset
        Known part of the log odds (n,).
    names
        Names of the p columns, for errors and tables.
    tests, intervals
        Whether to make the likelihood-ratio tests and profile bounds (NaN where not).
    level
        The confidence level.

    Returns
    -------
    LogisticFit
        With ``converged`` and ``reason``; a bound that does not exist is infinite and flagged.

    Raises
    ------
    InputError
        Missing values, an outcome other than 0/1 or with one class, columns that are constant or combinations of
        others, too few rows; the error names the column.

    References
    ----------
    Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38.
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-19.
    Greenland S, Mansournia MA. Penalization, bias reduction, and default priors in logistic and related categorical and
    survival regressions. Stat Med 2015;34:3133-43.

    Examples
    --------
    An empty cell: 0 events in 30 patients without the factor, 5 in 25 with it.

    >>> x = np.repeat([[0.0], [1.0]], [30, 25], axis=0)
    >>> y = np.repeat([0, 1, 0], [30, 5, 20])
    >>> fit = fit_logistic(x, y, names=["factor"])
    >>> np.exp(fit.coef[1]).round(2), np.exp(fit.ci[1]).round(2), fit.p[1].round(4)
    (np.float64(16.37), array([1.71000e+00, 2.19242e+03]), np.float64(0.0113))
    >>> fit_logistic(x, y, penalty="none", names=["factor"]).flags
    ('separated', 'infinite_bound')
    """
    columns = read_array(X, "X")
    if columns.ndim != 2:
        raise_input(
            "X", f"an array of {columns.ndim} dimensions", "2: rows and columns", "Use X[:, None] for one column."
        )
    names = name_columns(columns.shape[1], names)
    given = {"weights": weights, "offset": offset}
    rows = {name: read_array(values, name) for name, values in given.items() if values is not None}
    batch = read_batch(columns, read_array(y, "y"), prior_m=prior_m, **rows)
    _check_single(columns, names, batch)
    wanted = Wanted(penalty=check_penalty(penalty), tests=tests, level=check_level(level) if intervals else None)
    many = fit_portion(batch, wanted)
    return describe_fit(many, batch, ("(Intercept)", *names), penalty, level)


def _check_single(columns: Floats, names: tuple[str, ...], batch: Batch) -> None:
    """Refuse what a single fit cannot use; rows of weight 0 are not looked at."""
    if batch.problems != 1:
        raise_input("y, weights, offset", f"{batch.problems} problems", "one", "Use fit_many for a batch.")
    if not (np.isfinite(batch.weights).all() and (batch.weights >= 0.0).all() and np.isfinite(batch.offset).all()):
        raise_input("weights, offset", "missing, infinite or negative values", "finite numbers", "Leave the rows out.")
    used = batch.weights[0] > 0.0
    check_outcome(batch.outcome[0, used])
    check_columns(columns[used], names)


def describe_fit(many: ManyFits, batch: Batch, names: tuple[str, ...], penalty: str, level: float) -> LogisticFit:
    """Return the one fit of a batch, with what is made of it: Wald's tests and intervals, flags and counts."""
    coef, se = many.coef[0], many.se[0]
    with np.errstate(invalid="ignore"):
        z = coef / se
    return LogisticFit(
        names=names,
        penalty=penalty,
        level=level,
        n=round(float(batch.weights.sum())),
        events=round(float((batch.weights * batch.outcome).sum())),
        coef=coef,
        covariance=many.covariance[0],
        se=se,
        se_augmented=se if penalty != "firth" else _compute_augmented_se(coef, many.covariance[0], batch),
        ci=many.ci[0],
        p=many.p[0],
        lr_chisq=many.lr_chisq[0],
        wald_ci=_compute_wald_ci(coef, se, level),
        wald_p=compute_normal_tail(z),
        loglik=float(many.loglik[0]),
        iterations=int(many.iterations[0]),
        converged=bool(many.converged[0]),
        reason=many.reason[0],
        flags=_flag(many, with_bounds=bool(np.isfinite(many.ci).any())),
    )


def _compute_wald_ci(coef: Floats, se: Floats, level: float) -> Floats:
    """Return coef +- z se; without limits where the standard error is infinite."""
    finite = np.isfinite(coef) & np.isfinite(se)
    half = compute_normal_quantile(0.5 + 0.5 * level) * np.where(finite, se, np.inf)
    centre = np.where(finite, coef, 0.0)
    return np.column_stack([centre - half, centre + half]) + np.where(np.isnan(coef), np.nan, 0.0)[:, None]


def _compute_augmented_se(coef: Floats, covariance: Floats, batch: Batch) -> Floats:
    """Return standard errors from (X'W(1 + h)X)^-1, h being the leverage of one patient of each row."""
    used = batch.weights[0] > 0.0
    design = batch.design[0, used]
    risk = 1.0 / (1.0 + np.exp(-(design @ coef + np.broadcast_to(batch.offset[0], used.shape)[used])))
    variance = risk * (1.0 - risk)
    leverage = variance * ((design @ covariance) * design).sum(axis=1)
    information = (design * (batch.weights[0, used] * variance * (1.0 + leverage))[:, None]).T @ design
    return np.sqrt(np.diagonal(compute_inverse(information[None]).matrix[0]))


def _flag(many: ManyFits, *, with_bounds: bool) -> tuple[str, ...]:
    flags = {
        "separated": bool(many.separated[0]),
        "not_converged": not (many.converged[0] or many.separated[0]),
        "infinite_bound": bool(np.isinf(many.ci).any()),
        "bound_not_found": with_bounds and bool(np.isnan(many.ci).any()),
    }
    return tuple(name for name, raised in flags.items() if raised)


def compute_term_tests(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    y: ArrayLike,
    terms: Mapping[str, Sequence[int]],
    *,
    penalty: str = "firth",
    prior_m: ArrayLike = DEFAULT_PRIOR,
    weights: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> dict[str, TermTest]:
    """Test terms of several columns, each by one (penalised) likelihood ratio.

    Parameters
    ----------
    X, y, penalty, prior_m, weights, offset
        As in :func:`fit_logistic`.
    terms
        For each term the places of its columns in X, counted from 0.

    Returns
    -------
    dict of str to TermTest
        Chi-square, degrees of freedom and P value; NaN where a fit failed.

    Examples
    --------
    >>> x = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1], [1, 0]])
    >>> test = compute_term_tests(x, [0, 0, 0, 1, 1, 1, 1, 1], {"stage": [0, 1]})["stage"]
    >>> round(test.chisq, 3), test.df, round(test.p, 3)
    (3.874, 2, 0.144)
    """
    many = fit_many(X, y, penalty=penalty, prior_m=prior_m, weights=weights, offset=offset, terms=tuple(terms.values()))
    chisq = many.term_chisq[0]
    tails = compute_chi2_tail(chisq, np.array([float(len(columns)) for columns in terms.values()]))
    return {
        name: TermTest(chisq=float(value), df=len(columns), p=float(tail))
        for (name, columns), value, tail in zip(terms.items(), chisq, tails, strict=True)
    }
