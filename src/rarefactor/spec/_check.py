"""Whether an expression makes sense for the data that the dictionary describes.

Convention: what is asked of a value depends on its kind alone; dates are days since baseline, that is numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from rarefactor.errors import Problem
from rarefactor.spec._model import DataField, FieldType
from rarefactor.spec._nodes import (
    Arithmetic,
    Column,
    Comparison,
    Flag,
    IsMissing,
    Logic,
    Membership,
    Negative,
    Node,
    Not,
    Number,
    Text,
)
from rarefactor.spec._parse import Expression
from rarefactor.spec._scope import Scope, find_code, find_flag
from rarefactor.spec._tokens import ExpressionError, problem_at

Kind = Literal["number", "date", "text", "choice", "yesno", "condition", "unknown"]
KINDS: dict[FieldType, Kind] = {
    "id": "text",
    "text": "text",
    "number": "number",
    "integer": "number",
    "choice": "choice",
    "yesno": "yesno",
    "date": "date",
    "datetime": "date",
}
WORDS: dict[Kind, str] = {
    "number": "a number",
    "date": "a date",
    "text": "a text",
    "choice": "a choice",
    "yesno": "yes or no",
    "condition": "a condition",
}
NUMERIC = frozenset({"number", "date", "unknown"})
LOGICAL = frozenset({"condition", "yesno", "unknown"})
ORDERED = frozenset({"<", "<=", ">", ">="})


def check_expression(
    expression: Expression, scope: Scope, *, expects: Literal["condition", "number"] = "condition"
) -> tuple[Problem, ...]:
    """Return everything in an expression that does not fit the data dictionary.

    Examples
    --------
    >>> scope = Scope(tables={"patients": {"age": DataField(type="number")}}, visits=())
    >>> from rarefactor.spec._parse import parse_expression
    >>> print(check_expression(parse_expression("age > '18'"), scope)[0])
    found a number compared with the text '18'; expected a number. Remove the quotation marks.
        age > '18'
              ^
    """
    checker = _Checker(text=expression.text, scope=scope)
    kind = checker.kind(expression.root)
    if not expression.columns:
        checker.refuse(expression.root, "no column", "a column to look at", "Name a column of the data.")
    elif expects == "condition" and kind not in LOGICAL:
        step = "Compare it with something, such as > 0, or write `is not missing`."
        checker.refuse(expression.root, f"{WORDS[kind]} alone", "a condition", step)
    elif expects == "number" and kind not in NUMERIC:
        checker.refuse(expression.root, WORDS[kind], "a number", "Name a column of numbers.")
    return tuple(checker.problems)


@dataclass(slots=True, kw_only=True)
class _Checker:
    """Works out the kind of every node and collects what does not fit."""

    text: str
    scope: Scope
    problems: list[Problem] = field(default_factory=list[Problem])

    def refuse(self, node: Node, found: str, expected: str, next_step: str) -> Kind:
        place = _start(node) if isinstance(node, Arithmetic) else node.at
        self.problems.append(problem_at(self.text, place, found=found, expected=expected, next_step=next_step))
        return "unknown"

    def pass_on(self, node: Node, error: ExpressionError) -> Kind:
        for problem in error.problems:
            self.refuse(node, problem.found, problem.expected, problem.next_step)
        return "unknown"

    def kind(self, node: Node) -> Kind:
        rules: dict[type, Callable[[Any], Kind]] = {
            Number: lambda _: "number",
            Text: lambda _: "text",
            Flag: lambda _: "yesno",
            Column: self.column,
            Negative: lambda node: self.numbers(node.operand),
            Arithmetic: self.arithmetic,
            Comparison: self.comparison,
            Membership: self.membership,
            IsMissing: self.is_missing,
            Not: lambda node: self.conditions(node.operand),
            Logic: lambda node: self.conditions(*node.operands),
        }
        return rules[type(node)](node)

    def column(self, column: Column) -> Kind:
        try:
            self.scope.check_visit(column)
            return KINDS[self.scope.find(column)[1].type]
        except ExpressionError as error:
            if column.table is None and self.is_label(column.name):
                step = f"Put it in quotes: '{column.name}'."
                return self.refuse(column, f"{column.name} without quotes", "a column, or a label in quotes", step)
            return self.pass_on(column, error)

    def is_label(self, name: str) -> bool:
        fields = [item for described in self.scope.tables.values() for item in described.values()]
        return any(name in {*item.choices, *item.choices.values()} for item in fields)

    def numbers(self, *operands: Node) -> Kind:
        for operand in operands:
            kind = self.kind(operand)
            if kind not in NUMERIC:
                self.refuse(operand, f"a sum with {WORDS[kind]}", "numbers", "Calculate with numbers only.")
        return "number"

    def arithmetic(self, node: Arithmetic) -> Kind:
        if node.operator == "/" and isinstance(node.right, Number) and node.right.value == 0:
            self.refuse(node.right, "a division by zero", "another number", "Correct the number.")
        return self.numbers(node.left, node.right)

    def conditions(self, *operands: Node) -> Kind:
        for operand in operands:
            kind = self.kind(operand)
            if kind not in LOGICAL:
                step = "Compare each part, such as a == 1 or a == 2 (or write a in [1, 2])."
                self.refuse(operand, f"{WORDS[kind]} alone", "a condition on each side of and, or, not", step)
        return "condition"

    def is_missing(self, node: IsMissing) -> Kind:
        if isinstance(node.operand, Number | Text | Flag):
            self.refuse(node.operand, f"{node.operand} asked whether it is missing", "a column", "Name a column.")
        self.kind(node.operand)
        return "condition"

    def membership(self, node: Membership) -> Kind:
        kind = self.kind(node.operand)
        for option in node.options:
            self.match(node.operand, kind, option, self.kind(option))
        return "condition"

    def comparison(self, node: Comparison) -> Kind:
        left, right = self.kind(node.left), self.kind(node.right)
        if "condition" in {left, right}:
            step = "Join conditions with and, or, not; leave out == yes."
            self.refuse(node, "a condition compared", "two values", step)
        elif node.operator in ORDERED and self.has_no_order(left, right):
            step = "Write == or !=, or list what counts: in ['a', 'b']."
            self.refuse(node, f'"{node.operator}" between what has no order', "== or !=", step)
        elif isinstance(node.left, Number | Text | Flag):
            self.match(node.right, right, node.left, left)
        else:
            self.match(node.left, left, node.right, right)
        return "condition"

    def has_no_order(self, *kinds: Kind) -> bool:
        """Whether the values cannot be larger or smaller; a number beside a text is told as that."""
        mixed = set(kinds) in ({"number", "text"}, {"date", "text"})
        return bool({"choice", "text", "yesno"} & set(kinds)) and not mixed and "unknown" not in kinds

    def match(self, node: Node, kind: Kind, other: Node, other_kind: Kind) -> None:
        """Check that two values can be equal."""
        if "unknown" in {kind, other_kind} or {kind, other_kind} <= NUMERIC:
            return
        described = self.described(node)
        if kind == "choice" and described and isinstance(other, Number | Text | Flag):
            self.match_choice(described, other)
        elif kind == "choice" and described and other_kind == "choice":
            self.match_choices(described, other)
        elif kind == "yesno" and isinstance(other, Number | Text | Flag) and find_flag(other.text) is not None:
            return
        elif kind != other_kind or kind == "condition":
            self.refuse_pair(kind, other, other_kind)

    def match_choice(self, described: DataField, other: Number | Text | Flag) -> None:
        try:
            find_code(described, other.text, numeric=isinstance(other, Number))
        except ExpressionError as error:
            self.pass_on(other, error)

    def match_choices(self, described: DataField, other: Node) -> None:
        theirs = self.described(other)
        if theirs and theirs.choices != described.choices:
            step = "Compare each with its own labels, and join with and or or."
            self.refuse(other, "two columns with different choices", "the same choices", step)

    def described(self, node: Node) -> DataField | None:
        return self.scope.find(node)[1] if isinstance(node, Column) else None

    def refuse_pair(self, kind: Kind, other: Node, other_kind: Kind) -> None:
        found = f"{WORDS[kind]} compared with {WORDS[other_kind]}"
        if isinstance(other, Text | Number | Flag):
            found = f"{WORDS[kind]} compared with the {_noun(other)} {other}"
        self.refuse(other, found, WORDS[kind], _next_step(kind, other))


def _noun(node: Text | Number | Flag) -> str:
    return {Text: "text", Number: "number", Flag: "word"}[type(node)]


def _next_step(kind: Kind, other: Node) -> str:
    if kind == "date":
        return "Write the days since baseline: dates are counted from there."
    if kind == "yesno":
        return "Write yes or no."
    if kind == "text" and isinstance(other, Number | Flag):
        return f"Put it in quotes: '{other}'."
    if kind == "number" and isinstance(other, Text):
        return "Remove the quotation marks." if re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", other.text) else "Write a number."
    return "Compare values of one kind; the data dictionary says which each column has."


def _start(node: Node) -> int:
    return _start(node.left) if isinstance(node, Arithmetic) else node.at
