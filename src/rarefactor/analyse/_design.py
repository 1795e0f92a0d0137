"""Landmark tables as arrays: the outcome, and one or several columns for each factor.

Convention: only patients whose outcome is known; NaN where a factor is not known; a continuous factor is divided by its
step, or is log(value) / log(step) on the log scale, so that one odds ratio is for one step; a factor with k levels has
k - 1 columns of 0 and 1, for its levels after the reference; levels that no patient has are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rarefactor.derive import LandmarkTable
from rarefactor.results import FactorInfo

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """One factor as columns: ``values`` (n, k) for the k ``terms``."""

    factor: FactorInfo
    terms: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The patients whose outcome is known, as arrays: ``y`` (n,) in {0, 1} and the columns of each factor."""

    frame: pl.DataFrame
    y: Floats
    columns: tuple[Columns, ...]

    @property
    def X(self) -> Floats:  # noqa: N802 - the field's name for a design matrix
        """All columns side by side, (n, p)."""
        return np.concatenate([np.empty((len(self.y), 0)), *(item.values for item in self.columns)], axis=1)

    @property
    def terms(self) -> tuple[tuple[FactorInfo, str], ...]:
        """The factor and term of each column of ``X``."""
        return tuple((item.factor, term) for item in self.columns for term in item.terms)

    def complete(self) -> Design:
        """Return the patients for whom every factor is known."""
        kept = np.asarray(np.isfinite(self.X).all(axis=1))
        columns = tuple(
            Columns(factor=item.factor, terms=item.terms, values=item.values[kept]) for item in self.columns
        )
        return Design(frame=self.frame.filter(kept), y=self.y[kept], columns=columns)


def build_design(table: LandmarkTable, factors: Iterable[FactorInfo]) -> Design:
    """Return the arrays of some factors at a landmark."""
    frame = table.frame.filter(pl.col.outcome.is_not_null())
    columns = tuple(_columns(frame[info.name], info) for info in factors)
    return Design(frame=frame, y=frame["outcome"].cast(pl.Float64).to_numpy(), columns=columns)


def occurring(series: pl.Series, info: FactorInfo) -> tuple[str, ...]:
    """Return the levels that some patient has; the first is what the others are compared with."""
    present = set(series.drop_nulls().unique())
    return tuple(level for level in info.ordered if level in present)


def _columns(series: pl.Series, info: FactorInfo) -> Columns:
    if info.kind == "continuous":
        return Columns(factor=info, terms=(info.term,), values=scale(_to_numpy(series), info)[:, None])
    terms = occurring(series, info)[1:]
    dummies = [(series == level).cast(pl.Float64).fill_null(np.nan).to_numpy() for level in terms]
    values = np.stack(dummies, axis=1) if dummies else np.empty((series.len(), 0))
    return Columns(factor=info, terms=terms, values=values)


def _to_numpy(series: pl.Series) -> Floats:
    return series.cast(pl.Float64).fill_null(np.nan).to_numpy()


def scale(values: Floats, info: FactorInfo) -> Floats:
    """Return the values of a continuous factor in steps, so that an odds ratio is for one step."""
    if info.transform != "log":
        return values / info.step
    positive = np.where(values > 0, values, np.nan)
    return np.log(positive) / np.log(info.step)
