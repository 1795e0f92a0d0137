"""Branching logic: an empty cell that the form did not ask for is "not applicable", not "missing".

Convention: the part of REDCap's logic that looks at fields of the same row is understood: comparisons of ``[field]``
and ``[checkbox(code)]`` with text or numbers, ``and``, ``or``, brackets. Anything else (other events, functions) is
left alone, and its empty cells count as missing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

import polars as pl

from rarefactor.cohort._dictionary import checkbox_column
from rarefactor.cohort._model import Variable
from rarefactor.cohort._redcap import RawTable

_TOKEN = re.compile(r"""\s*(\[[a-z0-9_]+(?:\([^)]*\))?\]|"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|<>|!=|<=|>=|[=<>()]|\w+|\S)""")
_FIELD = re.compile(r"^\[([a-z0-9_]+)(?:\(([^)]*)\))?\]$")
_COMPARE: Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _UnknownLogicError(Exception):
    """A piece of logic that is not understood."""


def compute_not_asked(raw: RawTable) -> Mapping[str, tuple[int, int]]:
    """Count, for each field with logic that is understood, the empty cells that the form did not ask for.

    Returns
    -------
    Mapping
        From the field to the number not asked for, and the number of all its empty cells, in rows with anything of the
        form filled.
    """
    counts = dict[str, tuple[int, int]]()
    for name, variable in raw.variables.items():
        shown = read_logic(variable.branching, _visible_from(raw, variable)) if variable.branching else None
        if shown is None:
            continue
        form = [other for other, item in raw.variables.items() if item.form == variable.form]
        empty = raw.frame.filter(pl.any_horizontal(pl.col(*form).is_not_null()), pl.col(name).is_null())
        not_asked = int(empty.select((~shown).sum()).item())
        if not_asked:
            counts[name] = (not_asked, empty.height)
    return counts


def _visible_from(raw: RawTable, variable: Variable) -> frozenset[str]:
    """Return the fields whose value stands in the same row: in a longitudinal project those of the same form."""
    one_row = not (raw.repeats or raw.layout.event)
    return frozenset(name for name, item in raw.variables.items() if one_row or item.form == variable.form)


def read_logic(text: str, columns: frozenset[str]) -> pl.Expr | None:
    """Return the condition as an expression over columns of text, None where it is not understood.

    Examples
    --------
    >>> frame = pl.DataFrame({"sex": ["0", "1", None]})
    >>> frame.select(read_logic("[sex] = '0'", frozenset({"sex"})))["sex"].to_list()
    [True, False, False]
    """
    tokens = _TOKEN.findall(text)
    try:
        shown = _read_any(tokens, columns)
    except (_UnknownLogicError, IndexError):
        return None
    return None if tokens else shown


def _read_any(tokens: list[str], columns: frozenset[str]) -> pl.Expr:
    shown = _read_every(tokens, columns)
    while tokens and tokens[0].lower() == "or":
        tokens.pop(0)
        shown |= _read_every(tokens, columns)
    return shown


def _read_every(tokens: list[str], columns: frozenset[str]) -> pl.Expr:
    shown = _read_one(tokens, columns)
    while tokens and tokens[0].lower() == "and":
        tokens.pop(0)
        shown &= _read_one(tokens, columns)
    return shown


def _read_one(tokens: list[str], columns: frozenset[str]) -> pl.Expr:
    if tokens[0] == "(":
        tokens.pop(0)
        shown = _read_any(tokens, columns)
        if tokens.pop(0) != ")":
            raise _UnknownLogicError
        return shown
    left, mark, right = tokens.pop(0), tokens.pop(0), tokens.pop(0)
    if mark not in _COMPARE:
        raise _UnknownLogicError
    return _comparison(_operand(left, columns), mark, _operand(right, columns))


def _comparison(left: pl.Expr, mark: str, right: pl.Expr) -> pl.Expr:
    """Compare as numbers where both are, as text otherwise; an empty field is empty text."""
    compare = _COMPARE[mark]
    numbers = compare(left.cast(pl.Float64, strict=False), right.cast(pl.Float64, strict=False))
    return pl.coalesce(numbers, compare(left, right))


def _operand(token: str, columns: frozenset[str]) -> pl.Expr:
    field = _FIELD.match(token)
    if field:
        name = checkbox_column(field[1], field[2]) if field[2] else field[1]
        if name not in columns:
            raise _UnknownLogicError
        return pl.col(name).fill_null("")
    if token[0] in "\"'" or re.match(r"-?\d", token):
        return pl.lit(token.strip("\"'"))
    raise _UnknownLogicError
