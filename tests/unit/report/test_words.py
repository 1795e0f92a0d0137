"""All words of the report stand in ``words``: none in code, none asked for in vain, none that nothing asks for."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import rarefactor.report
from rarefactor.report import _words
from rarefactor.report._document import write_document
from rarefactor.report.tree import Citation, Reference, Text

REPORT = Path(rarefactor.report.__file__).parent
WORDS = REPORT / "words" / "en"
MODULES = sorted(REPORT.glob("*.py"))
PARTS = sorted(str(file.relative_to(WORDS).with_suffix("")) for file in WORDS.rglob("*.toml"))
PLURAL = {"one", "other"}
ASKING = {"text", "runs", "items", "names"}

SPOKEN = re.compile(r"[^\W\d_]{2,} | [^\W\d_]{2,}")  # a word beside a space
HEAD = re.compile(r"[A-Z][a-z]{2,}")  # one word with a capital
MARKUP = re.compile(r"^<|=\"|^dict\[")  # pictures, pages and types
WORD_STYLES = (  # an author restyles the file by these names
    "Figure Caption",
    "Heading 1",
    "Heading 2",
    "List Bullet",
    "Normal Table",
    "Note Item",
    "Report Figure",
    "Report Table",
    "Table Code",
    "Table End",
    "Table Head",
    "Table Note",
    "Table Text",
)
NO_WORDS = {
    "_docx.py": ("SEQ ", "REF ", " \\* ARABIC", *WORD_STYLES),  # Word's own names
    "_docx_styles.py": (*WORD_STYLES, "Courier New"),
    "_docx_table.py": WORD_STYLES,
    "_styles.py": (" doi: ", " doi:", " https://doi.org/"),  # of the styles of journals, in any language
    "_plot.py": ("Source Sans 3", "Source Sans 3 SemiBold", "DejaVu Sans", "DejaVu Sans Mono"),
    "_calculator.py": ("rarefactor predict", ") / ln("),  # a command and a formula
    "_imputation.py": ("at ",),  # of a term of the results, as the next two
    "_response.py": ("moderate or better", "minimal or better"),
    "_muscles.py": (" of the ",),
    "_style.py": (r"\bP ([=<>≤]) (0\.\d+)",),
    "_crate.py": ("Process Run Crate",),  # the name of a profile
    "_citation.py": ("type: dataset",),  # a line of CITATION.cff
    "_bibliography.py": (" and ", "ER  - \r\n"),  # of BibTeX and of RIS
}
NAMES = {
    "_docx.py": {"Byline", "Caption", "Code", "Figure", "Note", "Reference", "Table", "Title"},  # styles of Word
    "_docx_styles.py": {
        "Arial",
        "Byline",
        "Caption",
        "Code",
        "Footer",
        "Header",
        "Normal",
        "Note",
        "Reference",
        "Title",
    },
    "_panels.py": {"Software"},  # a tag of the file
    "_plot.py": {"Creator", "Date", "Regular", "Software"},  # the same, and a cut of the font
    "_crate.py": {"Dataset", "File"},  # types of schema.org
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that asks for an entry: ``key`` is a pattern, ``filled`` is None where the places are not spelled out."""

    part: str
    how: str
    keys: tuple[str, ...]
    filled: frozenset[str] | None
    counted: bool


@cache
def read_tree(file: Path) -> ast.Module:
    """Return a module without its docstrings, which are for who reads the code."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_docstring(each)] or [ast.Pass()]
    return tree


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def find_literals(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield each literal text but those of errors, types and ``__all__``, and whether it is given to what is shown."""
    if isinstance(node, ast.Raise | ast.Assert) or (isinstance(node, ast.Assign) and "__all__" in ast.unparse(node)):
        return
    given = list(_shown(node)) if isinstance(node, ast.Call) else []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value, child in given
        else:
            yield from find_literals(child)


