"""Whole slides and TIFF fields: which pages make the pyramid, what their colours are, how large a pixel is.

Convention: the largest image of the file is the slide; label and overview are left alone. SVS, NDPI, OME-TIFF and
other TIFF are read tile by tile; layouts that are put together from several parts (Leica, Ventana, Philips) and all
that is no TIFF (MRXS, DICOM) are left to OpenSlide, or TiffSlide where it is not installed.
"""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._colour import Alpha, Colours, Model, compute_white, count_colour_samples
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._microns import (
    Scale,
    choose_scale,
    derive_from_resolution,
    derive_scale,
    microns_of,
    read_sidecar,
)
from rarefactor.pathology._openslide import open_library
from rarefactor.pathology._pyramid import Level, Pyramid, Source
from rarefactor.pathology._tiles import (
    MAX_CHUNK,
    Cache,
    Damage,
    MappedLevel,
    StoredLevel,
    chunk_shape,
    compute_brightest,
)
from rarefactor.results import Flag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tifffile import TiffFile, TiffPage, TiffPageSeries

_DECODED_AS_RGB = {6, 7, 34712, 33004, 33005, 34933, 34934, 50001, 50002, 52546, 22610}
"""Compressions whose decoder gives red, green and blue, whatever was stored."""
_APERIO_YCBCR = 33003
_MODELS = {
    0: Model.INVERTED_GREY,
    1: Model.GREY,
    2: Model.RGB,
    3: Model.PALETTE,
    5: Model.CMYK,
    6: Model.YCBCR,
}
"""Numbers of the tag PhotometricInterpretation."""
_ALPHAS = {1: Alpha.PREMULTIPLIED, 2: Alpha.STRAIGHT}
_TIFF_UNITS = {2: "inch", 3: "cm"}
_DTYPES = {"uint8", "uint16"}
_PLANES = {"YXS", "YX", "SYX"}
_UNREADABLE = (ValueError, LookupError, OSError, TypeError, RuntimeError, ArithmeticError, AttributeError, struct.error)
"""What tifffile raises over a damaged header; its own error is a ValueError."""
_MPP = re.compile(r"MPP\s*=\s*([0-9.]+)")

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what it complains of comes back as our errors


def open_tiff(path: Path) -> Pyramid:
    """Return a slide or field from a TIFF file; the caller closes it.

    Raises
    ------
    ImageError
        Damaged or cut off, no brightfield image in it, or stored in a way that cannot be read piece by piece.
    """
    tiff = _open(path)
    if tiff.is_scn or tiff.is_bif or tiff.is_philips:
        tiff.close()
        return open_library(path, tiff=True)
    try:
        return _build(tiff, path)
    except BaseException:
        tiff.close()
        raise


def _open(path: Path) -> TiffFile:
    from tifffile import TiffFile  # noqa: PLC0415 - an image library is loaded when an image is read

    try:
        tiff = TiffFile(path)
        held = bool(tiff.series)
    except _UNREADABLE as error:
        raise ImageError(_damaged(path, str(error))) from error
    if not held:
        tiff.close()
        raise ImageError(_damaged(path, "no image in it"))
    return tiff


def _build(tiff: TiffFile, path: Path) -> Pyramid:
    series = max(tiff.series, key=lambda each: _area(each.keyframe))
    pages = [each.keyframe for each in series.levels]
    _check_series(series, path)
    for page in pages:
        _check_whole(page, path)
    colours = _read_colours(pages, path)
    damage, cache = Damage(file=path.name), Cache()
    levels = tuple(
        (_factor(pages[0], page), _level(page, colours, path, (number, cache, damage)))
        for number, page in enumerate(pages)
    )
    source = Source(
        path=path,
        reader=_reader(),
        scale=choose_scale(read_sidecar(path), _read_scale(tiff, pages[0])),
        flags=(*colours.flags, *_series_flags(series, tiff)),
    )
    return Pyramid(source, levels, close=tiff.close, damage=damage.flags)


def _level(page: TiffPage, colours: Colours, path: Path, shared: tuple[int, Cache, Damage]) -> Level:
    if page.is_memmappable:
        return MappedLevel(page=page, colours=colours, path=path)
    rows, columns = chunk_shape(page)
    size = rows * columns * int(page.samplesperpixel) * np.dtype(page.dtype).itemsize
    if size > MAX_CHUNK:
        raise ImageError(
            Problem(
                file=path.name,
                found=f"a compressed strip of {columns} x {rows} pixels that has to be decoded as a whole",
                expected=f"tiles or strips of at most {MAX_CHUNK // 2**20} MiB",
                next_step="Export the image as a tiled TIFF, for example a pyramidal OME-TIFF from QuPath.",
            )
        )
    number, cache, damage = shared
    return StoredLevel(page=page, colours=colours, number=number, cache=cache, damage=damage)


def _check_series(series: TiffPageSeries, path: Path) -> None:
    kind = series.keyframe.dtype
    channels = series.axes.replace("S", "").count("C")
    if channels and series.shape[series.axes.index("C")] > 1:
        raise ImageError(_unsuitable(path, f"{series.shape[series.axes.index('C')]} separate channels"))
    if kind is None or np.dtype(kind).name not in _DTYPES:
        raise ImageError(_unsuitable(path, f"samples of type {kind or 'unknown'}"))


