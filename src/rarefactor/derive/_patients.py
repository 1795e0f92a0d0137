"""One patient at a time: where each stands in the study, and all that is known of one over time.

Convention: nothing is derived anew; values are those that factors and outcome are made of. A value is shown by its
label; days are since baseline, months are days / 30.4375. ``subject`` is the hash that stands for a patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl

from rarefactor.derive._factors import find_unit
from rarefactor.derive._flow import derive_exclusions
from rarefactor.derive._values import Values, column_name
from rarefactor.derive._visits import VisitTable
from rarefactor.spec import DAYS_PER_MONTH, Column, DataField, Study, lower_first, parse_column

_NUMBERS = frozenset({"number", "integer"})
_DATES = frozenset({"date", "datetime"})
_MOST_SERIES = 8
_DATE = "date"
"""The form of what the records know the date of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a patient stands at a landmark: there or why not, the outcome, or why it is not known."""

    landmark: str
    reached: bool
    outcome: bool | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientEntry:
    """A line in the list of patients.

    ``excluded`` says why a patient is not eligible, empty otherwise; ``missing`` counts factors without a value at the
    first landmark, of ``asked``; ``score`` is the response at the outcome's visit where the study has one.
    """

    subject: str
    excluded: str
    standings: tuple[Standing, ...]
    missing: int | None
    asked: int
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A visit of a patient, and the day of it since baseline, None where nobody knows it or there was none."""

    name: str
    label: str
    month: float
    day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A field of a patient in words: by visit, or under ``None`` where it describes the patient.

    ``name`` is that of its column.
    """

    name: str
    label: str
    unit: str | None
    values: Mapping[str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A number of a patient over time: months since baseline and values, in their order."""

    label: str
    unit: str | None
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What happened to a patient on a day since baseline: a row of a repeating form, such as a treatment, or a date."""

    form: str
    day: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """All that is known of one patient: visits, fields by table, numbers over time, what was given, factors."""

    subject: str
    visits: tuple[Seen, ...]
    readings: Mapping[str, tuple[Reading, ...]]
    courses: tuple[Course, ...]
    given: tuple[Given, ...]
    factors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """The patients of the records, to be listed or looked up.

    Attributes
    ----------
    values
        Of everyone in the records.
    landmarks
        The tables of the landmarks: ``subject``, ``outcome``, ``reason``, factors.
    scores
        ``subject`` and ``score``, where the study has a score of response.
    """

    values: Values
    study: Study
    landmarks: Mapping[str, pl.DataFrame]
    scores: pl.DataFrame | None = None

    def entries(self) -> tuple[PatientEntry, ...]:
        """Return all patients in the order of the records."""
        return _list_entries(self.values, self.study, self.landmarks, self.scores)

    def find(self, subject: str) -> PatientRecord | None:
        """Return all that is known of one patient, None where nobody has this subject."""
        return _describe_patient(self.values, self.study, subject, tuple(self.landmarks.values()))


def _list_entries(
    values: Values, study: Study, landmarks: Mapping[str, pl.DataFrame], scores: pl.DataFrame | None
) -> tuple[PatientEntry, ...]:
    flow = derive_exclusions(values, study)
    at = {name: {row["subject"]: row for row in frame.iter_rows(named=True)} for name, frame in landmarks.items()}
    known = dict(scores.select("subject", "score").iter_rows()) if scores is not None else {}
    return tuple(_entry(row, at, known.get(row["subject"])) for row in flow.iter_rows(named=True))


def _entry(row: Mapping[str, Any], at: Mapping[str, Mapping[str, Any]], score: float | None) -> PatientEntry:
    subject = row["subject"]
    first = next(iter(at.values())).get(subject)
    factors = [value for name, value in first.items() if name not in {"subject", "outcome", "reason"}] if first else []
    return PatientEntry(
        subject=subject,
        excluded=row["excluded"] or "",
        standings=tuple(_standing(name, rows.get(subject), row[name]) for name, rows in at.items()),
        missing=sum(value is None for value in factors) if first else None,
        asked=len(factors),
        score=score,
    )


def _standing(landmark: str, row: Mapping[str, Any] | None, why_not: str | None) -> Standing:
    if row is None:
        return Standing(landmark=landmark, reached=False, outcome=None, reason=why_not or "")
    return Standing(landmark=landmark, reached=True, outcome=row["outcome"], reason=row["reason"] or "")


def _describe_patient(
    values: Values, study: Study, subject: str, landmarks: Sequence[pl.DataFrame]
) -> PatientRecord | None:
    if subject not in values.subjects["subject"]:
        return None
    one = values.narrow(subject)
    return PatientRecord(
        subject=subject,
        visits=tuple(_visits(values, study, subject)),
        readings={name: found for name in one.tables if (found := tuple(_readings(one.tables[name])))},
        courses=tuple(islice(_courses(one, study), _MOST_SERIES)),
        given=tuple(sorted((*_given(one), *_dates(one, study)), key=_when)),
        factors=_factors(one, study, subject, landmarks),
    )


def _visits(values: Values, study: Study, subject: str) -> Iterator[Seen]:
    for name, visit in study.cohort.visits.items():
        days = values.days(name, visit)
        day = next(iter(days.filter(pl.col.subject == subject)["day"]), None)
        yield Seen(name=name, label=visit.label or name.replace("_", " "), month=visit.month, day=day)


def _readings(table: VisitTable) -> Iterator[Reading]:
    if table.refused is not None:
        return
    rows = table.frame.to_dicts()
    for name, field in table.table.fields.items():
        shown = {row["visit"]: text for row in rows if (text := write_value(field, row.get(name)))}
        if shown:
            yield Reading(name=name, label=_label(field, name), unit=_unit(field), values=shown)


def _label(field: DataField, name: str) -> str:
    return field.label or name.replace("_", " ")


def _unit(field: DataField) -> str | None:
    """Return the unit of a field as it is said behind a number, nothing where the label says it."""
    unit = say_unit(field.unit)
    return None if unit and field.label and unit in field.label else unit


def say_unit(unit: str | None) -> str | None:
    """Return a unit as it is said behind a number.

    Examples
    --------
    >>> say_unit("1/mm²"), say_unit("U/l"), say_unit(None)
    ('per mm²', 'U/l', None)
    """
    return f"per {unit[2:]}" if unit and unit.startswith("1/") else unit


def write_value(field: DataField, value: Any) -> str:
    """Return a value in words, empty where it is missing.

    Examples
    --------
    >>> write_value(DataField(type="choice", choices={"1": "Mild"}), "1"), write_value(DataField(type="yesno"), True)
    ('Mild', 'Yes')
    """
    if value is None:
        return ""
    if field.type in _DATES:
        return f"day {value:g}".replace("-", "−")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float | int):
        return write_number(value)
    return field.choices.get(value, value) if field.choices else str(value)


def write_number(value: float) -> str:
    """Return a number with four figures that count, one from 10,000 on in full.

    Examples
    --------
    >>> write_number(21.5478), write_number(11204.0)
    ('21.55', '11204')
    """
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def _courses(one: Values, study: Study) -> Iterator[Course]:
    followed = {parse_column(item.column) for item in study.trajectories.values()}
    columns = [item.column for item in study.trajectories.values()]
    columns += [factor.column for factor in study.factors.values()]
    images = {*study.imaging, *study.pathology}
    for column in dict.fromkeys(parse_column(text) for text in columns):
        field = one.field(column)
        points = tuple(_points(one, study, column)) if field.type in _NUMBERS else ()
        if len(points) > 1 or (points and (column in followed or column.table in images)):
            yield Course(label=_label(field, column.name), unit=_unit(field), points=points)


def _points(one: Values, study: Study, column: Column) -> Iterator[tuple[float, float]]:
    """Yield months and values of every row in time; a row without a day counts at the month of its visit."""
    table = one.tables[one.scope.find(column)[0]]
    if not table.by_visit or table.refused is not None:
        return
    months = {visit.event: visit.month for visit in study.cohort.visits.values() if visit.event is not None}
    rows = table.table.frame
    name = column_name(column, table)
    if name not in rows.columns:
        return
    found = ((day, months.get(event), value) for day, event, value in rows.select("day", "event", name).iter_rows())
    timed = ((day / DAYS_PER_MONTH if day is not None else month, value) for day, month, value in found)
    yield from sorted((month, float(value)) for month, value in timed if month is not None and value is not None)


def _given(one: Values) -> Iterator[Given]:
    for name, table in one.tables.items():
        for row in table.table.frame.iter_rows(named=True) if table.refused is not None else ():
            fields = {field: described for field, described in table.table.fields.items() if row.get(field) is not None}
            dates = [row[field] for field, described in fields.items() if described.type in _DATES]
            said = [_named(described, row[field]) for field, described in fields.items() if row[field] not in dates]
            day = row["day"] if row["day"] is not None else next(iter(dates), None)
            yield Given(form=name.replace("_", " "), day=day, text=", ".join(said))


def _when(each: Given) -> tuple[bool, float]:
    return each.day is None, each.day or 0.0


def _dates(one: Values, study: Study) -> Iterator[Given]:
    """Yield the dates in forms of visits, such as that of a biopsy; the dates of visits are lines of their own."""
    for table in one.tables.values():
        if table.refused is not None:
            continue
        rows = table.frame.to_dicts()
        dates = {name: field for name, field in table.table.fields.items() if field.type in _DATES}
        for name, field in dates.items():
            days = dict.fromkeys(row[name] for row in rows if row.get(name) is not None)
            if name != study.cohort.visit_date:
                yield from (Given(form=_DATE, day=float(day), text=_say_date(field, name)) for day in days)


def _say_date(field: DataField, name: str) -> str:
    """Return what a date is of.

    Examples
    --------
    >>> _say_date(DataField(type="date", label="Date of biopsy"), "biopsy_date")
    'biopsy'
    """
    return _label(field, name).removeprefix("Date of ")


def _named(field: DataField, value: Any) -> str:
    text = write_value(field, value)
    unit = f" {field.unit}" if field.unit else ""
    return text if field.type == "choice" or not field.label else f"{lower_first(field.label)} {text}{unit}"


def _factors(one: Values, study: Study, subject: str, landmarks: Sequence[pl.DataFrame]) -> Mapping[str, str]:
    """Return the factors in words; one that no landmark knows for the patient is left out."""
    found: dict[str, str] = {}
    for frame in landmarks:
        for row in frame.filter(pl.col.subject == subject).iter_rows(named=True):
            for name, factor in study.factors.items():
                value = row.get(name)
                if value is not None:
                    unit = say_unit(find_unit(factor, one.field(parse_column(factor.column))))
                    found.setdefault(factor.label, _say_factor(value, unit))
    return found


def _say_factor(value: float | str, unit: str | None) -> str:
    """Return the value of a factor in words: a level as it is, a number with its unit."""
    if isinstance(value, str):
        return value
    return f"{write_number(value)} {unit}" if unit else write_number(value)
