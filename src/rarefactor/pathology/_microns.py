"""The size of a pixel, and who says so.

Convention: micrometres per pixel of the finest level, square pixels. It comes from the user's sidecar, from the scanner
or from resolution tags whose unit is real and whose size can be a microscope's. It is never guessed from a
magnification: without it nothing is given per mm².
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rarefactor.errors import ImageError, InputError, Problem
from rarefactor.pathology._flag import warn
from rarefactor.results import Flag

PLAUSIBLE = (0.1, 5.0)
"""µm per pixel: what a microscope or a slide scanner makes; a printer's 72 dpi is 353."""
MAX_UNEQUAL = 0.01
"""Width and height of a pixel may differ by this share before the flag ``unequal_pixels``."""
SAME_RESOLUTION = 0.02
"""Two resolutions that differ by less are taken as one: 0.499 and 0.5 need no resampling."""
_MICRONS = {
    "m": 1e6,
    "dm": 1e5,
    "cm": 1e4,
    "mm": 1e3,
    "nm": 1e-3,
    "Å": 1e-4,
    "in": 25_400.0,
    "inch": 25_400.0,
    "centimeter": 1e4,
    "millimeter": 1e3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "\\u00b5m": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "nanometer": 1e-3,
}
"""One unit in micrometres; both signs for micro, and how ImageJ writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicronsPerPixel:
    """Micrometres per pixel at level 0, and where the value was read.

    Examples
    --------
    >>> scale = MicronsPerPixel(value=0.5, source="sidecar field.json")
    >>> scale.area_mm2(4_000_000)
    1.0
    """

    value: float
    source: str

    def area_mm2(self, pixels: float) -> float:
        """Return the area of level-0 pixels in mm²."""
        return pixels * self.value**2 / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What is known of the size of a pixel: the value, if any, and what is doubtful about it."""

    microns: MicronsPerPixel | None = None
    flags: tuple[Flag, ...] = ()


def compute_downsample(found: MicronsPerPixel, wanted: float, *, same: float = SAME_RESOLUTION) -> float:
    """Return the factor by which to read an image so that it has ``wanted`` µm per pixel.

    Parameters
    ----------
    found
        The size of a pixel at level 0.
    wanted
        µm per pixel, more than 0.
    same
        A difference of up to this share (0 to 1) is left alone and gives 1.

    Examples
    --------
    >>> compute_downsample(MicronsPerPixel(value=0.25, source="file"), 0.5)
    2.0
    >>> compute_downsample(MicronsPerPixel(value=0.499, source="file"), 0.5)
    1.0
    """
    if not (math.isfinite(wanted) and wanted > 0):
        raise InputError(
            Problem(
                found=f"{wanted} µm per pixel",
                expected="a number above 0",
                next_step="0.5 suits the nuclei of a biopsy.",
            )
        )
    factor = wanted / found.value
    return 1.0 if abs(factor - 1) <= same else factor


def derive_scale(x: float | None, y: float | None, source: str) -> Scale:
    """Return the scale of the width and height of a pixel in µm; None where the file gives none.

    A value that no microscope makes is left out, with the flag ``um_per_px_implausible``.

    Examples
    --------
    >>> derive_scale(0.5, 0.5, "Aperio MPP").microns
    MicronsPerPixel(value=0.5, source='Aperio MPP')
    >>> derive_scale(353.0, 353.0, "TIFF resolution").microns is None
    True
    """
    pair = [value for value in (x, y) if value is not None and math.isfinite(value) and value > 0]
    if not pair:
        return Scale()
    if not all(PLAUSIBLE[0] <= value <= PLAUSIBLE[1] for value in pair):
        return Scale(flags=(_implausible(pair[0], source),))
    value = math.sqrt(pair[0] * pair[-1])
    unequal = abs(pair[0] - pair[-1]) > MAX_UNEQUAL * value
    detail = f"A pixel is {pair[0]:.4g} µm wide and {pair[-1]:.4g} µm high; areas hold, outlines are out of shape."
    return Scale(
        microns=MicronsPerPixel(value=value, source=source),
        flags=(warn("unequal_pixels", detail),) if unequal else (),
    )


