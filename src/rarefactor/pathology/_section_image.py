"""What a camera sees of a stained section, and what is true of it.

Convention: intensity is white x 10 to the minus optical density, stains adding up in density. The truth is taken from
the DAB of every pixel after the objective's blur, before defocus, noise, 8 bits and JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._density import H_DAB
from rarefactor.pathology._section_paint import DAB_STEPS, HEMATOXYLIN_STEPS, Layers, Painter, View, paint

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]
BINS: Final = 400
"""Steps of 0.01 in optical density."""
PERIOD: Final = 1024
PADDING: Final = 6
"""Pixels painted beyond a view, so that blur knows what lies there."""
_GROUND: Final = 0.08
"""DAB up to this density is background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """How a section is photographed.

    Attributes
    ----------
    width, height
        Pixels.
    um_per_px
        Micrometres per pixel.
    white
        Grey level of glass in red, green and blue.
    noise
        Standard deviation of a grey level.
    defocus_um
        Standard deviation of the blur beyond the objective's own; not part of the truth.
    jpeg_quality
        1 to 100; None for no compression.
    """

    width: int = 2048
    height: int = 2048
    um_per_px: float = 0.5
    white: tuple[float, float, float] = (241.0, 240.0, 238.0)
    noise: float = 1.3
    defocus_um: float = 0.0
    jpeg_quality: int | None = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """Unevenness that repeats every 1024 pixels.

    ``hematoxylin`` and ``dab`` multiply each stain (mean 1), ``patches`` what DAB stands above the background (mean
    near 1); ``camera`` has mean 0 and standard deviation 1.
    """

    hematoxylin: Plane
    dab: Plane
    patches: Plane
    camera: Plane


def compute_grain(um_per_px: float, patchy: float, rng: np.random.Generator) -> Grain:
    """Draw the unevenness of a stained section: where in the one noise of each width it begins."""
    fine, coarse, broad = (_shift(_compute_noise(width / um_per_px), rng) for width in (0.4, 2.0, 5.0))
    return Grain(
        hematoxylin=np.maximum(1 + np.float32(0.12) * fine + np.float32(0.05) * coarse, 0),
        dab=np.maximum(1 + np.float32(0.1) * fine, 0),
        patches=np.maximum(1 + np.float32(patchy) * (np.float32(0.55) * coarse + np.float32(0.3) * broad), 0),
        camera=_shift(_compute_noise(0.0), rng),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Densities:
    """Optical density of each stain (row, column), and where there is tissue."""

    hematoxylin: Plane
    dab: Plane
    tissue: NDArray[np.bool_]


def compute_densities(painter: Painter, grain: Grain, view: View) -> Densities:
    """Return the densities of a view of a stained section; a pixel has the same in every view."""
    layers = _crop(paint(painter, view.padded(PADDING)))
    thick = _compute_thickness(view)
    hematoxylin = _grained(layers.hematoxylin, grain.hematoxylin, view, 1 / HEMATOXYLIN_STEPS)
    dab = _patch(_grained(layers.dab, grain.dab, view, 1 / DAB_STEPS), grain.patches, view)
    return Densities(hematoxylin=hematoxylin * thick, dab=dab * thick, tissue=np.asarray(layers.tissue >= 128))


def compute_histogram(densities: Densities) -> NDArray[np.int64]:
    """Return how many pixels of tissue have each DAB density (``BINS`` steps of 0.01, the last open)."""
    steps = np.minimum(densities.dab[densities.tissue] * np.float32(100) + np.float32(1e-3), BINS - 1)
    return np.bincount(steps.astype(np.int16), minlength=BINS)


def expose(densities: Densities, camera: Camera, grain: Grain, view: View) -> Image:
    """Return the photograph (row, column, 3) of a view."""
    image = np.empty((*densities.dab.shape, 3), np.uint8)
    for channel, white in enumerate(camera.white):
        absorbed = densities.hematoxylin * np.float32(-np.log(10.0) * H_DAB.hematoxylin[channel])
        absorbed += densities.dab * np.float32(-np.log(10.0) * H_DAB.dab[channel])
        seen = np.exp(absorbed, out=absorbed)
        seen *= np.float32(white)
        if camera.defocus_um > 0:
            seen = _defocus(seen, camera.defocus_um / view.um_per_px)
        if camera.noise > 0:
            seen += np.float32(camera.noise) * _repeat(grain.camera, view, 341 * channel)
        image[..., channel] = np.clip(seen + np.float32(0.5), 0, 255, out=seen)
    return image if camera.jpeg_quality is None else compress(image, camera.jpeg_quality)


def compress(image: Image, quality: int) -> Image:
    """Return the image after JPEG."""
    from PIL import Image as Pillow  # noqa: PLC0415 - an imaging library, loaded when an image is made

    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=0)
    with Pillow.open(buffer) as opened:
        return np.array(opened)


