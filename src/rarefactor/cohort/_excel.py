"""Workbooks as rows of text.

Convention: a cell is what Excel shows of its stored value: a number as it was typed, a date as YYYY-MM-DD. A formula
counts by its stored result; without one it is a failure, never an empty cell. Colours are noticed and not read.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

import polars as pl

from rarefactor.cohort._file import DataFile
from rarefactor.cohort._grid import Grid, clean, column_letters, read_header
from rarefactor.cohort._model import FAILURES, shorten
from rarefactor.errors import DataError, Problem, suggest
from rarefactor.spec import Source

_LOOK_FOR_HEADER = 50
_BLACK = {"FF000000", "00000000"}
_SPREADSHEET_ERROR = re.compile(r"^#(N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!)$")


@dataclass(slots=True)
class _Sheet:
    """What one pass over a sheet gathers."""

    rows: list[list[str]] = field(default_factory=list[list[str]])
    formulas: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    colours: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    merged: tuple[tuple[int, int, int, int], ...] = ()


def read_workbook(file: DataFile, source: Source, wanted: Sequence[str]) -> Grid:
    """Read a sheet of a workbook; ``wanted`` are names that tell the header row, the subject column first.

    Raises
    ------
    DataError
        The workbook is damaged, the sheet is not there (the nearest name is offered), or the header row is not.
    """
    sheet = _read_sheet(file, source, wanted)
    header = read_header(file, sheet.rows[: max(source.header, _LOOK_FOR_HEADER)], source.header, wanted)
    _pad(sheet.rows, len(header))
    return Grid(
        file=file,
        header=header,
        header_row=source.header,
        rows=lambda: iter(sheet.rows[source.header :]),
        notes=tuple(_notes(file, sheet, header, source.header)),
        failures=_failures(file, sheet, header, source.header),
    )


def _read_sheet(file: DataFile, source: Source, wanted: Sequence[str]) -> _Sheet:
    from openpyxl import load_workbook  # noqa: PLC0415 - only those who have a workbook wait for it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl names features of the workbook that hold no data
            values: Any = load_workbook(file.path, read_only=True, data_only=True)
            formulas: Any = load_workbook(file.path, read_only=True)
            name = _sheet_name(file, source, values, wanted)
            sheet = _gather(values[name], formulas[name])
            sheet.merged = _merged(file, values[name])
    except DataError:
        raise
    except Exception as error:  # a damaged workbook fails anywhere in unpacking, XML or openpyxl
        raise DataError(
            Problem(
                file=file.name,
                found=f"a workbook that cannot be opened ({type(error).__name__})",
                expected="an Excel workbook (.xlsx)",
                next_step="Open it in Excel and save it again as .xlsx, or as CSV UTF-8.",
            )
        ) from error
    values.close()
    formulas.close()
    return sheet


def _sheet_name(file: DataFile, source: Source, book: Any, wanted: Sequence[str]) -> str:
    names: list[str] = list(book.sheetnames)
    if source.sheet in names:
        return source.sheet or ""
    if source.sheet is None and len(names) == 1:
        return names[0]
    likely = max(names, key=lambda name: _known_names(book[name], wanted))
    raise DataError(
        Problem(
            file=file.name,
            key="sheet",
            found=f"no sheet called {source.sheet}" if source.sheet else f"{len(names)} sheets and none named",
            expected=f"one of {shorten(names)}",
            next_step=suggest(source.sheet, names) if source.sheet else f"Write `sheet: {likely}`.",
        )
    )


def _known_names(sheet: Any, wanted: Sequence[str]) -> int:
    """Return how many of the wanted names stand in the row of the sheet that has most of them."""
    rows = sheet.iter_rows(max_row=_LOOK_FOR_HEADER, values_only=True)
    return max((len({clean(cell) for cell in row if isinstance(cell, str)} & set(wanted)) for row in rows), default=0)


def _gather(values: Any, formulas: Any) -> _Sheet:
    sheet = _Sheet()
    values.reset_dimensions()
    formulas.reset_dimensions()
    for number, (stored, written) in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=True), start=1):
        sheet.rows.append([_text(cell.value) for cell in stored])
        for index, (cell, formula) in enumerate(zip(stored, written, strict=True)):
            if formula.data_type == "f" and (cell.value is None or _SPREADSHEET_ERROR.match(str(cell.value))):
                sheet.formulas.append((number, index, str(formula.value)))
            if cell.value is not None and (colour := _colour(cell)):
                sheet.colours.setdefault(index, set()).add(colour)
    return sheet


def _text(value: Any) -> str:
    """Return a stored value as it reads; a whole number has no decimal point, a day no time."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("\u00a0", " ")


def _colour(cell: Any) -> str:
    """Return the colour of a cell or its letters, empty for black on white and for colours of the theme."""
    fill = cell.fill.fgColor.rgb if cell.fill is not None and cell.fill.fill_type == "solid" else None
    font = cell.font.color.rgb if cell.font is not None and cell.font.color is not None else None
    return "/".join(colour for colour in (fill, font) if isinstance(colour, str) and colour not in _BLACK)


def _merged(file: DataFile, sheet: Any) -> tuple[tuple[int, int, int, int], ...]:
    """Return first column, first row, last column and last row of each merged range; read-only sheets do not tell."""
    from openpyxl.utils.cell import range_boundaries  # noqa: PLC0415 - only those who have a workbook wait for it

    with zipfile.ZipFile(file.path) as archive:
        markup = archive.read(sheet._worksheet_path)  # noqa: SLF001 - openpyxl does not say it otherwise
    bounds: list[Any] = [range_boundaries(ref.decode()) for ref in re.findall(rb'<mergeCell ref="([^"]+)"', markup)]
    return tuple((bound[0], bound[1], bound[2], bound[3]) for bound in bounds)


def _pad(rows: list[list[str]], width: int) -> None:
    for row in rows:
        row.extend([""] * (width - len(row)))


def _notes(file: DataFile, sheet: _Sheet, header: Sequence[str], header_row: int) -> Iterator[str]:
    below = sheet.rows[header_row:]
    unnamed = [index for index, name in enumerate(header) if not name]
    used = [index for index in unnamed if any(row[index].strip() for row in below)]
    empty = [column_letters(index) for index in unnamed if index not in used]
    if empty:
        yield f"{file.name}: empty columns left out: {shorten(empty)}."
    if used:
        letters = [column_letters(index) for index in used]
        yield f"{file.name}: columns without a name are not read: {shorten(letters)}."
    colours = _colour_coded(sheet.colours, header)
    if colours:
        yield f"{file.name}: colours are not read; what they mean needs a column of its own: {shorten(colours)}."
    if any(last_row > header_row for *_, last_row in sheet.merged):
        yield f"{file.name}: there are merged cells below the header."


def _colour_coded(colours: Mapping[int, set[str]], header: Sequence[str]) -> list[str]:
    return [header[index] for index in sorted(colours) if index < len(header) and header[index]]


def _failures(file: DataFile, sheet: _Sheet, header: Sequence[str], header_row: int) -> pl.DataFrame:
    cells = [(row, index, "formula", text) for row, index, text in sheet.formulas]
    for left, top, right, bottom in sheet.merged:
        covered = [(row, index) for row in range(top, bottom + 1) for index in range(left - 1, right)]
        cells += [(row, index, "merged", "") for row, index in covered[1:]]
    named = [cell for cell in cells if cell[0] > header_row and cell[1] < len(header) and header[cell[1]]]
    rows = [("", file.name, row, header[index], rule, text) for row, index, rule, text in named]
    return pl.DataFrame(rows, schema=FAILURES, orient="row")
