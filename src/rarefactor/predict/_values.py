"""What is given for a patient becomes what a model takes: texts in, levels and numbers in the model's units out.

Convention: an empty text (or NA) is missing and stays so. Levels are named by their label, yes and no also by 1 and 0.
A unit may be written behind a number and must be the model's. No problem holds a value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rarefactor.errors import Problem, suggest
from rarefactor.results import RiskAlias, RiskFactor, RiskModel
from rarefactor.spec import find_flag

MISSING = frozenset({"", "NA"})
COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something doubtful about a patient's risk: the factor, a name for programs, a sentence without a value."""

    factor: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A factor of a patient: a number or a level, None where missing, and what is doubtful about it."""

    value: float | str | None
    warned: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The factors of a patient by name, and what could not be read."""

    values: Mapping[str, Value]
    problems: tuple[Problem, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the factors that were not given."""
        return tuple(name for name, value in self.values.items() if value.value is None)


class _UnreadableError(Exception):
    """A text that cannot be read; carries the problem."""

    def __init__(self, found: str, expected: str, next_step: str) -> None:
        super().__init__(found)
        self.problem = Problem(found=found, expected=expected, next_step=next_step)


def known_names(model: RiskModel) -> tuple[str, ...]:
    """Return the names under which values may be given: of the factors, and of the columns they are made from."""
    aliases = (factor.alias.name for factor in model.factors if factor.alias)
    return tuple(dict.fromkeys([*(factor.name for factor in model.factors), *aliases]))


def find_unknown(model: RiskModel, given: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return a problem for each name that the model does not ask for."""
    known = known_names(model)
    return tuple(
        Problem(
            key=name,
            found="a name that the model does not know",
            expected=f"one of {', '.join(known)}",
            next_step=suggest(name, known),
        )
        for name in given
        if name not in known
    )


def read_patient(model: RiskModel, given: Mapping[str, str]) -> Patient:
    """Return the factors of a patient; names that the model does not know are not looked at."""
    values, problems = dict[str, Value](), list[Problem]()
    for factor in model.factors:
        values[factor.name] = Value(value=None)
        for name in _names_given(factor, given):
            try:
                value = _read(factor, name, given[name].strip())
                if values[factor.name].value not in {None, value.value}:
                    raise _contradiction(factor, name)
                values[factor.name] = value
            except _UnreadableError as error:
                problems.append(replace(error.problem, column=name))
    return Patient(values=values, problems=tuple(problems))


def _contradiction(factor: RiskFactor, name: str) -> _UnreadableError:
    found = f"another value than in {factor.name}"
    return _UnreadableError(found, f"the {name} that {factor.name} is made from", "Leave one of them out.")


def _names_given(factor: RiskFactor, given: Mapping[str, str]) -> list[str]:
    names = [factor.name, *([factor.alias.name] if factor.alias and factor.alias.name != factor.name else [])]
    return [name for name in names if given.get(name, "").strip() not in MISSING]


def _read(factor: RiskFactor, name: str, text: str) -> Value:
    alias = factor.alias
    if alias and alias.name == name and alias.rule == "level":
        level = _level(text, alias.levels)
        return _checked_level(factor, "Yes" if level in alias.counted else "No")
    if alias and alias.name == name and alias.rule == "cut" and not _is_word(text, factor):
        return _cut(factor, alias, text)
    if factor.levels:
        return _checked_level(factor, _level(text, factor.levels))
    value = _number(factor.unit, text)
    if factor.transform == "log" and value <= 0.0:
        raise _UnreadableError("a number that is not above 0", "a number above 0", "Its logarithm is taken.")
    return Value(value=value, warned=_outside(factor, (factor.low, factor.high), value))


def _is_word(text: str, factor: RiskFactor) -> bool:
    """Whether a text that may be a number or a level is a level."""
    return factor.alias is not None and factor.alias.name == factor.name and text.casefold() in {"yes", "no"}


def _cut(factor: RiskFactor, alias: RiskAlias, text: str) -> Value:
    value = _number(factor.unit, text)
    held = COMPARISONS[alias.comparison](value, alias.threshold)
    made = _checked_level(factor, "Yes" if held else "No")
    return Value(value=made.value, warned=(*made.warned, *_outside(factor, (alias.low, alias.high), value)))


def _level(text: str, levels: tuple[str, ...]) -> str:
    folded = {level.casefold(): level for level in levels}
    if text.casefold() in folded:
        return folded[text.casefold()]
    flag = find_flag(text)
    if flag is not None and set(folded) == {"no", "yes"}:
        return folded["yes" if flag else "no"]
    step = "Write its label; --list shows all of them."
    raise _UnreadableError("none of the levels", f"one of {', '.join(levels)}", step)


def _checked_level(factor: RiskFactor, level: str) -> Value:
    if level not in factor.rare:
        return Value(value=level)
    text = f"{factor.label}: a level that fewer than 5 patients of the study had."
    return Value(value=level, warned=(Warned(factor=factor.name, name="rare_level", text=text),))


def _number(unit: str | None, text: str) -> float:
    first, _, rest = text.partition(" ")
    if rest.strip() and rest.strip().casefold() != (unit or "").casefold():
        step = "Turn the number into this unit, or leave the unit out."
        raise _UnreadableError("another unit", unit or "a number without a unit", step)
    try:
        value = float(first)
    except ValueError:
        step = "Write a decimal point, not a comma." if "," in first else "Write digits."
        raise _UnreadableError("no number", f"a number{f' in {unit}' if unit else ''}", step) from None
    if not math.isfinite(value):
        raise _UnreadableError("no finite number", "a number", "Leave it empty where it is missing.")
    return value


def _outside(factor: RiskFactor, seen: tuple[float | None, float | None], value: float) -> tuple[Warned, ...]:
    low, high = seen
    if low is None or high is None or low <= value <= high:
        return ()
    unit = f" {factor.unit}" if factor.unit else ""
    side = "below" if value < low else "above"
    text = (
        f"{factor.label}: {side} the range of {low:g} to {high:g}{unit} that holds the middle 90% of the patients of "
        "the study."
    )
    return (Warned(factor=factor.name, name=f"{side}_range", text=text),)
