"""T1 bias of the fat fraction: fat recovers faster than muscle, so a large flip angle makes it look like more.

Convention: the steady state of a spoiled gradient echo, S = M0 sin(a) (1 - E1) / (1 - cos(a) E1) with E1 = exp(-TR /
T1), for fat and for water each with one T1. Longitudinal relaxation only: T2* between echoes is the reconstruction's
business. T1 in milliseconds, measured in volunteers: muscle 1130 at 1.5 T and 1420 at 3 T, fat under the skin 288 and
371. Oedema and fibrosis change the T1 of muscle, which this cannot know.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.imaging._fat_fraction import FatFraction
from rarefactor.imaging._scan import Acquisition
from rarefactor.results import Flag, Severity

_T1_MS = {1.5: (288.0, 1130.0), 3.0: (371.0, 1420.0)}  # fat, muscle
_NEAR_TESLA = 0.15
_SPIN_ECHO = re.compile(r"(?<![a-z])(se|tse|fse|frfse|spin.?echo|ideal.?fse)(?![a-z])", re.IGNORECASE)
_WORTH_SAYING = 1.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """Share of the full magnetisation that fat and water show, 0 to 1."""

    fat: float
    water: float

    @property
    def ratio(self) -> float:
        """How much brighter fat shows than as much water."""
        return self.fat / self.water


def compute_weighting(*, repetition_ms: float, flip_degrees: float, t1_fat_ms: float, t1_water_ms: float) -> Weighting:
    """Return what T1 leaves of the signals of fat and of water in a spoiled gradient echo, but for the common sin(a).

    Parameters
    ----------
    repetition_ms
        TR, above 0.
    flip_degrees
        Above 0, at most 90.
    t1_fat_ms, t1_water_ms
        Longitudinal relaxation times.

    References
    ----------
    Liu CY, McKenzie CA, Yu H, Brittain JH, Reeder SB. Fat quantification with IDEAL gradient echo imaging: correction
    of bias from T1 and noise. Magn Reson Med 2007;58:354-364.

    Examples
    --------
    >>> round(compute_weighting(repetition_ms=4, flip_degrees=9, t1_fat_ms=371, t1_water_ms=1420).ratio, 2)
    2.51
    """
    cosine = math.cos(math.radians(flip_degrees))
    left = [math.exp(-repetition_ms / t1) for t1 in (t1_fat_ms, t1_water_ms)]
    fat, water = ((1 - each) / (1 - cosine * each) for each in left)
    return Weighting(fat=fat, water=water)


def fit_weighting(acquisition: Acquisition) -> Weighting | None:
    """Return the weighting of an acquisition, or None where it does not say TR, flip angle and 1.5 or 3 T.

    A spin echo is not what the equation describes: None.

    References
    ----------
    Gold GE, Han E, Stainsby J, Wright G, Brittain J, Beaulieu C. Musculoskeletal MRI at 3.0 T: relaxation times and
    image contrast. AJR Am J Roentgenol 2004;183:343-351.

    Examples
    --------
    >>> fit_weighting(Acquisition(repetition_ms=30.0, flip_degrees=3.0, field_tesla=3.0)).ratio < 1.1
    True
    >>> fit_weighting(Acquisition(repetition_ms=10.0, field_tesla=3.0)) is None
    True
    """
    times, repetition, flip = _find_times(acquisition), acquisition.repetition_ms, acquisition.flip_degrees
    if times is None or not repetition or not flip or _SPIN_ECHO.search(acquisition.sequence or ""):
        return None
    return compute_weighting(
        repetition_ms=repetition, flip_degrees=min(flip, 90.0), t1_fat_ms=times[0], t1_water_ms=times[1]
    )


def compute_t1_corrected(fraction: FatFraction, acquisition: Acquisition) -> FatFraction:
    """Return the fat fraction without T1 bias where the acquisition is known, and flagged where it is not.

    Parameters
    ----------
    fraction
        Apparent fat fraction.
    acquisition
        Of the fat and water images.

    Returns
    -------
    FatFraction
        Corrected, with the flag ``t1_corrected`` that says by how much, or unchanged, with ``t1_bias_unknown``. Total
        and noise stay as they were measured.
    """
    weighting = fit_weighting(acquisition)
    if weighting is None:
        return replace(fraction, flags=(*fraction.flags, _UNKNOWN))
    if weighting.ratio < _WORTH_SAYING:
        return fraction
    apparent = fraction.values.values
    true = apparent / (apparent + np.float32(weighting.ratio) * (1 - apparent))
    values = fraction.values.with_values(np.asarray(true, np.float32))
    return replace(fraction, values=values, flags=(*fraction.flags, _flag(weighting)))


def _find_times(acquisition: Acquisition) -> tuple[float, float] | None:
    tesla = acquisition.field_tesla or 0.0
    return next((times for known, times in _T1_MS.items() if abs(tesla - known) <= _NEAR_TESLA), None)


def _flag(weighting: Weighting) -> Flag:
    ratio = weighting.ratio
    shown = 0.1 * ratio / (0.1 * ratio + 0.9)
    detail = f"Corrected for T1: with this repetition time and flip angle, 10% fat reads as {100 * shown:.0f}%."
    return Flag(name="t1_corrected", severity=Severity.NOTE, detail=detail)


_UNKNOWN = Flag(
    name="t1_bias_unknown",
    severity=Severity.WARNING,
    detail="Repetition time, flip angle or field strength are not known, or the sequence is a spin echo: the fat "
    "fraction is not corrected for T1 and may be too high.",
)
