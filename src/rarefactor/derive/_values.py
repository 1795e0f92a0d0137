"""Values of patients at visits: the one place where a name in the study file becomes a column of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from rarefactor.derive._visits import VisitTable, derive_visit_days
from rarefactor.spec import Column, DataField, Scope, Visit, compile_expression, parse_expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The patients of a study and what is known of each at each visit.

    ``subjects`` has one column, ``subject``; every answer has its rows in that order. ``changes`` are, by table, the
    pairs of measurements that may be compared; a table without an entry allows any pair.
    """

    subjects: pl.DataFrame
    tables: Mapping[str, VisitTable]
    scope: Scope
    changes: Mapping[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
    _rows: dict[tuple[str, str], pl.DataFrame] = field(
        repr=False, compare=False, default_factory=dict[tuple[str, str], pl.DataFrame]
    )
    """The rows of a table at a visit, one for each of ``subjects``: looked up once for all columns."""
    _days: dict[str, pl.DataFrame] = field(repr=False, compare=False, default_factory=dict[str, pl.DataFrame])
    """Who has a visit and on which day, see :meth:`days`."""

    def field(self, column: Column) -> DataField:
        """Return how the dictionary describes a column."""
        return self.scope.find(column)[1]

    def repeatability(self, column: Column) -> float | None:
        """Return the SD of one measurement repeated, where the column's table knows it."""
        name, _ = self.scope.find(column)
        return self.tables[name].repeatability.get(column_name(column, self.tables[name]))

    def gather(self, columns: Iterable[Column], *, at: str) -> pl.DataFrame:
        """Return the patients with one column for each name, at its own visit or else at ``at``."""
        return self.subjects.with_columns(*(self.read(column, at=at) for column in columns))

    def read(self, column: Column, *, at: str) -> pl.Series:
        """Return one column at its own visit or else at ``at``, null where it is not known."""
        name, _ = self.scope.find(column)
        table = self.tables[name]
        if table.refused is not None:
            raise table.refused
        return self._find_rows(name, column.visit or at)[column_name(column, table)].alias(str(column))

    def numbers(self, column: Column, *, at: str) -> pl.Series:
        """Return one column as numbers, null where it is not known."""
        return self.read(column, at=at).cast(pl.Float64)

    def condition(self, text: str, *, at: str) -> pl.Series:
        """Return whether a condition of the study file holds for each patient: true, false or null (not known)."""
        expression = parse_expression(text)
        frame = self.gather(expression.columns, at=at)
        compiled = compile_expression(expression, self.scope, lambda column: pl.col(str(column)))
        return frame.select(compiled.cast(pl.Boolean).alias("condition"))["condition"]

    def with_table(self, name: str, table: VisitTable) -> Values:
        """Return the values with one more table."""
        return replace(self, tables={**self.tables, name: table}, _days={})

    def subset(self, kept: pl.Series) -> Values:
        """Return the values of the patients for whom ``kept`` is true."""
        return replace(self, subjects=self.subjects.filter(kept), _rows={})

    def narrow(self, subject: str) -> Values:
        """Return the values of one patient, whose tables hold nobody else's rows."""
        own = pl.col.subject == subject
        tables = {
            name: replace(
                each, frame=each.frame.filter(own), table=replace(each.table, frame=each.table.frame.filter(own))
            )
            for name, each in self.tables.items()
        }
        return replace(self, subjects=self.subjects.filter(own), tables=tables, _rows={})

    def days(self, name: str, visit: Visit) -> pl.DataFrame:
        """Return subject and day of everyone in the tables who has a visit, see :func:`derive_visit_days`."""
        if name not in self._days:
            self._days[name] = derive_visit_days(self.tables, name, visit)
        return self._days[name]

    def comparable(self, column: Column, visits: tuple[str, str]) -> pl.Series | None:
        """Return one column at the later of two visits as far as it may be compared with the earlier; None: it may.

        It is the earlier measurement plus the change between the pair, so that both stand for all that was measured at
        the earlier visit although the pair may have less in common.
        """
        name, _ = self.scope.find(column)
        if name not in self.changes or column.name not in self.changes[name]["column"]:
            return None
        wanted = (pl.col("first") == visits[0]) & (pl.col("last") == visits[1]) & (pl.col.column == column.name)
        change = self.changes[name].filter(wanted).select("subject", "change")
        found = self.subjects.join(change, on="subject", how="left", maintain_order="left")["change"]
        return self.numbers(column, at=visits[0]) + found

    def _find_rows(self, name: str, visit: str) -> pl.DataFrame:
        table = self.tables[name]
        key = (name, visit if table.by_visit else "")
        if key not in self._rows:
            rows = table.frame.filter(pl.col.visit == visit) if table.by_visit else table.frame
            self._rows[key] = self.subjects.join(rows, on="subject", how="left", maintain_order="left")
        return self._rows[key]


def column_name(column: Column, table: VisitTable) -> str:
    """Return the column of the frame that a name stands for: ``a.b`` may be a column with a dot in its name."""
    return column.name if column.name in table.table.fields else f"{column.table}.{column.name}"
