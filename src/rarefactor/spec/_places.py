"""Where everything stands in the text of a study file, so that one thing can be changed and all else stays as it is.

Convention: a place is a span of characters, from its first to after its last; comments belong to no place. A value that
is written as an alias of another stands elsewhere and cannot be changed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec._document import compose
from rarefactor.spec._origin import Key, dotted

Kind = Literal["scalar", "mapping", "sequence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A value and where it stands: ``inline`` on the line of its key, ``style`` the quotes or the sign of a block."""

    kind: Kind
    start: int
    end: int
    inline: bool
    style: str = ""
    value: str = ""
    entries: tuple[Entry, ...] = ()

    def find(self, name: str | int) -> Entry | None:
        """Return the entry of a name or item number, None where it is not written."""
        return next((entry for entry in self.entries if entry.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A key or item with its value: ``start`` of key or dash, ``key_end`` after the key, ``stop`` after its colon."""

    name: str | int
    start: int
    key_end: int
    stop: int
    place: Place


def read_places(text: str) -> Place:
    r"""Return the places of a study file that can be read as YAML.

    Raises
    ------
    StudyFileError
        It is no YAML, or a key stands for another by an alias.

    Examples
    --------
    >>> root = read_places("seed: 1 # why\n")
    >>> root.entries[0].place.start, root.entries[0].place.end
    (6, 7)
    """
    root = _compose(text)
    if root is None or root.id != "mapping":
        return Place(kind="mapping", start=len(text), end=len(text), inline=False)
    return _place(root, text, ())


def _compose(text: str) -> Any:
    from yaml import YAMLError  # noqa: PLC0415 - loaded late, so that importing this part is light

    try:
        return compose(text)
    except (YAMLError, RecursionError):
        raise _refuse((), "text that is no YAML", "Mend the study file as text first.") from None


def _place(node: Any, text: str, key: Key) -> Place:
    start = node.start_mark.index
    if node.id == "scalar":
        end = start + len(text[start : node.end_mark.index].rstrip())
        style = node.style or ""
        return Place(kind="scalar", start=start, end=end, inline=style not in "|>" or not style, style=style,
                     value=node.value)  # fmt: skip
    entries = tuple(_entries(node, text, key))
    inline = bool(node.flow_style)
    end = node.end_mark.index if inline or not entries else entries[-1].place.end
    return Place(kind=node.id, start=start, end=end, inline=inline, entries=entries)


def _entries(node: Any, text: str, key: Key) -> Iterator[Entry]:
    if node.id == "sequence":
        for number, item in enumerate(node.value):
            _refuse_alias(item, node.start_mark.index, (*key, number))
            yield _item(item, number, text, key, inline=bool(node.flow_style))
        return
    for name, value in node.value:
        start, end = name.start_mark.index, name.end_mark.index
        _refuse_alias(value, end, (*key, name.value))
        place = _place(value, text, (*key, name.value))
        stop = text.index(":", end) + 1
        yield Entry(name=name.value, start=start, key_end=end, stop=stop, place=place)


def _item(node: Any, number: int, text: str, key: Key, *, inline: bool) -> Entry:
    place = _place(node, text, (*key, number))
    start = place.start if inline else text.rindex("-", 0, place.start)
    stop = start if inline else start + 1
    return Entry(name=number, start=start, key_end=stop, stop=stop, place=place)


def _refuse_alias(node: Any, before: int, key: Key) -> None:
    if node.start_mark.index < before:
        raise _refuse(key, "an alias of another value", "Change it in the study file as text.")


def _refuse(key: Key, found: str, next_step: str) -> StudyFileError:
    expected = "a value that is written where it stands"
    return StudyFileError(Problem(key=dotted(key) or None, found=found, expected=expected, next_step=next_step))
