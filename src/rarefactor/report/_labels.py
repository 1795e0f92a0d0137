"""What the text calls tables and figures."""

from __future__ import annotations

from rarefactor.report._words import Words
from rarefactor.report.tree import Figure, Inline, Runs, Table

_WORDS = Words("labels")


def label_block(block: Table | Figure) -> str:
    """Return what the text calls a table or a figure.

    Examples
    --------
    >>> label_block(Table(name="t", number=2, caption="", header=(), rows=(), widths=()))
    'Table 2'
    """
    return label_table(block.number) if isinstance(block, Table) else _WORDS.text("figure", number=block.number)


def label_table(number: int) -> str:
    """Return what the text calls the table with this number."""
    return _WORDS.text("table", number=number)


def label_runs(block: Table | Figure, number: Inline) -> Runs:
    """Return what the text calls a table or a figure, around a number that a writer knows again."""
    return _WORDS.runs("table", number=number) if isinstance(block, Table) else _WORDS.runs("figure", number=number)
