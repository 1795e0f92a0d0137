"""Rows of text from a file, in bounded memory.

Convention: a :class:`Grid` is a header and the records below it, every cell as text; row numbers are those that a
spreadsheet shows. Only the columns that are wanted are kept; of those that are only ``marked`` (identifiers), nothing
but the fact that they are filled.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import polars as pl

from rarefactor.cohort._file import DataFile, check_encoding
from rarefactor.cohort._model import FAILURES
from rarefactor.errors import DataError, Problem
from rarefactor.spec import Source

ROW = " row"  # headers are stripped, so no column of the data is called so
FILLED = "1"
_CELLS_PER_BATCH = 400_000
_MOST_PROBLEMS = 20
_LOOK_FOR_HEADER = 50
_DELIMITERS = ",;\t"

Rows = Iterator[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A header and what stands below it; ``rows`` starts again at the first record each time it is called."""

    file: DataFile
    header: tuple[str, ...]
    header_row: int
    rows: Callable[[], Rows]
    notes: tuple[str, ...] = ()
    failures: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FAILURES))


def clean(name: str) -> str:
    """Return a cell of a header without the blanks that nobody sees."""
    return " ".join(name.replace("\u00a0", " ").replace("\ufeff", "").split())


def read_delimited(file: DataFile, source: Source, wanted: Sequence[str], *, strict: bool = True) -> Grid:
    """Read the header of a delimited text file; ``wanted`` are names that tell the delimiter and the header row.

    Without ``strict``, quotation marks that do not match are left to whoever looks at the number of cells.

    Raises
    ------
    DataError
        The encoding is wrong, the header row is not there, or a quotation mark is never closed.
    """
    codec = check_encoding(file, source.encoding)
    delimiter = source.delimiter or _derive_delimiter(file, codec, source.header, wanted)

    def records() -> Rows:
        with file.path.open(encoding=codec, newline="") as stream:
            yield from _located(csv.reader(stream, delimiter=delimiter, strict=strict), file)

    top = list(islice(records(), max(source.header, _LOOK_FOR_HEADER)))
    header = read_header(file, top, source.header, wanted)
    return Grid(
        file=file,
        header=header,
        header_row=source.header,
        rows=lambda: islice(records(), source.header, None),
    )


def _located(reader: Rows, file: DataFile) -> Rows:
    row = 0
    try:
        for row, record in enumerate(reader, start=1):  # noqa: B007 - the error below needs the last row
            yield record
    except csv.Error as error:
        problem = Problem(
            file=file.name,
            row=row + 1,
            found=f"a row whose quotation marks do not match ({error})",
            expected="quoted cells that are closed",
            next_step="Open the file in a text editor at this row, or export it again.",
        )
        raise DataError(problem) from error


