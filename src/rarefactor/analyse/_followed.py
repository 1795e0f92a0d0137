"""The patients of a follow-up with their factors filled in.

Convention: in the imputation model stand the event, the cumulative hazard (Nelson-Aalen) at each patient's time, both
also of the competing event where there is one, and every part known at the landmark.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rarefactor.derive import LandmarkTable, Part, TimeTable
from rarefactor.stats import compute_cumulative_hazard

COMPETING = 2


def derive_followed(times: TimeTable, at: LandmarkTable) -> LandmarkTable:
    """Return the patients of a follow-up as a landmark table, its outcome the event; ``at`` is that of the landmark.

    What only the imputation needs is a part of no factor.
    """
    added = list(_auxiliary(times))
    measured = times.frame.select("subject").join(at.measured, on="subject", how="left", maintain_order="left")
    return LandmarkTable(
        landmark=times.landmark,
        frame=times.frame.with_columns(outcome=pl.col.cause == 1),
        factors=times.factors,
        measured=measured.with_columns(*(series for _, series in added)),
        parts=(*at.parts, *(part for part, _ in added)),
        recipes=at.recipes,
    )


def _auxiliary(times: TimeTable) -> Iterator[tuple[Part, pl.Series]]:
    """Yield what stands in the imputation model beside the event; the names cannot be those of columns."""
    days, cause = times.frame["days"].to_numpy(), times.frame["cause"].to_numpy()
    name = "(cumulative hazard)"
    yield Part(name=name, kind="continuous"), pl.Series(name, compute_cumulative_hazard(days, cause == 1))
    if (cause == COMPETING).any():
        name = "(competing event)"
        yield Part(name=name, kind="binary"), pl.Series(name, (cause == COMPETING).astype(float))
        name = "(cumulative hazard of the competing event)"
        yield Part(name=name, kind="continuous"), pl.Series(name, compute_cumulative_hazard(days, cause == COMPETING))
