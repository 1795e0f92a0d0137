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

if TYPE_CHECKING:
    from rarefactor.study import Checked

_ROWS_SHOWN = 5


def draw_findings(checked: Checked) -> Iterator[RenderableType]:
    """Yield the parts of the page, in order."""
    yield Text(checked.study.title, style="bold")
    yield draw_table(["table", "rows", "patients", "columns"], _tables(checked), right=["rows", "patients", "columns"])
    if checked.cohort.failures.height:
        columns = ["file", "column", "rule", "count", "rows"]
        yield draw_table(columns, tabulate_findings(checked.cohort.failures), right=["count"])
    yield draw_table(["landmark", "patients", "with outcome", "events"], _landmarks(checked), right=_COUNTS)
    notes = [note.text for note in checked.table.notes]
    yield draw_pairs((("note" if index == 0 else "", text) for index, text in enumerate(notes)))


_COUNTS = ("patients", "with outcome", "events")


def tabulate_findings(failures: pl.DataFrame) -> list[list[str]]:
    """Return file, column, rule, count and the first rows of each kind of finding, in the order of the data.

    Parameters
    ----------
    failures
        ``file``, ``row``, ``column``, ``rule``: one line per value that breaks a rule.

    Examples
    --------
    >>> tabulate_findings(pl.DataFrame({"file": ["a.csv"] * 2, "row": [2, 9], "column": ["age"] * 2,
    ...                                 "rule": ["range"] * 2}))
    [['a.csv', 'age', 'range', '2', '2, 9']]
    """
    groups = failures.group_by("file", "column", "rule", maintain_order=True).agg(pl.len(), pl.col("row").sort())
    return [
        [file or "", column or "", rule, str(count), _row_numbers([row for row in rows if row is not None])]
        for file, column, rule, count, rows in groups.iter_rows()
    ]


def _row_numbers(rows: Sequence[int]) -> str:
    shown = ", ".join(str(row) for row in rows[:_ROWS_SHOWN])
    return f"{shown}, ..." if len(rows) > _ROWS_SHOWN else shown


def _tables(checked: Checked) -> Iterator[list[str]]:
    for name, table in checked.cohort.tables.items():
        yield [name, str(table.frame.height), str(table.frame["subject"].n_unique()), str(len(table.fields))]


def _landmarks(checked: Checked) -> Iterator[list[str]]:
    for name, table in checked.table.landmarks.items():
        outcome = table.frame["outcome"]
        yield [name, str(len(outcome)), str(outcome.count()), str(int(outcome.sum() or 0))]
