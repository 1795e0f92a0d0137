"""One image at any resolution: levels from fine to coarse, read by windows.

Convention: windows are given in pixels of level 0; what lies outside the slide is white. A window is read from the
coarsest level that is still fine enough, and averaged down to what is asked (box for whole factors, triangle
otherwise), so that neighbouring windows of one grid fit together. No read holds more than a bounded piece of a level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._colour import Rgb
from rarefactor.pathology._microns import MicronsPerPixel, Scale
from rarefactor.results import Flag, Severity
from rarefactor.work import content_key, hash_file

BLOCK = 2048
"""Side of a tile that is nobody's wish, in pixels."""
MAX_PIECE = 4096
"""Side of the largest piece of a level that is held at once while a window is averaged down: 48 MiB."""
MAX_OUTPUT = 400_000_000
"""Pixels of the largest image that a read may give: 1.1 GiB."""
MIN_SIDE = 16
"""Pixels of the shortest side that can show a cell."""
_NEAR = 1e-6


class Level(Protocol):
    """One resolution of an image; ``chunk`` is (rows, columns) of what the file stores in one piece."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def chunk(self) -> tuple[int, int]: ...
    def read(self, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a window that lies inside the level: (height, width, 3)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle of a slide in pixels of level 0; ``x`` and ``y`` are its left upper corner.

    Whole numbers, but for the tiles of a slide that is read at a broken downsample: these end where a pixel does.
    """

    x: float
    y: float
    width: float
    height: float

    def shape(self, downsample: float = 1.0) -> tuple[int, int]:
        """Return rows and columns of the window at ``downsample``; a last part of a pixel counts as one.

        Examples
        --------
        >>> Window(x=0, y=0, width=5, height=4).shape(2.0)
        (2, 3)
        """
        rows, columns = (math.ceil(side / downsample - _NEAR) for side in (self.height, self.width))
        return rows, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A piece of a slide: ``window`` without its halo; ``image`` with ``halo`` pixels of it on every side."""

    window: Window
    image: Rgb
    halo: int = 0

    @property
    def core(self) -> Rgb:
        """The image without its halo."""
        rows, columns = (side - self.halo for side in self.image.shape[:2])
        return self.image[self.halo : rows, self.halo : columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an image comes from: its file, what hashing takes for it, and the library that reads it."""

    path: Path
    reader: str
    scale: Scale
    files: tuple[Path, ...] = ()
    flags: tuple[Flag, ...] = ()


