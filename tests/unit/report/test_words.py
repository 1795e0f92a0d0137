"""What code asks of the words: entries that exist, and every place of an entry filled."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import rarefactor.report

REPORT = Path(rarefactor.report.__file__).parent
PLACE = re.compile(r"(?<!\{)\{(\w+)\}")


def find_asked(tree: ast.Module) -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield part, key and filled places (None where they are not spelled out) of each call with a plain key."""
    parts: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = zip(_items(node.targets[0]), _items(node.value), strict=False)
            parts |= {ast.unparse(name): part for name, value in pairs if (part := _part(value))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            held = _part(node.func.value) or parts.get(ast.unparse(node.func.value))
            filled = {word.arg for word in node.keywords if word.arg}
            open_ = any(word.arg is None for word in node.keywords)
            for key in _keys(node.args[0]) if held else ():
                yield held or "", key, None if open_ else filled


def _items(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _part(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Words" and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return None


def _keys(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_keys(node.body), *_keys(node.orelse))
    elif isinstance(node, ast.Constant):
        yield str(node.value)


@pytest.mark.parametrize("file", sorted(REPORT.glob("*.py")), ids=lambda file: file.stem)
def test_each_entry_that_is_asked_for_exists_with_its_places_filled(file: Path) -> None:
    for part, key, filled in find_asked(ast.parse(file.read_text(encoding="utf-8"))):
        entries = tomllib.loads((REPORT / "words" / "en" / f"{part}.toml").read_text(encoding="utf-8"))
        assert key in entries, f"{part}.toml has no {key}"
        needed = set(PLACE.findall(str(entries[key])))
        assert filled is None or needed <= filled, f"{key} of {part} needs {needed - filled}"
