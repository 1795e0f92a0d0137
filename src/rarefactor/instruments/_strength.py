"""Strength: manual muscle testing and the Medical Research Council's grades.

Convention: muscle testing grades are 0 to 10, Medical Research Council grades 0 to 5 with half steps. A total with a
missing grade is NaN; it is never prorated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.instruments._arrays import Floats, Texts, raise_input, read_bounded, read_columns, read_grades

MMT8_MUSCLES = (
    "neck_flexors",
    "deltoid",
    "biceps",
    "wrist_extensors",
    "gluteus_maximus",
    "gluteus_medius",
    "quadriceps",
    "ankle_dorsiflexors",
)
"""The eight muscles of MMT8; the neck flexors have no sides."""

MRC_MOVEMENTS = (
    "shoulder_abduction",
    "elbow_flexion",
    "wrist_extension",
    "hip_flexion",
    "knee_extension",
    "ankle_dorsiflexion",
)
"""The six movements of the MRC sum score, each tested on both sides."""

MRC_TO_MMT: Mapping[str, float] = {
    "5": 10,
    "4+": 9,
    "4": 8,
    "4-": 7,
    "3+": 6,
    "3": 5,
    "3-": 4,
    "2+": 3,
    "2": 2,
    "2-": 1,
    "1": 1,
    "0": 0,
}
"""What each MRC grade is on the scale of 0 to 10; not read at its source, replace it where another is used."""

WEAKNESS = ("none", "significant", "severe")


def _both_sides(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}_{side}" for name in names for side in ("right", "left"))


MMT8_BILATERAL = ("neck_flexors", *_both_sides(MMT8_MUSCLES[1:]))
MRC_COLUMNS = _both_sides(MRC_MOVEMENTS)


def compute_mmt8(grades: ArrayLike, *, sides: Literal[1, 2] = 1) -> Floats:
    """Add up manual muscle testing of eight muscles.

    Parameters
    ----------
    grades
        Grades 0 to 10 in whole steps, shape (n, 8) in the order of ``MMT8_MUSCLES`` (one side, total 0 to 80), or
        (n, 15) in the order of ``MMT8_BILATERAL`` (both sides, total 0 to 150).
    sides
        1 or 2: how many sides were tested.

    Returns
    -------
    numpy.ndarray
        The total, NaN where a grade is missing; shape (n,).

    Raises
    ------
    InputError
        Another number of muscles, a grade that is none.

    References
    ----------
    Rider LG, Koziol D, Giannini EH, et al. Validation of manual muscle testing and a subset of eight muscles for adult
    and juvenile idiopathic inflammatory myopathies. Arthritis Care Res 2010;62:465-472.

    Examples
    --------
    >>> compute_mmt8([10, 8, 9, 10, 6, 6, 8, 10]).tolist()
    [67.0]
    """
    names = MMT8_MUSCLES if sides == 1 else MMT8_BILATERAL
    return read_grades(read_columns(grades, "grades", names), "grades", 10.0).sum(axis=1)


def compute_mmt_from_mrc(grades: Iterable[str | None], *, table: Mapping[str, float] | None = None) -> Floats:
    """Translate Medical Research Council grades to the scale of 0 to 10.

    Parameters
    ----------
    grades
        Grades as they are written, such as ``4+``, ``4``, ``4-``; empty or None where missing.
    table
        What each grade stands for; ``MRC_TO_MMT`` unless given, which was not read at its source.

    Returns
    -------
    numpy.ndarray
        Grades 0 to 10, shape (n,).

    Raises
    ------
    InputError
        A grade that the table does not have; its row (from 0) is named.

    Examples
    --------
    >>> compute_mmt_from_mrc(["5", "4−", None]).tolist()
    [10.0, 7.0, nan]
    """
    known = MRC_TO_MMT if table is None else table
    return np.array([_translate(grade, row, known) for row, grade in enumerate(grades)], dtype=np.float64)


def _translate(grade: str | None, row: int, table: Mapping[str, float]) -> float:
    written = (grade or "").strip().replace("−", "-").replace("–", "-")
    if not written:
        return float("nan")
    if written not in table:
        step = "Correct it, or give a table that has it."
        raise_input("grades", "a grade that is not in the table", f"one of {', '.join(table)}", step, row=row)
    return table[written]


def compute_mrc_sum(grades: ArrayLike) -> Floats:
    """Add up the Medical Research Council grades of six movements on both sides.

    Parameters
    ----------
    grades
        Grades 0 to 5 in half steps, shape (n, 12) in the order of ``MRC_COLUMNS``.

    Returns
    -------
    numpy.ndarray
        The sum score 0 to 60, NaN where a grade is missing; shape (n,).

    Raises
    ------
    InputError
        Another number of movements, a grade that is none.

    References
    ----------
    Kleyweg RP, van der Meché FGA, Schmitz PIM. Interobserver agreement in the assessment of muscle strength and
    functional abilities in Guillain-Barré syndrome. Muscle Nerve 1991;14:1103-1109.

    Examples
    --------
    >>> compute_mrc_sum([4] * 12).tolist()
    [48.0]
    """
    return read_grades(read_columns(grades, "grades", MRC_COLUMNS), "grades", 5.0, step=0.5).sum(axis=1)


def compute_mrc_weakness(total: ArrayLike, *, significant: float = 48.0, severe: float = 36.0) -> Texts:
    """Grade weakness by the MRC sum score.

    Parameters
    ----------
    total
        MRC sum score 0 to 60, shape (n,), NaN where missing.
    significant, severe
        Scores below these are called so; the usual 48 and 36 were not read at their source.

    Returns
    -------
    numpy.ndarray
        ``none``, ``significant``, ``severe``; empty where the score is missing. Shape (n,).

    Examples
    --------
    >>> compute_mrc_weakness([48, 47.5, 35]).tolist()
    ['none', 'significant', 'severe']
    """
    scores = read_bounded(total, "total", 0.0, 60.0)
    called = np.where(scores < severe, "severe", np.where(scores < significant, "significant", "none"))
    return np.where(np.isnan(scores), "", called)
