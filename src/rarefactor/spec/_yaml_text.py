"""Values as they are written in a study file.

Convention: a text stands without quotes where it is read back as it is; a list, and a mapping of plain values that
fits, stand on one line; what is too long is folded.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]
WIDTH = 120
_PLAIN = re.compile(r"[^\W_](?:[\w./%()+*-]| (?![#])|(?<! )°)*(?<! )")
_NULLS = frozenset({"null", "Null", "NULL"})


def write_inline(value: Value, quote: str = "") -> str:
    """Return a value on one line, a text in ``quote`` where it had one.

    Examples
    --------
    >>> write_inline({"from": "age", "cut": "<= 56", "equals": ["a", "b, c"], "per": 10.0})
    '{from: age, cut: "<= 56", equals: [a, "b, c"], per: 10}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{write_inline(name)}: {write_inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, str):
        return _text(value, quote)
    if isinstance(value, Sequence):
        return f"[{', '.join(write_inline(item) for item in value)}]"
    return _text(write_plain(value), quote)


def write_plain(value: Value) -> str:
    """Return a text, a number or yes or no as the words that are read back.

    Examples
    --------
    >>> write_plain(10.0), write_plain(True), write_plain("<= 56")
    ('10', 'true', '<= 56')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def _text(value: str, quote: str) -> str:
    value = " ".join(value.split())
    if quote == "'":
        return "'" + value.replace("'", "''") + "'"
    if quote != '"' and _PLAIN.fullmatch(value) and value not in _NULLS:
        return value
    return json.dumps(value, ensure_ascii=False) if quote or not _is_number(value) else value


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text) is not None


def write_entry(name: str, value: Value, indent: int) -> str:
    """Return a key and its value as lines of a block, without the last line's end.

    Examples
    --------
    >>> print(write_entry("models", {"clinical": {"label": "Clinical", "factors": ["male"]}}, 2))
      models:
        clinical: {label: Clinical, factors: [male]}
    """
    pad = " " * indent
    line = f"{pad}{write_inline(name)}: {write_inline(value)}"
    if isinstance(value, Mapping) and value and (len(line) > WIDTH or _nested(value)):
        inner = (write_entry(key, item, indent + 2) for key, item in value.items())
        return "\n".join([f"{pad}{write_inline(name)}:", *inner])
    if isinstance(value, str) and len(line) > WIDTH:
        return f"{pad}{write_inline(name)}: {write_folded(value, indent + 2)}"
    return line


def _nested(value: Mapping[str, Value]) -> bool:
    return any(isinstance(item, Mapping) for item in value.values())


def write_folded(value: str, indent: int) -> str:
    """Return a long text as a folded block of lines, each ``indent`` characters in."""
    pad = " " * indent
    width = max(WIDTH - indent, 40)
    lines = textwrap.wrap(" ".join(value.split()), width, break_long_words=False, break_on_hyphens=False)
    return "\n".join([">-", *(pad + line for line in lines)])
