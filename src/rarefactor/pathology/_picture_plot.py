"""The small plot on the picture of a slide: its tissue by DAB density.

Convention: percentages of tissue per 0.01 of density, on a logarithmic scale, for most tissue is not stained; the
threshold is a line, what lies 0.05 around it a band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._paper import MUTED, POSITIVE, Place, Sheet

_FIRST, _LAST = -0.1, 1.2
_LEAST, _MOST = 0.001, 50.0
_AROUND = 0.05
_LINE, _AREA, _BAND = "#6b4a2f", "#d6cbc3", "#f9dcec"
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_histogram(sheet: Sheet, place: Place, curve: Curve, threshold: float) -> None:
    """Draw the tissue of a slide by DAB density at a place."""
    densities, share = curve
    shown = (densities >= _FIRST) & (densities <= _LAST)
    line = np.column_stack([_across(densities[shown]), _up(share[shown])])
    area = np.concatenate([[[line[0, 0], 0.0]], line, [[line[-1, 0], 0.0]]])
    low, middle, high = (float(_across(threshold + step)) for step in (-_AROUND, 0.0, _AROUND))
    sheet.draw_lines(
        place,
        [
            (np.array([[low, 0], [low, 1], [high, 1], [high, 0]], dtype=np.float64), _BAND, True, 0.0),
            (area, _AREA, True, 0.0),
            (line, _LINE, False, 0.7),
            (np.array([[middle, 0], [middle, 1]], dtype=np.float64), POSITIVE, False, 0.8),
            (np.array([[0, 1], [0, 0], [1, 0]], dtype=np.float64), MUTED, False, 0.7),
        ],
    )
    _write_scales(sheet, place)


def _across(densities: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return (np.asarray(densities, dtype=np.float64) - _FIRST) / (_LAST - _FIRST)


def _up(share: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.clip(np.log(np.maximum(share, 1e-9) / _LEAST) / np.log(_MOST / _LEAST), 0.0, 1.0)


def _write_scales(sheet: Sheet, place: Place) -> None:
    left, upper, width, height = place
    for value in (0.0, 0.4, 0.8, 1.2):
        x = left + width * float(_across(value))
        sheet.write(x, upper + height + 1.8, f"{value:g}", size=5.5, anchor="mm")
    sheet.write(left + width / 2, upper + height + 4.8, "DAB density", size=6, anchor="mm")
    for value in (0.001, 0.01, 0.1, 1.0, 10.0):
        y = upper + height * (1 - float(_up(value)))
        sheet.write(left - 0.8, y, f"{value:g}", size=5.5, anchor="rm")
