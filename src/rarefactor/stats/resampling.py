"""Bootstrap resamples of patients, as how often each patient is drawn.

Convention: a resample is a row of counts (n,), so that B resamples of one design are B rows of case weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import raise_input


def draw_resamples(n: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Draw bootstrap resamples of n patients with replacement, as counts (resamples, n).

    Examples
    --------
    >>> draw_resamples(4, 3, np.random.default_rng(1)).sum(axis=1).tolist()
    [4.0, 4.0, 4.0]
    """
    return count_resamples(rng.integers(0, n, (resamples, n)), n)


def count_resamples(indices: ArrayLike, n: int) -> Floats:
    """Count how often each of n patients stands in the rows of ``indices`` (B, m), counted from 0.

    Examples
    --------
    >>> count_resamples([[0, 0, 2]], 3).tolist()
    [[2.0, 0.0, 1.0]]
    """
    places = np.asarray(indices)
    if places.ndim != 2 or (places.size and (places.min() < 0 or places.max() >= n)):
        raise_input("indices", "places outside the data", f"rows of places from 0 to {n - 1}", "Count from 0.")
    problems = places.shape[0]
    flat = (places + n * np.arange(problems)[:, None]).ravel()
    return np.bincount(flat, minlength=problems * n).reshape(problems, n).astype(np.float64)
