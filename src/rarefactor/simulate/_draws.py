"""From the distributions of a truth file to values.

Convention: each drawn variable starts from a standard normal score per patient; scores may be correlated, and the
value is the same share of its own distribution that the score is of the normal. Choices are their places (0, 1 ...) in
the order of their codes, boxes and answers 0 and 1. What is cut off is truncated, not piled up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rarefactor.simulate._truth import Correlation, Draw

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_NORMAL = NormalDist()


def compute_root(names: Sequence[str], correlations: Sequence[Correlation]) -> Floats | None:
    """Return the square root of the correlations of the scores (k, k), or None where no such correlations exist."""
    matrix = np.eye(len(names))
    place = {name: index for index, name in enumerate(names)}
    for each in correlations:
        first, second = (place[name] for name in each.of)
        matrix[first, second] = matrix[second, first] = each.r
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None


def draw_scores(rng: np.random.Generator, count: int, names: Sequence[str], root: Floats) -> dict[str, Floats]:
    """Return a standard normal score for each patient and name."""
    scores = rng.standard_normal((count, len(names))) @ root.T
    return dict(zip(names, scores.T, strict=True))


def compute_values(draw: Draw, scores: Floats, codes: Sequence[str] = ()) -> Floats:
    """Return the values that standard normal scores stand for.

    Examples
    --------
    >>> compute_values(Draw(median=100, ratio=2), np.array([0.0, 1.0, -1.0])).round(6).tolist()
    [100.0, 200.0, 50.0]
    >>> compute_values(Draw(shares={"a": 0.5, "b": 0.5}), np.array([-2.0, 2.0]), ["a", "b"]).tolist()
    [0.0, 1.0]
    """
    if draw.share is not None:
        return (scores > _quantile(1 - draw.share)).astype(np.float64)
    if draw.shares is not None:
        ends = np.cumsum([draw.shares.get(code, 0.0) for code in codes])[:-1]
        return np.searchsorted([_quantile(end) for end in ends], scores).astype(np.float64)
    kept = _truncate(draw, scores)
    if draw.median is not None:
        return draw.median * draw.ratio**kept
    return (draw.mean or 0.0) + draw.sd * kept


def compute_recorded(draw: Draw, values: Floats, scores: Floats) -> Floats:
    """Return what is measured: the values with the error of measurement."""
    if draw.error == 0:
        return values
    return values * draw.error**scores if draw.median is not None else values + draw.error * scores


def compute_chances(share: float, log_odds: Floats) -> Floats:
    """Return a chance for each patient: around ``share``, higher or lower by log odds about their mean."""
    if share in {0.0, 1.0}:
        return np.full(len(log_odds), share)
    return 1 / (1 + np.exp(-(math.log(share / (1 - share)) + log_odds - log_odds.mean())))


def _quantile(share: float) -> float:
    if share <= 0 or share >= 1 - 1e-12:
        return -math.inf if share <= 0 else math.inf
    return _NORMAL.inv_cdf(share)


def _truncate(draw: Draw, scores: Floats) -> Floats:
    """Return the scores moved between the limits, each at the same share of what is left of the normal."""
    low, high = (_limit(draw, value) for value in (draw.low, draw.high))
    if low is None and high is None:
        return scores
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - loaded late, so that importing this part is light

    first = ndtr(-math.inf if low is None else low)
    last = ndtr(math.inf if high is None else high)
    return np.asarray(ndtri(first + (last - first) * ndtr(scores)), dtype=np.float64)


def _limit(draw: Draw, value: float | None) -> float | None:
    """Return a limit as a score; a value that does not vary has none."""
    if value is None:
        return None
    if draw.median is not None:
        return None if draw.ratio == 1 else math.log(max(value, 1e-12) / draw.median) / math.log(draw.ratio)
    return None if draw.sd == 0 else (value - (draw.mean or 0.0)) / draw.sd


def join(parts: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Return the values of several groups of patients as one."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
