"""The picture of a patient for a report: the middle slice without words, fat fraction by colour, regions outlined.

Convention: of two visits, the earlier, the later and the change stand side by side on the later one's grid; the
patient's right side is on the left; a pixel of a scan is a square of whole pixels here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._panels import CHANGE_COLOURS, FRACTION_COLOURS, choose_slices, find_window
from rarefactor.imaging._regions import LabelMap
from rarefactor.results import Picture
from rarefactor.work import write_png

LIMIT = 30.0
"""Change in percentage points at which the colours end."""
_ACROSS, _GAP, _LINE = 420, 8, 2
_WHITE, _DARK = 255, 90
_END = ".slice"
_CHANGE = "and the change (orange more fat, purple less, to 30 points)"
_SEEN = (
    "Middle slice through both thighs, coloured by fat fraction (dark 0%, yellow 100%), with the outlines of regions"
)

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Rgb = NDArray[np.uint8]
Number = TypeVar("Number", bound=np.generic)


def draw_slice(fractions: Sequence[Floats], valid: Bools, labels: LabelMap) -> bytes:
    """Return the middle slice of one fat fraction, or of two (0 to 1, slices by rows by columns) and their change.

    Parameters
    ----------
    fractions
        One or two volumes on the grid of ``labels``.
    valid
        Where all of them are known.
    """
    (index,) = choose_slices(labels.values, 1)
    window = find_window(valid[index : index + 1])
    known, regions = window.of(valid[index]), window.of(labels.values[index])
    maps = [(window.of(each[index]), FRACTION_COLOURS, (0.0, 1.0), "black") for each in fractions]
    if len(maps) == 2:
        change = 100 * (maps[1][0] - maps[0][0])
        maps.append((change, CHANGE_COLOURS, (-LIMIT, LIMIT), "#30343a"))
    spacing = labels.grid.spacing_mm
    across = max(1, round(_ACROSS / known.shape[1]))
    scale = max(1, round(across * spacing[1] / spacing[2])), across
    edges = _outline(_enlarge(regions, scale))
    panels: list[Rgb] = []
    for values, colours, ends, otherwise in maps:
        panel = _enlarge(_colour(np.where(known, values, np.nan), colours, ends, otherwise), scale)
        panel[edges] = _WHITE if otherwise == "black" else _DARK
        panels += [panel, np.full((panel.shape[0], _GAP, 3), _WHITE, np.uint8)]
    return write_png(np.concatenate(panels[:-1], axis=1))


def list_pictures(name: str, shown: Iterable[tuple[str, ...]], drawn: Mapping[str, bytes]) -> Iterator[Picture]:
    """Yield the pictures of patients at a visit, or at an earlier and a later one, that were drawn.

    ``shown`` holds patient and visits; ``path`` is that of the whole picture of the same.
    """
    for patient, *visits in shown:
        data = drawn.get(name_slice(patient, *visits))
        if data is None:
            continue
        said = f": {_say(visits[0])}, {_say(visits[-1])}, {_CHANGE}" if len(visits) > 1 else ""
        path = f"overlays/{'_'.join((patient, *visits))}.png"
        yield Picture(
            table=name, column="", subject=patient, visit=visits[-1], path=path, png=data, seen=f"{_SEEN}{said}"
        )


def name_slice(patient: str, *visits: str) -> str:
    """Return the name under which a picture travels; it is no file of the output.

    Examples
    --------
    >>> name_slice("S-1a2b3c4d", "baseline", "month_3"), is_slice(name_slice("S-1a2b3c4d", "baseline"))
    ('S-1a2b3c4d_baseline_month_3.slice', True)
    """
    return "_".join((patient, *visits)) + _END


def is_slice(name: str) -> bool:
    """Whether a picture of this name is for a report only."""
    return name.endswith(_END)


def _say(visit: str) -> str:
    return visit.replace("_", " ")


def _colour(values: Floats, colours: str, ends: tuple[float, float], otherwise: str) -> Rgb:
    from matplotlib import colormaps  # noqa: PLC0415 - late: loaded when something is drawn

    shown = colormaps[colours].with_extremes(bad=otherwise)
    scaled = (values - ends[0]) / (ends[1] - ends[0])
    return np.asarray(shown(scaled, bytes=True), np.uint8)[..., :3]


def _enlarge(image: NDArray[Number], scale: tuple[int, int]) -> NDArray[Number]:
    return image.repeat(scale[0], axis=0).repeat(scale[1], axis=1)


def _outline(labels: NDArray[np.generic]) -> Bools:
    """Return the border of each region, ``_LINE`` pixels wide."""
    found = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        for step in range(1, _LINE + 1):
            found |= labels != np.roll(labels, step, axis=axis)
    return found
