"""The first look at a slide: its light, where tissue is and what lies on it, whether the stain is DAB.

Convention: masks are on squares of ``step`` level-0 pixels; everything that blocks of the slide must share is here, so
that they can be measured apart and added up. What is refused is refused before any pixel is counted.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._artefacts import Artefacts, compute_artefacts
from rarefactor.pathology._density import compute_stains
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._microns import MicronsPerPixel
from rarefactor.pathology._paper import read_image, write_jpeg
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._settings import COARSEST_CELLS_UM, WANTED_UM, Settings, SlideFile
from rarefactor.pathology._slide import Slide, open_slide
from rarefactor.pathology._stain import StainSettings, compute_stain_check
from rarefactor.pathology._tissue import Mask, compute_tissue
from rarefactor.pathology._white import Rgb, White, WhiteSource, compute_block_means, compute_white
from rarefactor.results import Flag, Severity
from rarefactor.work import read_packed, write_packed

FIELD_PIXELS = 20_000_000
"""An image of up to this many pixels is looked at whole, a larger one by an overview and by windows."""
OVERVIEW_UM, OVERVIEW_SIDE = 4.0, 3000
"""µm per pixel of an overview, and its longer side in pixels where the size of a pixel is not known."""
SHOWN_SIDE = 1000
"""Longer side of the overview that is kept for pictures."""
TISSUE_UM, TISSUE_SIDE = 8.0, 1000
"""µm per square of the tissue mask, and squares along the longer side where the size of a pixel is not known."""
WINDOWS, WINDOW_PX = 16, 512
"""Windows of a large slide in which the stain is judged: half where most DAB is, half evenly over the tissue."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """What the first look gave.

    Attributes
    ----------
    width, height, reader, sha256, microns
        Of the file, level 0.
    downsample
        By which pixels are averaged before they are measured.
    white
        The light without tissue.
    measured, excluded
        (row, column) of squares: tissue without artefacts; artefacts.
    step
        Level-0 pixels along a square's side.
    shares
        Share of tissue of each artefact.
    dab_angle, residual
        Of the stain check; None where too little is positive.
    overview
        (row, column, 3), for pictures only: it is kept as JPEG.
    flags
        What is doubtful.
    """

    width: int
    height: int
    reader: str
    sha256: str
    microns: MicronsPerPixel | None
    downsample: float
    white: White
    measured: Mask
    excluded: Mask
    step: float
    shares: Mapping[str, float]
    dab_angle: float | None
    residual: float | None
    overview: Rgb
    flags: tuple[Flag, ...]

    @property
    def um_per_px(self) -> float | None:
        """Micrometres per pixel as it is measured."""
        return self.microns.value * self.downsample if self.microns else None

    def expand(self, window: Window, squares: Mask) -> Mask:
        """Return a mask of squares on the pixels of a window as it is measured."""
        rows, columns = window.shape(self.downsample)
        down = self._places(window.y, rows, squares.shape[0])
        across = self._places(window.x, columns, squares.shape[1])
        return _spread(squares, down, across)

    def holds_tissue(self, window: Window) -> bool:
        """Whether there is something to measure in a window."""
        rows, columns = self.measured.shape
        top, left = int(window.y / self.step), int(window.x / self.step)
        bottom, right = int((window.y + window.height) / self.step) + 1, int((window.x + window.width) / self.step) + 1
        return bool(self.measured[min(top, rows - 1) : bottom, min(left, columns - 1) : right].any())

    def _places(self, start: float, count: int, squares: int) -> NDArray[np.int64]:
        centres = start + (np.arange(count) + 0.5) * self.downsample
        return np.clip((centres / self.step).astype(np.int64), 0, squares - 1)


def survey_slide(file: SlideFile, settings: Settings) -> Survey:
    """Return the first look at a slide.

    Raises
    ------
    ImageError
        The file cannot be read, or what it shows must not be measured.
    """
    with open_slide(file.path) as slide:
        _refuse(file, slide.flags)
        microns = _find_scale(slide, settings)
        downsample = max(1.0, WANTED_UM / microns.value) if microns else 1.0
        downsample = downsample if downsample > 1.02 else 1.0
        factor = _choose_overview(slide, microns, downsample)
        overview = slide.read(0, 0, slide.width, slide.height, downsample=factor)
        um = microns.value * factor if microns else None
        white = compute_white(overview)
        artefacts = compute_artefacts(overview, white, um_per_px=um)
        small, step = _shrink(overview, _tissue_step(overview, um))
        excluded = _resize(artefacts.excluded, artefacts.block_px, small.shape, step)
        measured = compute_tissue(small, white, exclude=excluded)
        check = StainSettings(threshold=settings.reading(file.stain).threshold)
        image, mask = _sample(slide, overview, (factor, downsample), (measured, step * factor), white)
        found = compute_stain_check(image, white, mask=mask, settings=check)
        _refuse(file, found.flags)
        return Survey(
            width=slide.width,
            height=slide.height,
            reader=slide.reader,
            sha256=slide.sha256,
            microns=microns,
            downsample=downsample,
            white=white,
            measured=measured,
            excluded=excluded,
            step=step * factor,
            shares=artefacts.shares,
            dab_angle=found.dab_angle,
            residual=found.residual,
            overview=_shrink(overview, -(-max(overview.shape[:2]) // SHOWN_SIDE))[0],
            flags=_join_flags(slide, settings, (white, artefacts, microns), found.flags),
        )


def write_survey(survey: Survey) -> bytes:
    """Return a survey as bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, measured=survey.measured, excluded=survey.excluded)
    words = json.dumps(_as_words(survey)).encode()
    return write_packed(
        {"survey.json": words, "masks.npz": buffer.getvalue(), "overview.jpg": write_jpeg(survey.overview)}
    )


