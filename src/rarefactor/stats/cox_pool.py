"""One Cox model from several completed data sets: Rubin's rules, or pooled profiles of Firth's penalised likelihood.

Convention: completed columns are (m, n, k); times and events are never imputed. The degrees of freedom of the complete
data are events less coefficients. The event and the cumulative hazard at each patient's time belong in the imputation
model (:func:`compute_cumulative_hazard`).

References
----------
White IR, Royston P. Imputing missing covariate values for the Cox model. Stat Med 2009;28:1982-98.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._clip import Clip, search_clip
from rarefactor.stats._follow_up import count_follow_up, read_follow_up
from rarefactor.stats._inputs import check_level, check_penalty, raise_input, read_array
from rarefactor.stats._newton import Stop, maximise
from rarefactor.stats._partial_likelihood import Partial, build_partial
from rarefactor.stats._penalty import Objective, Point
from rarefactor.stats._tails import compute_normal_quantile
from rarefactor.stats.cox import CoxFit, choose_partial, fit_cox, read_model
from rarefactor.stats.hazards import HazardsCheck, HazardsSmooth, compute_hazards_check, compute_hazards_smooth
from rarefactor.stats.pool import PooledTest, pool_chisq, pool_rubin


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledCox:
    """A Cox model pooled over m imputations.

    ``estimate``, ``p`` (k,) and ``ci`` (k, 2); ``se``, ``df`` and ``fmi`` (k,) are Rubin's, NaN for profiles.
    ``monotone`` names the columns whose likelihood rises for ever in some imputation (with maximum likelihood they
    are NaN). ``failed`` counts the imputations without a maximum, and ``reason`` says why.
    """

    names: tuple[str, ...]
    penalty: str
    level: float
    m: int
    n: int
    events: int
    estimate: Floats
    ci: Floats
    p: Floats
    se: Floats
    df: Floats
    fmi: Floats
    monotone: tuple[str, ...]
    failed: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledHazards:
    """Tests of constant hazard ratios pooled over imputations (D2), and the averaged residuals.

    ``columns`` has a test for each column, ``terms`` one for each set of columns asked for, ``whole`` tests all.
    ``time`` and ``at`` (d,) are those of the deaths, ``residuals`` (d, k) scaled Schoenfeld residuals. ``smooth`` has
    standard errors by Rubin's rules.
    """

    columns: tuple[PooledTest, ...]
    terms: tuple[PooledTest, ...]
    whole: PooledTest
    time: Floats
    at: Floats
    residuals: Floats
    smooth: HazardsSmooth


def compute_cumulative_hazard(time: ArrayLike, event: ArrayLike) -> Floats:
    """Return the Nelson-Aalen cumulative hazard (n,) at each patient's own time.

    Raises
    ------
    InputError
        Times and events that do not fit each other.

    References
    ----------
    White IR, Royston P. Imputing missing covariate values for the Cox model. Stat Med 2009;28:1982-98.

    Examples
    --------
    >>> compute_cumulative_hazard([5, 1, 2, 2], [1, 1, 0, 1]).round(3).tolist()
    [1.583, 0.25, 0.583, 0.583]
    """
    counts = count_follow_up(*read_follow_up(time, event))
    return np.cumsum(counts.events / counts.at_risk)[counts.place]


def pool_cox(  # noqa: PLR0913 - the arguments of a regression are its public contract
    X: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    penalty: str = "none",
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> PooledCox:
    """Fit a Cox model to each of m completed data sets, and pool the fits.

    Parameters
    ----------
    X
        Completed columns (m, n, k).
    time, event
        Follow-up and what ended it (n,), as in :func:`fit_cox`.
    ties
        "efron" or "breslow".
    penalty
        "none" (maximum likelihood, pooled by Rubin's rules with Barnard and Rubin's degrees of freedom) or "firth"
        (penalised profiles, pooled by CLIP).
    names
        Names of the k columns.
    level
        The confidence level.

    Returns
    -------
    PooledCox
        What could not be pooled is NaN, with a reason.

    Raises
    ------
    InputError
        Fewer than two imputations, missing values, no event, columns that are constant or combinations of others.

    References
    ----------
    Barnard J, Rubin DB. Small-sample degrees of freedom with multiple imputation. Biometrika 1999;86:948-55.
    Heinze G, Ploner M, Beyea J. Confidence intervals after multiple imputation: combining profile likelihood
    information from logistic regressions. Stat Med 2013;32:5062-76.

    Examples
    --------
    >>> x = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    >>> both = np.stack([x, np.where(np.arange(8) == 5, 0.0, x)])[:, :, None]
    >>> time, event = [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 1, 0, 0]
    >>> pooled = pool_cox(both, time, event, penalty="firth", names=["factor"])
    >>> pooled.estimate.round(2).tolist(), pooled.ci.round(2).tolist()
    ([2.43], [[0.23, 6.85]])
    """
    columns = _read_completed(X)
    fits = [fit_cox(part, time, event, ties=ties, names=names, tests=False, intervals=False) for part in columns]
    return (_pool_ml if check_penalty(penalty) == "none" else _pool_firth)(columns, time, event, fits, level)


def _read_completed(X: ArrayLike) -> Floats:
    columns = read_array(X, "X")
    if columns.ndim != 3:
        found = f"an array of {columns.ndim} dimensions"
        raise_input("X", found, "3: imputations, rows, columns", "Stack the data.")
    if len(columns) < 2:
        next_step = "One completed data set is never taken as observed."
        raise_input("m", f"{len(columns)} imputation", "at least 2", next_step)
    return columns


def _find_monotone(fits: Sequence[CoxFit]) -> tuple[str, ...]:
    found = {name for fit in fits for name in fit.monotone}
    return tuple(name for name in fits[0].names if name in found)


def _pool_ml(columns: Floats, time: ArrayLike, event: ArrayLike, fits: Sequence[CoxFit], level: float) -> PooledCox:
    del time, event
    coef, se = (np.stack([getattr(fit, name) for fit in fits]) for name in ("coef", "se"))
    finite = np.isfinite(coef)
    free = max(1, fits[0].events - coef.shape[1])
    squares = np.square(np.where(finite, se, np.nan))
    found = pool_rubin(np.where(finite, coef, np.nan), squares, df_complete=free, level=level)
    failed = [fit.reason for fit in fits if not fit.converged]
    return PooledCox(
        names=fits[0].names, penalty="none", level=level, m=len(columns), n=fits[0].n, events=fits[0].events,
        estimate=found.estimate, ci=found.ci, p=found.p, se=found.se, df=found.df, fmi=found.fmi,
        monotone=_find_monotone(fits), failed=len(failed),
        reason=f"{len(failed)} of {len(fits)} imputations: {failed[0]}" if failed else "",
    )  # fmt: skip


def _pool_firth(columns: Floats, time: ArrayLike, event: ArrayLike, fits: Sequence[CoxFit], level: float) -> PooledCox:
    clip = _compute_clip(columns, time, event, fits[0], check_level(level))
    none = np.full(clip.estimate.shape, np.nan)
    return PooledCox(
        names=fits[0].names, penalty="firth", level=level, m=len(columns), n=fits[0].n, events=fits[0].events,
        estimate=clip.estimate, ci=clip.ci, p=clip.p, se=none, df=none, fmi=none,
        monotone=_find_monotone(fits), failed=clip.failed, reason=clip.reason,
    )  # fmt: skip


def _compute_clip(columns: Floats, time: ArrayLike, event: ArrayLike, fit: CoxFit, level: float) -> Clip:
    """Return pooled profiles of the penalised partial likelihoods."""
    read = [read_model(part, time, event, fit.names) for part in columns]
    own = tuple(choose_partial(build_partial(part, t, e, fit.ties)[0], "firth") for part, _, t, e in read)
    objective = _Completed(own, np.arange(len(own)))
    shape = (len(own), len(fit.names))
    top = maximise(objective, np.zeros(shape), np.ones(shape, dtype=bool))
    failed = np.flatnonzero(top.stop != Stop.CONVERGED)
    if not failed.size:
        return search_clip(objective, top, compute_normal_quantile(0.5 + 0.5 * level))
    reason = f"{failed.size} of {shape[0]} imputations: {Stop(int(top.stop[failed[0]])).reason}"
    nothing = np.full((shape[1], 2), np.nan)
    return Clip(estimate=nothing[:, 0], ci=nothing, p=nothing[:, 0], failed=failed.size, reason=reason)


@dataclass(frozen=True, slots=True)
class _Completed:
    """Penalised partial likelihoods of the imputations as one objective; ``rows`` (B,) are the problems' imputations.

    Risk sets are shared, columns are not: every imputation evaluates its own problems.
    """

    own: tuple[Objective[Partial], ...]
    rows: Ints

    @property
    def likelihood(self) -> _Completed:
        """The data below, as far as Newton asks for them."""
        return self

    @property
    def first(self) -> Partial:
        """The data of the first imputation: all have one shape."""
        return self.own[0].likelihood

    @property
    def width(self) -> int:
        """The number of coefficients."""
        return self.first.width

    @property
    def numbers(self) -> int:
        """How many numbers an evaluation forms for one problem: columns and their pairs."""
        return self.first.design.size + self.first.pairs.size

    @property
    def scale(self) -> Floats:
        """The standard deviations (B, k) of the columns."""
        return np.concatenate([item.likelihood.scale for item in self.own])[self.rows]

    @property
    def weights(self) -> Floats:
        """A weight of one for every row (1, n)."""
        return self.first.weights

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of any patient's log hazard by a step (B, k)."""
        reach = np.empty(len(step))
        for place, mine in self.split():
            reach[mine] = self.own[place].likelihood.compute_reach(step[mine])
        return reach

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_i x_i' as (B, k, k)."""
        sums = np.concatenate([item.likelihood.sum_pairs(weights) for item in self.own])
        return sums[self.rows]

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        count, k = beta.shape
        square = (count, k, k)
        found = Point(
            value=np.empty(count),
            gradient=np.empty((count, k)),
            curvature=np.empty(square),
            information=np.empty(square),
        )
        for place, mine in self.split():
            point = self.own[place].evaluate(beta[mine])
            for name in ("value", "gradient", "curvature", "information"):
                getattr(found, name)[mine] = getattr(point, name)
        return found

    def split(self) -> list[tuple[int, Ints]]:
        """Return each imputation that has problems, with their positions."""
        order = np.argsort(self.rows, kind="stable")
        places, starts = np.unique(self.rows[order], return_index=True)
        return list(zip(places.tolist(), np.split(order, starts[1:]), strict=True))

    def take(self, rows: Ints) -> _Completed:
        """Return the problems at these positions."""
        return _Completed(self.own, self.rows[rows])

    def constant(self) -> Floats:
        """Return the sums of the log scales (B,)."""
        return np.concatenate([item.constant() for item in self.own])[self.rows]


