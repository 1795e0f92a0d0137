"""Regions on a slide: which pixels they hold, and whether they lie on it.

Convention: a pixel belongs to a region when its centre does (even-odd rule within a polygon, union of polygons), so
that each pixel is decided alone and the counts of tiles add up to the count of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._flag import warn
from rarefactor.pathology._geojson import Annotation, Polygon, Ring
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._slide import Slide
from rarefactor.results import Flag, Severity

Mask = NDArray[np.bool_]
MAX_OUTSIDE = 0.001
"""Share of a region's area that may lie outside the slide unsaid: an outline drawn along the border."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A region that lies on the slide, and what is doubtful about it."""

    region: Annotation
    flags: tuple[Flag, ...] = ()


def rasterise(annotation: Annotation, window: Window, downsample: float = 1.0) -> Mask:
    """Return which pixels of a window belong to a region.

    Parameters
    ----------
    annotation
        The region, in pixels of level 0.
    window
        What was read, in pixels of level 0.
    downsample
        As it was read.

    Returns
    -------
    Mask
        ``window.shape(downsample)``: True where the centre of the pixel is inside.

    Examples
    --------
    >>> square = Polygon(outline=np.array([[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]))
    >>> region = Annotation(name="a", polygons=(square,))
    >>> rasterise(region, Window(x=0, y=0, width=4, height=4)).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    shape = window.shape(downsample)
    mask = np.zeros(shape, dtype=np.bool_)
    corner = np.array([window.x, window.y], dtype=np.float64)
    for polygon in annotation.polygons:
        mask |= _fill([(ring - corner) / downsample for ring in polygon.rings], shape)
    return mask


def check_regions(regions: Sequence[Annotation], slide: Slide) -> tuple[tuple[Placed, ...], tuple[Flag, ...]]:
    """Return the regions that lie on the slide, flagged where they reach beyond, and a flag for each that does not."""
    placed: list[Placed] = []
    refused: list[Flag] = []
    for region in regions:
        outside = compute_outside(region, slide.width, slide.height)
        if outside >= 1:
            size = f"{slide.width} x {slide.height} pixels"
            detail = f"Region {region.name} lies outside the slide ({size}): not measured."
            refused.append(Flag(name="region_outside", severity=Severity.REFUSED, detail=detail))
        else:
            placed.append(Placed(region=region, flags=_cut_flags(region, outside)))
    return tuple(placed), tuple(refused)


def compute_outside(region: Annotation, width: int, height: int) -> float:
    """Return the share (0 to 1) of a region's area that lies outside a slide of ``width`` x ``height`` pixels.

    Examples
    --------
    >>> square = Polygon(outline=np.array([[-5.0, 0.0], [5.0, 0.0], [5.0, 10.0], [-5.0, 10.0]]))
    >>> compute_outside(Annotation(name="a", polygons=(square,)), 100, 100)
    0.5
    """
    left, top, right, bottom = region.bounds
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return 0.0
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        return 1.0
    inside = sum(_clipped_area(polygon, width, height) for polygon in region.polygons)
    return 1.0 - min(1.0, inside / region.area)


def _cut_flags(region: Annotation, outside: float) -> tuple[Flag, ...]:
    if outside <= MAX_OUTSIDE:
        return ()
    detail = f"{outside:.1%} of region {region.name} lies outside the slide and was not measured."
    return (warn("region_cut", detail),)


def _clipped_area(polygon: Polygon, width: int, height: int) -> float:
    outline, *holes = (_area(_clip(ring, width, height)) for ring in polygon.rings)
    return outline - sum(holes)


def _clip(ring: Ring, width: float, height: float) -> Ring:
    """Return the part of a ring inside the slide; parts cut apart stay joined along its border, without area."""
    for axis, sign, bound in ((0, 1, 0.0), (0, -1, -width), (1, 1, 0.0), (1, -1, -height)):
        if not len(ring):
            return ring
        ring = _clip_half(ring, sign * ring[:, axis] - bound)
    return ring


def _clip_half(ring: Ring, depth: NDArray[np.float64]) -> Ring:
    """Keep the side of a straight line where ``depth`` is not negative (Sutherland and Hodgman 1974)."""
    after, next_depth = np.roll(ring, -1, axis=0), np.roll(depth, -1)
    crosses = (depth >= 0) != (next_depth >= 0)
    share = np.divide(depth, depth - next_depth, out=np.zeros_like(depth), where=crosses)
    crossing = ring + share[:, None] * (after - ring)
    pairs = np.stack((ring, crossing), axis=1).reshape(-1, 2)
    return pairs[np.stack((depth >= 0, crosses), axis=1).ravel()]


def _area(ring: Ring) -> float:
    if len(ring) < 3:
        return 0.0
    x, y = (ring - ring[0]).T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def _fill(rings: Sequence[Ring], shape: tuple[int, int]) -> Mask:
    """Return the pixels whose centre has an odd number of edges to its left."""
    toggles = np.zeros((shape[0], shape[1] + 1), dtype=np.bool_)
    for ring in rings:
        rows, columns = _crossings(ring, shape)
        np.logical_xor.at(toggles, (rows, columns), True)
    return np.logical_xor.accumulate(toggles[:, :-1], axis=1)


def _crossings(ring: Ring, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row of each crossing of an edge with a line through centres, and the first column right of it."""
    begin, end = ring, np.roll(ring, -1, axis=0)
    upper, lower = np.where(begin[:, 1:] <= end[:, 1:], begin, end), np.where(begin[:, 1:] <= end[:, 1:], end, begin)
    first = _first_centre(upper[:, 1], shape[0])
    stop = _first_centre(lower[:, 1], shape[0])
    edges = np.repeat(np.arange(len(ring)), stop - first)
    rows = np.arange(len(edges)) - np.repeat(np.cumsum(stop - first) - (stop - first), stop - first) + first[edges]
    slope = (lower - upper)[edges]
    across = upper[edges, 0] + (rows + 0.5 - upper[edges, 1]) * slope[:, 0] / slope[:, 1]
    return rows, _first_centre(across, shape[1])


def _first_centre(place: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the first pixel whose centre is at a place or beyond it.

    Rounded to a billionth of a pixel: a centre on an edge must fall to the same side in every tile.
    """
    return np.clip(np.ceil(np.round(place - 0.5, 9)), 0, count).astype(np.int64)
