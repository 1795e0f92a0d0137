"""Slides for the eye: tiles of a deep zoom, read from one open slide.

Convention: level 0 of a deep zoom is the smallest, one pixel wide or high; each level doubles the one before, and the
last shows the slide's own pixels. A tile is 512 pixels wide and high, those at the right and lower border what is left.
A pixel of a level is a square of pixels of the slide; nothing that is measured is read here.
"""

from __future__ import annotations

import io
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._slide import Slide, open_slide
from rarefactor.pathology._white import Rgb

TILE_PX = 512
_QUALITY = 85
Place = tuple[int, int, int]
"""Level, column and row of a tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepZoom:
    """The levels and tiles in which a slide is shown.

    Examples
    --------
    >>> zoom = DeepZoom(width=1200, height=700, um_per_px=0.5)
    >>> zoom.last, zoom.downsample(10), zoom.window((10, 1, 0))
    (11, 2.0, Window(x=1024.0, y=0.0, width=176.0, height=700.0))
    """

    width: int
    height: int
    um_per_px: float | None

    @property
    def last(self) -> int:
        """The level that shows the slide's own pixels."""
        return math.ceil(math.log2(max(self.width, self.height)))

    def downsample(self, level: int) -> float:
        """Return how many pixels of the slide one of a level is wide."""
        return 2.0 ** (self.last - level)

    def window(self, place: Place) -> Window:
        """Return what a tile shows, in pixels of the slide.

        Raises
        ------
        InputError
            There is no such tile.
        """
        level, column, row = place
        side = TILE_PX * self.downsample(min(max(level, 0), self.last))
        x, y = column * side, row * side
        if not (0 <= level <= self.last and 0 <= x < self.width and 0 <= y < self.height):
            raise InputError(
                Problem(
                    found="no tile of this slide",
                    expected=f"a level from 0 to {self.last} and a place on the slide",
                    next_step="Load the page again.",
                )
            )
        return Window(x=x, y=y, width=min(side, self.width - x), height=min(side, self.height - y))


class View:
    """An open slide that is looked at, by one reader of its file at a time; use it in a ``with`` statement.

    One that was closed opens again when something is read.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> file = Path(tempfile.mkdtemp()) / "field.png"
    >>> Image.fromarray(np.full((40, 60, 3), 240, dtype=np.uint8)).save(file)
    >>> with View(file) as view:
    ...     view.zoom.last, view.read((6, 0, 0)).shape, view.read((5, 0, 0)).shape
    (6, (40, 60, 3), (20, 30, 3))
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._slide: Slide | None = open_slide(path)
        scale = self._slide.microns_per_pixel
        self.zoom = DeepZoom(
            width=self._slide.width, height=self._slide.height, um_per_px=scale.value if scale else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            slide, self._slide = self._slide, None
            if slide:
                slide.close()

    def read(self, place: Place) -> Rgb:
        """Return a tile, (row, column, 3)."""
        return self.read_window(self.zoom.window(place), self.zoom.downsample(place[0]))

    def read_window(self, window: Window, downsample: float, *, halo: int = 0) -> Rgb:
        """Return a window with ``halo`` pixels around it, resampled, (row, column, 3)."""
        with self._lock:
            self._slide = self._slide or open_slide(self._path)
            return self._slide.read_tile(window, downsample=downsample, halo=halo).image

    def draw_tile(self, place: Place) -> bytes:
        """Return a tile as JPEG."""
        return write_tile(self.read(place))


def draw_overview(view: View, side: int = 1400) -> bytes:
    """Return the whole of a slide as JPEG without anything that names it, at most ``side`` pixels wide and high."""
    zoom = view.zoom
    downsample = max(1.0, max(zoom.width, zoom.height) / side)
    return write_tile(view.read_window(Window(x=0, y=0, width=zoom.width, height=zoom.height), downsample))


def write_tile(image: Rgb) -> bytes:
    """Return an image as JPEG, for the eye only."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="JPEG", quality=_QUALITY)
    return buffer.getvalue()
