"""Regions under numbers that never change, for masks that a reader corrects: whatever table the study's own masks have.

Convention: 1 to 11 are the muscles in their order, 21 to 24 the compartments and the thigh where no muscles are told
apart; the left leg has 100 more. A region without a side is counted as the right one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rarefactor.imaging._regions import COMPARTMENTS, MUSCLES, LabelMap, Region, Side
from rarefactor.imaging._write import write_labels

_FIRST_COMPARTMENT, _LEFT = 21, 100
_COLOURS = (
    *("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#42d4f4"),
    *("#f032e6", "#bfef45", "#fabed4", "#469990", "#ffe119"),
)
_COLOURS_OF_COMPARTMENTS = ("#3cb44b", "#42d4f4", "#f58231", "#4363d8")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedRegion:
    """A region, its number in corrected masks, its name for people, and its colour (``#rrggbb``)."""

    number: int
    region: Region
    name: str
    colour: str


def _list_regions() -> Iterator[NumberedRegion]:
    muscles = zip(MUSCLES, _COLOURS, strict=True)
    others = zip((*COMPARTMENTS, "thigh"), _COLOURS_OF_COMPARTMENTS, strict=True)
    codes = [*enumerate(muscles, start=1), *enumerate(others, start=_FIRST_COMPARTMENT)]
    for side, offset in ((Side.RIGHT, 0), (Side.LEFT, _LEFT)):
        for number, (code, colour) in codes:
            name = MUSCLES[code].name if code in MUSCLES else f"{code} compartment" if code != "thigh" else "thigh"
            region = Region(name=code, side=side)
            yield NumberedRegion(number=number + offset, region=region, name=f"{name}, {side}", colour=colour)


REGIONS: Mapping[int, NumberedRegion] = {each.number: each for each in _list_regions()}


def name_numbers() -> dict[int, str]:
    """Return what each number means, as a table of labels says it.

    Examples
    --------
    >>> names = name_numbers()
    >>> names[1], names[103], names[24]
    ('SA right', 'VL left', 'thigh right')
    """
    return {number: f"{each.region.name} {each.region.side}" for number, each in REGIONS.items()}


def list_regions() -> Iterator[tuple[str, str]]:
    """Yield the code and name of each region, whatever its side.

    Examples
    --------
    >>> next(list_regions())
    ('SA', 'sartorius')
    """
    for number, each in REGIONS.items():
        if number < _LEFT:
            yield each.region.name, each.name.removesuffix(f", {Side.RIGHT}")


def number_sides(code: str) -> dict[str, int]:
    """Return the number of a region on each side.

    Examples
    --------
    >>> number_sides("VL")
    {'right': 3, 'left': 103}
    """
    return {str(each.region.side): number for number, each in REGIONS.items() if each.region.name == code}


def number_regions(labels: LabelMap) -> LabelMap:
    """Return a label map under these numbers; regions that have none are left out.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(1, 1, 2), spacing_mm=(1.0, 1.0, 1.0))
    >>> regions = {7: Region(name="VL", side=Side.LEFT)}
    >>> labels = LabelMap(values=np.array([[[0, 7]]], np.int16), grid=grid, regions=regions, source="reader")
    >>> number_regions(labels).values.tolist()
    [[[0, 103]]]
    """
    numbers = {each.region: number for number, each in REGIONS.items()}
    table = np.zeros(max(labels.regions, default=0) + 1, np.int16)
    for label, region in labels.regions.items():
        table[label] = numbers.get(Region(name=region.name, side=region.side or Side.RIGHT), 0)
    known = np.where(labels.values < len(table), labels.values, 0)
    held = {number: REGIONS[number].region for number in sorted(set(table.tolist()) - {0})}
    return LabelMap(values=table[known], grid=labels.grid, regions=held, source=labels.source)


def write_numbered(labels: LabelMap) -> bytes:
    """Return a label map under these numbers as NIfTI, gzipped."""
    return write_labels(number_regions(labels))