def pool_hazards_check(
    X: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "efron",
    terms: Sequence[Sequence[int]] = (),
    bends: int = 2,
) -> PooledHazards:
    """Test in m completed data sets whether hazard ratios are constant over time, and pool the tests (D2).

    Parameters
    ----------
    X, time, event, ties
        As in :func:`pool_cox`.
    terms
        Places of columns to test together.
    bends
        Inner knots of the smooth.

    Returns
    -------
    PooledHazards
        NaN where the partial likelihood of an imputation has no maximum.

    Raises
    ------
    InputError
        As :func:`pool_cox`.

    References
    ----------
    Li KH, Meng XL, Raghunathan TE, Rubin DB. Significance levels from repeated p-values with multiply-imputed data.
    Stat Sin 1991;1:65-92.

    Examples
    --------
    >>> x = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    >>> both = np.stack([x, np.where(np.arange(8) == 4, 0.0, x)])[:, :, None]
    >>> found = pool_hazards_check(both, [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 1, 0, 1])
    >>> round(found.columns[0].statistic, 3), round(found.columns[0].p, 3)
    (1.245, 0.265)
    """
    columns = _read_completed(X)
    fits = [fit_cox(part, time, event, ties=ties, tests=False, intervals=False) for part in columns]
    checks = [
        compute_hazards_check(part, time, event, fit, terms=terms) for part, fit in zip(columns, fits, strict=True)
    ]
    own = [[check.chisq[place] for check in checks] for place in range(columns.shape[2])]
    return PooledHazards(
        columns=tuple(pool_chisq(values, 1) for values in own),
        terms=tuple(
            pool_chisq([check.terms[place].statistic for check in checks], len(term))
            for place, term in enumerate(terms)
        ),
        whole=pool_chisq([check.whole.statistic for check in checks], columns.shape[2]),
        time=checks[0].time,
        at=checks[0].at,
        residuals=np.mean([check.residuals for check in checks], axis=0),
        smooth=_average(checks, bends),
    )


def _average(checks: Sequence[HazardsCheck], bends: int) -> HazardsSmooth:
    smooths = [compute_hazards_smooth(check, bends=bends) for check in checks]
    estimate, se = (np.stack([getattr(item, name) for item in smooths]) for name in ("estimate", "se"))
    between = estimate.var(axis=0, ddof=1)
    total = np.square(se).mean(axis=0) + (1.0 + 1.0 / len(checks)) * between
    return HazardsSmooth(time=smooths[0].time, at=smooths[0].at, estimate=estimate.mean(axis=0), se=np.sqrt(total))
