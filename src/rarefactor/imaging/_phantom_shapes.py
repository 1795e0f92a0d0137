"""Distances to the shapes of a cross-section, and the outlines of the fascia lata and the skin around them.

Convention: positions (u, v) and distances in millimetres; a distance is negative inside a shape. Angles are counted
from the lateral direction toward the front, in radians.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._phantom_anatomy import Section

Field = NDArray[np.float32]
FAR_MM: Final = 1000.0
_MARGIN_MM: Final = 6.0
_ANGLES: Final = np.linspace(-np.pi, np.pi, 181)[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Fascia lata and skin around one leg: radius at each of 180 angles about the centre (u, v)."""

    centre: tuple[float, float]
    fascia_mm: NDArray[np.float64]
    skin_mm: NDArray[np.float64]


def compute_chain_distance(u: Field, v: Field, chain: NDArray[np.float64]) -> Field:
    """Distance to a chain of discs joined by tapering bands; ``FAR_MM`` more than 6 mm away from its box.

    Examples
    --------
    >>> u, v = np.meshgrid(np.arange(-5.0, 6.0), np.arange(-1.0, 2.0))
    >>> chain = np.array([[-3.0, 0.0, 1.0], [3.0, 0.0, 2.0]])
    >>> compute_chain_distance(u.astype(np.float32), v.astype(np.float32), chain)[1, [0, 5, 10]].tolist()
    [1.0, -1.5, 0.0]
    """
    distance = np.full(u.shape, FAR_MM, np.float32)
    discs = chain[chain[:, 2] > 0]
    if not len(discs):
        return distance
    low = (discs[:, :2] - discs[:, 2:]).min(axis=0) - _MARGIN_MM
    high = (discs[:, :2] + discs[:, 2:]).max(axis=0) + _MARGIN_MM
    near = (u >= low[0]) & (u <= high[0]) & (v >= low[1]) & (v <= high[1])
    places = np.stack((u[near], v[near]), axis=1)
    if len(discs) == 1:
        distance[near] = np.hypot(*(places - discs[0, :2]).T) - discs[0, 2]
    else:
        bands = [_band_distance(places, *pair) for pair in pairwise(discs)]
        distance[near] = np.min(bands, axis=0)
    return distance


def _band_distance(places: Field, first: NDArray[np.float64], last: NDArray[np.float64]) -> Field:
    along = (last - first).astype(np.float32)
    away = places - first[:2].astype(np.float32)
    share = np.clip(away @ along[:2] / max(float(along[:2] @ along[:2]), 1e-6), 0.0, 1.0)
    gap = away - share[:, None] * along[:2]
    reach: Field = np.hypot(gap[:, 0], gap[:, 1]) - (np.float32(first[2]) + share * along[2])
    return reach


def compute_outline(section: Section, fat_mm: float, level: float) -> Outline:
    """Draw the fascia lata around all muscles of a section, and the skin ``fat_mm`` (on average) outside it."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d  # noqa: PLC0415 - scipy is slow to import

    discs = np.concatenate([_beads(chain) for chain in (*section.muscles.values(), *section.others.values())])
    weights = discs[:, 2] ** 2
    centre = (weights @ discs[:, :2]) / weights.sum()
    reach = _reach(discs[:, :2] - centre, discs[:, 2])
    fascia: NDArray[np.float64] = gaussian_filter1d(maximum_filter1d(reach, 9, mode="wrap"), 5.0, mode="wrap") + 1.0
    smooth: NDArray[np.float64] = gaussian_filter1d(fascia, 9.0, mode="wrap")
    skin = np.maximum(smooth + _fat_thickness(fat_mm, level), fascia + 2.5)
    return Outline(centre=(float(centre[0]), float(centre[1])), fascia_mm=fascia, skin_mm=skin)


def _fat_thickness(fat_mm: float, level: float) -> NDArray[np.float64]:
    """Subcutaneous fat grows toward the hip, and is thickest on the inner and hind side."""
    growth = 0.85 + 0.5 * np.clip(level, 0.0, 1.0)
    return fat_mm * growth * (1.0 + 0.25 * np.cos(_ANGLES - np.pi) + 0.3 * np.cos(_ANGLES + np.pi / 2))


def _beads(chain: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = np.linspace(0, len(chain) - 1, 6 * len(chain) - 5)
    beads = np.stack([np.interp(steps, np.arange(len(chain)), column) for column in chain.T], axis=1)
    return beads[beads[:, 2] > 0]


def _reach(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the union of discs reaches from (0, 0) in each direction; as far as it may where none lies that way."""
    rays = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)), axis=1)
    along = rays @ centres.T
    inside = radii**2 - (np.sum(centres**2, axis=1) - along**2)
    hit = (inside >= 0) & (along + np.sqrt(np.maximum(inside, 0)) > 0)
    reach = np.where(hit, along + np.sqrt(np.maximum(inside, 0)), 0.0).max(axis=1)
    found = reach > 0
    return np.interp(_ANGLES, _ANGLES[found], reach[found], period=2 * np.pi)


def compute_depth(u: Field, v: Field, outline: Outline) -> tuple[Field, Field]:
    """Millimetres inward of the fascia lata and of the skin (negative outside), along the ray from the centre."""
    u0, v0 = u - np.float32(outline.centre[0]), v - np.float32(outline.centre[1])
    place = (np.arctan2(v0, u0) + np.float32(np.pi)) * np.float32(len(_ANGLES) / (2 * np.pi))
    radius = np.hypot(u0, v0)
    lower = place.astype(np.int32) % len(_ANGLES)
    share = place - np.floor(place)
    fascia, skin = (_between(curve, lower, share) - radius for curve in (outline.fascia_mm, outline.skin_mm))
    return fascia, skin


def _between(curve: NDArray[np.float64], lower: NDArray[np.int32], share: Field) -> Field:
    curve32 = curve.astype(np.float32)
    between = curve32[lower] * (1 - share) + curve32[(lower + 1) % len(curve)] * share
    return between.astype(np.float32, copy=False)


def compute_skin_extent(outline: Outline) -> tuple[float, float]:
    """How far the skin reaches to the inner and to the outer side of the femur, both positive."""
    u = outline.centre[0] + outline.skin_mm * np.cos(_ANGLES)
    return float(-u.min()), float(u.max())
