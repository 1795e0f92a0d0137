"""Published evidence as a prior: pseudo-observations below the patients.

Convention: a prior is a mean and a standard deviation of a log odds ratio per unit of its column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._batch import Batch, read_batch
from rarefactor.stats._inputs import check_columns, check_level, check_outcome, name_columns, raise_input, read_array
from rarefactor.stats.logistic import LogisticFit, Wanted, describe_fit, fit_portion

STRETCH = 10.0
"""Pseudo-data are spread over this many standard deviations, so that their prior is all but normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRows:
    """Pseudo-observations that carry a prior: ``design`` (2r, k) with 0 for the intercept, and the rest (2r,)."""

    design: Floats
    outcome: Floats
    weights: Floats
    offset: Floats


def derive_prior_rows(places: Sequence[int], means: ArrayLike, sds: ArrayLike, width: int) -> PriorRows:
    """Turn normal priors on log odds ratios into rows of data.

    Each prior becomes a success and a failure of equal weight A at 1/S in its column, with an offset that puts them at
    the prior mean: a log-F(2A, 2A) prior stretched by S, whose variance is exactly that asked for.

    Parameters
    ----------
    places
        The columns of the design, the intercept being 0.
    means, sds
        Mean and standard deviation of each log odds ratio.
    width
        The number of columns of the design, intercept included.

    Returns
    -------
    PriorRows
        Two rows per prior, to be put below the patients.

    References
    ----------
    Greenland S. Bayesian perspectives for epidemiological research. II. Regression analysis. Int J Epidemiol
    2007;36:195-202.

    Examples
    --------
    >>> rows = derive_prior_rows([1], [0.7], [0.5], 2)
    >>> rows.design.tolist(), rows.outcome.tolist(), rows.weights.round(1).tolist(), rows.offset.round(2).tolist()
    ([[0.0, 0.1], [0.0, 0.1]], [1.0, 0.0], [800.5, 800.5], [-0.07, -0.07])
    """
    centre, spread = read_array(means, "means"), read_array(sds, "sds")
    if not (np.isfinite(centre).all() and (spread > 0.0).all() and np.isfinite(spread).all()):
        raise_input("means, sds", "missing or non-positive values", "a mean and a positive SD", "Check the priors.")
    stretch = STRETCH * np.maximum(1.0, spread)
    design = np.zeros((2 * len(places), width))
    design[np.arange(2 * len(places)), np.repeat(list(places), 2)] = np.repeat(1.0 / stretch, 2)
    return PriorRows(
        design=design,
        outcome=np.tile([1.0, 0.0], len(places)),
        weights=np.repeat(_invert_trigamma(np.square(spread / stretch) / 2.0), 2),
        offset=np.repeat(-centre / stretch, 2),
    )


def _invert_trigamma(variances: Floats) -> Floats:
    """Return where the trigamma function takes these values, by Newton's steps on its reciprocal."""
    from scipy.special import polygamma  # noqa: PLC0415 - SciPy is loaded when a prior is asked for, not at import

    at = 0.5 + 1.0 / variances
    for _ in range(20):
        value = polygamma(1, at)
        at = at + value * (1.0 - value / variances) / polygamma(2, at)
    return at


def fit_with_prior(
    X: ArrayLike,
    y: ArrayLike,
    priors: Mapping[str, tuple[float, float]],
    *,
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> LogisticFit:
    """Fit a logistic regression in which published evidence is a prior on some log odds ratios.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}.
    priors
        Mean and standard deviation of the log odds ratio (per unit of the column) by the column's name.
    names
        Names of the columns.
    level
        The level of the (posterior) intervals.

    Returns
    -------
    LogisticFit
        Of the posterior mode, with intervals of the profile; ``n`` and ``events`` count patients only.

    Raises
    ------
    InputError
        As :func:`~rarefactor.stats.fit_logistic`, or a prior for an unknown column.

    References
    ----------
    Greenland S. Bayesian perspectives for epidemiological research. II. Regression analysis. Int J Epidemiol
    2007;36:195-202.

    Examples
    --------
    >>> x, y = np.repeat([[0.0], [1.0]], [30, 10], axis=0), np.repeat([0, 1, 0, 1], [24, 6, 3, 7])
    >>> fit = fit_with_prior(x, y, {"male": (0.7, 0.5)}, names=["male"])
    >>> fit.coef.round(2), fit.ci[1].round(2), fit.n, fit.events
    (array([-1.05,  1.14]), array([0.33, 1.96]), 40, 13)
    """
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    named = name_columns(columns.shape[1], names)
    check_outcome(outcome)
    check_columns(columns, named)
    unknown = [name for name in priors if name not in named]
    if unknown:
        raise_input(
            "priors", f"the unknown column {unknown[0]}", f"columns among {', '.join(named)}", "Check the names."
        )
    places = [named.index(name) + 1 for name in priors]
    means, sds = (np.array([prior[i] for prior in priors.values()]) for i in (0, 1))
    batch = _append(read_batch(columns, outcome, **dict.fromkeys(("weights", "offset", "fixed", "start"))),
                    derive_prior_rows(places, means, sds, columns.shape[1] + 1))  # fmt: skip
    many = fit_portion(batch, Wanted(penalty="none", tests=True, level=check_level(level)))
    fit = describe_fit(many, batch, ("(Intercept)", *named), "none", level)
    return replace(fit, penalty="prior", n=outcome.size, events=int(outcome.sum()))


def _append(batch: Batch, rows: PriorRows) -> Batch:
    """Put the pseudo-observations below the patients."""
    return replace(
        batch,
        design=np.concatenate([batch.design, rows.design[None]], axis=1),
        outcome=np.concatenate([batch.outcome, rows.outcome[None]], axis=1),
        weights=np.concatenate([batch.weights, rows.weights[None]], axis=1),
        offset=np.concatenate([batch.offset, rows.offset[None]], axis=1),
    )
