"""A made section put together: a muscle biopsy with glass around it, or a lymph follicle as the control of a run.

Convention: the frame's corner is (0, 0) µm; tissue may fill the frame, end at one side of it, or lie in it as a piece.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._section import Cell, Fibre, Lineage, Look, Points, Section
from rarefactor.pathology._section_cells import draw_lymphocyte, find_lost, place_cells, place_foci, place_vessels
from rarefactor.pathology._section_fibres import compute_fibres, compute_grid, compute_mosaic
from rarefactor.pathology._section_strands import compute_strands

_FOLLICLE = Look(b_share=0.93, cytotoxic_share=0.02)
_RASTER = 3000
_BEYOND = 100.0
"""µm by which tissue that fills the frame goes on outside, so that fibres are cut by the frame."""
_ZONE = Look(b_share=0.12, cytotoxic_share=0.28)


class Extent(StrEnum):
    """How much of the frame is tissue."""

    FULL = "full"
    EDGE = "edge"
    PIECE = "piece"


def simulate_section(
    rng: np.random.Generator,
    *,
    width_um: float = 1024.0,
    height_um: float = 1024.0,
    look: Look | None = None,
    extent: Extent = Extent.EDGE,
) -> Section:
    """Make a cross-section of muscle.

    Parameters
    ----------
    rng
        Source of all variation.
    width_um, height_um
        Of the frame.
    look
        Sizes, damage and infiltrates.
    extent
        ``EDGE`` leaves glass at the right side, ``PIECE`` all around, ``FULL`` nowhere.

    Examples
    --------
    >>> section = simulate_section(np.random.default_rng(1), width_um=300, height_um=300)
    >>> len(section.fibres) > 10, section.fibres[0].condition
    (True, <Condition.INTACT: 'intact'>)
    """
    look = look or Look()
    frame = (width_um, height_um)
    outline = _compute_outline(frame, extent, rng)
    mosaic = compute_mosaic(frame, look, rng)
    inside = np.flatnonzero(_find_inside(mosaic.seeds, outline, frame))
    taken, vessels = place_vessels(mosaic, inside, look, rng)
    area_mm2 = width_um * height_um * len(inside) / _count_framed(mosaic.seeds, frame) / 1e6
    foci = place_foci(area_mm2, mosaic.seeds[inside], vessels, look, rng)
    empty = ~contains(outline, mosaic.seeds)
    empty[taken] = empty[find_lost(mosaic, foci, rng)] = True
    fibres = _inside(compute_fibres(mosaic, empty, foci.widen, look, rng), outline)
    cells = place_cells(mosaic, fibres, vessels, foci, look, rng)
    return Section(
        width_um=width_um,
        height_um=height_um,
        outline=outline,
        fibres=fibres,
        cells=_cells_inside(cells, outline, frame),
        vessels=vessels,
        strands=tuple(compute_strands(mosaic, outline, rng)),
        look=look,
    )


def simulate_lymphoid(rng: np.random.Generator, *, width_um: float = 512.0, height_um: float = 512.0) -> Section:
    """Make lymphoid tissue, a tonsil's: packed lymphocytes, B lymphocytes in follicles, T lymphocytes between them.

    It is the same in every staining run up to chance, so that it shows how the run stained.
    """
    frame = (width_um, height_um)
    at = compute_grid(frame, 8.2, 0.11, rng)
    centres = compute_grid(frame, 330.0, 0.15, rng)
    apart = np.hypot(*(at[:, None, :] - centres).T).min(axis=0)
    follicle = apart + rng.normal(0, 8.0, len(at)) < 105
    outline = _compute_outline(frame, Extent.EDGE, rng)
    cells = tuple(
        draw_lymphocyte(x, y, _FOLLICLE if inside else _ZONE, rng)
        for (x, y), inside in zip(at.tolist(), follicle.tolist(), strict=True)
        if rng.random() > 0.05
    )
    macrophages = tuple(
        Cell(x=x, y=y, lineage=Lineage.MACROPHAGE, axes=(4.2, 3.0), angle=0.0)
        for x, y in at[rng.random(len(at)) < 0.02].tolist()
    )
    kept = _cells_inside((*cells, *macrophages), outline, frame)
    return Section(width_um=width_um, height_um=height_um, outline=outline, cells=kept)


def contains(outline: Points, points: Points) -> NDArray[np.bool_]:
    """Say which points (m, 2) lie inside a closed outline, to about a thousandth of its size."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - an imaging library, loaded when an image is made

    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = _RASTER / float((high - low).max())
    image = Image.new("L", (_RASTER + 1, _RASTER + 1))
    ImageDraw.Draw(image).polygon(((outline - low) * scale).ravel().tolist(), fill=1)
    columns, rows = np.clip((points - low) * scale, 0, _RASTER).astype(int).T
    framed = ((points >= low) & (points <= high)).all(axis=1)
    return np.asarray(framed & (np.asarray(image)[rows, columns] == 1))


