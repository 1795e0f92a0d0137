"""Stained muscle sections made by code, with known truth: photographed fields, whole slides, controls of a run.

Convention: an image is (row, column, channel) 8-bit RGB; densities are log10(white / intensity); all randomness comes
from the generator that is passed. The truth is what the picture would hold without defocus, noise, 8 bits and JPEG.
Nothing here is a patient's tissue, and what is written to files says that it is synthetic.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._section import Lineage, Look, Points, Section
from rarefactor.pathology._section_build import Extent, simulate_lymphoid, simulate_section
from rarefactor.pathology._section_image import (
    Camera,
    Grain,
    Image,
    compute_densities,
    compute_grain,
    compute_histogram,
    expose,
)
from rarefactor.pathology._section_paint import Painter, View, compute_painter
from rarefactor.pathology._section_stains import STAINS, Stain, StainingRun, find_stain

__all__ = [
    "STAINS",
    "Camera",
    "Extent",
    "Field",
    "Lineage",
    "Look",
    "Section",
    "Specimen",
    "Stain",
    "StainingRun",
    "TrueCell",
    "Truth",
    "photograph",
    "simulate_control",
    "simulate_field",
    "simulate_lymphoid",
    "simulate_section",
    "stain_section",
    "write_truth",
]

THRESHOLD: Final = 0.2
"""Density of DAB from which a pixel counts as positive, unless another is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueCell:
    """A nucleus in the picture: centre and outline (point, 2) in pixels, lineage, and whether the stain marks it."""

    x: float
    y: float
    lineage: Lineage
    positive: bool
    outline: Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of a picture.

    Attributes
    ----------
    histogram
        Pixels of tissue by density of DAB, in steps of 0.01 from 0, the last open.
    cells
        Whose centre lies in the picture.
    um_per_px
        Micrometres per pixel.
    """

    histogram: NDArray[np.int64]
    cells: tuple[TrueCell, ...]
    um_per_px: float

    @property
    def tissue_mm2(self) -> float:
        """Area of the tissue in mm², without the lumina of vessels."""
        return float(self.histogram.sum()) * self.um_per_px**2 / 1e6

    @property
    def positive_cells_per_mm2(self) -> float:
        """Positive cells per mm² of tissue; NaN without tissue."""
        return sum(cell.positive for cell in self.cells) / self.tissue_mm2 if self.tissue_mm2 else float("nan")

    def positive_area(self, threshold: float = THRESHOLD) -> float:
        """Return the share (0 to 1) of the tissue whose density of DAB is at least ``threshold`` (steps of 0.01)."""
        total = int(self.histogram.sum())
        return float(self.histogram[round(threshold * 100) :].sum()) / total if total else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """A stained section, to be photographed anywhere: the same micrometre looks the same in every picture."""

    painter: Painter
    grain: Grain
    um_per_px: float

    def render(self, view: View, camera: Camera) -> tuple[Image, NDArray[np.int64]]:
        """Return the photograph (row, column, 3) of a view, and the histogram of its truth."""
        densities = compute_densities(self.painter, self.grain, view)
        return expose(densities, camera, self.grain, view), compute_histogram(densities)

    def list_cells(self, view: View) -> Iterator[TrueCell]:
        """Give the cells whose centre lies in a view, in its pixels."""
        corner = np.array([view.x, view.y]) * view.um_per_px
        for cell, shape in zip(self.painter.section.cells, self.painter.shapes, strict=True):
            x, y = (np.array([cell.x, cell.y]) - corner) / view.um_per_px
            if 0 <= x < view.width and 0 <= y < view.height:
                yield TrueCell(
                    x=float(x),
                    y=float(y),
                    lineage=cell.lineage,
                    positive=self.painter.stain.marks(cell.lineage),
                    outline=shape / view.um_per_px + (x, y),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A photographed field: the picture (row, column, 3), its truth, and what was stained how."""

    image: Image
    truth: Truth
    stain: str
    run: StainingRun
    camera: Camera


