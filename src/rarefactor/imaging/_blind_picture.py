"""A scan for a reader who must not know whose it is: grey slices with the muscles outlined, no other word.

Convention: of a T1-weighted image where there is one, else of the fat image, which is read alike; never the fat
fraction, whose numbers the reader's grades are to be held against. The patient's right is on the left, as marked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rarefactor.imaging._look import FRACTION, read_regions, read_volume
from rarefactor.imaging._panels import (
    Panel,
    choose_slices,
    draw_grey,
    draw_outlines,
    find_outlines,
    find_window,
    make_sheet,
    write_png,
)
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume

_BEST = ("T1-weighted", "fat")
_WIDTH_MM, _GAP_MM = 170.0, 1.5
_BODY = 0.15
"""Share of the brightest from which a pixel is body."""


def draw_blind(shown: Mapping[str, bytes], mask: bytes | None) -> bytes:
    """Return three slices of a scan as PNG.

    Parameters
    ----------
    shown
        Of :func:`read_shown`.
    mask
        Of :func:`read_drawn`: the muscles to outline.
    """
    name = next((each for each in _BEST if each in shown), next(each for each in shown if each != FRACTION))
    image = read_volume(shown[name])
    labels = read_regions(mask, image.grid) if mask else None
    return _draw(image, labels)


def _draw(image: Volume, labels: LabelMap | None) -> bytes:
    body = image.values > _BODY
    values = labels.values if labels else body.astype(np.int16)
    slices = choose_slices(values)[::-1]
    window = find_window(body)
    rows, columns = window.of(body[0]).shape
    spacing = image.grid.spacing_mm
    height = _WIDTH_MM * rows * spacing[1] / (columns * spacing[2])
    sheet = make_sheet(_WIDTH_MM, len(slices) * (height + _GAP_MM) - _GAP_MM)
    for place, index in enumerate(slices):
        top = place * (height + _GAP_MM)
        panel = Panel(sheet=sheet, left=0.0, top=top, width=_WIDTH_MM, height=height, shape=(rows, columns))
        draw_grey(panel, window.of(image.values[index]), window.of(body[index]))
        if labels:
            draw_outlines(panel, find_outlines(window.of(labels.values[index]), labels.regions), colour="#9fd0ff")
    return write_png(sheet, about="A scan to be graded")
