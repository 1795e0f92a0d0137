"""What ``rarefactor score`` does: a published instrument for one patient, or for a table with one patient per row.

Convention: rows are counted as a spreadsheet counts them, header included. Empty is missing. No message holds a value.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from rarefactor import instruments
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._score_instruments import SCORED, Floats, Options, Result, Scored
from rarefactor.errors import DataError, InputError, Problem, suggest
from rarefactor.work import write_file

_SHOWN = 24
_HEADER = 2  # the row number of the first patient
_ENZYMES = frozenset(instruments.ENZYME_RANGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table as text: its header and rows."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def show_instruments() -> None:
    """Print the instruments and the columns that each takes."""
    pairs = [(name, f"{each.title}. Columns: {each.columns}") for name, each in SCORED.items()]
    read_console().print(draw_pairs(pairs))


def find_instrument(name: str) -> Scored:
    """Return the instrument of that name.

    Raises
    ------
    InputError
        No such instrument.

    Examples
    --------
    >>> find_instrument("tis").title
    'Total Improvement Score (2016 ACR/EULAR)'
    """
    if name not in SCORED:
        known = tuple(SCORED)
        raise InputError(
            Problem(
                found=f"the instrument {name}", expected=f"one of {', '.join(known)}", next_step=suggest(name, known)
            )
        )
    return SCORED[name]


def score_patient(name: str, given: Mapping[str, Sequence[str]], options: Options) -> None:
    """Print the score of one patient; ``given`` holds ``measure=value`` texts by visit (empty: no visit).

    Raises
    ------
    InputError
        A measure that the instrument does not have, or a value that it cannot have.
    """
    scored = find_instrument(name)
    values = {
        f"{key}_{visit}" if visit else key: value
        for visit, texts in given.items()
        for key, value in read_pairs(texts, "measure=value").items()
    }
    _refuse_unknown(values, scored)
    try:
        result = scored.compute({key: _number(value, key) for key, value in values.items()}, options)
    except InputError as error:  # one patient has no rows
        raise InputError(*(replace(problem, row=None) for problem in error.problems)) from None
    pairs = [(key, cells[0] or "not known") for key, cells in tabulate_result(result).items()]
    _show(draw_pairs(pairs), *_told(scored, values))


def score_table(name: str, path: Path, out: Path | None, options: Options) -> None:
    """Score every row of a CSV file, and write it with the scores beside it, or show the scores.

    Raises
    ------
    DataError
        The file cannot be read, or holds what the instrument cannot have: each with row and column.
    OutputError
        The output cannot be written.
    """
    scored, sheet = find_instrument(name), read_sheet(path)
    values = read_numbers(sheet, scored)
    result = tabulate_result(_in_rows(sheet, scored, values, options))
    if out is None:
        _show(*_scores(result))
    else:
        _refuse_overwriting(sheet, path, out, result)
        write_file(out, write_scored(sheet, result))
        _show(Text(f"{len(sheet.rows)} patients scored: {out}"))
    _show(*_told(scored, values))


def read_pairs(texts: Iterable[str], form: str) -> dict[str, str]:
    """Return names and values of ``name=value`` texts, several of them with commas between.

    Raises
    ------
    InputError
        A text without a name or an equals sign.

    Examples
    --------
    >>> read_pairs(["ck=6000,mmt=100", "haq=1.5"], "measure=value")
    {'ck': '6000', 'mmt': '100', 'haq': '1.5'}
    """
    found: dict[str, str] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        name, equals, value = part.partition("=")
        if part and not (equals and name.strip()):
            step = "Write it such as ck=6000; several with commas between."
            raise InputError(Problem(found="a text without a name or an equals sign", expected=form, next_step=step))
        if part:
            found[name.strip()] = value.strip()
    return found


def read_limits(texts: Iterable[str], form: str) -> dict[str, float]:
    """Return the numbers of ``name=number`` texts.

    Raises
    ------
    InputError
        Something that is no number above 0.

    Examples
    --------
    >>> read_limits(["ck=190"], "enzyme=limit")
    {'ck': 190.0}
    """
    found = {name: _number(value, name)[0] for name, value in read_pairs(texts, form).items()}
    for name, value in found.items():
        if not 0.0 < value < math.inf:
            raise InputError(Problem(key=name, found="no number above 0", expected=form, next_step="Correct it."))
    return {name: float(value) for name, value in found.items()}


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file as text; commas, semicolons or tabs stand between cells.

    Raises
    ------
    DataError
        No such file, not UTF-8, no header, a column twice, or a row of another length.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _broken(path.name, "no file that can be read", "a CSV file", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise _broken(path.name, "another encoding", "UTF-8", "Save it as CSV UTF-8.") from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    header, *rows = [tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text), delimiter=mark)] or [
        ()
    ]
    again = next((name for place, name in enumerate(header) if name in header[:place]), None)
    if not header or again is not None:
        raise _broken(path.name, "a column twice" if header else "nothing", "a header", "Name each column once.", again)
    for number, row in enumerate(rows, start=_HEADER):
        if row and len(row) != len(header):
            found = f"{len(row)} cells"
            raise _broken(path.name, found, f"{len(header)} cells, as the header has", "Mend the row.", row=number)
    return Sheet(name=path.name, header=header, rows=tuple(row or ("",) * len(header) for row in rows))


def read_numbers(sheet: Sheet, scored: Scored) -> dict[str, Floats]:
    """Return the columns that an instrument takes, NaN where empty.

    Raises
    ------
    DataError
        No such columns, or a cell that is no number.
    """
    taken = [name for name in sheet.header if name in scored.known]
    if not taken:
        step = f"Rename the columns: {scored.columns}"
        raise _broken(sheet.name, "none of the columns", f"columns that {scored.title} takes", step)
    return {name: _column(sheet, name) for name in taken}


def tabulate_result(result: Result) -> dict[str, list[str]]:
    """Return the columns of a result as text; what is not known is empty.

    Examples
    --------
    >>> import numpy as np
    >>> tabulate_result({"tis": np.array([80.0, np.nan]), "tis_category": np.array(["major", ""])})
    {'tis': ['80', ''], 'tis_category': ['major', '']}
    """
    return {name: [_cell(value) for value in column.tolist()] for name, column in result.items()}


def write_scored(sheet: Sheet, result: Mapping[str, Sequence[str]]) -> bytes:
    """Return the table with the scores in further columns, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*sheet.header, *result])
    writer.writerows([*row, *more] for row, more in zip(sheet.rows, zip(*result.values(), strict=True), strict=True))
    return text.getvalue().encode()


