"""What a viewer shows of a scan first, as a picture: it stands on the page while the viewer and the images are loaded.

Convention: the middle slice of the fat fraction from 0 to 100 %, one pixel for a voxel and as many more as make pixels
square; the front on top, the patient's right on the left; regions lie over it in their colours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._numbered import REGIONS, number_regions
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume
from rarefactor.work import write_png

OPACITY = 0.35
"""How much of a region's colour lies over the image."""
_ENDS = (0.0, 64.0, 192.0, 255.0)
_INFERNO = ((0, 0, 4), (120, 28, 109), (237, 105, 37), (240, 249, 33))
"""The colours of NiiVue's scale of this name, at ``_ENDS`` of 255."""


def draw_first(percent: Volume, labels: LabelMap) -> bytes:
    """Return the middle slice of a fat fraction (0 to 100, 0 where it is unknown) as PNG, under the regions.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(3, 8, 8), spacing_mm=(10.0, 2.0, 1.0))
    >>> fat = Volume(values=np.full(grid.shape, 100.0, np.float32), grid=grid)
    >>> none = LabelMap(values=np.zeros(grid.shape, np.int16), grid=grid, regions={}, source="reader")
    >>> png = draw_first(fat, none)
    >>> import io
    >>> from PIL import Image
    >>> picture = Image.open(io.BytesIO(png))
    >>> picture.size, picture.getpixel((0, 0))
    ((8, 16), (240, 249, 33))
    """
    middle = percent.grid.shape[0] // 2
    picture = _colour(percent.values[middle])
    _lay_over(picture, number_regions(labels).values[middle])
    _, row_mm, column_mm = percent.grid.spacing_mm
    return write_png(_make_square(np.round(picture).astype(np.uint8), row_mm / column_mm))


def _colour(percent: NDArray[np.float32]) -> NDArray[np.float64]:
    places = np.clip(percent, 0.0, 100.0) * 2.55
    return np.stack([np.interp(places, _ENDS, channel) for channel in zip(*_INFERNO, strict=True)], axis=-1)


def _lay_over(picture: NDArray[np.float64], regions: NDArray[np.int16]) -> None:
    colours = np.zeros((max(REGIONS) + 1, 3))
    for number, each in REGIONS.items():
        colours[number] = list(bytes.fromhex(each.colour[1:]))
    held = regions > 0
    picture[held] = (1 - OPACITY) * picture[held] + OPACITY * colours[regions[held]]


def _make_square(picture: NDArray[np.uint8], ratio: float) -> NDArray[np.uint8]:
    """Repeat rows or columns where a pixel is not as high as it is wide."""
    rows, columns = picture.shape[:2]
    high, wide = (round(rows * ratio), columns) if ratio > 1 else (rows, round(columns / ratio))
    return picture[np.arange(high) * rows // high][:, np.arange(wide) * columns // wide]
