"""The 2017 EULAR/ACR classification of idiopathic inflammatory myopathies.

Convention: findings are yes, no or not known (NaN); a score with a finding that is not known is bounded, not guessed.
Whether a biopsy was read decides which weights count. Rashes add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.instruments._arrays import (
    Floats,
    Texts,
    check_lengths,
    compute_any,
    raise_input,
    read_bounded,
    read_flags,
)

EULAR_ACR_WEIGHTS: Mapping[str, tuple[float, float]] = {
    "proximal_upper_weakness": (0.7, 0.7),
    "proximal_lower_weakness": (0.8, 0.5),
    "neck_flexors_weaker": (1.9, 1.6),
    "legs_proximal_weaker": (0.9, 1.2),
    "heliotrope": (3.1, 3.2),
    "gottron_papules": (2.1, 2.7),
    "gottron_sign": (3.3, 3.7),
    "dysphagia": (0.7, 0.6),
    "anti_jo1": (3.9, 3.8),
    "raised_enzymes": (1.3, 1.4),
    "endomysial_infiltrate": (0.0, 1.7),
    "perimysial_infiltrate": (0.0, 1.2),
    "perifascicular_atrophy": (0.0, 1.9),
    "rimmed_vacuoles": (0.0, 3.1),
}
"""Weight of each finding without and with a biopsy."""

BIOPSY_FINDINGS = ("endomysial_infiltrate", "perimysial_infiltrate", "perifascicular_atrophy", "rimmed_vacuoles")
RASHES = ("heliotrope", "gottron_papules", "gottron_sign")
EULAR_ACR_CUTOFFS: tuple[tuple[float, float], ...] = ((5.3, 6.5), (5.5, 6.7), (7.5, 8.7))
"""Smallest score of a possible, probable and definite myopathy, without and with a biopsy."""

EULAR_ACR_CATEGORIES = ("none", "possible", "probable", "definite")

_ONSET = ((0.0, 1.3, 2.1), (0.0, 1.5, 2.2))
_OFFSETS = (5.33, 6.49)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The classification of n patients; every array has shape (n,).

    Attributes
    ----------
    score
        Sum of the weights, NaN where a finding is not known.
    lower, upper
        The score if every finding that is not known were absent, or present.
    probability
        Probability of an inflammatory myopathy that the score stands for, 0 to 1.
    category
        ``none``, ``possible``, ``probable`` or ``definite`` by the score; empty where it is not known.
    biopsy_needed
        1 where there is no rash and no biopsy, so that the criteria ask for a biopsy before anyone is classified.
    """

    score: Floats
    lower: Floats
    upper: Floats
    probability: Floats
    category: Texts
    biopsy_needed: Floats


def compute_eular_acr(findings: Mapping[str, ArrayLike], *, onset_age: ArrayLike, biopsy: ArrayLike) -> Classification:
    """Classify patients by the 2017 EULAR/ACR criteria.

    Parameters
    ----------
    findings
        1 yes, 0 no, NaN not known, by the names of ``EULAR_ACR_WEIGHTS``, each of shape (n,); what is left out is not
        known. Findings of a biopsy are not looked at where there was none.
    onset_age
        Age at the first symptom, years.
    biopsy
        1 where a muscle biopsy was read, 0 where not. It has to be known.

    Returns
    -------
    Classification
        Score, bounds, probability and category.

    Raises
    ------
    InputError
        An unknown finding, a value that is no answer.

    References
    ----------
    Lundberg IE, Tjärnlund A, Bottai M, et al. 2017 European League Against Rheumatism/American College of Rheumatology
    classification criteria for adult and juvenile idiopathic inflammatory myopathies and their major subgroups. Ann
    Rheum Dis 2017;76:1955-1964.

    Examples
    --------
    >>> signs = dict.fromkeys(EULAR_ACR_WEIGHTS, 0)
    >>> signs |= dict.fromkeys(["proximal_upper_weakness", "proximal_lower_weakness", "neck_flexors_weaker",
    ...                         "legs_proximal_weaker", "dysphagia", "raised_enzymes"], 1)
    >>> found = compute_eular_acr(signs, onset_age=45, biopsy=0)
    >>> found.score.round(1).tolist(), found.category.tolist(), found.biopsy_needed.tolist()
    ([8.4], ['definite'], [1.0])
    """
    answers, age, read = _read(findings, onset_age, biopsy)
    with_biopsy = (read == 1.0).astype(np.int64)
    weights = np.array([EULAR_ACR_WEIGHTS[name] for name in answers])[:, with_biopsy]
    known = np.stack([*answers.values()])
    points = np.where(weights == 0.0, 0.0, weights * known)
    onset, least, most = _onset(age, with_biopsy)
    score = _exact(onset + points.sum(axis=0))
    return Classification(
        score=score,
        lower=_exact(least + np.nan_to_num(points).sum(axis=0)),
        upper=_exact(most + np.where(np.isnan(points), weights, points).sum(axis=0)),
        probability=1.0 / (1.0 + np.exp(np.asarray(_OFFSETS)[with_biopsy] - score)),
        category=_category(score, with_biopsy),
        biopsy_needed=_needed(answers, read),
    )


def _read(
    findings: Mapping[str, ArrayLike], onset_age: ArrayLike, biopsy: ArrayLike
) -> tuple[dict[str, Floats], Floats, Floats]:
    for name in findings:
        if name not in EULAR_ACR_WEIGHTS:
            step = suggest(name, tuple(EULAR_ACR_WEIGHTS))
            raise_input(name, "a finding that is not known", "a finding of EULAR_ACR_WEIGHTS", step)
    answers = {name: read_flags(findings.get(name, np.nan), name) for name in EULAR_ACR_WEIGHTS}
    others = {"onset_age": read_bounded(onset_age, "onset_age", 0.0, 120.0), "biopsy": read_flags(biopsy, "biopsy")}
    if np.isnan(others["biopsy"]).any():
        raise_input("biopsy", "a missing answer", "yes or no for everyone", "The weights depend on it.")
    n = check_lengths({**answers, **others})
    spread = {name: np.broadcast_to(array, n) for name, array in {**answers, **others}.items()}
    return {name: spread[name] for name in answers}, spread["onset_age"], spread["biopsy"]


def _onset(age: Floats, with_biopsy: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[Floats, Floats, Floats]:
    """Return the points for the age at onset, and the least and most that an unknown age could have."""
    points = np.asarray(_ONSET)[with_biopsy]
    group = np.searchsorted((18.0, 40.0), np.nan_to_num(age), side="right")
    known = np.where(np.isnan(age), np.nan, points[np.arange(len(age)), group])
    return known, np.nan_to_num(known), np.where(np.isnan(known), points[:, -1], known)


def _category(score: Floats, with_biopsy: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Texts:
    reached = (score >= np.asarray(EULAR_ACR_CUTOFFS)[:, with_biopsy]).sum(axis=0)
    return np.where(np.isnan(score), "", np.asarray(EULAR_ACR_CATEGORIES)[reached])


def _needed(answers: Mapping[str, Floats], read: Floats) -> Floats:
    rash = compute_any(*(answers[name] for name in RASHES))
    return np.where(read == 1.0, 0.0, 1.0 - rash)


def _exact(score: Floats) -> Floats:
    """Return sums of tenths without the error of binary fractions."""
    return np.round(score, 9)
