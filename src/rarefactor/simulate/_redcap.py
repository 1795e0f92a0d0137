"""The records as REDCap exports them (CSV / raw data), and the data dictionary of the project.

Convention: a row per patient and event with anything filled, followed by the repeated rows of that event; codes, not
labels; dates Y-M-D; a box is 0 or 1 where its form belongs to the event and empty elsewhere; ``<form>_complete`` is 2
where a form was filled, 0 where it was not, empty where it does not belong to the row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from rarefactor.cohort import DICTIONARY_HEADER
from rarefactor.simulate._cohort import SimulatedCohort
from rarefactor.simulate._draws import Bools, Floats
from rarefactor.simulate._extras import RepeatedRow
from rarefactor.simulate._truth import Form, FormField

EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
Row = dict[str, str]


def write_dictionary(cohort: SimulatedCohort) -> bytes:
    """Return the data dictionary of the project as REDCap writes it."""
    forms, subject = cohort.truth.forms, cohort.plan.study.cohort.subject
    name, form, _, kind, label, *_ = DICTIONARY_HEADER
    first: Row = {name: subject, form: next(iter(forms)), kind: "text", label: "Record ID"}
    described = (_describe(form, name, field) for form, each in forms.items() for name, field in each.fields.items())
    return _write_csv(DICTIONARY_HEADER, [first, *described])


def _describe(form: str, name: str, field: FormField) -> Row:
    choices = " | ".join(f"{code}, {label}" for code, label in (field.choices or {}).items())
    numeric = field.validation in {"number", "integer"}
    return {
        "Variable / Field Name": name,
        "Form Name": form,
        "Field Type": field.type,
        "Field Label": field.label,
        "Choices, Calculations, OR Slider Labels": choices,
        "Field Note": field.note,
        "Text Validation Type OR Show Slider Number": field.validation or "",
        "Text Validation Min": f"{field.min:g}" if numeric and field.min is not None else "",
        "Text Validation Max": f"{field.max:g}" if numeric and field.max is not None else "",
    }


def write_export(cohort: SimulatedCohort) -> bytes:
    """Return the export of all records."""
    rows = [row for _, _, row in sorted(_list_rows(cohort), key=lambda each: each[:2])]
    for blemish in cohort.truth.blemishes:
        event = cohort.plan.study.cohort.visits[blemish.at].event
        filled = [row for row in rows if row[EVENT] == event and row.get(blemish.field)]
        for row in filled[:: max(len(filled) // blemish.count, 1)][: blemish.count]:
            row[blemish.field] = blemish.text
    return _write_csv(_list_columns(cohort), rows)


def _list_columns(cohort: SimulatedCohort) -> list[str]:
    forms = cohort.truth.forms
    repeating = [INSTRUMENT, INSTANCE] if any(form.rows for form in forms.values()) else []
    fields = [name for form, each in forms.items() for name in (*_exported(each), f"{form}_complete")]
    return [cohort.plan.study.cohort.subject, EVENT, *repeating, *fields]


def _exported(form: Form) -> Iterator[str]:
    """Yield the columns of a form: one for each box of a checkbox."""
    for name, field in form.fields.items():
        if field.type == "checkbox":
            yield from (f"{name}___{code}" for code in field.choices or {})
        else:
            yield name


def _list_rows(cohort: SimulatedCohort) -> Iterator[tuple[int, int, Row]]:
    """Yield patient, place of the visit and row, the row of an event before the repeated rows of it."""
    for place in range(len(cohort.plan.visits)):
        columns, filled = _event_columns(cohort, place)
        for patient in np.flatnonzero(filled):
            cells = {name: texts[patient] for name, texts in columns.items()}
            yield int(patient), place, {**_keys(cohort, int(patient), place), **cells}
    for row in cohort.extras.rows:
        yield row.patient, cohort.plan.places(cohort.truth.forms[row.form])[0], _repeated_row(cohort, row)


def _keys(cohort: SimulatedCohort, patient: int, place: int) -> Row:
    visit = cohort.plan.study.cohort.visits[cohort.plan.visits[place]]
    return {cohort.plan.study.cohort.subject: cohort.ids[patient], EVENT: visit.event or ""}


def _event_columns(cohort: SimulatedCohort, place: int) -> tuple[dict[str, list[str]], Bools]:
    """Return the cells of every column at a visit, and of whom any form was filled."""
    columns: dict[str, list[str]] = {}
    anything = np.zeros(len(cohort.ids), dtype=np.bool_)
    for name, form in cohort.truth.forms.items():
        if form.rows or place not in cohort.plan.places(form):
            continue
        opened = cohort.follow_up.opened(name, place)
        anything |= opened
        columns[f"{name}_complete"] = ["2" if each else "0" for each in opened]
        for field, each in form.fields.items():
            columns |= _field_columns(cohort, field, each, place, opened)
    return columns, anything


def _field_columns(
    cohort: SimulatedCohort, name: str, field: FormField, place: int, opened: Bools
) -> dict[str, list[str]]:
    if field.type == "checkbox":
        boxes = {f"{name}___{code}": cohort.baseline.values[f"{name}___{code}"] for code in field.choices or {}}
        return {box: [f"{each:.0f}" for each in np.where(opened, ticked, 0)] for box, ticked in boxes.items()}
    values = _values(cohort, name, place)
    filled = cohort.follow_up.filled(name, place) & ~np.isnan(values)
    texts = [
        write_cell(field, value, start) if shown else ""
        for value, start, shown in zip(values, cohort.starts, filled, strict=True)
    ]
    return {name: _overwrite(cohort, name, texts)}


def _values(cohort: SimulatedCohort, name: str, place: int) -> Floats:
    """Return the recorded values of a field at a visit."""
    if name == cohort.plan.study.cohort.visit_date:
        return cohort.follow_up.days[:, place]
    if name in cohort.course.recorded:
        return cohort.course.recorded[name][:, place]
    if (name, place) in cohort.extras.by_visit:
        return cohort.extras.by_visit[(name, place)]
    return cohort.baseline.measured.get(name, np.full(len(cohort.ids), np.nan))


def _overwrite(cohort: SimulatedCohort, name: str, texts: list[str]) -> list[str]:
    """Return the texts with those of patients who are not eligible in their place."""
    screened = cohort.truth.screened
    if screened is None or name not in screened.values:
        return texts
    eligible = cohort.follow_up.eligible
    return [text if fits else screened.values[name] for text, fits in zip(texts, eligible, strict=True)]


def _repeated_row(cohort: SimulatedCohort, row: RepeatedRow) -> Row:
    form = cohort.truth.forms[row.form]
    start = cohort.starts[row.patient]
    cells = {name: write_cell(form.fields[name], value, start) for name, value in row.values.items()}
    marks = {INSTRUMENT: row.form, INSTANCE: str(row.instance), f"{row.form}_complete": "2"}
    return {**_keys(cohort, row.patient, cohort.plan.places(form)[0]), **marks, **cells}


def write_cell(field: FormField, value: float, start: date) -> str:
    """Return a value as REDCap exports it.

    Examples
    --------
    >>> ck = FormField(label="CK", validation="number", above=20000, below=20)
    >>> write_cell(ck, 21500.0, date(2020, 1, 1)), write_cell(ck, 812.0, date(2020, 1, 1))
    ('>20000', '812')
    >>> write_cell(FormField(label="Day", validation="date_ymd"), 31.0, date(2020, 1, 1))
    '2020-02-01'
    """
    if field.validation == "date_ymd":
        return (start + timedelta(days=round(value))).isoformat()
    if field.type in {"radio", "dropdown"}:
        return [*(field.choices or {})][int(value)]
    if field.above is not None and value > field.above:
        return f">{field.above:g}"
    if field.below is not None and value < field.below:
        return f"<{field.below:g}"
    text = f"{value:.{_decimals(field.step)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimals(step: float) -> int:
    exponent = Decimal(str(step)).normalize().as_tuple().exponent
    return max(-int(exponent), 0)


def _write_csv(header: Sequence[str], rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
