"""The muscle compartment without learned weights: what lies inside the fascia lata, without the femur.

Convention: one region per leg, named "thigh", for studies that have no mask of the muscles. It holds the fat between
the muscles too, so its fat fraction is higher than theirs (by 3.7 to 8.6 points on three real patients with dystrophy).
Slices without a shaft of the femur (knee, pelvis) and slices where the legs are joined are left out; slices where much
of the fascia cannot be seen are doubtful.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._body import Mask, compute_coarse, compute_depth_mm
from rarefactor.imaging._fascia import Fascia, fit_fascia
from rarefactor.imaging._femur import SHAFT_SCORE, Femur, fit_femur
from rarefactor.imaging._legs import LEG, compute_joined
from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.results import Flag, Severity

_JOINED = 0.7  # of the body's height: the pelvis
_ROUND_MM = 25.0  # what is narrower is no thigh: genitals, folds of skin
_UNSEEN = 0.25  # of the rays
_FEMUR_DEEP_MM = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The compartment of one leg in one slice.

    Attributes
    ----------
    slice_index : int
        Counted from 0, toward the head.
    side : Side
        The leg.
    fascia, femur : Fascia or None, Femur or None
        On the coarse grid; None where there is none.
    used : bool
        Whether the slice belongs to the compartment: a shaft of the femur, and legs apart.
    pixel_mm : float
        Width of a pixel of the coarse grid.
    """

    slice_index: int
    side: Side
    fascia: Fascia | None
    femur: Femur | None
    used: bool
    pixel_mm: float

    @property
    def doubtful(self) -> bool:
        """Whether a quarter or more of the fascia was not seen."""
        return self.fascia is None or self.fascia.unseen >= _UNSEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartment:
    """The muscle compartment of both legs, slice by slice, and what is doubtful about it."""

    labels: LabelMap
    outlines: tuple[Outline, ...]
    flags: tuple[Flag, ...]


def compute_compartment(fatness: Volume, total: Volume, legs: NDArray[np.int8]) -> Compartment:
    """Return the muscle compartment of each leg.

    Parameters
    ----------
    fatness
        High in fat and low in muscle, about 0 to 1: fat fraction, or a T1-weighted image scaled to fat.
    total
        F + W, or the T1-weighted image: cortical bone is dark.
    legs
        0 air, 1 right, 2 left.

    Examples
    --------
    >>> grid = Grid(shape=(1, 100, 100), spacing_mm=(5.0, 1.5, 1.5))
    >>> rows, columns = np.mgrid[:100, :100]
    >>> far = np.hypot(rows - 50, columns - 50)[None] * 1.5
    >>> fatness = np.where((far > 50) | (far < 8), 0.8, 0.1).astype(np.float32)
    >>> total = np.where((far > 70) | (far > 8) & (far < 12), 2, 100).astype(np.float32)
    >>> made = compute_compartment(
    ...     Volume(values=fatness, grid=grid), Volume(values=total, grid=grid), (far < 70).astype(np.int8)
    ... )
    >>> made.flags, bool(made.labels.values[(far > 15) & (far < 46)].all()), int(made.labels.values[far < 9].sum())
    ((), True, 0)
    """
    outlines = _compute_outlines(fatness, total, legs)
    values = np.zeros(fatness.grid.shape, np.int16)
    for each in outlines:
        if each.used:
            drawn = _draw(each, fatness.grid) & (legs[each.slice_index] == LEG[each.side])
            values[each.slice_index][drawn] = LEG[each.side]
    regions = {LEG[side]: Region(name="thigh", side=side) for side in Side if (values == LEG[side]).any()}
    labels = LabelMap(values=values, grid=fatness.grid, regions=regions, source="compartment")
    return Compartment(labels=labels, outlines=outlines, flags=_flag(outlines))


