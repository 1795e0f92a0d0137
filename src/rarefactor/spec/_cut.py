"""Where a condition cuts a column: the number that it is compared with."""

from __future__ import annotations

from rarefactor.spec._nodes import Column, Comparison, Number
from rarefactor.spec._parse import parse_expression


def find_cut(text: str, column: str) -> float | None:
    """Return the number that a condition compares a column with, or None where it says anything else.

    Examples
    --------
    >>> find_cut("tis < 40", "tis"), find_cut("tis < 40 or died", "tis"), find_cut("tis < 40", "mmt8")
    (40.0, None, None)
    """
    root = parse_expression(text).root
    if not isinstance(root, Comparison) or not isinstance(root.right, Number):
        return None
    left = root.left
    return root.right.value if isinstance(left, Column) and left.dotted == column else None
