"""The pictures of all slides together: the contact sheet by value, and the DAB histograms by staining run.

Convention: each stain on its own, the highest value first; slides without a value come last and say why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._paper import INK, MUTED, Sheet, fit_place, read_image, show_image
from rarefactor.pathology._picture import compute_curve

_WIDTH, _COLUMNS, _CELL, _LINE = 180.0, 6, 28.0, 34.0
_LINES = ("#4053d3", "#b51d14", "#00b25d", "#ddb310", "#00beff", "#fb49b0", "#5c5c5c")
MOST = 120
"""Slides on one sheet: those with the highest and the lowest values where there are more."""


def draw_contact_sheet(results: Sequence[SlideResult], stain: str) -> bytes:
    """Return the slides of a stain on one page as PNG, by descending value."""
    measured = [each for each in results if each.thumbnail is not None]
    ordered = sorted(measured, key=lambda each: (-(each.positive_area or 0.0), each.file.name))
    shown = ordered if len(ordered) <= MOST else [*ordered[: MOST // 2], *ordered[-MOST // 2 :]]
    lines = math.ceil(len(shown) / _COLUMNS)
    sheet = Sheet(_WIDTH, 12 + lines * _LINE)
    left_out = f", {len(ordered) - len(shown)} between them not shown" if len(shown) < len(ordered) else ""
    sheet.write(4, 5, f"{stain}: slides by DAB-positive area{left_out}", fontsize=9, weight="bold")
    for place, each in enumerate(shown):
        line, column = divmod(place, _COLUMNS)
        left, top = 4 + column * (_CELL + 1), 10 + line * _LINE
        image = read_image(each.thumbnail or b"")
        show_image(sheet.add(fit_place(image.shape, (left, top, _CELL, _CELL - 2))), image)
        value = "no tissue" if each.positive_area is None else f"{100 * each.positive_area:.1f} %"
        who = " ".join(word for word in (each.file.patient, each.file.visit) if word)
        sheet.write(left, top + _CELL - 0.3, value, weight="bold")
        sheet.write(left, top + _CELL + 2.6, _cut(who), color=MUTED, fontsize=5)
    return sheet.png(f"Contact sheet of {stain}")


def draw_histograms(results: Sequence[SlideResult], stain: str) -> bytes:
    """Return the DAB histograms of all slides of a stain as PNG, one panel for each staining run."""
    measured = [each for each in results if each.total is not None and each.total.histogram.tissue]
    runs = sorted({each.file.run or "" for each in measured})
    lines = math.ceil(len(runs) / 3)
    sheet = Sheet(_WIDTH, 12 + lines * 52)
    sheet.write(4, 5, f"{stain}: DAB density of the tissue of each slide", fontsize=9, weight="bold")
    for place, run in enumerate(runs):
        line, column = divmod(place, 3)
        axes = sheet.add((14 + column * 57, 16 + line * 52, 46, 36))
        held = [each for each in measured if (each.file.run or "") == run]
        for number, each in enumerate(held):
            if each.total is not None:
                densities, share = compute_curve(each.total)
                axes.plot(densities, share, color=_LINES[number % len(_LINES)], linewidth=0.6, alpha=0.8)
        axes.set_xlim(-0.1, 1.2)
        axes.set_yscale("symlog", linthresh=0.1)
        axes.set_ylim(0, None)
        axes.tick_params(labelsize=5.5, length=2, width=0.5, color=MUTED, labelcolor=INK)
        axes.set_title(f"{run or 'no run named'}, {len(held)} slides", fontsize=6.5, color=INK, loc="left")
        axes.set_xlabel("DAB density", fontsize=6, color=INK, labelpad=1)
        axes.set_ylabel("% of tissue per 0.01", fontsize=6, color=INK, labelpad=1)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return sheet.png(f"DAB histograms of {stain} by staining run")


def _cut(words: str) -> str:
    return words if len(words) <= 24 else f"{words[:23]}…"
