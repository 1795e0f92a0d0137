"""The flow diagram: who entered, who left and why, with one branch per landmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rarefactor.report._plot import INK, MUTED, PANEL, RULE, Sheet, open_sheet, wrap_text
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_percent
from rarefactor.results import FlowStep

_WORDS = Words("flowchart")
WIDTH = 170.0
_EDGE = 0.3
_SHARED = (35.0, 135.0)
_GAP, _PAD, _LINE = 4.2, 1.6, 3.5
_TRUNK, _SIDE = 0.14, 0.26  # where the trunk runs and a side box begins, as shares of the column


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a box: the first in bold."""

    title: str
    rest: tuple[str, ...]

    @property
    def height(self) -> float:
        """The height of the box in millimetres."""
        lines = len(self.rest) + self.title.count("\n") + 1
        return lines * _LINE + 2 * _PAD


@dataclass(frozen=True, slots=True)
class Column:
    """A column of boxes between two edges, from the top down: each step with the box of those who left before it."""

    left: float
    right: float
    pairs: tuple[tuple[Lines | None, Lines], ...]

    @property
    def height(self) -> float:
        """The height of all boxes and gaps."""
        return sum((_GAP + side.height if side else 0) + step.height + _GAP for side, step in self.pairs) - _GAP

    @property
    def trunk(self) -> float:
        """Where the line between the boxes runs."""
        return self.left + _TRUNK * (self.right - self.left)


def draw_flow(source: Source) -> Sheet:
    """Return the flow diagram of the study."""
    shared = _column(source, source.steps(None), *_SHARED)
    branches = _branches(source)
    fork = 9.0 if branches else 0.0
    height = 1 + shared.height + fork + max((branch.height for branch in branches), default=0.0) + 1
    sheet = open_sheet(WIDTH, height)
    _draw_column(sheet, shared, 1.0)
    if branches:
        _draw_fork(sheet, branches, 1 + shared.height, fork)
    for branch in branches:
        _draw_column(sheet, branch, 1 + shared.height + fork)
    return sheet


def describe_flow(source: Source) -> str:
    """Return the flow diagram in words, for those who cannot see it."""
    shared = [_in_words(source, step) for step in source.steps(None)]
    branches = [
        _WORDS.text("alt_landmark", visit=source.visit(name), step=_in_words(source, step))
        for name in source.landmarks
        for step in source.steps(name)
    ]
    return " ".join([*shared, *branches])


def _branches(source: Source) -> tuple[Column, ...]:
    names = [name for name in source.landmarks if source.steps(name)]
    gutter = 6.0
    width = min((WIDTH - 2 * _EDGE - gutter * (len(names) - 1)) / max(len(names), 1), 110.0)
    left = (WIDTH - width * len(names) - gutter * max(len(names) - 1, 0)) / 2
    edges = [left + number * (width + gutter) for number in range(len(names))]
    return tuple(
        _column(source, source.steps(name), edge, edge + width) for name, edge in zip(names, edges, strict=True)
    )


def _column(source: Source, steps: Sequence[FlowStep], left: float, right: float) -> Column:
    width = right - left - 2 * _PAD
    side = (1 - _SIDE) * (right - left) - 2 * _PAD
    return Column(left, right, tuple((_side_lines(step, side), _step_lines(source, step, width)) for step in steps))


def _step_lines(source: Source, step: FlowStep, width: float) -> Lines:
    title = "\n".join(wrap_text(_WORDS.text("step", label=step.label, n=format_count(step.n)), width))
    if step.events is None:
        return Lines(title, ())
    share = format_percent(step.events / step.n if step.n else None, step.n)
    counts = (
        _WORDS.text("events", event=source.event, n=format_count(step.events), percent=share),
        _WORDS.text("no_event", no_event=source.no_event, n=format_count(step.n - step.events)),
    )
    return Lines(title, tuple(line for count in counts for line in wrap_text(count, width)))


def _side_lines(step: FlowStep, width: float) -> Lines | None:
    if not step.excluded:
        return None
    total = sum(item.n for item in step.excluded)
    reasons = (_WORDS.text("reason", reason=item.reason, n=format_count(item.n)) for item in step.excluded)
    wrapped = (line for reason in reasons for line in wrap_text(reason, width, indent="   "))
    title = _WORDS.text("not_analysed" if step.landmark else "excluded", n=format_count(total))
    return Lines(title, tuple(wrapped))


def _draw_column(sheet: Sheet, column: Column, top: float) -> None:
    y = top
    for number, (side, step) in enumerate(column.pairs):
        start = y - _GAP if number else y
        if side:
            inset = column.left + _SIDE * (column.right - column.left)
            _draw_box(sheet, side, (inset, column.right), y, strong=False)
            middle = y + side.height / 2
            sheet.arrow((column.trunk, middle), (inset, middle), MUTED)
            y += side.height + _GAP
        if side or number:
            sheet.arrow((column.trunk, start), (column.trunk, y), MUTED)
        _draw_box(sheet, step, (column.left, column.right), y, strong=True)
        y += step.height + _GAP


def _draw_box(sheet: Sheet, lines: Lines, edges: tuple[float, float], top: float, *, strong: bool) -> None:
    left, right = edges
    sheet.box((left, top), (right - left, lines.height), PANEL if strong else "none", INK if strong else RULE)
    titles = lines.title.split("\n")
    for number, line in enumerate((*titles, *lines.rest)):
        y = top + _PAD + _LINE * (number + 0.5)
        sheet.text(left + _PAD, y, line, strong=strong and number < len(titles))


def _draw_fork(sheet: Sheet, branches: Sequence[Column], top: float, height: float) -> None:
    middle, bottom = top + height / 2, top + height
    trunk = _SHARED[0] + _TRUNK * (_SHARED[1] - _SHARED[0])
    ends = [branch.trunk for branch in branches]
    sheet.line((trunk, trunk), (top, middle), color=MUTED)
    sheet.line((min([trunk, *ends]), max([trunk, *ends])), (middle, middle), color=MUTED)
    for branch in branches:
        start = branch.pairs[0][0] is not None
        _drop(sheet, branch.trunk, middle, bottom, plain=start)


def _drop(sheet: Sheet, x: float, start: float, end: float, *, plain: bool) -> None:
    """Go down to a branch: with an arrow head where a step follows, without where a side box comes first."""
    if plain:
        sheet.line((x, x), (start, end), color=MUTED)
    else:
        sheet.arrow((x, start), (x, end), MUTED)


def _in_words(source: Source, step: FlowStep) -> str:
    left = "; ".join(_WORDS.text("alt_reason", reason=item.reason, n=item.n) for item in step.excluded)
    key = "alt" + ("" if step.events is None else "_events") + ("_left" if left else "")
    return _WORDS.text(key, label=step.label, n=step.n, events=step.events, event=source.event, left=left)
