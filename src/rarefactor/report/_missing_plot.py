"""The map of missing values: factors are rows, patients or patterns are columns, what is missing is dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, Sheet, open_sheet, width_of, wrap_text
from rarefactor.report._words import Words
from rarefactor.results import OUTCOME_UNKNOWN

WIDTH = 170.0
COLOURS: Mapping[str, str] = {"event": ORANGE, "no_event": BLUE, OUTCOME_UNKNOWN: INK}
_WORDS = Words("missing_map")
_LEFT, _RIGHT, _TOP, _FOOT = 46.0, 156.0, 8.0, 3.6
_WIDEST = {"patient": 3.2, "pattern": 9.0}
_SIZE, _HALF_CAPITAL = 7.0, 0.82
_NAMES, _PALE = 15.0, 0.55


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A factor: its name, what it is called, and how many lack it."""

    factor: str
    label: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A patient: the name to show, the factors that are missing, the outcome."""

    name: str
    lacks: frozenset[str]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A pattern: the factors that are missing, and how many patients lack just these, by outcome and in all."""

    lacks: frozenset[str]
    counts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where rows and columns lie: ``top`` of the first row, the height of each, the width of a column."""

    top: float
    heights: tuple[float, ...]
    unit: float
    columns: int

    @property
    def right(self) -> float:
        """The right end of the columns."""
        return _LEFT + self.unit * self.columns

    @property
    def bottom(self) -> float:
        """The lower end of the rows."""
        return self.top + sum(self.heights)

    def row(self, place: int) -> float:
        """Return the upper end of a row."""
        return self.top + sum(self.heights[:place])


def draw_patients(lines: Sequence[Line], columns: Sequence[Column], labels: Mapping[str, str]) -> Sheet:
    """Return the map with a column for each patient; the first line is the outcome."""
    rows = _wrap(lines)
    grid = _lay(rows, len(columns), _WIDEST["patient"])
    named = any(column.name for column in columns)
    sheet = open_sheet(WIDTH, grid.bottom + (_NAMES if named else 2.0))
    _draw_key(sheet, labels)
    lacks = [column.lacks | frozenset(() if column.outcome in labels else (lines[0].factor,)) for column in columns]
    _draw_rows(sheet, grid, rows, lines, lacks)
    for start, length in _stretches([column.outcome for column in columns]):
        colour = COLOURS[columns[start].outcome]
        sheet.fill((_LEFT + start * grid.unit, grid.top + 0.25), (length * grid.unit, grid.heights[0] - 0.5), colour)
    _part(sheet, grid, ends=[start for start, _ in _stretches([column.lacks for column in columns])][1:])
    for place, column in enumerate(columns):
        if column.name:
            x = _LEFT + (place + 0.5) * grid.unit
            sheet.text(x, grid.bottom + 1.2, column.name, size=6.5, rotation=90, va="top", ha="center")
    return sheet


def draw_patterns(lines: Sequence[Line], patterns: Sequence[Counted], labels: Mapping[str, str]) -> Sheet:
    """Return the map with a column for each pattern, its patients counted below."""
    rows = _wrap(lines)
    grid = _lay(rows, len(patterns), _WIDEST["pattern"])
    named = {"all": _WORDS.text("row_all"), **labels, OUTCOME_UNKNOWN: _WORDS.text("row_unknown")}
    sheet = open_sheet(WIDTH, grid.bottom + _FOOT * len(named) + 2.4)
    _draw_key(sheet, {})
    _draw_rows(sheet, grid, rows, lines, [pattern.lacks for pattern in patterns])
    _part(sheet, grid, ends=[])
    for place, (group, label) in enumerate(named.items()):
        y, colour, strong = grid.bottom + 1.2 + _FOOT * (place + 0.5), COLOURS.get(group, INK), group == "all"
        _write(sheet, _LEFT - 2, y, label, ha="right", strong=strong, color=colour)
        for across, pattern in enumerate(patterns):
            x, shown = _LEFT + (across + 0.5) * grid.unit, pattern.counts.get(group, "0")
            _write(sheet, x, y, shown, ha="center", strong=strong, color=colour)
    return sheet


def _wrap(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [wrap_text(line.label, _LEFT - 4, size=_SIZE) for line in lines]


def _lay(rows: Sequence[Sequence[str]], columns: int, widest: float) -> Grid:
    unit = min(widest, (_RIGHT - _LEFT) / columns)
    return Grid(top=_TOP, heights=tuple(1.8 + 2.8 * len(row) for row in rows), unit=unit, columns=columns)


def _draw_key(sheet: Sheet, outcomes: Mapping[str, str]) -> None:
    signs = [(RULE, _PALE, _WORDS.text("key_known")), (INK, 1.0, _WORDS.text("key_missing"))]
    x = _LEFT
    for colour, strength, words in (*signs, *((COLOURS[name], 1.0, label) for name, label in outcomes.items())):
        sheet.fill((x, 1.6), (2.6, 2.6), colour, alpha=strength)
        _write(sheet, x + 3.6, 2.9, words)
        x += 8.0 + width_of(words, _SIZE)


def _write(sheet: Sheet, x: float, y: float, words: str, **style: Any) -> None:
    """Write words so that their capitals stand in the middle: letters below the line do not lift them."""
    if "\n" in words:
        sheet.text(x, y, words, size=_SIZE, **style)
    else:
        sheet.text(x, y + _HALF_CAPITAL, words, size=_SIZE, va="baseline", **style)


def _draw_rows(
    sheet: Sheet, grid: Grid, rows: Sequence[Sequence[str]], lines: Sequence[Line], lacks: Sequence[frozenset[str]]
) -> None:
    for place, (line, label) in enumerate(zip(lines, rows, strict=True)):
        top, height = grid.row(place) + 0.25, grid.heights[place] - 0.5
        middle = top + height / 2
        _write(sheet, _LEFT - 2, middle, "\n".join(label), ha="right")
        sheet.fill((_LEFT, top), (grid.right - _LEFT, height), RULE, alpha=_PALE)
        lacked = [line.factor in each for each in lacks]
        for start, length in _stretches(lacked):
            if lacked[start]:
                sheet.fill((_LEFT + start * grid.unit, top), (length * grid.unit, height), INK)
        _write(sheet, grid.right + 2, middle, line.missing, color=INK if any(lacked) else MUTED)


def _part(sheet: Sheet, grid: Grid, ends: Sequence[int]) -> None:
    """Part the columns by thin lines, and patterns by wider ones."""
    for place in range(1, grid.columns):
        x, wide = _LEFT + place * grid.unit, 1.1 if place in ends else 0.35
        sheet.line((x, x), (grid.top, grid.bottom), color="#ffffff", lw=wide)


def _stretches(values: Sequence[object]) -> Iterator[tuple[int, int]]:
    """Yield start and length of each stretch of equal values."""
    start = 0
    for _, own in groupby(values):
        length = len(list(own))
        yield start, length
        start += length
