"""Long lists in pages of some lines: found and sorted over all of them first, cut then.

Convention: what is asked for stands in the address (``sort``, ``up`` or ``down``, ``find``, ``page``), so that it can
be kept and gone back to. Pages count from 1; one past either end is the nearest there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

Line = TypeVar("Line")
Shown = TypeVar("Shown")

LINES = 50
"""On a page: what a browser shows at once, and a reader looks through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders(Generic[Line]):
    """What lines can be sorted by: a key for each name, the first where none is asked.

    ``falling`` says whether the largest come first unless the order is turned round.
    """

    keys: Mapping[str, Callable[[Line], Any]]
    falling: bool = False

    @property
    def first(self) -> str:
        """What lines are sorted by where nothing is asked."""
        return next(iter(self.keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a list is asked for, as its address says it.

    Attributes
    ----------
    sort, turned
        The name of an order, and whether it is turned round; ``first`` is the order of an address without one.
    falls
        Whether the largest come first unless it is turned.
    find
        What a line has to hold, in any letters.
    page
        From 1.
    kept
        What else the address says, such as a stain.
    """

    sort: str
    first: str
    turned: bool
    falls: bool
    find: str = ""
    page: int = 1
    kept: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def address(self) -> str:
        """The part of the address from its question mark on.

        Examples
        --------
        >>> asked = read_asked({"sort": "age", "find": "a b"}, Orders(keys={"id": str, "age": len}))
        >>> asked.address, asked.at(3).address, asked.by("age").address
        ('?sort=age&find=a+b', '?sort=age&find=a+b&page=3', '?sort=age&down=1&find=a+b')
        """
        said = {
            "sort": self.sort if self.sort != self.first or self.turned else "",
            self.turn: "1" if self.turned else "",
            "find": self.find,
            **self.kept,
            "page": str(self.page) if self.page > 1 else "",
        }
        given = {name: value for name, value in said.items() if value}
        return f"?{urlencode(given)}" if given else ""

    @property
    def falling(self) -> bool:
        """Whether the largest come first."""
        return self.falls != self.turned

    @property
    def turn(self) -> str:
        """The word of the address that turns the order round."""
        return "up" if self.falls else "down"

    @property
    def hidden(self) -> Iterator[tuple[str, str]]:
        """Yield what a search has to keep of the address: names and values."""
        if self.sort != self.first or self.turned:
            yield "sort", self.sort
        if self.turned:
            yield self.turn, "1"
        yield from ((name, value) for name, value in self.kept.items() if value)

    def at(self, page: int) -> Asked:
        """Return the same on another page."""
        return replace(self, page=page)

    def by(self, sort: str) -> Asked:
        """Return another order, or this one the other way round, from the first page on."""
        return replace(self, sort=sort, turned=sort == self.sort and not self.turned, page=1)

    def only(self, **kept: str) -> Asked:
        """Return the same with something else of the address, from the first page on."""
        return replace(self, kept={**self.kept, **kept}, page=1)


def read_asked(query: Mapping[str, str], orders: Orders[Any], *, keep: Iterable[str] = ()) -> Asked:
    """Return what an address asks for; what makes no sense in it is as if it were not there.

    Examples
    --------
    >>> asked = read_asked({"sort": "size", "down": "1", "page": "-2"}, Orders(keys={"id": str}))
    >>> asked.sort, asked.falling, asked.page
    ('id', True, 1)
    """
    sort, page = query.get("sort", ""), query.get("page", "")
    return Asked(
        sort=sort if sort in orders.keys else orders.first,
        first=orders.first,
        turned=query.get("up" if orders.falling else "down", "").casefold() in {"1", "true"},
        falls=orders.falling,
        find=query.get("find", "").strip(),
        page=max(1, int(page)) if page.isdecimal() and len(page) < 9 else 1,
        kept={name: query.get(name, "") for name in keep},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf(Generic[Line]):
    """One page of a list.

    Attributes
    ----------
    lines
        Those on it.
    asked
        What it shows; its page is one that there is.
    found, of
        How many lines there are on all pages, and how many before any were looked for.
    size
        The most lines on a page.
    """

    lines: tuple[Line, ...]
    asked: Asked
    found: int
    of: int
    size: int

    def show(self, write: Callable[[Line], Shown]) -> Leaf[Shown]:
        """Return the same page with its lines written: those on it, no others."""
        lines = tuple(map(write, self.lines))
        return Leaf(lines=lines, asked=self.asked, found=self.found, of=self.of, size=self.size)

    @property
    def first(self) -> int:
        """The place of the first line among all, from 1; 0 where there is none."""
        return (self.asked.page - 1) * self.size + 1 if self.lines else 0

    @property
    def last(self) -> int:
        """The place of the last line among all."""
        return self.first + len(self.lines) - 1 if self.lines else 0

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return count_pages(self.found, self.size)

    @property
    def numbers(self) -> Iterator[int | None]:
        """Yield the pages to be offered: the first, those beside this one, the last; None where some are left out.

        Examples
        --------
        >>> asked = read_asked({"page": "6"}, Orders(keys={"id": str}))
        >>> list(cut_lines(range(544), asked, of=544).numbers)
        [1, None, 5, 6, 7, None, 11]
        """
        here, before = self.asked.page, 0
        for number in sorted({1, here - 1, here, here + 1, self.pages}):
            if 1 <= number <= self.pages:
                if number - before == 2:
                    yield number - 1  # a gap would be no shorter
                elif number - before > 1:
                    yield None
                yield number
                before = number


def count_pages(lines: int, size: int = LINES) -> int:
    """Return how many pages lines make, at least one."""
    return max(1, -(-lines // size))


def find_lines(lines: Iterable[Line], asked: Asked, say: Callable[[Line], str]) -> Iterator[Line]:
    """Yield the lines that hold what is looked for, in what ``say`` gives of each (in small letters)."""
    sought = asked.find.casefold()
    yield from (line for line in lines if not sought or sought in say(line))


def sort_lines(lines: Iterable[Line], asked: Asked, orders: Orders[Line]) -> list[Line]:
    """Return lines in the order that is asked for; those that are alike stay as they were."""
    return sorted(lines, key=orders.keys[asked.sort], reverse=asked.falling)


def cut_lines(lines: Iterable[Line], asked: Asked, *, of: int, size: int = LINES) -> Leaf[Line]:
    """Return the page that is asked for of lines in their order, the nearest where it is past the end."""
    every = tuple(lines)
    page = min(asked.page, count_pages(len(every), size))
    shown = every[(page - 1) * size : page * size]
    return Leaf(lines=shown, asked=asked.at(page), found=len(every), of=of, size=size)
