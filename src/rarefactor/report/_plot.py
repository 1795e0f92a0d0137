"""The paper that figures are drawn on: millimetres, one font, the same bytes for the same drawing.

Convention: x runs right and y runs down, both in millimetres; matplotlib is loaded when a figure is drawn, and only its
objects are used, never its global state (but for the list of fonts that it knows).
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from rarefactor.report._indexed import write_indexed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1f24"
MUTED = "#5d6874"
RULE = "#b9c2cb"
PANEL = "#f2f5f8"
BLUE = "#0b5394"  # with ORANGE: told apart in every common form of colour blindness, and in grey
ORANGE = "#c2570c"
GREEN = "#2b7a4b"  # of curves that are more than two, with the next two
PURPLE = "#7a3e9d"
OCHRE = "#8a6d00"
TINT = "#dfe8f2"

PLAIN = "Source Sans 3"
SEMIBOLD = "Source Sans 3 SemiBold"
FALLBACK = "DejaVu Sans"
_MM_PER_INCH = 25.4
_DPI = 300
_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings are those of the whole process


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to draw on, ``width`` by ``height`` millimetres."""

    figure: Figure
    axes: Axes
    width: float
    height: float

    def text(self, x: float, y: float, words: str, *, size: float = 8, **style: Any) -> None:
        """Write words at a point; mathematics and dollar signs are left as they are."""
        family = [SEMIBOLD if style.pop("strong", False) else PLAIN, FALLBACK]
        style = {"color": INK, "va": "center", "ha": "left", "linespacing": 1.0} | style
        self.axes.text(x, y, words, fontsize=size, fontfamily=family, parse_math=False, **style)

    def line(self, xs: tuple[float, ...], ys: tuple[float, ...], **style: Any) -> None:
        """Draw a line through points."""
        style = {"color": INK, "lw": 0.8, "solid_capstyle": "butt"} | style
        self.axes.plot(xs, ys, **style)

    def arrow(self, start: tuple[float, float], end: tuple[float, float], color: str = INK) -> None:
        """Draw an arrow between two points."""
        style = {"arrowstyle": "-|>,head_width=0.16,head_length=0.32", "lw": 0.8, "color": color}
        self.axes.annotate("", end, start, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})

    def box(self, corner: tuple[float, float], size: tuple[float, float], fill: str, edge: str) -> None:
        """Draw a rectangle from its upper left corner."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - loaded when something is drawn

        self.axes.add_patch(Rectangle(corner, *size, facecolor=fill, edgecolor=edge, linewidth=0.8))

    def fill(self, corner: tuple[float, float], size: tuple[float, float], colour: str, *, alpha: float = 1.0) -> None:
        """Fill a rectangle from its upper left corner, without an edge."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - loaded when something is drawn

        self.axes.add_patch(Rectangle(corner, *size, facecolor=colour, alpha=alpha, linewidth=0))

    def dot(self, x: float, y: float, marker: str, color: str, *, hollow: bool = False) -> None:
        """Draw a mark of a point estimate."""
        fill = "#ffffff" if hollow else color
        self.axes.plot([x], [y], marker=marker, ms=4.6, mec=color, mfc=fill, mew=1.0, ls="none", zorder=3)


def wrap_text(words: str, width: float, *, size: float = 8, indent: str = "") -> tuple[str, ...]:
    """Return words as lines that are not wider than ``width`` millimetres; lines after the first are indented."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        if width_of(longer, size) <= width or not lines[-1].strip():
            lines[-1] = longer
        else:
            lines.append(f"{indent}{word}")
    return tuple(lines)


@lru_cache(maxsize=10_000)
def width_of(words: str, size: float) -> float:
    """Return how wide words are, in millimetres, in the wider of the two weights."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - loaded when something is drawn
    from matplotlib.textpath import text_to_path  # noqa: PLC0415 - loaded when something is drawn

    _know_fonts()
    font = FontProperties(family=[SEMIBOLD], size=size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
        width: float = text_to_path.get_text_width_height_descent(words, font, ismath=False)[0]
    return width * _MM_PER_INCH / 72


def open_sheet(width: float, height: float) -> Sheet:
    """Return an empty sheet of this size in millimetres."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - loaded when something is drawn

    _know_fonts()
    figure = Figure(figsize=(width / _MM_PER_INCH, height / _MM_PER_INCH))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return Sheet(figure, axes, width, height)


def write_svg(sheet: Sheet, name: str) -> bytes:
    """Return the drawing as SVG; ``name`` keeps its ids apart from those of other figures."""
    from matplotlib import rc_context  # noqa: PLC0415 - loaded when something is drawn

    with _ONE_AT_A_TIME, rc_context({"svg.hashsalt": name, "svg.fonttype": "path", "svg.id": name}):
        svg = _save(sheet, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return re.sub(rb"\n\s*", b"\n", re.sub(rb"<!--.*?-->", b"", svg, flags=re.DOTALL))  # the words, beside outlines


def write_png(sheet: Sheet) -> bytes:
    """Return the drawing as PNG on white, at 300 dpi and in 256 colours: enough for lines and words."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - loaded when something is drawn

    sheet.figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(sheet.figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
        canvas.draw()
    return write_indexed(np.asarray(canvas.buffer_rgba()), _DPI)


def write_photograph(sheet: Sheet, *, dpi: int) -> bytes:
    """Return a drawing that holds photographs as PNG on white, in all its colours."""
    options = {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 6}}
    return _save(sheet, format="png", dpi=dpi, facecolor="white", **options)


def _save(sheet: Sheet, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A sign that neither font has is drawn as a box; the tables beside the figure still hold it.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*")
        sheet.figure.savefig(buffer, **options)
    return buffer.getvalue()


def _know_fonts() -> None:
    from matplotlib.font_manager import fontManager  # noqa: PLC0415 - loaded when something is drawn

    if any(font.name == PLAIN for font in fontManager.ttflist):
        return
    for name in ("Regular", "SemiBold"):
        with resources.as_file(resources.files("rarefactor.report") / "fonts" / f"SourceSans3-{name}.ttf") as path:
            fontManager.addfont(path)
