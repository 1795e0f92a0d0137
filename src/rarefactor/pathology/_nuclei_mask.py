"""Shapes of a mask by shifts of whole images: fast, and the same wherever an image is cut.

Convention: steps alternate between four and eight neighbours, so that what grows, shrinks or is measured is nearly
round (an octagon). What lies outside the image counts as its nearest pixel.
"""

from __future__ import annotations

import numpy as np

from rarefactor.pathology._watershed import Heights, Mask


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
    small = np.bincount(pieces.ravel()) <= largest
    small[0] = False
    return mask | small[pieces]


def compute_inner_distance(mask: Mask, reach: int) -> Heights:
    """Return how many pixels each pixel of the mask lies inside it, at most ``reach`` + 1, smoothed over three pixels.

    Examples
    --------
    >>> line = np.zeros((7, 7), dtype=bool)
    >>> line[1:6, 1:6] = True
    >>> float(compute_inner_distance(line, 9)[3, 3])
    2.25
    """
    distance = mask.astype(np.float32)
    for step in range(reach):
        mask = _shrink(mask, corners=bool(step % 2))
        if not mask.any():
            break
        distance += mask
    return _smooth(_smooth(distance).T).T


def compute_doubling(image: Heights) -> Heights:
    """Return the image with twice as many rows and columns, between its pixels by straight lines.

    Examples
    --------
    >>> compute_doubling(np.array([[0.0, 4.0]], dtype=np.float32)).tolist()
    [[0.0, 1.0, 3.0, 4.0], [0.0, 1.0, 3.0, 4.0]]
    """
    return np.ascontiguousarray(_double_rows(_double_rows(image).T).T)


def _shrink(mask: Mask, *, corners: bool) -> Mask:
    rows = mask.copy()
    rows[1:] &= mask[:-1]
    rows[:-1] &= mask[1:]
    sides = rows if corners else mask
    rows = rows.copy()
    rows[:, 1:] &= sides[:, :-1]
    rows[:, :-1] &= sides[:, 1:]
    return rows


def _smooth(image: Heights) -> Heights:
    smooth = image * np.float32(0.5)
    smooth[1:] += image[:-1] / 4
    smooth[:-1] += image[1:] / 4
    smooth[0] += image[0] / 4
    smooth[-1] += image[-1] / 4
    return smooth


def _double_rows(image: Heights) -> Heights:
    double = np.empty((2 * image.shape[0], image.shape[1]), dtype=np.float32)
    np.multiply(image, 0.75, out=double[0::2])
    double[1::2] = double[0::2]
    double[2::2] += image[:-1] / 4
    double[1:-1:2] += image[1:] / 4
    double[0] += image[0] / 4
    double[-1] += image[-1] / 4
    return double
