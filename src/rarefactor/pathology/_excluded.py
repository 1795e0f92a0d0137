"""Regions that a reader drew on a slide to be left out of its numbers: folds, vessels, ink that no rule found.

Convention: outlines are (x, y) in pixels of level 0. They belong to the slide on which they were drawn, by its SHA-256:
on another file under the same name they hold nothing, and a flag says so. A slide's place in the log of readings is its
patient's pseudonym, its stain, and its visit with its number among several.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._geojson import Annotation, Polygon, read_regions
from rarefactor.pathology._settings import Excluded, Outline, SlideFile
from rarefactor.readings import read_readings
from rarefactor.results import Flag

EXCLUSION = "exclusion"
"""The kind of these readings."""
_CLASS = "Left out*"
_MOST_REGIONS, _MOST_POINTS = 200, 2000


def name_item(file: SlideFile) -> str:
    """Return what of a patient's stain a slide is, for the log of readings.

    Examples
    --------
    >>> name_item(SlideFile(patient="S-1", visit="baseline", stain="CD20", path=Path("a.tif"), number=2))
    'baseline 2'
    """
    return " ".join(word for word in (file.visit, str(file.number) if file.number > 1 else "") if word)


def derive_excluded(folder: Path, slides: Iterable[SlideFile]) -> tuple[SlideFile, ...]:
    """Return slides with what readers left out of them, as the log in a study's folder has it.

    Raises
    ------
    DataError
        The log cannot be opened.
    """
    drawn = {(each.subject, each.place, each.item): each for each in read_readings(folder).current(EXCLUSION)}
    return tuple(
        replace(each, excluded=_read_excluded(drawn[key].content, drawn[key].reader, drawn[key].version))
        if (key := (each.patient, each.stain, name_item(each))) in drawn
        else replace(each, excluded=None)
        for each in slides
    )


def check_outlines(outlines: Sequence[Sequence[Sequence[float]]], width: int, height: int) -> tuple[Outline, ...]:
    """Return outlines that can be kept, cut off at the border of a slide of ``width`` x ``height`` pixels.

    Raises
    ------
    InputError
        Too many, or an outline with fewer than three points, with points that are no numbers, or without an area.

    Examples
    --------
    >>> check_outlines([[(-5, 0), (10, 0), (10, 10), (0, 10)]], 100, 100)
    (((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)),)
    """
    if len(outlines) > _MOST_REGIONS or any(len(each) > _MOST_POINTS for each in outlines):
        found = f"more than {_MOST_REGIONS} regions, or {_MOST_POINTS} points in one"
        raise InputError(_refuse(found, "fewer and simpler regions"))
    return tuple(_check_outline(number, each, (width, height)) for number, each in enumerate(outlines, 1))


def list_regions(file: SlideFile, sha256: str) -> tuple[Annotation, ...]:
    """Return the regions of a slide with this SHA-256: those of its file, and those that readers left out.

    Raises
    ------
    ImageError
        The file of regions cannot be read.
    """
    drawn = read_regions(file.regions) if file.regions else ()
    return (*drawn, *list_excluded(file, sha256))


def list_excluded(file: SlideFile, sha256: str) -> tuple[Annotation, ...]:
    """Return the regions that readers left out of a slide with this SHA-256."""
    if file.excluded is None or file.excluded.sha256 != sha256:
        return ()
    return tuple(
        Annotation(name=f"left out {number}", kind=_CLASS, polygons=(Polygon(outline=np.array(outline)),))
        for number, outline in enumerate(file.excluded.outlines, 1)
    )


def flag_excluded(file: SlideFile, sha256: str) -> tuple[Flag, ...]:
    """Return what is to be said of the regions that readers left out."""
    if file.excluded is None or not file.excluded.outlines:
        return ()
    if file.excluded.sha256 != sha256:
        return (warn("left_out_elsewhere", "Regions were left out on another file of this name: they hold nothing."),)
    count = len(file.excluded.outlines)
    words = "1 region was" if count == 1 else f"{count} regions were"
    return (note("left_out", f"{words} left out by {file.excluded.reader}, version {file.excluded.version}."),)


def _read_excluded(content: Mapping[str, Any], reader: str, version: int) -> Excluded:
    outlines = tuple(tuple((float(x), float(y)) for x, y in each) for each in content.get("outlines", ()))
    return Excluded(sha256=str(content.get("sha256", "")), outlines=outlines, reader=reader, version=version)


def _check_outline(number: int, outline: Sequence[Sequence[float]], size: tuple[int, int]) -> Outline:
    try:
        points = np.array(outline, dtype=np.float64).reshape(-1, 2)
    except (ValueError, TypeError):
        points = np.zeros((0, 2))
    if not np.isfinite(points).all() or len(points) < 3:
        raise InputError(_refuse(f"region {number} without three points", "three corners or more, each an x and a y"))
    kept = np.round(np.clip(points, 0, size), 2)
    if Polygon(outline=kept).area < 1:
        raise InputError(_refuse(f"region {number} without an area on the slide", "an outline around something"))
    return tuple((float(x), float(y)) for x, y in kept)


def _refuse(found: str, expected: str) -> Problem:
    return Problem(key="regions", found=found, expected=expected, next_step="Draw it again, or take it out.")
