"""Touching shapes told apart: a watershed over heights, and the growth of labels into what lies around them.

Convention: every pixel of the mask climbs to the highest of its eight neighbours, on a plain to an earlier one (row
by row), until it stands on a summit; two summits are one basin where the lower of them rises less than ``depth`` above
the pass between them. Labels are 1, 2 ... and 0 is the rest. Nothing depends on where an image is cut, as long as a
shape and what touches it lie inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]
Mask = NDArray[np.bool_]
Heights = NDArray[np.float32]
_Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _Field:
    """The mask's pixels in a flat image with a margin of one pixel, which is lower than all of them."""

    heights: Heights
    pixels: _Index
    columns: int

    @property
    def steps(self) -> tuple[int, ...]:
        """From a pixel to the four neighbours that come later, and their opposites."""
        later = (1, self.columns - 1, self.columns, self.columns + 1)
        return (*later, *(-step for step in later))


@dataclass(frozen=True, slots=True)
class _Passes:
    """Neighbouring basins and the height of the pass between them, the highest first.

    A pixel may be the pass between several: then the pair with the highest summits comes first, so that the way round
    in which an image lies does not decide.
    """

    first: _Index
    second: _Index
    height: Heights


def compute_basins(heights: Heights, mask: Mask, *, depth: float) -> Labels:
    """Return the basins of a mask, one for each summit that rises by ``depth`` above the passes around it.

    Parameters
    ----------
    heights
        (row, column), finite inside the mask.
    mask
        (row, column); nothing outside it is labelled.
    depth
        At least 0, in the unit of ``heights``. The more, the fewer basins.

    Returns
    -------
    NDArray[int32]
        (row, column), 0 outside the mask.

    References
    ----------
    Cousty J, Bertrand G, Najman L, Couprie M. Watershed cuts: minimum spanning forests and the drop of water principle.
    IEEE Trans Pattern Anal Mach Intell 2009;31:1362-1374.

    Examples
    --------
    >>> ridge = np.array([[1, 5, 2, 4, 1]], dtype=np.float32)
    >>> compute_basins(ridge, ridge > 0, depth=1.0).tolist()
    [[1, 1, 1, 2, 2]]
    >>> compute_basins(ridge, ridge > 0, depth=3.0).tolist()
    [[1, 1, 1, 1, 1]]
    """
    field = _flatten(heights, mask)
    summits, basin = _number(_climb(field))
    peaks = field.heights[field.pixels[summits]]
    group = _join(peaks, _find_passes(field, basin, peaks), depth)
    labels = np.zeros(field.heights.size, dtype=np.int32)
    labels[field.pixels] = group[basin] + 1
    return np.ascontiguousarray(labels.reshape(-1, field.columns)[1:-1, 1:-1])


def compute_growth(labels: Labels, steps: int) -> Labels:
    """Return the labels grown by ``steps`` pixels into what has none; they stop where they meet.

    Steps go to four and to eight neighbours by turns, so that a label grows nearly round.

    Examples
    --------
    >>> compute_growth(np.array([[1, 0, 0, 0, 0, 2]], dtype=np.int32), 1).tolist()
    [[1, 1, 0, 0, 2, 2]]
    """
    columns = labels.shape[1] + 2
    grown = np.full((labels.shape[0] + 2, columns), -1, dtype=np.int32)
    grown[1:-1, 1:-1] = labels
    flat = grown.reshape(-1)
    front = _find_rim(grown)
    for step in range(steps):
        front = _grow_once(flat, front, columns, corners=bool(step % 2))
    return np.ascontiguousarray(grown[1:-1, 1:-1])


def drop_labels(labels: Labels, keep: NDArray[np.bool_]) -> Labels:
    """Return the labels for which ``keep`` (label, from 0 on) is true, numbered anew without gaps.

    Examples
    --------
    >>> drop_labels(np.array([[1, 0, 2, 3]], dtype=np.int32), np.array([True, False, True, True])).tolist()
    [[0, 0, 1, 2]]
    """
    numbers = np.zeros(len(keep), dtype=np.int32)
    kept = np.flatnonzero(keep[1:]) + 1
    numbers[kept] = np.arange(1, len(kept) + 1)
    return numbers[labels]


def _flatten(heights: Heights, mask: Mask) -> _Field:
    padded = np.full((mask.shape[0] + 2, mask.shape[1] + 2), -np.inf, dtype=np.float32)
    np.copyto(padded[1:-1, 1:-1], heights, where=mask)
    flat = padded.reshape(-1)
    return _Field(flat, np.flatnonzero(flat > -np.inf).astype(np.int32), padded.shape[1])


