"""A rate from two measurements of a patient, and what the error of measurement does to it.

Convention: the rate is (second - first) / interval, in units of the measurement per unit of time; the repeatability SD
is that of one measurement repeated under the same conditions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import compute_normal_quantile
from rarefactor.stats.meta import pool_studies


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Rates of n patients, NaN where a measurement is missing.

    ``se`` (n,) is from the error of measurement alone; ``detectable`` (n,) the smallest rate that is not error at the
    level asked for, and ``changed`` (n,) whether the rate exceeds it. ``reliability`` (n,) is the share of the variance
    of observed rates that is not error, and ``calibrated`` (n,) the best guess of the true rate: a regression on it is
    corrected for the dilution by error (regression calibration). ``mean`` and ``sd`` are of the true rates.
    """

    rate: Floats
    se: Floats
    detectable: Floats
    changed: Bools
    reliability: Floats
    calibrated: Floats
    mean: float
    sd: float


def compute_rates(
    first: ArrayLike, second: ArrayLike, interval: ArrayLike, *, repeatability_sd: float, level: float = 0.95
) -> Rates:
    """Compute rates with their measurement error, minimal detectable change and reliability.

    Parameters
    ----------
    first, second
        The two measurements (n,), NaN being missing.
    interval
        The time between them (n,) or one number, positive.
    repeatability_sd
        The standard deviation of repeated measurements, in the unit of the measurements.
    level
        The level of the minimal detectable change.

    Returns
    -------
    Rates
        Per patient, with the mean and the spread of the true rates by restricted maximum likelihood.

    Raises
    ------
    InputError
        Shapes that differ, an interval that is not positive, a negative repeatability SD.

    References
    ----------
    Bland JM, Altman DG. Measurement error. BMJ 1996;313:744.
    Carroll RJ, Ruppert D, Stefanski LA, Crainiceanu CM. Measurement error in nonlinear models. 2nd ed. CRC, 2006,
    chapter 4.

    Examples
    --------
    >>> rates = compute_rates([0.10, 0.12, 0.20], [0.13, 0.12, 0.29], 3.0, repeatability_sd=0.01)
    >>> rates.rate.round(4).tolist(), rates.detectable[0].round(4), rates.changed.tolist()
    ([0.01, 0.0, 0.03], np.float64(0.0092), [True, False, True])
    >>> rates.calibrated.round(4).tolist()
    [0.0103, 0.0013, 0.0284]
    """
    start, end, gap = (
        read_array(values, name) for values, name in ((first, "first"), (second, "second"), (interval, "interval"))
    )
    if start.ndim != 1 or start.shape != end.shape or gap.shape not in ((), start.shape):
        raise_input("first, second, interval", "different shapes", "one value per patient", "Check the lengths.")
    if (gap <= 0.0).any() or not repeatability_sd >= 0.0:
        raise_input("interval", "no time or a negative SD", "a positive time and SD", "Check dates and repeatability.")
    rate = (end - start) / gap
    se = np.where(np.isnan(rate), np.nan, np.sqrt(2.0) * repeatability_sd / gap)
    detectable = compute_normal_quantile(0.5 + 0.5 * check_level(level)) * se
    mean, variance = _pool_rates(rate, se)
    with np.errstate(invalid="ignore"):
        reliability = variance / (variance + np.square(se))
        changed = np.abs(rate) > detectable
    return Rates(
        rate=rate,
        se=se,
        detectable=detectable,
        changed=changed,
        reliability=reliability,
        calibrated=mean + reliability * (rate - mean),
        mean=mean,
        sd=float(np.sqrt(variance)),
    )


def _pool_rates(rate: Floats, se: Floats) -> tuple[float, float]:
    """Return the mean and variance of the true rates."""
    known = np.isfinite(rate)
    if known.sum() < 2:
        return np.nan, np.nan
    if not se[known].any():
        return float(rate[known].mean()), float(rate[known].var(ddof=1))
    pooled = pool_studies(rate[known], se[known], test="normal")
    return pooled.estimate, pooled.tau2