def read_survey(data: bytes) -> Survey:
    """Return what :func:`write_survey` wrote."""
    files = read_packed(data)
    words: dict[str, Any] = json.loads(files["survey.json"])
    with np.load(io.BytesIO(files["masks.npz"]), allow_pickle=False) as held:
        masks = {name: held[name] for name in held.files}
    white = words.pop("white")
    level = tuple(white["level"])
    words["white"] = White(
        level=(level[0], level[1], level[2]),
        source=WhiteSource(white["source"]),
        share=white["share"],
        flags=read_flags(white["flags"]),
    )
    words["microns"] = MicronsPerPixel(**words["microns"]) if words["microns"] else None
    words["flags"] = read_flags(words["flags"])
    return Survey(**words, **masks, overview=read_image(files["overview.jpg"]))


def read_flags(items: Sequence[Mapping[str, str]]) -> tuple[Flag, ...]:
    """Return flags from what JSON keeps of them."""
    return tuple(Flag(name=i["name"], severity=Severity(i["severity"]), detail=i["detail"]) for i in items)


def _as_words(survey: Survey) -> dict[str, Any]:
    names = ("width", "height", "reader", "sha256", "downsample", "step", "dab_angle", "residual")
    return {
        **{name: getattr(survey, name) for name in names},
        "shares": dict(survey.shares),
        "white": asdict(survey.white),
        "microns": asdict(survey.microns) if survey.microns else None,
        "flags": [asdict(flag) for flag in survey.flags],
    }


def _find_scale(slide: Slide, settings: Settings) -> MicronsPerPixel | None:
    if settings.um_per_px is None:
        return slide.microns_per_pixel
    return MicronsPerPixel(value=settings.um_per_px, source="given by the user")


def _choose_overview(slide: Slide, microns: MicronsPerPixel | None, downsample: float) -> float:
    if slide.width * slide.height <= FIELD_PIXELS * downsample**2:
        return downsample
    coarse = OVERVIEW_UM / microns.value if microns else max(slide.width, slide.height) / OVERVIEW_SIDE
    return max(downsample, coarse)


