"""One door for slides and fields: what a file holds decides how it is read, not what it is called.

Convention: pixels of level 0, columns (x) to the right and rows (y) down; images are (row, column, 3) of 8-bit red,
green and blue; micrometres per pixel are known with their source, or not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._colour import Rgb
from rarefactor.pathology._field import open_field
from rarefactor.pathology._microns import MicronsPerPixel
from rarefactor.pathology._openslide import open_library
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._wsi import open_tiff
from rarefactor.results import Flag

ENDINGS = (
    ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".svs", ".ndpi", ".scn", ".bif", ".qptiff", ".mrxs", ".dcm",
)  # fmt: skip
"""Endings of files that may hold a slide or field, in lower case; ``.ome.tif`` is among them."""
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FIELD = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM")


class Slide(Protocol):
    """A slide or field, read by windows; use it in a ``with`` statement."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def width(self) -> int:
        """Pixels of level 0 from left to right."""
        ...

    @property
    def height(self) -> int:
        """Pixels of level 0 from top to bottom."""
        ...

    @property
    def microns_per_pixel(self) -> MicronsPerPixel | None:
        """The size of a pixel of level 0; None where nobody says it."""
        ...

    @property
    def reader(self) -> str:
        """The library that reads the file, with its version."""
        ...

    @property
    def downsamples(self) -> tuple[float, ...]:
        """The factors by which the levels are smaller than the first, which is 1."""
        ...

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is doubtful about the slide; damage shows after the part that has it was read."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of the file in hexadecimal digits."""
        ...

    @property
    def block(self) -> int:
        """Side of a tile near 2048 pixels that cuts no stored tile."""
        ...

    def read(self, x: int, y: int, width: int, height: int, *, downsample: float = 1.0) -> Rgb:
        """Return a window, resampled: (rows, columns, 3) uint8, white outside the slide."""
        ...

    def windows(
        self, size: int | None = None, *, downsample: float = 1.0, within: Window | None = None
    ) -> tuple[Window, ...]:
        """Return the windows that ``tiles`` reads, without reading them."""
        ...

    def tiles(
        self, size: int | None = None, *, downsample: float = 1.0, halo: int = 0, within: Window | None = None
    ) -> Iterator[Tile]:
        """Give the pieces of the slide row by row; each pixel is in the core of one tile."""
        ...

    def read_tile(self, window: Window, *, downsample: float = 1.0, halo: int = 0) -> Tile:
        """Return a window with ``halo`` pixels around it, counted after resampling."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_slide(path: Path) -> Slide:
    """Return the slide or field of a file, or of a folder of DICOM files; close it, or use it in a ``with`` statement.

    Parameters
    ----------
    path
        PNG, JPEG, TIFF (SVS, NDPI, OME-TIFF ...), and with OpenSlide MRXS, SCN and DICOM. Beside it may lie a sidecar
        ``<name>.json`` with ``{"um_per_px": 0.5}``.

    Returns
    -------
    Slide
        Its ``flags`` say what is doubtful; an unknown size of a pixel is one, and no error.

    Raises
    ------
    ImageError
        Nothing of this name, no image, damaged or cut off, too large to be read piece by piece, or no brightfield.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> Image.fromarray(np.full((40, 60, 3), 240, dtype=np.uint8)).save(folder / "field.png")
    >>> _ = (folder / "field.json").write_text('{"um_per_px": 0.5}')
    >>> with open_slide(folder / "field.png") as slide:
    ...     slide.width, slide.height, slide.microns_per_pixel.value, slide.read(0, 0, 60, 40, downsample=2).shape
    (60, 40, 0.5, (20, 30, 3))
    """
    file = _resolve(path)
    head = _head(file)
    if file.suffix.lower() == ".mrxs":  # its first file is a JPEG of the label
        return open_library(file, tiff=False)
    if head.startswith(_FIELD):
        return open_field(file)
    if not head.startswith(_TIFF):
        return open_library(file, tiff=False)
    return open_tiff(file)


def _resolve(path: Path) -> Path:
    """Return the file to open: in a folder, its first DICOM file, from which OpenSlide finds the others."""
    if path.is_file():
        return path
    found = sorted(path.glob("*.dcm")) if path.is_dir() else []
    if found:
        return found[0]
    raise ImageError(
        Problem(
            file=path.name,
            found="a folder without DICOM files" if path.is_dir() else "nothing of this name",
            expected="an image file, or the folder of a DICOM slide",
            next_step="Check the path.",
        )
    )


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as held:
            head = held.read(16)
    except OSError as error:
        raise ImageError(_unusable(file, f"a file that cannot be opened ({error.strerror})")) from error
    if not head:
        raise ImageError(_unusable(file, "an empty file"))
    return head


def _unusable(file: Path, found: str) -> Problem:
    return Problem(file=file.name, found=found, expected="an image", next_step="Copy or export the image again.")
