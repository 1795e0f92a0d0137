"""Cells as rows: where they lie, how large their nuclei are, how they are stained, and what that adds up to.

Convention: x and y are pixels of level 0, (0, 0) the upper left corner of the first one. A nucleus belongs to the tile
in whose core its centroid lies, so that tiles which overlap by a halo count no cell twice and none never. A cell is
positive from the first of three thresholds of DAB density on; the H-score is 100 times the mean grade (0 to 3). In
stains of membrane and cytoplasm a cell must also be browner than what lies beyond it: a blue nucleus in a brown muscle
fibre or at its rim is no cell that the antibody marks. Cells per mm² are given over the tissue's area, and only where
the size of a pixel is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._compartments import Compartment, Floats, Staining, compute_staining
from rarefactor.pathology._density import H_DAB, StainVectors
from rarefactor.pathology._pyramid import Tile
from rarefactor.pathology._watershed import Labels
from rarefactor.pathology._white import White

Grades = NDArray[np.int64]
THRESHOLDS = (0.2, 0.4, 0.6)
"""Optical density of DAB from which a cell is weak, moderate and strong."""
CONTRAST = 1.25
"""How many times denser than three quarters of what lies beyond it a cell's membrane or cytoplasm has to be.

Chosen on made muscle; in dense infiltrates, where no tissue is left beyond a cell, it asks for nothing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSettings:
    """How cells are read.

    Attributes
    ----------
    ring_um
        Width of the ring around a nucleus; a lymphocyte has little more around its own.
    belt_um
        Width of what is looked at beyond the ring.
    vectors
        The stains.
    """

    ring_um: float = 2.0
    belt_um: float = 3.0
    vectors: StainVectors = H_DAB


