"""What ``rarefactor check`` shows of images: scans and slides by visit, who has none, rows of tables that do not fit.

Convention: counts only; a row of a table is named by its number and column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from rarefactor import imaging, pathology
from rarefactor.cli._console import draw_pairs, draw_table
from rarefactor.errors import Problem

if TYPE_CHECKING:
    from rarefactor.study import Checked

_COLUMNS = ["images", "visit", "what", "patients", "files", "without"]
_ROWS_SHOWN = 30


def draw_images(checked: Checked) -> Iterator[RenderableType]:
    """Yield the tables of scans and slides, what has no patient or no row, and rows that do not fit."""
    patients = len(set(checked.cohort.pseudonyms.values()))
    scans, slides = checked.images.scans, checked.images.slides
    name_of = {
        kind: next(iter(held), "")
        for kind, held in (("scans", checked.study.imaging), ("slides", checked.study.pathology))
    }
    rows = [
        *(_list_scans(name_of["scans"], scans, patients) if scans else ()),
        *(_list_slides(name_of["slides"], slides, patients) if slides else ()),
    ]
    if rows:
        yield draw_table(_COLUMNS, rows, right=_COLUMNS[3:])
    left = [*(_tell_scans(scans) if scans else ()), *(_tell_slides(slides) if slides else ())]
    if left:
        yield draw_pairs(("images" if place == 0 else "", text) for place, text in enumerate(left))
    yield from _draw_problems(find_problems(checked))


def find_problems(checked: Checked) -> tuple[Problem, ...]:
    """Return the rows of tables beside images that do not fit and would be left out."""
    return checked.images.slides.problems if checked.images.slides else ()


def _list_scans(name: str, plan: imaging.Plan, patients: int) -> Iterator[list[str]]:
    visits = Counter(visit.visit for each in plan.patients for visit in each.visits)
    for visit, count in visits.items():
        yield [name, visit, "scan", str(count), str(count), str(patients - count)]


def _list_slides(name: str, plan: pathology.Plan, patients: int) -> Iterator[list[str]]:
    for (visit, stain), (held, files) in plan.counts.items():
        yield [name, visit, stain, str(held), str(files), str(patients - held)]
    for stain, count in sorted(Counter(each.stain for each in plan.controls).items()):
        yield [name, "", f"{stain}, control tissue", "", str(count), ""]
    scored = Counter((score.visit, score.stain) for score in plan.scores.scores) if plan.scores else Counter()
    for (visit, stain), count in sorted(scored.items()):
        own = {s.patient for s in plan.scores.scores if (s.visit, s.stain) == (visit, stain)} if plan.scores else ()
        yield [name, visit, f"{stain}, scores", str(len(own)), str(count), str(patients - len(own))]


def _tell_scans(plan: imaging.Plan) -> Iterator[str]:
    yield from _tell(plan.strangers, "folder", "of scans of nobody in the records")
    yield from _tell(plan.without, "patient", "of the records without a scan")
    yield from _tell(plan.masks_left, "mask", "without a scan")


def _tell_slides(plan: pathology.Plan) -> Iterator[str]:
    yield from _tell(plan.strangers, "patient", "with slides and not in the records")
    yield from _tell(plan.without if plan.slides else 0, "patient", "of the records without a slide")
    yield from _tell(plan.scored_strangers, "patient", "with scores and not in the records")
    yield from _tell(plan.unlisted, "slide", "not named in the manifest of staining runs")
    yield from _tell(plan.missing, "row", "of the manifest of staining runs without a slide")
    if plan.manifest:
        yield from (flag.detail for flag in plan.manifest.flags)


def _tell(number: int, noun: str, rest: str) -> Iterator[str]:
    if number:
        yield f"{number} {noun}{'' if number == 1 else 's'} {rest}"


def _draw_problems(problems: tuple[Problem, ...]) -> Iterator[RenderableType]:
    if not problems:
        return
    rows = [
        [each.file or "", str(each.row or ""), each.column or "", each.found, each.expected]
        for each in problems[:_ROWS_SHOWN]
    ]
    yield draw_table(["file", "row", "column", "found", "expected"], rows, right=["row"])
    more = f", the first {_ROWS_SHOWN} of them shown" if len(problems) > _ROWS_SHOWN else ""
    count = "1 row does not fit" if len(problems) == 1 else f"{len(problems)} problems in rows of these tables"
    yield Text(f"{count}{more}. A run leaves such rows out.", style="bold")
