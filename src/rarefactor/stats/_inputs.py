"""The edge of the library: arrays as they come are checked once and become plain float arrays.

An error names the column or argument, never a value of a patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import InputError, Problem, suggest
from rarefactor.stats._arrays import Bools, Floats, fetch, is_foreign

PENALTIES = ("none", "firth", "logf")


def read_array(values: ArrayLike, argument: str) -> Floats:
    """Return the values as floats in NumPy's arrays, from a device if need be, or say that they are not numbers."""
    given: Any = values
    try:
        return np.asarray(fetch(given) if is_foreign(given) else given, dtype=np.float64)
    except (BufferError, RuntimeError) as error:  # such as a tensor that records gradients
        raise_input(argument, "a tensor that cannot be read", "plain numbers", "Detach it: x.detach().cpu().", error)
    except (TypeError, ValueError) as error:
        raise_input(
            argument, "values that are not numbers", "an array of numbers", "Convert text to numbers first.", error
        )


def raise_input(argument: str, found: str, expected: str, next_step: str, cause: Exception | None = None) -> NoReturn:
    """Raise the error of one argument."""
    raise InputError(Problem(key=argument, found=found, expected=expected, next_step=next_step)) from cause


def check_level(level: float) -> float:
    """Return the confidence level, between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise_input("level", f"{level:g}", "a number between 0 and 1", "Use 0.95 for 95% intervals.")
    return level


def check_penalty(penalty: str) -> str:
    """Return the name of a known penalty."""
    if penalty not in PENALTIES:
        raise_input("penalty", repr(penalty), f"one of {', '.join(PENALTIES)}", suggest(penalty, PENALTIES))
    return penalty


def check_strengths(prior_m: ArrayLike, columns: int) -> Floats:
    """Return the strengths m of log-F(m, m) priors as (1 or B, columns)."""
    strengths = read_array(prior_m, "prior_m")
    if strengths.ndim > 2 or (strengths.ndim and strengths.shape[-1] != columns):
        raise_input("prior_m", f"shape {strengths.shape}", f"one number or {columns}", "Leave the intercept out.")
    if not (np.isfinite(strengths).all() and (strengths >= 0.0).all()):
        raise_input("prior_m", "a strength that is no number from 0 up", "0 (no prior) or more", "Use 2, the default.")
    return np.broadcast_to(np.atleast_2d(strengths), (len(strengths) if strengths.ndim == 2 else 1, columns))


def name_columns(count: int, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the columns, x1, x2, ... where none were given."""
    if names is None:
        return tuple(f"x{j + 1}" for j in range(count))
    if len(names) != count:
        raise_input("names", f"{len(names)} names", f"{count}, one per column of X", "Leave the intercept out.")
    return tuple(names)


def check_outcome(outcome: Floats) -> None:
    """Refuse an outcome that is not 0 or 1 throughout, or that has one class only."""
    if np.isnan(outcome).any():
        raise_input("y", f"{np.isnan(outcome).sum()} missing values", "0 or 1 for every patient", "Leave them out.")
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise_input("y", "values other than 0 and 1", "0 or 1", "Convert 1/2 coding, for example y = (status == 2).")
    if outcome.size and np.ptp(outcome) == 0.0:
        raise_input("y", "one class only", "patients with and without the event", "Check the outcome's rule.")


def check_columns(design: Floats, names: Sequence[str]) -> None:
    """Refuse columns (n, p) that are missing, infinite, constant or combinations of others, naming them."""
    problems = [
        *_find(
            np.asarray(~np.isfinite(design).all(axis=0)),
            names,
            "missing or infinite values",
            "Impute or leave them out.",
        ),
        *_find(design.min(axis=0) == design.max(axis=0), names, "one value only", "Leave the column out."),
    ]
    if problems:
        raise InputError(*problems)
    rows, columns = design.shape
    if rows <= columns + 1:
        raise_input("X", f"{rows} rows for {columns} columns", "more rows than coefficients", "Use fewer factors.")
    dependent = find_dependent(design)
    if dependent.any():
        raise InputError(*_find(dependent, names, "a combination of the columns before it", "Leave one of them out."))


def _find(condition: Bools, names: Sequence[str], found: str, next_step: str) -> list[Problem]:
    return [
        Problem(column=name, found=found, expected="a column of finite numbers of its own", next_step=next_step)
        for name, hit in zip(names, condition, strict=True)
        if hit
    ]


def find_dependent(design: Floats) -> Bools:
    """Say of each column (n, p) whether the intercept and the columns before it determine it."""
    centred = design - design.mean(axis=0)
    centred = centred / np.linalg.norm(centred, axis=0)
    left_over = np.abs(np.diagonal(np.linalg.qr(centred, mode="r")))
    return left_over < 1e-9
