"""What the blocks of a slide add up to: a row for each region, with all that its numbers rest on.

Convention: shares are 0 to 1; per mm² is over tissue, for cells over tissue in focus. Where the size of a pixel is not
known nothing is given per mm².
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from rarefactor import __version__
from rarefactor.errors import Problem
from rarefactor.pathology._block import COARSE, Part
from rarefactor.pathology._bootstrap import TileInterval, compute_tile_interval
from rarefactor.pathology._cells import compute_summary
from rarefactor.pathology._flag import warn
from rarefactor.pathology._lookup import LOWEST, WIDTH
from rarefactor.pathology._positivity import compute_positivity
from rarefactor.pathology._settings import Reading, Settings, SlideFile
from rarefactor.pathology._survey import Survey
from rarefactor.results import Flag

_SEED = 20
Value = str | int | float | None
_TEXTS = (
    "patient", "visit", "stain", "slide", "region", "denominator", "white", "white_source", "stain_vectors",
    "hematoxylin_vector", "dab_vector", "measure", "compartment", "um_per_px_source", "reader", "slide_sha256",
    "version", "flags",
)  # fmt: skip
_COUNTS = ("tissue_px", "cells", "positive_cells")
COLUMNS = (
    "patient", "visit", "stain", "slide", "region", "measure", "positive_area", "positive_area_low",
    "positive_area_high", "positive_area_lower_threshold", "positive_area_higher_threshold",
    "positive_area_white_255", "mean_density", "positive_density", "h_score_px", "cells", "positive_cells",
    "positive_share", "cells_per_mm2", "positive_per_mm2", "h_score", "counted_mm2", "denominator", "tissue_px",
    "tissue_mm2", "threshold", "compartment", "white", "white_source", "stain_vectors", "hematoxylin_vector",
    "dab_vector", "dab_angle", "residual", "excluded_share", "um_per_px", "um_per_px_source", "downsample", "reader",
    "slide_sha256", "version", "flags",
)  # fmt: skip
SCHEMA = pl.Schema(
    {name: pl.String if name in _TEXTS else pl.Int64 if name in _COUNTS else pl.Float64 for name in COLUMNS}
)
"""The table of measurements: a row for each region of a slide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A slide that was not measured, and why."""

    patient: str
    visit: str
    stain: str
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlideResult:
    """One slide: its rows, or why there are none; the histogram, pictures and cells (GeoJSON) of what was measured."""

    file: SlideFile
    rows: pl.DataFrame
    failures: tuple[Failure, ...] = ()
    total: Part | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    thumbnail: bytes | None = None
    cells: bytes | None = None

    @property
    def positive_area(self) -> float | None:
        """Share of the tissue of all regions that is positive, 0 to 1; None where nothing was measured."""
        pixels = self.rows["tissue_px"].to_numpy().astype(np.float64)
        if not pixels.sum():
            return None
        held = pixels > 0
        return float(np.average(self.rows["positive_area"].to_numpy()[held], weights=pixels[held]))


def measure_regions(
    file: SlideFile, survey: Survey, parts: Mapping[str, Part], settings: Settings, flags: Sequence[Flag] = ()
) -> pl.DataFrame:
    """Return a row for each region of a slide."""
    rows = [_measure(file, survey, name, part, settings, flags) for name, part in parts.items()]
    return pl.DataFrame(rows, schema=SCHEMA)


def make_failures(file: SlideFile, problems: Sequence[Problem]) -> tuple[Failure, ...]:
    """Return why a slide was not measured, without its patient's own id."""
    return tuple(
        Failure(
            patient=file.patient,
            visit=file.visit,
            stain=file.stain,
            problem=Problem(
                file=file.hide(each.file or file.path.name),
                found=file.hide(each.found),
                expected=each.expected,
                next_step=each.next_step,
            ),
        )
        for each in problems
    )


def _measure(
    file: SlideFile, survey: Survey, region: str, part: Part, settings: Settings, flags: Sequence[Flag]
) -> dict[str, Any]:
    reading = settings.reading(file.stain)
    found = compute_positivity(
        part.histogram,
        reading.area,
        um_per_px=survey.um_per_px,
        interval=compute_interval(part, reading, settings.level),
        flags=(*survey.flags, *flags),
    )
    cells, more = _measure_cells(part, survey, reading)
    named = {
        "patient": file.patient,
        "visit": file.visit,
        "stain": file.stain,
        "slide": file.hide(file.path.name),
        "region": file.hide(region),
        **_provenance(survey, reading),
    }
    words = [flag.name for flag in (*found.flags, *more)]
    return {**named, **found.row, **cells, "flags": "; ".join(dict.fromkeys(words))}


def compute_interval(part: Part, reading: Reading, level: float) -> TileInterval:
    """Return the share of positive tissue with its interval over squares; the threshold is taken to 0.01."""
    first = round((reading.threshold - LOWEST) / (WIDTH * COARSE))
    above = part.squares[:, first:].sum(axis=1)
    tissue = part.pixels if reading.counts_section else part.squares.sum(axis=1)
    rng = np.random.default_rng(_SEED)
    return compute_tile_interval(above.astype(np.int64), tissue.astype(np.int64), rng=rng, level=level)


def _measure_cells(part: Part, survey: Survey, reading: Reading) -> tuple[dict[str, Value], tuple[Flag, ...]]:
    if part.cells is None:
        known = survey.um_per_px is not None
        why = "Pixels are too coarse for single nuclei." if known else "The size of a pixel is not known."
        withheld = (warn("cells_withheld", why),) if reading.measure == "cells" else ()
        return {}, withheld
    um = survey.um_per_px or 0.0
    area = part.in_focus[reading.counts_section] * um**2 / 1e6
    found = compute_summary(part.cells, reading.compartment, thresholds=reading.grades, area_mm2=area or None)
    blurred = part.histogram.tissue - part.in_focus[0]
    share = blurred / part.histogram.tissue if part.histogram.tissue else 0.0
    flag = warn("blur", f"{100 * share:.0f}% of the tissue is out of focus: cells are not counted there.")
    return {
        "cells": found.cells,
        "positive_cells": found.positive,
        "positive_share": found.positive_share,
        "cells_per_mm2": found.cells_per_mm2,
        "positive_per_mm2": found.positive_per_mm2,
        "h_score": found.h_score,
        "counted_mm2": area,
        "compartment": reading.compartment.value,
    }, ((flag,) if share >= 0.05 else ())


def _provenance(survey: Survey, reading: Reading) -> dict[str, Value]:
    excluded = sum(share for name, share in survey.shares.items() if name != "saturation")
    return {
        "measure": reading.measure,
        "dab_angle": survey.dab_angle,
        "residual": survey.residual,
        "excluded_share": min(1.0, excluded),
        "um_per_px": survey.um_per_px,
        "um_per_px_source": survey.microns.source if survey.microns else None,
        "downsample": survey.downsample,
        "reader": survey.reader,
        "slide_sha256": survey.sha256,
        "version": __version__,
    }
