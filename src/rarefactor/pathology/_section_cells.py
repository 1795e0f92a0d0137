"""The nuclei of a made muscle section: of fibres, capillaries and connective tissue, and the cells that invade it.

Convention: µm; sizes are half axes of nuclei as they show in a section a few µm thick. Lymphocytes lie where there is
no fibre and keep their distance, macrophages lie in necrotic fibres and scattered between fibres.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._section import LYMPHOCYTES, Cell, Condition, Fibre, Lineage, Look, Points, Vessel
from rarefactor.pathology._section_fibres import Mosaic

_APART: Final = 6.3
"""Smallest distance of two lymphocytes' centres."""
_PER_FOCUS: Final = 90.0
"""Lymphocytes of one infiltrate, on average."""
_MYONUCLEI_PER_UM: Final = 0.063
"""Of a fibre's radius: 1.7 in a fibre of usual size, as its border is cut by a thin section."""
_VESSELS_PER_FIBRE: Final = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Foci:
    """Infiltrates: centres (f, 2), spread in µm (f,) and cells (f,)."""

    centres: Points
    spread: NDArray[np.float64]
    counts: NDArray[np.intp]

    def widen(self, points: Points) -> NDArray[np.float64]:
        """Return how much wider gaps are at points (m, 2), in µm."""
        total = np.zeros(len(points))
        for centre, spread in zip(self.centres, self.spread, strict=True):
            apart = np.square((points - centre) / (1.2 * spread)).sum(axis=1)
            total += 4.5 * np.exp(-apart / 2)
        return np.minimum(total, 7.0)


def place_vessels(
    mosaic: Mosaic, inside: NDArray[np.intp], look: Look, rng: np.random.Generator
) -> tuple[NDArray[np.intp], tuple[Vessel, ...]]:
    """Return which of the seeds ``inside`` the tissue, at the border of fascicles, give way to vessels."""
    border = np.intersect1d(mosaic.pairs[mosaic.between_fascicles], inside)
    wanted = round(_VESSELS_PER_FIBRE * len(inside))
    chosen = rng.choice(border, min(wanted, len(border)), replace=False)
    scale = look.fibre_um / 55
    vessels = tuple(
        Vessel(x=float(x), y=float(y), lumen=scale * rng.uniform(4, 10), wall=scale * rng.uniform(2.0, 6.5))
        for x, y in mosaic.seeds[chosen]
    )
    return np.asarray(chosen, np.intp), vessels


def place_foci(
    area_mm2: float, inside: Points, vessels: Sequence[Vessel], look: Look, rng: np.random.Generator
) -> Foci:
    """Return the infiltrates: two in three around a vessel, the others at points (m, 2) ``inside`` the tissue."""
    cells = look.lymphocytes_per_mm2 * look.in_foci * area_mm2
    number = max(round(cells / _PER_FOCUS), 1 if cells >= 10 else 0)
    centres = rng.choice(inside, number)
    around = rng.permutation(np.array([(v.x, v.y) for v in vessels]).reshape(-1, 2))[: round(0.67 * number)]
    centres[: len(around)] = around
    shares = rng.gamma(2.5, 1.0, number)
    counts = np.round(cells * shares / max(shares.sum(), 1e-9)).astype(np.intp)
    return Foci(centres=centres, spread=12 + 3.0 * np.sqrt(counts), counts=counts)


