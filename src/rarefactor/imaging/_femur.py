"""The shaft of the femur: a dark ring of cortical bone around bright marrow.

Convention: a slice of F + W (or T1), in which cortex has no signal. The ring is looked for by its look alone, radius by
radius; its score is the brightness of marrow and surroundings above the cortex, in units of the local mean. On thighs
the shaft scores 0.5 to 1; near the knee, where the cortex is thin, and in the pelvis the best ring stays below 0.45.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._body import Mask

SHAFT_SCORE = 0.45
_RADII_MM = range(9, 21)
_CORTEX_MM = 3.5
_LOCAL_MM = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Femur:
    """The best dark ring of a slice.

    Attributes
    ----------
    row, column : float
        Centre, in pixels of the slice.
    radius_mm : float
        Outer radius of the cortex.
    score : float
        Contrast of the ring; a shaft where it is at least 0.45.
    """

    row: float
    column: float
    radius_mm: float
    score: float


def fit_femur(signal: NDArray[np.float32], leg: Mask, inside: Mask, pixel_mm: float) -> Femur | None:
    """Find the dark ring that looks most like the shaft of the femur.

    Parameters
    ----------
    signal
        Slice of F + W or T1.
    leg
        The leg in this slice.
    inside
        Where the ring's centre may lie.
    pixel_mm
        Width of a pixel (square).

    Returns
    -------
    Femur or None
        None where ``inside`` is empty.

    Examples
    --------
    >>> rows, columns = np.mgrid[:80, :80]
    >>> far = np.hypot(rows - 42, columns - 37) * 1.5
    >>> signal = np.where((far > 8) & (far < 12), 5, 100).astype(np.float32)
    >>> femur = fit_femur(signal, np.ones((80, 80), bool), far < 30, 1.5)
    >>> femur.row, femur.column, femur.score > SHAFT_SCORE
    (42.0, 37.0, True)
    """
    if not inside.any():
        return None
    rows, columns = (np.flatnonzero(leg.any(axis=axis)) for axis in (1, 0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    contrast = _compute_contrast(signal[window], leg[window], pixel_mm)
    rings = [_match(contrast, inside[window], radius, pixel_mm) for radius in _RADII_MM]
    best = max(rings, key=lambda ring: ring.score)
    return Femur(
        row=best.row + float(rows[0]),
        column=best.column + float(columns[0]),
        radius_mm=best.radius_mm,
        score=best.score,
    )


def _compute_contrast(signal: NDArray[np.float32], leg: Mask, pixel_mm: float) -> NDArray[np.float64]:
    """Signal over its mean in the neighbourhood, less one, at most a half: bright vessels are no marrow."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    width = _LOCAL_MM / pixel_mm
    sums, counts = (
        np.asarray(ndimage.gaussian_filter(each, width), float) for each in (signal * leg, leg.astype(float))
    )
    return np.clip(signal / np.maximum(sums / np.maximum(counts, 0.1), 1e-6), 0, 1.5) - 1


def _match(contrast: NDArray[np.float64], inside: Mask, radius_mm: float, pixel_mm: float) -> Femur:
    from scipy.signal import fftconvolve  # noqa: PLC0415 - as above

    score = np.where(inside, fftconvolve(contrast, _compute_ring(radius_mm, pixel_mm), mode="same"), -np.inf)
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    return Femur(row=float(row), column=float(column), radius_mm=radius_mm, score=float(score[row, column]))


def _compute_ring(radius_mm: float, pixel_mm: float) -> NDArray[np.float64]:
    """Weights: minus one over the cortex, a half over the marrow, a half over what surrounds the bone."""
    half = int(np.ceil((radius_mm + 4) / pixel_mm))
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1] * pixel_mm
    far = np.hypot(rows, columns)
    cortex = (far <= radius_mm) & (far > radius_mm - _CORTEX_MM)
    marrow = far <= radius_mm - _CORTEX_MM - 1
    around = (far > radius_mm + 1) & (far <= radius_mm + 4)
    return 0.5 * marrow / marrow.sum() + 0.5 * around / around.sum() - cortex / cortex.sum()
