"""Small tables that people keep beside the slides: readers' scores, the manifest of staining runs.

Convention: CSV in UTF-8, columns in any order and any case, comma or semicolon; where the semicolon parts columns, a
comma in a number is a decimal point. Row numbers are those of the file, the header being row 1.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rarefactor.errors import DataError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows by column, each with its number in the file; every value is text without space around it."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    decimal_comma: bool = False

    def number(self, text: str) -> float | None:
        """Return a finite number, or None where the text is none."""
        try:
            value = float(text.replace(",", ".", 1) if self.decimal_comma else text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None


def read_table(path: Path, required: Sequence[str], what: str) -> Table:
    """Read a table that has at least these columns; rows that are empty throughout are left out.

    Raises
    ------
    DataError
        No such file, no text, or a column is missing or stands twice.
    """
    text = _read_text(path, what)
    lines = text.splitlines()
    semicolon = bool(lines) and lines[0].count(";") > lines[0].count(",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if semicolon else ",")
    try:
        cells = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise DataError(_unreadable(path, "text that is no table", what)) from error
    columns = tuple(cell.casefold() for cell in cells[0][1]) if cells else ()
    _check_columns(path, columns, required)
    rows = tuple(
        (number, dict(zip(columns, [*row, *[""] * len(columns)], strict=False)))
        for number, row in cells[1:]
        if any(row)
    )
    return Table(file=path.name, columns=columns, rows=rows, decimal_comma=semicolon)


def _read_text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = "a file that cannot be read as text" if path.is_file() else "no such file"
        raise DataError(_unreadable(path, found, what)) from error


def _unreadable(path: Path, found: str, what: str) -> Problem:
    return Problem(
        file=path.name,
        found=found,
        expected=f"{what}, CSV in UTF-8",
        next_step="Check the path, or save the table again as CSV (UTF-8).",
    )


def _check_columns(path: Path, columns: Sequence[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in columns]
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if missing or twice:
        found = f"no column {', '.join(missing)}" if missing else f"more than one column {', '.join(twice)}"
        raise DataError(
            Problem(
                file=path.name,
                found=found,
                expected=f"the columns {', '.join(required)}, once each",
                next_step="Name the columns so in the first row.",
            )
        )
