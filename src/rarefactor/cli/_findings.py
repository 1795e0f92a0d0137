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
from rarefactor.cohort import RULES

if TYPE_CHECKING:
    from rarefactor.study import Checked

_ROWS_SHOWN = 5
_COUNTS = ("with outcome", "events")


def draw_failures(failures: pl.DataFrame) -> Iterator[RenderableType]:
    """Yield the table of findings and their number."""
    if failures.height:
        columns = ["file", "column", "rule", "expected", "count", "rows"]
        yield draw_table(columns, tabulate_failures(failures), right=["count"])
        count = "1 finding" if failures.height == 1 else f"{failures.height} findings"
        yield Text(f"{count}. A run leaves these values out.", style="bold")
    else:
        yield Text("Nothing found: every value fits its dictionary.", style="bold")


def draw_study(checked: Checked) -> Iterator[RenderableType]:
    """Yield what was read and who is left at each landmark."""
    yield Text(checked.study.title, style="bold")
    yield draw_table(["table", "rows", "patients", "columns"], _tables(checked), right=["rows", "patients", "columns"])
    yield draw_table(["landmark", "patients", *_COUNTS], _landmarks(checked), right=["patients", *_COUNTS])


def draw_notes(notes: Sequence[str]) -> RenderableType:
    """Return the notes, one below the other."""
    return draw_pairs((("note" if index == 0 else "", text) for index, text in enumerate(notes)))


def tabulate_failures(failures: pl.DataFrame) -> list[list[str]]:
    """Return file, column, rule, what it expects, count and the first rows of each kind of finding.

    Parameters
    ----------
    failures
        ``file``, ``row``, ``column``, ``rule``: one line per value that breaks a rule.

    Examples
    --------
    >>> tabulate_failures(pl.DataFrame({"file": ["a.csv"] * 2, "row": [2, 9], "column": ["age"] * 2,
    ...                                 "rule": ["range"] * 2}))
    [['a.csv', 'age', 'range', 'a value within the declared limits', '2', '2, 9']]
    """
    groups = failures.group_by("file", "column", "rule", maintain_order=True).agg(pl.len(), pl.col("row").sort())
    return [
        [file or "", column or "", rule, RULES.get(rule, ""), str(count), _row_numbers(rows)]
        for file, column, rule, count, rows in groups.iter_rows()
    ]


def _row_numbers(rows: Sequence[int | None]) -> str:
    known = [str(row) for row in rows if row is not None]
    return ", ".join([*known[:_ROWS_SHOWN], "..."] if len(known) > _ROWS_SHOWN else known)


def _tables(checked: Checked) -> Iterator[list[str]]:
    for name, table in checked.cohort.tables.items():
        yield [name, str(table.frame.height), str(table.frame["subject"].n_unique()), str(len(table.fields))]


def _landmarks(checked: Checked) -> Iterator[list[str]]:
    for name, table in checked.table.landmarks.items():
        outcome = table.frame["outcome"]
        yield [name, str(len(outcome)), str(outcome.count()), str(int(outcome.sum() or 0))]
