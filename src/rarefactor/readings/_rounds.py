"""Rounds of blind reading: who has looked at which images, and who has ended a round.

Convention: a task is what is graded, such as the scans or the slides of a stain; a round is one reader's way through
its images, numbered from 1. An image's key is its subject, place and item. A round that was ended takes no more grades:
agreement is shown when all rounds that were begun are ended, so that nobody changes a grade who has seen another's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from rarefactor.readings._model import Draft, Readings

LOOK, ROUND = "look", "round"
_BAR, _NUMBER = "|", "#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far a reader is: the keys of images that were graded, and whether the round was ended and by whom."""

    task: str
    reader: str
    number: int
    seen: frozenset[str] = frozenset()
    ended_by: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it takes no more grades."""
        return self.ended_by is not None


def join_key(subject: str, place: str, item: str) -> str:
    """Return the key of an image.

    Examples
    --------
    >>> join_key("S-1", "month_3", "")
    'S-1|month_3|'
    """
    return _BAR.join((subject, place, item))


def draft_look(task: str, key: str, *, reader: str, number: int, when: datetime) -> Draft:
    """Return that a reader has graded an image, as a reading."""
    subject, place, item = key.split(_BAR)
    named = f"{item}{_NUMBER}{number}"
    return Draft(
        kind=LOOK, reader=reader, when=when, subject=subject, place=place, item=named, content={"task": task}, own=True
    )


def draft_end(task: str, *, reader: str, number: int, when: datetime, by: str) -> Draft:
    """Return that a reader's round is over, as a reading; ``by`` says who ended it."""
    content = {"ended_by": by}
    return Draft(
        kind=ROUND, reader=reader, when=when, subject="all", place=task, item=str(number), content=content, own=True
    )


def read_rounds(log: Readings, task: str) -> tuple[Round, ...]:
    """Return the rounds of a task that were begun, by number and reader.

    Examples
    --------
    >>> from datetime import UTC
    >>> from rarefactor.readings._model import number_reading
    >>> when = datetime(2026, 1, 2, tzinfo=UTC)
    >>> looks = [draft_look("scans", f"S-{n}|month_3|", reader="Ada", number=1, when=when) for n in (1, 2)]
    >>> end = draft_end("scans", reader="Ada", number=1, when=when, by="Ada")
    >>> (found,) = read_rounds(Readings(entries=tuple(number_reading(each, None) for each in (*looks, end))), "scans")
    >>> sorted(found.seen), found.is_over
    (['S-1|month_3|', 'S-2|month_3|'], True)
    """
    seen: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for each in log.current(LOOK):
        item, _, number = each.item.rpartition(_NUMBER)
        if each.content.get("task") == task and number.isdecimal():
            seen[int(number), each.reader].add(join_key(each.subject, each.place, item))
    ends = {
        (int(each.item), each.reader): str(each.content.get("ended_by", each.reader))
        for each in log.current(ROUND)
        if each.place == task and each.item.isdecimal()
    }
    return tuple(
        Round(task=task, reader=reader, number=number, seen=frozenset(seen[key]), ended_by=ends.get(key))
        for key in sorted({*seen, *ends})
        for number, reader in (key,)
    )
