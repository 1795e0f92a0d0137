"""A made biopsy whose truth is asked for: so much of it stains, so many cells of it are positive.

Convention: shares are 0 to 1, counts per mm² of tissue; both are asked for as a usual staining run would show them, so
that a run that came out stronger or weaker shows more or less. The share of fibres that stain is what is found for an
area, the share of lymphocytes that bear the antigen for a count. What came of it is in the truth of the photograph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rarefactor.pathology._section import LYMPHOCYTES, Cell, Lineage, Look, Section
from rarefactor.pathology._section_build import Extent, simulate_section
from rarefactor.pathology._section_image import Camera, Grain, compute_densities, compute_grain, compute_histogram
from rarefactor.pathology._section_paint import Painter, View, compute_painter
from rarefactor.pathology._section_stains import Stain, StainingRun, find_stain
from rarefactor.pathology.simulate import THRESHOLD, Specimen, Truth

COARSE_UM: Final = 2.0
"""Micrometres per pixel of the sketch in which an area is looked up."""
_SKETCHED: Final = 1.05
"""How many times the area a sketch shows, for it is coarse; true to about 2 % of the value."""
_SLOPE: Final = 0.6
"""By how much the positive area grows with the share of fibres that stain."""
_WITHOUT: Final = 0.01
"""The positive area without such fibres, at the first trial."""
_STEPS: Final = 3
_DAMAGE: Final = 0.2
"""Necrotic and regenerating fibres stain too: there are fewer of them than this share of the area asked for."""
_BEARING: Final = 0.4
"""Share of the lymphocytes that bear the antigen at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a biopsy is to show: positive share of the tissue, positive cells per mm²; None leaves it to chance."""

    positive_area: float | None = None
    positive_cells_per_mm2: float | None = None


def simulate_specimen(
    rng: np.random.Generator,
    wanted: Wanted,
    *,
    stain: Stain | str = "CD20",
    run: StainingRun | None = None,
    camera: Camera | None = None,
    extent: Extent = Extent.EDGE,
) -> Specimen:
    """Make a stained section that shows what is wanted, of the size of the camera's picture.

    An area below that of positive cells alone (about 0.5 %) is not reached, nor one above that of all fibres (about
    60 %). A count is met to half a cell, an area to half a fibre: in a field of half a millimetre to about a twelfth of
    its value.

    Parameters
    ----------
    rng
        Source of all variation.
    stain
        Of an area that is wanted some fibres must stain, of a count some lymphocytes.

    Raises
    ------
    InputError
        The stain is not known.

    Examples
    --------
    >>> from rarefactor.pathology.simulate import photograph
    >>> camera = Camera(width=640, height=512, jpeg_quality=None)
    >>> specimen = simulate_specimen(np.random.default_rng(1), Wanted(positive_area=0.2), stain="BAFF-R", camera=camera)
    >>> round(photograph(specimen, camera).truth.positive_area(), 1)
    0.2
    """
    bound = find_stain(stain) if isinstance(stain, str) else stain
    camera = camera or Camera()
    section = _build(rng, wanted, camera, extent)
    grain = compute_grain(camera.um_per_px, bound.patchy, rng)
    sketch = _Sketch(section=section, stain=bound, grain=grain, seed=int(rng.integers(2**62)))
    if wanted.positive_cells_per_mm2 is not None:
        sketch = replace(sketch, section=_mark(sketch, wanted.positive_cells_per_mm2, rng))
    share = bound.fibres if wanted.positive_area is None else sketch.find_share(wanted.positive_area)
    painter = sketch.paint(share, run or StainingRun())
    return Specimen(painter=painter, grain=grain, um_per_px=camera.um_per_px)


def _build(rng: np.random.Generator, wanted: Wanted, camera: Camera, extent: Extent) -> Section:
    look = Look()
    if wanted.positive_area is not None:
        few = _DAMAGE * wanted.positive_area
        look = replace(look, necrotic=min(look.necrotic, few), regenerating=min(look.regenerating, few))
    if wanted.positive_cells_per_mm2 is not None:
        look = replace(look, lymphocytes_per_mm2=40.0 + wanted.positive_cells_per_mm2 / _BEARING)
    width, height = camera.width * camera.um_per_px, camera.height * camera.um_per_px
    return simulate_section(rng, width_um=width, height_um=height, look=look, extent=extent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sketch:
    """A section before it is known which of its fibres stain."""

    section: Section
    stain: Stain
    grain: Grain
    seed: int

    def paint(self, share: float, run: StainingRun) -> Painter:
        """Stain the section with ``share`` of its fibres: those of a smaller share and others."""
        stain = replace(self.stain, fibres=share)
        return compute_painter(self.section, stain, run, np.random.default_rng(self.seed))

    def measure(self, share: float) -> Truth:
        """Return what is true of a coarse picture, up to its cells."""
        width, height = (round(size / COARSE_UM) for size in (self.section.width_um, self.section.height_um))
        view = View(x=0, y=0, width=width, height=height, um_per_px=COARSE_UM)
        densities = compute_densities(self.paint(share, StainingRun()), self.grain, view)
        return Truth(histogram=compute_histogram(densities), cells=(), um_per_px=COARSE_UM)

    def find_share(self, area: float) -> float:
        """Return the share of fibres with which so much of the tissue is positive, the nearest of a few trials."""
        share, trials = min(max((area - _WITHOUT) / _SLOPE, 0.0), 1.0), list[tuple[float, float]]()
        for _ in range(_STEPS):
            missing = _SKETCHED * area - self.measure(share).positive_area(THRESHOLD)
            trials.append((abs(missing), share))
            share = min(max(share + missing / _SLOPE, 0.0), 1.0)
        return min(trials)[1]


def _mark(sketch: _Sketch, per_mm2: float, rng: np.random.Generator) -> Section:
    """Let so many lymphocytes bear the antigen and no others."""
    section, stain = sketch.section, sketch.stain
    bearing = [lineage for lineage in LYMPHOCYTES if stain.marks(lineage)]
    others = [lineage for lineage in LYMPHOCYTES if not stain.marks(lineage)]
    if not bearing or not others:
        return section
    fixed = sum(stain.marks(cell.lineage) for cell in section.cells if cell.lineage not in LYMPHOCYTES)
    number = max(round(per_mm2 * sketch.measure(0.0).tissue_mm2) - fixed, 0)
    places = [place for place, cell in enumerate(section.cells) if cell.lineage in LYMPHOCYTES]
    chosen = set(rng.permutation(places)[:number].tolist())
    return replace(section, cells=tuple(_relabel(section.cells, chosen, bearing, others)))


def _relabel(
    cells: tuple[Cell, ...], chosen: set[int], bearing: list[Lineage], others: list[Lineage]
) -> Iterator[Cell]:
    for place, cell in enumerate(cells):
        if cell.lineage not in LYMPHOCYTES:
            yield cell
            continue
        wanted = bearing if place in chosen else others
        yield cell if cell.lineage in wanted else replace(cell, lineage=wanted[place % len(wanted)])
