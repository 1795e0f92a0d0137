"""Where the section is out of focus: cells cannot be counted there, while areas still can.

Convention: sharpness is the strength of detail of 0.7 to 1 µm relative to that of 2.8 to 5.6 µm, as standard deviations
of optical density, in squares of 128 µm. Sharp fields of 20 to 40x reach 0.25 to 0.5; a blur of 1.5 µm, which hides a
quarter of the nuclei, brings them to 0.20 or less. Images coarser than 0.7 µm per pixel hold no such detail and are
not judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import Densities, Floats, compute_channel_density
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._tissue import Mask
from rarefactor.pathology._white import Rgb, White
from rarefactor.results import Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class BlurSettings:
    """When a square is blurred.

    Attributes
    ----------
    sharpness
        Sharpness below which it is.
    square_um
        Side of a square.
    tissue
        Share of a square that must be tissue for it to be judged.
    structure
        Standard deviation of density at 2.8 to 5.6 µm without which there is nothing to be sharp.
    coarsest_um
        µm per pixel above which nothing is judged.
    warn_share
        Share of tissue that is blurred from which the slide is flagged.
    """

    sharpness: float = 0.20
    square_um: float = 128.0
    tissue: float = 0.25
    structure: float = 0.003
    coarsest_um: float = 0.7
    warn_share: float = 0.05


BLUR = BlurSettings()
_COARSE_UM = 2.0
"""µm per pixel at which detail of 2.8 µm and more is read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blur:
    """How sharp an image is.

    Attributes
    ----------
    sharpness
        (row, column) of squares; NaN where not judged.
    mask
        (row, column) of pixels: where counts are withheld.
    share
        Share of tissue that is blurred, 0 to 1; None where nothing was judged.
    flags
        ``blur`` where much is, ``blur_unchecked`` where nothing could be judged.
    """

    sharpness: Floats
    mask: Mask
    share: float | None
    flags: tuple[Flag, ...] = ()


def compute_blur(
    image: Rgb, white: White, tissue: Mask, *, um_per_px: float | None, settings: BlurSettings = BLUR
) -> Blur:
    """Return where an image is out of focus.

    Parameters
    ----------
    image
        (row, column, 3), at the resolution of the cell count.
    white
        The light without tissue.
    tissue
        (row, column).
    um_per_px
        Micrometres per pixel of ``image``; without it, nothing is judged.
    settings
        When a square is blurred.

    Examples
    --------
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> field = np.random.default_rng(1).integers(20, 240, (300, 300, 3)).astype(np.uint8)
    >>> glass = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
    >>> compute_blur(field, glass, np.ones((300, 300), dtype=bool), um_per_px=0.5).share
    0.0
    """
    if um_per_px is None or um_per_px > settings.coarsest_um:
        return _unchecked(tissue)
    sharpness = _compute_sharpness(_read_density(image, white), tissue, um_per_px, settings)
    blurred = np.nan_to_num(sharpness, nan=np.inf) < settings.sharpness
    mask = _spread(blurred, tissue.shape) & tissue
    judged = int(tissue.sum())
    if not judged or np.isnan(sharpness).all():
        return _unchecked(tissue)
    share = float(mask.sum() / judged)
    detail = f"{100 * share:.0f}% of the tissue is out of focus: cells are not counted there; its area is kept."
    flags = (warn("blur", detail),) if share >= settings.warn_share else ()
    return Blur(sharpness=sharpness, mask=mask, share=share, flags=flags)


def _compute_sharpness(density: Densities, tissue: Mask, um_per_px: float, settings: BlurSettings) -> Floats:
    """Return the sharpness of squares; coarse detail is read from averaged pixels, which hold all of it."""
    factor = max(1, min(round(_COARSE_UM / um_per_px), min(density.shape) // 8))
    side = max(1, min(round(settings.square_um / um_per_px), *density.shape)) // factor * factor
    smooth = _smooth(density, 0.7 / um_per_px)
    fine = _block_mean((smooth - _smooth(smooth, math.sqrt(1.0 - 0.7**2) / um_per_px)) ** 2, side)
    small = _average(density, factor)
    blurs = (_smooth(small, _narrow(size / um_per_px, factor)) for size in (2.8, 5.6))
    coarse = _block_mean((next(blurs) - next(blurs)) ** 2, side // factor)
    held = _block_mean(tissue[: small.shape[0] * factor : factor, : small.shape[1] * factor : factor], side // factor)
    judged = (held >= settings.tissue) & (coarse >= settings.structure**2)
    return np.where(judged, np.sqrt(fine / np.maximum(coarse, 1e-12)), np.nan)


def _average(density: Densities, factor: int) -> Densities:
    """Return means of squares of ``factor`` pixels; what is over is left out."""
    rows, columns = (length // factor for length in density.shape)
    whole = density[: rows * factor, : columns * factor]
    down = sum((whole[place::factor] for place in range(1, factor)), start=whole[::factor])
    across = down.reshape(rows, columns, factor)
    return np.asarray(across.sum(axis=2) / factor**2, dtype=np.float32)


def _narrow(sigma: float, factor: int) -> float:
    """Return the smoothing that averaged pixels still need, in these pixels."""
    return math.sqrt(sigma**2 - (factor**2 - 1) / 12) / factor


def _smooth(density: Densities, sigma_px: float) -> Densities:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    smooth = np.empty_like(density)
    ndimage.gaussian_filter(density, sigma_px, output=smooth, truncate=3)
    return smooth


def _read_density(image: Rgb, white: White) -> Densities:
    """Return the mean density of the three channels."""
    table = (compute_channel_density(white) / 3).astype(np.float32)
    density = table[:, 0][image[..., 0]]
    for channel in (1, 2):
        density += table[:, channel][image[..., channel]]
    return density


def _block_mean(values: NDArray[np.float32] | Mask, side: int) -> Floats:
    """Return means of squares; what is over at the right and below goes to the last square."""
    rows, columns = (np.arange(max(1, length // side)) * side for length in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0, dtype=np.float64), columns, axis=1)
    heights, widths = (np.diff(np.append(s, n)) for s, n in zip((rows, columns), values.shape, strict=True))
    return sums / np.outer(heights, widths)


def _spread(squares: Mask, shape: tuple[int, ...]) -> Mask:
    side = [max(1, length // count) for length, count in zip(shape, squares.shape, strict=True)]
    places = [
        np.minimum(np.arange(length) // step, count - 1)
        for length, step, count in zip(shape, side, squares.shape, strict=True)
    ]
    return squares[np.ix_(places[0], places[1])]


def _unchecked(tissue: Mask) -> Blur:
    detail = "Focus was not judged: µm per pixel is unknown, the image is too coarse, or it shows too little."
    return Blur(
        sharpness=np.full((1, 1), np.nan),
        mask=np.zeros_like(tissue),
        share=None,
        flags=(note("blur_unchecked", detail),),
    )
