"""The picture of one slide: what was measured, what was left out, and how brown it is.

Convention: the overview shows the tissue's outline, artefacts and positive places. Beside it stands the square with
most DAB, with the outline of what counts as positive; or, where cells are counted, tiles with the outlines of nuclei.
Below lie the three channels of a detail and the histogram of all tissue.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._block import COARSE, SQUARE_PX, Part
from rarefactor.pathology._cells import Cells, compute_grades
from rarefactor.pathology._density import H_DAB, compute_density, compute_stains
from rarefactor.pathology._excluded import list_excluded
from rarefactor.pathology._geojson import Annotation
from rarefactor.pathology._lookup import LOWEST, TISSUE_DENSITY, WIDTH
from rarefactor.pathology._paper import ARTEFACT, DETAIL, MUTED, POSITIVE, TISSUE, Mask, Place, Sheet, write_image
from rarefactor.pathology._picture_cells import choose_tiles, draw_tiles, read_nuclei
from rarefactor.pathology._picture_plot import draw_histogram
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._regions import rasterise
from rarefactor.pathology._settings import Reading, Settings, SlideFile
from rarefactor.pathology._slide import Slide, open_slide
from rarefactor.pathology._survey import Survey
from rarefactor.pathology._white import Rgb

_WIDTH, _HEIGHT = 180.0, 150.0
_THUMBNAIL = 260
_DARKEST = 1.0
"""Density at which a channel is shown in the full colour of its stain."""
_WIDEST = 0.3
"""Residual density at which its colours end."""
_LOW, _HIGH = (94, 60, 153), (230, 97, 1)


def draw_slide(file: SlideFile, survey: Survey, total: Part, settings: Settings) -> tuple[bytes, bytes]:
    """Return the picture of a slide and its thumbnail, both PNG."""
    reading = settings.reading(file.stain)
    sheet = Sheet(_WIDTH, _HEIGHT)
    words = " · ".join(word for word in (file.patient, file.visit, file.stain) if word)
    sheet.head(4, 5, words, size=9)
    sheet.write(4, 10, _say(survey, total, reading), fill=MUTED)
    with open_slide(file.path) as slide:
        draw = _draw_area if total.cells is None else _draw_cells
        detail, windows, overview = draw(sheet, slide, survey, total, reading)
    _draw_overview(sheet, file, survey, windows, (overview, reading))
    _draw_channels(sheet, detail, survey)
    sheet.head(130, 104.5, "DAB density")
    sheet.write(176, 104.5, "% of tissue per 0.01", size=5, fill=MUTED, anchor="rm")
    draw_histogram(sheet, (139, 108, 37, 32), compute_curve(total), reading.threshold)
    return sheet.png(f"DAB of {words}"), write_image(survey.overview, _THUMBNAIL)


def compute_curve(total: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return DAB densities in steps of 0.01, and the percentage of tissue at each."""
    counts = total.histogram.counts[1].reshape(-1, COARSE).sum(axis=1)
    centres = LOWEST + WIDTH * COARSE * (np.arange(len(counts), dtype=np.float64) + 0.5)
    return centres.astype(np.float64), 100.0 * counts / max(1, int(counts.sum()))


def _say(survey: Survey, total: Part, reading: Reading) -> str:
    share = total.histogram.compute_share(reading.threshold, of_all=reading.counts_section)
    area = "" if np.isnan(share) else f"{100 * share:.1f}% of tissue at a DAB density of {reading.threshold:g} or more"
    cells = "" if total.cells is None else _say_cells(total.cells, reading)
    white = f"white {survey.white.text}"
    names = ", ".join(dict.fromkeys(flag.name for flag in survey.flags)) or "none"
    return f"{area or 'No tissue'}{cells} · {white} · flags: {names}"


def _say_cells(cells: Cells, reading: Reading) -> str:
    grades = compute_grades(cells, reading.compartment, reading.grades)
    return f" · {len(cells)} cells, {int((grades > 0).sum())} positive"


def _draw_area(
    sheet: Sheet, slide: Slide, survey: Survey, total: Part, reading: Reading
) -> tuple[Rgb, tuple[Window, ...], Place]:
    """Draw the square with most DAB; return it, where it lies, and the place that is left for the overview."""
    window = _choose_window(survey, total, reading)
    detail = slide.read_tile(window, downsample=survey.downsample).image
    end = sheet.head(96, 17, "Where most DAB is", fill=DETAIL)
    sheet.draw_key(end + 3, 17, "outline of what is positive", POSITIVE)
    frame = sheet.show(detail, (96, 20, 80, 78))
    frame.draw_outline(_find_positive(detail, survey, reading), POSITIVE, width=1)
    frame.draw_bar(survey.um_per_px)
    return detail, (window,), (4, 20, 84, 78)


