"""Whether a study fits the data that the dictionary describes.

Convention: every problem is found in one pass, each at its key of the study file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec._check import check_expression
from rarefactor.spec._instruments_check import check_instrument_columns
from rarefactor.spec._later_fit import check_later_fit
from rarefactor.spec._model import DataField, Factor, Study
from rarefactor.spec._origin import Key
from rarefactor.spec._parse import parse_column, parse_expression
from rarefactor.spec._scope import Scope, find_code, find_flag
from rarefactor.spec._tokens import ExpressionError

T = TypeVar("T")
NUMBERS = frozenset({"number", "integer", "date", "datetime"})


def check_study(study: Study, scope: Scope) -> None:
    """Refuse a study whose columns, labels and expressions do not fit the data dictionary.

    Raises
    ------
    StudyFileError
        Every such problem of the study file.
    """
    problems = [
        *_check_expressions(study, scope),
        *_check_days(study, scope),
        *(problem for name, factor in study.factors.items() for problem in _check_factor(study, scope, name, factor)),
        *check_later_fit(study, scope),
        *check_instrument_columns(study, scope),
    ]
    if problems:
        raise StudyFileError(*problems)


def expressions(study: Study) -> Iterator[tuple[Key, str]]:
    """Yield every expression of a study with its key."""
    for place, rule in enumerate(study.cohort.eligibility):
        name, text = ("drop", rule.drop) if rule.keep is None else ("keep", rule.keep)
        yield ("cohort", "eligibility", place, name), text or ""
    key: Key = ("outcome", study.outcome_name)
    yield (*key, "when"), study.the_outcome.when
    for place, event in enumerate(study.the_outcome.before):
        yield (*key, "before", place, "when"), event.when
    for landmark, rules in study.analysis.at_risk.items():
        for place, rule in enumerate(rules):
            name, text = ("drop", rule.drop) if rule.keep is None else ("keep", rule.keep)
            yield ("analysis", "at_risk", landmark, place, name), text or ""
    for name, follow_up in study.follow_up.items():
        way, text = ("first", follow_up.first) if follow_up.when is None else ("when", follow_up.when)
        yield ("follow_up", name, way), text or ""
        if follow_up.competing:
            yield ("follow_up", name, "competing", "when"), follow_up.competing.when


def day_columns(study: Study) -> Iterator[tuple[Key, str]]:
    """Yield every column of days since baseline that outcome and follow-up name, with its key."""
    for place, event in enumerate(study.the_outcome.before):
        yield ("outcome", study.outcome_name, "before", place, "day"), event.day
    for name, follow_up in study.follow_up.items():
        if follow_up.day is not None:
            yield ("follow_up", name, "day"), follow_up.day


def at_key(study: Study, key: Key, problem: Problem) -> Problem:
    """Return the problem of an expression with the place of the expression in the study file."""
    there = study.problem(*key, found="", expected="", next_step="")
    return replace(problem, file=there.file, line=there.line, key=there.key)


def attempt(study: Study, key: Key, action: Callable[[], T]) -> tuple[T | None, list[Problem]]:
    """Return what an action gives, or its problems at their key."""
    try:
        return action(), []
    except ExpressionError as error:
        return None, [at_key(study, key, problem) for problem in error.problems]


def _check_expressions(study: Study, scope: Scope) -> Iterator[Problem]:
    for key, text in expressions(study):
        found, problems = attempt(study, key, lambda text=text: check_expression(parse_expression(text), scope))
        yield from problems
        yield from (at_key(study, key, problem) for problem in found or ())


def _check_days(study: Study, scope: Scope) -> Iterator[Problem]:
    named = [*day_columns(study)]
    named += [(("cohort", "visit_day"), study.cohort.visit_day)] if study.cohort.visit_day in _all_names(scope) else []
    for key, name in named:
        found, problems = attempt(study, key, lambda name=name: scope.find(parse_column(name or "")))
        yield from problems
        if found and found[1].type not in NUMBERS:
            yield study.problem(
                *key,
                found=f"{name}, a column of type {found[1].type}",
                expected="a column of days since baseline (number, integer or date)",
                next_step="Name the column that holds the day, or correct its type in the dictionary.",
            )


def _all_names(scope: Scope) -> set[str]:
    return {name for fields in scope.tables.values() for name in fields}


def _check_factor(study: Study, scope: Scope, name: str, factor: Factor) -> Iterator[Problem]:
    key = ("factors", name)
    found, problems = attempt(study, (*key, "from"), lambda: scope.find(parse_column(factor.column)))
    yield from problems
    if found is None:
        return
    field = found[1]
    if field.type in {"text", "id"}:
        yield study.problem(
            *key,
            "from",
            found=f"{factor.column}, a column of type {field.type}",
            expected="a number, a choice or yes or no",
            next_step="Give the column its type in the dictionary: choice with its choices, number or yesno.",
        )
        return
    yield from _check_numeric(study, key, factor, field)
    yield from _check_labels(study, key, factor, field)


def _check_numeric(study: Study, key: Key, factor: Factor, field: DataField) -> Iterator[Problem]:
    """Refuse what only numbers allow on a column that holds none."""
    asked = [
        name
        for name in ("cut", "transform", "rate_between", "change_between", "per")
        if getattr(factor, name) is not None
    ]
    if field.type in NUMBERS:
        return
    for name in asked:
        yield study.problem(
            *key,
            name,
            found=f"{name} on {factor.column}, a column of type {field.type}",
            expected="a column of numbers",
            next_step=f"Remove {name}, or use equals to say which choices count.",
        )


def _check_labels(study: Study, key: Key, factor: Factor, field: DataField) -> Iterator[Problem]:
    named = {"equals": factor.equals, "reference": () if factor.reference is None else (factor.reference,)}
    for name, values in named.items():
        if values and field.type in NUMBERS:
            yield study.problem(
                *key,
                name,
                found=f"{name} on {factor.column}, a column of type {field.type}",
                expected="a choice",
                next_step="Use the number itself, or describe the column as a choice in the dictionary.",
            )
        for value in values if field.type == "choice" else ():
            yield from attempt(study, (*key, name), lambda value=value: find_code(field, value))[1]
    if field.type == "yesno":
        yield from _check_flags(study, key, factor)


def _check_flags(study: Study, key: Key, factor: Factor) -> Iterator[Problem]:
    if factor.reference is not None:
        yield study.problem(
            *key,
            "reference",
            found=f"a reference for {factor.column}, a column of yes or no",
            expected="no reference",
            next_step="Remove reference: no is the reference; write equals: no to turn it round.",
        )
    for value in factor.equals:
        if find_flag(value) is None or len(factor.equals) > 1:
            yield study.problem(*key, "equals", found=value, expected="yes or no", next_step="Write yes or no.")
