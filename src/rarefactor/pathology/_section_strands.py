"""Collagen of a made muscle section: wavy strands along the perimysium and around the tissue.

Convention: a strand is a line (point, 2) in µm. Edges between fascicles are chained into paths from junction to
junction and smoothed before strands run beside each other along them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._section import Points
from rarefactor.pathology._section_fibres import Mosaic

_STEP_UM = 5.0
_REACH_UM = 9.0
_STRANDS = 9


def compute_strands(mosaic: Mosaic, outline: Points, rng: np.random.Generator) -> Iterator[Points]:
    """Return the strands of all perimysium, then those along the border of the tissue."""
    for path in chain_edges(mosaic.corners[mosaic.between_fascicles], mosaic.ends[mosaic.between_fascicles]):
        yield from _draw_along(_smooth(path), rng)
    centre = outline.mean(axis=0)
    around = outline - centre
    reach = np.hypot(around[:, 0], around[:, 1])[:, None]
    for depth in (1.0, 3.5, 7.0, 11.0):
        yield centre + around * (1 - (depth + rng.normal(0, 0.6, reach.shape)) / reach)


def chain_edges(corners: NDArray[np.intp], ends: Points) -> Iterator[Points]:
    """Join edges (e, 2) that share a corner into paths (point, 2); a path ends where three edges meet, or none goes on.

    Examples
    --------
    >>> edges = np.array([[0, 1], [2, 1], [2, 3]])
    >>> [len(path) for path in chain_edges(edges, np.zeros((3, 2, 2)))]
    [4]
    """
    where = {
        int(corner): point
        for pair, at in zip(corners, ends, strict=True)
        for corner, point in zip(pair, at, strict=True)
    }
    beside: defaultdict[int, list[int]] = defaultdict(list)
    for first, second in corners.tolist():
        beside[first].append(second)
        beside[second].append(first)
    done: set[tuple[int, int]] = set()
    for start in sorted(beside, key=lambda corner: len(beside[corner]) == 2):
        for following in beside[start]:
            if (start, following) not in done:
                yield np.array([where[corner] for corner in _follow(start, following, beside, done)])


def _follow(start: int, following: int, beside: dict[int, list[int]], done: set[tuple[int, int]]) -> list[int]:
    path = [start]
    while (path[-1], following) not in done:
        done |= {(path[-1], following), (following, path[-1])}
        path.append(following)
        if len(beside[following]) != 2:
            break
        following = next(each for each in beside[following] if each != path[-2])
    return path


def _smooth(path: Points) -> Points:
    """The path in equal steps, its zigzag around fibres averaged out, its ends kept."""
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 - scipy is slow to import

    lengths = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    steps = np.linspace(0, along[-1], max(4, round(along[-1] / _STEP_UM)))
    even = np.stack([np.interp(steps, along, path[:, axis]) for axis in (0, 1)], axis=1)
    straight = np.linspace(0, 1, len(even))[:, None] * (even[-1] - even[0]) + even[0]
    return straight + np.asarray(gaussian_filter1d(even - straight, 4.0, axis=0, mode="mirror"))


def _draw_along(path: Points, rng: np.random.Generator) -> Iterator[Points]:
    tangent = np.gradient(path, axis=0)
    sideways = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / np.hypot(tangent[:, 0], tangent[:, 1])[:, None]
    place = np.arange(len(path)) * _STEP_UM
    for offset in rng.uniform(-_REACH_UM, _REACH_UM, _STRANDS):
        first, last = sorted(rng.integers(0, len(path) + 1, 2)) if len(path) > 12 else (0, len(path))
        wave = 1.6 * np.sin(place / rng.uniform(9, 16) + rng.uniform(0, 6.3)) + offset
        wander = 2.5 * np.sin(place / rng.uniform(35, 80) + rng.uniform(0, 6.3))
        if last - first > 1:
            yield (path + (wave + wander)[:, None] * sideways)[first:last]
