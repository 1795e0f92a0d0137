"""An image brought to the scale that a detector works at, and its labels brought back.

Convention: the first and last edges of the image stay where they are; a label image is never averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rarefactor.errors import ImageError, InputError, Problem
from rarefactor.pathology._microns import SAME_RESOLUTION
from rarefactor.pathology._watershed import Labels
from rarefactor.pathology._white import Rgb


def compute_at_scale(image: Rgb, found: float, wanted: float, detect: Callable[[Rgb], object], *, tool: str) -> Labels:
    """Return the labels of an image, found at another scale.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255.
    found, wanted
        Micrometres per pixel of the image, and of what ``detect`` takes.
    detect
        Gives labels of the image it is given.
    tool
        Its name in messages.

    Raises
    ------
    InputError
        A size of a pixel that is none.
    ImageError
        What came back is no label image of the image given.

    Examples
    --------
    >>> image = np.zeros((4, 6, 3), dtype=np.uint8)
    >>> compute_at_scale(image, 0.25, 0.5, lambda half: np.ones(half.shape[:2], dtype=int), tool="ones").shape
    (4, 6)
    """
    if not (np.isfinite(found) and found > 0):
        raise InputError(
            Problem(
                found=f"{found} µm per pixel",
                expected="a number above 0",
                next_step="Read it from the slide, or write it into its sidecar.",
            )
        )
    factor = found / wanted
    if abs(factor - 1) <= SAME_RESOLUTION:
        return check_labels(detect(image), image, tool)
    small = _resize(image, factor)
    labels = check_labels(detect(small), small, tool)
    rows, columns = (_nearest(image.shape[axis], small.shape[axis]) for axis in (0, 1))
    return labels[rows[:, None], columns]


def check_labels(held: object, image: Rgb, tool: str) -> Labels:
    """Return what a detector gave as labels without gaps in their numbers, or raise."""
    labels: Any = np.asarray(held)
    whole = labels.dtype.kind in "iu" or (labels.dtype.kind == "f" and bool(np.all(labels == np.floor(labels))))
    if not whole or labels.shape != image.shape[:2] or labels.min(initial=0) < 0:
        raise ImageError(
            Problem(
                found=f"{tool} gave an array of {labels.shape} and type {labels.dtype}",
                expected=f"whole numbers from 0 on for {image.shape[:2]} pixels",
                next_step="Ask its makers, or take another detector.",
            )
        )
    numbers, numbered = np.unique(labels, return_inverse=True)
    first = 0 if len(numbers) and numbers[0] == 0 else 1
    return (numbered.reshape(labels.shape) + first).astype(np.int32)


def _resize(image: Rgb, factor: float) -> Rgb:
    from PIL import Image  # noqa: PLC0415 - loaded when an image is measured

    rows, columns = (max(1, round(side * factor)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR), dtype=np.uint8)


def _nearest(count: int, of: int) -> Any:
    return np.minimum((np.arange(count) + 0.5) * of / count, of - 1).astype(np.intp)