def _tissue_step(overview: Rgb, um: float | None) -> int:
    longest = max(overview.shape[:2])
    return max(1, round(TISSUE_UM / um) if um else -(-longest // TISSUE_SIDE))


def _shrink(image: Rgb, factor: int) -> tuple[Rgb, int]:
    """Return the means of squares, and their side: fewer pixels where the image is small."""
    factor = max(1, min(factor, *image.shape[:2]))
    if factor == 1:
        return image, 1
    return np.rint(compute_block_means(image, factor)).astype(np.uint8), factor


def _resize(squares: Mask, block_px: int, shape: tuple[int, ...], step: int) -> Mask:
    """Return a mask of squares of ``block_px`` on squares of ``step``."""
    if not squares.size:
        return np.zeros(shape[:2], dtype=np.bool_)
    places = [
        np.minimum(((np.arange(length) + 0.5) * step / block_px).astype(np.int64), count - 1)
        for length, count in zip(shape[:2], squares.shape, strict=True)
    ]
    return squares[np.ix_(places[0], places[1])]


def _sample(
    slide: Slide, overview: Rgb, factors: tuple[float, float], tissue: tuple[Mask, float], white: White
) -> tuple[Rgb, Mask]:
    """Return what the stain is judged on: the whole of a field, windows of a slide; and where it is tissue."""
    (factor, downsample), (mask, step) = factors, tissue
    if factor == downsample:
        window = Window(x=0, y=0, width=slide.width, height=slide.height)
        return overview, _on_pixels(mask, window, overview.shape, downsample / step, 1 / step)
    side = WINDOW_PX * downsample
    images: list[Rgb] = []
    masks: list[Mask] = []
    for x, y in _choose_places(overview, mask, white, step / factor):
        left, top = (int(max(0, centre * factor - side / 2)) for centre in (x, y))
        window = Window(x=left, y=top, width=int(side), height=int(side))
        images.append(slide.read(left, top, int(side), int(side), downsample=downsample))
        masks.append(_on_pixels(mask, window, images[-1].shape, downsample / step, 1 / step))
    if not images:
        return overview, np.zeros(overview.shape[:2], dtype=np.bool_)
    return np.concatenate(images), np.concatenate(masks)


def _on_pixels(mask: Mask, window: Window, shape: tuple[int, ...], pitch: float, scale: float) -> Mask:
    """Return squares on pixels that are ``pitch`` squares apart."""
    starts = (window.y * scale, window.x * scale)
    places = [
        np.clip((start + (np.arange(length) + 0.5) * pitch).astype(np.int64), 0, count - 1)
        for start, length, count in zip(starts, shape[:2], mask.shape, strict=True)
    ]
    return _spread(mask, places[0], places[1])


def _spread(squares: Mask, down: NDArray[np.int64], across: NDArray[np.int64]) -> Mask:
    """Return rows ``down`` and columns ``across``, which rise: columns first, while there are few rows."""
    first = int(down[0])
    return squares[first : int(down[-1]) + 1].take(across, axis=1).take(down - first, axis=0)


def _choose_places(overview: Rgb, mask: Mask, white: White, step: float) -> list[tuple[float, float]]:
    """Return centres (x, y) on the overview: half where most DAB is, half evenly over the tissue."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return []
    y, x = (
        np.minimum(((place + 0.5) * step).astype(np.int64), size - 1)
        for place, size in zip((rows, columns), overview.shape[:2], strict=True)
    )
    density = compute_stains(overview[y, x][None], white)[0, :, 1]
    brown = np.argsort(density, kind="stable")[::-1]
    spread = np.linspace(0, rows.size - 1, WINDOWS // 2).astype(np.int64)
    most = brown[: max(1, rows.size // 200)]
    chosen = [*most[np.linspace(0, most.size - 1, WINDOWS // 2).astype(np.int64)], *spread]
    return [(float(x[place]), float(y[place])) for place in dict.fromkeys(int(each) for each in chosen)]


def _refuse(file: SlideFile, flags: Sequence[Flag]) -> None:
    refused = [flag for flag in flags if flag.severity is Severity.REFUSED]
    if refused:
        raise ImageError(
            Problem(
                file=file.path.name,
                found=" ".join(flag.detail for flag in refused).rstrip("."),
                expected="a section in colour, stained with hematoxylin and DAB and nothing else",
                next_step="Leave the slide out, or look at its stain and its white.",
            )
        )


def _join_flags(
    slide: Slide,
    settings: Settings,
    found: tuple[White, Artefacts, MicronsPerPixel | None],
    stain: Sequence[Flag],
) -> tuple[Flag, ...]:
    white, artefacts, microns = found
    own = [flag for flag in slide.flags if not (flag.name == "um_per_px_unknown" and microns)]
    told = slide.microns_per_pixel
    if settings.um_per_px and told and abs(told.value / settings.um_per_px - 1) > 0.02:
        detail = f"The file says {told.value:.4g} µm per pixel; {settings.um_per_px:.4g} was given and holds."
        own.append(warn("um_per_px_conflict", detail))
    if microns and microns.value > COARSEST_CELLS_UM:
        own.append(note("coarse_pixels", f"{microns.value:.3g} µm per pixel are too coarse for single nuclei."))
    return tuple(dict.fromkeys((*own, *white.flags, *artefacts.flags, *stain)))
