"""One change in the text of a study file; every other character stays as it is.

Convention: comments on lines of their own and beside what stays stay; a comment beside a removed entry goes with it. A
new entry comes after the last one of its mapping. Lines are ended as the file ends them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec._origin import Key, dotted
from rarefactor.spec._places import Entry, Place, read_places
from rarefactor.spec._yaml_text import Value, write_entry, write_folded, write_inline, write_plain


def put_value(text: str, key: Key, value: Value) -> str:
    """Return the text with a value at a key, which is written if it is not there."""
    found = read_places(text)
    entry: Entry | None = None
    for depth, name in enumerate(key):
        inner = found.find(name)
        if inner is None:
            return _add(text, (found, entry), key[depth:], value)
        found, entry = inner.place, inner
    return text if entry is None else _replace(text, key, entry, value)


def _add(text: str, into: tuple[Place, Entry | None], rest: Key, value: Value) -> str:
    """Return the text with a new entry at the end of a mapping or list; missing levels above it are written too."""
    place, entry = into
    for name in reversed(rest[1:]):
        value = {str(name): value}
    name = rest[0]
    if isinstance(name, int):
        return _add_item(text, place, value)
    if place.kind != "mapping":
        return _open(text, place, entry, {name: value})
    if place.inline:
        return _add_inline(text, place, f"{write_inline(name)}: {write_inline(value)}")
    indent = _column(text, place.entries[0].start) if place.entries else 0
    return _insert_lines(text, place.end, write_entry(name, value, indent))


def _open(text: str, place: Place, entry: Entry | None, value: Mapping[str, Value]) -> str:
    """Return the text with a mapping where nothing stood."""
    if entry is None or place.value or place.kind != "scalar":
        raise _misfit(entry)
    indent = _column(text, entry.start) + 2
    lines = "\n".join(write_entry(name, item, indent) for name, item in value.items())
    return _insert_lines(text, entry.stop, lines)


def _misfit(entry: Entry | None) -> StudyFileError:
    name = str(entry.name) if entry else None
    step = "Write it out as keys and values in the study file as text."
    return StudyFileError(Problem(key=name, found="one value", expected="keys and values", next_step=step))


def _add_item(text: str, place: Place, value: Value) -> str:
    if place.inline:
        return _add_inline(text, place, write_inline(value))
    indent = _column(text, place.entries[0].start)
    return _insert_lines(text, place.end, f"{' ' * indent}- {write_inline(value)}")


def _add_inline(text: str, place: Place, written: str) -> str:
    at = place.entries[-1].place.end if place.entries else place.start + 1
    return text[:at] + (", " if place.entries else "") + written + text[at:]


def _insert_lines(text: str, after: int, lines: str) -> str:
    """Return the text with lines below the line of a place."""
    end = _line_end(text, after)
    newline = "\r\n" if "\r\n" in text else "\n"
    return text[:end] + (newline + lines.replace("\n", newline) if text[:end] else lines) + text[end:]


def _replace(text: str, key: Key, entry: Entry, value: Value) -> str:
    place = entry.place
    if place.kind == "mapping" and isinstance(value, Mapping):
        return _replace_entries(text, key, place, value)
    if isinstance(value, Sequence) and _can_differ(place, value):
        return _replace_items(text, key, place, value)
    if place.kind == "scalar" and isinstance(value, str) and not place.inline:
        indent = _column(text, entry.start) + 2
        return text[: place.start] + _lines(text, write_folded(value, indent)) + text[place.end :]
    written = write_inline(value, place.style if place.kind == "scalar" else "")
    if place.inline and place.end > place.start:
        return text[: place.start] + written + text[place.end :]
    return f"{text[: entry.stop]} {written}{text[place.end :]}"


def _can_differ(place: Place, value: Value) -> bool:
    """Whether a list can be changed item by item: plain items, each once, before and after."""
    if place.kind != "sequence" or not isinstance(value, Sequence) or isinstance(value, str):
        return False
    before, after = [_said(entry) for entry in place.entries], [write_plain(item) for item in value]
    plain = all(entry.place.kind == "scalar" for entry in place.entries)
    return plain and all(items and len(set(items)) == len(items) for items in (before, after))


def _said(entry: Entry) -> str:
    return entry.place.value


def _lines(text: str, written: str) -> str:
    return written.replace("\n", "\r\n") if "\r\n" in text else written


def _replace_entries(text: str, key: Key, place: Place, value: Mapping[str, Value]) -> str:
    for name, item in value.items():
        text = put_value(text, (*key, name), item)
    return drop_values(text, [(*key, entry.name) for entry in place.entries if entry.name not in value])


def _replace_items(text: str, key: Key, place: Place, value: Sequence[Value]) -> str:
    """Return the text with other items in a list: those that stay are left as they are written."""
    wanted = {write_plain(item): item for item in value}
    if place.inline and not {"#", "\n"} & set(text[place.start : place.end]):
        written = {_said(entry): text[entry.start : entry.place.end] for entry in place.entries}
        items = [written.get(name, write_inline(item)) for name, item in wanted.items()]
        return f"{text[: place.start]}[{', '.join(items)}]{text[place.end :]}"
    known = {_said(entry) for entry in place.entries}
    for name, item in wanted.items():
        text = text if name in known else _add_item(text, find_entry(text, key).place, item)
    entries = find_entry(text, key).place.entries
    text = drop_values(text, [(*key, entry.name) for entry in entries if _said(entry) not in wanted])
    now = [_said(entry) for entry in find_entry(text, key).place.entries]
    return move_entries(text, key, [now.index(name) for name in wanted])


def find_entry(text: str, key: Key) -> Entry:
    """Return the entry of a key.

    Raises
    ------
    StudyFileError
        There is no such key.
    """
    place, entry = read_places(text), None
    for name in key:
        entry = place.find(name)
        if entry is None:
            step = "Load the page again: the study may have been changed elsewhere."
            found = Problem(key=dotted(key), found="no such key", expected="a key of the study file", next_step=step)
            raise StudyFileError(found)
        place = entry.place
    if entry is None:
        raise _misfit(None)
    return entry


def drop_values(text: str, keys: Iterable[Key]) -> str:
    """Return the text without some entries; a block that is empty without them goes with them."""
    spans = _dropped(text, read_places(text), (), frozenset(keys))
    for start, end in sorted(spans or (), reverse=True):
        text = text[:start] + text[end:]
    return text


def _dropped(text: str, place: Place, key: Key, keys: frozenset[Key]) -> list[tuple[int, int]] | None:
    """Return the spans that go, or None where nothing of the place stays."""
    inner = {entry.name: _gone(text, entry, (*key, entry.name), keys) for entry in place.entries}
    gone = [entry for entry in place.entries if inner[entry.name] is None]
    if gone and len(gone) == len(place.entries) and key:
        return None
    extent = _inline_extent if place.inline else _line_extent
    spans = [extent(text, place, entry, gone) for entry in gone]
    return spans + [span for found in inner.values() for span in found or ()]


def _gone(text: str, entry: Entry, key: Key, keys: frozenset[Key]) -> list[tuple[int, int]] | None:
    return None if key in keys else _dropped(text, entry.place, key, keys)


def _inline_extent(text: str, parent: Place, entry: Entry, gone: Sequence[Entry]) -> tuple[int, int]:
    """Return what goes with an entry of a line: the comma before it, or behind the first; never a comment."""
    at = parent.entries.index(entry)
    if any(other not in gone for other in parent.entries[:at]):
        before = parent.entries[at - 1].place.end
        return (entry.start if "#" in text[before : entry.start] else before), entry.place.end
    after = parent.entries[at + 1].start if at + 1 < len(parent.entries) else entry.place.end
    return entry.start, entry.place.end if "#" in text[entry.place.end : after] else after


def _line_extent(text: str, parent: Place, entry: Entry, gone: Sequence[Entry]) -> tuple[int, int]:
    start, end = text.rfind("\n", 0, entry.start) + 1, _line_end(text, entry.place.end)
    if text[start : entry.start].strip() and entry not in gone[1:]:  # the first key of an item, behind its dash
        return entry.start, parent.entries[1].start
    if end < len(text):
        return start, text.index("\n", end) + 1
    return max(start - (2 if text[:start].endswith("\r\n") else 1), 0), end


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[:end].endswith("\r") else end


def _column(text: str, at: int) -> int:
    return at - (text.rfind("\n", 0, at) + 1)


def replace_spans(text: str, spans: Mapping[tuple[int, int], str]) -> str:
    """Return the text with other words at some spans, which do not overlap."""
    for (start, end), words in sorted(spans.items(), reverse=True):
        text = text[:start] + words + text[end:]
    return text


def move_entries(text: str, key: Key, order: Sequence[int]) -> str:
    """Return the text with the entries of a mapping or list in another order; comment lines stay where they stand."""
    place = find_entry(text, key).place
    slots = [
        (entry.start, entry.place.end if place.inline else _line_end(text, entry.place.end)) for entry in place.entries
    ]
    contents = [text[start:end] for start, end in slots]
    return replace_spans(text, {slot: contents[number] for slot, number in zip(slots, order, strict=True)})
