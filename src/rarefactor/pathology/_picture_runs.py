"""DAB histograms of all slides of a stain, one panel for each staining run.

Convention: percentages of tissue per 0.01 of density, on a logarithmic scale, for most tissue is not stained. The
median of a run and that of all runs are medians at each density.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._graph import (
    BLUE,
    FAINT,
    INK,
    Stroke,
    draw_keys,
    draw_rule,
    make_figure,
    style_axes,
    write_png,
)
from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._paper import POSITIVE
from rarefactor.pathology._picture import compute_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _COLUMNS, _HIGH, _HEAD = 180.0, 3, 46.0, 20.0
_FIRST, _LAST, _LEAST = -0.1, 1.2, 0.001
_AROUND = 0.05
_KEYS: tuple[tuple[str, str, Stroke], ...] = (
    ("one slide", FAINT, "-"),
    ("median of the run", INK, "-"),
    ("median of all runs", BLUE, "--"),
    ("threshold ± 0.05", POSITIVE, "-"),
)
Curves = NDArray[np.float64]


def draw_histograms(results: Sequence[SlideResult], stain: str) -> bytes:
    """Return the DAB histograms of all slides of a stain as PNG, one panel for each staining run."""
    measured = [each for each in results if each.total is not None and each.total.histogram.tissue]
    densities, curves = _list_curves(measured)
    runs = [each.file.run or "" for each in measured]
    names = sorted(set(runs))
    figure, axes = _make_panels(stain, len(names))
    for each, run in zip(axes, names, strict=True):
        own = curves[[name == run for name in runs]]
        _draw_panel(each, densities, own, np.median(curves, axis=0) if len(names) > 1 else None)
        each.set_title(f"{run or 'no run named'} (n = {len(own)})", fontsize=6.5, color=INK, loc="left", pad=3)
        draw_rule(each, float(measured[0].rows["threshold"][0]), POSITIVE, _AROUND)
    return write_png(figure, f"DAB histograms of {stain} by staining run")


def _list_curves(measured: Sequence[SlideResult]) -> tuple[NDArray[np.float64], Curves]:
    pairs = [compute_curve(each.total) for each in measured if each.total is not None]
    densities = pairs[0][0] if pairs else np.zeros(0)
    shown = (densities >= _FIRST) & (densities <= _LAST)
    return densities[shown], np.array([share[shown] for _, share in pairs]).reshape(len(pairs), -1)


def _make_panels(stain: str, count: int) -> tuple[Figure, list[Axes]]:
    lines = max(1, math.ceil(count / _COLUMNS))
    height = _HEAD + lines * _HIGH
    figure = make_figure(_WIDTH, height)
    figure.text(4 / _WIDTH, 1 - 5 / height, f"{stain}: DAB density of the tissue", fontsize=9, color=INK, weight="bold")
    draw_keys(figure, _KEYS if count > 1 else (_KEYS[0], _KEYS[1], _KEYS[3]), 10)
    axes: list[Axes] = []
    for place in range(count):
        line, column = divmod(place, _COLUMNS)
        top = _HEAD + line * _HIGH
        axes.append(figure.add_axes(((13 + column * 57) / _WIDTH, 1 - (top + 32) / height, 47 / _WIDTH, 32 / height)))
    return figure, axes


def _draw_panel(axes: Axes, densities: NDArray[np.float64], own: Curves, all_: Curves | None) -> None:
    axes.plot(densities, np.maximum(own, _LEAST / 10).T, color=FAINT, linewidth=0.5)
    if all_ is not None:
        axes.plot(densities, np.maximum(all_, _LEAST / 10), color=BLUE, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.plot(densities, np.maximum(np.median(own, axis=0), _LEAST / 10), color=INK, linewidth=1.2)
    axes.set_yscale("log")
    axes.set_xlim(_FIRST, _LAST)
    axes.set_ylim(_LEAST, 50)
    axes.set_yticks([0.001, 0.01, 0.1, 1, 10], ["0.001", "0.01", "0.1", "1", "10"])
    style_axes(axes, "DAB density", "% of tissue per 0.01")
