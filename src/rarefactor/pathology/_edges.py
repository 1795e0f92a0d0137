"""The edge of the coverslip or of the slide: a straight line across the overview, and what lies beyond it.

Convention: an edge is a thin dark line on glass, within 5° of the image's sides, that crosses at least half of it in
the outer third. What lies between it and the nearest side is outside the coverslip and is not measured. Only overviews
of whole slides have edges; texture of tissue that fills a field is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import Floats
from rarefactor.pathology._tissue import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """What counts as the edge of a coverslip.

    Attributes
    ----------
    line
        Density of the line above what lies on both its sides.
    glass
        Density of what lies on both its sides at most.
    alone
        Share of the line's length that other lines beside it may reach at most: a line stands out of texture.
    crossing
        Share of the image's side that it crosses.
    outer
        Share of the image, from each side, in which it is looked for.
    tilt_deg
        Largest angle to the image's side.
    margin_px
        Pixels on its inner side that are left out with it.
    """

    line: float = 0.02
    glass: float = 0.06
    alone: float = 0.6
    crossing: float = 0.5
    outer: float = 0.33
    tilt_deg: float = 5.0
    margin_px: int = 8


EDGES = EdgeSettings()
_BESIDE = 8
"""Rows beside a line at which texture would have as many lines again."""


def compute_edges(density: Floats, *, settings: EdgeSettings = EDGES) -> Mask:
    """Return what lies at or beyond the edge of the coverslip, (row, column) of an overview of the whole slide.

    Parameters
    ----------
    density
        (row, column, 3) optical densities.
    settings
        What counts as an edge.

    Examples
    --------
    >>> slide = np.zeros((120, 300, 3))
    >>> slide[20] = 0.3
    >>> found = compute_edges(slide)
    >>> bool(found[10, 50]), bool(found[60, 50])
    (True, False)
    """
    grey = density.mean(axis=2)
    across = _beyond_top(grey, settings) | _beyond_top(grey[::-1], settings)[::-1]
    along = _beyond_top(grey.T, settings).T | _beyond_top(grey.T[::-1], settings)[::-1].T
    return across | along


def _beyond_top(grey: Floats, settings: EdgeSettings) -> Mask:
    beyond = np.zeros(grey.shape, dtype=np.bool_)
    zone = int(settings.outer * grey.shape[0])
    if zone < 12 or grey.shape[1] < 24:
        return beyond
    line = _find_line(_find_ridges(grey[:zone], settings), settings)
    if line is not None:
        rows = np.arange(grey.shape[0])[:, None]
        beyond |= rows <= line[None, :] + settings.margin_px
    return beyond


def _find_ridges(zone: Floats, settings: EdgeSettings) -> Mask:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    opened: NDArray[np.float64] = np.asarray(ndimage.grey_opening(zone, size=(9, 1)))
    return (zone - opened >= settings.line) & (opened <= settings.glass)


def _find_line(ridges: Mask, settings: EdgeSettings) -> NDArray[np.float64] | None:
    """Return the row of the innermost line that crosses enough columns, at each column."""
    thick = ridges.copy()
    thick[1:] |= ridges[:-1]
    thick[:-1] |= ridges[1:]
    rows, columns = np.nonzero(thick)
    across = np.arange(ridges.shape[1]) - (ridges.shape[1] - 1) / 2
    found: list[tuple[int, float, int]] = []
    for slope in np.tan(np.radians(np.linspace(-settings.tilt_deg, settings.tilt_deg, 41))).tolist():
        starts = np.rint(rows - slope * across[columns]).astype(np.intp)
        votes = np.bincount(starts[(starts >= 0) & (starts < len(ridges))], minlength=len(ridges))
        beside = np.minimum(_shift(votes, _BESIDE), _shift(votes, -_BESIDE))
        enough = (votes >= settings.crossing * len(across)) & (beside <= settings.alone * votes)
        found += [(int(row), slope, int(votes[row])) for row in np.flatnonzero(enough)]
    if not found:
        return None
    innermost = max(row for row, _, _ in found)
    row, slope, _ = max((line for line in found if line[0] >= innermost - 2 * _BESIDE), key=lambda line: line[2])
    return row + slope * across


def _shift(votes: NDArray[np.intp], by: int) -> NDArray[np.intp]:
    moved = np.zeros_like(votes)
    if by > 0:
        moved[by:] = votes[:-by]
    else:
        moved[:by] = votes[-by:]
    return moved
