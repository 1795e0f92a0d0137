"""The body in an image: what is not air.

Convention: a mask is an array of bool of the volume's shape; every slice is judged for itself, under one threshold for
the whole volume. Distances are millimetres. Masks are found on a grid of about 1.5 mm and brought back.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._volume import Grid, Volume

Mask: TypeAlias = NDArray[np.bool_]
_Number = TypeVar("_Number", bound=np.generic)

_COARSE_MM = 1.5
_LEAST_CM2 = 8.0  # a smaller piece is a tube, a marker or an echo of the legs
_BELOW_OTSU = 0.5  # the threshold of roots lies high where the coil fades; half of it still clears the echoes in air


def compute_body(image: Volume) -> Mask:
    """Return where the body is: Otsu's threshold of the roots of signal, holes filled, small pieces left out.

    Parameters
    ----------
    image
        Any image in which the body is brighter than air; fat plus water is best.

    Returns
    -------
    array of bool
        Shape of the image.

    Raises
    ------
    ImageError
        The image has one value only, or no piece as large as a leg.

    References
    ----------
    Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern 1979;9:62-66.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> values = np.zeros((1, 80, 80), np.float32)
    >>> values[0, 20:60, 20:60] = 100
    >>> body = compute_body(Volume(values=values, grid=Grid(shape=(1, 80, 80), spacing_mm=(5.0, 2.0, 2.0))))
    >>> int(body[0, 40].sum())
    40
    """
    coarse, step = compute_coarse(image)
    threshold = _compute_threshold(coarse.values)
    body = np.stack([_clean(each > threshold, coarse.grid.spacing_mm[1]) for each in coarse.values])
    pixel_cm2 = coarse.grid.spacing_mm[1] * coarse.grid.spacing_mm[2] / 100.0
    body = np.stack([compute_large_pieces(each, _LEAST_CM2 / pixel_cm2) for each in body])
    if not body.any():
        raise ImageError(
            Problem(
                found=f"nothing larger than {_LEAST_CM2:g} cm² that is brighter than air",
                expected="an image of one or both thighs",
                next_step="Open the image and look; give the right series by its file name.",
            )
        )
    return compute_fine(body, step, image.grid.shape)


def compute_depth_mm(body: Mask, pixel_mm: tuple[float, float]) -> NDArray[np.float32]:
    """Return the distance in millimetres of each voxel from the air of its slice; 0 in air.

    Beyond the edge of the image there is body, not air: a leg that the field of view cuts has no skin there. In a slice
    without air the distance is infinite.

    Parameters
    ----------
    body
        Shape (slices, rows, columns).
    pixel_mm
        Distance of rows and of columns.

    Examples
    --------
    >>> compute_depth_mm(np.array([[[False, True, True, True]]]), (1.0, 2.0)).tolist()
    [[[0.0, 2.0, 4.0, 6.0]]]
    """
    depths = [_compute_depth(each, pixel_mm) for each in body]
    return np.stack(depths)


def _compute_depth(body: Mask, pixel_mm: tuple[float, float]) -> NDArray[np.float32]:
    from scipy import ndimage  # noqa: PLC0415 - loaded late, so that importing this part is light

    if body.all():
        return np.full(body.shape, np.inf, np.float32)
    return np.asarray(ndimage.distance_transform_edt(body, sampling=pixel_mm), np.float32)


def compute_coarse(image: Volume) -> tuple[Volume, int]:
    """Return the image as means of ``step`` x ``step`` voxels of a slice, about 1.5 mm wide, and the step.

    Examples
    --------
    >>> grid = Grid(shape=(1, 2, 4), spacing_mm=(20.0, 0.8, 0.8))
    >>> coarse, step = compute_coarse(Volume(values=np.array([[[1, 3, 5, 5], [1, 3, 7, 7]]], np.float32), grid=grid))
    >>> step, coarse.values.tolist(), coarse.grid.spacing_mm
    (2, [[[2.0, 6.0]]], (20.0, 1.6, 1.6))
    """
    step = max(1, round(_COARSE_MM / min(image.grid.spacing_mm[1:])))
    slices, rows, columns = image.grid.shape
    height, width = -(-rows // step), -(-columns // step)
    padded = np.pad(
        image.values, np.array([[0, 0], [0, height * step - rows], [0, width * step - columns]]), mode="edge"
    )
    means = padded.reshape(slices, height, step, width, step).mean(axis=(2, 4), dtype=np.float32)
    middle = (step - 1) / 2
    grid = Grid(
        shape=(slices, height, width),
        spacing_mm=(image.grid.spacing_mm[0], image.grid.spacing_mm[1] * step, image.grid.spacing_mm[2] * step),
        origin_mm=image.grid.position((0, middle, middle)),
        directions=image.grid.directions,
    )
    return Volume(values=np.asarray(means, np.float32), grid=grid), step


def compute_fine(coarse: NDArray[_Number], step: int, shape: tuple[int, int, int]) -> NDArray[_Number]:
    """Return a mask or map of the coarse grid on the image's own grid.

    Examples
    --------
    >>> compute_fine(np.array([[[1, 2]]]), 2, (1, 2, 3)).tolist()
    [[[1, 1, 2], [1, 1, 2]]]
    """
    return coarse.repeat(step, axis=1).repeat(step, axis=2)[:, : shape[1], : shape[2]]


def compute_large_pieces(mask: Mask, least_pixels: float) -> Mask:
    """Return the connected pieces of a slice that have at least so many pixels.

    Examples
    --------
    >>> compute_large_pieces(np.array([[True, True, False, True]]), 2).tolist()
    [[True, True, False, False]]
    """
    from scipy import ndimage  # noqa: PLC0415 - as above

    pieces: NDArray[np.int32] = np.empty(mask.shape, np.int32)
    ndimage.label(mask, output=pieces)
    large = np.bincount(pieces.ravel()) >= least_pixels
    return np.asarray(large[pieces] & mask, bool)


def _compute_threshold(values: NDArray[np.float32]) -> float:
    from skimage.filters import threshold_otsu  # noqa: PLC0415 - as above

    roots = np.sqrt(np.clip(values, 0, None))
    if not roots.max() > roots.min():
        raise ImageError(
            Problem(
                found="an image that has the same value everywhere",
                expected="an image of the thighs",
                next_step="Export the series again; this one is empty.",
            )
        )
    return _BELOW_OTSU * float(threshold_otsu(roots)) ** 2


def _clean(mask: Mask, pixel_mm: float) -> Mask:
    """Streaks off, gaps in the skin closed, bones and vessels filled."""
    from scipy import ndimage  # noqa: PLC0415 - as above

    opened = ndimage.binary_opening(mask, iterations=max(1, round(2.0 / pixel_mm)))
    steps = max(1, round(3.0 / pixel_mm))
    padded = np.pad(np.asarray(opened, bool), steps)  # closing eats the border otherwise
    closed = np.asarray(ndimage.binary_closing(padded, iterations=steps), bool)
    return np.asarray(ndimage.binary_fill_holes(closed[steps:-steps, steps:-steps]), bool)
