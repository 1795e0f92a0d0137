"""Which leg a voxel of a mask belongs to, where one label covers both.

Convention: columns grow to the patient's left, so the right leg lies at the lower columns. The line between the legs is
looked for between the two groups of muscle, slice by slice, and never taken from the middle of the image; a piece of
muscle that leans over it stays whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import Side

_LEAST_DISTANCE_MM = 60.0  # the two legs' middles; parts of one leg lie closer
_LATERAL = ("VL", "BL", "BB")
_MEDIAL = ("GR", "AM", "SM", "VM")


def compute_left(labels: NDArray[np.int16], column_mm: float) -> NDArray[np.bool_] | None:
    """Return where the left leg is, or None where the mask shows one leg only.

    Parameters
    ----------
    labels
        Shape (slices, rows, columns), 0 where there is no muscle; the same label on both legs.
    column_mm
        Distance of neighbouring columns.

    Examples
    --------
    >>> labels = np.zeros((1, 40, 100), np.int16)
    >>> labels[:, 10:30, 10:40] = labels[:, 10:30, 50:80] = 1  # both right of the image's middle of gravity
    >>> left = compute_left(labels, 2.5)
    >>> bool(left[0, 20, 39]), bool(left[0, 20, 50])
    (False, True)
    """
    profiles = (labels > 0).sum(axis=1)
    right, left = _two_means(profiles.sum(axis=0))
    apart = left - right
    if apart * column_mm < _LEAST_DISTANCE_MM:
        return None
    whole = _valley(profiles.sum(axis=0), right + 0.25 * apart, left - 0.25 * apart, column_mm)
    if not (_is_valley(profiles.sum(axis=0), whole) and _on_both_sides(labels, whole)):
        return None
    lines = _lines(profiles, whole, apart, column_mm)
    return np.stack([_split(each > 0, line) for each, line in zip(labels, lines, strict=True)])


def _two_means(profile: NDArray[np.int_]) -> tuple[float, float]:
    """Middles of the two groups along the columns (Lloyd's algorithm in one dimension)."""
    columns = np.flatnonzero(profile)
    weights = profile[columns]
    right, left = float(columns[0]), float(columns[-1])
    for _ in range(50):
        near = columns < (right + left) / 2
        if near.all() or not near.any():
            break
        means = _mean(columns[near], weights[near]), _mean(columns[~near], weights[~near])
        if means == (right, left):
            break
        right, left = means
    return right, left


def _mean(columns: NDArray[np.intp], weights: NDArray[np.int_]) -> float:
    return float(np.average(columns, weights=weights))


def _valley(profile: NDArray[np.int_], low: float, high: float, column_mm: float) -> float:
    """Middle of the widest empty stretch between two columns, or the lowest place of the smoothed profile."""
    first, last = max(round(low), 0), min(round(high), len(profile) - 1)
    smooth = _smooth(profile, column_mm)[first : last + 1]
    lowest = np.flatnonzero(smooth <= smooth.min() + 1e-9)
    stretches = np.split(lowest, np.flatnonzero(np.diff(lowest) > 1) + 1)
    widest = max(stretches, key=len)
    return first + float(widest.mean())


def _smooth(profile: NDArray[np.int_], column_mm: float) -> NDArray[np.float64]:
    width = 2 * max(round(2.5 / column_mm), 0) + 1
    return np.convolve(profile.astype(np.float64), np.full(width, 1.0 / width), mode="same")


def _is_valley(profile: NDArray[np.int_], line: float) -> bool:
    """Whether there is far less muscle on the line than in the thinner of the two parts that it makes."""
    cut = round(line)
    parts = (np.trim_zeros(part) for part in (profile[:cut], profile[cut:]))
    thinner = min(float(part.mean()) if part.size else 0.0 for part in parts)
    return float(profile[max(cut - 1, 0) : cut + 2].min()) < 0.5 * thinner


def _on_both_sides(labels: NDArray[np.int16], line: float) -> bool:
    """Whether most muscle belongs to labels that lie on both sides, as in two legs and not in the two halves of one."""
    cut = round(line)
    size = int(labels.max()) + 1
    right, left = (np.bincount(half.ravel(), minlength=size)[1:] for half in (labels[:, :, :cut], labels[:, :, cut:]))
    total = right + left
    return bool(total[np.minimum(right, left) >= 0.15 * total].sum() > 0.5 * total.sum())


def _lines(profiles: NDArray[np.int_], whole: float, apart: float, column_mm: float) -> NDArray[np.float64]:
    """The line of each slice: first near the line of all, then near the straight path through the slices."""
    rough = np.array([_line_near(each, whole, 0.25 * apart, column_mm) for each in profiles])
    known = np.flatnonzero(~np.isnan(rough))
    if not len(known):
        return np.full(len(profiles), whole)
    slope, level = _straight(known, rough[known])
    path = level + slope * np.arange(len(profiles))
    near = np.array([_line_near(one, at, 0.1 * apart, column_mm) for one, at in zip(profiles, path, strict=True)])
    return np.where(np.isnan(near), path, near)


def _line_near(profile: NDArray[np.int_], place: float, reach: float, column_mm: float) -> float:
    """NaN where the slice shows muscle on one side only and thus no line."""
    cut = round(place)
    if not (profile[:cut].any() and profile[cut:].any()):
        return np.nan
    return _valley(profile, place - reach, place + reach, column_mm)


def _straight(places: NDArray[np.intp], lines: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and level by medians (Theil–Sen), so that one slice gone wrong moves nothing."""
    one, other = np.triu_indices(len(places), 1)
    slopes = (lines[other] - lines[one]) / (places[other] - places[one])
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    return slope, float(np.median(lines - slope * places))


def _split(muscle: NDArray[np.bool_], line: float) -> NDArray[np.bool_]:
    """Left of the line; a connected piece of which less than a fifth lies beyond it goes with its greater part."""
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    left = np.broadcast_to(np.arange(muscle.shape[1]) > line, muscle.shape)
    pieces = np.zeros(muscle.shape, np.int32)
    ndimage.label(muscle, structure=np.ones((3, 3)), output=pieces)
    size = np.maximum(np.bincount(pieces.ravel()), 1)
    share = np.bincount(pieces.ravel(), weights=left.ravel()) / size
    share[0] = 0.5
    return np.where(share[pieces] >= 0.8, True, np.where(share[pieces] <= 0.2, False, left))


def derive_side(labels: NDArray[np.int16], codes: dict[int, str]) -> Side | None:
    """Return the side of one leg from its muscles: in a right leg the medial ones lie toward the patient's left.

    Parameters
    ----------
    codes
        The muscle of each label. None is returned where medial or lateral muscles are missing.
    """
    medial, lateral = (_middle_column(labels, codes, names) for names in (_MEDIAL, _LATERAL))
    if medial is None or lateral is None:
        return None
    return Side.RIGHT if medial > lateral else Side.LEFT


def _middle_column(labels: NDArray[np.int16], codes: dict[int, str], names: tuple[str, ...]) -> float | None:
    chosen = np.isin(labels, [label for label, code in codes.items() if code in names])
    return float(np.nonzero(chosen)[2].mean()) if chosen.any() else None
