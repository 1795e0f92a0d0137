"""The mosaic of muscle fibres: polygons that fill their fascicles, with endomysium and perimysium between them.

Convention: a fibre is the Voronoi cell of its seed, every edge moved inwards by half the gap to that neighbour, corners
cut round. Seeds of a vessel or of a lost fibre keep their cell and stay empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._section import Condition, Fibre, Look, Points

_HEXAGON: Final = 0.952
"""Distance of hexagons' centres over the diameter of the circle of the same area."""
_SMALLEST: Final = 0.22
"""Fibres below this share of the mean diameter are left out."""

Widen = Callable[[Points], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """Seeds (n, 2) with their fascicle (n,), and the edges between neighbours.

    ``pairs`` (e, 2) are seeds; ``corners`` (e, 2) number both ends of the edge between them, which lie at ``ends``
    (e, 2, 2).
    """

    seeds: Points
    fascicle: NDArray[np.intp]
    pairs: NDArray[np.intp]
    corners: NDArray[np.intp]
    ends: Points

    @property
    def between_fascicles(self) -> NDArray[np.bool_]:
        """Which edges (e,) are perimysium."""
        return np.asarray(self.fascicle[self.pairs[:, 0]] != self.fascicle[self.pairs[:, 1]])

    @property
    def middles(self) -> Points:
        """Points (e, 2) half way between the two seeds of each edge."""
        return self.seeds[self.pairs].mean(axis=1)


def compute_mosaic(frame: tuple[float, float], look: Look, rng: np.random.Generator) -> Mosaic:
    """Return seeds over a frame (width, height in µm) and two fibres beyond, and their neighbours."""
    from scipy.spatial import KDTree, Voronoi  # noqa: PLC0415 - scipy is slow to import

    seeds = _relax(_scatter(frame, look, rng))
    fascicles = compute_grid(frame, look.fascicle_um * _HEXAGON, 0.22, rng)
    _, fascicle = KDTree(fascicles).query(seeds + rng.normal(0, 0.12 * look.fibre_um, seeds.shape))
    diagram = Voronoi(seeds)
    ridges = np.asarray(diagram.ridge_vertices)
    near = diagram.vertices[ridges]
    beyond = 3 * look.fibre_um
    finite = (ridges >= 0).all(axis=1) & ((near > -beyond) & (near < np.add(frame, beyond))).all(axis=(1, 2))
    return Mosaic(
        seeds=seeds,
        fascicle=np.asarray(fascicle, np.intp),
        pairs=np.asarray(diagram.ridge_points[finite], np.intp),
        corners=np.asarray(ridges[finite], np.intp),
        ends=diagram.vertices[ridges[finite]],
    )


def compute_grid(frame: tuple[float, float], step: float, jitter: float, rng: np.random.Generator) -> Points:
    """Return a hexagonal grid over the frame and two steps beyond, each point moved by ``jitter`` steps (SD)."""
    width, height = frame
    xs, ys = np.arange(-2 * step, width + 2 * step, step), np.arange(-2 * step, height + 2 * step, step * 0.866)
    x, y = np.meshgrid(xs, ys)
    x[1::2] += step / 2
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return points + rng.normal(0, jitter * step, points.shape)


def compute_fibres(
    mosaic: Mosaic, empty: NDArray[np.bool_], widen: Widen, look: Look, rng: np.random.Generator
) -> tuple[Fibre, ...]:
    """Return the fibres of all seeds that are not ``empty`` (n,).

    ``widen`` gives for points (m, 2) how much wider the endomysium is there, in µm.
    """
    conditions = rng.choice(
        np.array([Condition.INTACT, Condition.NECROTIC, Condition.REGENERATING], object),
        size=len(mosaic.seeds),
        p=[1 - look.necrotic - look.regenerating, look.necrotic, look.regenerating],
    )
    shrink = 0.012 * look.fibre_um * look.variation * rng.gamma(1.0, 1.0, len(mosaic.seeds))
    shrink[conditions == Condition.REGENERATING] += 0.14 * look.fibre_um
    gaps = _compute_gaps(mosaic, widen, look, rng)
    edges = _group_edges(mosaic)
    fibres: list[Fibre] = []
    for seed in np.flatnonzero(~empty).tolist():
        outline = _cut_cell(mosaic, seed, edges[seed], gaps, float(shrink[seed]))
        if len(outline) >= 3 and _area(outline) > (_SMALLEST * look.fibre_um) ** 2:
            fibres.append(_finish(outline, conditions[seed], look, rng))
    return tuple(fibres)


def _scatter(frame: tuple[float, float], look: Look, rng: np.random.Generator) -> Points:
    """A grid with some seeds lost (larger neighbours) and some added (smaller ones)."""
    seeds = compute_grid(frame, look.fibre_um * _HEXAGON, 0.08 + 0.22 * look.variation, rng)
    kept = seeds[rng.random(len(seeds)) > 0.16 * look.variation]
    near = kept[rng.random(len(kept)) < 0.24 * look.variation]
    beside = near + rng.normal(0, 0.5 * look.fibre_um, near.shape)
    return np.concatenate([kept, beside])


def _relax(seeds: Points, share: float = 0.55) -> Points:
    """Move each seed towards the centre of its cell's corners, so that no cell is a sliver."""
    from scipy.spatial import Voronoi  # noqa: PLC0415 - scipy is slow to import

    diagram = Voronoi(seeds)
    moved = seeds.copy()
    for index, region in enumerate(diagram.point_region):
        corners = diagram.regions[region]
        if corners and -1 not in corners:
            centre = diagram.vertices[corners].mean(axis=0)
            if np.abs(centre - seeds[index]).max() < 100:
                moved[index] += share * (centre - seeds[index])
    return moved


def _compute_gaps(mosaic: Mosaic, widen: Widen, look: Look, rng: np.random.Generator) -> NDArray[np.float64]:
    """How far each edge (e,) moves inwards on either side."""
    middles = mosaic.middles
    endomysium = look.endomysium_um * rng.gamma(4.0, 0.25, len(middles))
    waves = 1.0 + 0.45 * np.sin(middles[:, 0] / 97.0 + 1.3 * np.cos(middles[:, 1] / 143.0))
    perimysium = look.perimysium_um * waves * rng.uniform(0.75, 1.25, len(middles))
    wide = np.where(mosaic.between_fascicles, perimysium, endomysium)
    return np.asarray(wide / 2 + widen(middles), float)


def _group_edges(mosaic: Mosaic) -> Sequence[NDArray[np.intp]]:
    """The edges of each seed."""
    owners = mosaic.pairs.T.ravel()
    edges = np.tile(np.arange(len(mosaic.pairs)), 2)
    order = np.argsort(owners, kind="stable")
    ends = np.cumsum(np.bincount(owners, minlength=len(mosaic.seeds)))
    return np.split(edges[order], ends[:-1])


def _cut_cell(mosaic: Mosaic, seed: int, edges: NDArray[np.intp], gaps: NDArray[np.float64], shrink: float) -> Points:
    own = mosaic.seeds[seed]
    pairs = mosaic.pairs[edges]
    away = mosaic.seeds[np.where(pairs[:, 0] == seed, pairs[:, 1], pairs[:, 0])] - own
    distance = np.hypot(away[:, 0], away[:, 1])
    limits = distance / 2 - gaps[edges] - shrink
    polygon: list[tuple[float, float]] = [(-200.0, -200.0), (200.0, -200.0), (200.0, 200.0), (-200.0, 200.0)]
    for (x, y), limit in zip((away / distance[:, None]).tolist(), limits.tolist(), strict=True):
        polygon = _clip(polygon, x, y, limit)
    return np.asarray(polygon).reshape(-1, 2) + own


def _clip(polygon: list[tuple[float, float]], x: float, y: float, limit: float) -> list[tuple[float, float]]:
    """Keep of a convex polygon what lies at most ``limit`` along the direction (x, y)."""
    kept: list[tuple[float, float]] = []
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        a, b = ax * x + ay * y - limit, bx * x + by * y - limit
        if a <= 0:
            kept.append((ax, ay))
        if (a < 0 < b) or (b < 0 < a):
            t = a / (a - b)
            kept.append((ax + t * (bx - ax), ay + t * (by - ay)))
    return kept


def _finish(outline: Points, condition: Condition, look: Look, rng: np.random.Generator) -> Fibre:
    centre = outline.mean(axis=0)
    rounding = 1.0 if condition is Condition.REGENERATING else look.rounding
    smooth = _round(outline, 0.08 + 0.2 * rounding * rng.uniform(0.6, 1.2))
    return Fibre(outline=_wobble(smooth, centre, rng), centre=(float(centre[0]), float(centre[1])), condition=condition)


def _round(outline: Points, cut: float) -> Points:
    """Cut corners three times (Chaikin), the first time by ``cut`` of each side."""
    for share in (min(cut, 0.4), 0.25, 0.25):
        following = np.concatenate([outline[1:], outline[:1]])
        near, far = outline + share * (following - outline), following + share * (outline - following)
        outline = np.stack([near, far], axis=1).reshape(-1, 2)
    return outline


def _wobble(outline: Points, centre: Points, rng: np.random.Generator) -> Points:
    """Dent the outline a little, only inwards, so that neighbours keep apart."""
    around = outline - centre
    angle = np.arctan2(around[:, 1], around[:, 0])
    phases = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * angle + phases[0]) + 0.8 * np.sin(3 * angle + phases[1]) + 0.5 * np.sin(5 * angle + phases[2])
    return centre + around * (0.988 + 0.0055 * waves)[:, None]


def _area(outline: Points) -> float:
    x, y = outline.T
    return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