def _shown(call: ast.Call) -> Iterator[ast.expr]:
    """Yield what a call shows: of a text in a style the first argument, nothing where the style is that of code."""
    name = ast.unparse(call.func)
    if name in {"cell", "right", "head", "runs"}:
        yield from call.args
    elif name in {"Text", "Link", "Number"} and not any(ast.unparse(each) == "'code'" for each in call.args):
        yield from call.args[:1]
    elif name.endswith("sheet.text"):
        yield from call.args


def find_calls(file: Path) -> Iterator[Call]:
    """Yield each call that asks the words for an entry by a key that is spelled out, or made from a pattern."""
    tree = read_tree(file)
    parts: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = zip(_items(node.targets[0]), _items(node.value), strict=False)
            parts |= {ast.unparse(name): part for name, value in pairs if (part := _part(value))}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ASKING
            and node.args
        ):
            part = _part(node.func.value) or parts.get(ast.unparse(node.func.value))
            if part:
                filled = frozenset(word.arg for word in node.keywords if word.arg) - {"count"}
                opened = any(word.arg is None for word in node.keywords)
                counted = any(word.arg == "count" for word in node.keywords)
                yield Call(part, node.func.attr, tuple(_patterns(node.args[0])), None if opened else filled, counted)


def _items(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def _part(node: ast.expr) -> str | None:
    called = isinstance(node, ast.Call) and ast.unparse(node.func) == "Words"
    return next(_patterns(node.args[0])) if called else None


def _patterns(node: ast.expr) -> Iterator[str]:
    """Yield what a key may be, as regular expressions; nothing where it is held by a name."""
    if isinstance(node, ast.IfExp):
        yield from (*_patterns(node.body), *_patterns(node.orelse))
    elif isinstance(node, ast.BinOp):
        yield from (before + after for before in _patterns(node.left) for after in _patterns(node.right))
    elif isinstance(node, ast.Constant):
        yield re.escape(str(node.value))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)


def find_patterns(tree: ast.Module) -> Iterator[str]:
    """Yield what names that are put together may be: ``caption_`` and anything."""
    for node in ast.walk(tree):
        fixed = [str(part.value) for part in getattr(node, "values", ()) if isinstance(part, ast.Constant)]
        joined = isinstance(node, ast.JoinedStr) and fixed and all(re.fullmatch(r"[\w-]+", text) for text in fixed)
        if joined or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
            yield from _patterns(node)


@cache
def read_entries(part: str) -> Mapping[str, Any]:
    return tomllib.loads((WORDS / f"{part}.toml").read_text(encoding="utf-8"))


def find_places(entry: Any) -> set[str]:
    texts = entry.values() if isinstance(entry, dict) else [entry] if isinstance(entry, str) else entry
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


@cache
def list_calls(file: Path) -> tuple[Call, ...]:
    return tuple(find_calls(file))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_no_words_for_readers_stand_in_code(file):
    allowed, names = NO_WORDS.get(file.name, ()), NAMES.get(file.name, set())
    found = {
        text
        for text, shown in find_literals(read_tree(file))
        if text not in allowed
        and text not in names
        and not MARKUP.search(text)
        and (SPOKEN.search(text) or HEAD.fullmatch(text) or (shown and re.search(r"[^\W\d_]{2,}", text)))
    }
    assert found == set()


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_each_entry_that_is_asked_for_exists_and_has_exactly_the_places_filled(file):
    for call in list_calls(file):
        for part in (part for part in PARTS if re.fullmatch(call.part, part)):
            entries = read_entries(part)
            asked = {pattern: [key for key in entries if re.fullmatch(pattern, key)] for pattern in call.keys}
            assert all(asked.values()), f"{part}.toml has no {[key for key, found in asked.items() if not found]}"
            found = {key: entries[key] for keys in asked.values() for key in keys}
            needed = {key: find_places(entry) for key, entry in found.items()}
            if call.filled is not None and call.how != "names" and found:
                assert set().union(*needed.values()) == call.filled, (part, needed)
            for key, entry in found.items():
                assert call.how == "names" or call.counted == isinstance(entry, dict), (part, key)
                assert isinstance(entry, {"names": dict, "items": list}.get(call.how, str | dict)), (part, key)


