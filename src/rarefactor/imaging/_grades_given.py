"""Grades that readers gave while they looked at the scans, from the log of readings.

Convention: a grade is a reading of the kind ``grade``, each reader's own; its place is the visit, its item the muscle's
code and perhaps the side (``VL.right``), its content the ``grade``. Of two grades of one muscle by one reader the
reading counts before the row of a table. A second look at the same muscles, made to see how far a reader agrees with
himself (``reading`` above 1), is not analysed here.
"""

from __future__ import annotations

from collections.abc import Mapping

from rarefactor.errors import Problem
from rarefactor.imaging._grades import Grade, GradeTable, Scale
from rarefactor.imaging._regions import MUSCLES, Side
from rarefactor.readings import LOG, Reading, Readings

GRADE = "grade"


def name_item(muscle: str, side: Side | None) -> str:
    """Return what a grade is about, as the log of readings calls it.

    Examples
    --------
    >>> name_item("VL", Side.RIGHT), name_item("VL", None)
    ('VL.right', 'VL')
    """
    return f"{muscle}.{side}" if side else muscle


def read_given_grades(log: Readings, scale: Scale, subjects: Mapping[str, str]) -> GradeTable:
    """Return the grades of the patients of a study, and a problem for each that does not fit the scale.

    Parameters
    ----------
    subjects
        The subject (as the log names patients) that each patient's id stands for.
    """
    own = {subject: patient for patient, subject in subjects.items()}
    of_muscles = [each for each in log.current(GRADE) if each.item.partition(".")[0] in MUSCLES]
    given = [each for each in of_muscles if each.subject in own and each.content.get("reading", 1) == 1]
    built = [_build(each, own[each.subject], scale) for each in given]
    return GradeTable(
        scale=scale,
        grades=tuple(grade for grade in built if grade),
        failures=tuple(_unfit(scale) for grade in built if grade is None),
    )


def join_grades(table: GradeTable, given: GradeTable) -> GradeTable:
    """Return the grades of a table and those given, each reader's grade of a muscle once."""
    newer = {_key(each) for each in given.grades}
    kept = (each for each in table.grades if _key(each) not in newer)
    return GradeTable(scale=table.scale, grades=(*kept, *given.grades), failures=(*table.failures, *given.failures))


def _key(grade: Grade) -> tuple[str, str, str, Side | None, str]:
    return grade.patient, grade.visit, grade.muscle, grade.side, grade.reader


def _build(reading: Reading, patient: str, scale: Scale) -> Grade | None:
    """Return the grade of a reading, None where it does not fit."""
    muscle, _, side = reading.item.partition(".")
    grade = reading.content.get("grade")
    if not isinstance(grade, int) or not scale.first <= grade <= scale.last or side not in {"", *Side}:
        return None
    return Grade(
        patient=patient,
        visit=reading.place,
        muscle=muscle,
        side=Side(side) if side else None,
        reader=reading.reader,
        grade=grade,
        blind=bool(reading.content.get("blind")),
    )


def _unfit(scale: Scale) -> Problem:
    return Problem(
        file=LOG,
        found="a grade outside the scale, or of a side that is not known",
        expected=f"a whole number from {scale.first} to {scale.last} ({scale.name})",
        next_step="Grade that muscle again, or set the scale of the study file back.",
    )
