"""Disability: the Health Assessment Questionnaire's index and the modified Rankin scale.

Convention: only the answers' numbers come in; the questionnaires are their owners' and are not here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.instruments._arrays import Floats, read_columns, read_flags, read_grades

HAQ_CATEGORIES: Mapping[str, int] = {
    "dressing": 2,
    "arising": 2,
    "eating": 3,
    "walking": 2,
    "hygiene": 3,
    "reach": 2,
    "grip": 3,
    "activities": 3,
}
"""The eight categories of the index and how many items each has."""

HAQ_ITEMS = tuple(f"{name}_{item + 1}" for name, count in HAQ_CATEGORIES.items() for item in range(count))
"""The twenty items in the order in which they are taken."""

_LEAST_CATEGORIES = 6


def compute_haq_categories(items: ArrayLike) -> Floats:
    """Return the highest item of each category.

    Parameters
    ----------
    items
        Answers 0 to 3, shape (n, 20) in the order of ``HAQ_ITEMS``, NaN where not answered.

    Returns
    -------
    numpy.ndarray
        Shape (n, 8); NaN where no item of the category was answered.

    Raises
    ------
    InputError
        Another number of items, an answer that is none.

    Examples
    --------
    >>> compute_haq_categories([0, 1] * 10).tolist()
    [[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]
    """
    answers = read_grades(read_columns(items, "items", HAQ_ITEMS), "items", 3.0)
    starts = np.cumsum([0, *HAQ_CATEGORIES.values()])[:-1]
    highest = np.maximum.reduceat(np.nan_to_num(answers, nan=-1.0), starts, axis=1)
    return np.where(highest < 0.0, np.nan, highest)


def compute_haq_di(categories: ArrayLike, *, aids: ArrayLike = 0.0) -> Floats:
    """Compute the disability index of the Health Assessment Questionnaire.

    An aid or help raises a category of 0 or 1 to 2. The index is the mean of the answered categories, of which there
    must be six or more.

    Parameters
    ----------
    categories
        Highest item 0 to 3 of each category, shape (n, 8) in the order of ``HAQ_CATEGORIES``, NaN where not answered;
        see :func:`compute_haq_categories`.
    aids
        1 where an aid or help is used in a category, else 0; shape (n, 8). Missing counts as none. An aid does not
        answer a category.

    Returns
    -------
    numpy.ndarray
        The index 0 to 3, NaN where fewer than six categories were answered; shape (n,).

    Raises
    ------
    InputError
        Another number of categories, an answer that is none.

    References
    ----------
    Fries JF, Spitz P, Kraines RG, Holman HR. Measurement of patient outcome in arthritis. Arthritis Rheum
    1980;23:137-145.
    Bruce B, Fries JF. The Stanford Health Assessment Questionnaire: dimensions and practical applications. Health Qual
    Life Outcomes 2003;1:20.

    Examples
    --------
    >>> compute_haq_di([1, 2, 0, 1, 3, 0, 2, 1], aids=[1, 0, 0, 0, 0, 0, 0, 0]).tolist()
    [1.375]
    """
    answers = read_grades(read_columns(categories, "categories", tuple(HAQ_CATEGORIES)), "categories", 3.0)
    helped = np.broadcast_to(np.atleast_2d(read_flags(aids, "aids")) == 1.0, answers.shape)
    raised = np.where(helped, np.where(np.isnan(answers), np.nan, np.maximum(answers, 2.0)), answers)
    answered = (~np.isnan(raised)).sum(axis=1)
    mean = np.nan_to_num(raised).sum(axis=1) / np.maximum(answered, 1)
    return np.where(answered >= _LEAST_CATEGORIES, mean, np.nan)


def compute_mrs(grades: ArrayLike, *, died: ArrayLike = 0.0) -> Floats:
    """Return grades of the modified Rankin scale, 6 for who has died.

    Parameters
    ----------
    grades
        0 (no symptoms) to 6 (death) in whole steps, shape (n,), NaN where missing.
    died
        1 where the patient has died by the visit, whether or not a grade was given; shape (n,).

    Returns
    -------
    numpy.ndarray
        Grades 0 to 6, shape (n,).

    Raises
    ------
    InputError
        A grade that is none.

    References
    ----------
    van Swieten JC, Koudstaal PJ, Visser MC, Schouten HJA, van Gijn J. Interobserver agreement for the assessment of
    handicap in stroke patients. Stroke 1988;19:604-607.

    Examples
    --------
    >>> compute_mrs([2, float("nan")], died=[0, 1]).tolist()
    [2.0, 6.0]
    """
    return np.where(read_flags(died, "died") == 1.0, 6.0, read_grades(grades, "grades", 6.0))
