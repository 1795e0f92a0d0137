"""Two round thighs of known fat, and the real patients beside the checkout."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from rarefactor.imaging._volume import Grid, Volume, compute_oriented


@dataclass(frozen=True)
class Thighs:
    """Fat and water of two cylinders: 85 % fat for 12 mm under the skin, known muscle deeper.

    ``depth`` is millimetres under the skin, negative in air.
    """

    fat: Volume
    water: Volume
    depth: NDArray[np.float64]

    @property
    def total(self) -> Volume:
        return self.fat.with_values(self.fat.values + self.water.values)


@pytest.fixture(scope="session")
def make_thighs() -> Callable[..., Thighs]:
    return _make_thighs


def _make_thighs(*, muscle_fat: float = 0.1, noise: float = 2.0, gap_mm: float = 20.0) -> Thighs:
    grid = Grid(shape=(3, 100, 200), spacing_mm=(5.0, 2.0, 2.0), origin_mm=(-200.0, -100.0, 0.0))
    rows, columns = ((np.arange(n) - (n - 1) / 2) * 2.0 for n in grid.shape[1:])
    off = 70.0 + gap_mm / 2
    depth = 70.0 - np.hypot(rows[:, None], np.minimum(abs(columns - off), abs(columns + off))[None, :])
    depth = np.broadcast_to(depth, grid.shape)
    rng = np.random.default_rng(5)
    part = np.where(depth < 12, 0.85, muscle_fat)

    def image(share: NDArray[np.float64]) -> Volume:
        real, imaginary = rng.normal(0, noise, (2, *grid.shape))
        return Volume(values=np.hypot(300 * share * (depth >= 0) + real, imaginary).astype(np.float32), grid=grid)

    return Thighs(fat=image(part), water=image(1 - part), depth=depth)


@pytest.fixture(scope="session")
def read_patient(shared: Path) -> Callable[[str], tuple[Volume, Volume, NDArray[np.int16]]]:
    """Fat, water and the muscles' labels of a real patient, read without the product's own readers."""

    @cache
    def read(patient: str) -> tuple[Volume, Volume, NDArray[np.int16]]:
        folder = shared / "data" / "mri" / "huashan_dixon_thigh"
        fat, water, labels = (_read(folder / f"{patient}_{name}.nii.gz") for name in ("0000", "0001", "seg"))
        return fat, water, labels.values.astype(np.int16)

    return read


def _read(path: Path) -> Volume:
    image = nibabel.load(path)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    return compute_oriented(np.asarray(image.dataobj, np.float32), affine)
