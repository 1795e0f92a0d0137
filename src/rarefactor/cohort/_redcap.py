"""What is particular to an export of REDCap: repeating instruments, and forms that nobody opened.

Convention: the rows of a repeating instrument are a table of their own, called like the instrument; the rest of the
rows stay in the table of the study file. Boxes of a form that was never opened are unknown, not unticked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from rarefactor.cohort._grid import ROW
from rarefactor.cohort._layout import Layout
from rarefactor.cohort._model import Variable
from rarefactor.errors import DataError, Problem, suggest

_OPENED = ("1", "2", "complete", "unverified")
_TICKED = ("1", "checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """The text of one table: the frame has the columns of the layout and the row number.

    ``date`` and ``day`` name the column that dates its rows, None where these rows have none.
    """

    name: str
    layout: Layout
    frame: pl.DataFrame
    variables: Mapping[str, Variable]
    date: str | None
    day: str | None
    repeats: bool = False


def derive_tables(layout: Layout, frame: pl.DataFrame) -> Iterator[RawTable]:
    """Split the rows of repeating instruments off into tables of their own.

    Raises
    ------
    DataError
        A row names an instrument that the dictionary lacks.
    """
    instrument = layout.instrument
    if instrument is None or frame[instrument].is_null().all():
        yield _raw(layout.table, layout, frame, layout.variables)
        return
    named = {text: _form_of(text, layout, frame) for text in frame[instrument].drop_nulls().unique(maintain_order=True)}
    main = frame.filter(pl.col(instrument).is_null())
    empty = [name for name in layout.variables if _only_repeats(layout, name, main, set(named.values()))]
    kept = {name: variable for name, variable in layout.variables.items() if name not in empty}
    yield _raw(layout.table, layout, main, kept)
    for text, form in named.items():
        rows = frame.filter(pl.col(instrument) == text)
        yield replace(
            _raw(_table_name(form, layout.table), layout, rows, _variables_of(form, layout, rows)), repeats=True
        )


def _raw(name: str, layout: Layout, frame: pl.DataFrame, variables: Mapping[str, Variable]) -> RawTable:
    def dating(column: str | None) -> str | None:
        """Part of the rows may have no date at all, as the rows beside a repeating visit form."""
        return column if column and (layout.instrument is None or not frame[column].is_null().all()) else None

    return RawTable(
        name=name, layout=layout, frame=frame, variables=variables, date=dating(layout.date), day=dating(layout.day)
    )


def _form_of(text: str, layout: Layout, frame: pl.DataFrame) -> str:
    """Return the form that a row names, by its name or, in an export of labels, by its label."""
    form = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if form in layout.forms or not layout.forms:
        return form
    row = frame.filter(pl.col(layout.instrument or "") == text)[ROW][0]
    raise DataError(
        Problem(
            file=layout.grid.file.name,
            row=row,
            column=layout.instrument,
            found="an instrument that the dictionary lacks",
            expected="one of its forms",
            next_step=suggest(form, sorted(layout.forms)),
        )
    )


def _only_repeats(layout: Layout, name: str, main: pl.DataFrame, repeating: set[str]) -> bool:
    variable = layout.variables[name]
    if name == layout.event or (variable.form and variable.form not in repeating):
        return False
    values = main[name].drop_nulls()
    return values.is_empty() or (variable.kind == "checkbox" and not values.str.to_lowercase().is_in(_TICKED).any())


def _table_name(form: str, main: str) -> str:
    return f"{form}_repeats" if form == main else form


def _variables_of(form: str, layout: Layout, rows: pl.DataFrame) -> Mapping[str, Variable]:
    if layout.forms:
        return {name: variable for name, variable in layout.variables.items() if variable.form == form}
    return {name: variable for name, variable in layout.variables.items() if not rows[name].is_null().all()}


def derive_opened(raw: RawTable) -> tuple[RawTable, Mapping[str, int]]:
    """Set the boxes of forms that were never opened to null, and count the rows of each such form.

    A form was opened if its status says so (unverified or complete) or if anything but a calculated field is filled.
    """
    forms = dict.fromkeys(variable.form for variable in raw.variables.values() if variable.kind == "checkbox")
    frame, counts = raw.frame, dict[str, int]()
    for form in filter(None, forms):
        boxes = [name for name, item in raw.variables.items() if item.kind == "checkbox" and item.form == form]
        opened = frame.select(_was_opened(raw, form, boxes)).to_series()
        if not opened.all():
            counts[form] = int((~opened).sum())
            frame = frame.with_columns(pl.when(opened).then(pl.col(*boxes)).name.keep())
    return replace(raw, frame=frame), counts


def _was_opened(raw: RawTable, form: str, boxes: list[str]) -> pl.Expr:
    layout = raw.layout
    others = [
        name
        for name, item in {**layout.variables, **layout.marked}.items()
        if item.form == form and item.kind not in {"checkbox", "calc", "descriptive"} and name in raw.frame.columns
    ]
    signs = [pl.col(name).is_not_null() for name in others]
    signs += [pl.col(name).str.to_lowercase().is_in(_TICKED).fill_null(value=False) for name in boxes]
    if form in layout.complete:
        status = pl.col(layout.complete[form]).str.to_lowercase()
        signs.append(status.is_in(_OPENED).fill_null(value=False))
    return pl.any_horizontal(signs)
