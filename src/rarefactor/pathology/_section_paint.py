"""Layers of a stained section, painted for one view: tissue, hematoxylin and DAB.

Convention: a layer is 8-bit; hematoxylin counts ``HEMATOXYLIN_STEPS`` and DAB ``DAB_STEPS`` per unit of optical
density. Shapes are drawn at twice the resolution and averaged, then blurred as by the objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._section import LYMPHOCYTES, Cell, Condition, Lineage, Points, Section
from rarefactor.pathology._section_stains import Stain, StainingRun

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

HEMATOXYLIN_STEPS: Final = 200.0
DAB_STEPS: Final = 100.0
FINER: Final = 2
SPREAD_UM: Final = 0.33
"""Standard deviation of the objective's blur, which belongs to the truth; about that of a 20x lens."""
_MARGIN_UM: Final = 12.0
_CORNERS: Final = 14
_NUCLEUS: Final = {
    Lineage.MYONUCLEUS: (0.62, 0.5),
    Lineage.ENDOTHELIUM: (0.58, 0.5),
    Lineage.FIBROBLAST: (0.6, 0.52),
    Lineage.MACROPHAGE: (0.5, 0.34),
    Lineage.B: (0.78, 0.62),
    Lineage.HELPER_T: (0.8, 0.64),
    Lineage.CYTOTOXIC_T: (0.8, 0.64),
}
"""Optical density of hematoxylin at a nucleus' rim and inside."""
_SARCOPLASM: Final = {Condition.INTACT: 0.1, Condition.NECROTIC: 0.055, Condition.REGENERATING: 0.19}
_MATRIX: Final = (0.04, 0.018)
"""Hematoxylin and DAB of what lies between the fibres."""
_BACKGROUND: Final = 0.045
"""Unspecific DAB inside fibres."""
_STRAND: Final = 0.085


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A part of a section in pixels of ``um_per_px``."""

    x: int
    y: int
    width: int
    height: int
    um_per_px: float

    def padded(self, by: int) -> View:
        """Return the view with ``by`` pixels more on each side."""
        return View(
            x=self.x - by,
            y=self.y - by,
            width=self.width + 2 * by,
            height=self.height + 2 * by,
            um_per_px=self.um_per_px,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Tissue (255 inside), hematoxylin and DAB, each (row, column)."""

    tissue: NDArray[np.uint8]
    hematoxylin: NDArray[np.uint8]
    dab: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A section with what its stain makes of each fibre (f,) and each cell (c,): optical densities of DAB."""

    section: Section
    stain: Stain
    run: StainingRun
    membranes: NDArray[np.float64]
    insides: NDArray[np.float64]
    tones: NDArray[np.float64]
    cells: NDArray[np.float64]
    shapes: Points

    @cached_property
    def boxes(self) -> Points:
        """Left, top, right, bottom of each fibre (f, 4)."""
        outlines = [fibre.outline for fibre in self.section.fibres]
        return np.array([(*each.min(axis=0), *each.max(axis=0)) for each in outlines]).reshape(-1, 4)

    @cached_property
    def places(self) -> Points:
        """Centre of each cell (c, 2)."""
        return np.array([(cell.x, cell.y) for cell in self.section.cells]).reshape(-1, 2)


def compute_painter(section: Section, stain: Stain, run: StainingRun, rng: np.random.Generator) -> Painter:
    """Draw how strongly each fibre and each cell stains."""
    number, cells = len(section.fibres), section.cells
    conditions = np.array([fibre.condition for fibre in section.fibres], object)
    stained = (rng.random(number) < stain.fibres) & (conditions == Condition.INTACT)
    young, dead = conditions == Condition.REGENERATING, conditions == Condition.NECROTIC
    vary = np.exp(rng.normal(0, 0.22, number))
    membranes = np.where(stained | (young & (stain.regenerating > 0.1)), stain.sarcolemma, 0.0) * vary
    inside = np.select([dead, young, stained], [stain.necrotic, stain.regenerating, stain.sarcoplasm], 0.0) * vary
    densities = np.array([stain.cells.get(cell.lineage, 0.0) for cell in cells])
    return Painter(
        section=section,
        stain=stain,
        run=run,
        membranes=membranes * run.dab_gain,
        insides=(inside + _BACKGROUND * rng.uniform(0.85, 1.15, number)) * run.dab_gain,
        tones=np.array([_SARCOPLASM[each] for each in conditions]) * rng.normal(1, 0.1, number) * run.hematoxylin_gain,
        cells=densities * np.exp(rng.normal(0, 0.22, len(cells))) * run.dab_gain,
        shapes=_draw_shapes(cells, rng),
    )


def paint(painter: Painter, view: View) -> Layers:
    """Paint the three layers of a view."""
    from PIL import Image, ImageChops, ImageDraw, ImageFilter  # noqa: PLC0415 - an imaging library, loaded when an image is made

    size = (FINER * view.width, FINER * view.height)
    images = [Image.new("L", size) for _ in range(3)]
    easel = _Easel(painter, view, *(ImageDraw.Draw(image) for image in images))
    easel.paint_tissue()
    easel.paint_fibres()
    easel.paint_cells()
    blur = ImageFilter.GaussianBlur(SPREAD_UM / view.um_per_px)
    tissue, *stains = (image.reduce(FINER) for image in images)
    hematoxylin, dab = (np.asarray(ImageChops.multiply(stain, tissue).filter(blur)) for stain in stains)
    return Layers(tissue=np.asarray(tissue), hematoxylin=hematoxylin, dab=dab)


def _draw_shapes(cells: Sequence[Cell], rng: np.random.Generator) -> Points:
    """Outlines of all nuclei (c, corner, 2) around their centre, a little irregular."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    axes = np.array([cell.axes for cell in cells]).reshape(-1, 2)
    turn = np.array([cell.angle for cell in cells])
    ripple = (
        1 + 0.07 * rng.normal(size=(len(axes), 1)) * np.cos(3 * angle) + rng.normal(0, 0.025, (len(axes), _CORNERS))
    )
    along, across = axes[:, :1] * np.cos(angle) * ripple, axes[:, 1:] * np.sin(angle) * ripple
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return np.stack([along * cos - across * sin, along * sin + across * cos], axis=2)


