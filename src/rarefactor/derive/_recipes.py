"""How a factor is made from its parts: what was measured is one thing, what is analysed another.

A part is a column of the data at one visit. Where a part is missing it can be filled in, and the factor is made anew
from it; a cut, a rate or a group of levels is never filled in by itself.

Convention: parts are numbers; a part with levels holds the position of its level, 0 for the first; NaN is missing. A
factor is a number in its own unit, or the position of its level.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COMPARISONS: dict[str, Callable[[Floats, float], NDArray[np.bool_]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A column of the data at a visit.

    ``levels`` are the labels of a part that is no number; ``log`` says that it is symmetric on the log scale, where it
    is then filled in; a ``fixed`` part (months between two visits) is known by design and predicts nothing.
    """

    name: str
    kind: Literal["continuous", "binary", "categorical", "fixed"]
    levels: tuple[str, ...] = ()
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One factor from its ``parts`` (their names).

    Rules: ``number`` the part itself; ``lookup`` the level of the factor for each level of the part; ``cut`` 1 where
    the part compares so; ``change`` last minus first part, of their logarithms with ``log``, per month if a third part
    holds the months.

    Examples
    --------
    >>> rate = Recipe(parts=("a", "b", "months"), rule="change")
    >>> rate.apply([np.array([10.0, 10.0]), np.array([16.0, np.nan]), np.array([3.0, 3.0])])
    array([ 2., nan])
    """

    parts: tuple[str, ...]
    rule: Literal["number", "lookup", "cut", "change"] = "number"
    lookup: tuple[float, ...] = ()
    comparison: str = ""
    threshold: float = 0.0
    log: bool = False

    def apply(self, parts: Sequence[Floats]) -> Floats:
        """Return the factor from its parts, arrays of one shape (..., n)."""
        return {"number": _number, "lookup": _lookup, "cut": _cut, "change": _change}[self.rule](self, parts)


def _number(_: Recipe, parts: Sequence[Floats]) -> Floats:
    return parts[0]


def _lookup(recipe: Recipe, parts: Sequence[Floats]) -> Floats:
    known = ~np.isnan(parts[0])
    places = np.where(known, parts[0], 0).astype(int)
    return np.where(known, np.asarray(recipe.lookup)[places], np.nan)


def _cut(recipe: Recipe, parts: Sequence[Floats]) -> Floats:
    held = COMPARISONS[recipe.comparison](parts[0], recipe.threshold)
    return np.where(np.isnan(parts[0]), np.nan, held.astype(float))


def _change(recipe: Recipe, parts: Sequence[Floats]) -> Floats:
    before, after = (_log(part) if recipe.log else part for part in parts[:2])
    months = parts[2] if len(parts) > 2 else np.ones_like(before)
    return (after - before) / np.where(months > 0, months, np.nan)


def _log(values: Floats) -> Floats:
    return np.log(np.where(values > 0, values, np.nan))
