"""Shading by the coil, taken away: N4 on the body.

Convention: the shading is smooth and multiplies the signal; it is found on voxels of about 4 mm and divided out of the
image as it is. The mean signal of the body stays what it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._body import Mask
from rarefactor.imaging._volume import Volume

_VOXEL_MM = 5.0
_ITERATIONS = (30, 30, 30)
_HISTOGRAM_WIDTH = 0.1  # of a tissue's peak, in logarithms


def compute_unshaded(image: Volume, body: Mask) -> Volume:
    """Return the image divided by its shading.

    Parameters
    ----------
    image
        Magnitudes.
    body
        Where the shading is looked for.

    References
    ----------
    Tustison NJ, Avants BB, Cook PA, et al. N4ITK: improved N3 bias correction. IEEE Trans Med Imaging
    2010;29:1310-1320.
    """
    field = np.exp(compute_log_shading(image, body))
    mean = float(field[body].mean()) if body.any() else 1.0
    return image.with_values(np.asarray(image.values / (field / mean), np.float32))


def compute_log_shading(image: Volume, body: Mask) -> NDArray[np.float32]:
    """Return the logarithm of the shading in each voxel, shape of the image."""
    import SimpleITK as sitk  # noqa: N813, PLC0415 - its usual name; loaded late, so that importing this part is light

    whole, mask = (sitk.GetImageFromArray(each) for each in (image.values.clip(0), body.astype(np.uint8)))
    steps = [max(1, round(_VOXEL_MM / each)) for each in image.grid.spacing_mm[::-1]]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(list(_ITERATIONS))
    n4.SetBiasFieldFullWidthAtHalfMaximum(_HISTOGRAM_WIDTH)
    n4.SetNumberOfThreads(1)  # the same number on every machine; patients are the tasks that run side by side
    n4.Execute(sitk.Shrink(whole, steps), sitk.Shrink(mask, steps))
    return np.asarray(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(whole)), np.float32)
