"""Whether the data dictionary in the study file, and the names that point into it, hold together.

Convention: a name is looked up here only where the study file describes every column; with a dictionary file that is
done when the file is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.errors import Problem, suggest
from rarefactor.spec._fit import at_key, attempt, day_columns, expressions
from rarefactor.spec._instruments_check import instrument_columns
from rarefactor.spec._model import DataField, Study
from rarefactor.spec._nodes import Column
from rarefactor.spec._origin import Key
from rarefactor.spec._parse import parse_column, parse_expression
from rarefactor.spec._scope import Scope
from rarefactor.spec._tokens import ExpressionError, problem_at


def check_dictionary(study: Study) -> list[Problem]:
    """Return what is wrong with the fields of a study file, its sources and the names in its expressions."""
    fields = [problem for name, item in study.cohort.fields.items() for problem in _field(study, name, item)]
    return [*_described(study), *fields, *_days(study), *_names(study)]


def _described(study: Study) -> Iterator[Problem]:
    if study.cohort.dictionary is None and not study.cohort.fields:
        yield study.problem(
            "cohort",
            found="neither fields nor dictionary",
            expected="a description of the columns",
            next_step="Add dictionary: with the data dictionary of REDCap, or fields: with a type for each column; "
            "types are never guessed.",
        )


def _field(study: Study, name: str, field: DataField) -> Iterator[Problem]:
    key: Key = ("cohort", "fields", name)
    if field.type == "choice" and not field.choices:
        step = "Add choices: {0: no fibrosis, 1: fibrosis}."
        yield study.problem(*key, found="a choice without choices", expected="the codes and labels", next_step=step)
    if field.type != "choice" and field.choices:
        found = f"choices of a column of type {field.type}"
        step = "Write type: choice, or remove the choices."
        yield study.problem(*key, "choices", found=found, expected="type choice", next_step=step)
    for limit in ("min", "max"):
        if getattr(field, limit) is not None and field.type not in {"number", "integer"}:
            found = f"{limit} of a column of type {field.type}"
            step = f"Remove {limit}, or correct the type."
            yield study.problem(*key, limit, found=found, expected="type number or integer", next_step=step)
    if field.min is not None and field.max is not None and field.min > field.max:
        found = f"a range from {field.min:g} to {field.max:g}"
        yield study.problem(*key, "min", found=found, expected="min up to max", next_step="Turn them round.")
    yield from _codes(study, key, field)


def _codes(study: Study, key: Key, field: DataField) -> Iterator[Problem]:
    seen: dict[float, str] = {}
    for code in field.choices:
        number = _number(code)
        if number is not None and seen.setdefault(number, code) != code:
            found = f"the code {code}, the same number as {seen[number]}"
            step = "Keep one of them."
            yield study.problem(*key, "choices", code, found=found, expected="different codes", next_step=step)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _days(study: Study) -> Iterator[Problem]:
    """Refuse two sources of the day of a visit."""
    pairs: list[tuple[Key, str | None, str | None]] = [
        (("cohort", "visit_day"), study.cohort.visit_day, study.cohort.visit_date)
    ]
    for name, source in study.cohort.records.items():
        pairs.append((study.written("cohort", "records", name, "day"), source.day, source.date))
    for key, day, date in pairs:
        if day is not None and date is not None:
            found = "a column of days beside a column of dates"
            step = "Keep the dates if both are there: days are made from them."
            yield study.problem(*key, found=found, expected="one of them", next_step=step)


def _names(study: Study) -> Iterator[Problem]:
    for key, text in expressions(study):
        expression, problems = attempt(study, key, lambda text=text: parse_expression(text))
        yield from problems
        for column in expression.columns if expression else ():
            for problem in _column(study, column):
                words = {"found": problem.found, "expected": problem.expected, "next_step": problem.next_step}
                yield at_key(study, key, problem_at(text, column.at, **words))
            yield from _later(study, key, column)
    for key, text in (*_factor_columns(study), *day_columns(study), *instrument_columns(study)):
        column, problems = attempt(study, key, lambda text=text: parse_column(text))
        yield from problems
        yield from (at_key(study, key, problem) for problem in (_column(study, column) if column else ()))
        if column and column.visit:
            found, step = (
                f"the visit {column.visit} in brackets",
                (f"Write measured_at: {column.visit} instead." if key[0] == "factors" else "Remove the brackets."),
            )
            yield study.problem(*key, found=found, expected="the column alone", next_step=step)


def _factor_columns(study: Study) -> Iterator[tuple[Key, str]]:
    for name, factor in study.factors.items():
        yield ("factors", name, "from"), factor.column


def _later(study: Study, key: Key, column: Column) -> Iterator[Problem]:
    """Refuse an outcome that needs a visit after its own."""
    visits, at, visit = study.cohort.visits, study.the_outcome.at, column.visit or study.the_outcome.at
    if key[-1] == "when" and {visit, at} <= set(visits) and visits[visit].month > visits[at].month:
        found = f"{column}, which is measured after {at}"
        step = f"Write at: {column.visit}, or name an earlier visit."
        yield study.problem(*key, found=found, expected=f"visits up to {at}", next_step=step)


def _column(study: Study, column: Column) -> tuple[Problem, ...]:
    """Return what is wrong with a column, as far as the study file alone can tell."""
    cohort = study.cohort
    try:
        Scope(tables={}, visits=tuple(cohort.visits)).check_visit(column)
    except ExpressionError as error:
        return error.problems
    if cohort.dictionary is not None or not cohort.fields or column.dotted in cohort.fields:
        return ()
    measured = (*study.imaging, *study.pathology)
    if column.table in measured or (column.table or column.name) in study.instruments:
        return ()  # what is measured or computed there is known where that is done
    if column.table is None or column.table in cohort.records:
        return () if column.name in cohort.fields else (_unknown(study, column),)
    found = f"the table {column.table}, which is not known"
    step = suggest(column.table, (*cohort.records, *measured))
    return (Problem(found=found, expected="a table of cohort.records, imaging or pathology", next_step=step),)


def _unknown(study: Study, column: Column) -> Problem:
    found = f"the column {column.name}, which is not described"
    step = suggest(column.name, tuple(study.cohort.fields))
    return Problem(found=found, expected="a column of cohort.fields", next_step=step)
