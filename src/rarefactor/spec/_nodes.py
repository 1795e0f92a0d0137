"""What an expression is made of.

Convention: a node is frozen and equal to another that says the same, wherever it stands; ``str`` gives text that parses
to the same node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from rarefactor.spec._tokens import FLAGS, KEYWORDS

_PLAIN = re.compile(r"[^\W\d]\w*")
Operator = Literal["+", "-", "*", "/"]
Comparator = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    text: str
    at: int = field(default=0, compare=False)

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes."""

    text: str
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return "'" + self.text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass(frozen=True, slots=True)
class Flag:
    """One of the words yes, no, true and false."""

    text: str
    at: int = field(default=0, compare=False)

    @property
    def value(self) -> bool:
        """Whether it is yes or true."""
        return self.text in {"yes", "true"}

    def __str__(self) -> str:
        return self.text


Literals = Number | Text | Flag


@dataclass(frozen=True, slots=True)
class Column:
    """The name of a column, with its table and visit where they are given.

    Examples
    --------
    >>> str(Column("visits", "bili", "baseline")), str(Column(None, "alk.phos"))
    ('visits.bili[baseline]', '`alk.phos`')
    """

    table: str | None
    name: str
    visit: str | None = None
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        if self.table is None:
            words = _quoted(self.name)
        else:
            words = f"{_quoted(self.table)}.{'.'.join(_quoted(part) for part in _parts(self.name))}"
        return words if self.visit is None else f"{words}[{_quoted(self.visit)}]"

    @property
    def dotted(self) -> str:
        """The table and the name as one name with a dot in it, as some files have them."""
        return self.name if self.table is None else f"{self.table}.{self.name}"


def _parts(name: str) -> list[str]:
    parts = name.split(".")
    return parts if all(parts) else [name]


def _quoted(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name.casefold() not in KEYWORDS | FLAGS
    return name if plain else "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True, slots=True)
class Negative:
    """The negative of a number."""

    operand: Node
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"-{_wrapped(self.operand, 7)}"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers added, subtracted, multiplied or divided."""

    operator: Operator
    left: Node
    right: Node
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        level = _level(self)
        return f"{_wrapped(self.left, level)} {self.operator} {_wrapped(self.right, level + 1)}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    operator: Comparator
    left: Node
    right: Node
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{_wrapped(self.left, 5)} {self.operator} {_wrapped(self.right, 5)}"


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a value is one of a list (or none of it)."""

    operand: Node
    options: tuple[Literals, ...]
    negated: bool = False
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        options = ", ".join(map(str, self.options))
        return f"{_wrapped(self.operand, 5)} {'not in' if self.negated else 'in'} [{options}]"


@dataclass(frozen=True, slots=True)
class IsMissing:
    """Whether a value is missing (or is not)."""

    operand: Node
    negated: bool = False
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{_wrapped(self.operand, 5)} is {'not ' if self.negated else ''}missing"


@dataclass(frozen=True, slots=True)
class Not:
    """A condition turned round."""

    operand: Node
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"not {_wrapped(self.operand, 3)}"


@dataclass(frozen=True, slots=True)
class Logic:
    """Conditions joined by and, or by or."""

    operator: Literal["and", "or"]
    operands: tuple[Node, ...]
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f" {self.operator} ".join(_wrapped(operand, _level(self) + 1) for operand in self.operands)


Node = Number | Text | Flag | Column | Negative | Arithmetic | Comparison | Membership | IsMissing | Not | Logic


def _level(node: Node) -> int:
    """Return how tightly a node binds: what binds less tightly than its place asks for is put in parentheses."""
    if isinstance(node, Logic):
        return 1 if node.operator == "or" else 2
    if isinstance(node, Arithmetic):
        return 5 if node.operator in {"+", "-"} else 6
    levels: dict[type, int] = {Not: 3, Comparison: 4, Membership: 4, IsMissing: 4, Negative: 7}
    return levels.get(type(node), 8)


def _wrapped(node: Node, level: int) -> str:
    return str(node) if _level(node) >= level else f"({node})"


def parts_of(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly under a node, in the order in which they are written."""
    if isinstance(node, Logic):
        return node.operands
    if isinstance(node, Comparison | Arithmetic):
        return (node.left, node.right)
    if isinstance(node, Not | Negative | Membership | IsMissing):
        return (node.operand,)
    return ()


def columns_in(node: Node) -> Iterator[Column]:
    """Yield every column that a node names, in the order in which they are written."""
    if isinstance(node, Column):
        yield node
    for part in parts_of(node):
        yield from columns_in(part)
