"""What is left of a leg's motion after the rigid part: skin, fat and muscle pressed and turned in the slice.

Convention: displacements are voxels (rows, columns) of the follow-up's slices, added to a voxel of the follow-up before
the rigid part. Slices are far apart, so each is matched for itself, in the slice.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import SimpleITK

_LEVELS = ((2, 60), (1, 40))  # voxels taken together, steps
_SMOOTHNESS = 2.0  # voxels of the field's smoothing, each step


def fit_displacement(baseline: NDArray[np.float32], follow_up: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each voxel of the follow-up where in the slice of baseline it lies.

    Parameters
    ----------
    baseline, follow_up
        Shape (slices, rows, columns): normalised images of one leg, baseline already laid on the follow-up's grid by
        the rigid part.

    Returns
    -------
    array of float32, shape (2, slices, rows, columns)
        Displacement along rows and columns in voxels.

    References
    ----------
    Thirion JP. Image matching as a diffusion process: an analogy with Maxwell's demons. Med Image Anal 1998;2:243-260.
    Vercauteren T, Pennec X, Perchant A, Ayache N. Diffeomorphic demons: efficient non-parametric image registration.
    NeuroImage 2009;45:S61-S72.

    Examples
    --------
    >>> rows, columns = np.mgrid[:64, :64]
    >>> disc = lambda row: np.exp(-((rows - row) ** 2 + (columns - 32) ** 2) / 100.0)[None].astype(np.float32)
    >>> moved = fit_displacement(disc(33), disc(30))
    >>> round(float(moved[0, 0, 24:36, 28:36].mean()))
    3
    """
    pairs = zip(baseline, follow_up, strict=True)
    with _one_thread():
        return np.stack([_fit_slice(before, after) for before, after in pairs], axis=1)


@contextmanager
def _one_thread() -> Generator[None]:
    """Let SimpleITK's own steps do without threads: a slice is so small that they would only wait for each other.

    The filter's number of threads does not reach the filters within it, only the default of all filters does; the
    default is put back afterwards.
    """
    from SimpleITK import ProcessObject  # noqa: PLC0415 - as below

    before = ProcessObject.GetGlobalDefaultNumberOfThreads()
    ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _fit_slice(baseline: NDArray[np.float32], follow_up: NDArray[np.float32]) -> NDArray[np.float32]:
    import SimpleITK  # noqa: PLC0415 - loaded late, so that importing this part is light

    if not (baseline.any() and follow_up.any()):
        return np.zeros((2, *follow_up.shape), np.float32)
    moving, fixed = SimpleITK.GetImageFromArray(baseline), SimpleITK.GetImageFromArray(follow_up)
    field: SimpleITK.Image | None = None
    for shrink, steps in _LEVELS:
        coarse = [_shrink(image, shrink) for image in (fixed, moving)]
        demons = SimpleITK.FastSymmetricForcesDemonsRegistrationFilter()
        demons.SetNumberOfThreads(1)
        demons.SetNumberOfIterations(steps)
        demons.SetStandardDeviations(_SMOOTHNESS)
        start = () if field is None else (SimpleITK.Resample(field, coarse[0]),)
        field = demons.Execute(*coarse, *start)
    assert field is not None  # noqa: S101 - there is at least one level
    found = np.asarray(SimpleITK.GetArrayFromImage(field), np.float32)
    return np.stack([found[..., 1], found[..., 0]])


def _shrink(image: SimpleITK.Image, shrink: int) -> SimpleITK.Image:
    import SimpleITK  # noqa: PLC0415 - as above

    return (
        image
        if shrink == 1
        else SimpleITK.Shrink(SimpleITK.SmoothingRecursiveGaussian(image, [0.5 * shrink] * 2), [shrink] * 2)
    )
