"""The door to the patients' data: a study in, checked tables out.

Convention: every source is read and checked before anything is refused, so that all that stops a run is said at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from rarefactor.cohort._check import TypedTable, check_table
from rarefactor.cohort._days import derive_baselines, derive_days, has_baseline
from rarefactor.cohort._dictionary import read_dictionary
from rarefactor.cohort._excel import read_workbook
from rarefactor.cohort._file import DataFile, read_file
from rarefactor.cohort._grid import Grid, read_delimited, read_frame
from rarefactor.cohort._layout import Layout, derive_layout
from rarefactor.cohort._model import (
    CENSORED,
    KEYS,
    RESERVED,
    Cohort,
    Findings,
    Table,
    Variable,
    count_failures,
    join_failures,
    shorten,
)
from rarefactor.cohort._privacy import compute_hashes, derive_hashed, derive_topped_ages, read_key
from rarefactor.cohort._redcap import RawTable, derive_tables
from rarefactor.errors import DataError, Problem, suggest
from rarefactor.results import InputFile
from rarefactor.spec import DataField, Study, list_columns
from rarefactor.work import Progress, Silent, hash_file


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and what went wrong."""

    tables: list[Table] = field(default_factory=list[Table])
    typed: list[TypedTable] = field(default_factory=list[TypedTable])
    layouts: list[Layout] = field(default_factory=list[Layout])
    failures: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    notes: list[str] = field(default_factory=list[str])
    inputs: list[InputFile] = field(default_factory=list[InputFile])
    problems: list[Problem] = field(default_factory=list[Problem])
    pseudonyms: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


def ingest(study: Study, *, progress: Progress | None = None) -> Cohort:
    """Read and check the data of a study.

    Parameters
    ----------
    study
        The study; its paths start from its folder, in which the key of the hashes is made at first use.
    progress
        Is told about each table.

    Returns
    -------
    Cohort
        The tables (good values only), the failures, and notes on what was left out or read in a special way.

    Raises
    ------
    DataError
        With every located problem: files, headers, dictionaries, several rows of a patient where there is one each.
    """
    reading = _read(study, progress or Silent(), list_columns(study))
    if reading.problems:
        raise DataError(*reading.problems)
    return Cohort(
        tables={table.name: table for table in reading.tables},
        failures=join_failures(reading.failures),
        inputs=tuple(reading.inputs),
        notes=tuple(dict.fromkeys(reading.notes)),
        dropped={layout.table: layout.dropped for layout in reading.layouts},
        pseudonyms=reading.pseudonyms,
    )


def check_data(study: Study, *, progress: Progress | None = None) -> Findings:
    """Read and check the data of a study, and return what was found instead of raising it.

    A table with a problem is left out; the failures and notes are those of what could be read.
    """
    reading = _read(study, progress or Silent())
    failures = join_failures(reading.failures)
    return Findings(
        problems=tuple(reading.problems),
        failures=failures,
        counts=count_failures(failures),
        notes=tuple(dict.fromkeys(reading.notes)),
    )


def read_fields(study: Study) -> Mapping[str, Mapping[str, DataField]]:
    """Return the fields of each table from dictionary and headers; rows are read only to split repeating instruments.

    Raises
    ------
    DataError
        With every located problem of files, headers and dictionaries.
    """
    reading, raws = _Reading(), list[RawTable]()
    variables = _read_variables(study, reading)
    for layout in _layouts(study, variables, reading) if not reading.problems else ():
        frame = _no_rows(layout)
        try:
            frame = _read_rows(layout, Silent(), []) if layout.instrument else frame
            raws += derive_tables(layout, frame)
        except DataError as error:
            reading.problems += error.problems
    if reading.problems:
        raise DataError(*reading.problems)
    return {raw.name: {new: raw.variables[old].field for old, new in _names(raw, study).items()} for raw in raws}


def _no_rows(layout: Layout) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(layout.columns, pl.String))


def _read(study: Study, progress: Progress, named: Collection[str] | None = None) -> _Reading:
    """Read and check; missing-data codes are told of all variables, or of those ``named``."""
    reading = _Reading()
    variables = _read_variables(study, reading)
    for layout in _layouts(study, variables, reading) if not reading.problems else ():
        try:
            for raw in derive_tables(layout, _read_rows(layout, progress, reading.notes)):
                _check(raw, study, reading, None if named is None else _used(raw, study, named))
        except DataError as error:
            reading.problems += error.problems
    if not reading.problems:
        _finish(study, reading)
    return reading


def _used(raw: RawTable, study: Study, named: Collection[str]) -> frozenset[str]:
    """Return the variables of a table that are among the columns that a study names."""
    return frozenset(old for old, new in _names(raw, study).items() if {new, f"{raw.name}.{new}"} & set(named))


