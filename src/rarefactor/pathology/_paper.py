"""What the pictures of slides are drawn on: the sheet, its colours, and how it becomes a file.

Convention: sizes are in mm; only matplotlib's objects are used, never its global state. Positive is magenta, tissue's
outline green, artefacts yellow, the region looked at closely blue: told apart on brown and blue sections, and in every
common form of colour blindness by their place and form too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._white import Rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED = "#1b1f24", "#5d6874"
POSITIVE, TISSUE, ARTEFACT, DETAIL, NEGATIVE = "#d0006f", "#00805a", "#f2b400", "#0b5fff", "#2458c9"
_DPI, _MM_PER_INCH = 200, 25.4


class Sheet:
    """A white sheet of ``width`` x ``height`` mm; places on it are (left, top, width, height) in mm."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure  # noqa: PLC0415 - late: loaded when something is drawn

        size = (width / _MM_PER_INCH, height / _MM_PER_INCH)
        self.figure: Figure = Figure(figsize=size, dpi=_DPI, facecolor="white")
        self.width, self.height = width, height

    def add(self, place: Sequence[float]) -> Axes:
        """Return axes at a place."""
        left, top, width, height = place
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def write(self, left: float, top: float, words: str, **style: Any) -> None:
        """Write words at a place: the left end and the middle of the line."""
        kept: dict[str, Any] = {"fontsize": 6.5, "color": INK, "va": "center", **style}
        self.figure.text(left / self.width, 1 - top / self.height, words, **kept)

    def png(self, about: str) -> bytes:
        """Return the sheet as PNG: the same bytes for the same picture."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None, "Description": about})
        return buffer.getvalue()


def fit_place(shape: tuple[int, ...], place: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the largest place inside another that has an image's proportions, at its upper left.

    Examples
    --------
    >>> fit_place((100, 200), (10, 20, 50, 50))
    (10, 20, 50.0, 25.0)
    """
    left, top, width, height = place
    scale = min(width / shape[1], height / shape[0])
    return left, top, shape[1] * scale, shape[0] * scale


def show_image(axes: Axes, image: NDArray[Any], **style: Any) -> Any:
    """Show an image without ticks, in a thin frame."""
    shown = axes.imshow(image, aspect="auto", interpolation="antialiased", **style)
    hide_ticks(axes)
    return shown


def hide_ticks(axes: Axes) -> None:
    """Leave nothing of the axes but a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
        spine.set_color(MUTED)


def draw_mask(axes: Axes, mask: NDArray[np.bool_], colour: str, *, width: float = 0.7) -> None:
    """Outline a mask on the pixels of the image that is shown."""
    from skimage.measure import find_contours  # noqa: PLC0415 - late: loaded when something is drawn

    padded = np.pad(mask, 1).astype(np.float32)
    for line in find_contours(padded, 0.5):
        axes.plot(line[:, 1] - 1, line[:, 0] - 1, color=colour, linewidth=width)


def draw_bar(axes: Axes, shape: tuple[int, ...], um_per_px: float | None) -> None:
    """Draw a scale bar of a round length at the lower right, where the size of a pixel is known."""
    if um_per_px is None:
        return
    wanted = 0.25 * shape[1] * um_per_px
    exponent = 10.0 ** np.floor(np.log10(wanted))
    length = max(factor * exponent for factor in (1, 2, 5) if factor * exponent <= wanted)
    right, low = 0.96 * shape[1], 0.95 * shape[0]
    axes.plot([right - length / um_per_px, right], [low, low], color=INK, linewidth=1.6, solid_capstyle="butt")
    words = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
    middle = right - length / um_per_px / 2
    axes.text(middle, low - 0.02 * shape[0], words, fontsize=5, color=INK, ha="center", va="bottom", bbox=box)


def write_image(image: Rgb, side: int) -> bytes:
    """Return an image as PNG, its longer side reduced to ``side`` pixels."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    buffer = io.BytesIO()
    small = Image.fromarray(image)
    small.thumbnail((side, side))
    small.save(buffer, format="PNG")
    return buffer.getvalue()


def read_image(data: bytes) -> Rgb:
    """Return an image that :func:`write_image` wrote."""
    from PIL import Image  # noqa: PLC0415 - late: loaded when something is drawn

    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
