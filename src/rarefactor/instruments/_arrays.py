"""Arrays as they come are checked once and become floats; what is known only in part keeps its doubt.

Convention: missing is NaN. A yes-or-no answer is 1, 0 or NaN (not known), and ``and``, ``or`` and counts of such
answers are NaN only where the missing ones could change them. An error names the argument and the place, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarefactor.errors import InputError, Problem

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]

_CLOSE = 1e-9


def raise_input(argument: str, found: str, expected: str, next_step: str, *, row: int | None = None) -> NoReturn:
    """Raise the error of one argument; ``row`` is the first that is wrong, counted from 0."""
    raise InputError(Problem(column=argument, row=row, found=found, expected=expected, next_step=next_step))


def read_values(values: ArrayLike, argument: str) -> Floats:
    """Return the values as floats, at least one-dimensional, none infinite."""
    try:
        array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise_input(argument, "values that are not numbers", "numbers, NaN where missing", "Convert text first.")
    _refuse(np.isinf(array), argument, "an infinite value", "finite numbers, NaN where missing")
    return array


def read_bounded(values: ArrayLike, argument: str, low: float, high: ArrayLike = np.inf) -> Floats:
    """Return the values as floats, all of them missing or within limits."""
    array = read_values(values, argument)
    outside = (array < low - _CLOSE) | (array > np.asarray(high) + _CLOSE)
    limits = np.unique(np.asarray(high, dtype=np.float64))
    expected = f"{low:g} or more" if np.isinf(limits[0]) else f"{low:g} to {limits[-1]:g}"
    _refuse(outside, argument, "a value out of range", expected)
    return array


def read_grades(values: ArrayLike, argument: str, highest: float, *, step: float = 1.0) -> Floats:
    """Return grades from 0 to ``highest`` in whole steps."""
    array = read_bounded(values, argument, 0.0, highest)
    apart = np.abs(array / step - np.round(array / step))
    _refuse(apart > _CLOSE, argument, "a grade between two steps", f"0 to {highest:g} in steps of {step:g}")
    return array


def read_flags(values: ArrayLike, argument: str) -> Floats:
    """Return answers as 1 (yes), 0 (no) and NaN (not known)."""
    return read_grades(values, argument, 1.0)


def read_columns(values: ArrayLike, argument: str, names: Sequence[str]) -> Floats:
    """Return values of shape (n, columns); one patient may come as one row."""
    array = np.atleast_2d(read_values(values, argument))
    if array.ndim != 2 or array.shape[1] != len(names):
        expected = f"{len(names)} columns: {', '.join(names)}"
        raise_input(argument, f"shape {array.shape}", expected, "Give one row per patient.")
    return array


def check_lengths(arrays: Mapping[str, Floats]) -> int:
    """Return the number of patients that all arrays have; arrays of one value stand for everyone."""
    lengths = {name: len(array) for name, array in arrays.items() if len(array) != 1}
    if len(set(lengths.values())) > 1:
        first, *_, last = lengths
        found = f"{lengths[first]} values of {first} and {lengths[last]} of {last}"
        raise_input(last, found, "one value per patient in each", "Give arrays of the same length.")
    return next(iter(lengths.values()), 1)


def compute_all(*answers: Floats) -> Floats:
    """Return whether all answers are yes: no where one is no, else NaN where one is not known."""
    stacked = np.stack(np.broadcast_arrays(*answers))
    unsure = np.where(np.isnan(stacked).any(axis=0), np.nan, 1.0)
    return np.where((stacked == 0.0).any(axis=0), 0.0, unsure)


def compute_any(*answers: Floats) -> Floats:
    """Return whether any answer is yes: yes where one is yes, else NaN where one is not known."""
    return 1.0 - compute_all(*(1.0 - answer for answer in answers))


def compute_at_least(answers: Floats, least: int) -> Floats:
    """Return whether at least so many of the answers (k, n) are yes, NaN where the missing ones decide."""
    yes = (answers == 1.0).sum(axis=0)
    unknown = np.isnan(answers).sum(axis=0)
    return np.where(yes >= least, 1.0, np.where(yes + unknown < least, 0.0, np.nan))


def compute_where(condition: Bools, known: Bools) -> Floats:
    """Return a condition as 1 and 0, NaN where it is not known."""
    return np.where(known, condition.astype(np.float64), np.nan)


def _refuse(wrong: Bools, argument: str, found: str, expected: str) -> None:
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        count = "" if wrong.sum() == 1 else f" ({int(wrong.sum())} of them)"
        raise_input(argument, found + count, expected, "Correct it, or leave it out as missing.", row=row)
