"""Pixels as a TIFF stores them: tiles or strips, each decoded whole and once.

Convention: a tile that cannot be decoded, or that ends too early, is shown as white glass and counted, for a slide is
more than one tile; beyond a stated share it is an error. A tile that was never stored (no bytes) is glass, too. Pixels
that are stored as they are get mapped, however large their strip.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._colour import Colours, Rgb, Samples, compute_rgb
from rarefactor.pathology._flag import warn
from rarefactor.results import Flag

if TYPE_CHECKING:
    from tifffile import TiffPage

MAX_CHUNK = 2**29
"""Bytes of the largest tile or strip that is decoded; one that is not compressed may be larger."""
MAX_CACHE = 2**26
"""Bytes of decoded tiles that are kept, so that a halo is not decoded twice."""
MAX_DAMAGED = 0.05
"""Share of a level's tiles that may be damaged before the slide is refused."""
_PROBES = 64
_JPEG = 7
_END_OF_JPEG = b"\xff\xd9"


@dataclass(slots=True)
class Cache:
    """Decoded tiles, the oldest forgotten first; the last one is always kept."""

    limit: int = MAX_CACHE
    _held: OrderedDict[tuple[int, int], Rgb] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def get(self, key: tuple[int, int]) -> Rgb | None:
        """Return a tile that is still held."""
        tile = self._held.get(key)
        if tile is not None:
            self._held.move_to_end(key)
        return tile

    def put(self, key: tuple[int, int], tile: Rgb) -> None:
        """Hold a tile."""
        self._held[key] = tile
        self._bytes += tile.nbytes
        while self._bytes > self.limit and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1].nbytes


