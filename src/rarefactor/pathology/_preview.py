"""A slide as it would be with other regions left out: only the tiles that they touch are measured again.

Convention: the same tiles, masks and cells as in :mod:`rarefactor.pathology._block`, so that what is shown before
regions are saved is what a measurement gives after. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rarefactor.pathology._block import (
    TILE_PX,
    Part,
    choose_halo,
    choose_lookup,
    find_cells,
    make_empty,
    measure_tile,
    mirror_outside,
)
from rarefactor.pathology._cells import Cells, join_cells, select_cells
from rarefactor.pathology._excluded import list_regions
from rarefactor.pathology._histogram import DensityHistogram
from rarefactor.pathology._job import list_blocks
from rarefactor.pathology._looked import Looked, make_looked
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._settings import Excluded, Outline
from rarefactor.pathology._slide import Slide, open_slide
from rarefactor.pathology._survey import Survey

MOST_TILES, MOST_TILES_CELLS = 8, 4
"""Tiles of 4 megapixels that someone can wait for: with areas alone, and where cells are looked for."""


def preview(looked: Looked, outlines: Sequence[Outline]) -> Looked | None:
    """Return a slide as it would be measured with these regions left out.

    Parameters
    ----------
    looked
        The slide as it was measured.
    outlines
        All regions that readers leave out, corners as (x, y) in pixels of level 0; those of its file stay.

    Returns
    -------
    Looked
        The same numbers as a measurement gives, but for ``squares``, which stay; None where more tiles than someone
        can wait for would be measured again.

    Raises
    ------
    ImageError
        The slide or its regions cannot be read.
    """
    before = looked.file.excluded.outlines if looked.file.excluded else ()
    changed = set(before) ^ set(outlines)
    if not changed:
        return looked
    drawn = replace(looked.file, excluded=Excluded(sha256=looked.sha256, outlines=tuple(outlines)))
    with open_slide(looked.file.path) as slide:
        windows = [each for each in _list_windows(slide, looked.survey) if _touches(each, changed)]
        halo = choose_halo(looked.survey, looked.reading)
        if len(windows) > (MOST_TILES_CELLS if halo else MOST_TILES):
            return None
        parts = dict(looked.parts)
        for window in windows:
            parts = _measure_again(parts, (slide, window, halo), looked, replace(looked, file=drawn))
    return make_looked(drawn, looked.survey, looked.reading, parts)


def _list_windows(slide: Slide, survey: Survey) -> Iterator[Window]:
    for block in list_blocks(survey):
        for window in slide.windows(TILE_PX, downsample=survey.downsample, within=block):
            if survey.holds_tissue(window):
                yield window


def _touches(window: Window, outlines: set[Outline]) -> bool:
    return any(
        min(x for x, _ in each) < window.x + window.width
        and max(x for x, _ in each) > window.x
        and min(y for _, y in each) < window.y + window.height
        and max(y for _, y in each) > window.y
        for each in outlines
    )


def _measure_again(
    parts: Mapping[str, Part], where: tuple[Slide, Window, int], old: Looked, new: Looked
) -> dict[str, Part]:
    """Return the regions of a slide, what a tile held of them changed for what it holds now."""
    slide, window, halo = where
    survey, reading = old.survey, old.reading
    tile = slide.read_tile(window, downsample=survey.downsample, halo=halo)
    tile = mirror_outside(tile, survey) if halo else tile
    seen = find_cells(tile, survey, reading, None) if halo else None
    by = survey, choose_lookup(survey, window)
    gone, come = (dict(measure_tile(tile, list_regions(each.file, survey.sha256), by, seen)) for each in (old, new))
    nothing = make_empty(survey)
    return {
        name: _exchange(parts.get(name, nothing), window, gone.get(name, nothing), come.get(name, nothing))
        for name in dict.fromkeys((*parts, *come))
    }


def _exchange(part: Part, window: Window, gone: Part, come: Part) -> Part:
    histogram = DensityHistogram(
        measure=part.histogram.measure,
        counts=part.histogram.counts - gone.histogram.counts + come.histogram.counts,
        background=part.histogram.background - gone.histogram.background + come.histogram.background,
    )
    focus = [now - less + more for now, less, more in zip(part.in_focus, gone.in_focus, come.in_focus, strict=True)]
    held = [each for each in (part.cells and _leave(part.cells, window), come.cells) if each is not None]
    return replace(part, histogram=histogram, in_focus=(focus[0], focus[1]), cells=join_cells(held) if held else None)


def _leave(cells: Cells, window: Window) -> Cells:
    """Return the cells outside of a window."""
    inside = (cells.x >= window.x) & (cells.x < window.x + window.width)
    inside &= (cells.y >= window.y) & (cells.y < window.y + window.height)
    return select_cells(cells, np.logical_not(inside))
