"""What is imputed: variables with their kinds and levels, derived columns, and the checks of both.

Convention: data are numbers with NaN for what is missing; a categorical value is one of the variable's ``levels``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.errors import InputError, Problem, suggest
from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import raise_input

KINDS = ("continuous", "binary", "categorical", "ordered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A column of the data and how its missing values are drawn.

    ``kind``: "continuous" (predictive mean matching), "binary" (logistic), "categorical" (multinomial logistic) or
    "ordered" (proportional odds). ``levels`` are the values of a category in their order, by default those observed.
    ``predictors`` names what it is imputed from, by default every other variable.
    """

    name: str
    kind: str = "continuous"
    levels: tuple[float, ...] = ()
    predictors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A column computed from others, never imputed apart from them.

    ``compute`` takes one array (..., n) per part and returns an array of that shape, element by element. With
    ``predictor`` it also stands in the imputation models of variables that are not its parts.
    """

    name: str
    parts: tuple[str, ...]
    compute: Callable[..., Floats]
    predictor: bool = False


def check_variables(data: Floats, variables: Sequence[Variable], derived: Sequence[Derived]) -> tuple[Variable, ...]:
    """Return the variables with their levels, or say all that is wrong; data (..., n, p)."""
    if data.shape[-1] != len(variables):
        raise_input(
            "variables", f"{len(variables)} variables", f"{data.shape[-1]}, one per column", "Name every column."
        )
    names = [variable.name for variable in variables] + [column.name for column in derived]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise_input("variables", f"{', '.join(twice)} twice", "every name once", "Rename one of them.")
    columns = data.reshape(-1, data.shape[-1]).T
    complete = [_find_levels(variable, column) for variable, column in zip(variables, columns, strict=True)]
    problems = [
        problem
        for variable, column in zip(complete, columns, strict=True)
        for problem in (_check_variable(variable, column, names),)
        if problem
    ]
    problems += [problem for column in derived for problem in _check_parts(column, names[: len(variables)])]
    if problems:
        raise InputError(*problems)
    return tuple(complete)


def _find_levels(variable: Variable, column: Floats) -> Variable:
    if variable.kind == "continuous" or variable.levels:
        return variable
    return replace(variable, levels=tuple(np.unique(column[~np.isnan(column)]).tolist()))


def _check_variable(variable: Variable, column: Floats, names: Sequence[str]) -> Problem | None:
    """Return the first thing that is wrong with a variable; no message carries a value of the data."""
    unknown = [name for name in variable.predictors or () if name not in names]
    outside = ~np.isnan(column) & ~np.isin(column, variable.levels)
    found = [
        (variable.kind not in KINDS, f"the kind {variable.kind!r}", "a known kind", suggest(variable.kind, KINDS)),
        (np.isinf(column).any(), "infinite values", "finite numbers or NaN", "Leave them missing."),
        (np.isnan(column).all(), "nothing observed", "observed values", "Leave the column out."),
        (bool(unknown), f"unknown predictors: {', '.join(unknown)}", "names of variables", "Check their spelling."),
    ]
    if variable.kind != "continuous":
        count = len(variable.levels)
        found += [
            (count < 2, "one level only", "two or more levels", "Give levels, or leave the column out."),
            (variable.kind == "binary" and count > 2, f"{count} levels", "2", 'Use kind "categorical".'),
            (
                bool(outside.any()),
                f"{outside.sum()} values that are no level",
                "its levels",
                "Add the level or mend it.",
            ),
        ]
    for wrong, what, expected, step in found:
        if wrong:
            return Problem(column=variable.name, found=what, expected=expected, next_step=step)
    return None


def _check_parts(column: Derived, names: Sequence[str]) -> list[Problem]:
    return [
        Problem(key=column.name, found=f"the part {part}", expected="a variable", next_step=suggest(part, names))
        for part in column.parts
        if part not in names
    ]


def check_missing(data: Floats, variables: Sequence[Variable], allowed: float) -> None:
    """Refuse variables (n, p) with a larger share missing than allowed."""
    share = np.isnan(data).mean(axis=0)
    problems = [
        Problem(
            column=variable.name,
            found=f"{part:.0%} missing",
            expected=f"at most {allowed:.0%}",
            next_step="Leave the column out, or allow more.",
        )
        for variable, part in zip(variables, share, strict=True)
        if part > allowed
    ]
    if problems:
        raise InputError(*problems)


def derive_order(missing: Sequence[int], names: Sequence[str], order: Sequence[str] | None) -> tuple[int, ...]:
    """Return the places of the incomplete variables in the order of visits, by default fewest missing first."""
    incomplete = [place for place, count in enumerate(missing) if count]
    if order is None:
        return tuple(sorted(incomplete, key=lambda place: missing[place]))
    unknown = [name for name in order if name not in names]
    left_out = [names[place] for place in incomplete if names[place] not in order]
    if unknown or left_out:
        found = f"unknown {', '.join(unknown)}" if unknown else f"{', '.join(left_out)} left out"
        raise_input("order", found, "every incomplete variable", "Name them as in variables.")
    return tuple(place for place in (names.index(name) for name in order) if place in incomplete)
