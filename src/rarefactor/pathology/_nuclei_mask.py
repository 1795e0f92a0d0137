"""Shapes of a mask by shifts of whole images: fast, and the same wherever an image is cut.

Convention: steps alternate between four and eight neighbours, so that what grows, shrinks or is measured is nearly
round (an octagon). What lies outside the image counts as its nearest pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.pathology._watershed import Heights, Labels, Mask


def compute_erosion(mask: Mask, steps: int) -> Mask:
    """Return the mask without its outermost ``steps`` pixels.

    Examples
    --------
    >>> compute_erosion(np.array([[0, 1, 1, 1, 0]], dtype=bool), 1).astype(int).tolist()
    [[0, 0, 1, 0, 0]]
    """
    for step in range(steps):
        mask = _shrink(mask, corners=bool(step % 2))
    return mask


def compute_dilation(mask: Mask, steps: int) -> Mask:
    """Return the mask grown by ``steps`` pixels."""
    return ~compute_erosion(~mask, steps)


def compute_opening(mask: Mask, steps: int) -> Mask:
    """Return the mask without what is thinner than about twice ``steps`` pixels."""
    return compute_dilation(compute_erosion(mask, steps), steps)


def compute_closing(mask: Mask, steps: int) -> Mask:
    """Return the mask with gaps closed that are thinner than about twice ``steps`` pixels."""
    return compute_erosion(compute_dilation(mask, steps), steps) | mask


def compute_filling(mask: Mask, largest: int) -> Mask:
    """Return the mask with its holes of up to ``largest`` pixels filled.

    Examples
    --------
    >>> ring = np.ones((3, 3), dtype=bool)
    >>> ring[1, 1] = False
    >>> bool(compute_filling(ring, 1)[1, 1]), bool(compute_filling(ring, 0)[1, 1])
    (True, False)
    """
    from scipy import ndimage  # noqa: PLC0415 - loaded when an image is measured

    pieces = np.empty(mask.shape, dtype=np.int32)
    ndimage.label(~mask, output=pieces)
    around = _find_around(pieces, largest)
    place = np.flatnonzero((pieces > 0) & (pieces != around))
    held = pieces.ravel()[place]
    filled = mask.ravel().copy()
    filled[place[np.bincount(held, minlength=1)[held] <= largest]] = True
    return filled.reshape(mask.shape)


def compute_inner_distance(mask: Mask, reach: int) -> Heights:
    """Return how many pixels each pixel of the mask lies inside it, at most ``reach`` + 1, smoothed over three pixels.

    Examples
    --------
    >>> line = np.zeros((7, 7), dtype=bool)
    >>> line[1:6, 1:6] = True
    >>> float(compute_inner_distance(line, 9)[3, 3])
    2.25
    """
    distance = mask.astype(np.uint16)
    for step in range(reach):
        mask = _shrink(mask, corners=bool(step % 2))
        if not mask.any():
            break
        distance += mask
    return _smooth(distance)


def compute_doubled_mask(image: Heights, threshold: float) -> Mask:
    """Return where an image of half the resolution is above a threshold, between its pixels by straight lines.

    Returns
    -------
    NDArray[bool]
        Twice as many rows and columns.

    Examples
    --------
    >>> compute_doubled_mask(np.array([[0.0, 4.0]], dtype=np.float32), 0.5).astype(int).tolist()
    [[0, 1, 1, 1], [0, 1, 1, 1]]
    """
    double = np.empty((2 * image.shape[0], 2 * image.shape[1]), dtype=np.bool_)
    padded = np.pad(image, 1, mode="edge")
    middle = padded[1:-1] * np.float32(3)
    for row, near in enumerate((padded[:-2], padded[2:])):
        rows = middle + near
        columns = rows[:, 1:-1] * np.float32(3)
        for column, beside in enumerate((rows[:, :-2], rows[:, 2:])):
            double[row::2, column::2] = columns + beside > 16 * threshold
    return double


def _find_around(pieces: Labels, largest: int) -> int:
    """Return the number of the piece that is nearly everything, 0 where none is: it need not be looked at closely."""
    sample = pieces[::16, ::16]
    common = int(np.bincount(sample.ravel())[1:].argmax() + 1) if sample.max(initial=0) else 0
    return common if np.count_nonzero(pieces == common) > largest else 0


def _shrink(mask: Mask, *, corners: bool) -> Mask:
    rows = mask.copy()
    rows[1:] &= mask[:-1]
    rows[:-1] &= mask[1:]
    sides = rows if corners else mask
    rows = rows.copy()
    rows[:, 1:] &= sides[:, :-1]
    rows[:, :-1] &= sides[:, 1:]
    return rows


def _smooth(distance: NDArray[np.uint16]) -> Heights:
    """Return the mean over three by three pixels with weights 1, 2, 1: whole numbers until the end."""
    rows = distance * np.uint16(2)
    rows[1:] += distance[:-1]
    rows[:-1] += distance[1:]
    rows[0] += distance[0]
    rows[-1] += distance[-1]
    both = rows * np.uint16(2)
    both[:, 1:] += rows[:, :-1]
    both[:, :-1] += rows[:, 1:]
    both[:, 0] += rows[:, 0]
    both[:, -1] += rows[:, -1]
    return both * np.float32(1 / 16)
