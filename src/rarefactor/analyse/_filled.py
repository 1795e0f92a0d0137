"""Missing values of the factors filled in many times, by chained equations, from everything known at the landmark.

What is filled in are the parts that factors are made of; the factors are made anew from them. The outcome and all
parts at the landmark are in the imputation model; values that are known are never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from rarefactor.analyse._design import Columns, Design, Floats, scale
from rarefactor.derive import LandmarkTable, Part
from rarefactor.spec import Missing
from rarefactor.stats import Imputations, Variable, impute

OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The parts of the patients whose outcome is known, completed ``m`` times: by name, (m, n).

    ``imputations`` keeps the traces and what was imputed; ``left_out`` names the parts that could not help.
    """

    parts: dict[str, Floats]
    imputations: Imputations
    left_out: tuple[str, ...]


def fill_missing(table: LandmarkTable, settings: Missing, *, seed: int) -> Filled:
    """Return the parts at a landmark, completed many times."""
    known = table.frame["outcome"].is_not_null()
    measured, outcome = table.measured.filter(known), table.frame.filter(known)["outcome"].cast(pl.Float64)
    used = [part for part in table.parts if part.kind != "fixed" and _tells_apart(measured[part.name])]
    data = np.column_stack([outcome.to_numpy(), *(_to_scale(measured[part.name], part) for part in used)])
    variables = [Variable(name=OUTCOME, kind="binary"), *(Variable(name=part.name, kind=part.kind) for part in used)]
    rng = np.random.default_rng([seed, *table.landmark.encode()])
    found = impute(data, variables, m=settings.imputations, iterations=settings.iterations, rng=rng)
    parts = {part.name: _from_scale(found.values[:, :, place], part) for place, part in enumerate(used, start=1)}
    names = {part.name for part in used}
    for part in table.parts:
        if part.name not in names:
            column = measured[part.name].fill_null(np.nan).to_numpy()
            parts[part.name] = np.broadcast_to(column, (settings.imputations, len(column)))
    left_out = tuple(part.name for part in table.parts if part.kind != "fixed" and part.name not in names)
    return Filled(parts=parts, imputations=found, left_out=left_out)


def fill_design(design: Design, filled: Filled, table: LandmarkTable) -> Floats:
    """Return the columns of a design, (m, n, p), with the missing values filled in."""
    return np.concatenate([_fill_columns(columns, filled, table) for columns in design.columns], axis=2)


def _fill_columns(columns: Columns, filled: Filled, table: LandmarkTable) -> Floats:
    info = columns.factor
    recipe = table.recipes[info.name]
    made = recipe.apply([filled.parts[name] for name in recipe.parts])
    if not info.levels:
        return scale(made, info)[:, :, None]
    places: Sequence[int] = [info.levels.index(term) for term in columns.terms]
    return (made[:, :, None] == np.asarray(places, dtype=np.float64)).astype(np.float64)


def _tells_apart(series: pl.Series) -> bool:
    return series.drop_nulls().n_unique() > 1


def _to_scale(series: pl.Series, part: Part) -> Floats:
    values = series.fill_null(np.nan).to_numpy()
    return np.log(np.where(values > 0, values, np.nan)) if part.log else values


def _from_scale(values: Floats, part: Part) -> Floats:
    return np.exp(values) if part.log else values
