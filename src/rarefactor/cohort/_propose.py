"""What a file of records could mean, proposed for a person to correct: a first draft of its description.

Convention: a proposal is written into a study file that somebody reads, and decides nothing by itself. With a
dictionary nothing is proposed of the types. A column that could name a patient is proposed as an identifier, and none
of its values leave the file; codes of few are taken over as choices, never free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rarefactor.cohort._dictionary import read_dictionary
from rarefactor.cohort._excel import read_workbook
from rarefactor.cohort._file import read_file
from rarefactor.cohort._grid import read_delimited
from rarefactor.cohort._layout import EVENT, GROUP, INSTANCE, INSTRUMENT, SURVEY
from rarefactor.cohort._model import Variable
from rarefactor.cohort._privacy import is_identifier
from rarefactor.errors import DataError, Problem
from rarefactor.spec import DataField, FieldType, Source

_ROWS = 5_000
_MOST_CHOICES = 8
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "-"})
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?$")
_NUMBER = re.compile(r"^[<>]?=?\s*[+-]?(\d+\.?\d*|\.\d+)$")
_YESNO = (frozenset({"0", "1"}), frozenset({"yes", "no"}), frozenset({"y", "n"}), frozenset({"true", "false"}))
_EVENT = re.compile(r"^(redcap_event_name|event|visit|visit_name|timepoint|time_point|wave)$", re.IGNORECASE)
_SYSTEM = frozenset({EVENT, INSTRUMENT, INSTANCE, GROUP, SURVEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a file seems to hold.

    ``fields`` are those that need a description in the study file; ``columns`` all that could be a factor or part of
    an outcome, described by the dictionary or by the proposal. ``events`` are the values of the column of visits, in
    the order in which they appear; ``repeated`` says that a patient has several rows, ``missing`` which words stand for
    nothing.
    """

    subject: str
    fields: Mapping[str, DataField]
    columns: Mapping[str, DataField]
    event: str | None = None
    events: tuple[str, ...] = ()
    date: str | None = None
    repeated: bool = False
    missing: tuple[str, ...] = ()


def propose_fields(folder: Path, records: str, dictionary: str | None = None) -> Proposal:
    """Return what a file of records seems to hold.

    Parameters
    ----------
    folder, records
        The folder, and the path of the file from it: CSV or Excel, names of columns in its first row.
    dictionary
        The path of a REDCap data dictionary from the folder; without one, types are proposed from the values.

    Raises
    ------
    DataError
        A file cannot be read, or holds no rows.
    """
    header, rows = _read(folder, records)
    described = read_dictionary(read_file(folder, dictionary)) if dictionary else {}
    values = {name: _values(rows, place) for place, name in enumerate(header) if name}
    subject = next((name for name in described if name in values), next(iter(values)))
    event = next((name for name in values if name != subject and _EVENT.match(name)), None)
    own = {name: cells for name, cells in values.items() if name not in {subject, event} | _SYSTEM}
    if described:
        columns = {name: described[name].field for name in own if name in described and _is_open(described[name])}
        fields: Mapping[str, DataField] = {}
    else:
        proposed = {name: _propose(name, cells) for name, cells in own.items()}
        fields = {subject: DataField(type="id"), **({event: DataField(type="text")} if event else {}), **proposed}
        columns = {name: field for name, field in proposed.items() if not field.identifier}
    subjects = [cell for cell in values[subject] if cell]
    return Proposal(
        subject=subject,
        fields=fields,
        columns=columns,
        event=event,
        events=tuple(dict.fromkeys(cell for cell in values[event] if cell)) if event else (),
        date=_find_date(columns, header),
        repeated=len(subjects) > len(set(subjects)),
        missing=() if described else _find_missing(rows),
    )


def _read(folder: Path, records: str) -> tuple[tuple[str, ...], list[Sequence[str]]]:
    file = read_file(folder, records)
    source = Source(file=records)
    grid = (read_workbook if file.is_workbook else read_delimited)(file, source, ())
    rows = [row for row in islice(grid.rows(), _ROWS) if any(cell.strip() for cell in row)]
    if not rows or not any(grid.header):
        raise DataError(
            Problem(
                file=records,
                found="no rows below a row of names" if any(grid.header) else "no names in the first row",
                expected="the names of the columns in the first row, and a row for each patient or visit below it",
                next_step="Export the table again, or move its header to the first row.",
            )
        )
    return grid.header, rows


def _values(rows: Sequence[Sequence[str]], place: int) -> tuple[str, ...]:
    """Return the cells of a column, words for "nothing" as empty ones."""
    cells = (row[place].strip() if place < len(row) else "" for row in rows)
    return tuple("" if cell.casefold() in _MISSING else cell for cell in cells)


def _find_missing(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    found = {cell.strip() for row in rows for cell in row if cell.strip().casefold() in _MISSING}
    return tuple(sorted(found - {""}))


def _is_open(variable: Variable) -> bool:
    return variable.field.type not in {"id", "text"} and not is_identifier(variable, ())


def _propose(name: str, cells: Sequence[str]) -> DataField:
    """Return a field for the values that a column holds."""
    filled = [cell for cell in cells if cell]
    words = list(dict.fromkeys(filled))
    field = DataField(type=_find_type(words, len(filled)))
    seen = field if field.type != "choice" else DataField(type="text")  # of few patients, names are few too
    if is_identifier(Variable(name=name, field=seen, kind="text"), ()):
        return DataField(type="text", identifier=True)
    if field.type == "choice":
        return DataField(type="choice", choices={word: word for word in sorted(words)})
    return field


def _find_type(words: Sequence[str], filled: int) -> FieldType:
    if not words:
        return "text"
    for kind, pattern in _PATTERNS:
        if all(pattern.match(word) for word in words):
            return "yesno" if kind == "number" and frozenset(words) <= _YESNO[0] else kind
    if frozenset(word.casefold() for word in words) in _YESNO:
        return "yesno"
    few = len(words) <= _MOST_CHOICES and 2 * len(words) <= filled and max(map(len, words)) <= 30
    return "choice" if few else "text"


_PATTERNS: tuple[tuple[FieldType, re.Pattern[str]], ...] = (("date", _DAY), ("datetime", _TIME), ("number", _NUMBER))


def _find_date(columns: Mapping[str, DataField], header: Sequence[str]) -> str | None:
    """Return the column that could say when a visit was: of the dates, one that is called so, else the first."""
    dates = [name for name in header if name in columns and columns[name].type in {"date", "datetime"}]
    return next(_called_visit(dates), dates[0] if dates else None)


def _called_visit(dates: Sequence[str]) -> Iterator[str]:
    yield from (name for name in dates if "visit" in name.casefold())
