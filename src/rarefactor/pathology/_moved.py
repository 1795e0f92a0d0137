"""The numbers of slides at another threshold, from what was counted: no pixel is read again.

Convention: as in the table of measurements, of all regions of a slide together; shares are 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._block import Part
from rarefactor.pathology._cells import compute_summary
from rarefactor.pathology._histogram import DensityHistogram
from rarefactor.pathology._looked import Looked
from rarefactor.pathology._positivity import compute_positivity
from rarefactor.pathology._settings import Reading
from rarefactor.pathology._survey import Survey

LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.1, 1.5
"""Thresholds that a study may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedNumbers:
    """What a slide, or one of its regions, gives at a threshold.

    Attributes
    ----------
    positive_area
        Share of tissue, 0 to 1; None without tissue.
    h_score
        0 to 300, of cells where they are counted, else of pixels.
    cells, positive_cells, positive_share, positive_per_mm2
        None where cells are not counted, or without micrometres per pixel.
    tissue_mm2
        What the area is of.
    """

    threshold: float
    positive_area: float | None
    h_score: float | None
    tissue_mm2: float | None
    cells: int | None = None
    positive_cells: int | None = None
    positive_share: float | None = None
    positive_per_mm2: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a number lies over slides: how many have it, its lowest, middle and highest."""

    slides: int
    lowest: float | None = None
    middle: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """What little of a slide gives its main number at any threshold: cells per mm² where they are counted, else area.

    Attributes
    ----------
    histogram
        Of all its regions.
    densities
        (cell,) DAB densities of the cells that can be positive, rising; None where cells are not counted.
    counted_mm2
        Over which they were counted.
    of_section
        Whether shares are of the whole section.
    """

    histogram: DensityHistogram
    densities: NDArray[np.float32] | None
    counted_mm2: float
    of_section: bool

    def compute(self, threshold: float) -> float | None:
        """Return cells per mm², or the share of tissue (0 to 1), that are positive."""
        if self.densities is None:
            return _known(self.histogram.compute_share(threshold, of_all=self.of_section))
        above = len(self.densities) - int(np.searchsorted(self.densities, np.float32(threshold)))
        return above / self.counted_mm2 if self.counted_mm2 else None


def make_stored(looked: Looked) -> Stored:
    """Return what of a slide is enough for its main number."""
    total, reading, cells = looked.total, looked.reading, looked.total.cells
    densities: NDArray[np.float32] | None = None
    if cells is not None:
        held = cells.density(reading.compartment)[cells.stands_out(reading.compartment)]
        densities = np.sort(held[~np.isnan(held)]).astype(np.float32)
    area = total.in_focus[reading.counts_section] * (looked.survey.um_per_px or 0.0) ** 2 / 1e6
    return Stored(histogram=total.histogram, densities=densities, counted_mm2=area, of_section=reading.counts_section)


def move_threshold(reading: Reading, threshold: float) -> Reading:
    """Return a reading at another threshold.

    Raises
    ------
    InputError
        No optical density that a study may name.

    Examples
    --------
    >>> move_threshold(Reading(), 0.25).grades
    (0.25, 0.45, 0.65)
    """
    if not LOWEST_THRESHOLD <= threshold <= HIGHEST_THRESHOLD:
        raise InputError(
            Problem(
                key="threshold",
                found="a threshold outside the range",
                expected=f"an optical density from {LOWEST_THRESHOLD} to {HIGHEST_THRESHOLD}",
                next_step="0.2 is usual; 0.1 for weak stains.",
            )
        )
    return replace(reading, threshold=round(threshold, 3))


def compute_moved(looked: Looked, reading: Reading) -> MovedNumbers:
    """Return the numbers of a whole slide as ``reading`` reads it."""
    return _compute(looked.total, looked.survey, reading)


def compute_regions(looked: Looked, reading: Reading) -> Iterator[tuple[str, MovedNumbers]]:
    """Yield each region of a slide with its numbers."""
    yield from ((name, _compute(part, looked.survey, reading)) for name, part in looked.parts.items())


def compute_spread(values: Iterable[float | None]) -> Spread:
    """Return how numbers lie, those that there are.

    Examples
    --------
    >>> compute_spread([0.3, None, 0.1])
    Spread(slides=2, lowest=0.1, middle=0.2, highest=0.3)
    """
    held = [each for each in values if each is not None]
    return (
        Spread(slides=len(held), lowest=min(held), middle=median(held), highest=max(held)) if held else Spread(slides=0)
    )


def _compute(part: Part, survey: Survey, reading: Reading) -> MovedNumbers:
    found = compute_positivity(part.histogram, reading.area, um_per_px=survey.um_per_px)
    if part.cells is None:
        return MovedNumbers(
            threshold=reading.threshold,
            positive_area=_known(found.positive_area),
            h_score=_known(found.h_score),
            tissue_mm2=found.tissue_mm2,
        )
    area = part.in_focus[reading.counts_section] * (survey.um_per_px or 0.0) ** 2 / 1e6
    cells = compute_summary(part.cells, reading.compartment, thresholds=reading.grades, area_mm2=area or None)
    return MovedNumbers(
        threshold=reading.threshold,
        positive_area=_known(found.positive_area),
        h_score=_known(cells.h_score),
        tissue_mm2=found.tissue_mm2,
        cells=cells.cells,
        positive_cells=cells.positive,
        positive_share=_known(cells.positive_share),
        positive_per_mm2=cells.positive_per_mm2,
    )


def _known(value: float) -> float | None:
    return value if value == value else None  # noqa: PLR0124 - NaN is the value that does not equal itself
