"""What patients without an outcome could change, and how the likelihood of each odds ratio falls.

Both need one complete set of patients: those for whom every factor of the model is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from statistics import NormalDist

import numpy as np
import polars as pl

from rarefactor.analyse._design import Design, Floats, build_design
from rarefactor.analyse._markers import Marker, list_markers, marker_row
from rarefactor.analyse._odds import usable_columns
from rarefactor.derive import LandmarkTable
from rarefactor.results import Estimate, FactorInfo
from rarefactor.stats import OutcomeScan, compute_profiles, scan_missing_outcomes

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
POINTS = 25
FARTHEST = np.log(1000.0)
PENALTIES = {"ml": "none", "firth": "firth", "logf22": "logf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Everyone:
    """Patients with every factor known: their columns, and their outcome (n,), NaN where it is not known."""

    design: Design
    outcome: Floats


def scan_unknown_outcomes(
    table: LandmarkTable, factors: Sequence[FactorInfo], base: Estimate, *, level: float
) -> Iterator[Estimate]:
    """Yield for each marker what assumptions on the unknown outcomes do: shares with the event with and without it.

    A marker that is not 0/1 is split at its median for the assumption; it stays as it is in the model.
    """
    everyone = with_unknown(table, factors)
    if not np.isnan(everyone.outcome).any():
        return
    for marker in list_markers(everyone.design):
        column = everyone.design.X[:, marker.place]
        split = column if np.isin(column, (0.0, 1.0)).all() else (column > np.median(column)).astype(float)
        grid = _lay_grid(split, everyone.outcome)
        scan = scan_missing_outcomes(
            everyone.design.X, everyone.outcome, column=marker.place, split=split, rates=grid, level=level
        )
        yield from _describe(scan, marker, replace(base, n=len(column)))


def with_unknown(table: LandmarkTable, factors: Sequence[FactorInfo]) -> Everyone:
    """Return the patients who have every factor, those without an outcome included, and their usable columns."""
    known = table.frame["outcome"].is_not_null().to_numpy()
    filled = table.frame.with_columns(pl.col.outcome.fill_null(value=False))
    whole = build_design(replace(table, frame=filled), factors)
    complete = np.asarray(np.isfinite(whole.X).all(axis=1))
    outcome = np.where(known, whole.y, np.nan)[complete]
    whole = whole.complete()
    vary, _ = usable_columns(_take(whole, ~np.isnan(outcome)))
    terms = {(info.name, term) for info, term in vary.terms}
    return Everyone(design=_keep(whole, terms), outcome=outcome)


def _take(design: Design, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Design:
    columns = tuple(replace(item, values=item.values[rows]) for item in design.columns)
    return Design(frame=design.frame.filter(rows), y=design.y[rows], columns=columns)


def _keep(design: Design, terms: set[tuple[str, str]]) -> Design:
    columns = []
    for item in design.columns:
        places = [place for place, term in enumerate(item.terms) if (item.factor.name, term) in terms]
        if places:
            kept = tuple(item.terms[place] for place in places)
            columns.append(replace(item, terms=kept, values=item.values[:, places]))
    return replace(design, columns=tuple(columns))


def _lay_grid(split: Floats, outcome: Floats) -> Floats:
    """Return the assumed shares (g, 2); a side on which nobody's outcome is unknown has one share only."""
    sides = [SHARES if (np.isnan(outcome) & (split == side)).any() else (0.0,) for side in (1.0, 0.0)]
    return np.array([(one, other) for one in sides[0] for other in sides[1]])


def _describe(scan: OutcomeScan, marker: Marker, base: Estimate) -> Iterator[Estimate]:
    limits = np.column_stack([scan.odds_ratio, scan.low, scan.high])
    if not np.isfinite(scan.odds_ratio).any():
        return
    for name, rank in (("lowest", np.nanargmin(scan.odds_ratio)), ("highest", np.nanargmax(scan.odds_ratio))):
        yield marker_row(base, marker, np.log(limits[rank]), group=f"unknown_{name}")
    changed = float(scan.changed.mean())
    yield marker_row(base, marker, measure="share_changed", group="unknown_outcomes", estimate=changed)
    for side, share, unknown in zip(("with", "without"), scan.observed_rates, scan.unknown, strict=True):
        yield marker_row(base, marker, measure="known_share", group=side, estimate=share)
        yield marker_row(base, marker, measure="unknown", group=side, estimate=unknown)
    if len(scan.tipping):
        rank = int(np.flatnonzero((scan.rates == scan.tipping[0]).all(axis=1))[0])
        yield marker_row(base, marker, np.log(limits[rank]), group="tipping")
        for side, share in zip(("with", "without"), scan.tipping[0], strict=True):
            yield marker_row(base, marker, measure="tipping_share", group=side, estimate=float(share))


def trace_profiles(everyone: Design, base: Estimate, *, level: float) -> Iterator[Estimate]:
    """Yield the relative profile likelihood of each marker at some odds ratios: 1 at the estimate, falling to 0.

    ``group`` is the odds ratio. One row says how high a curve is where it reaches the limits of the interval.
    """
    design, _ = usable_columns(everyone.complete())
    rows = replace(base, measure="relative_likelihood", n=len(design.y), events=int(design.y.sum()))
    half = NormalDist().inv_cdf(0.5 + 0.5 * level)
    yield replace(rows, measure="likelihood_at_limits", method=None, estimate=exp(-(half**2) / 2.0))
    for method, penalty in PENALTIES.items():
        curves = compute_profiles(design.X, design.y, penalty=penalty, points=POINTS, level=level)
        for marker in list_markers(design):
            values, fall = curves.values[marker.place + 1], curves.fall[marker.place + 1]
            heights = {
                f"{np.exp(value):.6g}": float(height)  # points that are too near to each other to be told apart are one
                for value, height in zip(values, np.exp(-fall / 2.0), strict=True)
                if abs(value) <= FARTHEST and np.isfinite(height)
            }
            yield from (
                marker_row(rows, marker, group=at, estimate=height, method=method) for at, height in heights.items()
            )