@dataclass(slots=True)
class Damage:
    """Tiles that could not be decoded, with the first reason."""

    file: str
    tiles: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    reason: str = ""

    def add(self, key: tuple[int, int], reason: str, total: int) -> None:
        """Count a damaged tile of a level that has ``total``; raise where too much is damaged."""
        self.tiles.add(key)
        self.reason = self.reason or reason
        damaged = sum(level == key[0] for level, _ in self.tiles)
        if damaged > MAX_DAMAGED * total:
            raise ImageError(
                Problem(
                    file=self.file,
                    found=f"{damaged} of {total} tiles damaged ({self.reason})",
                    expected=f"at most {MAX_DAMAGED:.0%} damaged tiles",
                    next_step="Copy or export the slide again.",
                )
            )

    def flags(self) -> tuple[Flag, ...]:
        """Return the flag about the damage met so far."""
        if not self.tiles:
            return ()
        count = f"{len(self.tiles)} stored tiles" if len(self.tiles) > 1 else "1 stored tile"
        return (warn("damaged_tiles", f"{count} could not be read and counted as glass ({self.reason})."),)


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """A level of tiles or strips, ``number`` in its file."""

    page: TiffPage
    colours: Colours
    number: int
    cache: Cache
    damage: Damage

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.page.imagewidth)

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.page.imagelength)

    @property
    def chunk(self) -> tuple[int, int]:
        """Rows and columns of a tile or strip."""
        return chunk_shape(self.page)

    def read(self, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a window that lies inside the level."""
        rows, columns = self.chunk
        image = np.empty((height, width, 3), dtype=np.uint8)
        for i in range(y // rows, -(-(y + height) // rows)):
            for j in range(x // columns, -(-(x + width) // columns)):
                _paste(image, self._tile(i, j), i * rows - y, j * columns - x)
        return image

    def _tile(self, row: int, column: int) -> Rgb:
        key = self.number, row * -(-self.width // self.chunk[1]) + column
        tile = self.cache.get(key)
        if tile is None:
            tile = self._decode(*key)
            self.cache.put(key, tile)
        return tile

    def _decode(self, number: int, index: int) -> Rgb:
        total = count_chunks(self.page)
        try:
            samples = [decode_chunk(self.page, index + plane * total) for plane in range(count_planes(self.page))]
            if any(plane is None for plane in samples):
                return np.full((*self.chunk, 3), 255, dtype=np.uint8)
            planes = cast("list[Samples]", samples)
            return compute_rgb(np.concatenate(planes, axis=2) if len(planes) > 1 else planes[0], self.colours)
        except (ValueError, RuntimeError, IndexError, OSError) as error:
            self.damage.add((number, index), _reason(error), total)
            return np.full((*self.chunk, 3), 255, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class MappedLevel:
    """A level whose pixels lie in the file as they are; each read maps the file anew and lets go of it."""

    page: TiffPage
    colours: Colours
    path: Path

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.page.imagewidth)

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.page.imagelength)

    @property
    def chunk(self) -> tuple[int, int]:
        """One row: any window can be read without decoding more."""
        return 1, 1

    def read(self, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a window that lies inside the level."""
        window = (slice(y, y + height), slice(x, x + width))
        pixels = _mapped(self.page, self.path)
        planar = count_planes(self.page) > 1
        samples = np.moveaxis(pixels[:, *window], 0, 2) if planar else pixels[window]
        return compute_rgb(_native(np.array(samples)), self.colours)


def chunk_shape(page: TiffPage) -> tuple[int, int]:
    """Return rows and columns of a tile or strip."""
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    return min(int(rows), int(page.imagelength)) if not page.is_tiled else int(rows), int(columns)


def count_planes(page: TiffPage) -> int:
    """Return how many planes hold the samples: 1 where they lie side by side."""
    return int(page.samplesperpixel) if page.planarconfig == 2 else 1


def count_chunks(page: TiffPage) -> int:
    """Return how many tiles or strips a plane has."""
    rows, columns = chunk_shape(page)
    return -(-int(page.imagelength) // rows) * -(-int(page.imagewidth) // columns)


def decode_chunk(page: TiffPage, index: int) -> Samples | None:
    """Return the samples (row, column, sample) of a tile or strip, or None where nothing was stored.

    Raises
    ------
    ValueError, RuntimeError
        The bytes are too few, end too early or are no image.
    """
    count = int(page.databytecounts[index])
    if not count:
        return None
    handle = page.parent.filehandle
    handle.seek(int(page.dataoffsets[index]))
    stored = handle.read(count)
    if len(stored) < count:
        raise ValueError("the file ends before the tile does")
    if page.compression == _JPEG and not page.is_ndpi and not stored.rstrip(b"\0").endswith(_END_OF_JPEG):
        raise ValueError("JPEG data end too early")
    samples = page.decode(stored, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader)[0]
    return None if samples is None else cast("Samples", samples[0])


def compute_brightest(page: TiffPage, path: Path) -> int:
    """Return the brightest sample of up to 64 tiles or strips, evenly spread; what is damaged is passed over."""
    if page.is_memmappable:
        pixels = _mapped(page, path)
        rows = pixels.shape[-2] if count_planes(page) > 1 else pixels.shape[0]
        step = max(1, rows // (_PROBES * 8))
        sampled = pixels[..., ::step, :] if count_planes(page) > 1 else pixels[::step]
        return int(sampled.max())
    total = count_chunks(page) * count_planes(page)
    chosen = np.unique(np.linspace(0, total - 1, _PROBES).round().astype(int))
    return max(_brightest(page, chosen.tolist()), default=0)


def _brightest(page: TiffPage, indices: list[int]) -> Iterator[int]:
    for index in indices:
        try:
            samples = decode_chunk(page, index)
        except (ValueError, RuntimeError, IndexError, OSError):
            continue
        if samples is not None:
            yield int(samples.max())


def _mapped(page: TiffPage, path: Path) -> Any:
    """Return the pixels as the file has them: (row, column, sample), or (plane, row, column)."""
    rows, columns, samples = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
    shape = (samples, rows, columns) if count_planes(page) > 1 else (rows, columns, samples)
    kind = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    return np.memmap(path, dtype=kind, mode="r", offset=int(page.dataoffsets[0]), shape=shape)


def _native(samples: Any) -> Samples:
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)


def _paste(image: Rgb, tile: Rgb, top: int, left: int) -> None:
    """Write the part of a tile that lies on the image, whose pixel (0, 0) is at (-top, -left) of the tile."""
    rows = slice(max(0, top), min(image.shape[0], top + tile.shape[0]))
    columns = slice(max(0, left), min(image.shape[1], left + tile.shape[1]))
    image[rows, columns] = tile[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:120] if text else type(error).__name__
