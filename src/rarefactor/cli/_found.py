"""What ``rarefactor check`` shows of images: scans and slides by visit, who has none, rows of tables that do not fit.

Convention: counts only; a row of a table is named by its number and column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from rarefactor.cli._console import draw_pairs, draw_table
from rarefactor.errors import Problem
from rarefactor.findings import ImagesFound, find_problems, list_images, tell_images

if TYPE_CHECKING:
    from rarefactor.study import Checked

_COLUMNS = ["images", "visit", "what", "patients", "files", "without"]
_ROWS_SHOWN = 30


def draw_images(checked: Checked) -> Iterator[RenderableType]:
    """Yield the tables of scans and slides, what has no patient or no row, and rows that do not fit."""
    rows = [_row(each) for each in list_images(checked)]
    if rows:
        yield draw_table(_COLUMNS, rows, right=_COLUMNS[3:])
    left = tell_images(checked)
    if left:
        yield draw_pairs(("images" if place == 0 else "", text) for place, text in enumerate(left))
    yield from _draw_problems(find_problems(checked))


def _row(found: ImagesFound) -> list[str]:
    counts = (found.patients, found.files, found.without)
    return [found.name, found.visit, found.what, *("" if count is None else str(count) for count in counts)]


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
