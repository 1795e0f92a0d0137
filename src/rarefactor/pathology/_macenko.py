"""Stain vectors estimated from the image itself: a check of the fixed vectors, never the measure.

Convention: the plane of the two largest directions of scatter of optical density; in it, the angles that leave 1 % of
the stained pixels on either side are the stains. The one nearer to the fixed DAB vector is called DAB. Estimates move
with the share of each stain in the image, so that a fraction measured with them is not comparable between slides.

References
----------
Macenko M, Niethammer M, Marron JS, et al. A method for normalizing histology slides for quantitative analysis. IEEE
International Symposium on Biomedical Imaging 2009:1107-1110. doi:10.1109/ISBI.2009.5193250
"""

from __future__ import annotations

import numpy as np

from rarefactor.pathology._density import H_DAB, Floats, StainVectors

STAINED = 0.45
"""Sum of the three channels' densities of a pixel that takes part: 0.15 on average, as in the paper."""
LINEAR = 1.0
"""Density up to which a camera is still proportional; darker pixels are left out."""
TAIL = 1.0
"""Per cent of stained pixels beyond each stain's angle."""
ENOUGH = 1000
"""Stained pixels without which nothing is estimated."""


def compute_macenko(density: Floats, reference: StainVectors = H_DAB) -> StainVectors | None:
    """Return the stain vectors of an image, or None where too few pixels are stained.

    Parameters
    ----------
    density
        (pixel, 3) optical densities of tissue.
    reference
        The vectors that say which of the two directions is DAB.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> amounts = rng.exponential(0.5, (20_000, 2)) * rng.permuted([[1.0, 0.02]] * 20_000, axis=1)
    >>> found = compute_macenko(amounts @ H_DAB.directions[:2])
    >>> compute_angle(found.dab, H_DAB.dab) < 3
    True
    """
    stained = density[(density.sum(axis=1) >= STAINED) & (density.max(axis=1) <= LINEAR)]
    if len(stained) < ENOUGH:
        return None
    _, directions = np.linalg.eigh(np.cov(stained.T))
    plane = directions[:, [2, 1]]
    plane[:, 0] *= np.sign(plane[:, 0].sum()) or 1.0
    angles = np.arctan2(stained @ plane[:, 1], stained @ plane[:, 0])
    first, second = (_direction(plane, angle) for angle in np.percentile(angles, (TAIL, 100 - TAIL)))
    if compute_angle(first, reference.dab) > compute_angle(second, reference.dab):
        first, second = second, first
    if compute_angle(first, second) < 1:
        return None
    return StainVectors(name="Macenko", hematoxylin=second, dab=first)


def compute_angle(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    """Return the angle between two directions in degrees.

    Examples
    --------
    >>> round(compute_angle((1, 0, 0), (1, 1, 0)))
    45
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    cosine = float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _direction(plane: Floats, angle: float) -> tuple[float, float, float]:
    red, green, blue = (plane @ np.array([np.cos(angle), np.sin(angle)])).tolist()
    return red, green, blue
