"""What patients without an outcome could change, in those for whom every factor of the model is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from rarefactor.analyse._design import Design, Floats, build_design
from rarefactor.analyse._markers import Marker, list_markers, marker_row
from rarefactor.analyse._odds import usable_columns
from rarefactor.derive import LandmarkTable
from rarefactor.results import TIPPING_SHARES, Estimate, FactorInfo
from rarefactor.stats import OutcomeScan, scan_missing_outcomes


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
    sides = [TIPPING_SHARES if (np.isnan(outcome) & (split == side)).any() else (0.0,) for side in (1.0, 0.0)]
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
