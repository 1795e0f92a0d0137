"""The terms of a model that are asked for: its markers, each with its place among the columns.

Convention: rows of sensitivity analyses tell apart by ``group`` what was done: what was left out, assumed or changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Design, Floats
from rarefactor.results import Estimate, FactorInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A term of a marker: column ``place`` of the design (the coefficient after it, as the intercept stands first)."""

    info: FactorInfo
    term: str
    place: int


def list_markers(design: Design) -> tuple[Marker, ...]:
    """Return the terms of the markers among the columns of a design."""
    return tuple(
        Marker(info=info, term=term, place=place)
        for place, (info, term) in enumerate(design.terms)
        if info.role == "marker"
    )


def marker_row(base: Estimate, marker: Marker, values: Sequence[float] = (), **parts: object) -> Estimate:
    """Return a row about a marker; ``values`` are log odds: of the estimate and, where there are any, its limits."""
    numbers = dict(zip(("estimate", "low", "high"), map(to_ratio, values), strict=False))
    named = {"factor": marker.info.name, "term": marker.term}
    return replace(base, **{**named, **numbers, **parts})  # pyright: ignore[reportArgumentType] - names of fields


def to_ratio(log_odds: float) -> float | None:
    """Return an odds ratio, infinite where the log odds are beyond all numbers, None where they are not known."""
    if math.isnan(log_odds):
        return None
    return math.inf if log_odds > 700 else math.exp(log_odds)


def concluded(low: Floats, high: Floats) -> Floats:
    """Return on which side of 1 an interval of log odds lies: 1, -1, or 0 where it holds 1 or is not known."""
    return np.where(low > 0.0, 1.0, 0.0) - np.where(high < 0.0, 1.0, 0.0)
