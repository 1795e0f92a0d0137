"""How wide the columns of a Word table are: as the table asks, but no column so narrow that a number breaks in it.

Convention: widths are in millimetres. Word measures text only when it is opened, so that letters are taken as wide as
those of Arial.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rarefactor.report.tree import Cell, Inline, Row, Table, Text

_EM_MM = 7.5 * 25.4 / 72  # the size of the text in tables
_THIN, _NARROW = frozenset(" .,:;[]|/'ijltf\u2009\u00a0"), frozenset("()-r")
_PIECES, _LINES = re.compile(r"[\s\u2013]+"), re.compile(r"\n")  # where Word may break a line, and where it must
_RAISED = 0.66  # the size of superscripts
_BOLD = 1.08


def fit_widths(table: Table, width_mm: float, padding_mm: float) -> tuple[float, ...]:
    """Return the widths of the columns: together ``width_mm``, none below its widest piece of text with its padding.

    Examples
    --------
    >>> row = Row(cells=(Cell(runs=(Text("Age"),)), Cell(runs=(Text("0.0231"),))))
    >>> table = Table(name="t", number=1, caption="", header=(), rows=(row,), widths=(0.98, 0.02))
    >>> [round(width, 1) for width in fit_widths(table, 100.0, 1.0)]
    [90.9, 9.1]
    """
    asked = [width_mm * width / sum(table.widths) for width in table.widths]
    least = [width + padding_mm for width in _measure_columns(table, _PIECES)]
    whole = [width + padding_mm for width in _measure_columns(table, _LINES)]
    # Numbers that stand on one line stay there, if the columns that lack room can have it from others.
    spared = [full if full <= width else need for width, need, full in zip(asked, least, whole, strict=True)]
    return _share(asked, spared) or _share(asked, least) or tuple(asked)


def _share(asked: Sequence[float], least: Sequence[float]) -> tuple[float, ...]:
    """Return widths that are as asked but none below its least, empty where that cannot be."""
    spare = [max(width - need, 0.0) for width, need in zip(asked, least, strict=True)]
    lacking = sum(max(need - width, 0.0) for width, need in zip(asked, least, strict=True))
    if lacking == 0:
        return tuple(asked)
    if lacking > sum(spare):
        return ()
    kept = 1 - lacking / sum(spare)
    return tuple(need + kept * more for need, more in zip(least, spare, strict=True))


def _measure_columns(table: Table, breaks: re.Pattern[str]) -> tuple[float, ...]:
    """Return how wide the widest piece of each column is; words, to the left, may always be broken between them."""
    widest = [0.0] * len(table.widths)
    for row in (*table.header, *table.rows):
        for place, cell in _list_single(row):
            bold = _BOLD if row in table.header or (place == 0 and row.kind == "head") else 1.0
            width = _measure_cell(cell, _PIECES if cell.align == "left" else breaks)
            widest[place] = max(widest[place], bold * width)
    return tuple(widest)


def _list_single(row: Row) -> Iterable[tuple[int, Cell]]:
    """Yield the cells of a row that stand in one column, by the place of this column."""
    place = 0
    for cell in row.cells:
        if cell.span == 1:
            yield place, cell
        place += cell.span


def _measure_cell(cell: Cell, breaks: re.Pattern[str]) -> float:
    pieces, last = [0.0], 0.0
    for run in cell.runs:
        first, *others = breaks.split(run.text)
        last += _measure(first, run)
        pieces.append(last)
        if others:
            pieces += [_measure(piece, run) for piece in others]
            last = pieces[-1]
    return max(pieces)


def _measure(piece: str, run: Inline) -> float:
    size = _RAISED if isinstance(run, Text) and run.style == "superscript" else 1.0
    return size * _EM_MM * sum(_measure_letter(letter) for letter in piece)


def _measure_letter(letter: str) -> float:
    if letter in _THIN or letter in _NARROW:
        return 0.28 if letter in _THIN else 0.335
    return 0.72 if letter.isupper() or letter in "mw" else 0.89 if letter == "%" else 0.557
