"""Separation found by linear programming, before any fit.

Convention: the intercept stands first. Data are separated where some combination of the columns is nowhere on the wrong
side of the outcome: complete where it is on the right side for every patient, quasi where some lie on the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_columns, check_outcome, name_columns, read_array

TOLERANCE = 1e-7
"""Below this a solution of the program (whose coefficients lie in -1..1 per standard deviation) counts as zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Whether and how data are separated.

    ``kind`` is "none", "quasi" or "complete"; ``direction`` (p + 1,) is where the maximum-likelihood coefficient
    of each name runs: -inf, inf, or 0 where it stays finite.
    """

    kind: str
    direction: Floats
    names: tuple[str, ...]

    @property
    def infinite(self) -> tuple[str, ...]:
        """The names whose coefficients have no finite maximum-likelihood estimate."""
        return tuple(name for name, way in zip(self.names, self.direction, strict=True) if way)


def detect_separation(X: ArrayLike, y: ArrayLike, *, names: Sequence[str] | None = None) -> Separation:
    """Find out whether maximum likelihood has finite coefficients, and which have not.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}.
    names
        Names of the columns.

    Returns
    -------
    Separation
        The kind, and the direction of every coefficient.

    Raises
    ------
    InputError
        As for a fit: missing values, one class, constant or dependent columns.

    References
    ----------
    Konis K. Linear programming algorithms for detecting separated data in binary logistic regression models. DPhil
    thesis, University of Oxford, 2007.

    Examples
    --------
    >>> found = detect_separation([[0], [0], [1], [1]], [0, 0, 0, 1], names=["ild"])
    >>> found.kind, found.direction.tolist(), found.infinite
    ('quasi', [-inf, inf], ('(Intercept)', 'ild'))
    """
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    named = name_columns(columns.shape[1], names)
    check_outcome(outcome)
    check_columns(columns, named)
    scaled = np.column_stack([np.ones(len(columns)), columns / columns.std(axis=0)])
    signed = (2.0 * outcome - 1.0)[:, None] * scaled
    direction = _push_apart(signed)
    kind = "none" if not direction.any() else "complete" if _is_complete(signed) else "quasi"
    return Separation(
        kind=kind,
        direction=np.where(direction == 0.0, 0.0, np.copysign(np.inf, direction)),
        names=("(Intercept)", *named),
    )


def _push_apart(signed: Floats) -> Floats:
    """Return the signs of the coefficients that put patients furthest on their side, none on the wrong one."""
    from scipy.optimize import linprog  # noqa: PLC0415 - loaded when separation is asked for, not at import

    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1.0, 1.0), method="highs")
    solution = np.asarray(found.x, dtype=np.float64)
    return np.where(np.abs(solution) > TOLERANCE, np.sign(solution), 0.0)


def _is_complete(signed: Floats) -> bool:
    """Say whether every patient can lie strictly on the right side at once: the largest common margin is positive."""
    from scipy.optimize import linprog  # noqa: PLC0415 - loaded when separation is asked for, not at import

    rows, k = signed.shape
    found = linprog(
        np.append(np.zeros(k), -1.0),
        A_ub=np.column_stack([-signed, np.ones(rows)]),
        b_ub=np.zeros(rows),
        bounds=[(-1.0, 1.0)] * k + [(0.0, 1.0)],
        method="highs",
    )
    return float(-found.fun) > TOLERANCE