def _check(raw: RawTable, study: Study, reading: _Reading, told: Collection[str] | None) -> None:
    table = check_table(raw, study, told=told)
    reading.problems += table.problems
    if raw.name in {other.raw.name for other in reading.typed}:
        reading.problems.append(_same_name(raw))
    reading.typed.append(table)
    reading.failures.append(table.failures)
    reading.notes += table.notes


def _same_name(raw: RawTable) -> Problem:
    return Problem(
        file=raw.layout.grid.file.name,
        found=f"two tables called {raw.name}",
        expected="a name for each table; a repeating instrument is called like its form",
        next_step="Rename the table under records.",
    )


def _read_variables(study: Study, reading: _Reading) -> Mapping[str, Variable]:
    """Return the variables of the dictionary and of the study file, which has the last word."""
    variables = dict[str, Variable]()
    if study.cohort.dictionary:
        try:
            file = read_file(study.folder, study.cohort.dictionary)
            variables |= read_dictionary(file)
            reading.inputs.append(_input("dictionary", file))
        except DataError as error:
            reading.problems += error.problems
    elif not study.cohort.fields:
        reading.problems.append(_no_dictionary(study))
    for name, declared in study.cohort.fields.items():
        plain = name.removeprefix(f"{_table_of(name, study)}.")
        variables[name] = _declared(name, declared, variables.get(plain))
    return variables


def _no_dictionary(study: Study) -> Problem:
    return study.problem(
        "cohort",
        found="neither dictionary nor fields",
        expected="what each column holds: types are never guessed",
        next_step="Name the REDCap data dictionary (`dictionary:`) or describe the columns under `fields:`.",
    )


def _declared(name: str, declared: DataField, described: Variable | None) -> Variable:
    """Return a field of the study file; a label that it leaves out comes from the dictionary, and so does its form."""
    if described is None:
        return Variable(name=name, field=declared)
    label = declared.label or described.field.label
    kind = "checkbox" if described.kind == "checkbox" and declared.type == "yesno" else "study"
    updated = declared.model_copy(update={"label": label})
    return Variable(name=name, field=updated, kind=kind, form=described.form, branching=described.branching)


def _input(name: str, file: DataFile) -> InputFile:
    return InputFile(id=name, path=file.name, sha256=hash_file(file.path), bytes=file.path.stat().st_size)


def _layouts(study: Study, variables: Mapping[str, Variable], reading: _Reading) -> Iterator[Layout]:
    headers = dict[str, tuple[str, ...]]()
    for table, source in study.cohort.records.items():
        try:
            file = read_file(study.folder, source.file)
            reading.inputs.append(_input(table, file))
            described = _of_table(table, variables, study)
            wanted = (study.cohort.subject, *described)
            grid: Grid = (read_workbook if file.is_workbook else read_delimited)(file, source, wanted)
            headers[table] = grid.header
            layout = derive_layout(study, table, grid, described)
        except DataError as error:
            reading.problems += error.problems
            continue
        reading.layouts.append(layout)
        reading.notes += layout.notes
        reading.failures.append(layout.failures)
        yield layout
    if len(headers) == len(study.cohort.records):
        reading.problems += _absent_fields(study, headers)
        reading.notes += _absent_note(study, variables, {name for header in headers.values() for name in header})


def _of_table(table: str, variables: Mapping[str, Variable], study: Study) -> Mapping[str, Variable]:
    """Return the variables of one table: those of all tables, and over them those written ``table.column``."""
    own = {name.removeprefix(f"{table}."): item for name, item in variables.items() if name.startswith(f"{table}.")}
    shared = {name: item for name, item in variables.items() if _table_of(name, study) is None}
    return shared | {name: replace(item, name=name) for name, item in own.items()}


def _table_of(name: str, study: Study) -> str | None:
    table, dot, _ = name.partition(".")
    return table if dot and table in study.cohort.records else None


