"""The cells of a slide as a file for QuPath: outlines kept block by block, classes given when all is known.

Convention: outlines are kept in hundredths of a pixel of level 0 and end where the slide does. A cell is known by the
place of its centroid; those that are not counted (out of focus, in no region) are not written.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._cells import Cells
from rarefactor.pathology._geojson import CellOutline, write_cells
from rarefactor.pathology._outlines import classify_outlines, derive_outlines, describe_cell
from rarefactor.pathology._pyramid import Tile
from rarefactor.pathology._settings import Reading
from rarefactor.pathology._survey import Survey
from rarefactor.pathology._watershed import Labels

_HUNDREDTHS = 100.0
_Place = tuple[float, float]
_Rings = tuple[NDArray[np.float64], NDArray[np.float64]]


class OutlineKeeper:
    """Keeps the outlines of the cells of a block, tile by tile."""

    def __init__(self, survey: Survey) -> None:
        self._scale = survey.um_per_px or 0.0, survey.downsample
        self._size = survey.width, survey.height
        self._places: list[_Place] = []
        self._rings: list[NDArray[np.float64]] = []

    def keep(self, tile: Tile, labels: Labels, cells: Cells) -> None:
        """Keep the outlines of the cells of a tile."""
        um_per_px, downsample = self._scale
        outlines = derive_outlines(tile, labels, cells, um_per_px=um_per_px, downsample=downsample)
        for place, outline in enumerate(outlines):
            self._places.append((float(cells.x[place]), float(cells.y[place])))
            rings = outline.outline, outline.outline if outline.nucleus is None else outline.nucleus
            self._rings += [np.clip(ring, 0, self._size) for ring in rings]

    def write(self) -> bytes:
        """Return what was kept as bytes."""
        buffer = io.BytesIO()
        points = np.concatenate([np.zeros((0, 2)), *self._rings])
        np.savez_compressed(
            buffer,
            places=np.array(self._places, np.float64).reshape(-1, 2),
            lengths=np.array([len(ring) for ring in self._rings], np.int32),
            points=np.rint(points * _HUNDREDTHS).astype(np.int32),
        )
        return buffer.getvalue()


def read_outlines(data: bytes) -> Iterator[tuple[_Place, _Rings]]:
    """Give the place of each cell with the outlines of the cell and of its nucleus."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        places, lengths, points = (held[name] for name in ("places", "lengths", "points"))
    rings = np.split(points / _HUNDREDTHS, np.cumsum(lengths)[:-1]) if len(lengths) else []
    for number, (x, y) in enumerate(places.tolist()):
        yield (x, y), (rings[2 * number], rings[2 * number + 1])


def write_cell_file(tables: Iterable[Cells], outlines: Sequence[bytes], reading: Reading) -> bytes:
    """Return the cells of all regions of a slide as GeoJSON.

    Parameters
    ----------
    tables
        The cells of each region.
    outlines
        What :class:`OutlineKeeper` wrote of each block.
    reading
        Says which cells are positive.
    """
    held = dict(pair for data in outlines for pair in read_outlines(data))
    found: list[CellOutline] = []
    for cells in tables:
        rings = [held[float(x), float(y)] for x, y in zip(cells.x, cells.y, strict=True)]
        drawn = tuple(
            CellOutline(outline=outer, nucleus=nucleus, values=describe_cell(cells, place))
            for place, (outer, nucleus) in enumerate(rings)
        )
        found += classify_outlines(drawn, cells, reading.compartment, thresholds=reading.grades)
    return write_cells(found)
