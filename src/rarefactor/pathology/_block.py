"""A block of a slide, measured on its own: DAB histograms and cells of each region, to be added to those of others.

Convention: a region's pixels are those of the tissue whose centre it holds. Cells that are out of focus are not
counted, and the tissue there is not part of what they are counted over. Nothing here depends on the threshold.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._blur import compute_blur
from rarefactor.pathology._cells import Cells, compute_cells, join_cells, select_cells
from rarefactor.pathology._detected import compute_labels
from rarefactor.pathology._excluded import list_regions
from rarefactor.pathology._geojson import Annotation
from rarefactor.pathology._histogram import DensityHistogram, compute_histogram
from rarefactor.pathology._lookup import BINS, TISSUE_DENSITY, Lookup, Measure, Sums, compute_lookup, compute_sums
from rarefactor.pathology._nuclei import HALO_PX
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._regions import rasterise
from rarefactor.pathology._settings import COARSEST_CELLS_UM, Reading, SlideFile
from rarefactor.pathology._slide import open_slide
from rarefactor.pathology._survey import Survey
from rarefactor.pathology._tissue import Mask
from rarefactor.pathology._watershed import Labels
from rarefactor.work import read_packed, write_packed

WHOLE = "all"
"""The name of the only region of a slide on which none is drawn."""
BLOCK_PX = 8192
"""Side of a block: 64 megapixels."""
TILE_PX = 2048
"""Side of what is read at once."""
SQUARE_PX = 512
"""Side of the squares over which the interval is drawn: 0.26 mm."""
FEW_PX = 4_000_000
"""Pixels up to which a table of all colours would take longer to make than it saves."""
COARSE = 10
"""Bins of the histogram in one of a square's: steps of 0.01 in density."""
_CELL_COLUMNS = tuple(each.name for each in fields(Cells))
Keep = Callable[[Tile, Labels, Cells], None]
"""What is told of the nuclei of each tile."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What a block, or a slide, gave of one region.

    Attributes
    ----------
    histogram
        Of its tissue.
    squares
        (square, bin): tissue pixels by DAB density in steps of 0.01, of each square of 512 pixels.
    pixels
        (square,): pixels of the section, dense or not.
    corners
        (square, 2): x and y of each square in level-0 pixels.
    in_focus
        Dense pixels, and pixels of the section, over which cells were counted.
    cells
        None where they were not looked for.
    """

    histogram: DensityHistogram
    squares: NDArray[np.int32]
    pixels: NDArray[np.int64]
    corners: NDArray[np.float64]
    in_focus: tuple[int, int] = (0, 0)
    cells: Cells | None = None

    def __add__(self, other: Part) -> Part:
        """Return both together."""
        both = [each for each in (self.cells, other.cells) if each is not None]
        return Part(
            histogram=self.histogram + other.histogram,
            squares=np.concatenate([self.squares, other.squares]),
            pixels=np.concatenate([self.pixels, other.pixels]),
            corners=np.concatenate([self.corners, other.corners]),
            in_focus=(self.in_focus[0] + other.in_focus[0], self.in_focus[1] + other.in_focus[1]),
            cells=join_cells(both) if both else None,
        )


def looks_for_cells(survey: Survey, reading: Reading) -> bool:
    """Whether cells can be counted: wanted, and the size of a pixel is known and fine enough."""
    um = survey.um_per_px
    return reading.measure == "cells" and um is not None and um <= COARSEST_CELLS_UM


def measure_block(
    file: SlideFile, survey: Survey, reading: Reading, window: Window, *, keep: Keep | None = None
) -> dict[str, Part]:
    """Return what a window of a slide holds, by region; regions without a pixel there are left out.

    ``keep`` is told the nuclei of each tile, for those who want their outlines.

    Raises
    ------
    ImageError
        The slide or its regions cannot be read.
    """
    regions = list_regions(file, survey.sha256)
    lookup = choose_lookup(survey, window)
    found: dict[str, Part] = {}
    for tile in _read_tiles(file, survey, window, choose_halo(survey, reading)):
        seen = find_cells(tile, survey, reading, keep) if tile.halo else None
        for name, part in measure_tile(tile, regions, (survey, lookup), seen):
            found[name] = found[name] + part if name in found else part
    return found


