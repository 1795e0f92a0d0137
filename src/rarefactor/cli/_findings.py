"""What ``rarefactor check`` shows: what was read, the findings by file, column and rule, the notes, the flow.

Convention: findings are counts and row numbers. The values themselves stay in the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl
from rich.console import RenderableType
from rich.text import Text

from rarefactor.cli._console import draw_pairs, draw_table
from rarefactor.findings import list_findings, list_landmarks, list_tables

if TYPE_CHECKING:
    from rarefactor.study import Checked

_ROWS_SHOWN = 5
_COUNTS = ("with outcome", "events")


def draw_failures(failures: pl.DataFrame) -> Iterator[RenderableType]:
    """Yield the table of findings and their number."""
    if failures.height:
        columns = ["file", "column", "rule", "expected", "count", "rows"]
        rows = (
            [each.file, each.column, each.rule, each.expected, str(each.count), _row_numbers(each.rows)]
            for each in list_findings(failures)
        )
        yield draw_table(columns, rows, right=["count"])
        count = "1 finding" if failures.height == 1 else f"{failures.height} findings"
        yield Text(f"{count}. A run leaves these values out.", style="bold")
    else:
        yield Text("Nothing found: every value fits its dictionary.", style="bold")


def draw_study(checked: Checked) -> Iterator[RenderableType]:
    """Yield what was read and who is left at each landmark."""
    tables = ([each.name, str(each.rows), str(each.patients), str(each.columns)] for each in list_tables(checked))
    marks = ([each.name, str(each.patients), str(each.known), str(each.events)] for each in list_landmarks(checked))
    yield Text(checked.study.title, style="bold")
    yield draw_table(["table", "rows", "patients", "columns"], tables, right=["rows", "patients", "columns"])
    yield draw_table(["landmark", "patients", *_COUNTS], marks, right=["patients", *_COUNTS])


def draw_notes(notes: Sequence[str]) -> RenderableType:
    """Return the notes, one below the other."""
    return draw_pairs((("note" if index == 0 else "", text) for index, text in enumerate(notes)))


def _row_numbers(rows: Sequence[int]) -> str:
    known = [str(row) for row in rows]
    return ", ".join([*known[:_ROWS_SHOWN], "..."] if len(known) > _ROWS_SHOWN else known)