def _draw_cells(
    sheet: Sheet, slide: Slide, survey: Survey, total: Part, reading: Reading
) -> tuple[Rgb, tuple[Window, ...], Place]:
    """Draw tiles with their nuclei; return the one with most positive cells, where all lie, and what place is left."""
    tiles = choose_tiles(total, survey, reading)
    read = tuple(read_nuclei(slide, window, (total, survey, reading)) for window in (*tiles.random, *tiles.extreme))
    draw_tiles(sheet, read, len(tiles.random), survey.um_per_px)
    detail = read[min(len(tiles.random), len(read) - 1)].image
    return detail, (*tiles.random, *tiles.extreme), (4, 20, 54, 78)


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


def _draw_overview(
    sheet: Sheet, file: SlideFile, survey: Survey, windows: tuple[Window, ...], how: tuple[Place, Reading]
) -> None:
    image, (place, reading) = survey.overview, how
    pitch = survey.width / image.shape[1]
    end = sheet.head(4, 17, "Overview") + 3
    for words, colour in (("tissue", TISSUE), ("positive", POSITIVE), ("artefact", ARTEFACT)):
        end = sheet.draw_key(end, 17, words, colour) + 2
    tissue, artefact = (_on_image(mask, image.shape) for mask in (survey.measured, survey.excluded))
    left_out = _mark(list_excluded(file, survey.sha256), survey, image.shape)
    tissue, artefact = tissue & ~left_out, artefact | left_out
    frame = sheet.show(image, place)
    frame.draw_tint(_find_positive(image, survey, reading) & tissue, POSITIVE, 0.6)
    frame.draw_tint(artefact, ARTEFACT, 0.45)
    frame.draw_outline(artefact, ARTEFACT, width=1)
    frame.draw_outline(tissue, TISSUE)
    for each in windows:
        if (each.width, each.height) != (survey.width, survey.height):
            box = each.x, each.y, each.x + each.width, each.y + each.height
            frame.draw_box((box[0] / pitch, box[1] / pitch, box[2] / pitch, box[3] / pitch), DETAIL)
    frame.draw_bar(survey.microns.value * pitch if survey.microns else None)


def _draw_channels(sheet: Sheet, detail: Rgb, survey: Survey) -> None:
    stains = compute_stains(detail, survey.white)
    for place, name in enumerate(("Hematoxylin", "DAB", "Residual")):
        left = 4 + place * 41
        sheet.head(left, 104.5, name)
        residual = name == "Residual"
        span = f"density −{_WIDEST:g} to {_WIDEST:g}" if residual else f"density 0 to {_DARKEST:g}"
        sheet.write(left + 38, 104.5, span, size=5, fill=MUTED, anchor="rm")
        density = stains[..., place]
        sheet.show(_colour_residual(density) if residual else _colour_stain(density, place), (left, 108, 38, 38))


def _colour_stain(density: NDArray[np.float32], stain: int) -> Rgb:
    """Return what a stain would look like alone on white glass."""
    table = 255 * 10.0 ** (-np.linspace(0, _DARKEST, 256)[:, None] * H_DAB.directions[stain] * 1.2)
    places = np.clip(density * (255 / _DARKEST), 0, 255).astype(np.uint8)
    return table.astype(np.uint8)[places]


def _colour_residual(density: NDArray[np.float32]) -> Rgb:
    """Return too little of the residual in purple, too much in orange."""
    steps = np.linspace(-1, 1, 255)[:, None]
    ends = np.where(steps < 0, np.array(_LOW), np.array(_HIGH))
    table = (255 + np.abs(steps) * (ends - 255)).astype(np.uint8)
    return table[np.clip(density * (127 / _WIDEST) + 127, 0, 254).astype(np.uint8)]


def _find_positive(image: Rgb, survey: Survey, reading: Reading) -> Mask:
    density = compute_density(image, survey.white)
    dense = density[..., 0] + density[..., 1] + density[..., 2] >= TISSUE_DENSITY
    return dense & (density @ H_DAB.unmixing[:, 1].astype(np.float32) >= reading.threshold)


def _mark(regions: Sequence[Annotation], survey: Survey, shape: tuple[int, ...]) -> Mask:
    """Return which pixels of the overview regions hold."""
    pitch = survey.width / shape[1]
    whole = Window(x=0, y=0, width=shape[1] * pitch, height=shape[0] * pitch)
    found = np.zeros(shape[:2], dtype=np.bool_)
    for region in regions:
        found |= rasterise(region, whole, pitch)[: shape[0], : shape[1]]
    return found


def _on_image(squares: Mask, shape: tuple[int, ...]) -> Mask:
    places = [
        np.minimum((np.arange(length) + 0.5) * count / length, count - 1).astype(np.int64)
        for length, count in zip(shape[:2], squares.shape, strict=True)
    ]
    return squares[np.ix_(places[0], places[1])]
