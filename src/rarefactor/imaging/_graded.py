"""Readers' grades as factors: the mean grade of a site, and how far two readers agree.

Convention: a column is named as its fat fraction is, with ``grade`` in its place: ``grade`` of the thigh,
``hamstrings.left.grade``. Grades are ordered steps and no measurements: their mean orders patients, and a difference of
one says less the further it is from the middle of the scale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations, permutations, product
from pathlib import Path

import polars as pl

from rarefactor.imaging._grades import Grade, GradeTable, find_scale, read_grades
from rarefactor.imaging._grades_given import join_grades, read_given_grades
from rarefactor.imaging._regions import SITES, Side
from rarefactor.imaging._wide import describe_site, name_column
from rarefactor.readings import LOG, read_readings
from rarefactor.results import CHANGES, InputFile, Note, Quantity
from rarefactor.spec import Grades
from rarefactor.stats import WeightedKappa, compute_weighted_kappa
from rarefactor.work import hash_file

_MEASURE = "grade"
_SIDES = (None, *Side)
_ROWS_SHOWN = 6
_Graded = tuple[str, str, Side | None, str]
"""Subject, muscle, side and reader."""


def read_study_grades(folder: Path, asked: Grades, subjects: Mapping[str, str]) -> GradeTable:
    """Return the grades of the table that a study names, and those that readers gave in the log of readings.

    Parameters
    ----------
    subjects
        The subject that each patient's id stands for.

    Raises
    ------
    DataError
        There is no such file, or a column is missing.
    """
    scale = find_scale(asked.scale, first=asked.first)
    table = read_grades(folder / asked.file, scale) if asked.file else GradeTable(scale=scale, grades=())
    return join_grades(table, read_given_grades(read_readings(folder), scale, subjects))


def describe_grades(asked: Grades) -> dict[str, Quantity]:
    """Return the columns of grades in words."""
    return {
        name_column(site, side, _MEASURE): Quantity(
            label=f"Mean grade ({asked.scale.capitalize()}) of the {describe_site(site, side)}"
        )
        for site, side in product(SITES, _SIDES)
    }


def tabulate_grades(table: GradeTable, subjects: Mapping[str, str]) -> pl.DataFrame:
    """Return ``subject``, ``visit`` and a column of mean grades for each site and side, over muscles and readers."""
    rows: dict[tuple[str, str], list[Grade]] = defaultdict(list)
    for grade in table.grades:
        if grade.patient in subjects:
            rows[subjects[grade.patient], grade.visit].append(grade)
    columns = {name_column(site, side, _MEASURE): (site, side) for site, side in product(SITES, _SIDES)}
    schema = {"subject": pl.String, "visit": pl.String, **dict.fromkeys(columns, pl.Float64)}
    found = [(*key, *(_mean(held, *column) for column in columns.values())) for key, held in rows.items()]
    return pl.DataFrame(found, schema=schema, orient="row")


def list_grade_changes(table: GradeTable, subjects: Mapping[str, str]) -> pl.DataFrame:
    """Return the changes of grade between two visits that may be compared: one reader graded the muscle at both."""
    at: dict[str, dict[_Graded, int]] = defaultdict(dict)
    for grade in table.grades:
        if grade.patient in subjects:
            at[grade.visit][subjects[grade.patient], grade.muscle, grade.side, grade.reader] = grade.grade
    rows = [
        (subject, first, last, name_column(site, side, _MEASURE), change)
        for first, last in permutations(at, 2)
        for site, side in product(SITES, _SIDES)
        for subject, change in _changes(at[first], at[last], site, side)
    ]
    return pl.DataFrame(rows, schema=CHANGES, orient="row")


def compute_reader_agreement(table: GradeTable, readers: tuple[str, str]) -> WeightedKappa | None:
    """Return the linearly weighted kappa of two readers over all that both graded, or None where there is nothing."""
    one, other = ({_what(g): g.grade for g in table.grades if g.reader == reader} for reader in readers)
    both = [key for key in one if key in other]
    if not both:
        return None
    first, second = ([grades[key] - table.scale.first for key in both] for grades in (one, other))
    return compute_weighted_kappa(first, second, categories=table.scale.last - table.scale.first + 1)


def describe_graded(table: GradeTable) -> Iterator[Note]:
    """Yield what a reader of the results must know of the grades: rows left out, and agreement of readers."""
    rows = [str(problem.row) for problem in table.failures if problem.row is not None]
    if len(rows) < len(table.failures):
        text = f"Grades in the log of readings that do not fit the scale, left out: {len(table.failures) - len(rows)}."
        yield Note(about="imaging", text=text)
    if rows:
        more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
        text = f"Rows of the table of grades that do not fit and were left out: {', '.join(rows[:_ROWS_SHOWN])}{more}."
        yield Note(about="imaging", text=text)
    for pair in combinations(sorted({grade.reader for grade in table.grades}), 2):
        found = compute_reader_agreement(table, pair)
        if found and not found.reason:
            text = (
                f"Two readers graded {found.n} muscles: weighted kappa {found.kappa:.2f} ({found.low:.2f} to "
                f"{found.high:.2f}, linear weights)."
            )
            yield Note(about="imaging", text=text)


def list_grade_inputs(folder: Path, asked: Grades) -> Iterator[InputFile]:
    """Yield the table of grades and the log of readings as inputs, by content, where they are there."""
    for name, file in (("grades", asked.file), ("grades_given", LOG)):
        if file and (folder / file).is_file():
            path = folder / file
            yield InputFile(id=name, path=file, sha256=hash_file(path), bytes=path.stat().st_size)


def _what(grade: Grade) -> tuple[str, str, str, Side | None]:
    return grade.patient, grade.visit, grade.muscle, grade.side


def _changes(
    before: Mapping[_Graded, int], after: Mapping[_Graded, int], site: str, side: Side | None
) -> Iterator[tuple[str, float]]:
    found: dict[str, list[int]] = defaultdict(list)
    for key in before.keys() & after.keys():
        subject, muscle, own, _ = key
        if muscle in SITES[site] and (side is None or own in (side, None)):
            found[subject].append(after[key] - before[key])
    yield from ((subject, sum(changes) / len(changes)) for subject, changes in sorted(found.items()))


def _mean(grades: list[Grade], site: str, side: Side | None) -> float | None:
    held = [each.grade for each in grades if each.muscle in SITES[site] and (side is None or each.side in (side, None))]
    return sum(held) / len(held) if held else None
