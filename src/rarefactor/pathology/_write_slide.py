"""Made sections as files: a field as TIFF, a whole slide as pyramidal tiled OME-TIFF.

Convention: tiles of 512 pixels, each level a quarter of the one before, micrometres per pixel in the file's own tags.
Every file says in its description that it is synthetic. A slide is rendered by bands of tiles; what is held is its
compressed tiles and a sixteenth of its pixels, of one copy however many it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._section_image import BINS, Camera, Image
from rarefactor.pathology._section_paint import View
from rarefactor.pathology.simulate import Field, Specimen, TrueCell, Truth

TILE: Final = 512
STEP: Final = 4
_BAND: Final = 8192
"""Pixels of a band rendered at once, from left to right."""
_SMALLEST: Final = 1024
"""The pyramid ends with the first level that is no wider and no higher."""


def write_field(field: Field) -> bytes:
    """Return a field as TIFF (lossless: any JPEG is already in its pixels), with µm per pixel and its origin.

    Examples
    --------
    >>> from rarefactor.pathology.simulate import simulate_field
    >>> field = simulate_field(np.random.default_rng(1), camera=Camera(width=128, height=128))
    >>> write_field(field)[:2]
    b'II'
    """
    from tifffile import TiffWriter  # noqa: PLC0415 - an imaging library, loaded when an image is written

    buffer = BytesIO()
    with TiffWriter(buffer) as tiff:
        tiff.write(
            field.image,
            photometric="rgb",
            compression="zlib",
            predictor=True,
            description=_describe(field.stain, field.run.name),
            metadata=None,
            **_resolution(field.camera.um_per_px),
        )
    return buffer.getvalue()


def write_photograph(field: Field, *, quality: int = 85) -> bytes:
    """Return a field as TIFF with JPEG in it, a tenth of the size of :func:`write_field`'s.

    Parameters
    ----------
    field
        Taken with a camera whose ``jpeg_quality`` is None, so that JPEG comes in once.
    quality
        1 to 100.

    Examples
    --------
    >>> from rarefactor.pathology.simulate import simulate_field
    >>> camera = Camera(width=128, height=128, jpeg_quality=None)
    >>> write_photograph(simulate_field(np.random.default_rng(1), camera=camera))[:2]
    b'II'
    """
    from tifffile import TiffWriter  # noqa: PLC0415 - an imaging library, loaded when an image is written

    buffer = BytesIO()
    with TiffWriter(buffer) as tiff:
        tiff.write(
            iter([_encode(field.image, quality)]),
            shape=field.image.shape,
            dtype=np.uint8,
            rowsperstrip=field.image.shape[0],
            photometric="ycbcr",
            subsampling=(1, 1),
            compression="jpeg",
            description=_describe(field.stain, field.run.name),
            metadata=None,
            **_resolution(field.camera.um_per_px),
        )
    return buffer.getvalue()


def write_slide(
    path: Path, specimen: Specimen, *, camera: Camera | None = None, copies: tuple[int, int] = (1, 1)
) -> Truth:
    """Write a stained section as a pyramidal OME-TIFF and return its truth.

    Parameters
    ----------
    path
        Should end in ``.ome.tif``.
    specimen
        Its frame, rounded up to whole tiles, is the slide.
    camera
        White, noise, defocus and quality; the size of a pixel is the specimen's.
    copies
        How often the frame stands beside itself and below itself: (3, 2) makes a slide three frames wide and two high,
        for trials of size.

    Raises
    ------
    InputError
        ``copies`` below 1.
    """
    from tifffile import TiffWriter  # noqa: PLC0415 - an imaging library, loaded when an image is written

    if min(copies) < 1:
        raise InputError(Problem(found=f"copies {copies}", expected="1 or more each way", next_step="Leave it out."))
    camera = replace(camera or Camera(), um_per_px=specimen.um_per_px)
    frame = _render_frame(specimen, camera)
    levels = _compute_levels(frame, copies)
    quality = camera.jpeg_quality or 100
    with TiffWriter(path, ome=True, bigtiff=True) as tiff:
        for number, level in enumerate(levels):
            tiff.write(
                level.encode(quality),
                shape=(level.height, level.width, 3),
                dtype=np.uint8,
                tile=(TILE, TILE),
                photometric="ycbcr",
                subsampling=(1, 1),
                compression="jpeg",
                **_level_tags(specimen, number, len(levels), frame),
            )
    return _compute_truth(specimen, frame, copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One rendered frame: its level-0 tiles in row order, compressed; the level above them; its truth."""

    view: View
    tiles: tuple[bytes, ...]
    above: Image
    histogram: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """A level of the slide: ``pixels`` of one frame, which repeat; level 0 has compressed tiles instead."""

    width: int
    height: int
    pixels: Image | None = None
    tiles: tuple[bytes, ...] = ()
    across: int = 1

    def encode(self, quality: int) -> Iterator[bytes]:
        """Give the compressed tiles in row order."""
        rows, columns = -(-self.height // TILE), -(-self.width // TILE)
        for row in range(rows):
            for column in range(columns):
                yield self._encode_tile(row, column, quality)

    def _encode_tile(self, row: int, column: int, quality: int) -> bytes:
        if self.pixels is None:
            down = len(self.tiles) // self.across
            return self.tiles[row % down * self.across + column % self.across]
        height, width = self.pixels.shape[:2]
        at_rows, at_columns = np.arange(row * TILE, (row + 1) * TILE), np.arange(column * TILE, (column + 1) * TILE)
        tile = self.pixels[np.ix_(at_rows % height, at_columns % width)]
        return _encode(tile, quality)


def _render_frame(specimen: Specimen, camera: Camera) -> _Frame:
    section = specimen.painter.section
    width, height = (
        TILE * max(1, -(-round(size / camera.um_per_px) // TILE)) for size in (section.width_um, section.height_um)
    )
    view = View(x=0, y=0, width=width, height=height, um_per_px=camera.um_per_px)
    above = np.empty((height // STEP, width // STEP, 3), np.uint8)
    histogram = np.zeros(BINS, np.int64)
    tiles: list[bytes] = []
    for part in _list_bands(view):
        image, counts = specimen.render(part, replace(camera, jpeg_quality=None))
        histogram += counts
        above[part.y // STEP : (part.y + part.height) // STEP, part.x // STEP : (part.x + part.width) // STEP] = _halve(
            image
        )
        tiles += [
            _encode(image[:, left : left + TILE], camera.jpeg_quality or 100) for left in range(0, part.width, TILE)
        ]
    return _Frame(view=view, tiles=tuple(tiles), above=above, histogram=histogram)


def _list_bands(view: View) -> Iterator[View]:
    for top in range(0, view.height, TILE):
        for left in range(0, view.width, _BAND):
            yield replace(view, x=left, y=top, width=min(_BAND, view.width - left), height=TILE)


def _compute_levels(frame: _Frame, copies: tuple[int, int]) -> list[_Level]:
    width, height = frame.view.width * copies[0], frame.view.height * copies[1]
    levels = [_Level(width=width, height=height, tiles=frame.tiles, across=frame.view.width // TILE)]
    pixels = frame.above
    while max(levels[-1].width, levels[-1].height) > _SMALLEST and min(pixels.shape[:2]) >= STEP:
        rows, columns = pixels.shape[:2]
        levels.append(_Level(width=columns * copies[0], height=rows * copies[1], pixels=pixels))
        pixels = _halve(pixels[: rows - rows % STEP, : columns - columns % STEP])
    return levels


def _halve(image: Image) -> Image:
    """Average squares of ``STEP`` pixels."""
    from PIL import Image as Pillow  # noqa: PLC0415 - an imaging library, loaded when an image is made

    return np.asarray(Pillow.fromarray(image).reduce(STEP))


def _encode(tile: Image, quality: int) -> bytes:
    from imagecodecs import jpeg8_encode  # noqa: PLC0415 - an imaging library, loaded when an image is written

    encoded = jpeg8_encode(
        np.ascontiguousarray(tile), level=quality, colorspace="RGB", outcolorspace="YCBCR", subsampling="444"
    )
    return bytes(encoded)


def _level_tags(specimen: Specimen, number: int, levels: int, frame: _Frame) -> dict[str, Any]:
    if number:
        return {"subfiletype": 1, **_resolution(specimen.um_per_px * STEP**number)}
    size = specimen.um_per_px
    metadata = {
        "axes": "YXS",
        "UUID": _identify(frame),
        "Name": "synthetic muscle section",
        "Description": _describe(specimen.painter.stain.name, specimen.painter.run.name),
        "PhysicalSizeX": size,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": size,
        "PhysicalSizeYUnit": "µm",
    }
    return {"subifds": levels - 1, "metadata": metadata, **_resolution(size)}


def _identify(frame: _Frame) -> str:
    """An identifier made of the pixels, so that the same slide gives the same bytes."""
    return UUID(bytes=sha256(b"".join(frame.tiles)).digest()[:16], version=5).urn


def _resolution(um_per_px: float) -> dict[str, Any]:
    return {"resolution": (1e4 / um_per_px, 1e4 / um_per_px), "resolutionunit": "CENTIMETER", "software": "rarefactor"}


def _describe(stain: str, run: str) -> str:
    return f"SYNTHETIC image made by rarefactor, no patient's tissue. Stain: {stain} (DAB, hematoxylin). Run: {run}."


def _compute_truth(specimen: Specimen, frame: _Frame, copies: tuple[int, int]) -> Truth:
    once = tuple(specimen.list_cells(frame.view))
    cells = tuple(
        _shift(cell, column * frame.view.width, row * frame.view.height)
        for row in range(copies[1])
        for column in range(copies[0])
        for cell in once
    )
    return Truth(histogram=frame.histogram * (copies[0] * copies[1]), cells=cells, um_per_px=specimen.um_per_px)


def _shift(cell: TrueCell, right: int, down: int) -> TrueCell:
    return replace(cell, x=cell.x + right, y=cell.y + down, outline=cell.outline + np.array([right, down]))
