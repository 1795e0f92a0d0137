"""One patient over time: a panel for each number, one below the other, with the visits and what was given.

Convention: months since baseline run across, the same for all panels; a dot is a measurement, a line joins those of one
number. Visits are dotted lines, rows of repeated forms are marks on a line of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rarefactor.derive import Course, Given, PatientRecord, write_number
from rarefactor.report._inline import Paper
from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, RULE, wrap_text
from rarefactor.report._words import Words
from rarefactor.spec import DAYS_PER_MONTH, upper_first

_WORDS = Words("timeline")
_WIDTH, _LEFT, _RIGHT = 170.0, 48.0, 165.0
_TOP, _HEIGHT, _GAP, _GIVEN = 9.0, 15.0, 4.5, 5.0
_AXIS, _MOST_TICKS = 9.0, 9

P = TypeVar("P", bound=Paper)


def draw_timeline(record: PatientRecord, open_paper: Callable[[float, float], P]) -> P:
    """Return the figure of one patient; with no number in it, visits and what was given alone.

    ``open_paper`` gives what to draw on for a width and a height in millimetres.
    """
    given = [each for each in record.given if each.day is not None]
    rows = len(record.courses)
    panels, marks = rows * (_HEIGHT + _GAP), len(given) * _GIVEN + (4.0 if given else 0.0)
    sheet = open_paper(_WIDTH, _TOP + panels + marks + _AXIS)
    across = _range(record, given)
    _draw_visits(sheet, record, across, _TOP + panels + marks)
    for place, course in enumerate(record.courses):
        _draw_course(sheet, course, across, _TOP + place * (_HEIGHT + _GAP))
    _draw_given(sheet, given, across, _TOP + panels + 3.0)
    _draw_axis(sheet, across, _TOP + panels + marks)
    return sheet


def _range(record: PatientRecord, given: Sequence[Given]) -> tuple[float, float]:
    """Return the months that the figure covers."""
    months = [month for course in record.courses for month, _ in course.points]
    months += [seen.day / DAYS_PER_MONTH for seen in record.visits if seen.day is not None]
    months += [each.day / DAYS_PER_MONTH for each in given if each.day is not None]
    low, high = min([0.0, *months]), max([1.0, *months])
    return low - 0.02 * (high - low), high + 0.04 * (high - low)


def _x(month: float, across: tuple[float, float]) -> float:
    return _LEFT + (month - across[0]) / (across[1] - across[0]) * (_RIGHT - _LEFT)


def _draw_visits(sheet: Paper, record: PatientRecord, across: tuple[float, float], bottom: float) -> None:
    taken = 0.0
    for seen in record.visits:
        if seen.day is None:
            continue
        x, half = _x(seen.day / DAYS_PER_MONTH, across), 0.75 * len(seen.label)
        sheet.line((x, x), (_TOP - 3.0, bottom), color=RULE, lw=0.7, ls=(0, (2, 2)))
        if x - half > taken:
            sheet.text(min(x, _WIDTH - half - 1), _TOP - 5.5, seen.label, size=7, ha="center", color=MUTED)
            taken = x + half


def _draw_course(sheet: Paper, course: Course, across: tuple[float, float], top: float) -> None:
    values = [value for _, value in course.points]
    room = 0.12 * (max(values) - min(values)) or 0.1 * abs(values[0]) or 1.0
    up = (min(values) - room, max(values) + room)
    dots = [(_x(month, across), top + (up[1] - value) / (up[1] - up[0]) * _HEIGHT) for month, value in course.points]
    sheet.line((_LEFT, _RIGHT), (top + _HEIGHT, top + _HEIGHT), color=RULE)
    unit = f" ({course.unit})" if course.unit else ""
    for line, words in enumerate(wrap_text(f"{course.label}{unit}", _LEFT - 14)[:4]):
        sheet.text(1, top + 3 + 3.1 * line, words)
    for value, y in {max(values): min(y for _, y in dots), min(values): max(y for _, y in dots)}.items():
        sheet.text(_LEFT - 1.5, y, write_number(value), size=6.5, ha="right", color=MUTED)
    sheet.line(tuple(x for x, _ in dots), tuple(y for _, y in dots), color=BLUE, lw=1.0)
    for x, y in dots:
        sheet.dot(x, y, "o", BLUE)


def _draw_given(sheet: Paper, given: Sequence[Given], across: tuple[float, float], top: float) -> None:
    for place, each in enumerate(given):
        x, y = _x((each.day or 0.0) / DAYS_PER_MONTH, across), top + place * _GIVEN
        sheet.dot(x, y, "D", ORANGE)
        if place == 0 or given[place - 1].form != each.form:
            sheet.text(1, y, wrap_text(upper_first(each.form), _LEFT - 14)[0], color=INK)
        room = _RIGHT - x > 60.0
        sheet.text(x + 2.5 if room else x - 2.5, y, each.text, size=7, ha="left" if room else "right", color=INK)


def _draw_axis(sheet: Paper, across: tuple[float, float], bottom: float) -> None:
    sheet.line((_LEFT, _RIGHT), (bottom, bottom), color=MUTED)
    for month in _ticks(across):
        x = _x(month, across)
        sheet.line((x, x), (bottom, bottom + 0.9), color=MUTED)
        sheet.text(x, bottom + 2.7, f"{month:g}", size=6.5, ha="center", color=MUTED)
    sheet.text((_LEFT + _RIGHT) / 2, bottom + 6.5, _WORDS.text("across"), size=7, ha="center", color=MUTED)


def _ticks(across: tuple[float, float]) -> tuple[float, ...]:
    """Return months as people count them: quarters or years where they are not too many."""
    low, high = across
    step = next((step for step in (1, 3, 6, 12, 24, 60) if (high - low) / step <= _MOST_TICKS), 120)
    first = int(-(-low // step))
    return tuple(float(step * place) for place in range(first, int(high // step) + 1))


def tell_timeline(record: PatientRecord) -> str:
    """Return the figure in words, for those who cannot see it."""
    courses = "; ".join(_tell(course) for course in record.courses)
    seen = ", ".join(each.label for each in record.visits if each.day is not None)
    return _WORDS.text("alt", visits=seen or "–", courses=courses or "–")


def _tell(course: Course) -> str:
    first, last = (write_number(course.points[place][1]) for place in (0, -1))
    n = len(course.points)
    return _WORDS.text("course", count=n, label=course.label, first=first, last=last, n=n)
