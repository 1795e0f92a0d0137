"""The kinds of event that a condition holds together: what ``or`` joins, and what a list of values names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rarefactor.spec._case import lower_first
from rarefactor.spec._nodes import Column, Comparison, Flag, Logic, Membership, Node, Text, columns_in
from rarefactor.spec._parse import parse_expression
from rarefactor.spec._scope import Scope, find_code


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event: what it is called, and the condition that is true of it."""

    label: str
    condition: str


def split_kinds(text: str, scope: Scope) -> tuple[EventKind, ...]:
    """Return the kinds of event in a condition, in the order in which they are written; one where it is not composite.

    A kind is called as the data dictionary calls the value or the columns that make it.

    Examples
    --------
    >>> from rarefactor.spec import DataField
    >>> state = DataField(type="choice", choices={"1": "transplanted", "2": "dead"})
    >>> scope = Scope(tables={"patients": {"state": state}}, visits=("baseline",))
    >>> [(kind.label, kind.condition) for kind in split_kinds("state in ['transplanted', 2]", scope)]
    [('transplanted', "state == 'transplanted'"), ('dead', 'state == 2')]
    """
    parts = list(_parts(parse_expression(text).root))
    labels = [_label(part, scope) for part in parts]
    return tuple(
        EventKind(label=label if labels.count(label) == 1 else str(part), condition=str(part))
        for part, label in zip(parts, labels, strict=True)
    )


def _parts(node: Node) -> Iterator[Node]:
    """Yield what a condition is made of: it is true where one of these is."""
    if isinstance(node, Logic) and node.operator == "or":
        for operand in node.operands:
            yield from _parts(operand)
    elif isinstance(node, Membership) and not node.negated:
        yield from (Comparison("==", node.operand, option) for option in dict.fromkeys(node.options))
    else:
        yield node


def _label(node: Node, scope: Scope) -> str:
    if isinstance(node, Comparison) and node.operator == "==" and isinstance(node.left, Column):
        _, field = scope.find(node.left)
        if field.choices and not isinstance(node.right, Column):
            written = node.right.text if isinstance(node.right, Text | Flag) else str(node.right)
            return field.choices[find_code(field, written, numeric=not isinstance(node.right, Text))]
    names = dict.fromkeys(_name(column, scope) for column in columns_in(node))
    return " and ".join(names) if 0 < len(names) < 3 else str(node)


def _name(column: Column, scope: Scope) -> str:
    label = scope.find(column)[1].label
    return lower_first(label) if label else column.dotted