def find_lost(mosaic: Mosaic, foci: Foci, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the seeds whose fibre an infiltrate has replaced."""
    lost = [
        np.flatnonzero((np.hypot(*(mosaic.seeds - centre).T) < 0.8 * spread) & (rng.random(len(mosaic.seeds)) < 0.5))
        for centre, spread in zip(foci.centres, foci.spread, strict=True)
    ]
    return np.concatenate([np.empty(0, np.intp), *lost])


def place_cells(
    mosaic: Mosaic,
    fibres: Sequence[Fibre],
    vessels: Sequence[Vessel],
    foci: Foci,
    look: Look,
    rng: np.random.Generator,
) -> tuple[Cell, ...]:
    """Return all cells of the section, inside its frame and tissue or not."""
    return (
        *_place_myonuclei(fibres, look, rng),
        *_place_endothelium(mosaic, vessels, rng),
        *_place_fibroblasts(mosaic, rng),
        *_place_macrophages(fibres, rng),
        *_place_lymphocytes(mosaic, fibres, vessels, foci, (look, rng)),
    )


def draw_lymphocyte(x: float, y: float, look: Look, rng: np.random.Generator) -> Cell:
    """Return a lymphocyte of a lineage drawn by the shares of ``look``."""
    shares = (look.b_share, 1 - look.b_share - look.cytotoxic_share, look.cytotoxic_share)
    lineage = LYMPHOCYTES[int(rng.choice(3, p=shares))]
    radius = float(rng.normal(3.0, 0.22))
    return _cell(x, y, lineage, (radius * rng.uniform(1.0, 1.18), radius), rng)


def thin_out(points: Points, apart: float) -> Points:
    """Return the points (m, 2), in order, without those nearer than ``apart`` to one before."""
    held: dict[tuple[int, int], list[tuple[float, float]]] = {}
    kept: list[tuple[float, float]] = []
    for x, y in points.tolist():
        column, row = int(x // apart), int(y // apart)
        near = (
            other
            for i in (column - 1, column, column + 1)
            for j in (row - 1, row, row + 1)
            for other in held.get((i, j), ())
        )
        if all((x - a) ** 2 + (y - b) ** 2 >= apart**2 for a, b in near):
            held.setdefault((column, row), []).append((x, y))
            kept.append((x, y))
    return np.asarray(kept).reshape(-1, 2)


def _cell(
    x: float,
    y: float,
    lineage: Lineage,
    axes: tuple[float, float],
    rng: np.random.Generator,
    angle: float | None = None,
) -> Cell:
    turned = float(rng.uniform(0, np.pi)) if angle is None else angle
    return Cell(x=float(x), y=float(y), lineage=lineage, axes=(float(axes[0]), float(axes[1])), angle=turned)


def _place_myonuclei(fibres: Sequence[Fibre], look: Look, rng: np.random.Generator) -> Iterator[Cell]:
    for fibre in fibres:
        if fibre.condition is Condition.NECROTIC:
            continue
        young = fibre.condition is Condition.REGENERATING
        reach = float(np.hypot(*(fibre.outline - fibre.centre).T).mean())
        number = int(rng.poisson(_MYONUCLEI_PER_UM * reach))
        yield from _place_at_edge(fibre, number, 1.35 if young else 1.0, rng)
        if young or rng.random() < look.internal_nuclei:
            centre = np.asarray(fibre.centre) + rng.normal(0, 2.5, 2)
            radius = rng.uniform(2.2, 2.8) * (1.3 if young else 1.0)
            yield _cell(centre[0], centre[1], Lineage.MYONUCLEUS, (radius * 1.15, radius), rng)


def _place_at_edge(fibre: Fibre, number: int, size: float, rng: np.random.Generator) -> Iterator[Cell]:
    """Flat nuclei just under the membrane, along it."""
    for at in rng.integers(0, len(fibre.outline), number):
        here, before, after = fibre.outline[[at, at - 1, (at + 1) % len(fibre.outline)]]
        along = after - before
        inwards = np.asarray(fibre.centre) - here
        thin = size * rng.uniform(1.2, 1.75)
        x, y = here + inwards / max(float(np.hypot(*inwards)), 1e-9) * (thin + 0.1)
        long = size * rng.uniform(2.4, 4.4)
        yield _cell(x, y, Lineage.MYONUCLEUS, (long, thin), rng, float(np.arctan2(along[1], along[0])))


def _place_endothelium(mosaic: Mosaic, vessels: Sequence[Vessel], rng: np.random.Generator) -> Iterator[Cell]:
    """Capillaries at one in three corners of fibres, and walls of vessels."""
    _, first = np.unique(mosaic.corners[:, 0], return_index=True)
    for x, y in mosaic.ends[first[rng.random(len(first)) < 0.33], 0]:
        yield _cell(x, y, Lineage.ENDOTHELIUM, (rng.uniform(2.0, 3.2), rng.uniform(1.1, 1.6)), rng)
    for vessel in vessels:
        for share, lineage in ((0.15, Lineage.ENDOTHELIUM), (0.75, Lineage.FIBROBLAST)):
            radius = vessel.lumen + share * vessel.wall
            for angle in rng.uniform(0, 2 * np.pi, max(3, round(radius * 0.55))):
                x, y = vessel.x + radius * np.cos(angle), vessel.y + radius * np.sin(angle)
                axes = (rng.uniform(2.6, 4.2), rng.uniform(0.9, 1.3))
                yield _cell(x, y, lineage, axes, rng, float(angle + np.pi / 2))


def _place_fibroblasts(mosaic: Mosaic, rng: np.random.Generator) -> Iterator[Cell]:
    """Spindles along the perimysium, and few between fibres."""
    chance = np.where(mosaic.between_fascicles, 0.5, 0.06)
    for start, end in mosaic.ends[rng.random(len(chance)) < chance]:
        along = end - start
        sideways = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
        x, y = start + rng.random() * along + rng.normal(0, 3.0) * sideways
        angle = float(np.arctan2(along[1], along[0]) + rng.normal(0, 0.15))
        yield _cell(x, y, Lineage.FIBROBLAST, (rng.uniform(3.5, 6.5), rng.uniform(0.8, 1.2)), rng, angle)


def _place_macrophages(fibres: Sequence[Fibre], rng: np.random.Generator) -> Iterator[Cell]:
    for fibre in fibres:
        number = int(rng.integers(3, 12)) if fibre.condition is Condition.NECROTIC else int(rng.random() < 0.02)
        reach = np.abs(fibre.outline - fibre.centre).mean()
        at = np.asarray(fibre.centre) + rng.normal(0, 0.6 * reach, (4 * number, 2))
        for x, y in thin_out(at, 8.0)[:number]:
            yield _cell(x, y, Lineage.MACROPHAGE, (rng.uniform(3.4, 4.6), rng.uniform(2.4, 3.0)), rng)


def _place_lymphocytes(
    mosaic: Mosaic,
    fibres: Sequence[Fibre],
    vessels: Sequence[Vessel],
    foci: Foci,
    drawn: tuple[Look, np.random.Generator],
) -> Iterator[Cell]:
    look, rng = drawn
    dense = [
        centre + rng.normal(0, spread, (8 * int(count), 2))
        for centre, spread, count in zip(foci.centres, foci.spread, foci.counts, strict=True)
    ]
    frame = np.asarray(np.ptp(mosaic.seeds, axis=0))
    lone = int(rng.poisson(look.lymphocytes_per_mm2 * (1 - look.in_foci) * frame.prod() / 1e6))
    edges = mosaic.ends[rng.integers(0, len(mosaic.ends), lone)]
    share = rng.random((lone, 1))
    spaced = _keep_counts([_between(points, fibres, vessels) for points in dense], foci.counts)
    for x, y in thin_out(np.concatenate([spaced, edges[:, 0] * share + edges[:, 1] * (1 - share)]), _APART):
        yield draw_lymphocyte(x, y, look, rng)


def _keep_counts(candidates: Sequence[Points], counts: NDArray[np.intp]) -> Points:
    kept = [thin_out(points, _APART)[:count] for points, count in zip(candidates, counts, strict=True)]
    return np.concatenate([np.empty((0, 2)), *kept])


def _between(points: Points, fibres: Sequence[Fibre], vessels: Sequence[Vessel]) -> Points:
    """The points that lie in no fibre and no vessel; a lymphocyte may dent a fibre by a micrometre."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - an imaging library, loaded when an image is made

    if not len(points):
        return points
    corner = np.floor(points.min(axis=0))
    left, top = corner
    size = np.ceil(points.max(axis=0) - corner).astype(int) + 1
    taken = Image.new("L", (2 * int(size[0]), 2 * int(size[1])))
    pencil = ImageDraw.Draw(taken)
    for fibre in fibres:
        outline = fibre.outline + (np.asarray(fibre.centre) - fibre.outline) * 0.05
        if (outline.max(axis=0) > corner).all() and (outline.min(axis=0) < corner + size).all():
            pencil.polygon((2 * (outline - corner)).ravel().tolist(), fill=1)
    for vessel in vessels:
        x, y, reach = 2 * (vessel.x - left), 2 * (vessel.y - top), 2 * (vessel.lumen + vessel.wall + 2)
        pencil.ellipse((x - reach, y - reach, x + reach, y + reach), fill=1)
    columns, rows = (2 * (points - corner)).astype(int).T
    return points[np.asarray(taken)[rows, columns] == 0]
