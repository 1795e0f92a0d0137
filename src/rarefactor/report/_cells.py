"""Cells and numbers: how a row of ``results.json`` becomes text that knows where it comes from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_p, format_range, format_ratio
from rarefactor.report.tree import Align, Cell, Inline, Number, Row, Runs, Text
from rarefactor.results import Estimate

_WORDS, _SHARED = Words("cells"), Words("words")


def runs(*parts: Inline | str) -> Runs:
    """Return running text; plain strings become text."""
    return tuple(Text(part) if isinstance(part, str) else part for part in parts if part != "")


def cell(*parts: Inline | str, align: Align = "left", span: int = 1) -> Cell:
    """Return a cell; plain strings become text."""
    return Cell(runs=runs(*parts), align=align, span=span)


def right(*parts: Inline | str) -> Cell:
    """Return a cell set to the right, as numbers are."""
    return cell(*parts, align="right")


def head(*labels: str) -> Row:
    """Return a row of column heads: the first to the left, the rest to the right."""
    return Row(cells=(cell(labels[0]), *(right(label) for label in labels[1:])), kind="body")


def mark(letter: str) -> Text:
    """Return the sign of a footnote."""
    return Text(letter, "superscript")


def number(row: Estimate | None, text: str) -> Inline:
    """Return a number that knows its row, or a dash where there is none."""
    return Text(EMPTY) if row is None else Number(text, row.id)


def joined(parts: Sequence[Sequence[Inline | str]]) -> list[Inline | str]:
    """Return parts as a list in a sentence: commas, and ``and`` before the last.

    Examples
    --------
    >>> joined([["a"], ["b"], ["c"]])
    ['a', ', ', 'b', ' and ', 'c']
    """
    result: list[Inline | str] = []
    for place, part in enumerate(parts):
        if place:
            result.append(_WORDS.text("and" if place == len(parts) - 1 else "comma"))
        result.extend(part)
    return result


def linked(parts: Iterable[Sequence[Inline | str]], between: str = " ") -> Runs:
    """Return running text of those parts that say something, with a space or other sign between them.

    Examples
    --------
    >>> linked([[Text("a")], [], ["b"]], "; ")
    (Text(text='a', style='plain'), Text(text='; ', style='plain'), Text(text='b', style='plain'))
    """
    told = [part for part in parts if part]
    return runs(*(piece for place, part in enumerate(told) for piece in ((between,) if place else ()) + tuple(part)))


def count_patients(row: Estimate | None, n: float | None) -> Runs:
    """Return how many patients a row counts, as one patient or several."""
    return _SHARED.runs("patients", count=n, n=number(row, format_count(n)))


def count_events(row: Estimate | None, n: float | None) -> Runs:
    """Return how many events a row counts, as one event or several."""
    return _SHARED.runs("events", count=n, n=number(row, format_count(n)))


def ratio(row: Estimate | None) -> Inline:
    """Return a ratio with its interval; a bound or estimate that does not exist says so."""
    if row is None:
        return Text(EMPTY)
    if not exists(row):
        return Number(_without_estimate(row), row.id)
    return Number(with_range(row), row.id)


def with_range(row: Estimate) -> str:
    """Return a ratio and its interval as text, such as ``2.10 (1.45–3.04)``."""
    if row.low is None or row.high is None:
        return format_ratio(row.estimate)
    return f"{format_ratio(row.estimate)} ({format_range(row.low, row.high, format_ratio)})"


def not_estimable() -> str:
    """Return what stands where there is no estimate."""
    return _WORDS.text("not_estimable")


def _without_estimate(row: Estimate) -> str:
    """An interval may still say how far the odds ratio is from nothing or everything."""
    if row.low is None or row.high is None or (row.low == 0 and math.isinf(row.high)):
        return not_estimable()
    return f"{not_estimable()} ({format_range(row.low, row.high, format_ratio)})"


def difference(row: Estimate | None, decimals: int) -> Inline:
    """Return a difference with its interval."""
    if row is None or row.estimate is None:
        return Text(EMPTY)
    interval = format_range(row.low, row.high, lambda value: format_fixed(value, decimals))
    suffix = "" if interval == EMPTY else f" ({interval})"
    return Number(f"{format_fixed(row.estimate, decimals)}{suffix}", row.id)


def p_value(row: Estimate | None) -> Inline:
    """Return a P value."""
    return Text(EMPTY) if row is None or row.p is None else Number(format_p(row.p), row.id, "p")


def exists(row: Estimate | None) -> bool:
    """Whether the row holds a finite estimate above zero that was found."""
    if row is None or row.estimate is None:
        return False
    return 0 < row.estimate < float("inf") and not ("separated" in row.flags and row.method == "ml")
