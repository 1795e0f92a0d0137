"""Tail probabilities and quantiles, without loading scipy.stats."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from rarefactor.stats._arrays import Floats


def compute_chi2_tail(statistic: Floats, df: Floats | float = 1.0) -> Floats:
    """Return P(chi-square with ``df`` degrees of freedom > statistic); NaN stays NaN."""
    from scipy.special import gammaincc  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return gammaincc(np.asarray(df) / 2.0, np.maximum(statistic, 0.0) / 2.0)


def compute_normal_tail(z: Floats) -> Floats:
    """Return the two-sided P value of a standard normal statistic."""
    from scipy.special import erfc  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return erfc(np.abs(z) / np.sqrt(2.0))


def compute_t_tail(t: float, df: float) -> float:
    """Return the two-sided P value of Student's t."""
    from scipy.special import stdtr  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return float(2.0 * stdtr(df, -abs(t)))


def compute_t_quantile(probability: float, df: float) -> float:
    """Return a quantile of Student's t."""
    from scipy.special import stdtrit  # noqa: PLC0415 - SciPy is loaded when a test is asked for, not at import

    return float(stdtrit(df, probability))


def compute_normal_quantile(probability: float) -> float:
    """Return a quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)
