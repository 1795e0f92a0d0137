"""The decision curve corrected for optimism as rows, at the thresholds of the apparent one.

Convention: ``method`` ``optimism_corrected`` of ``net_benefit`` beside the apparent rows, which have none; the optimism
itself is their difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rarefactor.analyse._curves import THRESHOLDS
from rarefactor.analyse._design import Floats
from rarefactor.analyse._resampled import number
from rarefactor.results import Estimate
from rarefactor.stats import Optimism, correct_net_benefit


def corrected_benefit_rows(
    outcome: Floats, found: Optimism, counts: Floats, level: float, base: Estimate
) -> Iterator[Estimate]:
    """Yield the corrected net benefit of acting on the model, from how often each resample (B, n) held each patient."""
    curve = correct_net_benefit(outcome, found.log_odds, found.resampled_log_odds, counts, THRESHOLDS, level=level)
    if not curve.used:
        return
    row = replace(base, measure="net_benefit", group="model", method="optimism_corrected")
    for at, *values in zip(THRESHOLDS, curve.corrected, curve.low, curve.high, strict=True):
        estimate, low, high = map(number, values)
        yield replace(row, term=f"{at:g}", estimate=estimate, low=low, high=high)
