"""From a histogram of DAB density to the numbers of a region.

Convention: the primary number is the share of tissue that is DAB-positive (0 to 1). Mean density and the pixel score
(0 to 300) are secondary and are compared within one staining run only, because DAB does not follow the amount of
antigen. Each number stands beside what it would have been 0.05 lower or higher and with white 255.

The denominator is either the dense pixels (``DENSE``: pale fibres, vessels and fat drop out) or the section
(``SECTION``: every pixel inside the mask of :func:`compute_tissue`). Muscle fibres without stain are so pale that a
third of them may not be dense; for muscle, the section is the denominator that a reader has in mind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._bootstrap import TileInterval
from rarefactor.pathology._flag import warn
from rarefactor.pathology._histogram import DensityHistogram
from rarefactor.pathology._lookup import Measure
from rarefactor.results import Flag

THRESHOLD = 0.2
"""DAB density from which a pixel is positive, unless the study says otherwise."""
STEP = 0.05
"""How far the threshold is moved to show what hangs on it."""


class Denominator(StrEnum):
    """What a share is a share of."""

    DENSE = "dense pixels"
    SECTION = "section"


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaSettings:
    """What is counted.

    Attributes
    ----------
    threshold
        DAB density from which a pixel is positive, 0.05 to 2.
    grades
        Densities from which a pixel is weak, moderate and strong, rising.
    denominator
        Dense pixels, or all pixels of the histogram, which a mask of the section must then have chosen.
    """

    threshold: float = THRESHOLD
    grades: tuple[float, float, float] = (0.2, 0.4, 0.6)
    denominator: Denominator = Denominator.DENSE

    def __post_init__(self) -> None:
        if not 0.05 <= self.threshold <= 2:
            raise InputError(
                Problem(
                    found=f"a threshold of {self.threshold}",
                    expected="an optical density from 0.05 to 2",
                    next_step="0.2 is usual; 0.1 for weak stains.",
                )
            )
        if not self.grades[0] < self.grades[1] < self.grades[2]:
            raise InputError(
                Problem(
                    found=f"grades {self.grades}",
                    expected="three rising optical densities",
                    next_step="0.2, 0.4 and 0.6 are usual.",
                )
            )


AREA = AreaSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Positivity:
    """The DAB of a region.

    Attributes
    ----------
    positive_area
        Share of tissue with a DAB density of at least ``threshold``, 0 to 1; NaN without tissue.
    lower_threshold, higher_threshold
        The same 0.05 below and above.
    white_255
        The same had white been 255.
    mean_density, positive_density
        Mean DAB density of dense tissue, and of its positive part.
    h_score
        100 (weak + 2 moderate + 3 strong) as shares of tissue, 0 to 300.
    denominator, tissue_px, tissue_mm2
        What the shares are of; mm² are None without µm per pixel.
    threshold, measure
        What was counted, and the white, vectors and tissue limit that the densities rest on.
    interval
        Of ``positive_area`` over tiles, if one was computed.
    flags
        What is doubtful.
    """

    positive_area: float
    lower_threshold: float
    higher_threshold: float
    white_255: float
    mean_density: float
    positive_density: float
    h_score: float
    denominator: Denominator
    tissue_px: int
    tissue_mm2: float | None
    threshold: float
    measure: Measure
    interval: TileInterval | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def row(self) -> dict[str, float | int | str | None]:
        """The numbers with all that they rest on, under the names of the measurement table."""
        interval, vectors = self.interval, self.measure.vectors
        return {
            "positive_area": self.positive_area,
            "positive_area_low": interval.low if interval else None,
            "positive_area_high": interval.high if interval else None,
            "positive_area_lower_threshold": self.lower_threshold,
            "positive_area_higher_threshold": self.higher_threshold,
            "positive_area_white_255": self.white_255,
            "mean_density": self.mean_density,
            "positive_density": self.positive_density,
            "h_score_px": self.h_score,
            "denominator": self.denominator.value,
            "tissue_density": self.measure.tissue_density,
            "tissue_px": self.tissue_px,
            "tissue_mm2": self.tissue_mm2,
            "threshold": self.threshold,
            "white": " ".join(f"{value:.1f}" for value in self.measure.white.level),
            "white_source": self.measure.white.source.value,
            "stain_vectors": vectors.name,
            "hematoxylin_vector": " ".join(f"{value:.5f}" for value in vectors.hematoxylin),
            "dab_vector": " ".join(f"{value:.5f}" for value in vectors.dab),
            "flags": " ".join(flag.name for flag in self.flags),
        }


def compute_positivity(
    histogram: DensityHistogram,
    settings: AreaSettings = AREA,
    *,
    um_per_px: float | None = None,
    interval: TileInterval | None = None,
    flags: tuple[Flag, ...] = (),
) -> Positivity:
    """Return the numbers of a region.

    Parameters
    ----------
    histogram
        Of all its pixels.
    settings
        Threshold, grades and denominator.
    um_per_px
        Micrometres per pixel of the level that was read; None leaves out what is per mm².
    interval
        Of the positive area over tiles.
    flags
        What is known to be doubtful; those of the white are added, and ``no_tissue`` where nothing was counted.

    Examples
    --------
    >>> import numpy as np
    >>> from rarefactor.pathology._histogram import compute_histogram
    >>> from rarefactor.pathology._lookup import compute_lookup
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> field = np.full((2, 2, 3), 240, dtype=np.uint8)
    >>> field[0] = (129, 60, 36)
    >>> table = compute_lookup(White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN))
    >>> found = compute_positivity(compute_histogram(field, table), um_per_px=0.5)
    >>> found.positive_area, found.h_score, found.tissue_mm2
    (1.0, 300.0, 5e-07)
    """
    threshold, whole = settings.threshold, settings.denominator is Denominator.SECTION
    tissue = histogram.pixels if whole else histogram.tissue
    empty = () if tissue else (warn("no_tissue", "No pixel is dense enough for tissue: nothing was measured."),)
    return Positivity(
        positive_area=histogram.compute_share(threshold, of_all=whole),
        lower_threshold=histogram.compute_share(threshold - STEP, of_all=whole),
        higher_threshold=histogram.compute_share(threshold + STEP, of_all=whole),
        white_255=histogram.compute_share(threshold, white_255=True, of_all=whole),
        mean_density=histogram.compute_mean(),
        positive_density=histogram.compute_mean(above=threshold),
        h_score=100 * sum(histogram.compute_share(grade, of_all=whole) for grade in settings.grades),
        denominator=settings.denominator,
        tissue_px=tissue,
        tissue_mm2=None if um_per_px is None else tissue * um_per_px**2 / 1e6,
        threshold=threshold,
        measure=histogram.measure,
        interval=interval,
        flags=tuple(dict.fromkeys((*flags, *histogram.measure.white.flags, *empty))),
    )
