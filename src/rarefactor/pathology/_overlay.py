"""What was measured, drawn over the tiles of a slide: positive places, what was left out, cells.

Convention: an overlay is a PNG without a background, of the size of its tile. Positive places are those of the tile as
it is shown: a coarse tile averages pixels, and the numbers are those of the level that was measured. Cells are outlined
where a pixel is fine enough to see them, and dots where not.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._block import mirror_outside
from rarefactor.pathology._cells import compute_cells, compute_grades
from rarefactor.pathology._density import H_DAB, compute_density
from rarefactor.pathology._detected import compute_labels
from rarefactor.pathology._excluded import list_excluded
from rarefactor.pathology._look import Place, View
from rarefactor.pathology._looked import Looked
from rarefactor.pathology._lookup import TISSUE_DENSITY
from rarefactor.pathology._nuclei import HALO_PX
from rarefactor.pathology._picture_cells import were_counted
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._regions import rasterise

Layer = Literal["positive", "tissue", "cells"]
Mask = NDArray[np.bool_]
Rgba = NDArray[np.uint8]
_POSITIVE, _NEGATIVE, _ASIDE, _EDGE = (208, 0, 111), (36, 88, 201), (60, 70, 80), (0, 128, 90)
_TINT, _DIM, _SOLID = 150, 110, 255
_FINE = 1.0
"""Pixels as cells were found, along one of a tile, up to which outlines are drawn."""
_NEAR_PX = 1.5
_DOT_PX = 2


def draw_overlay(view: View, place: Place, layer: Layer, looked: Looked) -> bytes:
    """Return one layer of a tile as PNG; positive is what ``looked.reading`` says.

    Raises
    ------
    InputError
        There is no such tile.
    """
    window, downsample = view.zoom.window(place), view.zoom.downsample(place[0])
    counted = _find_measured(looked, window, downsample)
    drawn = np.zeros((*counted.shape, 4), dtype=np.uint8)
    if layer == "tissue":
        _paint(drawn, ~counted, (*_ASIDE, _DIM))
        _paint(drawn, _find_edge(counted), (*_EDGE, _SOLID))
    elif layer == "positive":
        image = view.read_window(window, downsample)
        _paint(drawn, counted & _find_positive(image, looked), (*_POSITIVE, _TINT))
    elif looked.total.cells is not None:
        if downsample <= _FINE * looked.survey.downsample:
            _draw_outlines(drawn, view, (window, downsample), looked)
        else:
            _draw_dots(drawn, (window, downsample), looked)
    return _write_png(drawn)


def _find_measured(looked: Looked, window: Window, downsample: float) -> Mask:
    """Return which pixels of a tile were measured."""
    survey = looked.survey
    rows, columns = window.shape(downsample)
    down, across = (
        np.clip(((start + (np.arange(count) + 0.5) * downsample) / survey.step).astype(np.int64), 0, size - 1)
        for start, count, size in zip((window.y, window.x), (rows, columns), survey.measured.shape, strict=True)
    )
    measured = survey.measured[np.ix_(down, across)]
    for region in list_excluded(looked.file, survey.sha256):
        measured &= ~rasterise(region, window, downsample)
    return measured


def _find_positive(image: NDArray[np.uint8], looked: Looked) -> Mask:
    density = compute_density(image, looked.survey.white)
    dense = density.sum(axis=2) >= TISSUE_DENSITY
    return dense & (density @ H_DAB.unmixing[:, 1].astype(np.float32) >= looked.reading.threshold)


def _draw_outlines(drawn: Rgba, view: View, at: tuple[Window, float], looked: Looked) -> None:
    """Outline the nuclei that were counted: found again, in this window only."""
    window, downsample = at
    survey, reading = looked.survey, looked.reading
    um = survey.um_per_px or 0.0
    image = view.read_window(window, survey.downsample, halo=HALO_PX)
    tile = mirror_outside(Tile(window=window, image=image, halo=HALO_PX), survey)
    labels = compute_labels(tile.image, survey.white, reading, um)
    cells = compute_cells(tile, labels, survey.white, um_per_px=um, downsample=survey.downsample)
    grades = np.full(int(labels.max(initial=0)) + 1, -1, dtype=np.int64)
    counted = were_counted(cells, looked.total.cells, _NEAR_PX * survey.downsample)
    grades[cells.label[counted]] = compute_grades(cells, reading.compartment, reading.grades)[counted]
    shown = _fit(labels[tile.halo : -tile.halo, tile.halo : -tile.halo], drawn.shape, downsample / survey.downsample)
    edges = _find_rims(shown)
    for positive, colour in ((False, _NEGATIVE), (True, _POSITIVE)):
        chosen = (grades > 0) if positive else (grades == 0)
        _paint(drawn, edges & chosen[shown], (*colour, _SOLID))


def _draw_dots(drawn: Rgba, at: tuple[Window, float], looked: Looked) -> None:
    cells = looked.total.cells
    if cells is None:
        return
    (window, downsample), reading = at, looked.reading
    grades = compute_grades(cells, reading.compartment, reading.grades)
    columns = ((cells.x - window.x) / downsample).astype(np.int64)
    rows = ((cells.y - window.y) / downsample).astype(np.int64)
    inside = (columns >= 0) & (rows >= 0) & (columns < drawn.shape[1]) & (rows < drawn.shape[0])
    for positive, colour in ((False, _NEGATIVE), (True, _POSITIVE)):
        chosen = inside & ((grades > 0) if positive else (grades == 0))
        for down in range(_DOT_PX):
            for across in range(_DOT_PX):
                row = np.minimum(rows[chosen] + down, drawn.shape[0] - 1)
                column = np.minimum(columns[chosen] + across, drawn.shape[1] - 1)
                drawn[row, column] = (*colour, _SOLID)


def _fit(labels: NDArray[np.int32], shape: tuple[int, ...], pitch: float) -> NDArray[np.int32]:
    """Return labels on the pixels of a tile, each ``pitch`` pixels of ``labels`` wide."""
    places = [
        np.minimum(((np.arange(count) + 0.5) * pitch).astype(np.int64), size - 1)
        for count, size in zip(shape[:2], labels.shape, strict=True)
    ]
    return labels[np.ix_(places[0], places[1])]


def _find_rims(labels: NDArray[np.int32]) -> Mask:
    """Return the outermost pixels of each label."""
    inner = labels > 0
    inner[1:] &= labels[1:] == labels[:-1]
    inner[:-1] &= labels[:-1] == labels[1:]
    inner[:, 1:] &= labels[:, 1:] == labels[:, :-1]
    inner[:, :-1] &= labels[:, :-1] == labels[:, 1:]
    return (labels > 0) & ~inner


def _find_edge(mask: Mask) -> Mask:
    """Return the pixels of a mask that touch what is not in it, inside the tile."""
    edge = np.zeros_like(mask)
    edge[1:] |= mask[1:] & ~mask[:-1]
    edge[:-1] |= mask[:-1] & ~mask[1:]
    edge[:, 1:] |= mask[:, 1:] & ~mask[:, :-1]
    edge[:, :-1] |= mask[:, :-1] & ~mask[:, 1:]
    return edge


def _paint(drawn: Rgba, where: Mask, colour: tuple[int, int, int, int]) -> None:
    drawn[where] = colour


def _write_png(drawn: Rgba) -> bytes:
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
