"""Grades of a whole scan that were given blind, round by round.

Convention: a blind grade is of a muscle of both sides together; those of the first round count as all grades do, those
of later rounds (``#2`` in their item) say how far a reader agrees with himself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from rarefactor.imaging._grades import Grade, GradeTable, find_scale
from rarefactor.imaging._grades_given import GRADE
from rarefactor.imaging._regions import MUSCLES
from rarefactor.imaging._scale_words import draft_grade
from rarefactor.readings import Draft, Readings
from rarefactor.spec import Grades

_BLIND = "blind"


def draft_blind(  # noqa: PLR0913 - what a look at a scan consists of
    asked: Grades,
    grades: Mapping[str, int],
    *,
    patient: str,
    visit: str,
    reader: str,
    when: datetime,
    number: int = 1,
) -> tuple[Draft, ...]:
    """Return the grades of a scan's muscles, by their codes, as readings of a round.

    Raises
    ------
    InputError
        A grade is not on the scale, or there is no such muscle.
    """
    drafts = (
        draft_grade(asked, grade, patient=patient, visit=visit, muscle=muscle, side="", reader=reader, when=when)
        for muscle, grade in grades.items()
    )
    return tuple(
        replace(each, item=_item(each.item, number), content={**each.content, "reading": number, _BLIND: True})
        for each in drafts
    )


def read_blind(log: Readings, asked: Grades, number: int = 1) -> GradeTable:
    """Return the blind grades of a round; patients go by their pseudonyms."""
    scale = find_scale(asked.scale, first=asked.first)
    names = {_item(code, number): code for code in MUSCLES}
    held = (each for each in log.current(GRADE) if each.content.get(_BLIND) and each.item in names)
    grades = tuple(
        Grade(
            patient=each.subject,
            visit=each.place,
            muscle=names[each.item],
            side=None,
            reader=each.reader,
            grade=int(each.content["grade"]),
            blind=True,
        )
        for each in held
        if each.content.get("scale") == asked.scale and scale.first <= int(each.content["grade"]) <= scale.last
    )
    return GradeTable(scale=scale, grades=grades)


def _item(muscle: str, number: int) -> str:
    return f"{muscle}#{number}" if number > 1 else muscle