def _compute_outlines(fatness: Volume, total: Volume, legs: NDArray[np.int8]) -> tuple[Outline, ...]:
    (fat, step), (signal, _) = compute_coarse(fatness), compute_coarse(total)
    small = legs[:, ::step, ::step]
    pixel_mm = fat.grid.spacing_mm[1:]
    depth, joined = compute_depth_mm(small > 0, pixel_mm), compute_joined(small)
    outlines: list[Outline] = []
    for i in range(len(small)):
        for side in Side:
            leg = _compute_round(small[i] == LEG[side], (pixel_mm[0], pixel_mm[1]))
            if not leg.any():
                continue
            fascia = fit_fascia(fat.values[i], leg, depth[i], pixel_mm[0])
            femur = None if fascia is None else _fit_femur(signal.values[i], leg, fascia, pixel_mm[0])
            used = femur is not None and femur.score >= SHAFT_SCORE and bool(joined[i] < _JOINED)
            outlines.append(
                Outline(slice_index=i, side=side, fascia=fascia, femur=femur, used=used, pixel_mm=pixel_mm[0])
            )
    return tuple(outlines)


def _compute_round(leg: Mask, pixel_mm: tuple[float, float]) -> Mask:
    """The leg without what a disc of 25 mm radius cannot enter."""
    core = compute_depth_mm(leg[None], pixel_mm) > _ROUND_MM
    return leg & (compute_depth_mm(~core, pixel_mm)[0] <= _ROUND_MM) if core.any() else core[0]


def _fit_femur(signal: NDArray[np.float32], leg: Mask, fascia: Fascia, pixel_mm: float) -> Femur | None:
    """The bone lies deep inside the fascia."""
    depth = compute_depth_mm(_fill(fascia.rows, fascia.columns, leg.shape)[None], (pixel_mm, pixel_mm))[0]
    return fit_femur(signal, leg, depth > _FEMUR_DEEP_MM, pixel_mm)


def _draw(outline: Outline, grid: Grid) -> Mask:
    """The inside of the fascia without the bone, on the grid of the scan."""
    fascia, femur = outline.fascia, outline.femur
    if fascia is None or femur is None:
        return np.zeros(grid.shape[1:], bool)
    scale = outline.pixel_mm / grid.spacing_mm[1]
    rows, columns = (_rescale(each, scale) for each in (fascia.rows, fascia.columns))
    drawn = _fill(rows, columns, (grid.shape[1], grid.shape[2]))
    row, column = _rescale(np.array([femur.row, femur.column]), scale)
    height, width = np.ogrid[: grid.shape[1], : grid.shape[2]]
    far = np.hypot((height - row) * grid.spacing_mm[1], (width - column) * grid.spacing_mm[2])
    return drawn & (far > femur.radius_mm)


def _rescale(places: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Pixels of the coarse grid to pixels of the scan: centres of blocks."""
    return places * scale + (scale - 1) / 2


def _fill(rows: NDArray[np.float64], columns: NDArray[np.float64], shape: tuple[int, ...]) -> Mask:
    from skimage.draw import polygon  # noqa: PLC0415 - loaded late, so that importing this part is light

    inside = np.zeros(shape, bool)
    inside[polygon(rows, columns, shape)] = True
    return inside


def _flag(outlines: Sequence[Outline]) -> tuple[Flag, ...]:
    used = [each for each in outlines if each.used]
    if not used:
        return (_NO_THIGH,)
    doubtful = [each for each in used if each.doubtful]
    if not doubtful:
        return ()
    detail = (
        f"The fascia is hardly seen in {len(doubtful)} of {len(used)} slices of a leg: muscle that is nearly all fat "
        "looks like the fat under the skin. Look at the outlines, or give a reader's mask."
    )
    return (Flag(name="fascia_unseen", severity=Severity.WARNING, detail=detail),)


_NO_THIGH = Flag(
    name="no_compartment",
    severity=Severity.REFUSED,
    detail="No slice shows a shaft of the femur with legs apart; give a reader's mask of the muscles.",
)