def _compute_outline(frame: tuple[float, float], extent: Extent, rng: np.random.Generator) -> Points:
    width, height = frame
    if extent is Extent.FULL:
        return np.array(
            [
                (-_BEYOND, -_BEYOND),
                (width + _BEYOND, -_BEYOND),
                (width + _BEYOND, height + _BEYOND),
                (-_BEYOND, height + _BEYOND),
            ]
        )
    if extent is Extent.EDGE:
        y = np.arange(-_BEYOND, height + _BEYOND, 4.0)
        x = 0.88 * width + min(9.0, 0.012 * width) * _wave(y / 60.0, rng) + rng.normal(0, 0.8, len(y))
        ends = np.array([[-_BEYOND, -_BEYOND], [-_BEYOND, height + _BEYOND]])
        return np.concatenate([ends[:1], np.stack([x, y], axis=1), ends[1:]])
    angle = np.linspace(0, 2 * np.pi, round(2 * (width + height) / 4.0), endpoint=False)
    ripples = sum(rng.normal(0, 0.05) * np.sin(k * angle + rng.uniform(0, 6.3)) for k in range(2, 7))
    radius = 0.84 * (1 + ripples) + rng.normal(0, 0.0012, len(angle))
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.minimum(radius, 0.97)[:, None]
    return (around + 1) / 2 * frame


def _wave(at: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(sum(np.sin(k * at + rng.uniform(0, 6.3)) / k for k in (0.3, 0.7, 1.4, 3.1)), float)


def _inside(fibres: tuple[Fibre, ...], outline: Points) -> tuple[Fibre, ...]:
    """Fibres that lie wholly within the tissue."""
    sizes = [len(fibre.outline) for fibre in fibres]
    if not sizes:
        return ()
    within = contains(outline, np.concatenate([fibre.outline for fibre in fibres]))
    parts = np.split(within, np.cumsum(sizes)[:-1])
    return tuple(fibre for fibre, part in zip(fibres, parts, strict=True) if part.all())


def _find_inside(points: Points, outline: Points, frame: tuple[float, float]) -> NDArray[np.bool_]:
    return contains(outline, points) & (points >= 0).all(axis=1) & (points < frame).all(axis=1)


def _count_framed(points: Points, frame: tuple[float, float]) -> int:
    return max(1, int(((points >= 0) & (points < frame)).all(axis=1).sum()))


def _cells_inside(cells: tuple[Cell, ...], outline: Points, frame: tuple[float, float]) -> tuple[Cell, ...]:
    """Cells whose centre lies in the tissue and, as truth goes, in the frame."""
    at = np.array([(cell.x, cell.y) for cell in cells]).reshape(-1, 2)
    inside = _find_inside(at, outline, frame)
    return tuple(cell for cell, kept in zip(cells, inside, strict=True) if kept)
