"""What the pictures of scans are made of: panels as radiologists read them, outlines, colours, and the paper.

Convention: front of the thigh on top, the patient's right on the left, both marked; grey images run from black to the
99.5th percentile of the slice; fat fraction is 0 to 100 % on viridis, change is purple (less fat) to orange (more fat),
both told apart in every common form of colour blindness. Only matplotlib's objects are used, never its global state.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1b1f24"
MUTED = "#5d6874"
FRACTION_COLOURS = "viridis"
CHANGE_COLOURS = "PuOr_r"
_MARGIN = 6
_DPI = 200
_MM_PER_INCH = 25.4


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


def make_figure(width_mm: float, height_mm: float) -> Figure:
    """Return an empty white sheet."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - late: loaded when something is drawn

    return Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), dpi=_DPI, facecolor="white")


def write_png(figure: Figure, *, about: str) -> bytes:
    """Return a picture as PNG: the same bytes for the same picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None, "Description": about})
    return buffer.getvalue()


def draw_image(axes: Axes, image: NDArray[Any], aspect: float, **style: Any) -> Any:
    """Show one slice without ticks on black, and mark the patient's sides."""
    axes.set_facecolor("black")
    shown = axes.imshow(image, aspect=aspect, interpolation="nearest", **style)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for mark, place, side in (("R", 0.015, "left"), ("L", 0.985, "right")):
        axes.text(place, 0.97, mark, transform=axes.transAxes, color="white", ha=side, va="top", fontsize=6)
    return shown


def draw_grey(axes: Axes, image: NDArray[np.float32], body: NDArray[np.bool_], aspect: float) -> None:
    """Show a slice in grey, up to the 99.5th percentile of the body in it."""
    brightest = float(np.percentile(image[body], 99.5)) if body.any() else 0.0
    draw_image(axes, image, aspect, cmap="gray", vmin=0.0, vmax=brightest or 1.0)


def draw_fraction(axes: Axes, fraction: NDArray[np.float32], valid: NDArray[np.bool_], aspect: float) -> Any:
    """Show a slice of fat fraction (0 to 1) in per cent, black where there is none."""
    shown = np.ma.masked_where(~valid, 100.0 * fraction)
    return draw_image(axes, shown, aspect, cmap=FRACTION_COLOURS, vmin=0.0, vmax=100.0)


def draw_change(axes: Axes, change: NDArray[np.float32], valid: NDArray[np.bool_], aspect: float, limit: float) -> Any:
    """Show a slice of change of fat fraction (in percentage points), from -limit to limit."""
    shown = np.ma.masked_where(~valid, change)
    picture = draw_image(axes, shown, aspect, cmap=CHANGE_COLOURS, vmin=-limit, vmax=limit)
    axes.set_facecolor("#30343a")
    return picture


def draw_outlines(
    axes: Axes, labels: NDArray[np.int16], names: Mapping[int, Region], *, named: bool = True, colour: str = "white"
) -> None:
    """Outline each region of a slice, and write its name in it where there is room."""
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - late: loaded when something is drawn
    from scipy.ndimage import find_objects  # noqa: PLC0415 - late

    lines: list[NDArray[np.float64]] = []
    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        corner = int(box[0].start) - 1, int(box[1].start) - 1
        mask = np.pad(labels[box] == label, 1)
        lines += _find_outlines(mask, corner)
        if named and mask.sum() > 0.002 * labels.size:
            _write_name(axes, mask, corner, names[label].name)
    for width, tone in ((1.1, "black"), (0.5, colour)):
        axes.add_collection(LineCollection(lines, colors=tone, linewidths=width, zorder=2), autolim=False)


def _find_outlines(mask: NDArray[np.bool_], corner: tuple[int, int]) -> list[NDArray[np.float64]]:
    """The outlines of a region as (column, row) of the slice."""
    from skimage.measure import find_contours  # noqa: PLC0415 - late: loaded when something is drawn

    return [(line + corner)[:, ::-1] for line in find_contours(mask.astype(np.float32), 0.5)]


def draw_colour_bar(figure: Figure, picture: Any, place: Sequence[float], words: str) -> None:
    """Draw the scale of a map at (left, bottom, width, height) of the sheet."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - late: loaded when something is drawn

    axes = figure.add_axes((place[0], place[1], place[2], place[3]))
    bar = figure.colorbar(picture, cax=axes, orientation="horizontal")
    bar.locator = MaxNLocator(5)
    bar.update_ticks()
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue] - typed as a property of another class
    axes.tick_params(labelsize=6, length=2, width=0.5, color=MUTED, labelcolor=INK)
    axes.set_xlabel(words, fontsize=6.5, color=INK, labelpad=1.5)


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


def _write_name(axes: Axes, mask: NDArray[np.bool_], corner: tuple[int, int], name: str) -> None:
    """Write a name where the region is thickest, so that it stands inside even of a crescent."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 - late: loaded when something is drawn
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - late

    depth: NDArray[np.float64] = distance_transform_edt(mask)  # pyright: ignore[reportAssignmentType]
    row, column = np.unravel_index(int(np.argmax(depth)), mask.shape)
    place = float(corner[1] + column), float(corner[0] + row)
    text = axes.text(*place, name, color="white", fontsize=4.2, ha="center", va="center")
    text.set_path_effects([withStroke(linewidth=1.0, foreground="black")])
