"""What a made muscle section consists of: outlines and cells in micrometres, before any stain and any pixel.

Convention: (x, y) in µm from the upper left corner of the section's frame, x to the right, y down. A cell has a lineage
that no stain changes, so that serial sections of one biopsy can be stained for different antigens.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


class Lineage(StrEnum):
    """What a nucleus belongs to."""

    MYONUCLEUS = "myonucleus"
    ENDOTHELIUM = "endothelium"
    FIBROBLAST = "fibroblast"
    B = "B lymphocyte"
    HELPER_T = "CD4 T lymphocyte"
    CYTOTOXIC_T = "CD8 T lymphocyte"
    MACROPHAGE = "macrophage"


LYMPHOCYTES = (Lineage.B, Lineage.HELPER_T, Lineage.CYTOTOXIC_T)


class Condition(StrEnum):
    """State of a muscle fibre."""

    INTACT = "intact"
    NECROTIC = "necrotic"
    REGENERATING = "regenerating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the muscle looks like; the defaults are a mildly myopathic adult muscle.

    Attributes
    ----------
    fibre_um
        Mean diameter of the fibres.
    variation
        How much sizes vary, 0 (a honeycomb) to 1.
    rounding
        How round corners are, 0 (polygons, as in health) to 1.
    endomysium_um, perimysium_um
        Width of the gaps between fibres and between fascicles.
    fascicle_um
        Mean diameter of the fascicles.
    necrotic, regenerating, internal_nuclei
        Shares (0 to 1) of the fibres.
    lymphocytes_per_mm2
        Of the section, foci included.
    in_foci
        Share (0 to 1) of the lymphocytes that lie in dense infiltrates.
    b_share, cytotoxic_share
        Shares (0 to 1) of the lymphocytes; the rest are CD4 T lymphocytes.
    """

    fibre_um: float = 55.0
    variation: float = 0.5
    rounding: float = 0.45
    endomysium_um: float = 1.8
    perimysium_um: float = 22.0
    fascicle_um: float = 420.0
    necrotic: float = 0.03
    regenerating: float = 0.04
    internal_nuclei: float = 0.05
    lymphocytes_per_mm2: float = 150.0
    in_foci: float = 0.75
    b_share: float = 0.3
    cytotoxic_share: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fibre:
    """A muscle fibre cut across: outline (point, 2) in µm, centre and condition."""

    outline: Points
    centre: tuple[float, float]
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A nucleus and its cell: centre and half axes of the nucleus in µm, angle in radians from the x axis."""

    x: float
    y: float
    lineage: Lineage
    axes: tuple[float, float]
    angle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vessel:
    """A vessel: centre, radius of the lumen, thickness of the wall (µm)."""

    x: float
    y: float
    lumen: float
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: its frame in µm, the outline of the tissue, and all that lies in it.

    ``strands`` are lines of collagen (point, 2).
    """

    width_um: float
    height_um: float
    outline: Points
    fibres: tuple[Fibre, ...] = ()
    cells: tuple[Cell, ...] = ()
    vessels: tuple[Vessel, ...] = ()
    strands: tuple[Points, ...] = ()
    look: Look = Look()