class _Easel:
    """Three layers in work."""

    def __init__(self, painter: Painter, view: View, tissue: ImageDraw, hematoxylin: ImageDraw, dab: ImageDraw) -> None:
        self.painter, self.section = painter, painter.section
        self.tissue, self.hematoxylin, self.dab = tissue, hematoxylin, dab
        self.scale = FINER / view.um_per_px
        self.corner = np.array([view.x, view.y]) * view.um_per_px
        self.reach = np.array([view.width, view.height]) * view.um_per_px
        self.gain = painter.run

    def paint_tissue(self) -> None:
        """Ground between fibres, collagen, vessels."""
        matrix = _MATRIX[0] * self.gain.hematoxylin_gain, _MATRIX[1] * self.gain.dab_gain
        outline = self._flat(self.section.outline)
        self.tissue.polygon(outline, fill=255)
        self.hematoxylin.polygon(outline, fill=_level(matrix[0], HEMATOXYLIN_STEPS))
        self.dab.polygon(outline, fill=_level(matrix[1], DAB_STEPS))
        width = max(1, round(0.8 * self.scale))
        tone = _level(_STRAND * self.gain.hematoxylin_gain, HEMATOXYLIN_STEPS)
        for strand in self.section.strands:
            if self._shows(*strand.min(axis=0), *strand.max(axis=0)):
                self.hematoxylin.line(self._flat(strand), fill=tone, width=width)
        for vessel in self.section.vessels:
            self._paint_vessel(vessel.x, vessel.y, vessel.lumen, vessel.wall)

    def paint_fibres(self) -> None:
        """Membrane and inside of each fibre."""
        painter = self.painter
        low, high = self.corner - _MARGIN_UM, self.corner + self.reach + _MARGIN_UM
        shown = (painter.boxes[:, 2:] > low).all(axis=1) & (painter.boxes[:, :2] < high).all(axis=1)
        for index in np.flatnonzero(shown).tolist():
            fibre = self.section.fibres[index]
            away = fibre.outline - fibre.centre
            unit = away / np.hypot(away[:, 0], away[:, 1])[:, None]
            inside = _level(painter.insides[index], DAB_STEPS)
            if painter.membranes[index] > 0:
                membrane = _level(painter.membranes[index], DAB_STEPS)
                self.dab.polygon(self._flat(fibre.outline + 0.5 * unit), fill=membrane)
                self.dab.polygon(self._flat(fibre.outline - 0.9 * unit), fill=inside)
            else:
                self.dab.polygon(self._flat(fibre.outline), fill=inside)
            self.hematoxylin.polygon(self._flat(fibre.outline), fill=_level(painter.tones[index], HEMATOXYLIN_STEPS))

    def paint_cells(self) -> None:
        """Bodies first, so that neighbours share their membranes; then what is inside; then nuclei."""
        painter = self.painter
        low, high = self.corner - _MARGIN_UM, self.corner + self.reach + _MARGIN_UM
        shown = np.flatnonzero(((painter.places > low) & (painter.places < high)).all(axis=1))
        lineages = [self.section.cells[index].lineage for index in shown.tolist()]
        shapes, at = painter.shapes[shown], painter.places[shown][:, None, :]
        self._paint_capillaries(lineages, at[:, 0])
        unit = shapes / np.hypot(shapes[..., 0], shapes[..., 1])[..., None]
        self._paint_dab(lineages, painter.cells[shown], (shapes, unit, at))
        for ring, grow in ((0, 0.0), (1, -0.7)):
            outlines = self._flats(at + shapes + grow * np.minimum(1, np.abs(shapes)) * unit)
            for outline, lineage in zip(outlines, lineages, strict=True):
                tone = _NUCLEUS[lineage][ring] * self.gain.hematoxylin_gain
                self.hematoxylin.polygon(outline, fill=_level(tone, HEMATOXYLIN_STEPS))

    def _paint_dab(
        self, lineages: Sequence[Lineage], densities: NDArray[np.float64], drawn: tuple[Points, Points, Points]
    ) -> None:
        shapes, unit, at = drawn
        blood = [lineage in LYMPHOCYTES or lineage is Lineage.MACROPHAGE for lineage in lineages]
        bodies = self._flats(at + shapes + np.where(blood, 1.5, 0.7)[:, None, None] * unit)
        inners = self._flats(at + shapes + np.where(blood, 0.25, 0.0)[:, None, None] * unit)
        around = _level(0.13 * self.gain.hematoxylin_gain, HEMATOXYLIN_STEPS)
        for body, density, has_body in zip(bodies, densities.tolist(), blood, strict=True):
            if has_body:
                self.hematoxylin.polygon(body, fill=around)
            if density > 0:
                self.dab.polygon(body, fill=_level(density, DAB_STEPS))
        within = 0.62 if self.painter.stain.in_cytoplasm else 0.34
        rest = 0.03 * self.gain.dab_gain
        for inner, density in zip(inners, densities.tolist(), strict=True):
            self.dab.polygon(inner, fill=_level(max(within * density, rest), DAB_STEPS))

    def _paint_capillaries(self, lineages: Sequence[Lineage], at: Points) -> None:
        density = self.painter.stain.capillaries * self.gain.dab_gain
        for lineage, (x, y) in zip(lineages, at.tolist(), strict=True):
            if lineage is Lineage.ENDOTHELIUM and density > 0:
                self.dab.ellipse(self._circle(x, y, 3.2), fill=_level(density, DAB_STEPS))
                self.dab.ellipse(self._circle(x, y, 1.9), fill=_level(0.03, DAB_STEPS))

    def _paint_vessel(self, x: float, y: float, lumen: float, wall: float) -> None:
        outer, inner = self._circle(x, y, lumen + wall), self._circle(x, y, lumen)
        self.hematoxylin.ellipse(outer, fill=_level(0.13 * self.gain.hematoxylin_gain, HEMATOXYLIN_STEPS))
        self.dab.ellipse(outer, fill=_level(_BACKGROUND * self.gain.dab_gain, DAB_STEPS))
        for layer in (self.tissue, self.hematoxylin, self.dab):
            layer.ellipse(inner, fill=0)

    def _shows(self, left: float, top: float, right: float, bottom: float) -> bool:
        low, high = self.corner, self.corner + self.reach
        return bool(right > low[0] and bottom > low[1] and left < high[0] and top < high[1])

    def _circle(self, x: float, y: float, radius: float) -> list[float]:
        return self._flat(np.array([(x - radius, y - radius), (x + radius, y + radius)]))

    def _flat(self, points: Points) -> list[float]:
        flat: list[float] = ((points - self.corner) * self.scale).ravel().tolist()
        return flat

    def _flats(self, outlines: Points) -> list[list[float]]:
        scaled = (outlines - self.corner) * self.scale
        flats: list[list[float]] = scaled.reshape(len(outlines), 2 * _CORNERS).tolist()
        return flats


def _level(density: float, steps: float) -> int:
    return min(255, max(0, round(density * steps)))
