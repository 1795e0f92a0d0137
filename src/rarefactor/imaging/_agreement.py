"""How far two readers agree on ordered grades: Cohen's weighted kappa.

Convention: 1 is full agreement, 0 what chance alone gives; a disagreement by k grades weighs k (linear) or k squared
(quadratic) times one by a single grade.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.imaging._grades import GradeTable, Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Agreement with its standard error and interval; None where all grades are the same."""

    kappa: float | None
    se: float | None
    low: float | None
    high: float | None
    n: int
    weights: str


def compute_weighted_kappa(
    first: Sequence[int],
    second: Sequence[int],
    scale: Scale,
    *,
    weights: Literal["linear", "quadratic"] = "linear",
    level: float = 0.95,
) -> Kappa:
    """Return the agreement of two readers.

    Parameters
    ----------
    first, second
        Grades of the same muscles by both readers, within ``scale``.
    weights
        What a disagreement by several grades weighs.
    level
        Of the interval, normal, by the standard error of Fleiss, Cohen and Everitt.

    Raises
    ------
    InputError
        Different lengths, none at all, or grades outside the scale.

    References
    ----------
    Cohen J. Weighted kappa: nominal scale agreement with provision for scaled disagreement or partial credit. Psychol
    Bull 1968;70:213-220.
    Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa. Psychol Bull
    1969;72:323-327.

    Examples
    --------
    >>> from rarefactor.imaging._grades import find_scale
    >>> found = compute_weighted_kappa([0, 1, 2, 3, 4, 2], [0, 1, 2, 3, 3, 1], find_scale("mercuri"))
    >>> round(found.kappa, 3), found.n
    (0.76, 6)
    """
    counts = _count(first, second, scale)
    return compute_kappa(counts, compute_agreement(len(counts), weights), weights=weights, level=level)


def compute_reader_agreement(
    table: GradeTable, readers: tuple[str, str], *, weights: Literal["linear", "quadratic"] = "linear"
) -> Kappa:
    """Return the agreement of two readers over all muscles, sides and visits that both graded."""
    one, other = (
        {(g.patient, g.visit, g.muscle, g.side): g.grade for g in table.grades if g.reader == reader}
        for reader in readers
    )
    both = [key for key in one if key in other]
    return compute_weighted_kappa(
        [one[key] for key in both], [other[key] for key in both], table.scale, weights=weights
    )


def compute_agreement(grades: int, weights: Literal["linear", "quadratic"]) -> NDArray[np.float64]:
    """Return the weights of agreement (grades, grades): 1 on the diagonal, 0 in the corners."""
    apart = np.abs(np.subtract.outer(np.arange(grades), np.arange(grades))) / (grades - 1)
    return np.asarray(1.0 - (apart if weights == "linear" else apart**2), float)


def compute_kappa(
    counts: NDArray[np.float64], agreement: NDArray[np.float64], *, weights: str, level: float = 0.95
) -> Kappa:
    """Return kappa of a square table of counts, for weights of agreement 0 to 1.

    References
    ----------
    Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa. Psychol Bull
    1969;72:323-327.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - loaded late, so that importing this part is light

    n = int(counts.sum())
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    seen, chance = float((shares * agreement).sum()), float(rows @ agreement @ columns)
    if math.isclose(chance, 1.0):
        return Kappa(kappa=None, se=None, low=None, high=None, n=n, weights=weights)
    kappa = (seen - chance) / (1.0 - chance)
    of_rows, of_columns = agreement @ columns, agreement.T @ rows
    spread = agreement - np.add.outer(of_rows, of_columns) * (1.0 - kappa)
    variance = float((shares * spread**2).sum()) - (kappa - chance * (1.0 - kappa)) ** 2
    se = math.sqrt(max(0.0, variance) / n) / (1.0 - chance)
    half = float(ndtri(0.5 + 0.5 * level)) * se
    return Kappa(kappa=kappa, se=se, low=kappa - half, high=min(1.0, kappa + half), n=n, weights=weights)


def _count(first: Sequence[int], second: Sequence[int], scale: Scale) -> NDArray[np.float64]:
    grades = scale.last - scale.first + 1
    inside = all(scale.first <= grade <= scale.last for grade in (*first, *second))
    if len(first) != len(second) or not first or not inside:
        raise InputError(
            Problem(
                found="grades of different muscles, none, or grades outside the scale",
                expected=f"the same muscles graded by both readers, from {scale.first} to {scale.last}",
                next_step="Pair the two readers' grades by patient, visit, muscle and side.",
            )
        )
    counts = np.zeros((grades, grades))
    np.add.at(counts, (np.asarray(first) - scale.first, np.asarray(second) - scale.first), 1.0)
    return counts
