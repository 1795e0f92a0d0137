"""The curves of a risk model as rows: few points at round places, no patient among them.

Convention: ``term`` says where a curve is read: a false-positive rate (``sensitivity_at``, where it rises), a
predicted risk (``observed_risk``), a threshold (``net_benefit``), or the number of a group of patients with similar
risks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rarefactor.analyse._design import Floats
from rarefactor.analyse._resampled import number
from rarefactor.results import Estimate
from rarefactor.spec import Analysis
from rarefactor.stats import (
    Optimism,
    compute_calibration_curve,
    compute_instability,
    compute_net_benefit,
    compute_sensitivities,
)

THRESHOLDS = np.arange(2, 39) / 40
FALSE_POSITIVE_RATES = np.arange(0, 41) / 40
GROUPS, SMALLEST_GROUP = 10, 5


def curve_rows(
    outcome: Floats, risk: Floats, rng: np.random.Generator | None, settings: Analysis, base: Estimate
) -> Iterator[Estimate]:
    """Return the ROC, calibration and decision curves of predicted risks; limits of the last where there is a rng."""
    sensitivities = compute_sensitivities(outcome, risk, FALSE_POSITIVE_RATES)
    for at, value, before in zip(FALSE_POSITIVE_RATES, sensitivities, (-1.0, *sensitivities[:-1]), strict=True):
        if value > before or at == 1.0:  # the curve is a staircase: its corners are all of it
            yield replace(base, measure="sensitivity_at", term=f"{at:g}", estimate=float(value))
    yield from _calibration_rows(outcome, risk, settings.level, base)
    curve = compute_net_benefit(
        outcome, risk, THRESHOLDS, rng=rng, resamples=max(1, settings.resamples), level=settings.level
    )
    for place, at in enumerate(THRESHOLDS):
        row = replace(base, measure="net_benefit", term=f"{at:g}")
        low, high = (number(bound[place]) for bound in (curve.low, curve.high))
        yield replace(row, group="model", estimate=float(curve.model[place]), low=low, high=high)
        yield replace(row, group="all", estimate=float(curve.treat_all[place]))


def _calibration_rows(outcome: Floats, risk: Floats, level: float, base: Estimate) -> Iterator[Estimate]:
    """Read the curve at round risks between the 5th and the 95th percentile of those predicted."""
    first, last = np.quantile(risk, [0.05, 0.95])
    places = np.arange(np.ceil(first * 50), np.floor(last * 50) + 1) / 50
    places = places[(places > 0.0) & (places < 1.0)]
    if len(places) < 2:
        return
    curve = compute_calibration_curve(outcome, risk, at=places, level=level)
    for at, observed, low, high in zip(places, curve.observed, curve.low, curve.high, strict=True):
        row = replace(base, measure="observed_risk", term=f"{at:g}")
        yield replace(row, estimate=number(observed), low=number(low), high=number(high))


def instability_rows(found: Optimism, level: float, base: Estimate) -> Iterator[Estimate]:
    """Return how far predicted risks move between resamples, over patients and in groups of similar risk."""
    moved = compute_instability(found.log_odds, found.resampled_log_odds, thresholds=THRESHOLDS, level=level)
    if not moved.used:
        return
    yield replace(base, measure="mape", estimate=moved.mape_mean)
    for at, share in zip(THRESHOLDS, moved.reclassified_mean, strict=True):
        yield replace(base, measure="reclassified", term=f"{at:g}", estimate=float(share))
    order = np.argsort(moved.risk, kind="stable")
    groups = np.array_split(order, max(1, min(GROUPS, len(order) // SMALLEST_GROUP)))
    tail = 0.5 - 0.5 * level
    for place, members in enumerate(groups, start=1):
        row = replace(base, term=str(place), n=len(members), events=None)
        low, middle, high = np.quantile(moved.resampled[:, members], [tail, 0.5, 1.0 - tail])
        yield replace(row, measure="predicted_risk", estimate=float(moved.risk[members].mean()))
        yield replace(row, measure="resampled_risk", estimate=float(middle), low=float(low), high=float(high))
