"""What ``rarefactor measure`` does: images without a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from rarefactor import imaging
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._watch import Terminal
from rarefactor.errors import InputError, Problem
from rarefactor.work import Silent, Workers, claim_folder

_SHOWN = 24
_PLACES = (("tables", "measurements"), ("pictures", "overlays"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for: where scans and masks lie, months of the visits, and how it is shown."""

    folder: Path
    layout: str | None = None
    masks: str | None = None
    months: Sequence[str] = ()
    workers: int = 1
    cluster: str | None = None
    quiet: bool = False


def measure_mri(asked: Asked, settings: imaging.Settings, out: Path) -> bool:
    """Measure a folder of scans, write tables and pictures, and return whether a scan failed.

    Raises
    ------
    ImageError, InputError, OutputError
        There is nothing to measure, a month is not a number, or the folder cannot be written.
    """
    months = dict(read_month(text) for text in asked.months)
    with claim_folder(out) as claim:
        plan = imaging.plan_folder(asked.folder, settings, layout=asked.layout, masks=asked.masks, months=months)
        results = _measure(plan, asked)
        claim.write(imaging.write_output(results))
    if not asked.quiet:
        places = draw_pairs((name, str((out / folder).absolute())) for name, folder in _PLACES)
        _show(*draw_results(results), *_tell_left(plan.masks_left), places)
    return any(result.failures for result in results)


def _measure(plan: imaging.Plan, asked: Asked) -> tuple[imaging.PatientResult, ...]:
    workers = Workers(processes=asked.workers, cluster=asked.cluster)
    if asked.quiet:
        return imaging.measure_folder(plan, workers=workers, progress=Silent())
    with Terminal(read_console(stderr=True)) as watcher:
        return imaging.measure_folder(plan, workers=workers, progress=watcher)


def read_month(text: str) -> tuple[str, float]:
    """Return a visit and its month.

    Examples
    --------
    >>> read_month("month_3=3")
    ('month_3', 3.0)
    """
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        step = "Write it such as --month baseline=0 --month month_3=3."
        raise InputError(Problem(found=f"--month {text}", expected="visit=month", next_step=step)) from None


def draw_results(results: Sequence[imaging.PatientResult]) -> Iterator[RenderableType]:
    """Yield the thigh of each scan, the rates, and what failed."""
    rows = [row for result in results for row in _thighs(result)]
    columns = ["patient", "visit", "right %", "left %", "both %", "flags"]
    yield draw_table(columns, rows[:_SHOWN], right=columns[2:5])
    if len(rows) > _SHOWN:
        yield Text(f"and {len(rows) - _SHOWN} more")
    failures = [failure for result in results for failure in result.failures]
    for failure in failures:
        yield Text(f"{failure.patient}, {failure.visit}: {failure.problem}", style="red")


def _tell_left(masks: int) -> Iterator[RenderableType]:
    if masks:
        yield Text(f"{masks} masks have no scan beside them and were left out.", style="yellow")


def _thighs(result: imaging.PatientResult) -> Iterator[list[str]]:
    for key, rows in _by_visit(result).items():
        sides = {row["side"]: row["fat_fraction"] for row in rows}
        shown = [
            "" if (value := sides.get(side)) is None else f"{100 * value:.1f}" for side in ("right", "left", "both")
        ]
        yield [result.patient, key, *shown, rows[0]["flags"].replace("; ", ", ")]


def _by_visit(result: imaging.PatientResult) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in result.measurements.iter_rows(named=True):
        if row["muscle"] == "thigh":
            found.setdefault(row["visit"], []).append(row)
    return found


def _show(*parts: RenderableType) -> None:
    console = read_console()
    for part in parts:
        console.print(part)