def _derive_delimiter(file: DataFile, codec: str, header: int, wanted: Sequence[str]) -> str:
    """Choose between comma, semicolon and tab by the header alone: the one that gives the most known names."""
    with file.path.open(encoding=codec, newline="") as stream:
        lines = list(islice(stream, header + 1))
    line = lines[min(header, len(lines)) - 1]

    def fit(delimiter: str) -> tuple[int, int]:
        cells = [clean(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
        return len(set(cells) & set(wanted)), len(cells)

    return max(_DELIMITERS, key=fit)


def read_header(file: DataFile, top: Sequence[Sequence[str]], row: int, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the header, or say which row looks like it.

    Raises
    ------
    DataError
        The row is not there, or it lacks the first of ``wanted`` while another row has it.
    """
    names = tuple(clean(cell) for cell in top[row - 1]) if row <= len(top) else ()
    if wanted and wanted[0] in names:
        return names
    for number, record in enumerate(top, start=1):
        if wanted and wanted[0] in [clean(cell) for cell in record]:
            raise DataError(
                _not_the_header(file, row, f"Row {number} looks like the header: write `header: {number}`.")
            )
    if not any(names):
        raise DataError(_not_the_header(file, row, "Say with `header:` which row holds the names."))
    return names


def _not_the_header(file: DataFile, row: int, next_step: str) -> Problem:
    return Problem(
        file=file.name,
        row=row,
        found="a row that does not hold the column names",
        expected="the names of the columns",
        next_step=next_step,
    )


def check_names(grid: Grid, names: Sequence[str]) -> tuple[Problem, ...]:
    """Return a problem for each wanted name that stands more than once in the header."""
    counts = Counter(grid.header)
    return tuple(
        Problem(
            file=grid.file.name,
            row=grid.header_row,
            column=name,
            found=f"the name {counts[name]} times (columns {_letters_of(grid.header, name)})",
            expected="a name that only one column has",
            next_step="Give each column a name of its own.",
        )
        for name in names
        if counts[name] > 1
    )


def _letters_of(header: Sequence[str], name: str) -> str:
    return ", ".join(column_letters(index) for index, cell in enumerate(header) if cell == name)


def column_letters(index: int) -> str:
    """Return the letters that a spreadsheet shows over a column, counted from 0.

    Examples
    --------
    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def read_frame(
    grid: Grid, columns: Sequence[str], marked: Sequence[str], watch: Callable[[int], None]
) -> tuple[pl.DataFrame, tuple[int, ...]]:
    """Read the wanted columns as text, with the row number; rows without any content are left out.

    Parameters
    ----------
    grid
        What to read.
    columns
        The columns to keep.
    marked
        The columns of which only is kept whether they are filled (``"1"`` or null).
    watch
        Is told the number of rows after each batch.

    Returns
    -------
    tuple
        The frame (row number first), and the numbers of the rows that are empty.

    Raises
    ------
    DataError
        A row has too many or too few cells.
    """
    parts, empty, problems = [_empty_frame(columns, marked)], list[int](), list[Problem]()
    row, rows = grid.header_row + 1, grid.rows()
    size = max(1, _CELLS_PER_BATCH // max(1, len(grid.header)))
    while batch := list(islice(rows, size)):
        batch = _check_widths(grid, batch, row, problems)
        frame = _frame(grid, batch, row, columns, marked)
        blank = (
            [row + index for index, record in enumerate(batch) if not any(map(str.strip, record))]
            if _may_hold_blank(frame)
            else []
        )
        empty += blank
        parts.append(frame.filter(~pl.col(ROW).is_in(blank)) if blank else frame)
        row += len(batch)
        watch(len(batch))
    if problems:
        raise DataError(*problems)
    return pl.concat(parts), tuple(empty)


def _empty_frame(columns: Sequence[str], marked: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys((*columns, *marked), pl.String)})


def _may_hold_blank(frame: pl.DataFrame) -> bool:
    return bool(frame.select(pl.all_horizontal(pl.exclude(ROW).is_null()).any()).item()) or frame.width == 1


def _check_widths(grid: Grid, batch: list[Sequence[str]], first: int, problems: list[Problem]) -> list[Sequence[str]]:
    """Return rows of the width of the header; cells beyond it may only be empty, and none may be lacking."""
    width = len(grid.header)
    if set(map(len, batch)) == {width}:
        return batch
    for index, record in enumerate(batch):
        if len(record) != width and any(record) and (len(record) < width or any(record[width:])):
            _add_problem(problems, grid, first + index, len(record))
    return [[*record[:width], *([""] * (width - len(record)))] for record in batch]


def _add_problem(problems: list[Problem], grid: Grid, row: int, cells: int) -> None:
    if len(problems) < _MOST_PROBLEMS:
        problem = Problem(
            file=grid.file.name,
            row=row,
            found=f"{cells} cells",
            expected=f"{len(grid.header)} cells, as in the header",
            next_step="A cell with the delimiter in it needs quotation marks; mend the row or export the file again.",
        )
        problems.append(problem)


def _frame(
    grid: Grid, batch: Sequence[Sequence[str]], first: int, columns: Sequence[str], marked: Sequence[str]
) -> pl.DataFrame:
    cells = list(zip(*batch, strict=True))
    index = {name: number for number, name in reversed(list(enumerate(grid.header)))}
    frame = pl.DataFrame(
        [
            pl.int_range(first, first + len(batch), dtype=pl.UInt32, eager=True).alias(ROW),
            *(pl.Series(name, cells[index[name]], dtype=pl.String) for name in (*columns, *marked)),
        ]
    )
    stripped = {name: pl.col(name).str.strip_chars() for name in (*columns, *marked)}
    kept = {name: pl.lit(FILLED) if name in marked else text for name, text in stripped.items()}
    return frame.with_columns(pl.when(text != "").then(kept[name]).alias(name) for name, text in stripped.items())
