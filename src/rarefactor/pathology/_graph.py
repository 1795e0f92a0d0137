"""Graphs of many slides: figures in mm, quiet axes, the same bytes for the same graph.

Convention: sizes are in mm; only matplotlib's objects are used, never its global state.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rarefactor.pathology._paper import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAINT, BLUE = "#b9aea6", "#2458c9"
Stroke = Literal["-", "--"]
_DPI, _MM_PER_INCH = 300, 25.4


def make_figure(width: float, height: float) -> Figure:
    """Return a white figure of ``width`` x ``height`` mm."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - late: loaded when something is drawn

    return Figure(figsize=(width / _MM_PER_INCH, height / _MM_PER_INCH), dpi=_DPI, facecolor="white")


def write_png(figure: Figure, about: str) -> bytes:
    """Return a figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None, "Description": about})
    return buffer.getvalue()


def style_axes(axes: Axes, across: str, up: str) -> None:
    """Name the axes and leave only the lines that are read."""
    axes.set_xlabel(across, fontsize=6.5, color=INK, labelpad=2)
    axes.set_ylabel(up, fontsize=6.5, color=INK, labelpad=2)
    axes.tick_params(which="both", labelsize=6, length=2, width=0.5, color=MUTED, labelcolor=INK, pad=1.5)
    axes.tick_params(which="minor", length=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_linewidth(0.5)
        axes.spines[side].set_color(MUTED)


def draw_rule(axes: Axes, value: float, colour: str, around: float) -> None:
    """Draw a vertical line, and a pale band around it."""
    axes.axvspan(value - around, value + around, color=colour, alpha=0.12, linewidth=0)
    axes.axvline(value, color=colour, linewidth=0.8)


def draw_keys(figure: Figure, keys: Sequence[tuple[str, str, Stroke]], top: float) -> None:
    """Write in one line what lines stand for: words, colour and style of each, ``top`` mm below the upper side."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - late: loaded when something is drawn

    width, height = (side * _MM_PER_INCH for side in figure.get_size_inches())
    left, y = 4.0, 1 - top / height
    for words, colour, style in keys:
        ends = [left / width, (left + 6) / width]
        figure.add_artist(Line2D(ends, [y, y], color=colour, linestyle=style, linewidth=1.2))
        figure.text((left + 7.5) / width, y, words, fontsize=6, color=INK, va="center")
        left += 12 + 1.15 * len(words)
