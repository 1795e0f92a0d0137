"""What each antibody marks, how a staining run differs from others, as far as a made section shows it.

Convention: optical densities are log10(white / intensity) of DAB alone, in the middle of a structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rarefactor.errors import InputError, Problem, suggest
from rarefactor.pathology._section import LYMPHOCYTES, Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stain:
    """Where an antibody binds in muscle.

    Attributes
    ----------
    name
        Of the antigen.
    cells
        Optical density of the membrane of positive cells, by lineage.
    in_cytoplasm
        Whether the cell's body stains as much as its membrane.
    fibres
        Share (0 to 1) of the intact fibres that stain.
    sarcolemma, sarcoplasm
        Optical density of a staining fibre's membrane and inside.
    necrotic, regenerating
        Optical density inside such fibres; the membrane of a regenerating one stains like a staining fibre's.
    capillaries
        Optical density of the rings at corners of fibres.
    patchy
        How uneven a membrane stains, 0 to 1.
    """

    name: str
    cells: Mapping[Lineage, float] = field(default_factory=dict[Lineage, float])
    in_cytoplasm: bool = False
    fibres: float = 0.0
    sarcolemma: float = 0.0
    sarcoplasm: float = 0.0
    necrotic: float = 0.0
    regenerating: float = 0.0
    capillaries: float = 0.0
    patchy: float = 0.3

    def marks(self, lineage: Lineage) -> bool:
        """Say whether a cell of this lineage counts as positive."""
        return self.cells.get(lineage, 0.0) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StainingRun:
    """What slides stained together share: how strongly each stain comes out, 1 being usual.

    Examples
    --------
    >>> StainingRun(name="2020-03-02", dab_gain=0.7).dab_gain
    0.7
    """

    name: str = "run 1"
    dab_gain: float = 1.0
    hematoxylin_gain: float = 1.0


STAINS: Final[Mapping[str, Stain]] = {
    stain.name: stain
    for stain in (
        Stain(name="CD20", cells={Lineage.B: 1.25}),
        Stain(name="CD3", cells={Lineage.HELPER_T: 1.15, Lineage.CYTOTOXIC_T: 1.15}),
        Stain(name="CD8", cells={Lineage.CYTOTOXIC_T: 1.2}),
        Stain(name="CD68", cells={Lineage.MACROPHAGE: 1.0}, in_cytoplasm=True, necrotic=0.06),
        Stain(
            name="BAFF-R",
            cells={Lineage.B: 1.0, Lineage.HELPER_T: 0.45},
            in_cytoplasm=True,
            fibres=0.25,
            sarcolemma=0.55,
            sarcoplasm=0.2,
            necrotic=0.3,
            regenerating=0.35,
        ),
        Stain(
            name="MHC-I",
            cells=dict.fromkeys((*LYMPHOCYTES, Lineage.MACROPHAGE, Lineage.ENDOTHELIUM), 0.9),
            fibres=0.6,
            sarcolemma=0.75,
            sarcoplasm=0.12,
            necrotic=0.15,
            regenerating=0.4,
            capillaries=0.8,
        ),
        Stain(
            name="C5b-9",
            fibres=0.15,
            sarcolemma=0.7,
            necrotic=0.8,
            regenerating=0.05,
            capillaries=0.2,
            patchy=0.9,
        ),
    )
}
"""Immunostains of a muscle biopsy."""


def find_stain(name: str) -> Stain:
    """Return the stain of that name.

    Raises
    ------
    InputError
        No such stain.
    """
    if name not in STAINS:
        raise InputError(
            Problem(
                found=f"the stain {name!r}",
                expected=f"one of {', '.join(STAINS)}",
                next_step=suggest(name, list(STAINS)),
            )
        )
    return STAINS[name]
