"""Tiles of a slide with the outlines of its nuclei: three at random, three with most positive cells.

Convention: what is outlined is what was counted; nuclei outside the regions, on artefacts or out of focus are left
without an outline. The tiles are drawn at random from the tissue, by a fixed seed, so that nobody chose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._block import SQUARE_PX, Part, mirror_outside
from rarefactor.pathology._cells import Cells, compute_cells, compute_grades
from rarefactor.pathology._detected import compute_labels
from rarefactor.pathology._nuclei import HALO_PX
from rarefactor.pathology._paper import DETAIL, NEGATIVE, POSITIVE, Sheet
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._settings import Reading
from rarefactor.pathology._slide import Slide
from rarefactor.pathology._survey import Survey
from rarefactor.pathology._white import Rgb

_SIDE_UM = 110.0
_TILES = 3
_SEED = 20
_NEAR_PX = 1.5
_MOST = 1000
"""Positive cells among which the densest places are looked for: those with most DAB."""
_LEFT, _PITCH, _SIZE = 62.0, 39.0, 35.0
_ROWS = (20.0, 63.5)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Where to look: at random, and where most positive cells are."""

    random: tuple[Window, ...]
    extreme: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nuclei:
    """A tile with its nuclei: ``grades`` by label, -1 where a nucleus was not counted (and for label 0)."""

    image: Rgb
    labels: NDArray[np.int32]
    grades: NDArray[np.int64]

    @property
    def counts(self) -> tuple[int, int]:
        """Positive and negative nuclei."""
        return int((self.grades > 0).sum()), int((self.grades == 0).sum())


def choose_tiles(total: Part, survey: Survey, reading: Reading) -> Tiles:
    """Return the tiles to show, of a slide whose cells were counted."""
    side = min(_SIDE_UM / (survey.um_per_px or 0.5) * survey.downsample, survey.width, survey.height)
    cells = total.cells
    if cells is None or not len(cells):
        return Tiles(random=(_window((0.0, 0.0), side),), extreme=())
    density = np.nan_to_num(cells.density(reading.compartment), nan=-1.0)
    order = np.argsort(-density, kind="stable")[: max(1, min(_MOST, int((density >= reading.threshold).sum())))]
    centres = np.column_stack([cells.x, cells.y])[np.sort(order)]
    extreme = _choose_dense(_hold(centres - side / 2, survey, side), centres, side)
    rest = [corner for corner in _list_tiles(total, survey, side) if _is_apart(corner, extreme, side)]
    drawn = np.random.default_rng(_SEED).permutation(len(rest))[:_TILES]
    random = tuple(_window(rest[place], side) for place in drawn.tolist())
    return Tiles(random=random, extreme=tuple(_window(corner, side) for corner in extreme))


def read_nuclei(slide: Slide, window: Window, found: tuple[Part, Survey, Reading]) -> Nuclei:
    """Return a tile with the nuclei that were counted in it."""
    total, survey, reading = found
    tile = mirror_outside(slide.read_tile(window, downsample=survey.downsample, halo=HALO_PX), survey)
    um = survey.um_per_px or 0.5
    labels = compute_labels(tile.image, survey.white, reading, um)
    cells = compute_cells(tile, labels, survey.white, um_per_px=um, downsample=survey.downsample)
    grades = np.full(int(labels.max(initial=0)) + 1, -1, dtype=np.int64)
    counted = were_counted(cells, total.cells, _NEAR_PX * survey.downsample)
    grades[cells.label[counted]] = compute_grades(cells, reading.compartment, reading.grades)[counted]
    core = slice(tile.halo, -tile.halo)
    return Nuclei(image=np.ascontiguousarray(tile.core), labels=labels[core, core], grades=grades)


def draw_tiles(sheet: Sheet, tiles: Sequence[Nuclei], random: int, um_per_px: float | None) -> None:
    """Draw tiles in two rows: the first ``random`` ones above, the others below."""
    groups = ("Tiles drawn at random", tiles[:random]), ("Tiles with most positive cells", tiles[random:])
    for (words, held), top in zip(groups, _ROWS, strict=True):
        if held:
            end = sheet.head(_LEFT, top - 3, words, fill=DETAIL)
            end = sheet.draw_key(end + 3, top - 3, "positive cell", POSITIVE)
            sheet.draw_key(end + 2, top - 3, "negative cell", NEGATIVE)
        for place, each in enumerate(held):
            frame = sheet.show(each.image, (_LEFT + place * _PITCH, top, _SIZE, _SIZE))
            colours = [(each.grades == 0, NEGATIVE, 1), (each.grades > 0, POSITIVE, 2)]
            frame.draw_labels(each.labels, colours)
            frame.draw_bar(um_per_px)
            positive, negative = each.counts
            told = f"{positive} positive, {negative} negative"
            sheet.write(_LEFT + place * _PITCH, top + _SIZE + 1.8, told, size=5.5)


def _list_tiles(total: Part, survey: Survey, side: float) -> Floats:
    """Return the corners (tile, 2) of a grid of tiles at least half of which is tissue that was measured."""
    xs, ys = (np.arange(max(1, int(length // side))) * side for length in (survey.width, survey.height))
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float64)
    grid = _hold(grid, survey, side)
    square = SQUARE_PX * survey.downsample
    known = {(int(x // square), int(y // square)) for x, y in total.corners}
    within = [(int(x // square), int(y // square)) in known for x, y in grid + side / 2]
    shares = [_share(survey, _window(corner, side)) for corner in grid[within]]
    return grid[within][np.array(shares, dtype=np.float64) >= 0.5]


def _share(survey: Survey, window: Window) -> float:
    top, left = int(window.y / survey.step), int(window.x / survey.step)
    low, right = int((window.y + window.height) / survey.step) + 1, int((window.x + window.width) / survey.step) + 1
    held = survey.measured[top:low, left:right]
    return float(held.mean()) if held.size else 0.0


def _choose_dense(corners: Floats, centres: Floats, side: float) -> list[Floats]:
    """Return the tiles (one around each cell) that hold most of the cells, none of which overlap."""
    inside = [(np.abs(centres - corner - side / 2).max(axis=1) <= side / 2).sum() for corner in corners]
    chosen: list[Floats] = []
    for place in np.argsort(-np.array(inside), kind="stable").tolist():
        if len(chosen) < _TILES and _is_apart(corners[place], chosen, side):
            chosen.append(corners[place])
    return chosen


def _hold(corners: Floats, survey: Survey, side: float) -> Floats:
    """Return corners of tiles that lie on the slide, on every other pixel: nuclei are found at half the resolution."""
    pitch = 2 * survey.downsample
    last = np.array([survey.width - side, survey.height - side])
    return np.floor(np.clip(corners, 0.0, last) / pitch) * pitch


def _is_apart(corner: Floats, others: Sequence[Floats], side: float) -> bool:
    return all(np.abs(corner - each).max() >= side for each in others)


def were_counted(cells: Cells, counted: Cells | None, near: float) -> NDArray[np.bool_]:
    """Return which cells are among those that were counted: a place within ``near`` level-0 pixels of one."""
    from scipy.spatial import KDTree  # noqa: PLC0415 - late: loaded when something is drawn

    if counted is None or not len(counted) or not len(cells):
        return np.zeros(len(cells), dtype=np.bool_)
    far, _ = KDTree(np.column_stack([counted.x, counted.y])).query(np.column_stack([cells.x, cells.y]))
    return np.asarray(far <= near, dtype=np.bool_)


def _window(corner: Sequence[float] | Floats, side: float) -> Window:
    return Window(x=float(corner[0]), y=float(corner[1]), width=side, height=side)
