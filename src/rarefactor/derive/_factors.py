"""Candidate factors of the study file: their parts, the recipe, the finished column and the words that describe it.

A binary or categorical factor is shown as the label of its level, a continuous factor as the number in its own unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from rarefactor.derive._recipes import Floats, Part, Recipe
from rarefactor.derive._values import Values
from rarefactor.derive._words import describe_factor
from rarefactor.results import FactorInfo
from rarefactor.spec import DAYS_PER_MONTH, Column, DataField, Factor, Study, find_code, find_flag, parse_column

NO, YES = "No", "Yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A factor of every patient: ``series``, how it is shown, and the parts (by name, with values) it is made of."""

    series: pl.Series
    info: FactorInfo
    recipe: Recipe
    parts: Mapping[str, tuple[Part, Floats]]


def derive_factor(values: Values, name: str, factor: Factor, study: Study) -> Derived:
    """Return one factor for every patient (null where it is not known)."""
    column = parse_column(factor.column)
    field = values.field(column)
    parts = {part.name: (part, content) for part, content in _parts(values, column, factor, study)}
    recipe, levels = _recipe(tuple(parts), factor, field)
    reference = unique_labels(field)[find_code(field, factor.reference)] if factor.reference else None
    made = recipe.apply([content for _, content in parts.values()])
    on_log_scale = factor.transform == "log" and len(factor.visits) == 1
    info = FactorInfo(
        name=name,
        label=factor.label,
        kind="continuous" if not levels else "binary" if len(levels) == 2 else "categorical",
        role=factor.role,
        measured_at=factor.known_at,
        unit=find_unit(factor, field),
        levels=levels,
        reference=reference or next(iter(levels), None),
        step=factor.per or (2.0 if on_log_scale else 1.0),
        transform="log" if on_log_scale else None,
        definition=describe_factor(factor, field, study, reference or next(iter(levels), "")),
        repeatability=factor.repeatability or (values.repeatability(column) if factor.rate_between else None),
    )
    return Derived(series=_shown(made, levels).alias(name), info=info, recipe=recipe, parts=parts)


def find_unit(factor: Factor, field: DataField) -> str | None:
    """Return the unit of a factor: that of the study file, else that of the data.

    A difference of percentages is in percentage points, a rate is per month.

    Examples
    --------
    >>> rate = Factor.model_validate({"label": "Rate", "from": "thigh.fat_fraction", "rate_between": ["a", "b"]})
    >>> find_unit(rate, DataField(type="number", unit="%"))
    'pp/month'
    """
    if factor.unit:
        return factor.unit
    if factor.rate_between is None and factor.change_between is None:
        return field.unit
    if factor.transform == "log" or field.unit is None:
        return None
    unit = "pp" if field.unit == "%" else field.unit
    return f"{unit}/month" if factor.rate_between else unit


def _parts(values: Values, column: Column, factor: Factor, study: Study) -> list[tuple[Part, Floats]]:
    parts = [_part(values, column, factor, visit) for visit in factor.visits]
    pair = factor.rate_between or factor.change_between
    later = values.comparable(column, pair) if pair else None
    if pair and later is not None:
        name = f"{parts[-1][0].name}, as far as it compares with {pair[0]}"
        parts[-1] = replace(parts[-1][0], name=name), _to_numpy(later)
    if factor.rate_between:
        months = _months_between(values, column, study, factor.rate_between)
        name = f"months between {' and '.join(factor.rate_between)} of {column.table or column.name}"
        parts.append((Part(name=name, kind="fixed"), months))
    return parts


def _part(values: Values, column: Column, factor: Factor, visit: str) -> tuple[Part, Floats]:
    """Return a column at a visit as numbers."""
    field = values.field(column)
    name = f"{values.scope.find(column)[0]}.{column.name}[{visit}]"
    known = values.read(column, at=visit)
    if field.type == "yesno":
        return Part(name=name, kind="binary", levels=(NO, YES)), _to_numpy(known.cast(pl.Float64))
    if field.type == "choice":
        levels = tuple(unique_labels(field).values())
        place = {code: float(position) for position, code in enumerate(field.choices)}
        kind = "binary" if len(levels) == 2 else "categorical"
        positions = known.replace_strict(place, default=None, return_dtype=pl.Float64)
        return Part(name=name, kind=kind, levels=levels), _to_numpy(positions)
    return Part(name=name, kind="continuous", log=factor.transform == "log"), _to_numpy(known.cast(pl.Float64))


def _recipe(parts: tuple[str, ...], factor: Factor, field: DataField) -> tuple[Recipe, tuple[str, ...]]:
    """Return how a factor is made from its parts, and its levels (none for a number)."""
    if factor.equals:
        return Recipe(parts=parts, rule="lookup", lookup=_among(factor, field)), (NO, YES)
    if factor.cut:
        comparison, threshold = re.split(r"(?<=[<>=])\s*(?![<>=])", factor.cut, maxsplit=1)
        return Recipe(parts=parts, rule="cut", comparison=comparison, threshold=float(threshold)), (NO, YES)
    if factor.rate_between or factor.change_between:
        return Recipe(parts=parts, rule="change", log=factor.transform == "log"), ()
    if field.type == "yesno":
        return Recipe(parts=parts, rule="lookup", lookup=(0.0, 1.0)), (NO, YES)
    if field.type == "choice":
        labels = tuple(unique_labels(field).values())
        return Recipe(parts=parts, rule="lookup", lookup=tuple(map(float, range(len(labels))))), labels
    return Recipe(parts=parts), ()


def _among(factor: Factor, field: DataField) -> tuple[float, ...]:
    """Return 1 for each level of a part that is one of those named, else 0."""
    if field.type == "yesno":
        flags = {find_flag(value) for value in factor.equals}
        return float(False in flags), float(True in flags)
    codes = {find_code(field, value) for value in factor.equals}
    return tuple(float(code in codes) for code in field.choices)


def _shown(made: Floats, levels: tuple[str, ...]) -> pl.Series:
    series = pl.Series(made, nan_to_null=True, dtype=pl.Float64)
    if not levels:
        return series
    return series.replace_strict(dict(enumerate(levels)), default=None, return_dtype=pl.String)


def unique_labels(field: DataField) -> dict[str, str]:
    """Return the label of each code, with the code added where two codes share a label.

    Examples
    --------
    >>> unique_labels(DataField(type="choice", choices={"1": "low", "2": "high", "3": "high"}))
    {'1': 'low', '2': 'high (2)', '3': 'high (3)'}
    """
    labels = list(field.choices.values())
    return {code: label if labels.count(label) == 1 else f"{label} ({code})" for code, label in field.choices.items()}


def _months_between(values: Values, column: Column, study: Study, visits: tuple[str, str]) -> Floats:
    frame = values.tables[values.scope.find(column)[0]].frame
    first, last = (_days(values, frame, visit, study.cohort.visits[visit].month) for visit in visits)
    return (last - first) / DAYS_PER_MONTH


def _days(values: Values, frame: pl.DataFrame, visit: str, month: float) -> Floats:
    """Return the day of a visit, the nominal one where the data hold none."""
    rows = frame.filter(pl.col.visit == visit).select("subject", pl.col("day").cast(pl.Float64))
    joined = values.subjects.join(rows, on="subject", how="left", maintain_order="left")
    return _to_numpy(joined["day"].fill_null(month * DAYS_PER_MONTH))


def _to_numpy(series: pl.Series) -> Floats:
    return series.fill_null(np.nan).to_numpy()