def _cell(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"


def _number(text: str, name: str) -> Floats:
    return _bounds([text], name)


def _bounds(texts: Sequence[str], name: str) -> Floats:
    """Return numbers; an enzyme may be a bound, which then stands for the value."""
    try:
        found = instruments.read_censored(texts)
    except InputError as error:
        raise InputError(replace(error.problems[0], column=name)) from None
    bounded = [place for place, operator in enumerate(found.operators.tolist()) if operator]
    if bounded and name.rsplit("_", 1)[0] not in _ENZYMES:
        step = "Only enzymes may be given as bounds."
        raise InputError(Problem(found="a bound", expected="a number", next_step=step, column=name, row=bounded[0]))
    return found.values


def _column(sheet: Sheet, name: str) -> Floats:
    place = sheet.header.index(name)
    try:
        return _bounds([row[place] for row in sheet.rows], name)
    except InputError as error:
        raise _in_sheet(sheet, error.problems[0]) from None


def _in_rows(sheet: Sheet, scored: Scored, values: Mapping[str, Floats], options: Options) -> Result:
    """Return the result; what the instrument refuses is told by row and column of the file."""
    try:
        return scored.compute(values, options)
    except InputError as error:
        problem = error.problems[0]
        raise _in_sheet(sheet, problem) if problem.row is not None else error from None


def _in_sheet(sheet: Sheet, problem: Problem) -> DataError:
    return DataError(replace(problem, file=sheet.name, row=(problem.row or 0) + _HEADER))


def _broken(
    file: str, found: str, expected: str, step: str, column: str | None = None, row: int | None = None
) -> DataError:
    return DataError(Problem(file=file, row=row, column=column, found=found, expected=expected, next_step=step))


def _refuse_unknown(values: Iterable[str], scored: Scored) -> None:
    for name in values:
        if name not in scored.known:
            expected = f"one of {', '.join(sorted(scored.known))}"
            step = suggest(name, tuple(scored.known))
            raise InputError(
                Problem(key=name, found="what the instrument does not take", expected=expected, next_step=step)
            )


def _refuse_overwriting(sheet: Sheet, path: Path, out: Path, result: Mapping[str, object]) -> None:
    if out.exists() and out.samefile(path):
        raise _broken(sheet.name, "the input as output", "another file", "Choose another name for --out.")
    for name in result:
        if name in sheet.header:
            step = "Rename or remove the column."
            raise _broken(sheet.name, "a column that the scores are called", "another name", step, name)


def _scores(result: Mapping[str, Sequence[str]]) -> Iterator[RenderableType]:
    rows = [[str(row), *cells] for row, cells in enumerate(zip(*result.values(), strict=True), start=_HEADER)]
    yield draw_table(["row", *result], rows[:_SHOWN], right=["row", *result])
    if len(rows) > _SHOWN:
        yield Text(f"and {len(rows) - _SHOWN} more: --out FILE writes them all")


def _told(scored: Scored, values: Iterable[str]) -> Iterator[Text]:
    if text := scored.told(frozenset(values)):
        yield Text(text)


def _show(*parts: RenderableType) -> None:
    console = read_console()
    for part in parts:
        console.print(part)
