"""Both thighs of the phantom on a grid: which tissue each voxel holds, and which muscle.

Convention: tissues are found on a plane grid twice as fine as the scan's; a voxel holds the mean of its four quarters,
so that borders are blurred as a scanner blurs them, and a muscle's label is given only to voxels wholly inside it.
Arrays are (slice, row, column) in the patient's axes; the right leg is on the low columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._enlarge import compute_enlarged
from rarefactor.imaging._phantom_anatomy import Build, Section, compute_section
from rarefactor.imaging._phantom_shapes import (
    FAR_MM,
    Field,
    Outline,
    compute_chain_distance,
    compute_depth,
    compute_outline,
    compute_skin_extent,
)
from rarefactor.imaging._regions import MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._volume import Grid

LENGTH_MM: Final = 300.0
"""From level 0 to level 1 along the femur."""
SKIN_MM: Final = 1.8
SEPTUM_MM: Final = 0.9
_PRESS_MM: Final = 4.5  # gaps narrower than this are filled

Codes = NDArray[np.int8]


class Tissue(IntEnum):
    """What a point is made of; a measured muscle is ``MUSCLE`` plus its label."""

    AIR = 0
    SKIN = 1
    SUBCUTANEOUS = 2
    FASCIA = 3
    SEPTUM = 4
    CORTEX = 5
    MARROW = 6
    VESSEL = 7
    NERVE = 8
    OTHER_MUSCLE = 9
    MUSCLE = 9  # label 1 follows


REGIONS: Final[Mapping[int, Region]] = {
    number: Region(name=code, side=side)
    for number, (side, code) in enumerate(((side, code) for side in Side for code in MUSCLES), start=1)
}
"""The phantom's labels: 1 to 11 the right leg's muscles, 12 to 22 the left's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissues:
    """The phantom before any signal: ``fine`` holds tissue codes (slices, 2 rows, 2 columns)."""

    fine: Codes
    labels: LabelMap


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    side: Side
    sections: tuple[Section, ...]
    outlines: tuple[Outline, ...]
    medial_mm: float


def compute_tissues(
    grid: Grid, builds: Mapping[Side, Build], rng: np.random.Generator, *, gap_mm: float = 8.0
) -> Tissues:
    """Cut both legs on the slices of ``grid``.

    Parameters
    ----------
    grid
        Its middle slice lies at mid-thigh; only shape and spacing matter.
    builds
        How each leg is built.
    gap_mm
        Smallest distance of the two legs' skin; negative where they press on each other.
    """
    levels = compute_levels(grid)
    fine = np.zeros((grid.shape[0], 2 * grid.shape[1], 2 * grid.shape[2]), np.int8)
    legs = [_cut(side, build, levels) for side, build in builds.items()]
    for leg in legs:
        _paint_leg(fine, grid, leg, gap_mm, rng)
    labels = LabelMap(values=_whole_voxels(fine), grid=grid, regions=dict(REGIONS), source="phantom")
    return Tissues(fine=fine, labels=labels)


def compute_levels(grid: Grid) -> NDArray[np.float64]:
    """The level along the femur (0 distal, 1 proximal) of each slice.

    Examples
    --------
    >>> compute_levels(Grid(shape=(3, 8, 8), spacing_mm=(75.0, 1.0, 1.0))).tolist()
    [0.25, 0.5, 0.75]
    """
    steps = np.arange(grid.shape[0]) - (grid.shape[0] - 1) / 2
    return np.asarray(0.5 + steps * grid.spacing_mm[0] / LENGTH_MM, np.float64)


def _cut(side: Side, build: Build, levels: NDArray[np.float64]) -> _Leg:
    sections = tuple(compute_section(build, float(level)) for level in levels)
    outlines = tuple(
        compute_outline(section, build.fat_mm, float(level)) for section, level in zip(sections, levels, strict=True)
    )
    medial = max(compute_skin_extent(outline)[0] for outline in outlines)
    return _Leg(side=side, sections=sections, outlines=outlines, medial_mm=medial)


def _paint_leg(fine: Codes, grid: Grid, leg: _Leg, gap_mm: float, rng: np.random.Generator) -> None:
    u, v, columns = _coordinates(grid, leg.side, leg.medial_mm + gap_mm / 2)
    bends = _bends(u.shape, grid, rng)
    for index, (section, outline, bend) in enumerate(zip(leg.sections, leg.outlines, bends, strict=True)):
        codes = compute_slice(u + bend[0], v + bend[1], section, outline, leg.side)
        there = fine[index, :, columns]
        np.copyto(there, codes, where=(codes > 0) & (there == 0))


