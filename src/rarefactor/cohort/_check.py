"""From text to typed columns, row by row accounted for.

Convention: ``check_`` gives good rows and failures. A row without a subject, and the copy of a row, are set aside; a
value that does not fit is null in the good table; two different rows of a patient in a table that has one row per
patient are refused, because nobody but its owner knows which one is right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from rarefactor.cohort._branching import compute_not_asked
from rarefactor.cohort._grid import ROW
from rarefactor.cohort._model import CENSORED, FAILURES, Variable, join_failures, shorten
from rarefactor.cohort._redcap import RawTable, derive_opened
from rarefactor.cohort._values import Checked, check_values
from rarefactor.errors import Problem
from rarefactor.spec import DataField, FieldType, Study

_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTable:
    """A table with typed columns whose dates are days since 1970-01-01.

    ``keys`` has the columns id (text), row, event, instance, date and day; ``date`` and ``day`` are null where the
    table has none.
    """

    raw: RawTable
    keys: pl.DataFrame
    columns: Mapping[str, pl.Series]
    failures: pl.DataFrame
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def check_table(raw: RawTable, study: Study, *, told: Collection[str] | None = None) -> TypedTable:
    """Type one table; ``problems`` name patients with several rows where there is one row per patient.

    Missing-data codes are ``told`` of these variables, or of all.
    """
    raw, unopened = derive_opened(raw)
    frame, failures = _check_rows(raw, study.cohort.missing_codes)
    missing, decimal = study.cohort.missing_codes, raw.layout.source.decimal
    keys = {"event": raw.layout.event, "instance": raw.layout.instance}
    ids = frame.select(
        pl.col(raw.layout.subject).alias("id"),
        pl.col(ROW).alias("row"),
        *((pl.col(column) if column else pl.lit(None, pl.String)).alias(name) for name, column in keys.items()),
    )
    checked, columns = dict[str, Checked](), dict[str, pl.Series]()
    for name, variable in _to_type(raw).items():
        checked[name] = check_values(frame[name], variable, decimal=decimal, missing=missing)
        failures.append(_value_failures(raw, name, frame[ROW], checked[name].bad))
        columns |= _columns(name, checked[name])
    return TypedTable(
        raw=raw,
        keys=ids.with_columns(pl.col("instance").cast(pl.Int32, strict=False), *_days(raw, checked)),
        columns={name: values for name, values in columns.items() if name.removesuffix(CENSORED) in raw.variables},
        failures=join_failures(failures),
        problems=() if _has_visits(raw) else tuple(_repeated(raw, frame)),
        notes=tuple(_notes(raw, checked, unopened, checked if told is None else told)),
    )


def _days(raw: RawTable, checked: Mapping[str, Checked]) -> Iterator[pl.Series | pl.Expr]:
    for key, column in (("date", raw.date), ("day", raw.day)):
        yield checked[column].values.cast(pl.Float64).alias(key) if column else pl.lit(None, pl.Float64).alias(key)


def _columns(name: str, checked: Checked) -> Mapping[str, pl.Series]:
    censored = {} if checked.censored is None else {name + CENSORED: checked.censored}
    return {name: checked.values, **censored}


def _to_type(raw: RawTable) -> Mapping[str, Variable]:
    """Return the variables of the table, and its date and day even where no dictionary describes them."""
    variables = dict(raw.variables)
    kinds: tuple[tuple[str | None, FieldType], ...] = ((raw.date, "date"), (raw.day, "number"))
    for column, kind in kinds:
        if column and (column not in variables or variables[column].field.type not in {kind, "datetime", "integer"}):
            label = variables[column].field.label if column in variables else ""
            variables[column] = Variable(name=column, field=DataField(type=kind, label=label))
    return variables


def _check_rows(raw: RawTable, missing: Collection[str]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Set rows without a subject, and copies of dated rows, aside."""
    subject = raw.layout.subject
    unknown = pl.col(subject).is_null() | pl.col(subject).is_in(list(missing)).fill_null(value=False)
    nobody, frame = raw.frame.filter(unknown), raw.frame.filter(~unknown)
    failures = [row_failures(raw, nobody[ROW], subject, "missing_subject")]
    if raw.date or raw.day:
        copies = ~frame.drop(ROW).hash_rows().is_first_distinct()
        failures.append(row_failures(raw, frame.filter(copies)[ROW], subject, "duplicate_row"))
        frame = frame.filter(~copies)
    return frame, failures


def _has_visits(raw: RawTable) -> bool:
    return bool(raw.layout.event or raw.date or raw.day or raw.repeats)


def _repeated(raw: RawTable, frame: pl.DataFrame) -> Iterator[Problem]:
    rows = frame.group_by(raw.layout.subject, maintain_order=True).agg(pl.col(ROW))[ROW]
    for repeated in rows.filter(rows.list.len() > 1).head(_MOST_PROBLEMS).to_list():
        yield Problem(
            file=raw.layout.grid.file.name,
            row=repeated[0],
            column=raw.layout.subject,
            found=f"the same patient in rows {shorten(map(str, repeated))}",
            expected="one row per patient, or `date`, `day` or `event` that tells the visits apart",
            next_step="Correct the ids or remove the rows that are not right; for visits name the column of the day.",
        )


def row_failures(
    raw: RawTable, rows: pl.Series, column: str, rule: str, values: pl.Series | None = None
) -> pl.DataFrame:
    """Return one failure for each row number."""
    return pl.DataFrame(
        {
            "table": [raw.name] * len(rows),
            "file": [raw.layout.grid.file.name] * len(rows),
            "row": rows,
            "column": [column] * len(rows),
            "rule": [rule] * len(rows),
            "value": [None] * len(rows) if values is None else values,
        },
        schema=FAILURES,
    )


def _value_failures(raw: RawTable, name: str, rows: pl.Series, bad: pl.DataFrame) -> pl.DataFrame:
    return bad.select(
        pl.lit(raw.name).alias("table"),
        pl.lit(raw.layout.grid.file.name).alias("file"),
        rows.gather(bad["index"]).alias("row"),
        pl.lit(name).alias("column"),
        pl.col("rule"),
        pl.col("text").alias("value"),
    ).cast(dict(FAILURES))  # pyright: ignore[reportArgumentType] - a schema is a mapping of types


def _notes(
    raw: RawTable, checked: Mapping[str, Checked], unopened: Mapping[str, int], told: Collection[str]
) -> Iterator[str]:
    name = raw.layout.grid.file.name
    yield from _named(f"{name}: labels were read for codes", (key for key, item in checked.items() if item.by_label))
    serial = (f"{key} ({item.serials})" for key, item in checked.items() if item.serials)
    yield from _named(f"{name}: Excel serial numbers were read as dates", serial)
    coded = (f"{key} ({item.coded_missing})" for key, item in checked.items() if item.coded_missing and key in told)
    yield from _named(f"{name}: missing-data codes", coded)
    censored = (
        f"{key} ({len(c) - c.null_count()})" for key, item in checked.items() if (c := item.censored) is not None
    )
    yield from _named(f"{name}: censored values, the bound is kept", censored)
    not_asked = (f"{key} ({count} of {empty})" for key, (count, empty) in compute_not_asked(raw).items())
    yield from _named(f"{name}: empty cells that the form did not ask for (branching logic)", not_asked)
    forms = (f"{form} ({count})" for form, count in unopened.items())
    yield from _named(f"{name}: boxes of forms that were never opened are unknown, not unticked; rows by form", forms)


def _named(sentence: str, names: Iterable[str]) -> Iterator[str]:
    found = list(names)
    if found:
        yield f"{sentence}: {shorten(found)}."
