"""What ``rarefactor measure ihc`` does: stained sections without a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from rarefactor import pathology
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._measure import Asked
from rarefactor.cli._watch import Terminal
from rarefactor.work import Silent, Workers, claim_folder

_SHOWN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Stained:
    """What the slides are stained for, how the stain is read, where, and what lies beside them."""

    stain: str | None
    regions: str | None
    reading: pathology.Reading
    um_per_px: float | None
    cells: bool = False
    beside: pathology.Beside = field(default_factory=pathology.Beside)


def measure_ihc(asked: Asked, stained: Stained, out: Path) -> bool:
    """Measure slides, write tables and pictures, and return whether a slide or a row of a table failed.

    Raises
    ------
    DataError, ImageError, OutputError
        There is nothing to measure, a table cannot be read, or the folder cannot be written.
    """
    with claim_folder(out) as claim:
        plan = _plan(asked, stained)
        found = _measure(plan, asked)
        claim.write(pathology.write_output(found))
    if not asked.quiet:
        console = read_console()
        for part in (*draw_results(plan, found), draw_pairs(_list_places(found, out))):
            console.print(part)
    return bool(plan.problems) or any(result.failures for result in found.all)


def _plan(asked: Asked, stained: Stained) -> pathology.Plan:
    """Return the slides, each stain of which is read the same way."""
    reading, settings = stained.reading, pathology.Settings(um_per_px=stained.um_per_px, outlines=stained.cells)
    named, content = pathology.resolve_detector(reading.detector, Path())
    reading = replace(reading, detector=named, detector_content=content)
    found = pathology.plan_folder(
        asked.folder,
        settings,
        layout=asked.layout,
        stain=stained.stain,
        regions=stained.regions,
        beside=stained.beside,
    )
    readings = {each.stain: reading for each in found.all}
    return replace(found, settings=replace(settings, readings=readings))


def _measure(plan: pathology.Plan, asked: Asked) -> pathology.Measurement:
    workers = Workers(processes=asked.workers, cluster=asked.cluster)
    if asked.quiet:
        return pathology.measure_folder(plan, workers=workers, progress=Silent())
    with Terminal(read_console(stderr=True)) as watcher:
        return pathology.measure_folder(plan, workers=workers, progress=watcher)


def draw_results(plan: pathology.Plan, found: pathology.Measurement) -> Iterator[RenderableType]:
    """Yield the value of each region, what failed, and what must be known of it."""
    rows = found.rows.rows(named=True)
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
    for failure in (failure for result in found.all for failure in result.failures):
        yield Text(f"{failure.patient}: {failure.problem}", style="red")
    for problem in plan.problems[:_SHOWN]:
        yield Text(str(problem), style="red")
    if plan.manifest or plan.scores:
        yield draw_pairs(("note" if place == 0 else "", text) for place, text in enumerate(pathology.tell(plan, found)))


def _list_places(found: pathology.Measurement, out: Path) -> Iterator[tuple[str, str]]:
    drawn = any(result.cells is not None for result in found.all)
    for name, folder in (
        ("tables", "measurements"),
        ("pictures", "overlays"),
        *([("cells", "cells")] if drawn else []),
    ):
        yield name, str((out / folder).absolute())


def _say(value: float | None, factor: float = 1.0) -> str:
    return "" if value is None or value != value else f"{factor * value:.1f}"  # noqa: PLR0124 - NaN is not itself
