"""What each column of a file is: subject, event, field, box, identifier, or nothing that the study knows.

Convention: only columns that a dictionary or the study file describes are read; identifiers and free text are only
marked as filled or not. A column that nobody describes is named, with the nearest known name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rarefactor.cohort._file import DataFile
from rarefactor.cohort._grid import Grid, check_names
from rarefactor.cohort._model import FAILURES, Variable, shorten
from rarefactor.cohort._privacy import is_identifier
from rarefactor.errors import DataError, Problem, nearest, suggest
from rarefactor.spec import DataField, Source, Study

EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
GROUP, SURVEY = "redcap_data_access_group", "redcap_survey_identifier"
_NO_DATA = {"notes": "free text", "file": "files", "descriptive": "text of the form"}
_MOST_HINTS = 20
_EXPORT_OF_LABELS = "This looks like an export of labels: export `CSV / raw data`, whose header has variable names."


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of one source by what they are.

    ``variables`` are typed, ``marked`` only looked at for being filled; ``complete`` gives the column of each form's
    status. ``dropped`` are identifiers.
    """

    table: str
    source: Source
    grid: Grid
    subject: str
    variables: Mapping[str, Variable]
    marked: Mapping[str, Variable]
    complete: Mapping[str, str]
    event: str | None
    instrument: str | None
    instance: str | None
    date: str | None
    day: str | None
    dropped: tuple[str, ...]
    notes: tuple[str, ...]
    failures: pl.DataFrame

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read as text, each once."""
        keys = (self.subject, self.event, self.instrument, self.instance, self.date, self.day)
        named = dict.fromkeys((*filter(None, keys), *self.complete.values(), *self.variables))
        return tuple(named)

    @property
    def forms(self) -> frozenset[str]:
        """The forms that the variables of the file belong to."""
        variables = (*self.variables.values(), *self.marked.values())
        return frozenset(variable.form for variable in variables if variable.form)


def derive_layout(study: Study, table: str, grid: Grid, variables: Mapping[str, Variable]) -> Layout:
    """Sort the columns of a file.

    Raises
    ------
    DataError
        The subject column is not there, a declared column is not, a name stands twice, or the dictionary is of
        another project.
    """
    source, header = study.cohort.records[table], grid.header
    keys = _key_columns(study, source, header)
    problems = [*_missing_columns(study, table, grid, variables)]
    described = {name: variables[name] for name in header if name in variables and name != study.cohort.subject}
    if variables and not described and not problems:
        problems.append(_other_dictionary(grid.file))
    dated = keys["date"]
    dropped = {name for name, item in described.items() if is_identifier(item, study.cohort.identifiers)} - {dated}
    unread = {name for name, item in described.items() if item.kind in _NO_DATA} - dropped
    marked = {name: described[name] for name in described if name in dropped | unread}
    typed = {name: item for name, item in described.items() if name not in marked}
    if GROUP in header:
        typed[GROUP] = Variable(name=GROUP, field=DataField(type="text", label="Data access group"), kind="group")
    forms = {item.form for item in variables.values() if item.form}
    problems += check_names(grid, [study.cohort.subject, *described])
    if problems:
        raise DataError(*problems)
    return Layout(
        table=table,
        source=source,
        grid=grid,
        subject=study.cohort.subject,
        variables=typed,
        marked=marked,
        complete={form: f"{form}_complete" for form in sorted(forms) if f"{form}_complete" in header},
        **keys,
        dropped=(*sorted(dropped), *({SURVEY} & set(header))),
        notes=(
            *grid.notes,
            *_notes(grid, dropped, unread, described),
            *_undescribed_note(study, grid, variables, keys),
        ),
        failures=_undescribed_failures(study, table, grid, variables, keys),
    )


def _key_columns(study: Study, source: Source, header: Sequence[str]) -> dict[str, str | None]:
    def first(*names: str | None) -> str | None:
        return next((name for name in names if name and name in header), None)

    return {
        "event": first(source.event, EVENT),
        "instrument": first(INSTRUMENT),
        "instance": first(INSTANCE),
        "date": first(source.date, study.cohort.visit_date),
        "day": first(source.day, study.cohort.visit_day),
    }


def _missing_columns(study: Study, table: str, grid: Grid, variables: Mapping[str, Variable]) -> Iterator[Problem]:
    source, header = study.cohort.records[table], [name for name in grid.header if name]
    for name in filter(None, (study.cohort.subject, source.event, source.date, source.day)):
        if name not in header:
            labels = {variables[name].field.label} if name in variables else set[str]()
            yield Problem(
                file=grid.file.name,
                row=grid.header_row,
                column=name,
                found="no column of this name",
                expected="the column that the study file names",
                next_step=_EXPORT_OF_LABELS if labels & set(header) - {""} else suggest(name, header),
            )


def _other_dictionary(file: DataFile) -> Problem:
    return Problem(
        file=file.name,
        found="no column that the dictionary describes",
        expected="the columns of the dictionary",
        next_step="Check that dictionary (or fields) and records are of the same project.",
    )


def _notes(grid: Grid, dropped: set[str], unread: set[str], described: Mapping[str, Variable]) -> Iterator[str]:
    name = grid.file.name
    survey_times = [column for column in grid.header if _is_survey_time(column, described)]
    if dropped or SURVEY in grid.header:
        names = [*sorted(dropped), *([SURVEY] if SURVEY in grid.header else [])]
        yield f"{name}: identifiers were dropped at the door: {shorten(names)}."
    if unread:
        yield f"{name}: free text and files are not read: {shorten(sorted(unread))}."
    if survey_times:
        yield f"{name}: times of surveys are not read: {shorten(survey_times)}."


def _is_survey_time(column: str, described: Mapping[str, Variable]) -> bool:
    forms = {variable.form for variable in described.values()}
    return column.endswith("_timestamp") and column.removesuffix("_timestamp") in forms


def _undescribed(
    study: Study, grid: Grid, variables: Mapping[str, Variable], keys: Mapping[str, str | None]
) -> list[str]:
    forms = {variable.form for variable in variables.values()}
    system = {EVENT, INSTRUMENT, INSTANCE, GROUP, SURVEY, study.cohort.subject, *keys.values(), ""}
    parts = re.compile(r"_(complete|timestamp)$")
    return [
        name
        for name in dict.fromkeys(grid.header)
        if name not in variables and name not in system and not (parts.search(name) and parts.sub("", name) in forms)
    ]


def _undescribed_note(
    study: Study, grid: Grid, variables: Mapping[str, Variable], keys: Mapping[str, str | None]
) -> Iterator[str]:
    names = _undescribed(study, grid, variables, keys)
    free = [name for name in variables if name not in grid.header]
    near = {name: nearest(name, free) for name in names[:_MOST_HINTS]}
    hints = [f"{name} (perhaps {near[name]})" if near.get(name) else name for name in names]
    if names:
        yield f"{grid.file.name}: columns that nothing describes are not read: {shorten(hints)}."


def _undescribed_failures(
    study: Study, table: str, grid: Grid, variables: Mapping[str, Variable], keys: Mapping[str, str | None]
) -> pl.DataFrame:
    """Return a failure per column outside a REDCap dictionary; fields of a study file leave columns out by choice."""
    names = _undescribed(study, grid, variables, keys) if study.cohort.dictionary else []
    rows = [(table, grid.file.name, grid.header_row, name, "unknown_column", None) for name in names]
    known = pl.col("column").is_in([*variables, study.cohort.subject])
    failures = grid.failures.filter(known).with_columns(table=pl.lit(table, pl.String))
    return pl.concat([failures, pl.DataFrame(rows, schema=FAILURES, orient="row")])