def _absent_fields(study: Study, headers: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    for name in study.cohort.fields:
        table = _table_of(name, study)
        known = {column for key, header in headers.items() if table in {None, key} for column in header} - {""}
        if name.removeprefix(f"{table}.") not in known:
            yield study.problem(
                "cohort",
                "fields",
                name,
                found="a field that no table has as a column",
                expected="the name of a column",
                next_step=suggest(name.removeprefix(f"{table}."), sorted(known)),
            )


def _absent_note(study: Study, variables: Mapping[str, Variable], headers: set[str]) -> Iterator[str]:
    absent = [
        name for name, item in variables.items() if name not in headers and item.kind not in {"study", "descriptive"}
    ]
    if absent and study.cohort.dictionary:
        yield f"{study.cohort.dictionary}: described, but in no table: {shorten(absent)}."


def _read_rows(layout: Layout, progress: Progress, notes: list[str]) -> pl.DataFrame:
    step = f"read {layout.table}"
    progress.start(step)
    marked = [name for name in layout.marked if name not in layout.columns]
    frame, empty = read_frame(layout.grid, layout.columns, marked, lambda rows: progress.advance(step, rows))
    if empty:
        notes.append(f"{layout.grid.file.name}: empty rows left out: {shorten(map(str, empty))}.")
    if frame.is_empty():
        raise DataError(
            Problem(
                file=layout.grid.file.name,
                row=layout.grid.header_row,
                found="a header and no rows below it",
                expected="at least one row",
                next_step="Export the data again.",
            )
        )
    progress.finish(step, f"{frame.height} rows")
    return frame


def _finish(study: Study, reading: _Reading) -> None:
    """Give patients their hashes and dates their days, now that all tables are known."""
    try:
        key = read_key(study.folder)
    except DataError as error:
        reading.problems += error.problems
        return
    baselines = derive_baselines(reading.typed, study)
    every = pl.concat([table.keys["id"] for table in reading.typed])
    hashes = reading.pseudonyms = compute_hashes(every, key)
    reading.notes += _subject_notes(reading.typed, study, baselines, every)
    for table in reading.typed:
        keys, early = derive_days(table, baselines, study)
        reading.failures.append(early)
        reading.tables.append(_final_table(table, keys, study, reading, hashes, key))


def _subject_notes(tables: list[TypedTable], study: Study, baselines: pl.DataFrame, ids: pl.Series) -> Iterator[str]:
    if has_baseline(study) and (undated := ids.n_unique() - baselines.height):
        yield f"Patients without a date of baseline, whose dates are unknown: {undated}."
    single = [table for table in tables if not table.raw.repeats and not table.keys["id"].is_duplicated().any()]
    for table in tables:
        known = single[0].keys["id"] if single and single[0] is not table else table.keys["id"]
        strangers = table.keys["id"].unique().filter(~table.keys["id"].unique().is_in(known.implode()))
        if len(strangers):
            bare = strangers.str.strip_chars_start("0").is_in(known.str.strip_chars_start("0").implode())
            hint = " (leading zeros differ: write the ids alike)" if bare.any() else ""
            yield f"{table.raw.name}: patients without a row in {single[0].raw.name}: {len(strangers)}{hint}."


def _final_table(
    table: TypedTable, keys: pl.DataFrame, study: Study, reading: _Reading, hashes: Mapping[str, str], key: bytes
) -> Table:
    raw, names = table.raw, _names(table.raw, study)
    fields = {names[old]: raw.variables[old].field for old in names}
    columns = {
        _renamed(old, names): _final_values(values, raw, old, keys, key)
        for old, values in table.columns.items()
        if old.removesuffix(CENSORED) in names
    }
    own = keys.with_columns(subject=derive_hashed(keys["id"], hashes)).select(KEYS)
    frame = own.with_columns(values.alias(name) for name, values in columns.items() if name not in KEYS)
    frame, topped = derive_topped_ages(frame, fields)
    reading.notes += _final_notes(raw, names, topped)
    return Table(name=raw.name, frame=frame, fields=fields)


def _names(raw: RawTable, study: Study) -> Mapping[str, str]:
    """Return the name in the cohort of each variable; a name that a key column has is kept apart by ``_field``.

    The column that is a key itself (``day: day``) keeps its name. Dates without any baseline have no name.
    """
    layout = raw.layout
    own = {layout.event: "event", layout.day: "day", layout.subject: "subject"}
    dated = has_baseline(study)
    return {
        name: name if name not in RESERVED or own.get(name) == name else f"{name}_field"
        for name, variable in raw.variables.items()
        if dated or variable.field.type not in {"date", "datetime"}
    }


def _renamed(column: str, names: Mapping[str, str]) -> str:
    name = column.removesuffix(CENSORED)
    return names[name] + column[len(name) :]


def _final_values(values: pl.Series, raw: RawTable, name: str, keys: pl.DataFrame, key: bytes) -> pl.Series:
    kind = raw.variables[name].field.type if name in raw.variables else None
    if kind in {"date", "datetime"}:
        return values - keys["baseline"]
    return derive_hashed(values, compute_hashes(values, key)) if kind == "id" else values


def _final_notes(raw: RawTable, names: Mapping[str, str], topped: int) -> Iterator[str]:
    file = raw.layout.grid.file.name + (f" ({raw.name})" if raw.repeats else "")
    renamed = [f"{old} is called {new}" for old, new in names.items() if old != new]
    if renamed:
        yield f"{file}: columns with a word of the cohort for a name: {shorten(renamed)}."
    lost = [name for name, item in raw.variables.items() if item.field.type.startswith("date") and name not in names]
    if lost:
        yield f"{file}: dates were dropped, for want of a baseline date (visit_date): {shorten(lost)}."
    if topped:
        yield f"{file}: ages over 89 years were set to 90: {topped}."
