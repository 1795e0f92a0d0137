"""What the names in an expression stand for: columns of tables, codes of choices, visits.

Convention: ``a.b`` is column ``b`` of table ``a``; where there is no such column it is a column ``a.b`` with a dot in
its name. A choice is named by its code or by its label, both as the dictionary has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rarefactor.errors import Problem, nearest, suggest
from rarefactor.spec._model import DataField
from rarefactor.spec._nodes import Column
from rarefactor.spec._tokens import ExpressionError


def _error(found: str, expected: str, next_step: str) -> ExpressionError:
    return ExpressionError(Problem(found=found, expected=expected, next_step=next_step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The tables with their described columns, and the visits: all that an expression may name.

    Examples
    --------
    >>> scope = Scope(tables={"patients": {"age": DataField(type="number")}}, visits=("baseline",))
    >>> scope.find(Column(None, "age"))[0]
    'patients'
    """

    tables: Mapping[str, Mapping[str, DataField]]
    visits: tuple[str, ...]

    def find(self, column: Column) -> tuple[str, DataField]:
        """Return the table and the description of a column.

        Raises
        ------
        ExpressionError
            No table has such a column, or several have.
        """
        fields = self.tables.get(column.table or "", {})
        if column.table is not None and column.name in fields:
            return column.table, fields[column.name]
        tables = [name for name, known in self.tables.items() if column.dotted in known]
        if len(tables) > 1:
            step = f"Write {' or '.join(str(Column(table, column.dotted, column.visit)) for table in tables)}."
            raise _error(f"{column.dotted}, a column of {' and '.join(tables)}", "the table before the name", step)
        if not tables:
            raise self._unknown(column)
        return tables[0], self.tables[tables[0]][column.dotted]

    def check_visit(self, column: Column) -> None:
        """Refuse a visit in brackets that the study does not have.

        Raises
        ------
        ExpressionError
            The visit is not known.
        """
        if column.visit is not None and column.visit not in self.visits:
            expected = "a visit of cohort.visits in the brackets"
            raise _error(f"the visit {column.visit}, which is not known", expected, suggest(column.visit, self.visits))

    def _unknown(self, column: Column) -> ExpressionError:
        if column.table is not None and column.table in self.tables:
            known = self.tables[column.table]
            match = nearest(column.name, known)
            step = f"Did you mean {Column(column.table, match)}?" if match else self._elsewhere(column)
            return _error(f"{column.name}, which table {column.table} does not have", "a column of the table", step)
        names = {name for fields in self.tables.values() for name in fields}
        match = nearest(column.dotted, names) or nearest(column.name, names)
        tables = [name for name, fields in self.tables.items() if match in fields]
        if column.table is not None and (nearest(column.table, self.tables) or match == column.name):
            found = f"the table {column.table}, which is not known"
            return _error(found, "a table of cohort.records", suggest(column.table, tuple(self.tables)))
        offered = " or ".join(str(Column(table if len(tables) > 1 else None, match)) for table in tables if match)
        step = f"Did you mean {offered}?" if offered else self._elsewhere(column)
        return _error(f"the column {column.dotted}, which is not known", "a column of the data dictionary", step)

    def _elsewhere(self, column: Column) -> str:
        tables = [name for name, fields in self.tables.items() if column.name in fields]
        if tables:
            return f"Did you mean {' or '.join(str(Column(table, column.name)) for table in tables)}?"
        return "Check the name against the header of the file, and describe the column in cohort.fields."


def find_code(field: DataField, written: str, *, numeric: bool = True) -> str:
    """Return the code of the choice that is named by its code, its label or (``numeric``) an equal number.

    Raises
    ------
    ExpressionError
        No choice or more than one is named so.

    Examples
    --------
    >>> oedema = DataField(type="choice", choices={"0": "none", "0.5": "treated", "1": "despite diuretics"})
    >>> find_code(oedema, "treated"), find_code(oedema, "0.50")
    ('0.5', '0.5')
    """
    codes = [code for code, label in field.choices.items() if written in {code, label}]
    if not codes and numeric and _number(written) is not None:
        codes = [code for code in field.choices if _number(code) == _number(written)]
    if len(codes) == 1:
        return codes[0]
    if codes:
        places = " and ".join(f"{code} ({field.choices[code]})" for code in codes)
        raise _error(f"{written}, which stands for {places}", "one choice", "Use a code or label that only one has.")
    raise _error(
        f"{written}, which is none of the choices", "a code or label of the choices", offer_choice(field, written)
    )


def offer_choice(field: DataField, written: str) -> str:
    """Return the next step for an unknown choice: the nearest label or code, or the list."""
    folded = {name.casefold(): name for name in (*field.choices, *field.choices.values())}
    match = nearest(written.casefold(), folded)
    choices = [f"{code} ({label})" for code, label in field.choices.items()]
    more = f", and {len(choices) - 12} more" if len(choices) > 12 else ""
    return f"Did you mean {folded[match]}?" if match else f"Use one of: {', '.join(choices[:12])}{more}."


def find_flag(written: str) -> bool | None:
    """Return what yes, no, true, false, 1 and 0 stand for, None for anything else.

    Examples
    --------
    >>> find_flag("yes"), find_flag("0"), find_flag("maybe")
    (True, False, None)
    """
    return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(written.casefold())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
