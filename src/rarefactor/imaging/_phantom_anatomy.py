"""The anatomy of the phantom: where the muscles, vessels, the nerve and the femur lie along a thigh.

Convention: millimetres in a plane across the thigh of a middle-sized adult, the femur's axis at (0, 0); u grows to the
side (lateral), v to the front. ``level`` is 0 just above the knee cap and 1 just below the lesser trochanter. A
structure is a chain of discs (u, v, radius), joined like a string of beads: its cross-section is everything within the
beads and the tapering bands between them. Between the levels listed, the discs move and grow smoothly; a radius of 0
says that the structure has ended. The positions were laid out for this phantom from descriptive anatomy; no patient's
image is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = (0.0, 0.16, 0.34, 0.58, 0.83, 1.0)

Disc: TypeAlias = tuple[float, float, float]
Chain: TypeAlias = tuple[Disc, ...]

MUSCLE_CHAINS: Final[Mapping[str, tuple[Chain, ...]]] = {
    "SA": (
        ((-62, -34, 10), (-58, -22, 9)),
        ((-68, -24, 11), (-62, -12, 10)),
        ((-68, -5, 9), (-59, 9, 10)),
        ((-57, 31, 9), (-46, 43, 10)),
        ((-40, 60, 8), (-28, 64, 9)),
        ((-24, 67, 8), (-10, 71, 9)),
    ),
    "RF": (
        ((-2, 36, 0), (8, 36, 0), (14, 36, 0)),
        ((-1, 40, 3), (7, 40, 4), (13, 39, 3)),
        ((-2, 46, 9), (8, 47, 11), (16, 45, 9)),
        ((-12, 58, 9), (3, 59, 13), (19, 56, 10)),
        ((-10, 63, 10), (8, 63, 13), (24, 60, 9)),
        ((-2, 62, 10), (13, 62, 12), (25, 59, 8)),
    ),
    "VL": (
        ((30, 22, 6), (41, 8, 9), (42, -6, 6)),
        ((31, 27, 9), (46, 2, 13), (45, -20, 8)),
        ((32, 36, 11), (51, 4, 15), (40, -27, 9)),
        ((37, 46, 13), (55, 8, 19), (40, -32, 13)),
        ((43, 44, 14), (50, 15, 17), (33, -15, 10)),
        ((44, 40, 13), (48, 16, 14), (33, -6, 7)),
    ),
    "VI": (
        ((-10, 26, 6), (10, 26, 7), (25, 12, 8), (29, -2, 5)),
        ((-13, 24, 8), (8, 28, 11), (28, 6, 11), (30, -16, 7)),
        ((-11, 25, 10), (8, 28, 14), (28, 4, 14), (28, -22, 8)),
        ((-8, 32, 12), (12, 32, 17), (30, 2, 15), (22, -26, 11)),
        ((-8, 38, 11), (12, 34, 15), (24, 10, 12), (18, -8, 6)),
        ((-3, 38, 9), (12, 34, 12), (22, 14, 10), (16, 0, 4)),
    ),
    "VM": (
        ((-16, 33, 9), (-37, 18, 19), (-44, 0, 9)),
        ((-12, 37, 8), (-38, 20, 21), (-34, -2, 11)),
        ((-18, 37, 12), (-36, 19, 15), (-22, -2, 10)),
        ((-28, 42, 9), (-26, 20, 10), (-14, 0, 6)),
        ((-24, 43, 6), (-20, 22, 6), (-13, 4, 4)),
        ((-21, 38, 4), (-17, 20, 4), (-12, 6, 3)),
    ),
    "AM": (
        ((-42, -14, 0), (-36, -16, 0), (-30, -17, 0)),
        ((-46, -17, 7), (-38, -19, 9), (-30, -18, 6)),
        ((-57, -26, 11), (-38, -27, 13), (-17, -20, 8)),
        ((-69, -21, 15), (-43, -22, 24), (-13, -17, 10)),
        ((-66, -6, 15), (-44, -15, 20), (-16, -17, 10)),
        ((-62, -3, 15), (-42, -11, 18), (-17, -15, 9)),
    ),
    "GR": (
        ((-58, -56, 6), (-54, -50, 5)),
        ((-68, -49, 7), (-66, -39, 7)),
        ((-76, -38, 7), (-76, -24, 7)),
        ((-85, -16, 6), (-83, 8, 6)),
        ((-86, 2, 6), (-85, 26, 5)),
        ((-84, 8, 6), (-83, 30, 5)),
    ),
    "BL": (
        ((14, -66, 11), (21, -60, 11)),
        ((10, -69, 15), (19, -61, 15)),
        ((3, -66, 16), (17, -58, 15)),
        ((0, -58, 16), (11, -47, 13)),
        ((-13, -46, 12), (-4, -42, 11)),
        ((-20, -41, 8), (-13, -39, 8)),
    ),
    "ST": (
        ((-30, -71, 5), (-27, -69, 5)),
        ((-27, -76, 9), (-21, -72, 9)),
        ((-34, -71, 13), (-25, -69, 12)),
        ((-35, -64, 14), (-23, -58, 13)),
        ((-38, -47, 11), (-28, -45, 10)),
        ((-36, -41, 8), (-29, -40, 8)),
    ),
    "SM": (
        ((-46, -50, 13), (-30, -46, 15)),
        ((-50, -55, 15), (-32, -46, 15)),
        ((-60, -58, 14), (-40, -51, 11)),
        ((-62, -56, 13), (-52, -54, 11)),
        ((-55, -40, 6), (-50, -40, 6)),
        ((-44, -32, 0), (-40, -32, 0)),
    ),
    "BB": (
        ((15, -30, 8), (28, -38, 14)),
        ((9, -24, 7), (26, -38, 13)),
        ((3, -25, 6), (23, -40, 8)),
        ((4, -26, 0), (16, -36, 0)),
        ((4, -26, 0), (16, -36, 0)),
        ((4, -26, 0), (16, -36, 0)),
    ),
}
"""The eleven muscles that are measured."""

OTHER_CHAINS: Final[Mapping[str, tuple[Chain, ...]]] = {
    "adductor longus": (
        ((-46, 4, 0), (-32, 2, 0)),
        ((-46, 4, 0), (-32, 2, 0)),
        ((-46, 4, 0), (-32, 2, 0)),
        ((-62, 14, 9), (-42, 12, 6)),
        ((-66, 38, 15), (-42, 34, 11)),
        ((-64, 43, 15), (-40, 42, 11)),
    ),
    "adductor brevis": (
        ((-40, 8, 0), (-26, 4, 0)),
        ((-40, 8, 0), (-26, 4, 0)),
        ((-40, 8, 0), (-26, 4, 0)),
        ((-40, 8, 0), (-26, 4, 0)),
        ((-58, 17, 11), (-30, 12, 8)),
        ((-60, 20, 12), (-30, 17, 10)),
    ),
    "gluteus maximus": (
        ((-10, -56, 0), (16, -48, 0)),
        ((-10, -56, 0), (16, -48, 0)),
        ((-10, -56, 0), (16, -48, 0)),
        ((-10, -56, 0), (20, -44, 0)),
        ((-14, -66, 5), (22, -46, 9)),
        ((-34, -64, 13), (26, -42, 19)),
    ),
}
"""Muscles that a reader of thighs does not outline; they fill the upper slices."""

FEMUR: Final[tuple[tuple[float, float], ...]] = (
    (19.0, 2.5), (15.0, 4.0), (13.5, 6.0), (13.5, 7.0), (14.0, 7.0), (15.5, 6.5),
)  # fmt: skip
"""At each level: outer radius of the shaft and thickness of its cortex; the rest is fatty marrow."""

VESSELS: Final[Mapping[str, tuple[Disc, ...]]] = {
    "artery": ((-10, -24, 3.4), (-18, -20, 3.4), (-40, -8, 3.6), (-50, 22, 3.8), (-38, 50, 4.0), (-34, 54, 4.2)),
    "vein": ((-6, -30, 4.0), (-16, -27, 4.0), (-34, -10, 4.2), (-47, 15, 4.4), (-44, 50, 4.8), (-42, 56, 5.0)),
    "deep artery": ((-12, -6, 0), (-12, -6, 0), (-12, -8, 1.5), (-22, -2, 2.4), (-28, 24, 3.0), (-27, 34, 3.2)),
}
NERVE: Final[tuple[Disc, ...]] = (
    (0, -46, 3.4), (-3, -48, 3.8), (-6, -45, 4.2), (-7, -42, 4.6), (0, -32, 5.0), (8, -28, 5.4),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One leg cut at one level: chains by name (rows are discs: u, v, radius), and the femur."""

    muscles: Mapping[str, NDArray[np.float64]]
    others: Mapping[str, NDArray[np.float64]]
    vessels: NDArray[np.float64]
    nerve: NDArray[np.float64]
    femur_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How one leg differs from the table: overall size, girth of each muscle, and where its discs lie."""

    size: float
    girth: Mapping[str, float]
    shift_mm: Mapping[str, tuple[float, float]]
    turn_degrees: float
    fat_mm: float


def compute_section(build: Build, level: float) -> Section:
    """Return the cross-section of a leg at ``level``.

    Examples
    --------
    >>> plain = Build(size=1.0, girth={}, shift_mm={}, turn_degrees=0.0, fat_mm=10.0)
    >>> section = compute_section(plain, 0.58)
    >>> "BB" in section.muscles, round(float(section.muscles["VL"][1, 2]))
    (False, 19)
    """
    return Section(
        muscles=_present({name: _varied(build, name, level) for name in MUSCLE_CHAINS}),
        others=_present({name: _varied(build, name, level) for name in OTHER_CHAINS}),
        vessels=_turned(build, np.array([_at(name, level) for name in VESSELS])),
        nerve=_turned(build, _at("nerve", level)[None]),
        femur_mm=_pair(_at("femur", level) * build.size),
    )


def _present(chains: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    return {name: chain for name, chain in chains.items() if chain[:, 2].max() > 1.5}


def _varied(build: Build, name: str, level: float) -> NDArray[np.float64]:
    discs = _at(name, level)
    discs[:, 2] = np.maximum(discs[:, 2] * build.girth.get(name, 1.0), 0.0)
    discs[:, :2] += build.shift_mm.get(name, (0.0, 0.0))
    return _turned(build, discs)


def _turned(build: Build, discs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Discs of this leg's size, turned about the femur (positive: the foot points outward)."""
    angle = np.radians(build.turn_degrees)
    turned = discs.copy()
    turned[:, 0] = discs[:, 0] * np.cos(angle) + discs[:, 1] * np.sin(angle)
    turned[:, 1] = discs[:, 1] * np.cos(angle) - discs[:, 0] * np.sin(angle)
    return turned * build.size


