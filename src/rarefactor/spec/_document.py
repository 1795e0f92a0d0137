"""A study file as plain values, each as it was written, and the line of every key.

Convention: every scalar stays the text that stands in the file (``001`` is ``001``, ``no`` is ``no``, ``2020-01-01`` is
no date); the models read numbers and yes or no from it where they ask for them. Only an unquoted nothing, ``~`` or
``null`` is no value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec._file import read_text
from rarefactor.spec._origin import Key, Origin
from rarefactor.spec._syntax import describe_syntax

NULLS = ("", "~", "null", "Null", "NULL")
STANDARD_TAGS = "tag:yaml.org,2002:"
MOST_VALUES = 100_000
DEEPEST = 30
_DEEPEST_TREE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a study file says, where it says it, and what is wrong with it as YAML."""

    data: Any
    origin: Origin
    problems: tuple[Problem, ...]


def read_document(path: Path, text: str | None = None) -> Document:
    """Read a study file, or a text in its place, as YAML 1.2.

    Raises
    ------
    StudyFileError
        The file cannot be read, is no text or is no YAML.
    """
    builder = _Builder(path=path)
    root = _compose(path, read_text(path) if text is None else text)
    if root is None or (root.id == "scalar" and not root.value):
        raise StudyFileError(
            Problem(
                file=str(path),
                found="an empty file",
                expected="a study file",
                next_step="Start with id:, title:, cohort:, outcome: and factors:.",
            )
        )
    data = builder.value(root, (), ())
    return Document(data=data, origin=builder.origin, problems=tuple(builder.problems))


@lru_cache(maxsize=4)
def compose(text: str) -> Any:
    """Return the tree of YAML nodes: composed, never constructed, so that nothing in the file is interpreted.

    Raises
    ------
    YAMLError
        It is no YAML.
    RecursionError
        It is nested too deeply to be composed.
    """
    import yaml  # noqa: PLC0415 - loaded late, so that importing this part is light

    try:
        fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _check_depth(yaml.parse(text, Loader=fast))
        return yaml.compose(text, Loader=fast)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)  # which says better what is wrong


def _check_depth(events: Iterable[Any]) -> None:
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > _DEEPEST_TREE:
            raise RecursionError


def _compose(path: Path, text: str) -> Any:
    from yaml import YAMLError  # noqa: PLC0415 - loaded late, so that importing this part is light

    try:
        return compose(text)
    except YAMLError as error:
        raise StudyFileError(describe_syntax(str(path), error, text)) from None
    except RecursionError:
        raise StudyFileError(_too_deep(Origin(path=path), ())) from None


def _too_deep(origin: Origin, key: Key) -> Problem:
    return origin.problem(
        key,
        found="values nested too deeply",
        expected=f"at most {DEEPEST} levels",
        next_step="Close the brackets, or remove the alias that makes a value part of itself.",
    )


@dataclass(slots=True, kw_only=True)
class _Builder:
    """Turns nodes into values and notes the line of each key on the way."""

    path: Path
    lines: dict[Key, int] = field(default_factory=lambda: {(): 1})
    problems: list[Problem] = field(default_factory=list[Problem])
    built: int = 0

    @property
    def origin(self) -> Origin:
        return Origin(path=self.path, lines=self.lines)

    def value(self, node: Any, key: Key, above: tuple[int, ...]) -> Any:
        self.built += 1
        if id(node) in above or len(above) > DEEPEST or self.built > MOST_VALUES:
            # An alias may repeat a value, but neither itself nor without end.
            raise StudyFileError(*self.problems, _too_deep(self.origin, key[:DEEPEST]))
        self._check_tag(node, key)
        if node.id == "mapping":
            return self._mapping(node, key, (*above, id(node)))
        if node.id == "sequence":
            return self._items(node, key, (*above, id(node)))
        return None if _is_null(node) else node.value

    def _items(self, node: Any, key: Key, above: tuple[int, ...]) -> list[Any]:
        self.lines |= {(*key, place): item.start_mark.line + 1 for place, item in enumerate(node.value)}
        return [self.value(item, (*key, place), above) for place, item in enumerate(node.value)]

    def _mapping(self, node: Any, key: Key, above: tuple[int, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, item in node.value:
            if name.id != "scalar" or _is_null(name):
                self._refuse_name(name, key)
            elif name.value in values:
                self._refuse_twice(name, key)
            else:
                self.lines[(*key, name.value)] = name.start_mark.line + 1
                values[name.value] = self.value(item, (*key, name.value), above)
        return values

    def _refuse(self, node: Any, key: Key, *, found: str, expected: str, next_step: str) -> None:
        there = Origin(path=self.path, lines={key: node.start_mark.line + 1})
        self.problems.append(there.problem(key, found=found, expected=expected, next_step=next_step))

    def _refuse_name(self, name: Any, key: Key) -> None:
        self._refuse(
            name,
            key,
            found="a key without a name",
            expected="a name before the colon",
            next_step='Write the name; if it is the word null or ~, put it in quotes: "null".',
        )

    def _refuse_twice(self, name: Any, key: Key) -> None:
        first = self.origin.line((*key, name.value))
        self._refuse(
            name,
            (*key, name.value),
            found=f"the key {name.value} for the second time (first in line {first})",
            expected="each key once",
            next_step="Keep one of them, or rename one.",
        )

    def _check_tag(self, node: Any, key: Key) -> None:
        tag = str(node.tag or "")
        if not tag.startswith(STANDARD_TAGS) or "python" in tag:
            self._refuse(
                node,
                key,
                found=f"the tag {tag.replace(STANDARD_TAGS, '!!')}",
                expected="a plain value",
                next_step="Remove the tag, or put the text in quotes if the exclamation mark belongs to it.",
            )


def _is_null(node: Any) -> bool:
    return node.style in (None, "") and node.value in NULLS
