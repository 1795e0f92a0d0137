"""Slides that OpenSlide puts together: MRXS, SCN, DICOM and others; TiffSlide where it is not installed.

Convention: both libraries speak one language, so that one level serves both. OpenSlide is an extra; what needs it and
does not find it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._colour import Alpha, Colours, Model, Rgb, compute_rgb
from rarefactor.pathology._microns import Scale, choose_scale, derive_scale, read_sidecar
from rarefactor.pathology._pyramid import Pyramid, Source

_COLOURS = Colours(model=Model.RGB, alpha=Alpha.STRAIGHT)
"""What the libraries give: transparent where nothing was scanned."""


class Opened(Protocol):
    """What OpenSlide and TiffSlide have in common."""

    @property
    def level_dimensions(self) -> Sequence[tuple[int, int]]: ...
    @property
    def level_downsamples(self) -> Sequence[float]: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...
    def read_region(self, location: tuple[int, int], level: int, size: tuple[int, int]) -> Any: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LibraryLevel:
    """A level that a library reads."""

    slide: Opened
    number: int
    factor: float
    file: str

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.slide.level_dimensions[self.number][0])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.slide.level_dimensions[self.number][1])

    @property
    def chunk(self) -> tuple[int, int]:
        """What most scanners store."""
        return 256, 256

    def read(self, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a window that lies inside the level."""
        place = round(x * self.factor), round(y * self.factor)
        try:
            picture = self.slide.read_region(place, self.number, (width, height))
        except Exception as error:
            raise ImageError(_damaged(self.file, str(error))) from error
        samples = np.asarray(picture)
        return compute_rgb(samples, _COLOURS) if samples.shape[2] > 3 else samples[..., :3]


def open_library(path: Path, *, tiff: bool) -> Pyramid:
    """Return a slide that OpenSlide reads, or, for a TIFF and without OpenSlide, TiffSlide.

    Raises
    ------
    ImageError
        Neither can read it, or OpenSlide would be needed and is not installed.
    """
    opener, reader, vendor = _find_library(path, tiff=tiff)
    try:
        slide = cast("Opened", opener(str(path)))
        sizes, factors = slide.level_dimensions, slide.level_downsamples
    except Exception as error:
        raise ImageError(_unknown(path, str(error))) from error
    levels = tuple(
        (float(factor), LibraryLevel(slide, i, float(factor), path.name)) for i, factor in enumerate(factors)
    )
    stored = _scale(slide.properties, vendor)
    source = Source(path=path, reader=reader, scale=choose_scale(read_sidecar(path), stored), files=_files(path))
    if not sizes:
        raise ImageError(_unknown(path, "no image in it"))
    return Pyramid(source, levels, close=slide.close)


def _find_library(path: Path, *, tiff: bool) -> tuple[Callable[[str], object], str, str]:
    try:
        import openslide  # noqa: PLC0415 - an extra
    except (ImportError, OSError) as error:
        if not tiff:
            raise ImageError(_needs_openslide(path)) from error
        import tiffslide  # noqa: PLC0415 - loaded when such a slide is read: it takes seconds

        return tiffslide.TiffSlide, f"tiffslide {version('tiffslide')}", "tiffslide"
    return openslide.OpenSlide, f"openslide {openslide.__library_version__}", "openslide"


def _scale(properties: Mapping[str, Any], vendor: str) -> Scale:
    try:
        x, y = (float(properties.get(f"{vendor}.mpp-{side}") or "nan") for side in "xy")
    except ValueError:
        return Scale()
    name = properties.get(f"{vendor}.vendor") or "scanner"
    return derive_scale(x, y, f"{name} through {vendor}")


def _files(path: Path) -> tuple[Path, ...]:
    """Return all files of a slide that has several: MIRAX keeps them in a folder, DICOM beside each other."""
    if path.suffix.lower() == ".mrxs":
        return (path, *sorted(each for each in path.with_suffix("").glob("*") if each.is_file()))
    if path.suffix.lower() == ".dcm":
        return tuple(sorted(path.parent.glob("*.dcm")))
    return ()


def _needs_openslide(path: Path) -> Problem:
    return Problem(
        file=path.name,
        found="a file that is neither PNG, JPEG nor TIFF",
        expected="an image; slides of other kinds (MRXS, DICOM) need OpenSlide",
        next_step='If it is a slide, install OpenSlide: pip install "rarefactor[openslide]".',
    )


def _unknown(path: Path, reason: str) -> Problem:
    return Problem(
        file=path.name,
        found=f"a file that is no image or slide, or a damaged one ({reason.strip() or 'not recognised'})",
        expected="PNG, JPEG, TIFF, SVS, NDPI, OME-TIFF, MRXS, SCN or DICOM",
        next_step="Copy or export the image again.",
    )


def _damaged(file: str, reason: str) -> Problem:
    return Problem(
        file=file,
        found=f"a slide that cannot be read whole ({reason.strip()})",
        expected="a whole slide",
        next_step="Copy or export the slide again.",
    )