def _climb(field: _Field) -> _Index:
    """Return for each pixel of the mask the summit above it, as places among the mask's pixels."""
    highest = field.heights[field.pixels]
    above = field.pixels.copy()
    for step in field.steps:
        other = field.pixels + np.int32(step)
        there = field.heights[other]
        better = there >= highest if step < 0 else there > highest
        np.copyto(highest, there, where=better)
        np.copyto(above, other, where=better)
    place = np.empty(field.heights.size, dtype=np.int32)
    place[field.pixels] = np.arange(field.pixels.size, dtype=np.int32)
    return _follow(place[above])


def _follow(above: _Index) -> _Index:
    """Return where each chain of steps ends; each round doubles the length that is followed."""
    while True:
        further = above[above]
        if np.array_equal(further, above):
            return above
        above = further


def _number(above: _Index) -> tuple[_Index, _Index]:
    """Return the summits, and for each pixel which of them is its own."""
    summits = np.flatnonzero(above == np.arange(above.size, dtype=np.int32)).astype(np.int32)
    rank = np.zeros(above.size, dtype=np.int32)
    rank[summits] = np.arange(summits.size, dtype=np.int32)
    return summits, rank[above]


def _find_passes(field: _Field, basin: _Index, peaks: Heights) -> _Passes:
    number = np.full(field.heights.size, -1, dtype=np.int32)
    number[field.pixels] = basin
    keys: list[NDArray[np.int64]] = []
    heights: list[Heights] = []
    for step in field.steps[:4]:
        other = number[field.pixels + np.int32(step)]
        apart = np.flatnonzero((other >= 0) & (other != basin))
        here, there = field.pixels[apart], field.pixels[apart] + step
        low, high = np.minimum(basin[apart], other[apart]), np.maximum(basin[apart], other[apart])
        keys.append(low * np.int64(peaks.size) + high)
        heights.append(np.minimum(field.heights[here], field.heights[there]))
    return _highest_passes(np.concatenate(keys), np.concatenate(heights), peaks)


def _highest_passes(keys: NDArray[np.int64], heights: Heights, peaks: Heights) -> _Passes:
    order = np.argsort(keys, kind="stable")
    keys, heights = keys[order], heights[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    first, second = (each.astype(np.int32) for each in np.divmod(keys[starts], max(peaks.size, 1)))
    passes = np.maximum.reduceat(heights, starts) if len(starts) else heights
    higher, lower = np.maximum(peaks[first], peaks[second]), np.minimum(peaks[first], peaks[second])
    down = np.lexsort((-lower, -higher, -passes))
    return _Passes(first[down], second[down], passes[down])


def _join(peaks: Heights, passes: _Passes, depth: float) -> _Index:
    """Return the group of each basin: from the highest pass down, a shallow summit joins the one above it."""
    heights: list[float] = peaks.tolist()
    above = list(range(len(heights)))
    pairs = zip(passes.first.tolist(), passes.second.tolist(), passes.height.tolist(), strict=True)
    for one, other, height in pairs:
        high, low = _top(above, one), _top(above, other)
        if heights[high] < heights[low]:
            high, low = low, high
        if high != low and heights[low] - height < depth:
            above[low] = high
    tops = np.array([_top(above, place) for place in range(len(above))], dtype=np.int32)
    return np.unique(tops, return_inverse=True)[1].astype(np.int32)


def _top(above: list[int], place: int) -> int:
    while above[place] != place:
        above[place] = above[above[place]]
        place = above[place]
    return place


def _find_rim(padded: Labels) -> _Index:
    """Return the labelled pixels that have a neighbour without a label; the margin of one pixel counts as labelled."""
    free = padded == 0
    near = free[:-2] | free[1:-1] | free[2:]
    near = near[:, :-2] | near[:, 1:-1] | near[:, 2:]
    rim = np.zeros(padded.shape, dtype=np.bool_)
    rim[1:-1, 1:-1] = near & (padded[1:-1, 1:-1] > 0)
    return np.flatnonzero(rim).astype(np.int32)


def _grow_once(flat: Labels, front: _Index, columns: int, *, corners: bool) -> _Index:
    steps = (-columns, -1, 1, columns)
    steps = (*steps, -columns - 1, -columns + 1, columns - 1, columns + 1) if corners else steps
    held = flat[front]
    fresh: list[_Index] = []
    for step in steps:
        there = front + np.int32(step)
        free = np.flatnonzero(flat[there] == 0)
        flat[there[free]] = held[free]
        fresh.append(there[free])
    return np.sort(np.concatenate(fresh))
