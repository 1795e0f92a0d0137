"""Missing values of the factors filled in many times, by chained equations, from everything known at the landmark.

What is filled in are the parts that factors are made of; the factors are made anew from them. The outcome and all
parts at the landmark are in the imputation model; values that are known are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rarefactor.analyse._design import Columns, Design, Floats, scale
from rarefactor.derive import LandmarkTable, Part
from rarefactor.spec import Missing
from rarefactor.stats import Imputations, Variable, impute, impute_many

OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The parts of the patients whose outcome is known, completed ``m`` times: by name, (m, n).

    ``imputations`` keeps the traces and what was imputed.
    """

    parts: dict[str, Floats]
    imputations: Imputations


def fill_missing(table: LandmarkTable, settings: Missing, *, seed: int) -> Filled:
    """Return the parts at a landmark, completed many times."""
    known = _read_known(table)
    rng = np.random.default_rng([seed, *table.landmark.encode()])
    found = impute(known.data, known.variables, m=settings.imputations, iterations=settings.iterations, rng=rng)
    parts = known.derive_parts(found.values, np.arange(len(known.data)))
    return Filled(parts=parts, imputations=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    """Fills in the columns of a design anew in every resample, an imputer of ``stats``.

    ``completed`` (m, n, p) are the imputations of all patients, which are taken as they are where nobody was drawn
    twice; ``rng`` is the source of chance, used from one portion of resamples to the next.
    """

    design: Design
    table: LandmarkTable
    settings: Missing
    completed: Floats
    rng: np.random.Generator

    def __call__(self, rows: NDArray[np.intp]) -> tuple[Floats, tuple[str, ...]]:
        """Return columns (R, m, n, p) of the patients in ``rows`` (R, n), and why a resample could not be filled in."""
        if len(rows) == 1 and np.array_equal(rows[0], np.arange(rows.shape[1])):
            return self.completed[None], ("",)
        known, settings = _read_known(self.table), self.settings
        found = impute_many(
            known.data, known.variables, rows=rows, m=settings.resampled, iterations=settings.iterations, rng=self.rng
        )
        columns = _fill(self.design, known.derive_parts(found.values, rows[:, None]), self.table)
        columns[[bool(reason) for reason in found.reason]] = np.nan
        return columns, found.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the patients whose outcome is known, as the imputation reads it: the outcome, then ``used``."""

    data: Floats
    variables: list[Variable]
    used: list[Part]
    others: dict[str, Floats]

    def derive_parts(self, values: Floats, rows: NDArray[np.intp]) -> dict[str, Floats]:
        """Return all parts by name, each (..., n), from imputed values (..., n, v) of the patients in ``rows``."""
        parts = {part.name: _from_scale(values[..., place], part) for place, part in enumerate(self.used, start=1)}
        return parts | {name: np.broadcast_to(column[rows], values.shape[:-1]) for name, column in self.others.items()}


def _read_known(table: LandmarkTable) -> _Known:
    known = table.frame["outcome"].is_not_null()
    measured, outcome = table.measured.filter(known), table.frame.filter(known)["outcome"].cast(pl.Float64)
    used = [part for part in table.parts if part.kind != "fixed" and _tells_apart(measured[part.name])]
    names = {part.name for part in used}
    return _Known(
        data=np.column_stack([outcome.to_numpy(), *(_to_scale(measured[part.name], part) for part in used)]),
        variables=[Variable(name=OUTCOME, kind="binary"), *(Variable(name=part.name, kind=part.kind) for part in used)],
        used=used,
        others={
            part.name: measured[part.name].fill_null(np.nan).to_numpy()
            for part in table.parts
            if part.name not in names
        },
    )


def fill_design(design: Design, filled: Filled, table: LandmarkTable) -> Floats:
    """Return the columns of a design, (m, n, p), with the missing values filled in."""
    return _fill(design, filled.parts, table)


def _fill(design: Design, parts: Mapping[str, Floats], table: LandmarkTable) -> Floats:
    """Return the columns of a design (..., n, p) from completed parts (..., n)."""
    return np.concatenate([_fill_columns(columns, parts, table) for columns in design.columns], axis=-1)


def _fill_columns(columns: Columns, parts: Mapping[str, Floats], table: LandmarkTable) -> Floats:
    info = columns.factor
    recipe = table.recipes[info.name]
    made = recipe.apply([parts[name] for name in recipe.parts])
    if not info.levels:
        return scale(made, info)[..., None]
    places: Sequence[int] = [info.levels.index(term) for term in columns.terms]
    return (made[..., None] == np.asarray(places, dtype=np.float64)).astype(np.float64)


def _tells_apart(series: pl.Series) -> bool:
    return series.drop_nulls().n_unique() > 1


def _to_scale(series: pl.Series, part: Part) -> Floats:
    values = series.fill_null(np.nan).to_numpy()
    return np.log(np.where(values > 0, values, np.nan)) if part.log else values


def _from_scale(values: Floats, part: Part) -> Floats:
    return np.exp(values) if part.log else values
