"""What of a slide's picture a report shows: overview and detail, without title, channels and histogram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._settings import Reading
from rarefactor.results import Picture

BOX = (2 / 180, 14 / 150, 178 / 180, 99.5 / 150)
"""Left, top, right and bottom of overview and detail, as shares of the picture."""
_AREA = "right the square with most DAB, what is positive outlined"
_CELLS = "right tiles at random and those with most positive cells, the nuclei outlined"


def list_pictures(
    name: str, results: Iterable[SlideResult], readings: Mapping[str, Reading], files: Mapping[str, bytes]
) -> Iterator[Picture]:
    """Yield the picture of the first slide of each patient, visit and stain that was measured."""
    seen: set[tuple[str, str, str]] = set()
    for each in results:
        file, path = each.file, f"overlays/{each.file.name}.png"
        who = (file.patient, file.visit, file.stain)
        if who in seen or path not in files or each.positive_area is None:
            continue
        seen.add(who)
        counted = readings[file.stain].measure == "cells"
        yield Picture(
            table=name,
            column=file.stain,
            subject=file.patient,
            visit=file.visit,
            path=path,
            png=files[path],
            box=BOX,
            seen=f"Stained section: left the whole, positive places tinted; {_CELLS if counted else _AREA}",
        )
