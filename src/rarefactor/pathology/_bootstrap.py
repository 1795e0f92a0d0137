"""How far a value of one section depends on which tiles were looked at.

Convention: the value is a ratio of sums over tiles, such as positive pixels over tissue pixels or cells over mm². Tiles
are drawn with replacement; the interval is the percentile interval. It holds for the section, not for the patient:
other sections and staining runs vary more. Tiles should be larger than what they show (0.25 mm or more), else the
interval is too narrow.

References
----------
Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall; 1993.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem

FEWEST_TILES = 8
"""Tiles with tissue without which no interval is given."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TileInterval:
    """A ratio and its interval over tiles.

    Attributes
    ----------
    estimate
        The ratio of the sums; NaN where the denominator is 0.
    low, high
        The interval; None where there is none.
    tiles
        Tiles with a denominator above 0.
    reason
        Why there is no interval, empty where there is one.
    """

    estimate: float
    low: float | None = None
    high: float | None = None
    tiles: int = 0
    reason: str = ""


def compute_tile_interval(
    numerators: NDArray[np.float64] | NDArray[np.int64],
    denominators: NDArray[np.float64] | NDArray[np.int64],
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    level: float = 0.95,
) -> TileInterval:
    """Return the ratio of two sums over tiles with its bootstrap interval.

    Parameters
    ----------
    numerators, denominators
        One of each for each tile, at least 0; tiles without tissue may be among them.
    rng
        Where the draws come from.
    resamples
        Number of draws.
    level
        Coverage, between 0 and 1.

    Raises
    ------
    InputError
        The two differ in length or hold values that are negative or not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = compute_tile_interval(np.arange(20), np.full(20, 100), rng=rng)
    >>> found.estimate, found.low < 0.095 < found.high
    (0.095, True)
    """
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    _check(top, bottom)
    used = bottom > 0
    top, bottom = top[used], bottom[used]
    tiles = len(top)
    estimate = float(top.sum() / bottom.sum()) if tiles else float("nan")
    if tiles < FEWEST_TILES:
        return TileInterval(estimate=estimate, tiles=tiles, reason=f"fewer than {FEWEST_TILES} tiles with tissue")
    draws = np.concatenate(
        [_draw(top, bottom, rng, min(_AT_ONCE, resamples - start)) for start in range(0, resamples, _AT_ONCE)]
    )
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2))
    return TileInterval(estimate=estimate, low=float(low), high=float(high), tiles=tiles)


def _draw(
    top: NDArray[np.float64], bottom: NDArray[np.float64], rng: np.random.Generator, count: int
) -> NDArray[np.float64]:
    times = rng.multinomial(len(top), np.full(len(top), 1 / len(top)), size=count)
    return (times @ top) / (times @ bottom)


def _check(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> None:
    if top.shape != bottom.shape or top.ndim != 1 or not (np.isfinite(top) & (top >= 0) & (bottom >= 0)).all():
        raise InputError(
            Problem(
                found="tiles whose numerators and denominators do not belong together",
                expected="two lists of one length with finite values of at least 0",
                next_step="Give one positive count and one tissue area for each tile.",
            )
        )
