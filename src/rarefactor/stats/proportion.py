"""A risk with its interval. Convention: risks are 0 to 1."""

from __future__ import annotations

import numpy as np

from rarefactor.stats._inputs import check_level, raise_input
from rarefactor.stats._tails import compute_normal_quantile
from rarefactor.stats.describe import Difference


def compute_risk(events: int, n: int, *, level: float = 0.95) -> Difference:
    """Return the risk events / n with Wilson's score interval, which stays within 0 and 1.

    Parameters
    ----------
    events, n
        Patients with the event, and all patients; NaN comes back where there are none.
    level
        The confidence level.

    Raises
    ------
    InputError
        More events than patients, or a negative count.

    References
    ----------
    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;22:209-12.

    Examples
    --------
    >>> risk = compute_risk(0, 10)
    >>> risk.estimate, round(risk.low, 4), round(risk.high, 4)
    (0.0, 0.0, 0.2775)
    """
    if not 0 <= events <= n:
        raise_input("events", f"{events} events of {n}", "between 0 and n", "Check the counts.")
    if n == 0:
        return Difference(estimate=np.nan, low=np.nan, high=np.nan)
    squared = compute_normal_quantile(0.5 + 0.5 * check_level(level)) ** 2
    risk = events / n
    centre = (risk + squared / (2 * n)) / (1 + squared / n)
    half = np.sqrt(squared * (risk * (1 - risk) / n + squared / (4 * n * n))) / (1 + squared / n)
    low = 0.0 if events == 0 else float(centre - half)
    high = 1.0 if events == n else float(centre + half)
    return Difference(estimate=risk, low=low, high=high)