def measure_tile(
    tile: Tile, regions: Sequence[Annotation], by: tuple[Survey, Lookup | Sums], seen: tuple[Cells, Mask] | None
) -> Iterator[tuple[str, Part]]:
    """Give the regions that a tile holds tissue of, each with what it holds; ``seen`` are its cells and its focus."""
    survey, lookup = by
    for name, mask in _list_masks(regions, tile.window, survey, survey.expand(tile.window, survey.measured)):
        part = _measure_region(tile, mask, lookup, survey)
        yield name, _with_cells(part, seen[0], (mask, seen[1], lookup), (tile, survey)) if seen else part


def write_parts(parts: dict[str, Part]) -> bytes:
    """Return the parts as bytes."""
    return write_packed({f"{place}.npz": _write_part(name, part) for place, (name, part) in enumerate(parts.items())})


def read_parts(data: bytes, survey: Survey) -> dict[str, Part]:
    """Return what :func:`write_parts` wrote about a slide."""
    measure = Measure(white=survey.white, tissue_density=TISSUE_DENSITY)
    return dict(_read_part(held, measure) for held in read_packed(data).values())


def make_empty(survey: Survey) -> Part:
    """Return what no block gives."""
    histogram = DensityHistogram(
        measure=Measure(white=survey.white, tissue_density=TISSUE_DENSITY),
        counts=np.zeros((2, BINS), dtype=np.int64),
        background=0,
    )
    squares, pixels = np.zeros((0, BINS // COARSE), np.int32), np.zeros(0, np.int64)
    return Part(histogram=histogram, squares=squares, pixels=pixels, corners=np.zeros((0, 2)))


def choose_halo(survey: Survey, reading: Reading) -> int:
    """Return the pixels around a tile that it takes to find the nuclei at its border; 0 where none are looked for."""
    return HALO_PX if looks_for_cells(survey, reading) else 0


def _read_tiles(file: SlideFile, survey: Survey, window: Window, halo: int) -> Iterator[Tile]:
    with open_slide(file.path) as slide:
        for each in slide.windows(TILE_PX, downsample=survey.downsample, within=window):
            if survey.holds_tissue(each):
                tile = slide.read_tile(each, downsample=survey.downsample, halo=halo)
                yield mirror_outside(tile, survey) if halo else tile


def mirror_outside(tile: Tile, survey: Survey) -> Tile:
    """Return a tile whose halo beyond the slide mirrors its border: white there would make nuclei of it."""
    rows, columns = tile.image.shape[:2]
    pads: list[tuple[int, int]] = []
    for start, length, count in ((tile.window.y, survey.height, rows), (tile.window.x, survey.width, columns)):
        first = start / survey.downsample - tile.halo
        before = max(0, round(-first))
        pads.append((before, max(0, round(first + count - length / survey.downsample))))
    (top, bottom), (left, right) = pads
    inside = tile.image[top : rows - bottom, left : columns - right]
    if inside.shape == tile.image.shape or not inside.size:
        return tile
    return Tile(window=tile.window, image=np.pad(inside, np.array((*pads, (0, 0))), mode="symmetric"), halo=tile.halo)


def choose_lookup(survey: Survey, window: Window) -> Lookup | Sums:
    """Return the table of all colours where there are many pixels; they give the same."""
    if window.width * window.height > FEW_PX * survey.downsample**2:
        return compute_lookup(survey.white, tissue_density=TISSUE_DENSITY)
    return compute_sums(Measure(white=survey.white, tissue_density=TISSUE_DENSITY))


def _list_masks(
    regions: Sequence[Annotation], window: Window, survey: Survey, tissue: Mask
) -> Iterator[tuple[str, Mask]]:
    """Give the tissue of each region; what is drawn to be left out is in none."""
    ignored = [each for each in regions if each.is_ignored]
    wanted = [each for each in regions if not each.is_ignored]
    for each in ignored:
        tissue = tissue & ~rasterise(each, window, survey.downsample)
    if not wanted and tissue.any():
        yield WHOLE, tissue
    for each in wanted:
        mask = tissue & rasterise(each, window, survey.downsample)
        if mask.any():
            yield each.name, mask


def _measure_region(tile: Tile, mask: Mask, lookup: Lookup | Sums, survey: Survey) -> Part:
    """Return the histogram of a tile, made of those of its squares."""
    image = tile.core
    total: DensityHistogram | None = None
    squares: list[NDArray[np.int32]] = []
    pixels: list[int] = []
    corners: list[tuple[float, float]] = []
    for top in range(0, mask.shape[0], SQUARE_PX):
        for left in range(0, mask.shape[1], SQUARE_PX):
            place = slice(top, top + SQUARE_PX), slice(left, left + SQUARE_PX)
            if not mask[place].any():
                continue
            found = compute_histogram(image[place], lookup, mask[place])
            total = found if total is None else total + found
            squares.append(found.counts[1].reshape(-1, COARSE).sum(axis=1).astype(np.int32))
            pixels.append(found.pixels)
            x, y = tile.window.x + left * survey.downsample, tile.window.y + top * survey.downsample
            corners.append((x, y))
    if total is None:
        return make_empty(survey)
    return Part(
        histogram=total,
        squares=np.stack(squares),
        pixels=np.array(pixels, dtype=np.int64),
        corners=np.array(corners, dtype=np.float64),
    )


def find_cells(tile: Tile, survey: Survey, reading: Reading, keep: Keep | None) -> tuple[Cells, Mask]:
    """Return the cells of a tile, and where it is in focus."""
    um = survey.um_per_px or 0.0
    labels = compute_labels(tile.image, survey.white, reading, um)
    cells = compute_cells(tile, labels, survey.white, um_per_px=um, downsample=survey.downsample)
    if keep:
        keep(tile, labels, cells)
    tissue = survey.expand(tile.window, survey.measured)
    blur = compute_blur(tile.core, survey.white, tissue, um_per_px=um)
    return cells, ~blur.mask


def _with_cells(part: Part, cells: Cells, where: tuple[Mask, Mask, Lookup | Sums], at: tuple[Tile, Survey]) -> Part:
    (mask, focus, lookup), (tile, survey) = where, at
    counted = mask & focus
    rows = ((cells.y - tile.window.y) / survey.downsample).astype(np.int64)
    columns = ((cells.x - tile.window.x) / survey.downsample).astype(np.int64)
    inside = counted[np.clip(rows, 0, mask.shape[0] - 1), np.clip(columns, 0, mask.shape[1] - 1)]
    blurred = bool((mask & ~focus).any())
    in_focus = compute_histogram(tile.core, lookup, counted).tissue if blurred else part.histogram.tissue
    return Part(
        histogram=part.histogram,
        squares=part.squares,
        pixels=part.pixels,
        corners=part.corners,
        in_focus=(in_focus, int(counted.sum())),
        cells=select_cells(cells, inside),
    )


def _write_part(name: str, part: Part) -> bytes:
    buffer = io.BytesIO()
    cells = (
        {f"cell_{column}": getattr(part.cells, column) for column in _CELL_COLUMNS} if part.cells is not None else {}
    )
    np.savez_compressed(
        buffer,
        name=np.array(name),
        counts=part.histogram.counts,
        background=part.histogram.background,
        squares=part.squares,
        pixels=part.pixels,
        corners=part.corners,
        in_focus=part.in_focus,
        **cells,
    )
    return buffer.getvalue()


def _read_part(data: bytes, measure: Measure) -> tuple[str, Part]:
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        cells = Cells(**{name: held[f"cell_{name}"] for name in _CELL_COLUMNS}) if "cell_x" in held.files else None
        histogram = DensityHistogram(measure=measure, counts=held["counts"], background=int(held["background"]))
        part = Part(
            histogram=histogram,
            squares=held["squares"],
            pixels=held["pixels"],
            corners=held["corners"],
            in_focus=(int(held["in_focus"][0]), int(held["in_focus"][1])),
            cells=cells,
        )
        return str(held["name"]), part
