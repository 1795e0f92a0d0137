"""Optical density, and its share of each stain.

Convention: optical density is log10(white / intensity) for each of red, green and blue, intensity being at least 1; it
is not cut at 0, so that the noise of glass averages out. A stain is a direction in that space (unit length); the
third direction, the residual, is the cross product of hematoxylin and DAB. The density of a stain is the
coordinate of a pixel along its direction when all three are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._white import Rgb, White

Floats = NDArray[np.float64]
Densities = NDArray[np.float32]
Direction = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StainVectors:
    """The directions of hematoxylin and DAB in optical density, red, green, blue.

    Examples
    --------
    >>> H_DAB.directions.shape
    (3, 3)
    """

    name: str
    hematoxylin: Direction
    dab: Direction

    def __post_init__(self) -> None:
        pair = np.array([self.hematoxylin, self.dab])
        if not np.isfinite(pair).all() or np.linalg.norm(np.cross(pair[0], pair[1])) < 1e-3:
            raise InputError(
                Problem(
                    found="stain vectors that are not two directions",
                    expected="three finite numbers for each of hematoxylin and DAB, not parallel",
                    next_step="Leave them out to use QuPath's H-DAB vectors.",
                )
            )

    @property
    def directions(self) -> Floats:
        """Hematoxylin, DAB and residual as rows of unit length, (3, 3)."""
        pair = np.array([self.hematoxylin, self.dab], dtype=np.float64)
        rows = np.vstack([pair, np.cross(pair[0], pair[1])])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    @property
    def unmixing(self) -> Floats:
        """The matrix (channel, stain) that turns densities of channels into densities of stains."""
        return np.linalg.inv(self.directions).astype(np.float64)


H_DAB = StainVectors(
    name="QuPath H-DAB default", hematoxylin=(0.65111, 0.70119, 0.29049), dab=(0.26917, 0.56824, 0.77759)
)
"""The vectors of a study that names none: QuPath's default for hematoxylin and DAB."""
RUIFROK = StainVectors(name="Ruifrok H-DAB", hematoxylin=(0.650, 0.704, 0.286), dab=(0.268, 0.570, 0.776))
"""The vectors of the paper, for comparison."""


def compute_channel_density(white: White) -> Floats:
    """Return the optical density of each grey level, (256 levels, 3 channels).

    Examples
    --------
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> float(compute_channel_density(White(level=(100.0, 200.0, 250.0), source=WhiteSource.GIVEN))[10, 0])
    1.0
    """
    levels = np.maximum(np.arange(256, dtype=np.float64), 1.0)
    return np.log10(np.asarray(white.level)[None, :] / levels[:, None])


def compute_density(image: Rgb, white: White) -> Densities:
    """Return the optical density of an image, (row, column, 3), in the order of its channels.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255.
    white
        The light without tissue.

    References
    ----------
    Ruifrok AC, Johnston DA. Quantification of histochemical staining by color deconvolution. Anal Quant Cytol Histol
    2001;23:291-299.
    """
    table = compute_channel_density(white).astype(np.float32)
    return np.stack([table[:, channel][image[..., channel]] for channel in range(3)], axis=-1)


def compute_stains(image: Rgb, white: White, vectors: StainVectors = H_DAB) -> Densities:
    """Return the densities of hematoxylin, DAB and residual, (row, column, 3).

    Examples
    --------
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> white = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
    >>> brown = np.array([[[129, 60, 36]]], dtype=np.uint8)
    >>> bool(compute_stains(brown, white)[0, 0, 1] > 1)
    True
    """
    return compute_density(image, white) @ vectors.unmixing.astype(np.float32)
