"""The list of slides: what a line says, what lines are sorted by and looked through, stain by stain.

Convention: slides stay by stain whatever they are sorted by, since numbers of two stains are not compared. What was
found on a slide is asked for where it is shown, sorted by or looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from rarefactor.pathology import Reading, SlideFile
from rarefactor.web._desk import Desk, Listed, Slides
from rarefactor.web._paging import Asked, Leaf, Orders, cut_lines, find_lines, sort_lines

STAIN = "stain"
"""What the address says of the one stain that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A slide, its place among all, and how to learn what was found on it."""

    file: SlideFile
    place: int
    look: Callable[[SlideFile], Listed]

    def number(self, name: str) -> float:
        """Return one of its numbers, less than any where it is not known."""
        found = getattr(self.look(self.file).numbers, name, None)
        return -1.0 if found is None else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A slide in the list, what was found on it, and how much was left out."""

    file: SlideFile
    found: Listed

    @property
    def left_out(self) -> int:
        """How many regions were left out."""
        return len(self.file.excluded.outlines) if self.file.excluded else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of a stain on a page, how it is read, and how many slides of it there are."""

    stain: str
    reading: Reading
    rows: tuple[Row, ...]
    of: int


ORDERS: Orders[_Line] = Orders(
    keys={
        "patient": lambda line: line.place,
        "visit": lambda line: line.file.visit,
        "run": lambda line: line.file.run or "",
        "area": lambda line: line.number("positive_area"),
        "cells": lambda line: line.number("positive_cells"),
        "density": lambda line: line.number("positive_per_mm2"),
        "tissue": lambda line: line.number("tissue_mm2"),
        "doubts": lambda line: (line.look(line.file).numbers is None, len(line.look(line.file).flags)),
    }
)
"""What the list can be sorted by; what is not measured is the most doubtful."""


def cut_slides(desk: Desk, slides: Slides, asked: Asked) -> Leaf[Row]:
    """Return the slides on the page that is asked for, of one stain where the address names one of the study's."""

    def look(file: SlideFile) -> Listed:
        return desk.list_slide(slides, file) or Listed()

    chosen = asked.kept.get(STAIN, "")
    stains = [chosen] if chosen in slides.stains else slides.stains
    own = [each for each in slides.by_name.values() if each.stain in stains]
    lines = [_Line(file=file, place=place, look=look) for place, file in enumerate(own)]
    found = sort_lines(find_lines(lines, asked, _say), asked, ORDERS)
    ordered = sorted(found, key=lambda line: stains.index(line.file.stain))
    return cut_lines(ordered, asked, of=len(lines)).show(lambda line: Row(file=line.file, found=look(line.file)))


def group_slides(slides: Slides, leaf: Leaf[Row]) -> Iterator[Group]:
    """Yield the rows of a page by their stain."""
    counts = count_stains(slides)
    for stain, rows in groupby(leaf.lines, key=lambda row: row.file.stain):
        reading = slides.asked.settings.reading(stain)
        yield Group(stain=stain, reading=reading, rows=tuple(rows), of=counts[stain])


def count_stains(slides: Slides) -> Mapping[str, int]:
    """Return how many slides there are of each stain, in the study's order."""
    every = [each.stain for each in slides.by_name.values()]
    return {stain: every.count(stain) for stain in slides.stains}


def _say(line: _Line) -> str:
    """Return what stands in a line, to be looked through."""
    file, found = line.file, line.look(line.file)
    said = [file.patient, file.visit.replace("_", " "), file.stain, file.run or "", *found.flags]
    said += [f"{each.found}. {each.next_step}" for each in found.problems[:1]]
    said += ["left out"] if file.excluded and file.excluded.outlines else []
    said += ["not measured yet"] if found.numbers is None and not found.problems else []
    return " ".join(said).casefold()
