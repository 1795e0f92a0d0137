"""How slides are measured, whether a study or a command asks for it, and the file of one slide.

Convention: everything here can be sent to another machine and made into a key by content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rarefactor.pathology._compartments import Compartment
from rarefactor.pathology._nuclei import NUCLEI, NUCLEI_IN_BROWN, NucleusSettings
from rarefactor.pathology._positivity import THRESHOLD, AreaSettings, Denominator

Measured = Literal["area", "cells"]
WANTED_UM = 0.5
"""µm per pixel at which slides are read: finer ones are averaged down, coarser ones are read as they are."""
COARSEST_CELLS_UM = 0.75
"""µm per pixel above which nuclei are not looked for."""
OURS = "log_watershed"
"""The detector of nuclei where no other is named."""
_STEPS = (0.2, 0.4)
Outline = tuple[tuple[float, float], ...]
"""Corners of a region, x and y."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one stain is read.

    Attributes
    ----------
    measure
        ``area``, or ``cells``, which gives the area too.
    threshold
        DAB density from which a pixel, or the mean of a cell's compartment, is positive.
    compartment
        Where the stain of a cell is read.
    denominator
        What shares and densities of cells are over: the whole section, or dense pixels. Fibres without stain are so
        pale that a third of them is not dense.
    detector
        Who finds nuclei, see :func:`~rarefactor.pathology.detect.find_detector`; ``detector_content`` is the hash of
        its weights.
    steps
        How far above the threshold moderate and strong begin.
    """

    measure: Measured = "area"
    threshold: float = THRESHOLD
    compartment: Compartment = Compartment.MAX
    denominator: Denominator = Denominator.SECTION
    detector: str = OURS
    detector_content: str = ""
    steps: tuple[float, float] = _STEPS

    @property
    def grades(self) -> tuple[float, float, float]:
        """Densities from which a pixel or cell is weak, moderate and strong."""
        weak, moderate, strong = (round(self.threshold + step, 6) for step in (0.0, *self.steps))
        return weak, moderate, strong

    @property
    def area(self) -> AreaSettings:
        """How pixels are counted."""
        return AreaSettings(threshold=self.threshold, grades=self.grades, denominator=self.denominator)

    @property
    def counts_section(self) -> bool:
        """Whether the denominator is the whole section."""
        return self.denominator is Denominator.SECTION

    @property
    def nuclei(self) -> NucleusSettings:
        """What counts as a nucleus: brown marks one only where the stain is nuclear."""
        return NUCLEI if self.compartment is Compartment.NUCLEUS else NUCLEI_IN_BROWN

    def adjust(self, gain: float) -> Reading:
        """Return the reading of a staining run that stained ``gain`` times as strongly as the middle one.

        Examples
        --------
        >>> Reading().adjust(1.5).grades
        (0.3, 0.6, 0.9)
        """
        moderate, strong = self.steps
        return replace(self, threshold=self.threshold * gain, steps=(moderate * gain, strong * gain))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How slides are measured.

    Attributes
    ----------
    readings
        How each stain is read.
    um_per_px
        Micrometres per pixel of level 0 of every slide, where the user says so; else as the file says.
    level
        Of the interval over tiles.
    outlines
        Whether the outlines of cells are kept, for programs that show them.
    """

    readings: Mapping[str, Reading] = field(default_factory=dict[str, Reading])
    um_per_px: float | None = None
    level: float = 0.95
    outlines: bool = False

    def reading(self, stain: str) -> Reading:
        """Return how a stain is read; one that is not named by its area."""
        return self.readings.get(stain, Reading())

    def content(self, stain: str) -> list[Any]:
        """Everything that decides the numbers of a slide of this stain, for a key by content."""
        reading = self.reading(stain)
        words = [reading.measure, reading.compartment.value, reading.denominator.value]
        return [*words, *reading.grades, *self.cell_content(stain), self.um_per_px, self.level]

    def cell_content(self, stain: str) -> list[Any]:
        """Everything that decides which cells are found on a slide of this stain."""
        reading = self.reading(stain)
        return [reading.compartment.value, reading.detector, reading.detector_content, self.outlines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """What a reader left out of the slide with this SHA-256: outlines in pixels of level 0, and whose version it is."""

    sha256: str
    outlines: tuple[Outline, ...]
    reader: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideFile:
    """One slide: whose it is, when and how it was stained, and the file.

    ``patient`` is the name under which numbers are kept, ``own_id`` the id that may stand in names of files; ``number``
    counts the slides of the same patient, visit and stain. A ``control`` is the control tissue of its run, and nobody's
    biopsy. ``excluded`` is what a reader left out of it.
    """

    patient: str
    visit: str
    stain: str
    path: Path
    number: int = 1
    regions: Path | None = None
    run: str | None = None
    own_id: str | None = None
    control: bool = False
    excluded: Excluded | None = None

    @property
    def name(self) -> str:
        """What pictures of it are called."""
        words = [self.patient, self.visit, self.stain, *([str(self.number)] if self.number > 1 else [])]
        return "_".join(word.replace("/", "-") for word in words if word)

    def hide(self, text: str) -> str:
        """Replace the patient's own id in a text."""
        return text.replace(self.own_id, self.patient) if self.own_id else text
