"""What a study could make factors of: every column of the records, the images and the instruments, and how full it is.

Convention: patients are counted once, among the eligible where the rules of eligibility can be told, else among all.
A column of images that were not measured is described and has no counts.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl

from rarefactor.derive._factors import derive_factor, unique_labels
from rarefactor.derive._values import Values, column_name
from rarefactor.errors import RarefactorError
from rarefactor.spec import Column, DataField, ExpressionError, FieldType, Scope, Study, parse_column

Origin = Literal["records", "images", "instruments"]
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_BARS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A column that a factor may name as ``text``.

    ``known`` counts the patients with a value by visit, by the empty name where it describes patients; it is None
    where nobody knows yet. ``why_not`` says why no factor can be made of it.
    """

    text: str
    table: str
    name: str
    origin: Origin
    label: str
    type: FieldType
    unit: str | None = None
    levels: tuple[str, ...] = ()
    known: Mapping[str, int] | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """All columns of a study, and the patients whose values are counted."""

    items: tuple[Variable, ...]
    n: int
    values: Values = field(repr=False)

    @property
    def scope(self) -> Scope:
        """What expressions may name."""
        return self.values.scope

    def find(self, text: str) -> Variable | None:
        """Return the variable that a factor names."""
        try:
            table, _ = self.scope.find(column := parse_column(text))
        except ExpressionError:
            return None
        names = {column.name, column.dotted}
        return next((item for item in self.items if item.table == table and item.name in names), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How values are spread: by level, or by bar between ``edges``; ``quartiles`` go from the least to the most."""

    n: int
    missing: int
    levels: tuple[tuple[str, int], ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    quartiles: tuple[float, ...] = ()


def tabulate_variables(values: Values, study: Study, measured: Iterable[str], described: Iterable[str]) -> Variables:
    """Return every column of the tables; those of ``measured`` tables are of images, of ``described`` ones not yet."""
    images, empty = set(measured), set(described)
    items = [
        _variable(values, study, (table, name), "images" if table in images else _origin(study, table), table in empty)
        for table, fields in values.scope.tables.items()
        for name in fields
    ]
    return Variables(items=tuple(items), n=values.subjects.height, values=values)


def _origin(study: Study, table: str) -> Origin:
    return "instruments" if table in study.instruments else "records"


def _variable(values: Values, study: Study, place: tuple[str, str], origin: Origin, empty: bool) -> Variable:  # noqa: FBT001 - private
    table, name = place
    described = values.scope.tables[table][name]
    why_not = _why_not(values, table, described)
    return Variable(
        text=_written(values.scope, table, name, short=origin != "images"),
        table=table,
        name=name,
        origin=origin,
        label=described.label or name,
        type=described.type,
        unit=described.unit,
        levels=_levels(described),
        known=None if empty or (why_not and described.type != "text") else _known(values, study, table, name),
        why_not=why_not,
    )


def _why_not(values: Values, table: str, described: DataField) -> str:
    if table not in values.tables:
        return "an instrument that cannot be computed yet"
    if values.tables[table].refused is not None:
        return "its rows repeat within a visit"
    return f"of type {described.type}" if described.type in {"text", "id"} else ""


def _levels(described: DataField) -> tuple[str, ...]:
    return tuple(unique_labels(described).values()) if described.type == "choice" else ()


def _written(scope: Scope, table: str, name: str, *, short: bool) -> str:
    """Return a name that means this column and no other: the shortest, or one that names the table too."""
    for text in (*([name] if short else []), f"{table}.{name}", str(Column(table, name))):
        try:
            found = scope.find(parse_column(text))
        except ExpressionError:
            continue
        if found == (table, scope.tables[table][name]):
            return text
    return str(Column(table, name))


def _known(values: Values, study: Study, table: str, name: str) -> Mapping[str, int]:
    source = values.tables[table]
    column = column_name(Column(table, name), source)
    rows = source.frame.filter(pl.col(column).is_not_null()).select("subject", "visit")
    rows = rows.join(values.subjects, on="subject", how="semi").unique()
    if not source.by_visit:
        return {"": rows.height}
    counts = dict(rows.group_by("visit").len().iter_rows())
    return {visit: counts.get(visit, 0) for visit in study.cohort.visits}


def count_variable(variables: Variables, text: str, visit: str) -> Counted | None:
    """Return how the values of a variable at a visit are spread; None where they cannot be told."""
    found = variables.find(text)
    if found is None or found.known is None or found.why_not:
        return None
    column = parse_column(text)
    series = variables.values.read(column, at=visit)
    if found.type == "choice":
        labels = unique_labels(variables.values.field(column))
        return _by_level(series.replace_strict(labels, default=None, return_dtype=pl.String), tuple(labels.values()))
    if found.type == "yesno":
        words = series.replace_strict({False: "No", True: "Yes"}, return_dtype=pl.String)
        return _by_level(words, ("No", "Yes"))
    return _by_bar(series.cast(pl.Float64))


def count_beyond(variables: Variables, text: str, visit: str, cut: str) -> tuple[int, int] | None:
    """Return how many patients are beyond a cut such as ``<= 56``, and of how many the value is known.

    None where the values cannot be told or the cut is none.
    """
    found, read = variables.find(text), re.fullmatch(r"\s*(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)\s*", cut)
    if found is None or not found.known or found.why_not or found.type in {"choice", "yesno"} or not read:
        return None
    known = variables.values.numbers(parse_column(text), at=visit).drop_nulls()
    return int(_COMPARE[read[1]](known, float(read[2])).sum()), known.len()


_COMPARE: Mapping[str, Callable[[pl.Series, float], pl.Series]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}


def count_factor(variables: Variables, study: Study, name: str) -> Counted | None:
    """Return how a factor of the study is spread among the patients; None where it cannot be told."""
    factor = study.factors[name]
    found = variables.find(factor.column)
    if found is None or found.known is None or found.why_not:
        return None
    try:
        derived = derive_factor(variables.values, name, factor, study)
    except RarefactorError:
        return None
    levels = derived.info.levels
    return _by_level(derived.series, levels) if levels else _by_bar(derived.series)


def _by_level(series: pl.Series, levels: tuple[str, ...]) -> Counted:
    counts = dict(series.drop_nulls().value_counts().iter_rows())
    found = tuple((level, int(counts.get(level, 0))) for level in levels)
    return Counted(n=series.len() - series.null_count(), missing=series.null_count(), levels=found)


def _by_bar(series: pl.Series) -> Counted:
    numbers = series.drop_nulls().to_numpy()
    if not numbers.size:
        return Counted(n=0, missing=series.len())
    edges = tuple(_edges(float(numbers.min()), float(numbers.max())))
    counts = np.histogram(numbers, edges)[0]
    quartiles = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])
    return Counted(
        n=int(numbers.size),
        missing=series.null_count(),
        edges=edges,
        counts=tuple(map(int, counts)),
        quartiles=tuple(map(float, quartiles)),
    )


def _edges(low: float, high: float) -> Iterator[float]:
    """Yield round numbers that hold all values between them, at most some 14 bars."""
    width = (high - low) / _BARS or 1.0
    power = 10.0 ** np.floor(np.log10(width))
    step = next(power * factor for factor in _STEPS if power * factor >= width * (1 - 1e-9))
    first, last = int(np.floor(low / step)), int(np.floor(high / step)) + 1
    yield from (round(float(place * step), 12) for place in range(first, last + 1))
