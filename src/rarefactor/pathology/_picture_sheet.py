"""The contact sheet: all slides of a stain on one page, sorted by value.

Convention: each stain on its own, the highest value first; slides without a value come last and say why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._paper import MUTED, Sheet, read_image

_WIDTH, _COLUMNS, _PITCH, _CELL, _LINE = 180.0, 6, 29.0, 26.0, 34.0
_LETTERS = 20
MOST = 120
"""Slides on one sheet: those with the highest and the lowest values where there are more."""


def draw_contact_sheet(results: Sequence[SlideResult], stain: str) -> bytes:
    """Return the slides of a stain on one page as PNG, by descending value."""
    measured = [each for each in results if each.thumbnail is not None]
    ordered = sorted(measured, key=lambda each: (-_value(each), each.file.name))
    shown = ordered if len(ordered) <= MOST else [*ordered[: MOST // 2], *ordered[-MOST // 2 :]]
    sheet = Sheet(_WIDTH, 12 + math.ceil(len(shown) / _COLUMNS) * _LINE)
    left_out = f", {len(ordered) - len(shown)} between them not shown" if len(shown) < len(ordered) else ""
    sheet.head(4, 5, f"{stain}: slides by DAB-positive area{left_out}", size=9)
    for place, each in enumerate(shown):
        line, column = divmod(place, _COLUMNS)
        _draw_slide(sheet, each, 4 + column * _PITCH, 10 + line * _LINE)
    return sheet.png(f"Contact sheet of {stain}")


def _draw_slide(sheet: Sheet, result: SlideResult, left: float, top: float) -> None:
    image = read_image(result.thumbnail or b"")
    sheet.show(image, (left, top, _CELL, _CELL))
    value = "no tissue" if result.positive_area is None else f"{100 * result.positive_area:.1f}%"
    who = " ".join(word for word in (result.file.patient, result.file.visit) if word)
    sheet.head(left, top + _CELL + 2.0, value)
    sheet.write(left, top + _CELL + 4.8, _cut(who), fill=MUTED, size=5)


def _value(result: SlideResult) -> float:
    return -1.0 if result.positive_area is None else result.positive_area


def _cut(words: str) -> str:
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"
