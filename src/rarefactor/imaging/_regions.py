"""The regions of a thigh: eleven muscles of each side, the compartments they make, and label maps that hold them.

Convention: a region is a muscle (or a compartment, where no muscle is told apart) and a side; side None means that a
reader's mask does not tell the sides. Label 0 is no region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._volume import Grid


class Side(StrEnum):
    """The patient's own side."""

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Muscle:
    """A muscle of the thigh: its short name in tables, its full name, and the compartment that it belongs to."""

    code: str
    name: str
    compartment: str


MUSCLES: Mapping[str, Muscle] = {
    code: Muscle(code=code, name=name, compartment=compartment)
    for code, name, compartment in (
        ("SA", "sartorius", "anterior"),
        ("RF", "rectus femoris", "anterior"),
        ("VL", "vastus lateralis", "anterior"),
        ("VI", "vastus intermedius", "anterior"),
        ("VM", "vastus medialis", "anterior"),
        ("AM", "adductor magnus", "medial"),
        ("GR", "gracilis", "medial"),
        ("BL", "biceps femoris, long head", "posterior"),
        ("ST", "semitendinosus", "posterior"),
        ("SM", "semimembranosus", "posterior"),
        ("BB", "biceps femoris, short head", "posterior"),
    )
}
COMPARTMENTS: Mapping[str, tuple[str, ...]] = {
    name: tuple(muscle.code for muscle in MUSCLES.values() if muscle.compartment == name)
    for name in ("anterior", "medial", "posterior")
}
SITES: Mapping[str, tuple[str, ...]] = {
    "thigh": tuple(MUSCLES),
    **COMPARTMENTS,
    "hamstrings": COMPARTMENTS["posterior"],
    **{code: (code,) for code in MUSCLES},
}
"""What a measurement may be asked for, and the muscles it is made of."""
READER, CORRECTED = "reader", "corrected by"
"""Sources of regions: drawn by a reader; corrected by one, who is named behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A muscle's code or a compartment's name, and the side."""

    name: str
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Which region each voxel belongs to.

    Attributes
    ----------
    values : array of int16, shape of the grid
        0 where there is no region.
    regions : mapping
        The region that each label means.
    source : str
        Who drew it: "reader", "corrected by" somebody, "propagated", the name of a network, or "compartment".
    """

    values: NDArray[np.int16]
    grid: Grid
    regions: Mapping[int, Region]
    source: str