def stain_section(
    section: Section,
    stain: Stain | str,
    rng: np.random.Generator,
    *,
    run: StainingRun | None = None,
    um_per_px: float = 0.5,
) -> Specimen:
    """Stain a section; the same section with several stains gives serial sections."""
    bound = find_stain(stain) if isinstance(stain, str) else stain
    painter = compute_painter(section, bound, run or StainingRun(), rng)
    return Specimen(painter=painter, grain=compute_grain(um_per_px, bound.patchy, rng), um_per_px=um_per_px)


def simulate_field(
    rng: np.random.Generator,
    *,
    stain: Stain | str = "CD20",
    look: Look | None = None,
    run: StainingRun | None = None,
    camera: Camera | None = None,
    section: Section | None = None,
) -> Field:
    """Make a photographed field of stained muscle with glass at its right side.

    Parameters
    ----------
    rng
        Source of all variation.
    stain
        One of ``STAINS`` by name, or one's own.
    look
        The muscle; not used where a ``section`` is given.
    run
        How the staining run came out.
    camera
        Size of the picture, size of a pixel, white, noise, defocus, JPEG.
    section
        An existing section, of which the upper left part is photographed.

    Raises
    ------
    InputError
        The stain is not known.

    Examples
    --------
    >>> camera = Camera(width=256, height=256)
    >>> field = simulate_field(np.random.default_rng(4), stain="MHC-I", camera=camera)
    >>> field.image.shape, 0.05 < field.truth.positive_area(0.2) < 0.5
    ((256, 256, 3), True)
    """
    camera = camera or Camera()
    width_um, height_um = camera.width * camera.um_per_px, camera.height * camera.um_per_px
    made = section or simulate_section(rng, width_um=width_um, height_um=height_um, look=look)
    return photograph(stain_section(made, stain, rng, run=run, um_per_px=camera.um_per_px), camera)


def simulate_control(
    rng: np.random.Generator,
    *,
    stain: Stain | str = "CD20",
    run: StainingRun | None = None,
    camera: Camera | None = None,
) -> Field:
    """Make a field of a run's control tissue: a tonsil, the same in every run up to chance and staining."""
    camera = camera or Camera(width=1024, height=1024)
    section = simulate_lymphoid(
        rng, width_um=camera.width * camera.um_per_px, height_um=camera.height * camera.um_per_px
    )
    return photograph(stain_section(section, stain, rng, run=run, um_per_px=camera.um_per_px), camera)


def write_truth(truth: Truth, threshold: float = THRESHOLD) -> bytes:
    """Return the truth as JSON: area, share positive at ``threshold``, histogram, and each cell in pixels."""
    held = {
        "synthetic": True,
        "um_per_px": truth.um_per_px,
        "tissue_mm2": truth.tissue_mm2,
        "threshold": threshold,
        "positive_area": truth.positive_area(threshold),
        "positive_cells_per_mm2": truth.positive_cells_per_mm2,
        "histogram": {"step": 0.01, "pixels": truth.histogram.tolist()},
        "cells": [
            {"x": round(c.x, 1), "y": round(c.y, 1), "lineage": c.lineage, "positive": c.positive} for c in truth.cells
        ],
    }
    return json.dumps(held).encode()


def photograph(specimen: Specimen, camera: Camera) -> Field:
    """Return the field at a specimen's upper left corner."""
    view = View(x=0, y=0, width=camera.width, height=camera.height, um_per_px=camera.um_per_px)
    image, histogram = specimen.render(view, camera)
    cells = tuple(specimen.list_cells(view))
    return Field(
        image=image,
        truth=Truth(histogram=histogram, cells=cells, um_per_px=camera.um_per_px),
        stain=specimen.painter.stain.name,
        run=specimen.painter.run,
        camera=camera,
    )
