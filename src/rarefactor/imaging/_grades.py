"""A reader's grades of fatty infiltration, where nothing was measured.

Convention: a grade is a whole number from the scale's first (normal muscle) to its last (all fat); scales differ in
their number of grades and start at 0 or 1, so a grade without its scale means nothing. Grades are ordered but not
evenly spaced: a change in grades per month says in which direction, not how much fat.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rarefactor.errors import DataError, InputError, Problem, suggest
from rarefactor.imaging._regions import MUSCLES, SITES, Side
from rarefactor.results import Flag, Severity

COLUMNS = ("patient", "visit", "muscle", "side", "reader", "grade")
_SIDES: Mapping[str, Side | None] = {
    "right": Side.RIGHT,
    "r": Side.RIGHT,
    "left": Side.LEFT,
    "l": Side.LEFT,
    "both": None,
    "": None,
}
_DEGREES = {"mercuri": 5, "goutallier": 5, "lamminen": 4, "fischer": 5}

ORDINAL = Flag(
    name="ordinal_grades",
    severity=Severity.WARNING,
    detail="Grades are ordered, not measured: two readings a year apart miss most changes of fat fraction by five "
    "points, and a step between low grades is not a step between high ones.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A scale of grades: its name, the grade of a normal muscle and the grade of one that is all fat.

    References
    ----------
    Goutallier D, Postel JM, Bernageau J, Lavau L, Voisin MC. Fatty muscle degeneration in cuff ruptures. Clin Orthop
    Relat Res 1994;304:78-83.
    Lamminen AE. Magnetic resonance imaging of primary skeletal muscle diseases: patterns of distribution and severity
    of involvement. Br J Radiol 1990;63:946-950.
    Mercuri E, Talim B, Moghadaszadeh B, et al. Clinical and imaging findings in six cases of congenital muscular
    dystrophy with rigid spine syndrome linked to chromosome 1p (RSMD1). Neuromuscul Disord 2002;12:631-638.
    Fischer D, Walter MC, Kesper K, et al. Diagnostic value of muscle MRI in differentiating LGMD2I from other LGMDs.
    J Neurol 2005;252:538-547.
    """

    name: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One reader's grade of one muscle at one visit; side None where the reader gave one grade for both.

    ``blind``: it was given without seeing whose scan it is, nor what others gave; not known of a table.
    """

    patient: str
    visit: str
    muscle: str
    side: Side | None
    reader: str
    grade: int
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeTable:
    """Good rows, and a problem for each row that is not."""

    scale: Scale
    grades: tuple[Grade, ...]
    failures: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRate:
    """The change of a site's mean grade between two visits, over the muscles and readers that graded both."""

    patient: str
    site: str
    side: Side | None
    visits: tuple[str, str]
    baseline: float
    follow_up: float
    rate_per_month: float
    muscles: int
    scale: str
    flags: tuple[Flag, ...] = (ORDINAL,)


def find_scale(name: str, *, first: int = 0) -> Scale:
    """Return the scale of that name, starting at 0 or 1.

    Examples
    --------
    >>> find_scale("lamminen", first=1)
    Scale(name='lamminen', first=1, last=4)

    Raises
    ------
    InputError
        No such scale, or another first grade.
    """
    if name not in _DEGREES or first not in (0, 1):
        raise InputError(
            Problem(
                found=f"the scale {name!r} from {first}",
                expected=f"one of {', '.join(_DEGREES)}, from 0 or 1",
                next_step=suggest(name, tuple(_DEGREES)),
            )
        )
    # Mercuri's scale from 1 is the later one, of four grades
    degrees = 4 if (name, first) == ("mercuri", 1) else _DEGREES[name]
    return Scale(name=name, first=first, last=first + degrees - 1)


def read_grades(path: Path, scale: Scale) -> GradeTable:
    """Read a table of grades (CSV with the columns patient, visit, muscle, side, reader, grade).

    Parameters
    ----------
    path
        UTF-8; muscles by their code or full name; side right, left, both or empty.
    scale
        Of `find_scale`.

    Raises
    ------
    DataError
        There is no such file, it is no text, or a column is missing. Rows that do not fit are in ``failures``.
    """
    rows = _read_rows(path)
    grades: list[Grade] = []
    failures: list[Problem] = []
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows, start=2):
        problems = [
            Problem(file=path.name, row=number, column=column, found=found, expected=expected, next_step=next_step)
            for column, found, expected, next_step in _check_row(row, scale)
        ]
        key = tuple(row[column].casefold() for column in COLUMNS[:-1])
        if key in seen:
            problems.append(_repeated(path.name, number))
        seen.add(key)
        failures += problems
        if not problems:
            grades.append(_build_grade(row))
    return GradeTable(scale=scale, grades=tuple(grades), failures=tuple(failures))


