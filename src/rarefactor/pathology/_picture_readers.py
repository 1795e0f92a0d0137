"""What was measured beside what readers say, one page for each stain.

Convention: a point is a patient. Percent and H-score have one unit on both sides: the dashed line is full agreement,
and beside it are differences (measured minus readers) over the mean of both, with their mean and limits of agreement.
Grades have no unit: values are spread over each grade, and the line is the median.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._agreement import MEASURED, READERS, Pairs, ReaderAgreement
from rarefactor.pathology._graph import BLUE, make_figure, style_axes, write_png
from rarefactor.pathology._paper import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
_WIDTH, _HEIGHT = 180.0, 84.0
_BOXES = ((16.0, 17.0, 64.0, 54.0), (96.0, 17.0, 62.0, 54.0))


def draw_readers(pairs: Pairs, found: Sequence[ReaderAgreement]) -> bytes:
    """Return the page of a stain as PNG."""
    measured, read = (np.array([value[place] for value in pairs.values], np.float64) for place in (1, 2))
    agreed = next((a for a in found if a.stain == pairs.stain and a.readers == (MEASURED, READERS) and not a.run), None)
    graded = pairs.scale == "0-3"
    width = 90.0 if graded else _WIDTH
    figure = make_figure(width, _HEIGHT)
    figure.text(4 / width, 1 - 5 / _HEIGHT, f"{pairs.stain}: measured and read", fontsize=9, color=INK, weight="bold")
    figure.text(4 / width, 1 - 11 / _HEIGHT, _say(agreed, len(measured)), fontsize=6.5, color=MUTED, va="center")
    boxes = [(left / width, 1 - (top + h) / _HEIGHT, w / width, h / _HEIGHT) for left, top, w, h in _BOXES]
    axes = figure.add_axes(boxes[0])
    style_axes(axes, f"readers ({pairs.scale})", pairs.words)
    if graded:
        _draw_grades(axes, measured, read)
    else:
        _draw_identity(axes, measured, read)
        beside = figure.add_axes(boxes[1])
        style_axes(beside, "mean of measured and readers", "measured minus readers")
        _draw_limits(beside, measured, read, agreed)
    return write_png(figure, f"{pairs.stain}: measured beside the readers' score")


def _say(agreed: ReaderAgreement | None, n: int) -> str:
    words = [f"{n} patients"]
    if agreed and agreed.icc and np.isfinite(agreed.icc.agreement.icc):
        words.append(f"ICC {agreed.icc.agreement.icc:.2f}")
    if agreed and agreed.rank and np.isfinite(agreed.rank.rho):
        words.append(f"Spearman {agreed.rank.rho:.2f}")
    return " · ".join(words)


def _draw_points(axes: Axes, across: Floats, up: Floats) -> None:
    axes.scatter(across, up, s=14, facecolors="white", edgecolors=BLUE, linewidths=0.8, zorder=3, clip_on=False)


def _draw_identity(axes: Axes, measured: Floats, read: Floats) -> None:
    end = 1.05 * max(1.0, float(measured.max()), float(read.max()))
    axes.plot([0, end], [0, end], color=MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
    _draw_points(axes, read, measured)
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)


def _draw_limits(axes: Axes, measured: Floats, read: Floats, agreed: ReaderAgreement | None) -> None:
    apart = measured - read
    axes.axhline(0, color=MUTED, linewidth=0.5)
    limits = agreed.limits if agreed else None
    shown = apart
    if limits and np.isfinite(limits.bias.estimate):
        named = (
            ("mean", limits.bias.estimate),
            ("lower limit", limits.lower.estimate),
            ("upper limit", limits.upper.estimate),
        )
        for words, value in named:
            style = "-" if words == "mean" else (0, (4, 2))
            axes.axhline(value, color=INK, linewidth=0.8, linestyle=style)
            axes.annotate(
                f"{words} {value:.1f}".replace("-", "−"), (1, value), (3, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center", fontsize=5.5, color=INK, annotation_clip=False,
            )  # fmt: skip
        shown = np.append(apart, [value for _, value in named])
    _draw_points(axes, (measured + read) / 2, apart)
    room = 0.12 * max(1.0, float(np.ptp(shown)))
    axes.set_ylim(float(shown.min()) - room, float(shown.max()) + room)


def _draw_grades(axes: Axes, measured: Floats, read: Floats) -> None:
    for grade in np.unique(read).tolist():
        own = np.sort(measured[read == grade])
        spread = (np.arange(len(own)) % 5 - 2) * 0.06 if len(own) > 1 else np.zeros(1)
        _draw_points(axes, grade + spread, own)
        middle = float(np.median(own))
        axes.plot([grade - 0.25, grade + 0.25], [middle, middle], color=INK, linewidth=1.4)
    axes.set_xlim(-0.5, 3.5)
    axes.set_xticks([0, 1, 2, 3])
    axes.set_ylim(0, 1.08 * max(1.0, float(measured.max())))
