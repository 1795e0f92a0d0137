"""Candidate factors of the study file as columns, each with the words that describe it.

A binary or categorical factor holds the label of its level, a continuous factor the number in its own unit.
"""

from __future__ import annotations

import polars as pl

from rarefactor.derive._values import Values
from rarefactor.results import FactorInfo, Kind
from rarefactor.spec import DAYS_PER_MONTH, Column, DataField, Factor, Study, find_code, find_flag, parse_column

NO, YES = "No", "Yes"


def derive_factor(values: Values, name: str, factor: Factor, study: Study) -> tuple[pl.Series, FactorInfo]:
    """Return one factor for every patient (null where it is not known) and how it is shown."""
    column = parse_column(factor.column)
    series, kind, levels = _measure(values, column, factor, study)
    info = FactorInfo(
        name=name,
        label=factor.label,
        kind=kind,
        role=factor.role,
        measured_at=factor.known_at,
        unit=factor.unit or (None if factor.rate_between else values.field(column).unit),
        levels=levels,
        step=factor.per or (2.0 if _on_log_scale(factor) else 1.0),
        transform="log" if _on_log_scale(factor) else None,
        definition=_definition(factor, values.field(column), study, levels),
    )
    return series.alias(name), info


def _measure(values: Values, column: Column, factor: Factor, study: Study) -> tuple[pl.Series, Kind, tuple[str, ...]]:
    field = values.field(column)
    if factor.equals:
        return _is_one_of(values, column, factor, field), "binary", (NO, YES)
    if factor.cut:
        held = values.condition(f"{column} {factor.cut}", at=factor.measured_at)
        return _yes_no(held), "binary", (NO, YES)
    if factor.rate_between or factor.change_between:
        return _change(values, column, factor, study), "continuous", ()
    if field.type == "yesno":
        known = values.gather([column], at=factor.measured_at)[str(column)]
        return _yes_no(known), "binary", (NO, YES)
    if field.type == "choice":
        return _labelled(values, column, factor, field)
    return values.numbers(column, at=factor.measured_at), "continuous", ()


def _is_one_of(values: Values, column: Column, factor: Factor, field: DataField) -> pl.Series:
    known = values.gather([column], at=factor.measured_at)[str(column)]
    if field.type == "yesno":
        return _yes_no(known.is_in([find_flag(value) for value in factor.equals]))
    return _yes_no(known.is_in([find_code(field, value) for value in factor.equals]))


def _yes_no(held: pl.Series) -> pl.Series:
    frame = held.to_frame("held")
    named = pl.when(pl.col.held).then(pl.lit(YES)).when(~pl.col.held).then(pl.lit(NO))
    return frame.select(named.alias("held"))["held"]


def _labelled(
    values: Values, column: Column, factor: Factor, field: DataField
) -> tuple[pl.Series, Kind, tuple[str, ...]]:
    labels = unique_labels(field)
    codes = values.gather([column], at=factor.measured_at)[str(column)]
    first = find_code(field, factor.reference) if factor.reference else next(iter(labels))
    reference = labels[first]
    levels = (reference, *(label for label in labels.values() if label != reference))
    series = codes.replace_strict(labels, default=None, return_dtype=pl.String)
    return series, "binary" if len(levels) == 2 else "categorical", levels


def unique_labels(field: DataField) -> dict[str, str]:
    """Return the label of each code, with the code added where two codes share a label.

    Examples
    --------
    >>> unique_labels(DataField(type="choice", choices={"1": "low", "2": "high", "3": "high"}))
    {'1': 'low', '2': 'high (2)', '3': 'high (3)'}
    """
    labels = list(field.choices.values())
    return {code: label if labels.count(label) == 1 else f"{label} ({code})" for code, label in field.choices.items()}


def _change(values: Values, column: Column, factor: Factor, study: Study) -> pl.Series:
    first, last = factor.visits
    before, after = (_scaled(values.numbers(column, at=visit), factor) for visit in (first, last))
    change = after - before
    return change / _months_between(values, column, study, first, last) if factor.rate_between else change


def _scaled(series: pl.Series, factor: Factor) -> pl.Series:
    if factor.transform != "log":
        return series
    return series.to_frame("x").select(pl.when(pl.col.x > 0).then(pl.col.x.log()))["x"]


def _months_between(values: Values, column: Column, study: Study, first: str, last: str) -> pl.Series:
    table = values.tables[values.scope.find(column)[0]]
    days = [_days(values, table.frame, visit, study.cohort.visits[visit].month) for visit in (first, last)]
    months = (days[1] - days[0]) / DAYS_PER_MONTH
    return months.to_frame("m").select(pl.when(pl.col.m > 0).then(pl.col.m))["m"]


def _days(values: Values, frame: pl.DataFrame, visit: str, month: float) -> pl.Series:
    rows = frame.filter(pl.col.visit == visit).select("subject", pl.col("day").cast(pl.Float64))
    joined = values.subjects.join(rows, on="subject", how="left", maintain_order="left")
    return joined["day"].fill_null(month * DAYS_PER_MONTH)


def _on_log_scale(factor: Factor) -> bool:
    return factor.transform == "log" and len(factor.visits) == 1


def _definition(factor: Factor, field: DataField, study: Study, levels: tuple[str, ...]) -> str:
    """Say how the factor was made, as a clause of the methods section."""
    name = field.label or factor.column
    visits = [study.cohort.visits[visit].label or visit.replace("_", " ") for visit in factor.visits]
    if factor.rate_between or factor.change_between:
        scale = "the natural logarithm of " if factor.transform == "log" else ""
        what = "rate of change per month" if factor.rate_between else "change"
        return f"{what} of {scale}{name} from {visits[0]} to {visits[1]}"
    if factor.equals:
        return f"{name} is {' or '.join(_labels(factor.equals, field))}, at {visits[0]}"
    if factor.cut:
        return f"{name} {factor.cut}{f' {field.unit}' if field.unit else ''}, at {visits[0]} ({factor.reason})"
    if levels and levels != (NO, YES):
        return f"{name} at {visits[0]}, in {len(levels)} levels, reference {levels[0]}"
    return f"{name} at {visits[0]}" + (", analysed on the log scale" if factor.transform == "log" else "")


def _labels(equals: tuple[str, ...], field: DataField) -> list[str]:
    return [field.choices.get(find_code(field, value), value) if field.choices else value for value in equals]
