"""Cox's proportional-hazards model for few events: partial likelihood and Firth's penalty.

Convention: coefficients are log hazard ratios per unit of a column; at equal times events come before censoring; ties
after Efron (default) or Breslow. Tests and intervals come from the (penalised) likelihood ratio with the penalty of all
columns kept in the constrained fit; Wald's stand beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.stats._arrays import Bools, Floats, compute_inverse, dot
from rarefactor.stats._follow_up import read_follow_up
from rarefactor.stats._inference import compute_profiles
from rarefactor.stats._inputs import (
    check_columns,
    check_level,
    check_penalty,
    name_columns,
    raise_input,
    read_array,
)
from rarefactor.stats._newton import Maximum, Stop, derive_divergence, maximise
from rarefactor.stats._partial_likelihood import Partial, PartialFirth, PartialLikelihood, build_partial
from rarefactor.stats._penalty import Objective
from rarefactor.stats._tails import compute_chi2_tail, compute_normal_quantile, compute_normal_tail
from rarefactor.stats.compare import ChiSquareTest

TIES = ("efron", "breslow")
MONOTONE = "monotone: the partial likelihood has no maximum at finite coefficients"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxFit:
    """One fitted Cox model with k coefficients.

    ``coef``, ``se``, ``p``, ``lr_chisq``, ``wald_p`` (k,); ``covariance`` (k, k); ``ci``, ``wald_ci`` (k, 2). ``p`` and
    ``ci`` are of the (penalised) likelihood ratio. ``lr``, ``wald`` and ``score`` test all coefficients at once.
    ``monotone`` names the columns whose likelihood rises for ever (with maximum likelihood their coefficients are
    infinite). ``flags``: monotone, not_converged, infinite_bound, bound_not_found.
    """

    names: tuple[str, ...]
    penalty: str
    ties: str
    level: float
    n: int
    events: int
    coef: Floats
    covariance: Floats
    se: Floats
    ci: Floats
    p: Floats
    lr_chisq: Floats
    wald_ci: Floats
    wald_p: Floats
    loglik: float
    loglik_null: float
    lr: ChiSquareTest
    wald: ChiSquareTest
    score: ChiSquareTest
    iterations: int
    converged: bool
    reason: str
    monotone: tuple[str, ...]
    flags: tuple[str, ...]


def fit_cox(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    penalty: str = "none",
    names: Sequence[str] | None = None,
    tests: bool = True,
    intervals: bool = True,
    level: float = 0.95,
) -> CoxFit:
    """Fit one Cox model, with tests and intervals of the (penalised) likelihood ratio.

    Parameters
    ----------
    X
        Columns (n, k).
    time
        Follow-up (n,), in any unit, not negative.
    event
        1 where the event ended it, 0 where it was censored (n,).
    ties
        "efron" or "breslow".
    penalty
        "none" (partial likelihood) or "firth".
    names
        Names of the columns, for errors and tables.
    tests, intervals
        Whether to make the likelihood-ratio tests and profile bounds (NaN where not).
    level
        The confidence level.

    Returns
    -------
    CoxFit
        With ``converged`` and ``reason``; a bound that does not exist is infinite and flagged.

    Raises
    ------
    InputError
        Missing values, no event, columns that are constant or combinations of others; the error names the column.

    References
    ----------
    Efron B. The efficiency of Cox's likelihood function for censored data. J Am Stat Assoc 1977;72:557-65.
    Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox regression. Biometrics 2001;57:114-9.

    Examples
    --------
    Nobody with the factor is without the event when others have it: the likelihood rises for ever.

    >>> x, time, event = [[1], [1], [1], [0], [0], [0], [0]], [1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 0, 1, 0]
    >>> fit_cox(x, time, event, names=["factor"]).monotone
    ('factor',)
    >>> firth = fit_cox(x, time, event, penalty="firth", names=["factor"])
    >>> firth.coef.round(2), firth.ci.round(2)
    (array([2.85]), array([[0.44, 7.77]]))
    """
    columns, named, times, events = read_model(X, time, event, names)
    for argument, value, known in (("ties", ties, TIES), ("penalty", penalty, ("none", "firth"))):
        if value not in known:
            raise_input(argument, repr(value), f"one of {', '.join(known)}", suggest(value, known))
    partial, _ = build_partial(columns, times, events, ties)
    objective = choose_partial(partial, check_penalty(penalty))
    k = partial.width
    top = maximise(objective, np.zeros((1, k)), np.ones((1, k), dtype=bool))
    chisq, bounds = compute_profiles(objective, top, tests=tests, level=check_level(level) if intervals else None)
    return _describe(objective, top, (chisq[0], bounds[0]), _Facts(named, penalty, ties, level, intervals))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the fit was asked for."""

    names: tuple[str, ...]
    penalty: str
    ties: str
    level: float
    intervals: bool


