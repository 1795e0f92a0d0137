"""The rigid part of how a leg lies at follow-up.

Convention: images are normalised by their local mean, 0 in air; positions are millimetres (left, back, head)
from the middle of the slices and the first row and column of each scan, so that no table position is trusted. The
pose takes a position of the follow-up to one of baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._volume import Grid, Volume

if TYPE_CHECKING:
    import SimpleITK

_LEVELS = ((4.0, 0.1), (1.5, 0.2))  # mm of smoothing in the slice, share of voxels looked at
_STARTS = (0.0, -1.0, 1.0)  # slices along the leg
_BETTER = 0.02  # of correlation: less is no reason to start a slice away, where fewer slices are compared
_BEST = -1.0  # what a descent ends with where images match fully: minus the square of the correlation
_SEED = 2020  # of the choice of voxels: the same images give the same pose
_STEPS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A rotation matrix (3, 3), the translation (3,) after it, and the angles in degrees; all (left, back, head)."""

    matrix: NDArray[np.float64]
    offset_mm: NDArray[np.float64]
    angles: tuple[float, float, float]

    def move(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take positions, shape (..., 3), of the follow-up to baseline."""
        return np.asarray(positions @ self.matrix.T + self.offset_mm, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A normalised scan, where one leg is and what is near it; ``step`` voxels of the slice make one of its own."""

    image: Volume
    inside: NDArray[np.bool_]
    near: NDArray[np.bool_]
    step: int


def fit_pose(baseline: Leg, follow_up: Leg) -> Pose:
    """Return the rigid motion that lays the follow-up's leg on baseline's.

    Correlation of the images over rotations and translations by gradient descent, from the middles of both legs and
    from one slice above and below; these win only where they end clearly better.

    Parameters
    ----------
    baseline, follow_up
        Normalised by the local mean, 0 in air.

    References
    ----------
    Avants BB, Tustison NJ, Stauffer M, Song G, Wu B, Gee JC. The Insight ToolKit image registration framework. Front
    Neuroinform 2014;8:44.
    """
    pose = _find_start(baseline, follow_up)
    _, pose = _descend(baseline, follow_up, pose, _LEVELS[1:])
    matrix = np.reshape(pose.GetMatrix(), (3, 3))
    centre = np.asarray(pose.GetCenter())
    offset = centre + np.asarray(pose.GetTranslation()) - matrix @ centre
    x, y, z = (float(np.degrees(angle)) for angle in pose.GetParameters()[:3])
    return Pose(matrix=matrix, offset_mm=offset, angles=(x, y, z))


def _find_start(baseline: Leg, follow_up: Leg) -> SimpleITK.Euler3DTransform:
    """The coarse pose from the middles, or from a slice away where that is clearly better, if it can be at all."""
    first, *others = (_build_start(baseline, follow_up, start) for start in _STARTS)
    value, pose = _descend(baseline, follow_up, first, _LEVELS[:1])
    if value - _BETTER < _BEST:
        return pose
    ends = [_descend(baseline, follow_up, start, _LEVELS[:1]) for start in others]
    better, other = min(ends, key=lambda end: end[0])
    return other if better <= value - _BETTER else pose


def compute_positions(grid: Grid) -> NDArray[np.float64]:
    """Return the position (left, back, head) of every voxel, shape (slices, rows, columns, 3).

    Examples
    --------
    >>> compute_positions(Grid(shape=(2, 1, 2), spacing_mm=(20.0, 1.5, 1.5)))[1, 0].tolist()
    [[0.0, 0.0, 10.0], [1.5, 0.0, 10.0]]
    """
    axes = [np.arange(size) * step for size, step in zip(grid.shape, grid.spacing_mm, strict=True)]
    z, y, x = np.meshgrid(axes[0] + _compute_first(grid), axes[1], axes[2], indexing="ij")
    return np.stack([x, y, z], axis=-1, dtype=float)


def compute_places(positions: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    """Return the index (slice, row, column) of positions: shape (3, ...), the inverse of `compute_positions`.

    Examples
    --------
    >>> grid = Grid(shape=(2, 4, 4), spacing_mm=(20.0, 1.5, 1.5))
    >>> compute_places(np.array([3.0, 1.5, 0.0]), grid).tolist()
    [0.5, 1.0, 2.0]
    """
    along, height, width = grid.spacing_mm
    z = (positions[..., 2] - _compute_first(grid)) / along
    return np.stack([z, positions[..., 1] / height, positions[..., 0] / width]).astype(np.float32)


def _compute_first(grid: Grid) -> float:
    """Where the first slice lies: the middle of the slices is 0."""
    return -0.5 * (grid.shape[0] - 1) * grid.spacing_mm[0]


def _compute_middle(leg: Leg) -> tuple[float, float, float]:
    """The middle of the leg in its slices, and the middle of the slices."""
    _, rows, columns = np.nonzero(leg.inside)
    _, height, width = leg.image.grid.spacing_mm
    return float(columns.mean()) * width, float(rows.mean()) * height, 0.0


def _build_start(baseline: Leg, follow_up: Leg, slices: float) -> SimpleITK.Euler3DTransform:
    import SimpleITK  # noqa: PLC0415 - loaded late, so that importing this part is light

    here, there = _compute_middle(follow_up), _compute_middle(baseline)
    start = SimpleITK.Euler3DTransform()
    start.SetCenter(here)
    start.SetTranslation((there[0] - here[0], there[1] - here[1], slices * baseline.image.grid.spacing_mm[0]))
    return start


def _descend(
    baseline: Leg, follow_up: Leg, start: SimpleITK.Euler3DTransform, levels: Sequence[tuple[float, float]]
) -> tuple[float, SimpleITK.Euler3DTransform]:
    import SimpleITK  # noqa: PLC0415 - as above

    pose, value = SimpleITK.Euler3DTransform(start), np.inf
    near = _build_image(follow_up.near.astype(np.uint8), follow_up.image.grid)
    for sigma_mm, share in levels:
        method = SimpleITK.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)  # one order of summing, so that the same images give the same pose
        method.SetMetricAsCorrelation()
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(share, seed=_SEED)
        method.SetMetricFixedMask(near)
        method.SetInterpolator(SimpleITK.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.02, _STEPS, relaxationFactor=0.6)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(pose, inPlace=True)
        method.Execute(_smooth(follow_up.image, sigma_mm), _smooth(baseline.image, sigma_mm))
        value = float(method.GetMetricValue())
    return value, pose


def _build_image(values: NDArray[Any], grid: Grid) -> SimpleITK.Image:
    """The array as an image whose middle slice lies at 0."""
    import SimpleITK  # noqa: PLC0415 - as above

    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin((0.0, 0.0, _compute_first(grid)))
    return image


def _smooth(image: Volume, sigma_mm: float) -> SimpleITK.Image:
    from scipy import ndimage  # noqa: PLC0415 - as above

    _, height, width = image.grid.spacing_mm
    smoothed = ndimage.gaussian_filter(image.values, (0.0, sigma_mm / height, sigma_mm / width))
    return _build_image(np.asarray(smoothed, np.float32), image.grid)
