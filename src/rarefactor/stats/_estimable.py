"""Fits of many data sets, each with the columns that can be estimated in it.

Convention: a column with one value among the patients of a data set (a rare level that no resample drew) is left out
there, as it would be in a study of these patients: its coefficient is 0, and it takes no part in the penalty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._active import choose_active
from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._batch import Batch, read_batch
from rarefactor.stats._elimination import find_estimable
from rarefactor.stats._newton import Stop, maximise
from rarefactor.stats.logistic import fit_many


def fit_estimable(
    columns: Floats,
    outcome: Floats,
    weights: Floats | None = None,
    *,
    penalty: str = "firth",
    start: ArrayLike | None = None,
) -> tuple[Floats, tuple[str, ...]]:
    """Return Firth (``penalty="none"``: maximum-likelihood) coefficients (B, k), NaN where ``reason`` (B,) says why.

    ``columns`` (n, p) or (B, n, p), ``outcome`` (n,) or (B, n), ``weights`` (1 or B, n), ``start`` (k,).

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> coef, reason = fit_estimable(x, np.array([0.0, 0, 1, 1, 1, 0]), np.array([[2.0, 1, 1, 1, 1, 0]]))
    >>> coef.round(3).tolist(), reason
    ([[-0.847, 2.457, 0.0]], ('',))
    """
    fits = fit_many(columns, outcome, penalty=penalty, weights=weights, start=start)
    coef = np.where(fits.converged[:, None], fits.coef, np.nan)
    reason = list(fits.reason)
    again = np.flatnonzero(fits.stop == Stop.SINGULAR)
    if not again.size:
        return coef, tuple(reason)
    own = np.ones((1, outcome.shape[-1])) if weights is None else _take(weights, again, 2)
    batch = read_batch(
        _take(columns, again, 3), _take(outcome, again, 2), weights=own, offset=None, fixed=None, start=None
    )
    first = 0
    for portion in batch.split():
        found, why = _fit_portion(portion, penalty)
        places = again[first : first + len(why)]
        first += len(why)
        coef[places] = found
        for place, text in zip(places, why, strict=True):
            reason[place] = text
    return coef, tuple(reason)


def _take(values: Floats, rows: Ints, dimensions: int) -> Floats:
    return values if values.ndim < dimensions or len(values) == 1 else values[rows]


def _fit_portion(batch: Batch, penalty: str) -> tuple[Floats, tuple[str, ...]]:
    likelihood, invalid = batch.build()
    estimable = find_estimable(likelihood)
    top = maximise(choose_active(likelihood, penalty, estimable), np.zeros(estimable.shape), estimable)
    stop = np.where(invalid, Stop.INVALID, top.stop)
    coef = np.where((stop == Stop.CONVERGED)[:, None], top.beta / likelihood.scale, np.nan)
    return coef, tuple(Stop(code).reason for code in stop.tolist())
