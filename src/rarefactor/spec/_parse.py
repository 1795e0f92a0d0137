"""The expression language of ``keep``, ``drop`` and ``when``: text in, frozen nodes out.

Convention: ``or`` binds least, then ``and``, ``not``, comparisons (which are not chained), ``+ -``, ``* /`` and the
minus sign. Nothing is ever evaluated as Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from rarefactor.spec._nodes import (
    Arithmetic,
    Column,
    Comparator,
    Comparison,
    Flag,
    IsMissing,
    Literals,
    Logic,
    Membership,
    Negative,
    Node,
    Not,
    Number,
    Operator,
    Text,
    columns_in,
)
from rarefactor.spec._tokens import FLAGS, ExpressionError, Token, read_tokens, refuse

DEEPEST = 25
MOST_OPERATORS = 100
COMPARATORS: dict[str, Comparator] = {sign: sign for sign in get_args(Comparator)}
NO_VALUE = frozenset({"null", "none", "na", "nan", "empty", "blank"})
OTHER_CASE = frozenset({"and", "or", "not", "in", "is", "missing", "true", "false", "yes", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression: the text as written and the node that it stands for."""

    text: str
    root: Node

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column that is named, once, in order."""
        return tuple(dict.fromkeys(columns_in(self.root)))

    def __str__(self) -> str:
        return str(self.root)


def parse_expression(text: str) -> Expression:
    """Parse an expression.

    Raises
    ------
    ExpressionError
        The text is no expression; the problem points at the place.

    Examples
    --------
    >>> expression = parse_expression("age >= 18 and (sex == 'male' or bili[baseline] is missing)")
    >>> [str(column) for column in expression.columns]
    ['age', 'sex', 'bili[baseline]']
    """
    parser = _Parser(text=text, tokens=read_tokens(text))
    root = parser.condition()
    parser.finish()
    return Expression(text=text, root=root)


def parse_column(text: str) -> Column:
    """Parse the name of a column as ``from`` has it: any characters, ``table.`` before, ``[visit]`` behind.

    Raises
    ------
    ExpressionError
        There is no name, or brackets and backticks do not close.

    Examples
    --------
    >>> parse_column("biopsy.BAFF-R.positive_area")
    Column(table='biopsy', name='BAFF-R.positive_area', visit=None)
    """
    loose = re.fullmatch(r"\s*(?:([^\s.`\[\]'\"]+)\.)?([^`\[\]]+?)(?:\[([^`\[\]]+)\])?\s*", text)
    if loose and loose[2].strip():
        table, name, visit = loose.groups()
        return Column(table, name.strip(), visit and visit.strip())
    parser = _Parser(text=text, tokens=read_tokens(text))
    column = parser.column()
    parser.finish()
    return column


@dataclass(slots=True, kw_only=True)
class _Parser:
    """One pass over the words of an expression, from the loosest operator to the tightest."""

    text: str
    tokens: tuple[Token, ...]
    place: int = 0
    depth: int = 0
    operators: int = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def next(self) -> Token:
        token = self.token
        self.place += 1
        return token

    def sees(self, *values: str) -> bool:
        """Whether these signs or keywords come next."""
        coming = self.tokens[self.place : self.place + len(values)]
        return [token.value for token in coming if token.kind in {"sign", "word"}] == list(values)

    def take(self, *values: str) -> bool:
        found = self.sees(*values)
        self.place += len(values) if found else 0
        return found

    def count(self) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS or self.depth > DEEPEST:
            raise self.refuse("an expression that is too long", "fewer parts", "Make several rules of it.")

    def refuse(self, found: str, expected: str, next_step: str, token: Token | None = None) -> ExpressionError:
        return refuse(self.text, (token or self.token).at, found, expected, next_step)

    def unexpected(self, expected: str, next_step: str) -> ExpressionError:
        return self.refuse(_described(self.token), expected, _foreign_word(self.token) or next_step)

    def finish(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected("and, or, a comparison or the end", _after(self.token))

    def condition(self) -> Node:
        return self.joined("or", lambda: self.joined("and", self.negation))

    def joined(self, operator: Literal["and", "or"], part: Callable[[], Node]) -> Node:
        at, parts = self.token.at, [part()]
        while self.take(operator):
            self.count()
            parts.append(part())
        return Logic(operator, _flat(operator, parts), at) if len(parts) > 1 else parts[0]

    def negation(self) -> Node:
        at = self.token.at
        if not self.take("not"):
            return self.comparison()
        self.depth += 1
        self.count()
        operand = self.negation()
        self.depth -= 1
        return Not(operand, at)

    def comparison(self) -> Node:
        left, token = self.sum(), self.token
        node = self.compared(left)
        chained = self.token.value in COMPARATORS or self.sees("in") or self.sees("not", "in") or self.sees("is")
        if node is not left and self.token.kind in {"sign", "word"} and chained:
            step = f"Join two comparisons with and, such as {_joined(node, self.token.value)}."
            raise self.refuse(f'a second "{self.token.value}"', "one comparison", step)
        return self.checked(node, token)

    def compared(self, left: Node) -> Node:
        at = self.token.at
        if self.take("is"):
            return self.is_missing(left, at)
        if self.take("in"):
            return Membership(left, self.options(), at=at)
        if self.take("not", "in"):
            return Membership(left, self.options(), negated=True, at=at)
        if self.token.kind == "sign" and self.token.value in COMPARATORS:
            self.count()
            operator = COMPARATORS[self.next().value]
            self.refuse_missing()
            return Comparison(operator, left, self.sum(), at)
        return left

    def checked(self, node: Node, token: Token) -> Node:
        """Explain a word of another language where an operator would stand, such as ``AND``."""
        if self.token.kind == "name" and _foreign_word(self.token):
            raise self.unexpected("and, or, a comparison or the end", "")
        if isinstance(node, Column) and self.sees("("):
            raise self.refuse(f"a call of {node.name}()", "a value", "There are no functions.", token)
        return node

    def refuse_missing(self) -> None:
        if self.sees("missing") or self.is_no_value():
            raise self.refuse(_described(self.token), "a value", "Write `is missing` or `is not missing`.")

    def is_no_value(self) -> bool:
        """Whether the next word is what other languages call a missing value."""
        token = self.token
        return token.kind == "name" and not token.quoted and token.value.casefold() in NO_VALUE

    def is_missing(self, left: Node, at: int) -> Node:
        negated = self.take("not")
        if not self.take("missing"):
            step = "Write `is missing` or `is not missing`; compare with ==."
            raise self.refuse(_described(self.token), "missing", step)
        return IsMissing(left, negated, at)

    def options(self) -> tuple[Literals, ...]:
        closing = {"[": "]", "(": ")"}.get(self.token.value if self.token.kind == "sign" else "")
        if closing is None:
            raise self.unexpected("a list", "Write the values in square brackets: in ['a', 'b'].")
        self.next()
        options = [self.option()]
        while self.take(",") and not self.sees(closing):
            options.append(self.option())
        if not self.take(closing):
            raise self.unexpected(f"a comma or {closing}", f"Close the list with {closing}.")
        return tuple(options)

    def option(self) -> Literals:
        at = self.token.at
        if self.take("-"):
            return Number(f"-{self.number().text}", at)
        value = self.primary() if self.token.kind in {"number", "text"} or self.token.value in FLAGS else None
        if not isinstance(value, Literals):
            step = "Put texts in quotes; compare columns with == and join with or."
            raise self.unexpected("a number or a text in quotes", step)
        return value

    def sum(self) -> Node:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Node:
        return self.chain(("*", "/"), self.signed)

    def chain(self, operators: tuple[Operator, ...], part: Callable[[], Node]) -> Node:
        node = part()
        signs: dict[str, Operator] = {sign: sign for sign in operators}
        while self.token.kind == "sign" and self.token.value in signs:
            self.count()
            token = self.next()
            node = Arithmetic(signs[token.value], node, part(), token.at)
        return node

    def signed(self) -> Node:
        at = self.token.at
        if not self.take("-"):
            return self.primary()
        self.depth += 1
        self.count()
        operand = self.signed()
        self.depth -= 1
        if isinstance(operand, Number) and not operand.text.startswith("-"):
            return Number(f"-{operand.text}", at)
        return Negative(operand, at)

    def primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            return self.number()
        if token.kind == "text":
            return Text(self.next().value, token.at)
        if token.kind == "word" and token.value in FLAGS:
            return Flag(self.next().value, token.at)
        if token.kind == "name":
            return self.column()
        if self.take("("):
            return self.grouped()
        raise self.unexpected("a column, a number or a text in quotes", _before(token))

    def number(self) -> Number:
        if self.token.kind != "number":
            raise self.unexpected("a number", "Put texts in quotes, without a minus sign.")
        token = self.next()
        if float(token.value) == float("inf"):
            raise self.refuse("a number that is too large", "a number", "Write a smaller number.", token)
        return Number(token.value, token.at)

    def grouped(self) -> Node:
        self.depth += 1
        self.count()
        node = self.condition()
        self.depth -= 1
        if not self.take(")"):
            raise self.unexpected("a closing parenthesis", "Close the parenthesis with ).")
        return node

    def column(self) -> Column:
        at, names = self.token.at, [self.name("the name of a column")]
        while self.take("."):
            names.append(self.name("a name after the dot"))
        visit = None
        if self.take("["):
            visit = self.name("the name of a visit")
            if not self.take("]"):
                raise self.unexpected("a closing bracket", "Close the visit with ].")
        table, name = (names[0], ".".join(names[1:])) if len(names) > 1 else (None, names[0])
        return Column(table, name, visit, at)

    def name(self, expected: str) -> str:
        if self.token.kind != "name":
            raise self.unexpected(
                expected, "Put a name with other characters, or a word of the language, in backticks."
            )
        if _foreign_word(self.token) and self.text[self.token.at] != "`":
            raise self.unexpected(expected, "")
        return self.next().value


def _flat(operator: str, parts: list[Node]) -> tuple[Node, ...]:
    """Return the parts with those of the same operator, put in parentheses for the reader, laid side by side."""
    flat: list[Node] = []
    for part in parts:
        flat += part.operands if isinstance(part, Logic) and part.operator == operator else (part,)
    return tuple(flat)


def _joined(node: Node, sign: str) -> str:
    return f"({node}) and ({node.right} {sign} ...)" if isinstance(node, Comparison) else f"({node}) and ..."


def _described(token: Token) -> str:
    if token.kind == "end":
        return "the end of the expression"
    return f"the text '{token.value}'" if token.kind == "text" else f'"{token.value}"'


def _before(token: Token) -> str:
    if token.value in {"==", "!=", "<", "<=", ">", ">="}:
        return "Write a column before and a value behind the comparison."
    return "Complete the expression, or put a name that is a word of the language in backticks."


def _after(token: Token) -> str:
    if token.value == ")":
        return "Remove the parenthesis, or open one before."
    if token.value == "(":
        return "There are no functions: write the comparison itself."
    return "Join two conditions with and, or put a text in quotes and a name with other characters in backticks."


def _foreign_word(token: Token) -> str | None:
    """Return the next step for a word that other languages have, as far as it cannot be a column in this place."""
    folded = token.value.casefold()
    if token.kind == "name" and not token.quoted and folded in OTHER_CASE and token.value != folded:
        return f"Write {folded} in small letters (or put it in backticks if it is a column)."
    return None
