"""Changes of a study file, as text that keeps all that the user wrote: comments, order, quotes and the form of lists.

Convention: a change names a key by its path. Renaming or dropping a factor does the same wherever it is named: in
models, follow-ups, courses and evidence; a model that has no factor left is dropped with it. Nothing is checked here:
:func:`rarefactor.spec.load_text` says whether what comes out is a study.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rarefactor.spec._origin import Key
from rarefactor.spec._places import Place, read_places
from rarefactor.spec._splice import drop_values, find_entry, move_entries, put_value, replace_spans
from rarefactor.spec._yaml_text import Value, write_inline


@dataclass(frozen=True, slots=True)
class Put:
    """Give a key a value, new or other than before."""

    key: Key
    value: Value


@dataclass(frozen=True, slots=True)
class Drop:
    """Leave a key out."""

    key: Key


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a key another name."""

    key: Key
    name: str


@dataclass(frozen=True, slots=True)
class Move:
    """Put a key or an item at another place (from 0) among its siblings."""

    key: Key
    to: int


Change = Put | Drop | Rename | Move


def change_study(text: str, *changes: Change) -> str:
    r"""Return the text of a study file with some changes, one after the other.

    Raises
    ------
    StudyFileError
        The text is no YAML, a key is not there, or it is an alias of another.

    Examples
    --------
    >>> text = "factors:  # as planned\n  age: {from: age, label: Age}  # at onset\n"
    >>> print(change_study(text, Put(("factors", "age", "per"), 10), Put(("analysis", "seed"), 7)), end="")
    factors:  # as planned
      age: {from: age, label: Age, per: 10}  # at onset
    analysis: {seed: 7}
    """
    for change in changes:
        text = _change(text, change)
    return text


def _change(text: str, change: Change) -> str:
    if isinstance(change, Put):
        return _put(text, change)
    if isinstance(change, Drop):
        return _drop(text, change.key)
    if isinstance(change, Rename):
        return _rename(text, change)
    order = [entry.name for entry in find_entry(text, change.key[:-1]).place.entries]
    places = list(range(len(order)))
    places.insert(max(0, min(change.to, len(order) - 1)), places.pop(order.index(change.key[-1])))
    return move_entries(text, change.key[:-1], places)


def _put(text: str, change: Put) -> str:
    """Return the text with a value; a model that is only a list of factors is written out where it gets another key."""
    key, value = change.key, change.value
    if key[:2] == ("analysis", "models") and len(key) == 4:
        place = _walk(read_places(text), key[:3])
        if place is not None and place.kind == "sequence":
            factors = [entry.place.value for entry in place.entries]
            key, value = key[:3], value if key[3] == "factors" else {str(key[3]): value, "factors": factors}
    return put_value(text, key, value)


def _drop(text: str, key: Key) -> str:
    find_entry(text, key)
    if len(key) != 2 or key[0] != "factors":
        return drop_values(text, [key])
    root = read_places(text)
    named = [path for path, place in _named(root) if place.value == key[1]]
    return drop_values(text, [key, *(_with_its_list(root, path) for path in named)])


def _with_its_list(root: Place, path: Key) -> Key:
    """Return what goes with the name of a factor: an entry of evidence, or the model of which it is the only factor."""
    if path[-1] == "factor":
        return path[:-1]
    above = path[:-1]
    around = _walk(root, above)
    if not isinstance(path[-1], int) or around is None or len(around.entries) > 1:
        return path
    return above[:-1] if above[-1] == "factors" else above


def _rename(text: str, change: Rename) -> str:
    entry, written = find_entry(text, change.key), write_inline(change.name)
    spans = {(entry.start, entry.key_end): written}
    if len(change.key) == 2 and change.key[0] == "factors":
        named = [place for _, place in _named(read_places(text)) if place.value == change.key[1]]
        spans |= {(place.start, place.end): written for place in named}
    return replace_spans(text, spans)


def _named(root: Place) -> Iterator[tuple[Key, Place]]:
    """Yield every place that names a factor."""
    lists: list[Key] = [("analysis", "selection", "keep"), *_below(root, ("analysis", "models"), "factors")]
    for follow_up in _below(root, ("follow_up",)):
        lists += [(*follow_up, "by"), *_below(root, (*follow_up, "models"))]
    single = [*_below(root, ("trajectories",), "by"), *_below(root, ("evidence",), "factor")]
    for key in [*(item for found in lists for item in _below(root, found)), *single]:
        place = _walk(root, key)
        if place is not None and place.kind == "scalar":
            yield key, place


def _below(root: Place, key: Key, name: str | None = None) -> list[Key]:
    """Return the keys below a key, each with ``name`` under it where that is written."""
    place = _walk(root, key)
    keys = [(*key, entry.name) for entry in place.entries] if place else []
    return [(*each, name) if name and _walk(root, (*each, name)) else each for each in keys]


def _walk(place: Place | None, key: Key) -> Place | None:
    for name in key:
        entry = place.find(name) if place else None
        place = entry.place if entry else None
    return place
