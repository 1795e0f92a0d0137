"""The REDCap data dictionary: what each variable is, from its 18 columns.

Convention: the header is the one that REDCap writes, in its words (``Variable / Field Name``) or as the interface
for programs names it (``field_name``). A damaged dictionary is refused where it is damaged and never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from rarefactor.cohort._file import DataFile
from rarefactor.cohort._grid import column_letters, read_delimited
from rarefactor.cohort._model import Variable
from rarefactor.errors import DataError, Problem, suggest
from rarefactor.spec import DataField, FieldType, Source

DICTIONARY_HEADER = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
_INTERFACE_HEADER = (
    "field_name",
    "form_name",
    "section_header",
    "field_type",
    "field_label",
    "select_choices_or_calculations",
    "field_note",
    "text_validation_type_or_show_slider_number",
    "text_validation_min",
    "text_validation_max",
    "identifier",
    "branching_logic",
    "required_field",
    "custom_alignment",
    "question_number",
    "matrix_group_name",
    "matrix_ranking",
    "field_annotation",
)
_NAME, _FORM, _KIND, _LABEL, _CHOICES, _VALIDATION, _MIN, _MAX, _IDENTIFIER, _BRANCHING = 0, 1, 3, 4, 5, 7, 8, 9, 10, 11
_KINDS: Mapping[str, FieldType] = {
    "text": "text",
    "notes": "text",
    "calc": "number",
    "dropdown": "choice",
    "radio": "choice",
    "checkbox": "yesno",
    "yesno": "yesno",
    "truefalse": "yesno",
    "slider": "number",
    "descriptive": "text",
    "sql": "text",
    "file": "text",
}
_WITH_CHOICES = frozenset({"dropdown", "radio", "checkbox"})
_VALIDATION_TYPES: tuple[tuple[str, FieldType], ...] = (
    ("datetime", "datetime"),
    ("date", "date"),
    ("integer", "integer"),
    ("number", "number"),
)
_MARKUP = re.compile(r"<[^>]*>")
_VARIABLE_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


def read_dictionary(file: DataFile) -> Mapping[str, Variable]:
    """Read a REDCap data dictionary (CSV); a checkbox becomes one variable per choice, named as it is exported.

    Returns
    -------
    Mapping
        From the name of the column in an export to its variable, in the order of the dictionary.

    Raises
    ------
    DataError
        With every problem found: the header, rows that are too long, unknown types, choices without a code.
    """
    grid = read_delimited(file, Source(file=file.name), (DICTIONARY_HEADER[0],), strict=False)
    from_interface = grid.header[0] == _INTERFACE_HEADER[0]
    expected = _INTERFACE_HEADER if from_interface else DICTIONARY_HEADER
    rows = [
        (row, [cell.strip() for cell in record])
        for row, record in enumerate(grid.rows(), start=grid.header_row + 1)
        if any(cell.strip() for cell in record)
    ]
    if from_interface:  # written by a program that has a word for "nothing"
        rows = [(row, ["" if cell == "NA" else cell for cell in record]) for row, record in rows]
    problems = [*_header_problems(file, grid.header, expected), *_row_problems(file, rows)]
    if problems:
        raise DataError(*problems)
    return {variable.name: variable for _, record in rows for variable in _variables(record)}


def _header_problems(file: DataFile, header: Sequence[str], expected: Sequence[str]) -> Iterator[Problem]:
    for index, (found, name) in enumerate(zip_longest(header, expected)):
        if found != name and (name is not None or found):
            yield Problem(
                file=file.name,
                row=1,
                column=column_letters(index),
                found=f"the header {found!r}" if found else "no header",
                expected=repr(name) if name else "no more columns",
                next_step="Download the data dictionary from REDCap again, or mend this cell.",
            )


def _row_problems(file: DataFile, rows: Sequence[tuple[int, Sequence[str]]]) -> Iterator[Problem]:
    names = Counter(record[_NAME] for _, record in rows)
    for row, record in rows:
        for found, expected, next_step, column in _faults(record, names):
            yield Problem(
                file=file.name,
                row=row,
                column=column_letters(column),
                found=found,
                expected=expected,
                next_step=next_step,
            )


def _faults(record: Sequence[str], names: Mapping[str, int]) -> Iterator[tuple[str, str, str, int]]:
    if len(record) != len(DICTIONARY_HEADER):
        next_step = "A cell with a comma in it needs quotation marks: mend this row, or download the dictionary again."
        yield f"{len(record)} cells", f"{len(DICTIONARY_HEADER)} cells", next_step, len(DICTIONARY_HEADER)
        return
    if not _VARIABLE_NAME.match(record[_NAME]):
        yield "a name that REDCap does not allow", "small letters, digits and underscores", "Rename it.", _NAME
    if names[record[_NAME]] > 1:
        yield f"the variable {record[_NAME]} twice", "each variable once", "Delete one of them.", _NAME
    if record[_KIND] not in _KINDS:
        yield f"the type {record[_KIND]!r}", "a REDCap field type", suggest(record[_KIND], list(_KINDS)), _KIND
    elif record[_KIND] in _WITH_CHOICES:
        yield from _choice_faults(record[_CHOICES])


def _choice_faults(text: str) -> Iterator[tuple[str, str, str, int]]:
    parts = text.split("|")
    if not text:
        yield "no choices", "choices such as `1, yes | 0, no`", "Add them.", _CHOICES
    elif any("," not in part for part in parts):
        yield "a choice without a code", "choices such as `1, yes | 0, no`", "Put code and comma before it.", _CHOICES
    elif len({part.partition(",")[0].strip() for part in parts}) < len(parts):
        yield "a code that two choices have", "each code once", "Correct the codes.", _CHOICES


def read_choices(text: str) -> Mapping[str, str]:
    """Return code and label of each choice.

    Examples
    --------
    >>> read_choices("1, one | 2, two, or three")
    {'1': 'one', '2': 'two, or three'}
    """
    parts = (part.partition(",") for part in text.split("|") if part.strip())
    return {code.strip(): plain(label) for code, _, label in parts}


def plain(label: str) -> str:
    """Return a label without the markup that REDCap allows in it."""
    return " ".join(_MARKUP.sub(" ", label).split())


def checkbox_column(name: str, code: str) -> str:
    """Return the column in which REDCap exports one box.

    Examples
    --------
    >>> checkbox_column("race", "-1")
    'race____1'
    """
    return f"{name}___{re.sub('[^a-z0-9_]', '_', code.lower())}"


def _variables(record: Sequence[str]) -> Iterator[Variable]:
    label, choices = plain(record[_LABEL]), record[_CHOICES]
    if record[_KIND] != "checkbox":
        kind = _type(record)
        yield _variable(record, record[_NAME], label, kind, read_choices(choices) if kind == "choice" else {})
        return
    for code, choice in read_choices(choices).items():
        yield _variable(record, checkbox_column(record[_NAME], code), f"{label}: {choice}", "yesno", {})


def _type(record: Sequence[str]) -> FieldType:
    validation = record[_VALIDATION] if record[_KIND] == "text" else ""
    for start, kind in _VALIDATION_TYPES:
        if validation.startswith(start):
            return kind
    return _KINDS[record[_KIND]]


def _variable(record: Sequence[str], name: str, label: str, kind: FieldType, choices: Mapping[str, str]) -> Variable:
    numeric = kind in {"number", "integer"} and record[_KIND] in {"text", "slider"}
    low, high = record[_MIN], record[_MAX]
    return Variable(
        name=name,
        field=DataField(
            type=kind,
            label=label,
            choices=choices,
            min=_limit(low) if numeric else None,
            max=_limit(high) if numeric else None,
            identifier=record[_IDENTIFIER].lower() in {"y", "yes", "1"},
        ),
        kind=record[_KIND],
        form=record[_FORM],
        decimal=_decimal(record),
        branching=record[_BRANCHING],
        first=_date_limit(low) if kind.startswith("date") else None,
        last=_date_limit(high) if kind.startswith("date") else None,
        validation=record[_VALIDATION] if record[_KIND] == "text" else "",
    )


def _decimal(record: Sequence[str]) -> Literal[".", ","] | None:
    return "," if record[_VALIDATION].endswith("comma_decimal") else None


def _limit(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None  # empty, or a reference to another field, which only REDCap can follow


def _date_limit(text: str) -> str | None:
    return text[:10] if re.match(r"\d{4}-\d{2}-\d{2}", text) else None