def microns_of(unit: str) -> float | None:
    """Return a unit of length in micrometres, None for what is no length.

    Examples
    --------
    >>> microns_of("mm"), microns_of("pixel")
    (1000.0, None)
    """
    return _MICRONS.get(unit.strip().lower()) or _MICRONS.get(unit.strip())


def derive_from_unit(pixels_x: float, pixels_y: float, unit: str, source: str) -> Scale:
    """Return the scale of pixels per unit of length; nothing where the unit is none of length.

    Examples
    --------
    >>> derive_from_unit(20_000, 20_000, "cm", "TIFF resolution").microns.value
    0.5
    >>> derive_from_unit(1, 1, "pixel", "TIFF resolution").microns is None
    True
    """
    per = microns_of(unit)
    if per is None:
        return Scale()
    return derive_scale(per / pixels_x if pixels_x else None, per / pixels_y if pixels_y else None, source)


def derive_from_resolution(pixels_x: float, pixels_y: float, unit: str, source: str) -> Scale:
    """Return the scale of resolution tags, or nothing where they describe a print or a screen.

    Examples
    --------
    >>> derive_from_resolution(72, 72, "inch", "TIFF resolution")
    Scale(microns=None, flags=())
    """
    found = derive_from_unit(pixels_x, pixels_y, unit, source)
    return found if found.microns else Scale()


def read_sidecar(path: Path) -> MicronsPerPixel | None:
    """Return the scale that the user wrote beside the image, or None.

    The sidecar of ``a.tif`` is ``a.tif.json`` or ``a.json`` and holds ``{"um_per_px": 0.5}``; JSON without this key
    belongs to somebody else.

    Raises
    ------
    ImageError
        The sidecar is no JSON, or its value no number above 0.
    """
    names = dict.fromkeys((path.with_name(f"{path.name}.json"), path.with_suffix(".json")))
    for sidecar in names:
        if sidecar.is_file() and sidecar != path and (found := _read_one(sidecar)) is not None:
            return MicronsPerPixel(value=found, source=f"sidecar {sidecar.name}")
    return None


def choose_scale(sidecar: MicronsPerPixel | None, stored: Scale) -> Scale:
    """Return the user's scale where there is one, else the file's; a contradiction and a lack are flagged."""
    if sidecar is None:
        return stored if stored.microns else Scale(flags=(*stored.flags, _missing()))
    if stored.microns is None or abs(stored.microns.value / sidecar.value - 1) <= SAME_RESOLUTION:
        return Scale(microns=sidecar)
    detail = (
        f"The sidecar says {sidecar.value:.4g} µm per pixel, the file {stored.microns.value:.4g}; the sidecar holds."
    )
    return Scale(microns=sidecar, flags=(warn("um_per_px_conflict", detail),))


def _read_one(sidecar: Path) -> float | None:
    try:
        held: Any = json.loads(sidecar.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise ImageError(_broken(sidecar, "text that is no JSON")) from error
    if not isinstance(held, dict) or "um_per_px" not in held:
        return None
    value = cast("dict[str, object]", held)["um_per_px"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ImageError(_broken(sidecar, f"um_per_px: {value!r}"))
    return float(value)


def _broken(sidecar: Path, found: str) -> Problem:
    return Problem(
        file=sidecar.name,
        found=found,
        expected='{"um_per_px": 0.5}',
        next_step="Write the size of a pixel in µm, as a number.",
    )


def _implausible(value: float, source: str) -> Flag:
    low, high = PLAUSIBLE
    return warn(
        "um_per_px_implausible",
        f"{source} says {value:.4g} µm per pixel, outside {low:g} to {high:g}: taken as unknown. A sidecar can say it.",
    )


def _missing() -> Flag:
    return warn(
        "um_per_px_unknown", "The size of a pixel is not known: nothing is given per mm². A sidecar can say it."
    )
