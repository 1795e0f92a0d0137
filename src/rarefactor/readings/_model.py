"""One reading, and all of them: which versions a place has, and which one counts.

Convention: a place is what a reading is about: kind, subject, place (a visit, a stain) and item (a muscle, a slide's
region; empty for the whole image). Readers follow one another there, as on a mask, unless a reading is ``own``: then
each reader has versions of their own, as of grades. Versions count from 1 in the order of the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from rarefactor.errors import InputError, Problem

Key = tuple[str, str, str, str, str | None]
"""Kind, subject, place, item, and the reader of what is each reader's own."""

_KIND = re.compile(r"[a-z][a-z_]{0,39}")
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be written down.

    Attributes
    ----------
    kind : str
        Such as ``mask``, ``grade``, ``exclusion``; lower case and underscores.
    reader : str
        Who read; a name as people write it.
    when : datetime
        With its time zone.
    subject : str
        The patient's pseudonym, never an id of the records.
    place : str
        A visit, or a stain.
    item : str
        A part of the image, such as ``VL.right``; empty for the whole.
    content : mapping
        What JSON can hold.
    reason : str
        Why, in the reader's words.
    own : bool
        Whether each reader has versions of their own.

    Raises
    ------
    InputError
        A name is empty, too long or holds control characters, or the time has no zone.
    """

    kind: str
    reader: str
    when: datetime
    subject: str
    place: str
    item: str = ""
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reason: str = ""
    own: bool = False

    def __post_init__(self) -> None:
        """Check the names once, so that every line of the log can be read."""
        if not _KIND.fullmatch(self.kind):
            raise InputError(_unnamed("kind", "a word of lower-case letters and underscores"))
        for name in ("reader", "subject", "place"):
            if not _is_name(getattr(self, name)):
                raise InputError(_unnamed(name, f"1 to {_LONGEST} characters, in one line"))
        if self.item and not _is_name(self.item):
            raise InputError(_unnamed("item", f"at most {_LONGEST} characters, in one line"))
        if self.when.tzinfo is None:
            raise InputError(_unnamed("when", "a time with its zone"))

    @property
    def key(self) -> Key:
        """What the reading is about."""
        return self.kind, self.subject, self.place, self.item, self.reader if self.own else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Draft):
    """A line of the log.

    Attributes
    ----------
    version : int
        1 for the first reading of its place.
    file : str or None
        The name of the file that belongs to it: its SHA-256 and its ending.
    restores : int or None
        The earlier version that this one brings back.
    withdrawn : bool
        Whether the place is as if nobody had read it.
    """

    version: int
    file: str | None = None
    restores: int | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """A whole log in its order; ``damaged`` names the lines that could not be read.

    Examples
    --------
    >>> from datetime import UTC
    >>> first, second = (
    ...     Reading(kind="mask", reader=who, when=datetime(2026, 1, day, tzinfo=UTC), subject="a1", place="month_3",
    ...             version=day)
    ...     for day, who in ((1, "Ada"), (2, "Bea"))
    ... )
    >>> log = Readings(entries=(first, second))
    >>> [each.reader for each in log.current("mask")], [each.version for each in log.history(first.key)]
    (['Bea'], [1, 2])
    """

    entries: tuple[Reading, ...] = ()
    damaged: tuple[Problem, ...] = ()

    def current(self, kind: str) -> tuple[Reading, ...]:
        """The readings of a kind that count: the newest of each place, less the withdrawn ones."""
        newest = {each.key: each for each in self.entries if each.kind == kind}
        return tuple(each for each in newest.values() if not each.withdrawn)

    def history(self, key: Key) -> tuple[Reading, ...]:
        """All versions of one place, the oldest first."""
        return tuple(each for each in self.entries if each.key == key)


def number_reading(draft: Draft, file: str | None, *, version: int = 0) -> Reading:
    """Return a draft with the number and the file that it gets."""
    held: dict[str, Any] = {each.name: getattr(draft, each.name) for each in fields(Draft)}
    return Reading(**held, version=version, file=file)


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _LONGEST and text.isprintable()


def _unnamed(name: str, expected: str) -> Problem:
    return Problem(
        key=name, found="a reading that cannot be written down so", expected=expected, next_step=f"Give {name} so."
    )
