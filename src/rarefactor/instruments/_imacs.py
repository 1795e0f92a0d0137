"""IMACS's definitions of improvement and of worsening: relative changes of the core set measures.

Convention: a relative change is in per cent of the baseline value, unlike the absolute change of the Total Improvement
Score. An answer is 1 (yes), 0 (no) or NaN where missing measures could change it; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.instruments._arrays import (
    Floats,
    Texts,
    compute_all,
    compute_any,
    compute_at_least,
    compute_where,
    raise_input,
    read_flags,
    read_values,
)
from rarefactor.instruments._core_set import ENZYME, SLOTS, Pair, read_core_set
from rarefactor.instruments._enzymes import ENZYME_RANGES

IMACS_OUTCOMES = ("unchanged", "improved", "worse")


def compute_imacs_improvement(
    baseline: Mapping[str, ArrayLike],
    final: Mapping[str, ArrayLike],
    *,
    enzyme_limits: Mapping[str, ArrayLike] | None = None,
    mmt_maximum: float | None = None,
    improved_percent: float = 20.0,
    worse_percent: float = 25.0,
) -> Floats:
    """Say who met the IMACS definition of improvement between two visits.

    At least 3 of the 6 core set measures improved by ``improved_percent`` or more, at most 2 worsened by
    ``worse_percent`` or more, and strength is not among those.

    Parameters
    ----------
    baseline, final
        Core set measures as :func:`compute_tis` takes them, each of shape (n,), NaN where missing.
    enzyme_limits
        Upper limits of normal; needed only where several enzymes are given.
    mmt_maximum
        The maximum of the muscle testing form; given, values above it are refused.
    improved_percent, worse_percent
        Relative changes that count, per cent.

    Returns
    -------
    numpy.ndarray
        1 improved, 0 not improved, NaN where missing measures decide; shape (n,).

    Raises
    ------
    InputError
        An unknown measure, a value out of range, an enzyme limit that is needed.

    References
    ----------
    Rider LG, Giannini EH, Brunner HI, et al. International consensus on preliminary definitions of improvement in adult
    and juvenile myositis. Arthritis Rheum 2004;50:2281-2290.

    Examples
    --------
    >>> before = {"physician_global": [6], "patient_global": [5], "mmt": [100], "haq": [1.5], "ck": [900],
    ...           "extramuscular": [0]}
    >>> after = {"physician_global": [4], "patient_global": [4], "mmt": [100], "haq": [1.0], "ck": [900],
    ...          "extramuscular": [0]}
    >>> compute_imacs_improvement(before, after).tolist()
    [1.0]
    """
    pairs = _read(baseline, final, enzyme_limits, mmt_maximum)
    better = _answers(pairs, SLOTS, improved_percent, sign=1.0)
    worse = _answers(pairs, SLOTS, worse_percent, sign=-1.0)
    weaker = worse[SLOTS.index("strength")]
    return compute_all(compute_at_least(better, 3), 1.0 - compute_at_least(worse, 3), 1.0 - weaker)


def compute_imacs_worsening(
    baseline: Mapping[str, ArrayLike],
    final: Mapping[str, ArrayLike],
    *,
    mmt_maximum: float | None = None,
) -> Floats:
    """Say who worsened between two visits; a single visit is to be confirmed by :func:`compute_confirmed`.

    Any of: physician global activity worse by 2 cm or more together with strength worse by 20 % or more; extramuscular
    activity worse by 2 cm or more; any 3 of the 5 measures without enzymes worse by 30 % or more.

    Parameters
    ----------
    baseline, final
        Core set measures as :func:`compute_tis` takes them, global activities in cm of 10; enzymes are not looked at.
    mmt_maximum
        The maximum of the muscle testing form; given, values above it are refused.

    Returns
    -------
    numpy.ndarray
        1 worse, 0 not worse, NaN where missing measures decide; shape (n,).

    Raises
    ------
    InputError
        An unknown measure, a value out of range.

    References
    ----------
    Aggarwal R, Charles-Schoeman C, Schessl J, et al. Trial of intravenous immune globulin in dermatomyositis. N Engl J
    Med 2022;387:1264-1278.

    Examples
    --------
    >>> compute_imacs_worsening({"extramuscular": [1, 1]}, {"extramuscular": [3, 2.5]}).tolist()
    [1.0, nan]
    """
    pairs = _read(baseline, final, {}, mmt_maximum, without_enzymes=True)
    five = tuple(slot for slot in SLOTS if slot != ENZYME)
    many = compute_at_least(_answers(pairs, five, 30.0, sign=-1.0), 3)
    weaker = compute_all(_lost(pairs, "physician_global", 2.0), _answers(pairs, ("strength",), 20.0, sign=-1.0)[0])
    return compute_any(weaker, _lost(pairs, "extramuscular", 2.0), many)


def compute_confirmed(answers: ArrayLike) -> Floats:
    """Say for whom an answer was yes at two consecutive visits.

    Parameters
    ----------
    answers
        1, 0 or NaN for each patient (n) and visit in time order: shape (n, visits).

    Returns
    -------
    numpy.ndarray
        1, 0, or NaN where a missing visit decides; shape (n,). With fewer than two visits nothing is confirmed: 0.

    Examples
    --------
    >>> compute_confirmed([[0, 1, 1], [1, 0, 1], [1, float("nan"), 0]]).tolist()
    [1.0, 0.0, nan]
    """
    visits = np.atleast_2d(read_flags(answers, "answers"))
    pairs = [compute_all(first, second) for first, second in zip(visits.T, visits.T[1:], strict=False)]
    return compute_any(*pairs) if pairs else np.zeros(len(visits))


def compute_imacs_outcome(improved: ArrayLike, worse: ArrayLike, *, least: int = 3) -> Texts:
    """Call a patient improved, worse or unchanged by how many core set measures changed.

    Parameters
    ----------
    improved, worse
        Number of measures that improved by 20 % or more, and that worsened by 30 % or more; shape (n,), NaN where not
        known.
    least
        How many measures make the call. Improvement goes before worsening.

    Returns
    -------
    numpy.ndarray
        ``improved``, ``worse``, ``unchanged``; empty where a number is not known. Shape (n,).

    References
    ----------
    Dastmalchi M, Grundtman C, Alexanderson H, et al. A high incidence of disease flares in an open pilot study of
    infliximab in patients with refractory inflammatory myopathies. Ann Rheum Dis 2008;67:1670-1677.

    Examples
    --------
    >>> compute_imacs_outcome([4, 1, 1], [0, 3, 1]).tolist()
    ['improved', 'worse', 'unchanged']
    """
    better, poorer = np.broadcast_arrays(read_values(improved, "improved"), read_values(worse, "worse"))
    called = np.where(better >= least, "improved", np.where(poorer >= least, "worse", "unchanged"))
    return np.where(np.isnan(better) | np.isnan(poorer), "", called)


def _read(
    baseline: Mapping[str, ArrayLike],
    final: Mapping[str, ArrayLike],
    limits: Mapping[str, ArrayLike] | None,
    mmt_maximum: float | None,
    *,
    without_enzymes: bool = False,
) -> dict[str, Pair]:
    """Return the pairs; relative changes need no range of strength, and no limit of a single enzyme."""
    enzymes = [name for name in baseline if name in ENZYME_RANGES]
    if without_enzymes:
        baseline, final = ({k: v for k, v in each.items() if k not in ENZYME_RANGES} for each in (baseline, final))
    alone = {enzymes[0]: 1.0} if len(enzymes) == 1 else {}
    if not baseline:
        raise_input("baseline", "no measure", "core set measures", "Give at least one.")
    widths = {"mmt": 1e6 if mmt_maximum is None else mmt_maximum}
    return read_core_set(baseline, final, ranges=widths, limits={**alone, **(limits or {})})


def _answers(pairs: Mapping[str, Pair], slots: tuple[str, ...], percent: float, *, sign: float) -> Floats:
    """Return for each measure (rows) whether it changed so much in a direction; NaN where missing."""
    n = len(next(iter(pairs.values())).baseline)
    rows = [sign * pairs[slot].relative_percent if slot in pairs else np.full(n, np.nan) for slot in slots]
    return np.stack([compute_where(row >= percent, ~np.isnan(row)) for row in rows])


def _lost(pairs: Mapping[str, Pair], slot: str, centimetres: float) -> Floats:
    n = len(next(iter(pairs.values())).baseline)
    change = np.round(pairs[slot].final - pairs[slot].baseline, 9) if slot in pairs else np.full(n, np.nan)
    return compute_where(change >= centimetres, ~np.isnan(change))
