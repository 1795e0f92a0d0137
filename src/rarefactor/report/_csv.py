"""The tables of the report as CSV files, for those who set them anew.

Convention: UTF-8 with a byte order mark (spreadsheets need it), one header row, the text as the report shows it. A cell
that a spreadsheet would take for a formula is quoted with an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from rarefactor.report.tree import Row, Table, text_of


def write_csv(table: Table) -> bytes:
    r"""Return a table as CSV.

    Examples
    --------
    >>> from rarefactor.report.tree import Cell, Row, Text
    >>> cells = tuple(Cell(runs=(Text(text),)) for text in ("=1+1", "2.10 (1.45–3.04)"))
    >>> table = Table(name="t", number=1, caption="", header=(Row(cells=cells),), rows=(), widths=(1, 1))
    >>> write_csv(table).decode("utf-8-sig")
    "'=1+1,2.10 (1.45–3.04)\r\n"
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_header(table.header))
    writer.writerows([_quoted(text) for text in _texts(row, repeat=False)] for row in table.rows)
    return buffer.getvalue().encode("utf-8-sig")


def _header(rows: Sequence[Row]) -> list[str]:
    """Return one header row: what stands above a column and its own head, joined."""
    columns = zip(*(_texts(row, repeat=True) for row in rows), strict=True)
    return [_quoted(": ".join(text for text in column if text)) for column in columns]


def _texts(row: Row, *, repeat: bool) -> list[str]:
    """Return the text of each column; a cell over several stands in each of them (``repeat``) or in the first."""
    texts = [(text_of(cell.runs).replace("\n", " "), cell.span) for cell in row.cells]
    return [text if repeat or not place else "" for text, span in texts for place in range(span)]


def _quoted(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