def read_model(
    X: ArrayLike, time: ArrayLike, event: ArrayLike, names: Sequence[str] | None
) -> tuple[Floats, tuple[str, ...], Floats, Floats]:
    """Return columns (n, k), their names, times and events (n,), or say why they cannot carry a Cox model."""
    columns = read_array(X, "X")
    if columns.ndim != 2:
        found = f"an array of {columns.ndim} dimensions"
        raise_input("X", found, "2: rows and columns", "Use X[:, None] for one column.")
    named = name_columns(columns.shape[1], names)
    times, events = read_follow_up(time, event)
    if len(columns) != times.size:
        raise_input("X", f"{len(columns)} rows", f"{times.size} like time", "Give one row per patient.")
    if not events.any():
        raise_input("event", "no event", "patients with the event", "Check the outcome's rule.")
    check_columns(columns, named)
    return columns, named, times, events


def choose_partial(partial: Partial, penalty: str) -> Objective[Partial]:
    """Return what is maximised; Newton and profiles ask of the likelihood below only what both kinds have."""
    return PartialLikelihood(partial) if penalty == "none" else PartialFirth(partial)


def _describe(objective: Objective[Partial], top: Maximum, profiles: tuple[Floats, Floats], facts: _Facts) -> CoxFit:
    """Return to the units of the columns; what failed is NaN, what runs away infinite."""
    data = objective.likelihood
    scale, stop = data.scale[0], Stop(int(top.stop[0]))
    usable = stop in (Stop.CONVERGED, Stop.SEPARATED)
    blank = 1.0 if usable else np.nan
    towards = derive_divergence(top)[0]
    running = towards != 0.0
    coef = np.where(running, np.copysign(np.inf, towards), top.beta[0] / scale) * blank
    covariance = _derive_covariance(top, running) / np.outer(scale, scale) * blank
    se = np.sqrt(np.diagonal(covariance))
    z = np.where(running, np.nan, coef) / np.where(running, 1.0, se)
    half = compute_normal_quantile(0.5 + 0.5 * facts.level) * se
    ci = profiles[1] / scale[:, None]
    null = objective.evaluate(np.zeros_like(top.beta))
    constant = float(objective.constant()[0])
    names = facts.names
    return CoxFit(
        names=names, penalty=facts.penalty, ties=facts.ties, level=facts.level,
        n=data.event.size, events=int(data.event.sum()),
        coef=coef, covariance=covariance, se=se, ci=ci, p=compute_chi2_tail(profiles[0]), lr_chisq=profiles[0],
        wald_ci=np.column_stack([z * se - half, z * se + half]), wald_p=compute_normal_tail(z),
        loglik=(float(top.point.value[0]) + constant) * blank, loglik_null=float(null.value[0]) + constant,
        lr=compute_test(2.0 * float(top.point.value[0] - null.value[0]) * blank, len(names)),
        wald=compute_test(_compute_wald(top, running) * blank, len(names)),
        score=compute_test(compute_score(null.gradient, null.information), len(names)),
        iterations=int(top.rounds[0]), converged=stop is Stop.CONVERGED,
        reason=MONOTONE if stop is Stop.SEPARATED else stop.reason,
        monotone=tuple(name for name, away in zip(names, running, strict=True) if away),
        flags=_flag(stop, ci, with_bounds=facts.intervals),
    )  # fmt: skip


def _apply(matrices: Floats, vectors: Floats) -> Floats:
    return (matrices @ vectors[:, :, None])[..., 0]


def _derive_covariance(top: Maximum, running: Bools) -> Floats:
    """Invert the information; coefficients at infinity have an infinite variance and no covariances."""
    covariance = compute_inverse(top.point.information).matrix[0]
    covariance = np.where(running[:, None] | running[None, :], np.nan, covariance)
    return np.where(np.diag(running), np.inf, covariance)


def compute_test(chisq: float, df: int) -> ChiSquareTest:
    """Return a chi-square with its P value."""
    return ChiSquareTest(statistic=chisq, df=df, p=float(compute_chi2_tail(np.array(chisq), float(df))))


def _compute_wald(top: Maximum, running: Bools) -> float:
    return np.nan if running.any() else float(dot(top.beta, _apply(top.point.information, top.beta))[0])


def compute_score(gradient: Floats, information: Floats) -> float:
    """Return the score chi-square of a gradient (1, k) and its information (1, k, k); NaN where that is singular."""
    inverse = compute_inverse(information)
    return float(dot(gradient, _apply(inverse.matrix, gradient))[0]) if inverse.positive[0] else np.nan


def _flag(stop: Stop, ci: Floats, *, with_bounds: bool) -> tuple[str, ...]:
    flags = {
        "monotone": stop is Stop.SEPARATED,
        "not_converged": stop not in (Stop.CONVERGED, Stop.SEPARATED),
        "infinite_bound": bool(np.isinf(ci).any()),
        "bound_not_found": with_bounds and bool(np.isnan(ci).any()),
    }
    return tuple(name for name, raised in flags.items() if raised)
