"""Numbers that lie far from those of the other patients.

Convention: the modified z-score, 0.6745 (x - median) / MAD, and 3.5 as the limit. It says what to look at first, and
takes nothing out.

References
----------
Iglewicz B, Hoaglin DC. How to detect and handle outliers. Milwaukee: ASQC Quality Press; 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

LIMIT = 3.5
_SCALE = 0.6745
_FEWEST = 5


def compute_robust_scores(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return the modified z-score of each value; None where there is no value, or too few to say.

    Examples
    --------
    >>> scores = compute_robust_scores([0.5, 0.7, 0.6, 0.9, 4.0, None])
    >>> [score if score is None else round(score, 1) for score in scores]
    [-0.7, 0.0, -0.3, 0.7, 11.1, None]
    """
    known = [value for value in values if value is not None]
    if len(known) < _FEWEST:
        return (None,) * len(values)
    middle = median(known)
    spread = median(abs(value - middle) for value in known)
    if spread <= 0:
        return (None,) * len(values)
    return tuple(None if value is None else _SCALE * (value - middle) / spread for value in values)
