"""Nuclei by the Laplacian of Gaussian and a watershed of distances: few settings, each with a physical meaning.

Convention: images have 0.5 µm per pixel; labels are 1, 2 ... and 0 is no nucleus. Red light is read, for hematoxylin
absorbs it most and DAB least: so a blue and a brown nucleus both show, and a thin brown membrane hides neither. Where
DAB fills the cytoplasm its share has to be taken off (``dab_weight``). Densities are optical densities over white.

Chosen on made muscle and six fields with truth together, a field left out at a time. What matters most is that
a nucleus ends on all sides. To ask for more hematoxylin where brown is dense was tried, and lost macrophages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._density import H_DAB, StainVectors, compute_channel_density
from rarefactor.pathology._nuclei_mask import (
    compute_closing,
    compute_doubled_mask,
    compute_filling,
    compute_inner_distance,
    compute_opening,
)
from rarefactor.pathology._watershed import Heights, Labels, Mask, compute_basins, compute_growth, drop_labels
from rarefactor.pathology._white import Rgb, White

Counts = NDArray[np.intp]
Floats = NDArray[np.float64]
HALO_PX = 32
"""Pixels around a tile in which its nuclei are still seen whole, with all that their finding looks at."""
_TRUNCATE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusSettings:
    """What counts as a nucleus.

    Attributes
    ----------
    um_per_px
        Micrometres per pixel of the images.
    dab_weight
        How much of what DAB absorbs of red light counts, 0 to 1. With 1 brown nuclei are found as well as blue ones;
        with 0 only hematoxylin marks a nucleus, for stains that fill fibres or cytoplasm.
    vectors
        The stains, by which DAB's share is told.
    smooth_um
        Standard deviation of the smoothing that hides chromatin and noise.
    blob_um
        Scale of the Laplacian of Gaussian: the radius of the smallest nucleus divided by the square root of 2.
    min_density
        Lowest optical density in red light.
    min_blob
        Lowest response of the Laplacian (scale-normalised, optical density) inside a nucleus.
    min_contrast
        By what share of its own density a nucleus must be darker than the ring around it, 0 to 1.
    open_density, max_open
        In what share of that ring, 0 to 1, the density may still be this share of the nucleus's own: a nucleus ends on
        all sides, while a patch at the rim or in the corner of a muscle fibre goes on into the fibre.
    surround_um
        Width of that ring.
    close_um
        Half the width of gaps in a nucleus that are closed, as between clumps of chromatin.
    max_hole_um2
        Largest hole in a nucleus that is filled: a pale vesicular nucleus is a ring.
    open_um
        Half the width of threads that are cut off.
    split_um
        How much nearer to the rim a waist is than the middle of either half, for two nuclei to be told apart.
    max_radius_um
        Distances to the rim are followed this far.
    edge
        Pixels below this share of their nucleus's mean density are outside it.
    grow_um
        Width that is then given back all around.
    min_area_um2, max_area_um2
        Areas of the smallest and the largest nucleus.
    """

    um_per_px: float = 0.5
    dab_weight: float = 1.0
    vectors: StainVectors = H_DAB
    smooth_um: float = 1.0
    blob_um: float = 1.5
    min_density: float = 0.05
    min_blob: float = 0.004
    min_contrast: float = 0.2
    open_density: float = 0.9
    max_open: float = 0.2
    surround_um: float = 2.0
    close_um: float = 1.0
    max_hole_um2: float = 25.0
    open_um: float = 0.5
    split_um: float = 0.35
    max_radius_um: float = 7.5
    edge: float = 0.6
    grow_um: float = 0.5
    min_area_um2: float = 12.0
    max_area_um2: float = 300.0

    def __post_init__(self) -> None:
        if not (self.um_per_px > 0 and 0 <= self.smooth_um < self.blob_um):
            raise InputError(
                Problem(
                    found=f"smooth_um {self.smooth_um:g} and blob_um {self.blob_um:g}",
                    expected="a pixel above 0 and a smoothing finer than the blobs",
                    next_step="1.0 and 1.5 suit nuclei of 4 to 12 µm.",
                )
            )

    def pixels(self, length_um: float) -> int:
        """Return a length in whole pixels."""
        return round(length_um / self.um_per_px)

    def area_px(self, area_um2: float) -> int:
        """Return an area in whole pixels."""
        return round(area_um2 / self.um_per_px**2)


NUCLEI = NucleusSettings()
NUCLEI_IN_BROWN = NucleusSettings(dab_weight=0.0, max_open=0.15)
"""For stains of membrane and cytoplasm, where brown may lie beside and over a nucleus; rims of fibres abound there."""


def compute_nuclei(image: Rgb, white: White, *, settings: NucleusSettings = NUCLEI) -> Labels:
    """Return a label image of the nuclei of a brightfield image.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255, at ``settings.um_per_px``.
    white
        The light without tissue.
    settings
        What counts as a nucleus.

    Returns
    -------
    NDArray[int32]
        (row, column).

    References
    ----------
    Lindeberg T. Feature detection with automatic scale selection. Int J Comput Vis 1998;30:79-116.

    Malpica N, de Solorzano CO, Vaquero JJ, et al. Applying watershed algorithms to the segmentation of clustered
    nuclei. Cytometry 1997;28:289-297.

    Examples
    --------
    >>> from rarefactor.pathology._white import WhiteSource
    >>> rows, columns = np.mgrid[:64, :64]
    >>> image = np.full((64, 64, 3), 240, dtype=np.uint8)
    >>> for centre in (20, 34):
    ...     image[np.hypot(rows - 32, columns - centre) < 7.5] = (140, 150, 200)
    >>> labels = compute_nuclei(image, White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN))
    >>> int(labels.max()), int(labels[32, 20] != labels[32, 34])
    (2, 1)
    """
    if not image.size:
        return np.zeros(image.shape[:2], dtype=np.int32)
    density = _smooth(_read_red(image, white, settings), settings.smooth_um / settings.um_per_px)
    mask = _compute_mask((density > settings.min_density) & _find_blobs(density, settings), settings)
    distance = compute_inner_distance(mask, settings.pixels(settings.max_radius_um))
    labels = compute_basins(distance, mask, depth=settings.split_um / settings.um_per_px)
    labels = compute_growth(_trim(labels, density, settings.edge), settings.pixels(settings.grow_um))
    return _drop_faint(labels, density, settings)[: image.shape[0], : image.shape[1]]


def _read_red(image: Rgb, white: White, settings: NucleusSettings) -> Heights:
    """Return the density in red light, with a last row and column more where the number of them is odd."""
    directions, unmixing = settings.vectors.directions, settings.vectors.unmixing
    weights = np.array([1.0, 0.0, 0.0]) - (1.0 - settings.dab_weight) * directions[1, 0] * unmixing[:, 1]
    table = (compute_channel_density(white) * weights).astype(np.float32)
    density = table[:, 0][image[..., 0]]
    for channel in (1, 2) if settings.dab_weight < 1 else ():
        density += table[:, channel][image[..., channel]]
    rows, columns = image.shape[:2]
    return np.pad(density, np.array([[0, rows % 2], [0, columns % 2]]), mode="edge")


def _find_blobs(density: Heights, settings: NucleusSettings) -> Mask:
    """Return where the Laplacian says that it is darker than around; it is coarse, so half the resolution will do."""
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    half = density[0::2, 0::2] + density[1::2, 0::2] + density[0::2, 1::2] + density[1::2, 1::2]
    sigma = settings.blob_um / settings.um_per_px / 2
    smooth = _smooth(half, math.sqrt(sigma**2 - (settings.smooth_um / settings.um_per_px / 2) ** 2))
    response = np.asarray(ndimage.laplace(smooth, mode="nearest"), dtype=np.float32)
    return compute_doubled_mask(-response, 4 * settings.min_blob / sigma**2)


def _smooth(image: Heights, sigma: float) -> Heights:
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    return np.asarray(ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=_TRUNCATE), dtype=np.float32)


def _compute_mask(mask: Mask, settings: NucleusSettings) -> Mask:
    closed = compute_closing(mask, settings.pixels(settings.close_um))
    filled = compute_filling(closed, settings.area_px(settings.max_hole_um2))
    return compute_opening(filled, settings.pixels(settings.open_um))


def _trim(labels: Labels, density: Heights, edge: float) -> Labels:
    """Return the labels without their pale rims, which belong to what lies around."""
    mean = _compute_means(labels, density)[1]
    place = np.flatnonzero(labels)
    held, values = labels.ravel()[place], density.ravel()[place]
    trimmed = labels.ravel()
    trimmed[place[values <= edge * mean[held]]] = 0
    return trimmed.reshape(labels.shape)


def _drop_faint(labels: Labels, density: Heights, settings: NucleusSettings) -> Labels:
    """Return the labels without those that are too small, too large or go on into what lies around them."""
    around = compute_growth(labels, settings.pixels(settings.surround_um))
    around[labels > 0] = 0
    pixels, inside = _compute_means(labels, density)
    outside, still = _compute_surround(around, density, inside, settings.open_density)
    low, high = settings.area_px(settings.min_area_um2), settings.area_px(settings.max_area_um2)
    ends = (outside <= (1 - settings.min_contrast) * inside) & (still <= settings.max_open)
    return drop_labels(labels, (pixels >= low) & (pixels <= high) & ends)


def _compute_surround(around: Labels, density: Heights, inside: Floats, share: float) -> tuple[Floats, Floats]:
    """Return the mean density around each label, and where in it, as a share, ``share`` of its own is exceeded."""
    place = np.flatnonzero(around)
    held, values = around.ravel()[place], density.ravel()[place]
    pixels = np.maximum(np.bincount(held, minlength=len(inside)), 1)
    mean = np.bincount(held, weights=values, minlength=len(inside)) / pixels
    return mean, np.bincount(held[values > share * inside[held]], minlength=len(inside)) / pixels


def _compute_means(labels: Labels, density: Heights) -> tuple[Counts, Floats]:
    """Return the pixels and the mean density of each label, from 0 on; without pixels the mean is 0."""
    place = np.flatnonzero(labels)
    held = labels.ravel()[place]
    pixels = np.bincount(held, minlength=1)
    return pixels, np.bincount(held, weights=density.ravel()[place], minlength=1) / np.maximum(pixels, 1)