@pytest.mark.parametrize("part", PARTS)
def test_each_entry_is_asked_for(part):
    asking = [file for file in MODULES if any(re.fullmatch(call.part, part) for call in list_calls(file))]
    texts = {text for file in asking for text, _ in find_literals(read_tree(file))}
    patterns = {pattern for file in asking for pattern in find_patterns(read_tree(file))}
    if part == "html":
        texts |= {key for file in REPORT.glob("*.j2") for key in re.findall(r'words\.text\("(\w+)"', file.read_text())}
    keys = read_entries(part)
    assert [key for key in keys if key not in texts and not any(re.fullmatch(each, key) for each in patterns)] == []


@pytest.mark.parametrize("part", PARTS)
def test_strong_words_hold_no_space_at_their_ends_and_a_percent_sign_follows_its_number(part):
    written = (WORDS / f"{part}.toml").read_text(encoding="utf-8")
    assert [strong for strong in re.findall(r"\*\*(.+?)\*\*", written) if strong != strong.strip()] == []
    assert re.findall(r"[\d}] %", written) == []


@pytest.mark.parametrize("file", sorted(REPORT.glob("*.j2")), ids=lambda file: file.name)
def test_no_words_for_readers_stand_in_the_templates_of_pages(file):
    rules = r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<style>.*?</style>"
    page = re.sub(rules, "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert (
        re.findall(r">[^<>]*?[A-Za-z]{2,}[^<>]*<|(?:alt|title|aria-label|placeholder)=\"[A-Za-z][^\"]*\"", page) == []
    )


@pytest.mark.parametrize("file", sorted((REPORT / "checklists").glob("*.json")), ids=lambda file: file.stem)
def test_checklists_have_the_words_of_their_items_and_no_others(file):
    items, words = json.loads(file.read_text(encoding="utf-8"))["items"], read_entries(f"checklists/{file.stem}")
    assert set(words["items"]) == {item["item"] for item in items} >= set(words["authors"])
    assert set(words["topics"]) == {item["topic"] for item in items}


LATIN, GREEK = "abcdefghijklmnopqrstuvwxyz", "αβξδεφγηιϊκλμνοπθρστυϋωχψζ"
ABROAD = str.maketrans(LATIN + LATIN.upper(), GREEK + GREEK.upper())
WORD = re.compile(r"[A-Za-z]{3,}")
PROPER = {"STROBE", "REMARK", "QUIPS", "TRIPOD", "SHA", "FLIC", "FLAC"}
"""Names that are the same in every language."""


def translate(entry: Any) -> Any:
    """Return an entry in another language: our own words in letters that English does not have."""
    if isinstance(entry, dict):
        return {key: translate(text) for key, text in entry.items()}
    if isinstance(entry, list):
        return [translate(text) for text in entry]
    return "".join(part if part.startswith("{") else part.translate(ABROAD) for part in re.split(r"(\{\w+\})", entry))


def find_texts(value: Any) -> Iterator[str]:
    """Yield what a reader reads of a block: no citations, code, names of files or pictures."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from find_texts(item)
    elif is_dataclass(value) and not isinstance(value, Citation | Reference):
        code = isinstance(value, Text) and value.style == "code"
        for field in fields(value):
            if not code and field.name in {
                "text",
                "title",
                "items",
                "caption",
                "alt",
                "ask",
                "runs",
                "cells",
                "header",
                "rows",
                "footnotes",
            }:
                yield from find_texts(getattr(value, field.name))


def test_a_report_in_another_language_holds_no_english_but_what_its_study_says(monkeypatch, source):
    read = _words._read.__wrapped__
    monkeypatch.setattr(_words, "_read", cache(lambda language, part: translate(read(language, part))))
    document = write_document(replace(source, only=""))
    said = set(WORD.findall(f"{source.study.model_dump_json(by_alias=True)} {source.results}".lower()))
    english = {
        word
        for text in (
            document.title,
            document.subtitle,
            *(text for block in document.blocks for text in find_texts(block)),
        )
        for word in WORD.findall(text)
        if word.lower() not in said and word not in PROPER
    }
    assert sorted(english) == []