def _crop(layers: Layers) -> Layers:
    inner = slice(PADDING, -PADDING)
    parts = (layers.tissue, layers.hematoxylin, layers.dab)
    tissue, hematoxylin, dab = (part[inner, inner] for part in parts)
    return Layers(tissue=tissue, hematoxylin=hematoxylin, dab=dab)


def _grained(layer: Image, grain: Plane, view: View, unit: float) -> Plane:
    result = _repeat(grain, view) * np.float32(unit)
    result *= layer
    return result


def _patch(dab: Plane, patches: Plane, view: View) -> Plane:
    """What binds antibody is uneven; the background is not."""
    above = np.maximum(dab - np.float32(_GROUND), 0)
    above *= _repeat(patches, view) - 1
    return np.maximum(dab + above, 0, out=above)


def _repeat(tile: Plane, view: View, shift: int = 0) -> Plane:
    """The tile, moved right and down by ``shift``, repeated over the view: the same wherever the view begins."""
    left, top = (view.x - shift) % PERIOD, (view.y - shift) % PERIOD
    times = -(-(top + view.height) // PERIOD), -(-(left + view.width) // PERIOD)
    wide = np.tile(tile, times) if times != (1, 1) else tile
    return wide[top : top + view.height, left : left + view.width]


def _compute_thickness(view: View) -> Plane:
    """Waves of the section's thickness, half a millimetre and more long, by up to 7 %."""
    x = (view.x + np.arange(view.width, dtype=np.float32)) * np.float32(view.um_per_px)
    y = (view.y + np.arange(view.height, dtype=np.float32)) * np.float32(view.um_per_px)
    rows, columns = np.sin(y / 131 + 0.7) + np.sin(y / 57), np.cos(x / 117) + np.sin(x / 71 + 2)
    return np.asarray(1 + np.float32(0.035) * (rows[:, None] + columns) / 2, np.float32)


def _shift(noise: Plane, rng: np.random.Generator) -> Plane:
    down, across = rng.integers(0, PERIOD, 2).tolist()
    return np.roll(noise, (down, across), (0, 1))


@lru_cache(maxsize=8)
def _compute_noise(sigma: float) -> Plane:
    """Smooth periodic noise of standard deviation 1: one for each width, for its drawing takes as long as a picture."""
    from scipy.fft import irfft2, rfft2  # noqa: PLC0415 - scipy is slow to import

    rough = np.random.default_rng(round(1000 * sigma)).standard_normal((PERIOD, PERIOD), np.float32)
    along, across = np.fft.rfftfreq(PERIOD), np.fft.fftfreq(PERIOD)
    kernel = np.outer(*(np.exp(-2 * (np.pi * sigma * each) ** 2) for each in (across, along))).astype(np.float32)
    waves: NDArray[np.complex64] = np.asarray(rfft2(rough))
    smooth = np.asarray(irfft2(waves * kernel, s=(PERIOD, PERIOD)), np.float32)
    return smooth / smooth.std()


def _defocus(plane: Plane, sigma: float) -> Plane:
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - scipy is slow to import

    return np.asarray(gaussian_filter(plane, sigma, mode="nearest"), np.float32)
