"""The list of scans: what a line says, what lines are sorted by and looked through.

Convention: what a line says stands here in words, so that what is seen is what is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rarefactor.imaging import ListedScan
from rarefactor.web._paging import Asked, Leaf, Orders, cut_lines, find_lines, sort_lines

ORDERS: Orders[ListedScan] = Orders(
    keys={
        "look": lambda scan: (scan.problem is not None, abs(scan.score or 0.0), len(scan.doubts)),
        "patient": lambda scan: scan.patient,
        "visit": lambda scan: scan.visit,
        "fat": lambda scan: -1.0 if scan.fat_percent is None else scan.fat_percent,
        "rate": lambda scan: float("-inf") if scan.rate is None else scan.rate,
        "doubts": lambda scan: len(scan.doubts),
    },
    falling=True,
)
"""What the list can be sorted by; scans to be looked at come first."""

_REGIONS: Mapping[str, str] = {
    "reader": "drawn by a reader",
    "propagated": "carried from another visit",
    "compartment": "found by the program",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLine:
    """A line of the list.

    ``state`` says in a word why to look at it, ``tone`` how grave that is, such as ``warn``; ``regions`` who drew them.
    """

    scan: ListedScan
    visit: str
    state: str
    tone: str
    regions: str


def cut_scans(scans: Sequence[ListedScan], asked: Asked, visits: Mapping[str, str]) -> Leaf[ScanLine]:
    """Return the lines on the page that is asked for; ``visits`` are their names in words."""
    found = find_lines(scans, asked, lambda scan: _say(_write(scan, visits)))
    leaf = cut_lines(sort_lines(found, asked, ORDERS), asked, of=len(scans))
    return leaf.show(lambda scan: _write(scan, visits))


def _write(scan: ListedScan, visits: Mapping[str, str]) -> ScanLine:
    state, tone = _judge(scan)
    regions = _REGIONS.get(scan.mask_source or "", scan.mask_source or "")
    return ScanLine(scan=scan, visit=visits.get(scan.visit, scan.visit), state=state, tone=tone, regions=regions)


def _judge(scan: ListedScan) -> tuple[str, str]:
    if scan.problem:
        return "not measured", "problem"
    if scan.outlying:
        return "outlying rate", "warn"
    return ("", "") if scan.measured else ("waits", "")


def _say(line: ScanLine) -> str:
    """Return what stands in a line, to be looked through."""
    doubts = (doubt.meaning for doubt in line.scan.doubts)
    return " ".join([line.scan.patient, line.visit, line.state, line.regions, *doubts]).casefold()
