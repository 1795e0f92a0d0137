"""Muscle enzymes: units, multiples of the upper limit of normal, and values that are known as bounds only.

Convention: 1 µkat/L = 60 U/L. A censored value keeps its operator and its bound (``>20000``); it is never the bound
alone. The upper limit of normal is in the unit of the values and may differ by patient (by sex, by laboratory).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.instruments._arrays import Floats, Texts, raise_input, read_bounded

ENZYME_RANGES: Mapping[str, float] = {"ck": 15.0, "aldolase": 6.0, "ldh": 3.0, "ast": 3.0, "alt": 3.0}
"""Range of each enzyme for the Total Improvement Score, in multiples of its upper limit; not read at its source."""

UNITS: Mapping[str, float] = {"U/L": 1.0, "IU/L": 1.0, "kU/L": 1000.0, "µkat/L": 60.0, "nkat/L": 0.06}
"""How many U/L one of each unit is."""

_CENSORED = re.compile(r"^\s*(<=?|>=?|≤|≥)?\s*(\d+(?:\.\d*)?|\.\d+)\s*$")
_PLAIN = {"≤": "<=", "≥": ">="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Censored:
    """Values of which some are bounds.

    Attributes
    ----------
    values
        The value or its bound, NaN where missing; shape (n,).
    operators
        ``<``, ``<=``, ``>`` or ``>=`` where it is a bound, empty where it is the value.
    """

    values: Floats
    operators: Texts

    def scale(self, factor: ArrayLike) -> Censored:
        """Return the values times a factor above 0; bounds stay bounds.

        Examples
        --------
        >>> read_censored([">20000", "380"]).scale(1 / 190).operators.tolist()
        ['>', '']
        """
        return Censored(values=self.values * read_bounded(factor, "factor", 1e-12), operators=self.operators)


def read_censored(texts: Iterable[str | None]) -> Censored:
    """Read laboratory values as they are written, such as ``5.2``, ``<5`` and ``>20000``.

    Parameters
    ----------
    texts
        One text per patient, empty or None where missing; a decimal point, no unit.

    Returns
    -------
    Censored
        Values and operators.

    Raises
    ------
    InputError
        A text that is no such value; its row (from 0) is named, the text is not.

    Examples
    --------
    >>> found = read_censored(["<5", "250", None])
    >>> found.values.tolist(), found.operators.tolist()
    ([5.0, 250.0, nan], ['<', '', ''])
    """
    parts = [_read_one(text, row) for row, text in enumerate(texts)]
    return Censored(
        values=np.array([value for _, value in parts], dtype=np.float64),
        operators=np.array([operator for operator, _ in parts], dtype=np.str_),
    )


def _read_one(text: str | None, row: int) -> tuple[str, float]:
    if text is None or not text.strip():
        return "", float("nan")
    match = _CENSORED.match(text)
    if match is None:
        raise_input("value", "a text", "a number, or a bound such as <5", "Correct it, or leave it empty.", row=row)
    operator = match[1] or ""
    return _PLAIN.get(operator, operator), float(match[2])


def compute_unit(values: ArrayLike, unit: str, to: str = "U/L") -> Floats:
    """Convert enzyme activities from one unit to another.

    Parameters
    ----------
    values
        Activities, 0 or more, shape (n,).
    unit, to
        ``U/L``, ``IU/L``, ``kU/L``, ``µkat/L`` or ``nkat/L``.

    Raises
    ------
    InputError
        A unit that is not known, a negative value.

    References
    ----------
    Dybkær R. The tortuous road to the adoption of katal for the expression of catalytic activity by the General
    Conference on Weights and Measures. Clin Chem 2002;48:586-590.

    Examples
    --------
    >>> compute_unit([3.5], "µkat/L").tolist()
    [210.0]
    """
    return read_bounded(values, "values", 0.0) * (_factor(unit, "unit") / _factor(to, "to"))


def _factor(unit: str, argument: str) -> float:
    written = unit.strip().replace("μ", "µ").replace("ukat", "µkat")  # Greek mu and a plain u are written too
    known = {name.casefold(): factor for name, factor in UNITS.items()}
    if written.casefold() not in known:
        raise_input(argument, f"the unit {unit}", f"one of {', '.join(UNITS)}", suggest(unit, tuple(UNITS)))
    return known[written.casefold()]


def compute_multiples(values: ArrayLike, limit: ArrayLike) -> Floats:
    """Express enzyme activities in multiples of the upper limit of normal.

    Parameters
    ----------
    values
        Activities, 0 or more, shape (n,).
    limit
        The upper limit of normal in the same unit, above 0: one number, or one for each patient.

    Raises
    ------
    InputError
        A negative value, a limit that is not above 0.

    Examples
    --------
    >>> compute_multiples([380, 85], limit=[190, 170]).tolist()
    [2.0, 0.5]
    """
    return read_bounded(values, "values", 0.0) / read_bounded(limit, "limit", 1e-12)
