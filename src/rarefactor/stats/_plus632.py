"""The .632+ bootstrap: apparent performance weighed against that in the patients who were not drawn.

Convention: losses (Brier, log score) are averaged over the resamples that left a patient out, then over patients, as
defined; the AUC needs pairs, so it is computed in the left-out patients of each resample and averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import Floats
from rarefactor.stats._ranks import compute_areas
from rarefactor.stats.performance import compute_losses

SPAN = 0.632
"""The share of patients that a resample is expected to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate632:
    """The .632+ estimate of one measure, and what it is made of.

    ``out_of_bag`` is the performance in patients who were not drawn, ``no_information`` that of predictions unrelated
    to the outcome, ``overfitting`` (0 to 1) where the first lies between the apparent one and the second.
    """

    estimate: float
    apparent: float
    out_of_bag: float
    no_information: float
    overfitting: float
    weight: float


def compute_plus632(outcome: Floats, whole: Floats, drawn: Floats, counts: Floats) -> dict[str, Estimate632]:
    """Return the .632+ estimates from log odds of the whole data (n,) and of resamples (B, n) of these ``counts``."""
    kept = np.isfinite(drawn).all(axis=1)
    outside = np.asarray(counts[kept] == 0.0, dtype=np.float64)
    apparent = [_compute_area(whole[None], outcome, np.ones((1, outcome.size)))]
    left_out = [_compute_area(drawn[kept], outcome, outside)]
    blind = [0.5]
    share = outcome.mean()
    as_event, as_other = (compute_losses(whole, np.full(outcome.size, value)) for value in (1.0, 0.0))
    for place, losses in enumerate(compute_losses(drawn[kept], outcome)):
        apparent.append(float(compute_losses(whole, outcome)[place].mean()))
        left_out.append(_compute_outside_mean(losses, outside))
        blind.append(float(share * as_event[place].mean() + (1.0 - share) * as_other[place].mean()))
    names = ("auc", "brier", "log_score")
    return {name: _weigh(*parts) for name, *parts in zip(names, apparent, left_out, blind, strict=True)}


def _compute_area(log_odds: Floats, outcome: Floats, weights: Floats) -> float:
    """Return the mean AUC over the rows in which there is one."""
    areas = compute_areas(log_odds, weights * outcome, weights * (1.0 - outcome))
    areas = areas[np.isfinite(areas)]
    return float(areas.mean()) if areas.size else np.nan


def _compute_outside_mean(losses: Floats, outside: Floats) -> float:
    """Return the mean over patients of each one's mean loss (B, n) in the resamples that left it out."""
    times = outside.sum(axis=0)
    seen = times > 0.0
    return float(((losses * outside).sum(axis=0)[seen] / times[seen]).mean()) if seen.any() else np.nan


def _weigh(apparent: float, left_out: float, blind: float) -> Estimate632:
    """Weigh by how far the left-out performance lies from the apparent one towards that without information."""
    way, fall = blind - apparent, left_out - apparent
    overfitting = 0.0 if way == 0.0 else float(np.clip(fall / way, 0.0, 1.0))
    held = blind if overfitting == 1.0 else left_out
    weight = SPAN / (1.0 - (1.0 - SPAN) * overfitting)
    return Estimate632(
        estimate=(1.0 - weight) * apparent + weight * held,
        apparent=apparent,
        out_of_bag=left_out,
        no_information=blind,
        overfitting=overfitting,
        weight=weight,
    )
