"""The Total Improvement Score: 2016 ACR/EULAR criteria for minimal, moderate and major response in myositis.

Convention: an absolute percent change is 100 × (final − baseline) / range of the measure, signed so that + is better
and rounded to 1e-9. Intervals of change exclude their lower and include their upper bound. A score with a missing
measure is not known; it is never prorated, but bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.instruments._arrays import Floats, Texts, raise_input, read_bounded
from rarefactor.instruments._core_set import ENZYME, SLOTS, Pair, Version, read_core_set

TIS_EDGES: Mapping[str, tuple[float, ...]] = {"strength": (2, 10, 20, 30)}
"""Upper bounds (included) of the intervals of absolute percent change, where they are not 5, 15, 25 and 40."""

TIS_POINTS: Mapping[str, tuple[float, ...]] = {
    "physician_global": (0, 7.5, 15, 17.5, 20),
    "patient_global": (0, 2.5, 5, 7.5, 10),
    "strength": (0, 10, 20, 27.5, 32.5),
    "function": (0, 5, 7.5, 7.5, 10),
    ENZYME: (0, 2.5, 5, 7.5, 7.5),
    "extramuscular": (0, 7.5, 12.5, 15, 20),
}
"""Points of each core set measure in the five intervals of change; together they reach 100."""

TIS_THRESHOLDS: Mapping[Version, tuple[float, float, float]] = {"adult": (20, 40, 60), "juvenile": (30, 45, 70)}
"""Smallest score of a minimal, moderate and major response."""

TIS_CATEGORIES = ("none", "minimal", "moderate", "major")

_OTHER_EDGES = (5.0, 15.0, 25.0, 40.0)
_NEEDED = ("physician_global", "strength")


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalImprovement:
    """The Total Improvement Score of n patients; every array has shape (n,).

    Attributes
    ----------
    total
        The score, 0 to 100; NaN where a core set measure is missing.
    lower, upper
        What the score would be if every missing measure had not improved, or had improved as far as its baseline
        leaves room for. NaN without physician global activity or strength; equal to ``total`` where nothing is missing.
    attainable
        The highest score that the baseline leaves room for: an extramuscular activity of 0 cannot improve. NaN where a
        baseline measure is missing.
    category
        ``none``, ``minimal``, ``moderate`` or ``major``; empty where the score is not known.
    points
        The points of each measure by its place in the set, NaN where it is missing.
    enzyme
        Which muscle enzyme counted; empty where none was given.
    """

    total: Floats
    lower: Floats
    upper: Floats
    attainable: Floats
    category: Texts
    points: Mapping[str, Floats]
    enzyme: Texts


def compute_tis(
    baseline: Mapping[str, ArrayLike],
    final: Mapping[str, ArrayLike],
    *,
    mmt_maximum: float | None = None,
    enzyme_limits: Mapping[str, ArrayLike] | None = None,
    ranges: Mapping[str, float] | None = None,
    version: Version = "adult",
) -> TotalImprovement:
    """Compute the Total Improvement Score between two visits.

    Parameters
    ----------
    baseline, final
        The core set measures at the two visits, each an array of shape (n,) with NaN where missing:
        ``physician_global``, ``patient_global``, ``mmt``, ``haq``, one or several of ``ck``, ``aldolase``, ``ldh``,
        ``ast`` and ``alt``, and ``extramuscular``. For children also ``parent_global``, ``cmas``, ``chaq``, ``chq_phs``
        (instead of enzymes) and ``das`` (instead of extramuscular activity). Of several enzymes the one that is the
        largest multiple of its limit at baseline counts. A measure that was never taken may be left out: the score is
        then bounded only.
    mmt_maximum
        The maximum of the muscle testing form: 80 for MMT8 of one side, 150 for both sides. It is never guessed.
    enzyme_limits
        Upper limit of normal of each enzyme, in the unit of its values: one number, or one for each patient.
    ranges
        Ranges of measures where they are not the usual: 10 for global and extramuscular activity (cm), 3 for HAQ and
        CHAQ, 52 for CMAS, 20 for DAS; for enzymes in multiples of the limit: CK 15, aldolase 6, LDH, AST and ALT 3
        (these and the range of DAS were not read at their source). ``chq_phs`` has to be given its range.
    version
        ``adult`` or ``juvenile``: which measures there are, and which scores make a category.

    Returns
    -------
    TotalImprovement
        Score, bounds, attainable maximum, category and points.

    Raises
    ------
    InputError
        An unknown measure, a value out of range, a range or limit that was not given, no physician global activity or
        strength.

    References
    ----------
    Aggarwal R, Rider LG, Ruperto N, et al. 2016 American College of Rheumatology/European League Against Rheumatism
    criteria for minimal, moderate, and major clinical response in adult dermatomyositis and polymyositis. Arthritis
    Rheumatol 2017;69:898-910.
    Rider LG, Aggarwal R, Pistorio A, et al. 2016 American College of Rheumatology/European League Against Rheumatism
    criteria for minimal, moderate, and major clinical response in juvenile dermatomyositis. Arthritis Rheumatol
    2017;69:911-923.

    Examples
    --------
    >>> names = ("physician_global", "patient_global", "mmt", "haq", "ck", "extramuscular")
    >>> before = dict(zip(names, (6, 7, 100, 1.5, 6000, 3)))
    >>> after = dict(zip(names, (2, 3, 135, 0.5, 600, 1)))
    >>> score = compute_tis(before, after, mmt_maximum=150, enzyme_limits={"ck": 200})
    >>> score.total.tolist(), score.category.tolist()
    ([80.0], ['major'])
    """
    widths = {**(ranges or {}), **({} if mmt_maximum is None else {"mmt": mmt_maximum})}
    pairs = read_core_set(baseline, final, ranges=widths, limits=enzyme_limits or {}, version=version)
    for slot in _NEEDED:
        if slot not in pairs:
            name = "mmt or cmas" if slot == "strength" else slot
            raise_input(name, "no such measure", "physician global activity and strength", "There is no score without.")
    points = {slot: compute_tis_points(slot, pair.absolute_percent) for slot, pair in pairs.items()}
    total, lower, upper = _sum(points, pairs)
    return TotalImprovement(
        total=total,
        lower=lower,
        upper=upper,
        attainable=_attainable(pairs),
        category=compute_tis_category(total, version=version),
        points=points,
        enzyme=pairs[ENZYME].names if ENZYME in pairs else np.full(len(total), ""),
    )


def compute_tis_points(slot: str, percent: ArrayLike) -> Floats:
    """Return the points of one core set measure for its absolute percent change (+ is better).

    Parameters
    ----------
    slot
        ``physician_global``, ``patient_global``, ``strength``, ``function``, ``muscle_enzyme`` or ``extramuscular``.
    percent
        Absolute percent change, shape (n,); NaN where missing.

    Examples
    --------
    >>> compute_tis_points("strength", [2, 2.1, 20, 31]).tolist()
    [0.0, 10.0, 20.0, 32.5]
    """
    change = np.round(np.atleast_1d(np.asarray(percent, dtype=np.float64)), 9)
    place = np.searchsorted(TIS_EDGES.get(slot, _OTHER_EDGES), change, side="left")
    return np.where(np.isnan(change), np.nan, np.asarray(TIS_POINTS[slot])[place])


def compute_tis_category(total: ArrayLike, *, version: Version = "adult") -> Texts:
    """Return the category of response that a Total Improvement Score stands for, empty where it is NaN.

    Examples
    --------
    >>> compute_tis_category([17.5, 40, 60]).tolist()
    ['none', 'moderate', 'major']
    >>> compute_tis_category([40], version="juvenile").tolist()
    ['minimal']
    """
    scores = read_bounded(total, "total", 0.0, 100.0)
    names = np.asarray(TIS_CATEGORIES)[np.searchsorted(TIS_THRESHOLDS[version], scores, side="right") % 4]
    return np.where(np.isnan(scores), "", names)


def _sum(points: Mapping[str, Floats], pairs: Mapping[str, Pair]) -> tuple[Floats, Floats, Floats]:
    """Return the score and its bounds."""
    needed = np.isnan(points["physician_global"] + points["strength"])
    never = np.full(needed.shape, np.nan)
    known = np.stack([points.get(slot, never) for slot in SLOTS])
    room = np.stack([_room(slot, pairs.get(slot), never) for slot in SLOTS])
    lower = np.where(needed, np.nan, np.nan_to_num(known).sum(axis=0))
    upper = np.where(needed, np.nan, np.where(np.isnan(known), room, known).sum(axis=0))
    return known.sum(axis=0), lower, upper


def _room(slot: str, pair: Pair | None, never: Floats) -> Floats:
    """Return the most points that a measure can get: what its baseline leaves room for, all where that is unknown."""
    reachable = compute_tis_points(slot, pair.attainable_percent) if pair else never
    return np.where(np.isnan(reachable), TIS_POINTS[slot][-1], reachable)


def _attainable(pairs: Mapping[str, Pair]) -> Floats:
    if len(pairs) < len(SLOTS):
        return np.full(len(pairs["strength"].baseline), np.nan)
    return np.stack([compute_tis_points(slot, pair.attainable_percent) for slot, pair in pairs.items()]).sum(axis=0)
