"""The noise of a magnitude image, from the air around the body.

Convention: ``sd`` is the standard deviation of the noise of one channel (real or imaginary), in the image's own units.
In air a magnitude image then follows Rayleigh's distribution, with median ``sd * sqrt(2 ln 2)``. Images combined from
several coils or filtered by the scanner follow it roughly; echoes of the body in air make the estimate too large, never
too small. Where the scanner set the air to zero, the noise is taken from what neighbouring voxels of the body do not
share, which is rough: fine texture adds to it, interpolation by the scanner takes from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rarefactor.imaging._body import Mask, compute_depth_mm
from rarefactor.imaging._volume import Volume

_FAR_MM = 15.0
_COARSE_MM = 1.5
_ENOUGH = 500
_LEAST_SHARE = 0.1  # of the air; where less of it is above zero, the scanner has cleared it
_RAYLEIGH_MEDIAN = math.sqrt(2 * math.log(2))
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


class NoiseSource(StrEnum):
    """Where the noise was measured."""

    AIR = "air"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Standard deviation of the noise of one channel, in the image's units, and where it was measured."""

    sd: float
    source: NoiseSource
    voxels: int


def fit_noise(image: Volume, body: Mask) -> Noise:
    """Measure the noise of a magnitude image.

    Parameters
    ----------
    image
        Magnitudes.
    body
        Where the body is; voxels closer than 15 mm to it are left out.

    References
    ----------
    Gudbjartsson H, Patz S. The Rician distribution of noisy MRI data. Magn Reson Med 1995;34:910-914.
    Immerkær J. Fast noise variance estimation. Comput Vis Image Underst 1996;64:300-302.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> rng = np.random.default_rng(1)
    >>> values = np.abs(rng.normal(0, 3, (2, 64, 64)) + 1j * rng.normal(0, 3, (2, 64, 64))).astype(np.float32)
    >>> image = Volume(values=values, grid=Grid(shape=(2, 64, 64), spacing_mm=(5.0, 2.0, 2.0)))
    >>> noise = fit_noise(image, np.zeros((2, 64, 64), bool))
    >>> noise.source.value, round(noise.sd, 1)
    ('air', 3.0)
    """
    step = max(1, round(_COARSE_MM / min(image.grid.spacing_mm[1:])))
    air = _compute_air(image, body, step)
    signal = image.values[:, ::step, ::step][air]
    signal = signal[signal > 0]
    if signal.size < max(_ENOUGH, _LEAST_SHARE * air.sum()):
        return _fit_in_body(image, body)
    return Noise(sd=float(np.median(signal)) / _RAYLEIGH_MEDIAN, source=NoiseSource.AIR, voxels=signal.size)


def _compute_air(image: Volume, body: Mask, step: int) -> Mask:
    """Air far from the body, looked at in every ``step``-th row and column."""
    air = ~body[:, ::step, ::step]
    _, rows, columns = image.grid.spacing_mm
    return air & (compute_depth_mm(air, (rows * step, columns * step)) > _FAR_MM)


def _fit_in_body(image: Volume, body: Mask) -> Noise:
    """Spread of what is left when everything that is linear over 3 x 3 voxels is taken away."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    inside = np.asarray(ndimage.binary_erosion(body, np.ones((1, 5, 5), bool)), bool)
    left = np.asarray(ndimage.convolve(image.values, _LAPLACIAN[None]), float)[inside] / 6.0
    if not left.size:
        return Noise(sd=0.0, source=NoiseSource.BODY, voxels=0)
    return Noise(sd=float(np.median(np.abs(left))) / 0.6745, source=NoiseSource.BODY, voxels=left.size)
