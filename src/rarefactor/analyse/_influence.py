"""Every odds ratio of a marker with one patient after the other left out, and Cook's distance of each.

Convention: a patient is named by the keyed hash that stands for the id, which only who holds the key can undo. Of the
distances the largest leave this module, and the largest of the rest; of the odds ratios without a patient those at the
ends of their range and those on another side of 1. Where missing values were filled in, distances are averaged over the
imputations, and limits are those of the pooled profiles, as for all patients: exact for every patient who is named, and
for the rest Rubin's limits, stretched as the profiles of all patients ask, so that only counts rest on them.
Without the only patient with some level that level has no odds ratio: the others are those of the model without it, and
the patient is named (``no_odds_ratio_without``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Bools, Floats
from rarefactor.analyse._markers import Marker, concluded, list_markers, marker_row
from rarefactor.analyse._multivariable import Model
from rarefactor.results import Estimate
from rarefactor.stats import compute_distances, fit_many, pool_profiles, pool_rubin

SHOWN_DISTANCES = 10
SHOWN_CHANGES = 3
_ROUNDS = 3  # of finding who is named, and their exact limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Refits:
    """Log odds ratios (b, k) of b fits with their limits, the intercept first; NaN where a fit failed.

    ``exists`` (b, k): whether the patients of a fit differ in the column; if not, it was fitted without, and is NaN.
    """

    coef: Floats
    low: Floats
    high: Floats
    exists: Bools


def leave_one_out(model: Model, base: Estimate) -> Iterator[Estimate]:
    """Yield for each marker the smallest and largest odds ratio over patients, and how often the conclusion changes."""
    n = len(model.design.y)
    everyone = refit(model, np.ones((1, n)))
    without = refit(model, 1.0 - np.eye(n))
    if model.filled is not None:
        everyone, without = _profile(model, model.filled, everyone, without)
    for marker in list_markers(model.design):
        yield from _describe(everyone, without, marker, base)
        named = (model.design.frame["subject"].to_list(), base)
        yield from _name_patients(everyone, without, marker, named)
        yield from _name_only(without, marker, named)


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
    columns = model.design.X[None] if model.filled is None else model.filled
    exists = np.stack([_differ(columns, each > 0.0) for each in weights])
    limits = np.full((3, *exists.shape), np.nan)
    for kept in np.unique(exists, axis=0):
        alike = np.flatnonzero((exists == kept).all(axis=1))
        limits[:, alike[:, None], np.flatnonzero(kept)] = _refit(model, columns[..., kept[1:]], weights[alike])
    return Refits(coef=limits[0], low=limits[1], high=limits[2], exists=exists)


def _differ(columns: Floats, kept: Bools) -> Bools:
    """Return for the intercept and each column (k,) of completions (m, n, p) whether it varies among some patients."""
    own = columns[:, kept]
    return np.concatenate([[True], (own != own[:, :1]).any(axis=1).all(axis=0)])


def _refit(model: Model, columns: Floats, weights: Floats) -> Floats:
    """Return coefficients and their lower and upper limits, (3, b, k), from completions (m, n, p)."""
    if model.filled is not None:
        return _refit_filled(model, columns, weights)
    found = fit_many(columns[0], model.design.y, weights=weights, intervals=True, level=model.level)
    return np.stack([found.coef, found.ci[..., 0], found.ci[..., 1]])


def _refit_filled(model: Model, filled: Floats, weights: Floats) -> Floats:
    fits = [fit_many(columns, model.design.y, weights=weights) for columns in filled]
    coef, se = (np.stack([getattr(found, name) for found in fits], axis=1) for name in ("coef", "se"))
    left = float(weights.sum(axis=1).min()) - coef.shape[-1]
    pooled = pool_rubin(coef, np.square(se), df_complete=max(left, 1.0), level=model.level)
    return np.stack([pooled.estimate, pooled.ci[..., 0], pooled.ci[..., 1]])


def _profile(model: Model, filled: Floats, everyone: Refits, without: Refits) -> tuple[Refits, Refits]:
    """Return the fits with limits from pooled profiles: of all patients, and without each who will be named."""
    whole = _with_limits(everyone, 0, _pool_without(model, filled, None, everyone.exists[0]))
    without = _stretch(without, everyone, whole)
    known: set[int] = set()
    for _ in range(_ROUNDS):
        found = {patient for marker in list_markers(model.design) for patient in _choose(whole, without, marker)[0]}
        for patient in sorted(found - known):
            limits = _pool_without(model, filled, patient, without.exists[patient])
            without = _with_limits(without, patient, limits)
        if found <= known:
            break
        known |= found
    return whole, without


def _pool_without(model: Model, filled: Floats, patient: int | None, exists: Bools) -> Floats:
    """Return the limits (2, k) of pooled profiles in all patients, or all but one; NaN in columns that do not vary."""
    kept = np.arange(filled.shape[1]) != patient
    pooled = pool_profiles(filled[:, kept][..., exists[1:]], model.design.y[kept], level=model.level)
    limits = np.full((2, exists.size), np.nan)
    limits[:, exists] = pooled.ci.T
    return limits


def _with_limits(fits: Refits, place: int, limits: Floats) -> Refits:
    """Return the fits with other limits (2, k) of one of them, where these exist."""
    low, high = fits.low.copy(), fits.high.copy()
    for old, new in ((low, limits[0]), (high, limits[1])):
        old[place] = np.where(np.isnan(new), old[place], new)
    return replace(fits, low=low, high=high)


def _stretch(without: Refits, everyone: Refits, whole: Refits) -> Refits:
    """Return the fits without each patient, their limits as far from the estimate as all patients' profiles ask."""
    with np.errstate(invalid="ignore", divide="ignore"):
        down = (everyone.coef - whole.low) / (everyone.coef - everyone.low)
        up = (whole.high - everyone.coef) / (everyone.high - everyone.coef)
        low, high = (
            without.coef - down * (without.coef - without.low),
            without.coef + up * (without.high - without.coef),
        )
    return replace(without, low=low, high=high)


