"""Folds: tissue that lies twice, and counts as stained twice as much.

Convention: in a fold every colour is absorbed about twice as much as in the section around it. A place that is brown or
cellular is denser too, but not in all colours alike: DAB absorbs far more blue than red. To leave out stained tissue by
mistake would be worse than to keep a fold, so only solid, straight bars of the section's own colour count, at least
four times as long as wide and longer than 300 µm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import Floats
from rarefactor.pathology._tissue import Mask, compute_pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSettings:
    """What counts as a fold.

    Attributes
    ----------
    factor
        Times the median of the tissue that every channel's density must reach.
    alike
        How many times the least raised channel the most raised one may be raised.
    long_um
        Least length.
    elongation
        Least ratio of length to width.
    solidity
        Least share of the bar of this length and width that is folded; ragged places have less.
    least_tissue_px
        Pixels of tissue without which the median says nothing.
    """

    factor: float = 1.7
    alike: float = 1.5
    long_um: float = 300.0
    elongation: float = 4.0
    solidity: float = 0.75
    least_tissue_px: int = 400


FOLDS = FoldSettings()


def compute_folds(density: Floats, tissue: Mask, *, um_per_px: float, settings: FoldSettings = FOLDS) -> Mask:
    """Return where the section is folded, (row, column).

    Parameters
    ----------
    density
        (row, column, 3) optical densities, averaged to about 8 µm per pixel.
    tissue
        (row, column), without ink.
    um_per_px
        µm per pixel of ``density``.
    settings
        What counts as a fold.

    Examples
    --------
    >>> section = np.full((80, 80, 3), 0.2)
    >>> section[40:44] = 0.4
    >>> found = compute_folds(section, np.ones((80, 80), dtype=bool), um_per_px=8.0)
    >>> bool(found[41, 30]), bool(found[20, 30])
    (True, False)
    """
    if int(tissue.sum()) < settings.least_tissue_px:
        return np.zeros_like(tissue)
    usual = np.median(density[tissue], axis=0)
    raised = density / np.maximum(usual, 0.02)
    least = raised.min(axis=2)
    double = tissue & (least >= settings.factor) & (raised.max(axis=2) <= settings.alike * least)
    pieces, sizes = compute_pieces(double)
    folded = np.zeros(len(sizes), dtype=np.bool_)
    longest = settings.long_um / um_per_px
    for number in np.flatnonzero(sizes >= longest):
        length, width = _compute_bar(*np.nonzero(pieces == number))
        narrow = length >= max(longest, settings.elongation * width)
        folded[number] = narrow and sizes[number] >= settings.solidity * length * width
    return folded[pieces]


def _compute_bar(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> tuple[float, float]:
    """Return length and width, in pixels, of the straight bar whose pixels would scatter as much."""
    spread = np.cov(np.stack([rows, columns]).astype(np.float64)) + np.eye(2) / 12
    across, along = np.sqrt(12 * np.maximum(np.linalg.eigvalsh(spread), 0.0)).tolist()
    return along, across
