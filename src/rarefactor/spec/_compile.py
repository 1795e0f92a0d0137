"""Expressions as polars expressions.

Convention: a value that is missing makes a comparison unknown (null), and ``and``, ``or``, ``not`` follow three-valued
logic: false and unknown is false, true or unknown is true. ``is missing`` is never unknown. A division by zero is
missing. Where a side of a comparison is calculated, both sides count as equal when they differ by less than 1e-9 of the
larger (of 1, if both are smaller), because ``1.25 * 0.8`` in binary need not be ``1``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rarefactor.spec._model import DataField
from rarefactor.spec._nodes import (
    Arithmetic,
    Column,
    Comparator,
    Comparison,
    Flag,
    IsMissing,
    Logic,
    Membership,
    Negative,
    Node,
    Not,
    Number,
    Operator,
    Text,
)
from rarefactor.spec._parse import Expression
from rarefactor.spec._scope import Scope, find_code, find_flag

if TYPE_CHECKING:
    import polars as pl

TOLERANCE = 1e-9
NUMERIC = frozenset({"number", "integer", "date", "datetime"})
COMPARE: dict[Comparator, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_expression(expression: Expression, scope: Scope, resolve: Callable[[Column], pl.Expr]) -> pl.Expr:
    """Return a polars expression that gives true, false or null for a condition, a number or null for a sum.

    ``resolve`` gives the frame's expression for a column as it is written: Float64 or Int64 for numbers, Float64 days
    since baseline for dates, String codes for choices, Boolean for yes or no, String for texts. The expression must
    have passed :func:`check_expression`.

    Examples
    --------
    >>> import polars as pl
    >>> from rarefactor.spec._parse import parse_expression
    >>> scope = Scope(tables={"patients": {"age": DataField(type="number")}}, visits=())
    >>> adult = compile_expression(parse_expression("age >= 18"), scope, lambda column: pl.col(column.name))
    >>> pl.DataFrame({"age": [17.0, 18.0, None]}).select(adult).to_series().to_list()
    [False, True, None]
    """
    return _Compiler(scope=scope, resolve=resolve).compile(expression.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiler:
    """Turns nodes into polars expressions."""

    scope: Scope
    resolve: Callable[[Column], pl.Expr]

    def compile(self, node: Node) -> pl.Expr:
        rules: dict[type, Callable[[Any], pl.Expr]] = {
            Number: self.literal,
            Flag: self.literal,
            Text: self.literal,
            Column: self.column,
            Negative: lambda node: -self.compile(node.operand),
            Arithmetic: self.arithmetic,
            Comparison: self.comparison,
            Membership: self.membership,
            IsMissing: self.is_missing,
            Not: lambda node: ~self.compile(node.operand),
            Logic: self.logic,
        }
        return rules[type(node)](node)

    def literal(self, node: Number | Flag | Text) -> pl.Expr:
        import polars as pl  # noqa: PLC0415 - loaded late, so that importing this part is light

        return pl.lit(node.text if isinstance(node, Text) else node.value)

    def is_missing(self, node: IsMissing) -> pl.Expr:
        missing = self.compile(node.operand).is_null()
        return ~missing if node.negated else missing

    def logic(self, node: Logic) -> pl.Expr:
        import polars as pl  # noqa: PLC0415 - as above

        parts = [self.compile(operand) for operand in node.operands]
        return pl.all_horizontal(parts) if node.operator == "and" else pl.any_horizontal(parts)

    def column(self, column: Column) -> pl.Expr:
        import polars as pl  # noqa: PLC0415 - as above

        values = self.resolve(column)
        # Integers become floats, so that no sum can overflow; "not a number" is not known.
        numeric = self.field(column).type in NUMERIC
        return values.cast(pl.Float64).fill_nan(None) if numeric else values

    def field(self, column: Column) -> DataField:
        return self.scope.find(column)[1]

    def arithmetic(self, node: Arithmetic) -> pl.Expr:
        import polars as pl  # noqa: PLC0415 - as above

        left, right = self.compile(node.left), self.compile(node.right)
        results: dict[Operator, pl.Expr] = {"+": left + right, "-": left - right, "*": left * right}
        return results[node.operator] if node.operator != "/" else pl.when(right != 0).then(left / right)

    def comparison(self, node: Comparison) -> pl.Expr:
        left, right = self.operand(node.left, node.right), self.operand(node.right, node.left)
        if _calculated(node.left) or _calculated(node.right):
            return _compare_nearly(node.operator, left, right)
        return _compare(node.operator, left, right)

    def membership(self, node: Membership) -> pl.Expr:
        import polars as pl  # noqa: PLC0415 - as above

        left = self.compile(node.operand)
        compare = _compare_nearly if _calculated(node.operand) else _compare
        equal = [compare("==", left, self.operand(option, node.operand)) for option in node.options]
        return ~pl.any_horizontal(equal) if node.negated else pl.any_horizontal(equal)

    def operand(self, node: Node, other: Node) -> pl.Expr:
        """Return one side of a comparison: a literal is read as the column on the other side asks."""
        import polars as pl  # noqa: PLC0415 - as above

        if not (isinstance(other, Column) and isinstance(node, Number | Text | Flag)):
            return self.compile(node)
        field = self.field(other)
        if field.type == "choice":
            return pl.lit(find_code(field, node.text, numeric=isinstance(node, Number)))
        return pl.lit(find_flag(node.text)) if field.type == "yesno" else self.compile(node)


def _calculated(node: Node) -> bool:
    return isinstance(node, Arithmetic) or (isinstance(node, Negative) and _calculated(node.operand))


def _compare(sign: Comparator, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    return COMPARE[sign](left, right)


def _compare_nearly(sign: Comparator, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    import polars as pl  # noqa: PLC0415 - as above

    near = (left - right).abs() <= TOLERANCE * pl.max_horizontal(left.abs(), right.abs(), pl.lit(1.0))
    if sign in {"==", "<=", ">="}:
        return near | _compare(sign, left, right)
    return ~near & _compare(sign, left, right)