def _check_whole(page: TiffPage, path: Path) -> None:
    """Refuse a file that ends before its tiles do: it was not copied whole."""
    starts, counts = np.asarray(page.dataoffsets, dtype=np.int64), np.asarray(page.databytecounts, dtype=np.int64)
    held = path.stat().st_size
    beyond = int(np.count_nonzero(starts + counts > held))
    if page.is_memmappable and int(page.dataoffsets[0]) + int(page.nbytes) > held:
        beyond = max(beyond, 1)
    if beyond or not len(starts):
        raise ImageError(_damaged(path, f"{beyond} of {len(starts)} tiles or strips lie beyond the end of the file"))


def _read_colours(pages: Sequence[TiffPage], path: Path) -> Colours:
    page = pages[0]
    model = _model(page)
    if model is None or count_colour_samples(model) > page.samplesperpixel:
        raise ImageError(_unsuitable(path, f"colours of kind {getattr(page.photometric, 'name', page.photometric)}"))
    extra = tuple(int(each) for each in page.extrasamples)
    own = int(page.samplesperpixel) - count_colour_samples(model)
    alpha = _ALPHAS.get(extra[0], Alpha.NONE) if extra and own > 0 else Alpha.NONE
    colours = Colours(model=model, alpha=alpha, palette=_palette(page) if model is Model.PALETTE else None)
    if np.dtype(page.dtype) == np.uint8 or model is Model.PALETTE:
        return colours
    return replace(colours, white=compute_white(compute_brightest(pages[-1], path)))


def _model(page: TiffPage) -> Model | None:
    if page.compression == _APERIO_YCBCR:
        return Model.YCBCR
    model = _MODELS.get(int(page.photometric))
    return Model.RGB if model is Model.YCBCR and int(page.compression) in _DECODED_AS_RGB else model


def _palette(page: TiffPage) -> Any:
    table = np.asarray(page.tags.valueof("ColorMap"), dtype=np.uint16).reshape(3, -1)
    return (table.T >> 8).astype(np.uint8)


def _factor(first: TiffPage, page: TiffPage) -> float:
    """Return how much smaller a level is: a whole number where cutting off parts of pixels explains the rest."""
    pairs = ((int(first.imagewidth), int(page.imagewidth)), (int(first.imagelength), int(page.imagelength)))
    ratio = sum(large / small for large, small in pairs) / 2
    whole = max(1, round(ratio))
    return float(whole) if all(abs(large / whole - small) <= 1 for large, small in pairs) else ratio


def _read_scale(tiff: TiffFile, page: TiffPage) -> Scale:
    if tiff.is_svs:
        found = _MPP.search(page.description)
        value = float(found[1]) if found else None
        return derive_scale(value, value, "Aperio MPP")
    if tiff.is_ome:
        return _ome_scale(tiff.ome_metadata or "")
    x, y = (abs(float(value)) for value in page.resolution)
    if tiff.is_imagej:
        unit = str((tiff.imagej_metadata or {}).get("unit", ""))
        return derive_from_resolution(x, y, unit, f"ImageJ unit {unit}")
    unit = _TIFF_UNITS.get(int(page.resolutionunit), "none")
    return derive_from_resolution(x, y, unit, "Hamamatsu resolution" if tiff.is_ndpi else "TIFF resolution")


def _ome_scale(text: str) -> Scale:
    """Return the scale of the largest image in OME-XML."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - loaded when XML is read

    pixels: list[ET.Element] = []
    with suppress(ET.ParseError):
        pixels = [each for each in ET.fromstring(text).iter() if each.tag.endswith("}Pixels")]  # noqa: S314 - entities are not resolved
    if not pixels:
        return Scale()
    held = max(pixels, key=lambda each: int(each.get("SizeX", "0")) * int(each.get("SizeY", "0")))
    return derive_scale(_ome_side(held, "X"), _ome_side(held, "Y"), "OME PhysicalSize")


def _ome_side(pixels: Element, side: str) -> float | None:
    unit = microns_of(pixels.get(f"PhysicalSize{side}Unit", "µm"))
    try:
        return float(pixels.get(f"PhysicalSize{side}", "nan")) * unit if unit else None
    except ValueError:
        return None


def _series_flags(series: TiffPageSeries, tiff: TiffFile) -> tuple[Flag, ...]:
    axes = "".join(axis for axis, length in zip(series.axes, series.shape, strict=True) if length > 1 or axis in "YXS")
    flags: list[Flag] = []
    if axes not in _PLANES:
        flags.append(warn("several_planes", "The image has several planes or times; the first is measured."))
    named = tiff.is_svs or tiff.is_ndpi or tiff.is_ome or tiff.is_qpi
    if len(tiff.series) > 1 and not named:
        flags.append(note("several_images", f"The file holds {len(tiff.series)} images; the largest is measured."))
    return tuple(flags)


def _area(page: Any) -> int:
    return int(page.imagewidth) * int(page.imagelength)


@cache
def _reader() -> str:
    return f"tifffile {version('tifffile')}, imagecodecs {version('imagecodecs')}"


def _damaged(path: Path, reason: str) -> Problem:
    return Problem(
        file=path.name,
        found=f"a TIFF that cannot be read ({reason.strip() or 'damaged'})",
        expected="a whole TIFF or slide file",
        next_step="Copy or export the slide again.",
    )


def _unsuitable(path: Path, found: str) -> Problem:
    return Problem(
        file=path.name,
        found=found,
        expected="a brightfield image: red, green and blue of 8 or 16 bits",
        next_step="Export the image in RGB colour.",
    )
