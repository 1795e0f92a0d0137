"""What the pictures of scans are made of: panels as radiologists read them, outlines, colours, and the paper.

Convention: front of the thigh on top, the patient's right on the left, both marked; grey images run from black to the
99.5th percentile of the slice; fat fraction is 0 to 100 % on viridis, change is purple (less fat) to orange (more fat),
both told apart in every common form of colour blindness. A sheet is one pair of axes in millimetres from its upper left
corner, so that a page of slices costs little. Only matplotlib's objects are used, never its global state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import Region
from rarefactor.work import write_png as write_rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Outline

INK = "#1b1f24"
MUTED = "#5d6874"
FRACTION_COLOURS = "viridis"
CHANGE_COLOURS = "PuOr_r"
_MARGIN = 6
_DPI = 200
_MM_PER_INCH = 25.4
_MM_PER_POINT = _MM_PER_INCH / 72
_MARK_MM = 0.6  # from the panel's corner
_NAME_POINTS, _MARK_POINTS = 4.2, 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of every slice that is shown: rows and columns, both ends included in the body with a margin."""

    rows: slice
    columns: slice

    def of(self, image: NDArray[Any]) -> NDArray[Any]:
        """The window of a slice."""
        return image[self.rows, self.columns]


def find_window(body: NDArray[np.bool_]) -> Window:
    """Return the smallest window that holds the body in all slices.

    Examples
    --------
    >>> body = np.zeros((1, 40, 40), bool)
    >>> body[0, 10:20, 12:30] = True
    >>> find_window(body)
    Window(rows=slice(4, 26, None), columns=slice(6, 36, None))
    """
    rows, columns = (np.flatnonzero(body.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if not rows.size:
        return Window(rows=slice(0, body.shape[1]), columns=slice(0, body.shape[2]))
    return Window(rows=_padded(rows, body.shape[1]), columns=_padded(columns, body.shape[2]))


def choose_slices(labels: NDArray[np.int16], count: int = 3) -> tuple[int, ...]:
    """Return the slices to show: evenly within those that hold a region, or within all where none does.

    Examples
    --------
    >>> choose_slices(np.ones((9, 2, 2), np.int16))
    (1, 4, 7)
    """
    held = np.flatnonzero(labels.any(axis=(1, 2)))
    within = held if held.size else np.arange(labels.shape[0])
    places = np.unique(((np.arange(count) + 0.5) / count * within.size).astype(int))
    return tuple(int(within[place]) for place in places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A white sheet whose axes are millimetres, to the right and down from its upper left corner."""

    figure: Figure
    axes: Axes
    width_mm: float
    height_mm: float

    def write(self, x: float, y: float, words: str, *, size: float = 6.0, colour: str = INK, **style: Any) -> None:
        """Write words at a place, by default on a line whose middle lies there."""
        style = {"fontsize": size, "color": colour, "va": "center", **style}
        self.axes.text(x, y, words, **style)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The rectangle of a sheet, in millimetres, that a slice of ``shape`` (rows, columns) is shown in."""

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    shape: tuple[int, int]

    def place(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take (column, row) of the slice, shape (n, 2), to millimetres on the sheet."""
        rows, columns = self.shape
        size = self.width / columns, self.height / rows
        return (points + 0.5) * size + (self.left, self.top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlines:
    """The regions of a slice: lines as (column, row), and names with the place where the region is thickest."""

    lines: tuple[NDArray[np.float64], ...]
    names: tuple[tuple[float, float, str], ...]


def make_sheet(width_mm: float, height_mm: float) -> Sheet:
    """Return an empty white sheet."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - late: loaded when something is drawn

    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_autoscale_on(False)
    axes.set_xlim(0, width_mm)
    axes.set_ylim(height_mm, 0)
    axes.set_axis_off()
    return Sheet(figure=figure, axes=axes, width_mm=width_mm, height_mm=height_mm)


def write_png(sheet: Sheet, *, about: str) -> bytes:
    """Return a picture as PNG: the same bytes for the same picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - late: loaded when something is drawn

    canvas = FigureCanvasAgg(sheet.figure)
    canvas.draw()
    return write_rgb(np.asarray(canvas.buffer_rgba())[..., :3], dpi=_DPI, about=about)


def draw_grey(panel: Panel, image: NDArray[np.float32], body: NDArray[np.bool_]) -> None:
    """Show a slice in grey, up to the 99.5th percentile of the body in it."""
    brightest = float(np.percentile(image[body], 99.5)) if body.any() else 0.0
    _draw_image(panel, _colour(image, "gray", (0.0, brightest or 1.0), "black"))


def draw_fraction(panel: Panel, fraction: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
    """Show a slice of fat fraction (0 to 1) in per cent, black where there is none."""
    _draw_image(panel, _colour(np.where(valid, fraction, np.nan), FRACTION_COLOURS, (0.0, 1.0), "black"))


def draw_change(panel: Panel, change: NDArray[np.float32], valid: NDArray[np.bool_], limit: float) -> None:
    """Show a slice of change of fat fraction (in percentage points), from -limit to limit."""
    _draw_image(panel, _colour(np.where(valid, change, np.nan), CHANGE_COLOURS, (-limit, limit), "#30343a"))


def _colour(values: NDArray[np.float32], colours: str, ends: tuple[float, float], otherwise: str) -> NDArray[np.uint8]:
    """Return numbers as colours (row, column, 4); ``otherwise`` where there is none."""
    from matplotlib import colormaps  # noqa: PLC0415 - late: loaded when something is drawn

    low, high = ends
    shown = colormaps[colours].with_extremes(bad=otherwise)
    return np.asarray(shown((values - low) / (high - low), bytes=True), np.uint8)


def _draw_image(panel: Panel, image: NDArray[np.uint8]) -> None:
    """Show a slice and mark the patient's sides."""
    right, bottom = panel.left + panel.width, panel.top + panel.height
    panel.sheet.axes.imshow(
        image, aspect="auto", interpolation="nearest", extent=(panel.left, right, bottom, panel.top), zorder=1
    )
    down = panel.top + _MARK_MM + 0.75 * _MARK_POINTS * _MM_PER_POINT / 2
    reach = _MARK_MM + 0.7 * _MARK_POINTS * _MM_PER_POINT / 2
    marks = [(panel.left + reach, down, "R"), (right - reach, down, "L")]
    _draw_glyphs(panel.sheet, marks, _MARK_POINTS, framed=False)


def find_outlines(labels: NDArray[np.int16], names: Mapping[int, Region]) -> Outlines:
    """Return the outline of each region of a slice, and its name where there is room."""
    from scipy.ndimage import find_objects  # noqa: PLC0415 - late

    lines: list[NDArray[np.float64]] = []
    named: list[tuple[float, float, str]] = []
    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        corner = np.array([int(box[1].start) - 1.0, int(box[0].start) - 1.0])
        mask = np.pad(labels[box] == label, 1)
        lines += [line + corner for line in _find_contours(mask)]
        if mask.sum() > 0.002 * labels.size:
            column, row = corner + _find_thickest(mask)
            named.append((float(column), float(row), names[label].name))
    return Outlines(lines=tuple(lines), names=tuple(named))


def draw_outlines(panel: Panel, found: Outlines, *, named: bool = True, colour: str = "white") -> None:
    """Outline the regions of a slice, and write their names in them."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - late: loaded when something is drawn

    lines = [panel.place(line) for line in found.lines]
    for width, tone in ((1.1, "black"), (0.5, colour)):
        panel.sheet.axes.add_collection(LineCollection(lines, colors=tone, linewidths=width, zorder=2), autolim=False)
    if named and found.names:
        places = panel.place(np.array([(column, row) for column, row, _ in found.names]))
        marks = [(float(x), float(y), name) for (x, y), (_, _, name) in zip(places, found.names, strict=True)]
        _draw_glyphs(panel.sheet, marks, _NAME_POINTS, framed=True)


def _find_contours(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """The outlines of a region as (column, row)."""
    from skimage.measure import find_contours  # noqa: PLC0415 - late: loaded when something is drawn

    for line in find_contours(mask.astype(np.float32), 0.5):
        yield line[:, ::-1]


def _find_thickest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Column and row where the region is thickest, so that a name stands inside even of a crescent."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - late

    depth: NDArray[np.float64] = distance_transform_edt(mask)  # pyright: ignore[reportAssignmentType]
    row, column = np.unravel_index(int(np.argmax(depth)), mask.shape)
    return int(column), int(row)


def _draw_glyphs(sheet: Sheet, marks: Sequence[tuple[float, float, str]], points: float, *, framed: bool) -> None:
    """Write short words around places on the sheet, in white, all as one shape."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415 - late: loaded when something is drawn
    from matplotlib.path import Path as Outline  # noqa: PLC0415 - as above

    scale = np.array([1.0, -1.0]) * (points * _MM_PER_POINT)
    glyphs = [(_make_glyph(words), np.array([x, y])) for x, y, words in marks]
    shape = Outline.make_compound_path(
        *(Outline(np.asarray(glyph.vertices) * scale + place, glyph.codes) for glyph, place in glyphs)
    )
    for tone, width in (("black", 1.0), ("white", 0.0))[0 if framed else 1 :]:
        sheet.axes.add_artist(PathPatch(shape, facecolor=tone, edgecolor=tone, linewidth=width, zorder=3))


@cache
def _make_glyph(words: str) -> Outline:
    """The outline of words one unit high, around (0, 0)."""
    from matplotlib.path import Path as Outline  # noqa: PLC0415 - late: loaded when something is drawn
    from matplotlib.textpath import TextPath  # noqa: PLC0415 - as above

    made = TextPath((0, 0), words, size=100)
    box = made.get_extents()
    middle = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    return Outline((np.asarray(made.vertices) - middle) / 100, made.codes)


def draw_colour_bar(
    sheet: Sheet, place: tuple[float, float, float], colours: str, ends: tuple[float, float], words: str
) -> None:
    """Draw the scale of a map at (left, top) of the sheet, so wide in millimetres, with five or six numbers below."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - late: loaded when something is drawn

    (left, top, width), (low, high), height = place, ends, 2.2
    ramp = _colour(np.linspace(low, high, 256, dtype=np.float32)[None], colours, ends, "black")
    box = (left, left + width, top + height, top)
    sheet.axes.imshow(ramp, aspect="auto", interpolation="nearest", extent=box, zorder=1)
    ticks = [value for value in cast("list[float]", MaxNLocator(5).tick_values(low, high)) if low <= value <= high]
    for value in ticks:
        x = left + width * (value - low) / (high - low)
        sheet.axes.plot([x, x], [top + height, top + height + 0.7], color=MUTED, linewidth=0.5)
        sheet.write(x, top + height + 2.3, f"{value:g}".replace("-", "−"), ha="center")
    sheet.write(left + width / 2, top + height + 5.2, words, size=6.5, ha="center")


def describe_slice(index: int, slices: int, spacing_mm: float) -> str:
    """Say where a slice lies.

    Examples
    --------
    >>> describe_slice(4, 16, 24.0)
    'slice 5 of 16, 96 mm above the lowest'
    """
    return f"slice {index + 1} of {slices}, {index * spacing_mm:.0f} mm above the lowest"


def _padded(places: NDArray[np.intp], size: int) -> slice:
    return slice(max(int(places[0]) - _MARGIN, 0), min(int(places[-1]) + 1 + _MARGIN, size))
