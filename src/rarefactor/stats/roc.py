"""The ROC curve read at stated places.

Convention: a higher score means a higher risk; the curve is the empirical one with straight lines between its points,
so that tied scores give a slope and its area is the AUC in which a tie counts half.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_outcome, read_array


def compute_sensitivities(y: ArrayLike, score: ArrayLike, false_positive_rate: ArrayLike) -> Floats:
    """Return the sensitivity (g,) of a score at false-positive rates (g,), one less the specificity.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    score
        Risk, log odds or any score (n,), higher meaning a higher risk.
    false_positive_rate
        Where to read the curve (g,), 0 to 1.

    Returns
    -------
    ndarray
        Sensitivities (g,), 0 to 1; at a vertical step its upper end.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class.

    References
    ----------
    Fawcett T. An introduction to ROC analysis. Pattern Recognit Lett 2006;27:861-74.

    Examples
    --------
    >>> compute_sensitivities([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.5, 0.6, 0.9], [0.0, 0.2, 1 / 3, 1.0]).round(3)
    array([0.667, 0.667, 1.   , 1.   ])
    """
    outcome, scores = read_array(y, "y"), read_array(score, "score")
    check_outcome(outcome)
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.diff(scores[order]) != 0.0, True)
    hits = np.cumsum(outcome[order])[last_of_tie] / outcome.sum()
    alarms = np.cumsum(1.0 - outcome[order])[last_of_tie] / (1.0 - outcome).sum()
    rates, places = np.unique(np.append(0.0, alarms)[::-1], return_index=True)
    top = np.append(0.0, hits)[::-1][places]
    at = read_array(false_positive_rate, "false_positive_rate")
    return _read_steps(at, rates, top, np.append(0.0, alarms), np.append(0.0, hits))


def _read_steps(at: Floats, rates: Floats, top: Floats, alarms: Floats, hits: Floats) -> Floats:
    """Interpolate from the top of one step to the foot of the next."""
    foot = np.array([hits[alarms == rate].min() for rate in rates])
    place = np.clip(np.searchsorted(rates, at, side="right") - 1, 0, len(rates) - 1)
    after = np.minimum(place + 1, len(rates) - 1)
    width = np.where(after > place, rates[after] - rates[place], 1.0)
    share = (at - rates[place]) / width
    return top[place] + share * (foot[after] - top[place]) * (after > place)
