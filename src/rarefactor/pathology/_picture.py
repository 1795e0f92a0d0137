"""The picture of one slide: what was measured, what was left out, and how brown it is.

Convention: the overview shows the tissue's outline, artefacts and positive places; the close view is the square with
most DAB, with the outline of what counts as positive, and its three channels; the histogram is of all tissue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._block import COARSE, SQUARE_PX, Part
from rarefactor.pathology._cells import compute_grades
from rarefactor.pathology._density import compute_density, compute_stains
from rarefactor.pathology._lookup import LOWEST, TISSUE_DENSITY, WIDTH
from rarefactor.pathology._paper import (
    ARTEFACT,
    DETAIL,
    INK,
    MUTED,
    NEGATIVE,
    POSITIVE,
    TISSUE,
    Sheet,
    draw_bar,
    draw_mask,
    fit_place,
    hide_ticks,
    show_image,
    write_image,
)
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._settings import Reading, Settings, SlideFile
from rarefactor.pathology._slide import open_slide
from rarefactor.pathology._survey import Survey
from rarefactor.pathology._white import Rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Mask = NDArray[np.bool_]
_WIDTH, _HEIGHT = 180.0, 150.0
_THUMBNAIL = 260
_CHANNELS = ("Hematoxylin", "DAB", "Residual")


def draw_slide(file: SlideFile, survey: Survey, total: Part, settings: Settings) -> tuple[bytes, bytes]:
    """Return the picture of a slide and its thumbnail, both PNG."""
    reading = settings.reading(file.stain)
    window = _choose_window(survey, total, reading)
    with open_slide(file.path) as slide:
        detail = slide.read_tile(window, downsample=survey.downsample).image
    sheet = Sheet(_WIDTH, _HEIGHT)
    words = " · ".join(word for word in (file.patient, file.visit, file.stain) if word)
    sheet.write(4, 5, words, fontsize=9, weight="bold")
    sheet.write(4, 10, _say(survey, total, reading), color=MUTED)
    _draw_overview(sheet, survey, window, reading)
    _draw_detail(sheet, detail, survey, (window, total), reading)
    _draw_channels(sheet, detail, survey)
    draw_histogram(sheet.add((136, 108, 40, 33)), total, reading)
    sheet.write(136, 104.5, "DAB density of the tissue", weight="bold")
    return sheet.png(f"DAB of {words}"), write_image(survey.overview, _THUMBNAIL)


def _say(survey: Survey, total: Part, reading: Reading) -> str:
    share = total.histogram.compute_share(reading.threshold, of_all=reading.counts_section)
    area = "" if np.isnan(share) else f"{100 * share:.1f} % of tissue at a DAB density of {reading.threshold:g} or more"
    white = f"white {survey.white.text}"
    names = ", ".join(dict.fromkeys(flag.name for flag in survey.flags)) or "none"
    return f"{area or 'No tissue'} · {white} · flags: {names}"


def _choose_window(survey: Survey, total: Part, reading: Reading) -> Window:
    """Return the square with most positive tissue, or the middle of the slide."""
    side = SQUARE_PX * survey.downsample
    if not len(total.corners):
        x, y = max(0.0, (survey.width - side) / 2), max(0.0, (survey.height - side) / 2)
    else:
        first = round((reading.threshold - LOWEST) / (WIDTH * COARSE))
        x, y = total.corners[int(np.argmax(total.squares[:, first:].sum(axis=1)))]
    width, height = (min(side, size) for size in (survey.width, survey.height))
    return Window(
        x=min(float(x), survey.width - width), y=min(float(y), survey.height - height), width=width, height=height
    )


def _draw_overview(sheet: Sheet, survey: Survey, window: Window, reading: Reading) -> None:
    image = survey.overview
    pitch = survey.width / image.shape[1]
    axes = sheet.add(fit_place(image.shape, (4, 20, 84, 78)))
    sheet.write(4, 17, "Overview", weight="bold")
    for left, words, colour in ((22, "tissue", TISSUE), (34, "positive", POSITIVE), (49, "artefact", ARTEFACT)):
        sheet.write(left, 17, words, color=colour)
    whole = Window(x=0, y=0, width=survey.width, height=survey.height)
    tissue, artefact = (_on_image(mask, image.shape) for mask in (survey.measured, survey.excluded))
    positive = _find_positive(image, survey, reading) & tissue
    shown = image.copy()
    shown[positive] = (np.array([208, 0, 111]) * 0.6 + shown[positive] * 0.4).astype(np.uint8)
    shown[artefact] = (np.array([242, 180, 0]) * 0.45 + shown[artefact] * 0.55).astype(np.uint8)
    show_image(axes, shown)
    draw_mask(axes, tissue, TISSUE)
    _draw_box(axes, window, whole, pitch)
    draw_bar(axes, image.shape, survey.microns.value * pitch if survey.microns else None)
    _keep_limits(axes, image.shape)


def _draw_box(axes: Axes, window: Window, whole: Window, pitch: float) -> None:
    if (window.width, window.height) == (whole.width, whole.height):
        return
    x, y = window.x / pitch, window.y / pitch
    right, bottom = x + window.width / pitch, y + window.height / pitch
    axes.plot([x, right, right, x, x], [y, y, bottom, bottom, y], color=DETAIL, linewidth=0.9)


def _draw_detail(sheet: Sheet, detail: Rgb, survey: Survey, what: tuple[Window, Part], reading: Reading) -> None:
    window, total = what
    axes = sheet.add(fit_place(detail.shape, (96, 20, 80, 78)))
    sheet.write(96, 17, "Where most DAB is", weight="bold", color=DETAIL)
    show_image(axes, detail)
    if total.cells is None:
        draw_mask(axes, _find_positive(detail, survey, reading), POSITIVE, width=0.35)
        sheet.write(125, 17, "outline: positive", color=POSITIVE)
    else:
        _draw_cells(sheet, axes, survey, (window, total), reading)
    draw_bar(axes, detail.shape, survey.um_per_px)
    _keep_limits(axes, detail.shape)


def _draw_cells(sheet: Sheet, axes: Axes, survey: Survey, what: tuple[Window, Part], reading: Reading) -> None:
    window, total = what
    if total.cells is None:
        return
    grades = compute_grades(total.cells, reading.compartment, reading.grades)
    x = (total.cells.x - window.x) / survey.downsample
    y = (total.cells.y - window.y) / survey.downsample
    for chosen, colour in ((grades == 0, NEGATIVE), (grades > 0, POSITIVE)):
        axes.scatter(x[chosen] - 0.5, y[chosen] - 0.5, s=22, facecolors="none", edgecolors=colour, linewidths=0.8)
    sheet.write(125, 17, "positive cell", color=POSITIVE)
    sheet.write(142, 17, "negative cell", color=NEGATIVE)


def _draw_channels(sheet: Sheet, detail: Rgb, survey: Survey) -> None:
    stains = compute_stains(detail, survey.white)
    for place, name in enumerate(_CHANNELS):
        left = 4 + place * 41
        axes = sheet.add(fit_place(detail.shape, (left, 108, 38, 38)))
        sheet.write(left, 104.5, name, weight="bold")
        residual = name == "Residual"
        low, high, colours = (-0.3, 0.3, "PuOr_r") if residual else (0.0, 1.0, "gray_r")
        show_image(axes, stains[..., place], cmap=colours, vmin=low, vmax=high)
        sheet.write(left + 20, 104.5, f"density {low:g} to {high:g}", color=MUTED, fontsize=5)


def draw_histogram(axes: Axes, total: Part, reading: Reading) -> None:
    """Draw the tissue of a slide by DAB density, and the threshold with what lies 0.05 around it."""
    edges, share = compute_curve(total)
    axes.fill_between(edges, share, step="mid", color="#8a6f5a", alpha=0.35, linewidth=0)
    axes.plot(edges, share, color="#6b4a2f", linewidth=0.8, drawstyle="steps-mid")
    axes.axvspan(reading.threshold - 0.05, reading.threshold + 0.05, color=POSITIVE, alpha=0.12, linewidth=0)
    axes.axvline(reading.threshold, color=POSITIVE, linewidth=0.9)
    axes.set_xlim(-0.1, 1.2)
    axes.set_ylim(0, None)
    axes.tick_params(labelsize=5.5, length=2, width=0.5, color=MUTED, labelcolor=INK, pad=1.5)
    axes.set_xlabel("DAB density", fontsize=6, color=INK, labelpad=1)
    axes.set_ylabel("% of tissue per 0.01", fontsize=6, color=INK, labelpad=1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_linewidth(0.5)


def compute_curve(total: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return DAB densities in steps of 0.01, and the percentage of tissue at each."""
    counts = total.histogram.counts[1].reshape(-1, COARSE).sum(axis=1)
    centres = LOWEST + WIDTH * COARSE * (np.arange(len(counts), dtype=np.float64) + 0.5)
    return centres.astype(np.float64), 100.0 * counts / max(1, int(counts.sum()))


def _find_positive(image: Rgb, survey: Survey, reading: Reading) -> Mask:
    dense = compute_density(image, survey.white).sum(axis=2) >= TISSUE_DENSITY
    return dense & (compute_stains(image, survey.white)[..., 1] >= reading.threshold)


def _on_image(squares: Mask, shape: tuple[int, ...]) -> Mask:
    places = [
        np.minimum((np.arange(length) + 0.5) * count / length, count - 1).astype(np.int64)
        for length, count in zip(shape[:2], squares.shape, strict=True)
    ]
    return squares[np.ix_(places[0], places[1])]


def _keep_limits(axes: Axes, shape: tuple[int, ...]) -> None:
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(shape[0] - 0.5, -0.5)
    hide_ticks(axes)
