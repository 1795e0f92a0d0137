"""Every odds ratio of a marker with one patient after the other left out, and Cook's distance of each.

Convention: a patient is named by the keyed hash that stands for the id, which only who holds the key can undo. Of the
distances the largest leave this module, and the largest of the rest; of the odds ratios without a patient those at the
ends of their range and those on another side of 1. Where missing values were filled in, the fits without a patient are
pooled by Rubin's rules and compared with the same pooling of all, and distances are averaged over the imputations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Floats
from rarefactor.analyse._markers import Marker, concluded, list_markers, marker_row
from rarefactor.analyse._multivariable import Model
from rarefactor.results import Estimate
from rarefactor.stats import compute_distances, fit_many, pool_rubin

SHOWN_DISTANCES = 10
SHOWN_CHANGES = 3


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
        yield from _name_patients(everyone, without, marker, (model.design.frame["subject"].to_list(), base))


def list_distances(model: Model, base: Estimate) -> Iterator[Estimate]:
    """Yield the largest of Cook's distances by patient (``group``), and the largest of all others."""
    columns = model.design.X if model.filled is None else model.filled
    found = np.atleast_2d(compute_distances(columns, model.design.y).cook)
    fitted = found[~np.isnan(found).any(axis=1)]
    if not len(fitted):
        return
    cook = fitted.mean(axis=0)
    order = np.argsort(-cook, kind="stable")
    names, row = model.design.frame["subject"].to_list(), replace(base, measure="cooks_distance", n=cook.size)
    for patient in order[:SHOWN_DISTANCES]:
        yield replace(row, group=names[patient], estimate=float(cook[patient]))
    rest = order[SHOWN_DISTANCES:]
    if rest.size:
        yield replace(row, group="others", estimate=float(cook[rest[0]]), n=rest.size)


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
    changed = (concluded(low, high) != before)[known]
    row = replace(base, group="leave_one_out", n=len(coef), flags=flags)
    yield marker_row(row, marker, measure="share_changed", estimate=float(changed.mean()))
    yield marker_row(row, marker, measure="patients_changing", estimate=float(changed.sum()))


def _name_patients(
    everyone: Refits, without: Refits, marker: Marker, named: tuple[list[str], Estimate]
) -> Iterator[Estimate]:
    """Yield the odds ratios without the patients at both ends of their range, and without those that decide most.

    Where some do, ``nobody`` is the odds ratio that theirs are compared with: of all, pooled in the same way.
    """
    (names, base), place = named, marker.place + 1
    coef, low, high = (values[:, place] for values in (without.coef, without.low, without.high))
    moved = np.abs(coef - everyone.coef[0, place])
    known = np.isfinite(moved)
    if not known.any():
        return
    changed = known & (concluded(low, high) != concluded(everyone.low[:, place], everyone.high[:, place])[0])
    most = np.argsort(np.where(changed, -moved, np.inf), kind="stable")[: min(SHOWN_CHANGES, int(changed.sum()))]
    if most.size:
        whole = (everyone.coef[0, place], everyone.low[0, place], everyone.high[0, place])
        yield marker_row(base, marker, whole, measure="odds_ratio_without", group="nobody", n=len(coef))
    inside = np.where(known, coef, np.nan)
    for patient in dict.fromkeys([int(np.nanargmin(inside)), int(np.nanargmax(inside)), *most.tolist()]):
        values = (coef[patient], low[patient], high[patient])
        flags = ("changed",) if changed[patient] else ()
        parts = {"measure": "odds_ratio_without", "group": names[patient], "n": len(coef) - 1, "flags": flags}
        yield marker_row(base, marker, values, **parts)
