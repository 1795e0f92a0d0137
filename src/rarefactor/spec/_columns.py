"""The columns that a study file names: what its results may hang on.

Convention: a column is told by its name, with its table before a dot where the study file names the table; columns of
days and dates of visits, which belong to the rows and not to a question, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.spec._fit import day_columns, expressions
from rarefactor.spec._instruments_check import instrument_columns
from rarefactor.spec._model import Study
from rarefactor.spec._nodes import Column
from rarefactor.spec._parse import parse_column, parse_expression


def list_columns(study: Study) -> frozenset[str]:
    """Return the names of the columns that outcome, factors, instruments, follow-up or eligibility are made of."""
    return frozenset(column.dotted for column in _columns(study))


def _columns(study: Study) -> Iterator[Column]:
    for _, text in expressions(study):
        yield from parse_expression(text).columns
    for _, text in (*day_columns(study), *instrument_columns(study)):
        yield parse_column(text)
    for each in (*study.factors.values(), *study.trajectories.values()):
        yield parse_column(each.column)