def _coordinates(grid: Grid, side: Side, femur_mm: float) -> tuple[Field, Field, slice]:
    """Positions (u, v) of the half of the fine grid that holds the leg, and which columns that half is."""
    _, rows, columns = grid.shape
    y = (np.arange(2 * rows) - rows + 0.5) * (grid.spacing_mm[1] / 2)
    x = (np.arange(2 * columns) - columns + 0.5) * (grid.spacing_mm[2] / 2)
    half = slice(0, columns) if side == Side.RIGHT else slice(columns, 2 * columns)
    outward = -x[half] if side == Side.RIGHT else x[half]
    u, v = np.meshgrid(outward - femur_mm, -y - 3.0)
    return u.astype(np.float32), v.astype(np.float32), half


def _bends(shape: tuple[int, ...], grid: Grid, rng: np.random.Generator) -> Iterator[Field]:
    """For each slice a smooth displacement of about 1 mm, so that no border is a perfect arc: (2, rows, columns)."""
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - scipy is slow to import

    coarse = [max(int(size * spacing / 2 / 8), 4) for size, spacing in zip(shape, grid.spacing_mm[1:], strict=True)]
    noise = rng.normal(size=(2, grid.shape[0], *coarse)).astype(np.float32)
    smooth = np.asarray(gaussian_filter(noise, (0, 20.0 / grid.spacing_mm[0], 1.0, 1.0)), dtype=np.float32)
    smooth /= np.float32(smooth.std())
    for index in range(grid.shape[0]):
        yield compute_enlarged(smooth[:, index], (shape[0], shape[1]), order=1)


def compute_slice(u: Field, v: Field, section: Section, outline: Outline, side: Side) -> Codes:
    """Tissue codes of the points (u, v) of one leg's cross-section."""
    fascia, skin = compute_depth(u, v, outline)
    femur = np.hypot(u, v) - np.float32(section.femur_mm[0])
    codes = np.zeros(u.shape, np.int8)
    codes[skin > 0] = Tissue.SKIN
    codes[skin > SKIN_MM] = Tissue.SUBCUTANEOUS
    codes[(fascia > 0) & (skin > SKIN_MM)] = Tissue.FASCIA
    inside = (fascia > SEPTUM_MM) & (skin > SKIN_MM)
    codes[inside] = Tissue.SEPTUM
    wall = np.minimum(np.abs(fascia), np.abs(femur))
    muscle = _find_muscles((u, v), section, side, wall)
    codes = np.where(inside & (muscle > 0) & (femur > SEPTUM_MM), muscle, codes)
    for tissue, chains in ((Tissue.NERVE, section.nerve), (Tissue.VESSEL, section.vessels)):
        for disc in chains:
            _paint_cord(codes, compute_chain_distance(u, v, disc[None]), tissue)
    codes[femur < 0] = Tissue.CORTEX
    codes[femur < -section.femur_mm[1]] = Tissue.MARROW
    return codes


def _paint_cord(codes: Codes, distance: Field, tissue: Tissue) -> None:
    """A vessel or nerve in its sheath of fat."""
    codes[(distance < 1.5) & (codes > 0)] = Tissue.SEPTUM
    codes[distance < 0] = tissue


def _find_muscles(places: tuple[Field, Field], section: Section, side: Side, wall: Field) -> Codes:
    """The muscle in whose shape a point lies deepest; 0 in no muscle and in the septum where two of them meet.

    Muscles fill narrow gaps between them, and between them and a ``wall`` (millimetres to the fascia or the femur), as
    soft tissue does.
    """
    first = 0 if side == Side.RIGHT else len(MUSCLES)
    order = {name: Tissue.MUSCLE + first + number for number, name in enumerate(MUSCLES, start=1)}
    best = np.full(wall.shape, FAR_MM, np.float32)
    second = best.copy()
    codes = np.zeros(wall.shape, np.int8)
    for name, chain in {**section.muscles, **section.others}.items():
        distance = compute_chain_distance(*places, chain)
        codes[distance < best] = order.get(name, Tissue.OTHER_MUSCLE)
        second = np.minimum(second, np.maximum(best, distance))
        best = np.minimum(best, distance)
    gap = best + np.minimum(second, np.float32(1.5) * wall)
    codes[((best > 0) & (gap > _PRESS_MM)) | (second - best < SEPTUM_MM)] = 0
    return codes


def _whole_voxels(fine: Codes) -> NDArray[np.int16]:
    """The label of each voxel whose four quarters are the same measured muscle, else 0."""
    quarters = compute_quarters(fine)
    same = (quarters == quarters[0]).all(axis=0) & (quarters[0] > Tissue.MUSCLE)
    return np.where(same, quarters[0].astype(np.int16) - Tissue.MUSCLE, 0).astype(np.int16)


def compute_quarters(fine: Codes) -> Codes:
    """The four quarters of each voxel: shape (4, slices, rows, columns).

    Examples
    --------
    >>> compute_quarters(np.array([[[1, 2], [3, 4]]], np.int8)).ravel().tolist()
    [1, 2, 3, 4]
    """
    return np.stack([fine[:, row::2, column::2] for row in (0, 1) for column in (0, 1)])
