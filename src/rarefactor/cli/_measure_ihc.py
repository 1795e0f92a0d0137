"""What ``rarefactor measure ihc`` does: stained sections without a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import RenderableType
from rich.text import Text

from rarefactor import pathology
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._measure import Asked
from rarefactor.cli._watch import Terminal
from rarefactor.work import Silent, Workers, claim_folder

_SHOWN = 24
_PLACES = (("tables", "measurements"), ("pictures", "overlays"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stained:
    """What the slides are stained for, how the stain is read, and where."""

    stain: str | None
    regions: str | None
    reading: pathology.Reading
    um_per_px: float | None


def measure_ihc(asked: Asked, stained: Stained, out: Path) -> bool:
    """Measure slides, write tables and pictures, and return whether a slide failed.

    Raises
    ------
    ImageError, OutputError
        There is nothing to measure, or the folder cannot be written.
    """
    with claim_folder(out) as claim:
        results = _measure(_plan(asked, stained), asked)
        claim.write(pathology.write_output(results))
    if not asked.quiet:
        places = draw_pairs((name, str((out / folder).absolute())) for name, folder in _PLACES)
        console = read_console()
        for part in (*draw_results(results), places):
            console.print(part)
    return any(result.failures for result in results)


def _plan(asked: Asked, stained: Stained) -> pathology.Plan:
    """Return the slides, each stain of which is read the same way."""
    settings = pathology.Settings(um_per_px=stained.um_per_px)
    found = pathology.plan_folder(
        asked.folder, settings, layout=asked.layout, stain=stained.stain, regions=stained.regions
    )
    readings = {each.stain: stained.reading for each in found.slides}
    return pathology.Plan(
        slides=found.slides, settings=pathology.Settings(readings=readings, um_per_px=stained.um_per_px)
    )


def _measure(plan: pathology.Plan, asked: Asked) -> tuple[pathology.SlideResult, ...]:
    workers = Workers(processes=asked.workers, cluster=asked.cluster)
    if asked.quiet:
        return pathology.measure_folder(plan, workers=workers, progress=Silent())
    with Terminal(read_console(stderr=True)) as watcher:
        return pathology.measure_folder(plan, workers=workers, progress=watcher)


def draw_results(results: Sequence[pathology.SlideResult]) -> Iterator[RenderableType]:
    """Yield the value of each region, and what failed."""
    tables = [result.rows for result in results if result.rows.height]
    rows = pl.concat(tables).rows(named=True) if tables else []
    columns = ["slide", "stain", "region", "area %", "cells/mm²", "positive/mm²", "H-score", "flags"]
    shown = [
        [
            row["patient"],
            row["stain"],
            row["region"],
            _say(row["positive_area"], 100.0),
            _say(row["cells_per_mm2"]),
            _say(row["positive_per_mm2"]),
            _say(row["h_score"] if row["h_score"] is not None else row["h_score_px"]),
            row["flags"].replace("; ", ", "),
        ]
        for row in rows[:_SHOWN]
    ]
    yield draw_table(columns, shown, right=columns[3:7])
    if len(rows) > _SHOWN:
        yield Text(f"and {len(rows) - _SHOWN} more")
    for failure in (failure for result in results for failure in result.failures):
        yield Text(f"{failure.patient}: {failure.problem}", style="red")


def _say(value: float | None, factor: float = 1.0) -> str:
    return "" if value is None or value != value else f"{factor * value:.1f}"  # noqa: PLR0124 - NaN is not itself
