"""The words of the report: they stand in ``words/<language>``, a file for each part, and nowhere in code.

Convention: an entry is a whole sentence, head or label with named places, such as ``{n} patients``, so that a language
may order them as it needs. An entry with the keys ``one`` and ``other`` has a singular and a plural. In running text
``**…**`` is strong and ``*…*`` is emphasised. What a place holds is finished: a number as the report formats it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from rarefactor.report.tree import Inline, Runs, Text

LANGUAGE, LANGUAGE_TAG = "en", "en-GB"
_PIECES = re.compile(r"(\{\w+\}|\*\*.+?\*\*|\*.+?\*)", re.DOTALL)
Entry = str | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one part of the report, by the name of the file that holds them."""

    part: str

    def text(self, key: str, *, count: object = None, **places: object) -> str:
        """Return an entry as plain text, its places filled; ``count`` chooses between singular and plural.

        Examples
        --------
        >>> Words("words").text("patients", count=1, n=1), Words("words").text("patients", count=40, n=40)
        ('1 patient', '40 patients')
        """
        return self._template(key, count).format(**places)

    def runs(self, key: str, *, count: object = None, **places: Inline | str | Sequence[Inline | str]) -> Runs:
        """Return an entry as running text; a place takes words, a number that knows its row, or several of them.

        Examples
        --------
        >>> Words("words").runs("patients", count=2, n=Text("2", "strong"))
        (Text(text='2', style='strong'), Text(text=' patients', style='plain'))
        """
        pieces = _PIECES.split(self._template(key, count))
        return tuple(run for piece in pieces if piece for run in _fill(piece, places))

    def items(self, key: str, **places: object) -> tuple[str, ...]:
        """Return an entry that is a list, such as the heads of a table."""
        entry = _read(LANGUAGE, self.part)[key]
        if isinstance(entry, str) or not isinstance(entry, Sequence):
            raise TypeError(f"{key} of {self.part} is no list")
        return tuple(item.format(**places) for item in entry)

    def names(self, key: str) -> Mapping[str, str]:
        """Return an entry that says what each of several things is called.

        Examples
        --------
        >>> Words("words").names("categories")["major"]
        'major'
        """
        entry = _read(LANGUAGE, self.part)[key]
        if not isinstance(entry, Mapping):
            raise TypeError(f"{key} of {self.part} holds no names")
        return entry

    def __contains__(self, key: str) -> bool:
        return key in _read(LANGUAGE, self.part)

    def _template(self, key: str, count: object) -> str:
        entry = _read(LANGUAGE, self.part)[key]
        if isinstance(entry, Mapping):
            return entry["one" if count == 1 else "other"]
        if not isinstance(entry, str):
            raise TypeError(f"{key} of {self.part} is a list")
        return entry


@cache
def _read(language: str, part: str) -> Mapping[str, Entry]:
    file = resources.files("rarefactor.report").joinpath("words", language, f"{part}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _fill(piece: str, places: Mapping[str, Inline | str | Sequence[Inline | str]]) -> Runs:
    """Return the running text of a piece: what its place holds, or its words in their style."""
    if piece.startswith("{"):
        held = places[piece[1:-1]]
        several = [held] if isinstance(held, str) or not isinstance(held, Sequence) else held
        return tuple(Text(each) if isinstance(each, str) else each for each in several if each != "")
    for mark, style in (("**", "strong"), ("*", "emphasis")):
        if piece.startswith(mark) and piece.endswith(mark) and len(piece) > 2 * len(mark):
            words = piece[len(mark) : -len(mark)].format(**places)
            return (Text(words, "strong" if style == "strong" else "emphasis"),)
    return (Text(piece.replace("{{", "{").replace("}}", "}")),)


def sentences(*parts: Runs) -> Runs:
    """Return sentences one behind the other; those without words are left out.

    Examples
    --------
    >>> sentences((Text("One."),), (), (Text("Two."),))
    (Text(text='One.', style='plain'), Text(text=' ', style='plain'), Text(text='Two.', style='plain'))
    """
    return tuple(run for place, part in enumerate(filter(None, parts)) for run in ((Text(" "),) * bool(place) + part))
