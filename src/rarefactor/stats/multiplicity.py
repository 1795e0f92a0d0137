"""P values adjusted over a stated family. Convention: NaN is no test; it stays NaN and does not count."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._inputs import raise_input, read_array


def compute_holm(p: ArrayLike) -> Floats:
    """Return Holm's step-down adjusted P values (m,), which control the chance of any false finding.

    References
    ----------
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.

    Examples
    --------
    >>> compute_holm([0.01, 0.04, float("nan"), 0.03]).round(2).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    values, known, order = _sort_known(p)
    count = order.size
    steps = np.maximum.accumulate(values[known][order] * (count - np.arange(count)))
    return _put_back(values, known, order, steps)


def compute_benjamini_hochberg(p: ArrayLike) -> Floats:
    """Return Benjamini and Hochberg's adjusted P values (m,), which control the share of false findings.

    References
    ----------
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 1995;57:289-300.

    Examples
    --------
    >>> compute_benjamini_hochberg([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.04, 0.04]
    """
    values, known, order = _sort_known(p)
    count = order.size
    scaled = values[known][order] * count / np.arange(1, count + 1)
    return _put_back(values, known, order, np.minimum.accumulate(scaled[::-1])[::-1])


def _sort_known(p: ArrayLike) -> tuple[Floats, Ints, Ints]:
    values = read_array(p, "p")
    known = np.flatnonzero(~np.isnan(values))
    if ((values[known] < 0.0) | (values[known] > 1.0)).any():
        raise_input("p", "values outside 0 to 1", "P values", "Pass P values, not statistics.")
    return values, known, np.argsort(values[known], kind="stable")


def _put_back(values: Floats, known: Ints, order: Ints, steps: Floats) -> Floats:
    adjusted = np.full(values.shape, np.nan)
    adjusted[known[order]] = np.minimum(1.0, steps)
    return adjusted
