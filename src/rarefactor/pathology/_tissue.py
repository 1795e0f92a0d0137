"""Where the tissue lies on a slide.

Convention: a coarse mask on an overview (about 8 µm per pixel): what is denser than glass after averaging, without
specks of dust and with small gaps closed. It says where to read and what belongs to the section. The denominator of an
area fraction is either this mask or, finer, the pixels inside it that are themselves dense enough
(``Measure.tissue_density``), so that vessels, fat and tears are not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import Densities, compute_density
from rarefactor.pathology._white import Rgb, White

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class TissueSettings:
    """What counts as tissue on an overview.

    Attributes
    ----------
    density
        Sum of the three channels' densities, after averaging: half of what a single pixel must have, because pale
        muscle fibres reach about 0.1 and averaged glass stays below 0.02.
    sure_density, sure_share
        Share of a piece that must have at least this density, or it is a smear on the glass.
    smooth_px
        Standard deviation of the averaging, in pixels of the overview.
    smallest
        Pieces below this share of the largest piece are dust.
    smallest_px
        Pieces below this many pixels are dust in any case.
    gap_px
        Gaps of up to this many pixels inside the tissue belong to it.
    """

    density: float = 0.08
    sure_density: float = 0.15
    sure_share: float = 0.1
    smooth_px: float = 1.5
    smallest: float = 0.02
    smallest_px: int = 60
    gap_px: int = 400


TISSUE = TissueSettings()


def compute_tissue(
    overview: Rgb, white: White, *, exclude: Mask | None = None, settings: TissueSettings = TISSUE
) -> Mask:
    """Return where tissue is, (row, column).

    Parameters
    ----------
    overview
        (row, column, 3), about 8 µm per pixel.
    white
        The light without tissue.
    exclude
        Ink, edges and the like, which are not tissue.
    settings
        What counts as tissue.

    Examples
    --------
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> slide = np.full((60, 60, 3), 240, dtype=np.uint8)
    >>> slide[20:40, 20:40] = (150, 130, 160)
    >>> found = compute_tissue(slide, White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN))
    >>> bool(found[30, 30]), bool(found[5, 5])
    (True, False)
    """
    allowed = np.ones(overview.shape[:2], dtype=np.bool_) if exclude is None else ~exclude
    density = _smooth(compute_density(overview, white).sum(axis=2), settings.smooth_px)
    dense = (density >= settings.density) & allowed
    return _without_gaps(_without_dust(dense, density >= settings.sure_density, settings), settings.gap_px) & allowed


def _smooth(density: Densities, sigma_px: float) -> Densities:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    smooth = np.empty_like(density)
    ndimage.gaussian_filter(density, sigma_px, output=smooth)
    return smooth


def _without_dust(dense: Mask, sure: Mask, settings: TissueSettings) -> Mask:
    pieces, sizes = compute_pieces(dense)
    certain = np.bincount(pieces.ravel(), weights=sure.ravel(), minlength=len(sizes)) >= settings.sure_share * sizes
    real = np.where(certain, sizes, 0)
    return (real >= max(settings.smallest_px, settings.smallest * real.max(initial=0)))[pieces]


def _without_gaps(tissue: Mask, gap_px: int) -> Mask:
    gaps, sizes = compute_pieces(~tissue)
    return tissue | ((sizes > 0) & (sizes <= gap_px))[gaps]


def compute_pieces(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the pieces of a mask, numbered from 1, and the pixels of each; number 0 is outside and counts 0 pixels.

    Examples
    --------
    >>> compute_pieces(np.array([[True, False, True, True]]))[1].tolist()
    [0, 1, 2]
    """
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    pieces = np.zeros(mask.shape, dtype=np.int32)
    ndimage.label(mask, output=pieces)
    sizes = np.bincount(pieces.ravel()).astype(np.int64)
    sizes[:1] = 0
    return pieces, sizes