CELLS = CellSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A table of cells; all columns are (cell).

    Attributes
    ----------
    x, y
        Centroid of the nucleus, pixels of level 0.
    area_um2
        Area of the nucleus.
    hematoxylin, nucleus, ring
        Mean optical density of hematoxylin in the nucleus, of DAB in the nucleus and in the ring (NaN without one).
    beyond
        Optical density of DAB that three quarters of the belt beyond the ring do not reach (NaN without a belt).
    label
        The nucleus's number in the label image of its tile.
    """

    x: Floats
    y: Floats
    area_um2: Floats
    hematoxylin: Floats
    nucleus: Floats
    ring: Floats
    beyond: Floats
    label: Grades

    def __len__(self) -> int:
        return len(self.x)

    def density(self, compartment: Compartment) -> Floats:
        """Return the DAB density that counts, (cell).

        Examples
        --------
        >>> one = np.ones(1)
        >>> cell = Cells(x=one, y=one, area_um2=one, hematoxylin=one, nucleus=one / 4, ring=one / 2, beyond=0 * one,
        ...              label=np.ones(1, dtype=np.int64))
        >>> cell.density(Compartment.MAX).tolist()
        [0.5]
        """
        if compartment is Compartment.NUCLEUS:
            return self.nucleus
        return np.fmax(self.nucleus, self.ring) if compartment is Compartment.MAX else self.ring

    def stands_out(self, compartment: Compartment, contrast: float = CONTRAST) -> NDArray[np.bool_]:
        """Return for each cell whether it is browner than what lies beyond it, (cell); always in a nuclear stain.

        Examples
        --------
        >>> one = np.ones(2)
        >>> cells = Cells(x=one, y=one, area_um2=one, hematoxylin=one, nucleus=0.3 * one, ring=0.4 * one,
        ...               beyond=np.array([0.02, 0.38]), label=np.arange(1, 3))
        >>> cells.stands_out(Compartment.MAX).tolist(), cells.stands_out(Compartment.NUCLEUS).tolist()
        ([True, False], [True, True])
        """
        if compartment is Compartment.NUCLEUS:
            return np.ones(len(self), dtype=np.bool_)
        return ~(self.density(compartment) < contrast * self.beyond)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSummary:
    """What the cells of a region add up to.

    Attributes
    ----------
    cells, weak, moderate, strong
        Counts; a cell whose compartment cannot be read (a nucleus without a ring) is in none of them.
    unread
        Cells whose compartment cannot be read.
    positive_share
        0 to 1; NaN without cells.
    h_score
        0 to 300; NaN without cells.
    cells_per_mm2, positive_per_mm2
        None where the area is not known.
    compartment, thresholds, area_mm2
        What was read, from which densities on, and over which area.
    """

    cells: int
    weak: int
    moderate: int
    strong: int
    unread: int
    positive_share: float
    h_score: float
    cells_per_mm2: float | None
    positive_per_mm2: float | None
    compartment: Compartment
    thresholds: tuple[float, float, float]
    area_mm2: float | None

    @property
    def positive(self) -> int:
        """Cells of any grade above 0."""
        return self.weak + self.moderate + self.strong


def compute_cells(
    tile: Tile,
    labels: Labels,
    white: White,
    *,
    um_per_px: float,
    downsample: float = 1.0,
    settings: CellSettings = CELLS,
) -> Cells:
    """Return the cells whose centroid lies in the core of a tile.

    Parameters
    ----------
    tile
        The image with its halo, and where its core lies on the slide.
    labels
        (row, column) of the image with its halo.
    white
        The light without tissue.
    um_per_px
        Micrometres per pixel of the tile's image.
    downsample
        Pixels of level 0 in a pixel of the tile's image.
    settings
        How cells are read.

    Examples
    --------
    >>> from rarefactor.pathology._pyramid import Window
    >>> from rarefactor.pathology._white import WhiteSource
    >>> image = np.full((20, 20, 3), 240, dtype=np.uint8)
    >>> image[8:12, 4:8] = (129, 60, 36)
    >>> labels = (image[..., 2] < 100).astype(np.int32)
    >>> tile = Tile(window=Window(x=0, y=0, width=20, height=20), image=image)
    >>> white = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
    >>> cells = compute_cells(tile, labels, white, um_per_px=0.5)
    >>> float(cells.x[0]), float(cells.y[0]), float(cells.area_um2[0]), float(cells.nucleus[0].round(2))
    (6.0, 10.0, 4.0, 1.07)
    """
    _check_scale(um_per_px)
    ring_px = round(settings.ring_um / um_per_px)
    belt_px = round(settings.belt_um / um_per_px)
    found = compute_staining(tile.image, labels, white, ring_px=ring_px, belt_px=belt_px, vectors=settings.vectors)
    own = np.flatnonzero((found.pixels > 0) & _in_core(found, tile))
    return Cells(
        x=tile.window.x + (found.column[own] + 0.5 - tile.halo) * downsample,
        y=tile.window.y + (found.row[own] + 0.5 - tile.halo) * downsample,
        area_um2=np.multiply(found.pixels[own], um_per_px**2, dtype=np.float64),
        hematoxylin=found.hematoxylin[own],
        nucleus=found.nucleus[own],
        ring=found.ring[own],
        beyond=found.beyond[own],
        label=own + 1,
    )


def join_cells(tables: Iterable[Cells]) -> Cells:
    """Return the cells of several tiles as one table; without a tile it is empty.

    Examples
    --------
    >>> len(join_cells([]))
    0
    """
    held = list(tables)

    def join(name: str) -> Floats:
        return np.concatenate([getattr(table, name) for table in held]) if held else np.zeros(0)

    columns = {each.name: join(each.name) for each in fields(Cells) if each.name != "label"}
    return Cells(**columns, label=join("label").astype(np.int64))


def select_cells(cells: Cells, chosen: NDArray[np.bool_]) -> Cells:
    """Return the cells for which ``chosen`` (cell) is true, for instance those inside a region."""
    columns: dict[str, Floats] = {each.name: getattr(cells, each.name)[chosen] for each in fields(Cells)[:-1]}
    return Cells(**columns, label=cells.label[chosen])


def compute_grades(
    cells: Cells, compartment: Compartment, thresholds: tuple[float, float, float] = THRESHOLDS
) -> Grades:
    """Return 0 (negative) to 3 (strong) for each cell; -1 where its compartment cannot be read.

    A cell of a membranous or cytoplasmic stain that does not stand out from what lies beyond it is negative.

    Raises
    ------
    InputError
        Thresholds that do not rise.

    Examples
    --------
    >>> values = np.array([0.19, 0.2, 0.59, 0.6, np.nan])
    >>> cells = Cells(x=values, y=values, area_um2=values, hematoxylin=values, nucleus=values, ring=values,
    ...               beyond=0 * values, label=np.arange(5))
    >>> compute_grades(cells, Compartment.NUCLEUS).tolist()
    [0, 1, 2, 3, -1]
    """
    _check_thresholds(thresholds)
    density = cells.density(compartment)
    grades = np.searchsorted(np.asarray(thresholds), density, side="right")
    return np.where(np.isnan(density), -1, np.where(cells.stands_out(compartment), grades, 0))


def compute_summary(
    cells: Cells,
    compartment: Compartment,
    *,
    thresholds: tuple[float, float, float] = THRESHOLDS,
    area_mm2: float | None = None,
) -> CellSummary:
    """Return counts, positive share, H-score and cells per mm².

    Parameters
    ----------
    cells
        The cells of a region.
    compartment
        Where the stain is read.
    thresholds
        Optical densities of DAB from which a cell is weak, moderate and strong.
    area_mm2
        The tissue's area; None where the size of a pixel is not known.

    Raises
    ------
    InputError
        Thresholds that do not rise.

    References
    ----------
    McCarty KS Jr, Miller LS, Cox EB, Konrath J, McCarty KS Sr. Estrogen receptor analyses: correlation of biochemical
    and immunohistochemical methods using monoclonal antireceptor antibodies. Arch Pathol Lab Med 1985;109:716-721.

    Examples
    --------
    >>> values = np.array([0.1, 0.3, 0.5, 0.7])
    >>> cells = Cells(x=values, y=values, area_um2=values, hematoxylin=values, nucleus=values, ring=values,
    ...               beyond=0 * values, label=np.arange(4))
    >>> found = compute_summary(cells, Compartment.NUCLEUS, area_mm2=0.5)
    >>> found.positive, found.h_score, found.positive_per_mm2
    (3, 150.0, 6.0)
    """
    grades = compute_grades(cells, compartment, thresholds)
    read = grades[grades >= 0]
    counts = np.bincount(read, minlength=4)
    per_mm2 = 1.0 / area_mm2 if area_mm2 else None
    return CellSummary(
        cells=len(read),
        weak=int(counts[1]),
        moderate=int(counts[2]),
        strong=int(counts[3]),
        unread=len(cells) - len(read),
        positive_share=float((read > 0).mean()) if len(read) else float("nan"),
        h_score=float(100 * read.mean()) if len(read) else float("nan"),
        cells_per_mm2=len(cells) * per_mm2 if per_mm2 else None,
        positive_per_mm2=float((read > 0).sum()) * per_mm2 if per_mm2 else None,
        compartment=compartment,
        thresholds=thresholds,
        area_mm2=area_mm2,
    )


def _in_core(found: Staining, tile: Tile) -> NDArray[np.bool_]:
    rows, columns = tile.image.shape[:2]
    first = tile.halo - 0.5
    inside = (found.row >= first) & (found.row < rows - tile.halo - 0.5)
    return inside & (found.column >= first) & (found.column < columns - tile.halo - 0.5)


def _check_scale(um_per_px: float) -> None:
    if not (np.isfinite(um_per_px) and um_per_px > 0):
        raise InputError(
            Problem(
                found=f"{um_per_px} µm per pixel",
                expected="a number above 0",
                next_step="Read it from the slide or its sidecar.",
            )
        )


def _check_thresholds(thresholds: Sequence[float]) -> None:
    if len(thresholds) != 3 or not np.all(np.diff([0.0, *thresholds]) > 0):
        raise InputError(
            Problem(
                found=f"thresholds {', '.join(map(str, thresholds))}",
                expected="three rising optical densities above 0",
                next_step="0.2, 0.4, 0.6 are usual for DAB.",
            )
        )