class Pyramid:
    """A slide or field: levels with their downsamples, read by windows; use it in a ``with`` statement.

    Parameters
    ----------
    source
        Where the image comes from.
    levels
        From fine to coarse, each with the factor by which it is smaller than the first.
    close
        Lets go of the file.
    damage
        Gives the flags about what could not be decoded so far.
    """

    def __init__(
        self,
        source: Source,
        levels: tuple[tuple[float, Level], ...],
        *,
        close: Callable[[], None] = lambda: None,
        damage: Callable[[], tuple[Flag, ...]] = tuple,
    ) -> None:
        self._source, self._levels, self._close, self._damage = source, levels, close, damage
        self._sha256: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._source.path

    @property
    def width(self) -> int:
        """Pixels of level 0 from left to right."""
        return self._levels[0][1].width

    @property
    def height(self) -> int:
        """Pixels of level 0 from top to bottom."""
        return self._levels[0][1].height

    @property
    def microns_per_pixel(self) -> MicronsPerPixel | None:
        """The size of a pixel of level 0; None where nobody says it."""
        return self._source.scale.microns

    @property
    def reader(self) -> str:
        """The library that reads the file, with its version."""
        return self._source.reader

    @property
    def downsamples(self) -> tuple[float, ...]:
        """The factors by which the levels are smaller than the first, which is 1."""
        return tuple(factor for factor, _ in self._levels)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is doubtful about the slide; damage shows after the part that has it was read."""
        return (*self._source.flags, *self._source.scale.flags, *self._size_flags(), *self._damage())

    def _size_flags(self) -> tuple[Flag, ...]:
        if min(self.width, self.height) >= MIN_SIDE:
            return ()
        detail = f"The image has {self.width} x {self.height} pixels, too few to show tissue."
        return (Flag(name="tiny_image", severity=Severity.REFUSED, detail=detail),)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file in hexadecimal digits; of a slide of several files, of their names and hashes."""
        if self._sha256 is None:
            self._sha256 = _hash(self._source)
        return self._sha256

    @property
    def block(self) -> int:
        """Side of a tile near 2048 pixels that cuts no stored tile, where the file stores such."""
        side = math.lcm(*self._levels[0][1].chunk)
        return side * max(1, round(BLOCK / side)) if side <= 2 * BLOCK else BLOCK

    def read(self, x: int, y: int, width: int, height: int, *, downsample: float = 1.0) -> Rgb:
        """Return a window, resampled.

        Parameters
        ----------
        x, y, width, height
            In pixels of level 0; may reach beyond the slide.
        downsample
            How many pixels of level 0 become one, along each side; above 0.

        Returns
        -------
        Rgb
            (rows, columns, 3) uint8; ``Window(...).shape(downsample)``; white outside the slide.

        Raises
        ------
        InputError
            An empty window, or one too large to be held at once.
        ImageError
            Too much of the slide is damaged.
        """
        window = Window(x=x, y=y, width=width, height=height)
        _check(window, downsample)
        rows, columns = window.shape(downsample)
        factor, level = self._choose(downsample)
        side = max(1, int(MAX_PIECE * factor / downsample))
        if rows <= side and columns <= side:
            return _read_piece(level, factor, _Grid(x, y, downsample), (0, rows), (0, columns))
        image = np.empty((rows, columns, 3), dtype=np.uint8)
        for top, bottom in _cuts(rows, side):
            for left, right in _cuts(columns, side):
                piece = _read_piece(level, factor, _Grid(x, y, downsample), (top, bottom), (left, right))
                image[top:bottom, left:right] = piece
        return image

    def tiles(
        self, size: int | None = None, *, downsample: float = 1.0, halo: int = 0, within: Window | None = None
    ) -> Iterator[Tile]:
        """Give the pieces of the slide, or of a window of it, row by row; each pixel is in the core of one tile.

        Parameters
        ----------
        size
            Side of a tile in pixels after resampling; None: ``block``, which decodes each stored tile once.
        downsample
            As in ``read``.
        halo
            Pixels around the tile, after resampling, white outside the slide.
        within
            The part of the slide; None: all of it.
        """
        for window in self.windows(size, downsample=downsample, within=within):
            yield self.read_tile(window, downsample=downsample, halo=halo)

    def windows(
        self, size: int | None = None, *, downsample: float = 1.0, within: Window | None = None
    ) -> tuple[Window, ...]:
        """Return the windows that ``tiles`` reads, without reading them: the tasks of a slide."""
        area = within or Window(x=0, y=0, width=self.width, height=self.height)
        side = size or self.block
        down = [_stretch(cut, area.y, area.height, downsample) for cut in _cuts(area.shape(downsample)[0], side)]
        across = [_stretch(cut, area.x, area.width, downsample) for cut in _cuts(area.shape(downsample)[1], side)]
        return tuple(Window(x=x, y=y, width=width, height=height) for y, height in down for x, width in across)

    def read_tile(self, window: Window, *, downsample: float = 1.0, halo: int = 0) -> Tile:
        """Return a window with ``halo`` pixels around it, counted after resampling."""
        rows, columns = window.shape(downsample)
        margin = halo * downsample
        grid = _Grid(window.x - margin, window.y - margin, downsample)
        factor, level = self._choose(downsample)
        image = _read_piece(level, factor, grid, (0, rows + 2 * halo), (0, columns + 2 * halo))
        return Tile(window=window, image=image, halo=halo)

    def _choose(self, downsample: float) -> tuple[float, Level]:
        """Return the coarsest level that is fine enough, or one next to it that needs no broken factor."""
        fitting = [pair for pair in self._levels if pair[0] <= downsample * (1 + _NEAR)] or [self._levels[0]]
        near = [pair for pair in fitting if pair[0] * 2 >= fitting[-1][0] and _whole(downsample / pair[0], 0)]
        return (near or fitting)[-1]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where pixel (0, 0) of an output begins, in pixels of level 0, and how many of these one of it is wide."""

    x: float
    y: float
    downsample: float


@dataclass(frozen=True, slots=True)
class _Span:
    """One side of a piece: where its output lies on a level.

    ``start`` and ``stop`` bound the output that is inside the slide; ``low`` and ``high`` are the pixels of the level
    that it is made of; ``begin`` and ``end`` the exact extent.
    """

    start: int
    stop: int
    begin: float
    end: float
    low: int
    high: int


def _read_piece(level: Level, factor: float, grid: _Grid, rows: tuple[int, int], columns: tuple[int, int]) -> Rgb:
    """Return rows and columns of the output that ``grid`` describes, read from one level."""
    ratio = grid.downsample / factor
    down = _span(grid.y / factor, ratio, rows, level.height)
    across = _span(grid.x / factor, ratio, columns, level.width)
    shape = (rows[1] - rows[0], columns[1] - columns[0], 3)
    if down.start >= down.stop or across.start >= across.stop:
        return np.full(shape, 255, dtype=np.uint8)
    stored = level.read(across.low, down.low, across.high - across.low, down.high - down.low)
    inside = _resample(stored, down, across, ratio)
    if inside.shape == shape:
        return inside
    image = np.full(shape, 255, dtype=np.uint8)
    image[down.start : down.stop, across.start : across.stop] = inside
    return image


def _span(origin: float, ratio: float, wanted: tuple[int, int], length: int) -> _Span:
    """Return one side of a piece; an output pixel is inside where its centre is.

    The origin is rounded to a millionth of a pixel, for what binary fractions do to thirds.
    """
    first = round(origin + wanted[0] * ratio, 6)
    count = wanted[1] - wanted[0]
    start = min(count, max(0, math.ceil(-first / ratio - 0.5)))
    stop = min(count, max(start, math.ceil((length - first) / ratio - 0.5)))
    begin, end = first + start * ratio, first + stop * ratio
    margin = 0 if _whole(ratio, begin) else math.ceil(max(1.0, ratio))
    low = min(length - 1, max(0, math.floor(begin + _NEAR) - margin))
    high = max(low + 1, min(length, math.ceil(end - _NEAR) + margin))
    return _Span(start=start, stop=stop, begin=begin, end=end, low=low, high=high)


def _whole(ratio: float, begin: float) -> bool:
    return abs(ratio - round(ratio)) < _NEAR and ratio > 1 - _NEAR and abs(begin - round(begin)) < _NEAR


def _resample(stored: Rgb, down: _Span, across: _Span, ratio: float) -> Rgb:
    """Return the stored pixels averaged to the output's; where the slide ends, its last pixels stand for more."""
    if _whole(ratio, down.begin) and _whole(ratio, across.begin):
        if round(ratio) == 1:
            return stored
        before = tuple(
            (max(0, side.low - round(side.begin)), max(0, round(side.end) - side.high)) for side in (down, across)
        )
        return _reduce(_extend(stored, before), round(ratio))
    pads = tuple(
        (max(0, math.ceil(side.low - side.begin)), max(0, math.ceil(side.end - side.high))) for side in (down, across)
    )
    top, left = down.low - pads[0][0], across.low - pads[1][0]
    box = (across.begin - left, down.begin - top, across.end - left, down.end - top)
    return _resize(_extend(stored, pads), (across.stop - across.start, down.stop - down.start), box)