def _at(name: str, level: float) -> NDArray[np.float64]:
    """The discs (or the femur's two measures) at ``level``."""
    drawn: NDArray[np.float64] = _curves()[name](np.clip(level, LEVELS[0], LEVELS[-1]))
    return np.array(drawn)


@cache
def _curves() -> Mapping[str, Callable[[float], NDArray[np.float64]]]:
    """Monotone cubics through each structure's table, whose first axis is the levels."""
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415 - scipy is slow to import

    tables = {**MUSCLE_CHAINS, **OTHER_CHAINS, **VESSELS, "nerve": NERVE, "femur": FEMUR}
    return {name: PchipInterpolator(LEVELS, np.array(table, float), axis=0) for name, table in tables.items()}


def _pair(values: NDArray[np.float64]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)


def compute_build(rng: np.random.Generator, *, body: Build | None = None) -> Build:
    """Draw how one leg is built; given the other leg as ``body``, a leg that is like it but not its mirror image."""
    names = (*MUSCLE_CHAINS, *OTHER_CHAINS)
    share = 0.4 if body else 1.0
    centre = body or Build(size=0.86, girth={}, shift_mm={}, turn_degrees=0.0, fat_mm=9.0)
    return Build(
        size=centre.size * float(np.exp(0.04 * share * rng.normal())),
        girth={name: centre.girth.get(name, 1.0) * float(np.exp(0.05 * share * rng.normal())) for name in names},
        shift_mm={name: _drift(centre.shift_mm.get(name, (0.0, 0.0)), share, rng) for name in names},
        turn_degrees=float(rng.normal(centre.turn_degrees, 5.0)),
        fat_mm=centre.fat_mm * float(np.exp(0.25 * share * rng.normal())),
    )


def _drift(centre: tuple[float, float], share: float, rng: np.random.Generator) -> tuple[float, float]:
    return centre[0] + share * float(rng.normal()), centre[1] + share * float(rng.normal())
