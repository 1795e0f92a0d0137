"""Every odds ratio of a marker with one patient after the other left out.

What leaves this module is the range over patients and a share of them, never which patient it was. Where missing values
were filled in, the fits without a patient are pooled by Rubin's rules, and compared with the same pooling of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rarefactor.analyse._design import Floats
from rarefactor.analyse._markers import Marker, concluded, list_markers, marker_row
from rarefactor.analyse._multivariable import Model
from rarefactor.results import Estimate
from rarefactor.stats import fit_many, pool_rubin


@dataclass(frozen=True, slots=True, kw_only=True)
class Refits:
    """Log odds ratios (b, k) of b fits with their limits, the intercept first; NaN where a fit failed."""

    coef: Floats
    low: Floats
    high: Floats


def leave_one_out(model: Model, base: Estimate) -> Iterator[Estimate]:
    """Yield for each marker the smallest and largest odds ratio over patients, and how often the conclusion changes."""
    n = len(model.design.y)
    everyone = refit(model, np.ones((1, n)))
    without = refit(model, 1.0 - np.eye(n))
    for marker in list_markers(model.design):
        yield from _describe(everyone, without, marker, base)


def refit(model: Model, weights: Floats) -> Refits:
    """Return the Firth fits of a model for case weights (b, n)."""
    if model.filled is not None:
        return _refit_filled(model, model.filled, weights)
    found = fit_many(model.design.X, model.design.y, weights=weights, intervals=True, level=model.level)
    return Refits(coef=found.coef, low=found.ci[..., 0], high=found.ci[..., 1])


def _refit_filled(model: Model, filled: Floats, weights: Floats) -> Refits:
    fits = [fit_many(columns, model.design.y, weights=weights) for columns in filled]
    coef, se = (np.stack([getattr(found, name) for found in fits], axis=1) for name in ("coef", "se"))
    left = float(weights.sum(axis=1).min()) - coef.shape[-1]
    pooled = pool_rubin(coef, np.square(se), df_complete=max(left, 1.0), level=model.level)
    return Refits(coef=pooled.estimate, low=pooled.ci[..., 0], high=pooled.ci[..., 1])


def _describe(everyone: Refits, without: Refits, marker: Marker, base: Estimate) -> Iterator[Estimate]:
    place = marker.place + 1
    coef, low, high = (values[:, place] for values in (without.coef, without.low, without.high))
    known = np.isfinite(coef)
    if not known.any():
        return
    flags = () if known.all() else ("not_converged",)
    for name, at in (("lowest", np.nanargmin), ("highest", np.nanargmax)):
        rank = int(at(np.where(known, coef, np.nan)))
        group = f"leave_one_out_{name}"
        yield marker_row(base, marker, (coef[rank], low[rank], high[rank]), group=group, n=len(coef) - 1, flags=flags)
    before = concluded(everyone.low[:, place], everyone.high[:, place])[0]
    changed = float((concluded(low, high) != before)[known].mean())
    yield marker_row(
        base, marker, measure="share_changed", group="leave_one_out", estimate=changed, n=len(coef), flags=flags
    )