def _describe(everyone: Refits, without: Refits, marker: Marker, base: Estimate) -> Iterator[Estimate]:
    place = marker.place + 1
    coef, low, high = (values[:, place] for values in (without.coef, without.low, without.high))
    known = np.isfinite(coef)
    if not known.any():
        return
    flags = tuple(_flag(known, without.exists[:, place]))
    for name, at in (("lowest", np.nanargmin), ("highest", np.nanargmax)):
        rank = int(at(np.where(known, coef, np.nan)))
        group = f"leave_one_out_{name}"
        yield marker_row(base, marker, (coef[rank], low[rank], high[rank]), group=group, n=len(coef) - 1, flags=flags)
    before = concluded(everyone.low[:, place], everyone.high[:, place])[0]
    changed = (concluded(low, high) != before)[known]
    row = replace(base, group="leave_one_out", n=len(coef), flags=flags)
    yield marker_row(row, marker, measure="share_changed", estimate=float(changed.mean()))
    yield marker_row(row, marker, measure="patients_changing", estimate=float(changed.sum()))


def _flag(known: Bools, exists: Bools) -> Iterator[str]:
    """Say why a range lacks a patient: without some the odds ratio does not exist, or its fit failed."""
    if not exists.all():
        yield "only_patient"
    if not known[exists].all():
        yield "not_converged"


def _name_only(without: Refits, marker: Marker, named: tuple[list[str], Estimate]) -> Iterator[Estimate]:
    """Yield the patients without whom the odds ratio of a marker does not exist: nobody else has its level."""
    (names, base), exists = named, without.exists[:, marker.place + 1]
    row = replace(base, measure="no_odds_ratio_without", n=len(exists) - 1, flags=("only_patient",))
    for patient in np.flatnonzero(~exists):
        yield marker_row(row, marker, group=names[patient])


def _name_patients(
    everyone: Refits, without: Refits, marker: Marker, named: tuple[list[str], Estimate]
) -> Iterator[Estimate]:
    """Yield the odds ratios without the patients at both ends of their range, and without those that decide most.

    Where some do, ``nobody`` is the odds ratio that theirs are compared with: of all, pooled in the same way.
    """
    (names, base), place = named, marker.place + 1
    coef, low, high = (values[:, place] for values in (without.coef, without.low, without.high))
    chosen, changed = _choose(everyone, without, marker)
    if changed[chosen].any():
        whole = (everyone.coef[0, place], everyone.low[0, place], everyone.high[0, place])
        yield marker_row(base, marker, whole, measure="odds_ratio_without", group="nobody", n=len(coef))
    for patient in chosen:
        values = (coef[patient], low[patient], high[patient])
        flags = ("changed",) if changed[patient] else ()
        parts = {"measure": "odds_ratio_without", "group": names[patient], "n": len(coef) - 1, "flags": flags}
        yield marker_row(base, marker, values, **parts)


def _choose(everyone: Refits, without: Refits, marker: Marker) -> tuple[list[int], Bools]:
    """Return who is named of a marker, at the ends of the range and of those that decide most, and who decides."""
    place = marker.place + 1
    coef, low, high = (values[:, place] for values in (without.coef, without.low, without.high))
    moved = np.abs(coef - everyone.coef[0, place])
    known = np.isfinite(moved)
    changed = known & (concluded(low, high) != concluded(everyone.low[:, place], everyone.high[:, place])[0])
    if not known.any():
        return [], changed
    most = np.argsort(np.where(changed, -moved, np.inf), kind="stable")[: min(SHOWN_CHANGES, int(changed.sum()))]
    inside = np.where(known, coef, np.nan)
    return list(dict.fromkeys([int(np.nanargmin(inside)), int(np.nanargmax(inside)), *most.tolist()])), changed