def _extend(stored: Rgb, pads: tuple[tuple[int, int], ...]) -> Rgb:
    return np.pad(stored, np.array((*pads, (0, 0))), mode="edge") if any(any(pair) for pair in pads) else stored


def _reduce(stored: Rgb, factor: int) -> Rgb:
    from PIL import Image  # noqa: PLC0415 - an image library is loaded when an image is read

    return np.asarray(Image.fromarray(stored).reduce(factor))


def _resize(stored: Rgb, size: tuple[int, int], box: tuple[float, float, float, float]) -> Rgb:
    from PIL import Image  # noqa: PLC0415 - an image library is loaded when an image is read

    return np.asarray(Image.fromarray(stored).resize(size, Image.Resampling.BILINEAR, box=box))


def _hash(source: Source) -> str:
    if not source.files:
        return hash_file(source.path)
    return content_key([[path.name, hash_file(path)] for path in source.files])


def _stretch(cut: tuple[int, int], origin: float, length: float, downsample: float) -> tuple[float, float]:
    """Return where a run of output pixels begins, and how long it is, in pixels of level 0."""
    begin, end = cut[0] * downsample, min(length, cut[1] * downsample)
    return _tidy(origin + begin), _tidy(end - begin)


def _tidy(value: float) -> float:
    return round(value) if abs(value - round(value)) < _NEAR else value


def _cuts(length: int, side: int) -> Iterator[tuple[int, int]]:
    return ((start, min(length, start + side)) for start in range(0, length, side))


def _check(window: Window, downsample: float) -> None:
    wrong = window.width < 1 or window.height < 1 or not (math.isfinite(downsample) and downsample > 0)
    if not wrong:
        rows, columns = window.shape(downsample)
        wrong = rows * columns > MAX_OUTPUT
    if wrong:
        raise InputError(
            Problem(
                found=f"a window of {window.width} x {window.height} pixels at downsample {downsample:g}",
                expected=f"sides above 0 and at most {MAX_OUTPUT:,} pixels of output",
                next_step="Read the slide by tiles(), or at a larger downsample.",
            )
        )
