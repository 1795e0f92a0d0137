"""The outlines of cells, for QuPath and for pictures.

Convention: an outline runs half way between the pixels inside and those outside, as x and y in pixels of level 0. The
outline of a cell is that of its nucleus with its ring. Of a nucleus in several pieces the longest outline is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._cells import CELLS, THRESHOLDS, Cells, CellSettings, compute_grades
from rarefactor.pathology._compartments import Compartment
from rarefactor.pathology._geojson import CellOutline
from rarefactor.pathology._pyramid import Tile
from rarefactor.pathology._watershed import Labels, compute_growth

_KINDS = {-1: "Unread", 0: "Negative"}
_Box = tuple[slice, slice]


def derive_outlines(
    tile: Tile,
    labels: Labels,
    cells: Cells,
    *,
    um_per_px: float,
    downsample: float = 1.0,
    settings: CellSettings = CELLS,
) -> tuple[CellOutline, ...]:
    """Return the outlines of a tile's cells with their values, in the order of the table; all are of class Unread.

    Parameters
    ----------
    tile, labels, um_per_px, downsample, settings
        As the cells were made of, see ``compute_cells``.
    cells
        The cells of this tile.

    Examples
    --------
    >>> from rarefactor.pathology._cells import compute_cells
    >>> from rarefactor.pathology._pyramid import Window
    >>> from rarefactor.pathology._white import FULL
    >>> labels = np.zeros((20, 20), dtype=np.int32)
    >>> labels[8:12, 4:8] = 1
    >>> image = np.full((20, 20, 3), 255, dtype=np.uint8)
    >>> tile = Tile(window=Window(x=0, y=0, width=20, height=20), image=image)
    >>> cells = compute_cells(tile, labels, FULL, um_per_px=0.5)
    >>> found = derive_outlines(tile, labels, cells, um_per_px=0.5)
    >>> found[0].nucleus.min(axis=0).tolist(), found[0].outline.max(axis=0).tolist()
    ([4.0, 8.0], [12.0, 16.0])
    """
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    grown = compute_growth(labels, round(settings.ring_um / um_per_px))
    boxes: list[_Box | None] = ndimage.find_objects(grown)
    shift = np.array([tile.window.x, tile.window.y])
    found: list[CellOutline] = []
    for place, label in enumerate(cells.label.tolist()):
        box = boxes[label - 1]
        if box is None:
            continue
        nucleus, outer = (
            (_trace(image, box, label) + 0.5 - tile.halo) * downsample + shift for image in (labels, grown)
        )
        found.append(CellOutline(outline=outer, nucleus=nucleus, kind=_KINDS[-1], values=describe_cell(cells, place)))
    return tuple(found)


def classify_outlines(
    outlines: tuple[CellOutline, ...],
    cells: Cells,
    compartment: Compartment,
    *,
    thresholds: tuple[float, float, float] = THRESHOLDS,
) -> tuple[CellOutline, ...]:
    """Return the outlines of ``cells``, in their order, with the classes Negative and Positive.

    Raises
    ------
    InputError
        Thresholds that do not rise.
    """
    grades = compute_grades(cells, compartment, thresholds).tolist()
    return tuple(
        CellOutline(outline=each.outline, nucleus=each.nucleus, kind=_KINDS.get(grade, "Positive"), values=each.values)
        for each, grade in zip(outlines, grades, strict=True)
    )


def _trace(labels: Labels, box: _Box, label: int) -> NDArray[np.float64]:
    """Return the longest outline of a label inside its box as (point, 2), x and y."""
    from skimage.measure import find_contours  # noqa: PLC0415 - loaded when an image is measured

    mask = np.pad((labels[box] == label).astype(np.float32), 1)
    longest = max(find_contours(mask, 0.5), key=len)[:-1]
    return np.column_stack([longest[:, 1] + box[1].start - 1, longest[:, 0] + box[0].start - 1])


def describe_cell(cells: Cells, place: int) -> dict[str, float]:
    """Return the values of a cell under the names that QuPath shows."""
    values = {
        "Nucleus: Area µm²": cells.area_um2,
        "Nucleus: Hematoxylin OD mean": cells.hematoxylin,
        "Nucleus: DAB OD mean": cells.nucleus,
        "Ring: DAB OD mean": cells.ring,
    }
    return {name: round(float(column[place]), 4) for name, column in values.items()}