def compute_grade_rates(
    table: GradeTable, visits: tuple[str, str], months: Mapping[str, float], *, site: str = "thigh"
) -> tuple[GradeRate, ...]:
    """Return per patient and side the change of the mean grade of a site's muscles, in grades per month.

    Parameters
    ----------
    table
        Of `read_grades`.
    visits
        Baseline and follow-up.
    months
        Between the two, per patient; patients without are left out.
    site
        A muscle, compartment, "hamstrings" or "thigh".

    Notes
    -----
    Only muscles that the same reader graded at both visits count, so that no change of reader looks like a change of
    muscle.
    """
    pairs: defaultdict[tuple[str, Side | None], list[tuple[str, int, int]]] = defaultdict(list)
    at = {
        visit: {(g.patient, g.side, g.muscle, g.reader): g.grade for g in table.grades if g.visit == visit}
        for visit in visits
    }
    for key, before in at[visits[0]].items():
        patient, side, muscle, _ = key
        if key in at[visits[1]] and muscle in SITES[site] and months.get(patient, 0.0) > 0:
            pairs[patient, side].append((muscle, before, at[visits[1]][key]))
    return tuple(
        _build_rate(patient, side, found, (site, table.scale.name, visits, months[patient]))
        for (patient, side), found in pairs.items()
    )


def _build_rate(
    patient: str,
    side: Side | None,
    found: Sequence[tuple[str, int, int]],
    what: tuple[str, str, tuple[str, str], float],
) -> GradeRate:
    site, scale, visits, months = what
    before, after = fmean(grade for _, grade, _ in found), fmean(grade for _, _, grade in found)
    return GradeRate(
        patient=patient,
        site=site,
        side=side,
        visits=visits,
        baseline=before,
        follow_up=after,
        rate_per_month=(after - before) / months,
        muscles=len({muscle for muscle, _, _ in found}),
        scale=scale,
    )


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = [name.strip().casefold() for name in reader.fieldnames or ()]
            rows = [[(value or "").strip() for value in row.values() if not isinstance(value, list)] for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            Problem(
                file=path.name,
                found="a file that cannot be read as text" if path.is_file() else "no such file",
                expected="a table of grades, CSV in UTF-8",
                next_step="Check the path, or save the table again as CSV (UTF-8).",
            )
        ) from error
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(
            Problem(
                file=path.name,
                found=f"no column {', '.join(missing)}",
                expected=f"the columns {', '.join(COLUMNS)}",
                next_step="Name the columns so in the first row.",
            )
        )
    return [dict(zip(header, row, strict=False)) for row in rows]


def _check_row(row: Mapping[str, str], scale: Scale) -> Iterator[tuple[str, str, str, str]]:
    """Column, what was found, what was expected and the next step, for each value that does not fit."""
    for column in ("patient", "visit", "reader"):
        if not row[column]:
            yield column, "nothing", "a value", "Fill it in."
    if _find_muscle(row["muscle"]) is None:
        yield "muscle", "a muscle that is not known", f"one of {', '.join(MUSCLES)}", "Write the muscle's code."
    if row["side"].casefold() not in _SIDES:
        yield "side", "a side that is not known", "right, left or both", "Write the patient's own side."
    if row["grade"] not in {str(grade) for grade in range(scale.first, scale.last + 1)}:
        yield (
            "grade",
            "a grade outside the scale",
            f"a whole number from {scale.first} to {scale.last} ({scale.name})",
            "Check the grade, and whether the scale starts at 0 or 1.",
        )


def _build_grade(row: Mapping[str, str]) -> Grade:
    return Grade(
        patient=row["patient"],
        visit=row["visit"],
        muscle=_find_muscle(row["muscle"]) or "",
        side=_SIDES[row["side"].casefold()],
        reader=row["reader"],
        grade=int(row["grade"]),
    )


def _find_muscle(text: str) -> str | None:
    """The code of a muscle that is written by its code or its name."""
    wanted = text.casefold()
    return next((m.code for m in MUSCLES.values() if wanted in (m.code.casefold(), m.name.casefold())), None)


def _repeated(file: str, number: int) -> Problem:
    return Problem(
        file=file,
        row=number,
        found="a second grade of the same muscle by the same reader",
        expected="one row per patient, visit, muscle, side and reader",
        next_step="Remove one of the rows, or name the second reading as another reader.",
    )
