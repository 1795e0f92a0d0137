"""Predictive mean matching for a batch of chains: a missing value takes that of one of the nearest donors.

Type 1 matching: donors are ranked by their predictions with the estimated coefficients, a missing value by its
prediction with coefficients drawn from their posterior distribution.

References
----------
Little RJA. Missing-data adjustments in large surveys. J Bus Econ Stat 1988;6:287-96.
van Buuren S. Flexible imputation of missing data. 2nd ed. Boca Raton: CRC Press; 2018, section 3.4.
"""

from __future__ import annotations

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints, dot

RIDGE = 1e-5
"""The share of a column's sum of squares that is added to it, so that dependent columns do no harm (as in mice)."""

JITTER = 1e-9
"""What is added at random to predictions (in SDs of the variable) so that ties are broken by chance."""


def draw_predictions(design: Floats, observed: Bools, predictors: Ints, own: int, rng: np.random.Generator) -> Floats:
    """Return predictions (B, n) of the column ``own`` of the design (B, n, K + 1), drawn ones where it is missing.

    The last column of the design is free for noise e: with X'e in place of X'y, the normal equations give a draw
    of the coefficients' error along with the estimate, from one matrix product and one solution.
    """
    design[..., -1] = rng.standard_normal(design.shape[:2])
    sums = (design * observed[..., None]).transpose(0, 2, 1) @ design
    matrix = sums[:, predictors[:, None], predictors]
    count = observed.sum(axis=1)
    inner = np.arange(1, predictors.size)
    matrix[:, inner, inner] += RIDGE * count[:, None]
    right = sums[:, predictors[:, None], [own, -1]]
    solution = np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    residual = np.maximum(0.0, sums[:, own, own] - dot(solution[..., 0], right[..., 0]))
    sigma = np.sqrt(residual / rng.chisquare(np.maximum(count - predictors.size, 1)))
    solution[..., 1] = solution[..., 0] + sigma[:, None] * solution[..., 1]
    both = np.zeros((*design.shape[::2], 2))
    both[:, predictors] = solution
    predicted = design @ both
    return np.where(observed, predicted[..., 0], predicted[..., 1])


def draw_donors(predictions: Floats, observed: Bools, donors: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return chain, row and donor's row of every missing value.

    The nearest donors stand side by side among the sorted observed predictions, so the one to take is a random place in
    that window: from the window below the missing value it moves up while the next donor above is nearer than
    the last one below.
    """
    problems, n = predictions.shape
    predictions = predictions + JITTER * rng.random(predictions.shape)
    order = predictions.argsort(axis=1)
    order += np.arange(problems)[:, None] * n
    given = observed.reshape(-1)[order]
    rank = given.cumsum(axis=1)
    values = predictions.reshape(-1)[order]
    width = n + 2 * donors
    place = rank + (np.arange(problems)[:, None] * width + donors)
    line = np.full(problems * width, np.inf)
    line.reshape(problems, width)[:, :donors] = -np.inf
    source = np.zeros(problems * width, dtype=np.intp)
    line[place[given] - 1] = values[given]
    source[place[given] - 1] = order[given]
    sought = ~given
    target, first, chain = values[sought], place[sought] - donors, np.nonzero(sought)[0]
    start = first.copy()
    for step in range(donors):
        start += line[first + step + donors] - target < target - line[first + step]
    count = rank[:, -1][chain]
    pool = np.minimum(count, donors)
    low = chain * width + donors
    start = np.clip(start, low, low + count - pool)
    chosen = source[start + (rng.random(start.size) * pool).astype(np.intp)]
    return chain, order[sought] - chain * n, chosen - chain * n
