"""What a scanner makes of fat and water: signal equations, coil, noise, and the chemical shift of six fat peaks.

Convention: times in milliseconds, flip angles in degrees, field strength in tesla, proton densities and signals in any
one unit. Magnitude images carry Rician noise: the length of a complex number whose parts have Gaussian noise.

References
----------
de Bazelaire CM, Duhamel GD, Rofsky NM, Alsop DC. MR imaging relaxation times of abdominal and pelvic tissues
measured in vivo at 3.0 T: preliminary results. Radiology 2004;230:652-659.
Gudbjartsson H, Patz S. The Rician distribution of noisy MRI data. Magn Reson Med 1995;34:910-914.
Hamilton G, Yokoo T, Bydder M, et al. In vivo characterization of the liver fat 1H MR spectrum. NMR Biomed
2011;24:784-790.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._volume import Grid

Field = NDArray[np.float32]
_GYROMAGNETIC_MHZ_PER_TESLA: Final = 42.577


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """T1 and T2 of one substance in milliseconds."""

    t1_ms: float
    t2_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tissues:
    """Relaxation at one field strength of muscle's water, fat, and free water as in oedema."""

    muscle: Relaxation
    fat: Relaxation
    free_water: Relaxation


_AT_1_5_TESLA: Final = Tissues(
    muscle=Relaxation(t1_ms=1008.0, t2_ms=44.0),
    fat=Relaxation(t1_ms=343.0, t2_ms=58.0),
    free_water=Relaxation(t1_ms=2500.0, t2_ms=300.0),
)
_AT_3_TESLA: Final = Tissues(
    muscle=Relaxation(t1_ms=1412.0, t2_ms=34.0),
    fat=Relaxation(t1_ms=382.0, t2_ms=68.0),
    free_water=Relaxation(t1_ms=3000.0, t2_ms=250.0),
)


def compute_relaxation(field_tesla: float) -> Tissues:
    """Relaxation of the tissues at the nearer of 1.5 and 3 tesla.

    Examples
    --------
    >>> compute_relaxation(2.89).muscle.t1_ms
    1412.0
    """
    return _AT_1_5_TESLA if field_tesla < 2.25 else _AT_3_TESLA


def compute_spoiled_gradient(t1_ms: float, repetition_ms: float, flip_degrees: float) -> float:
    """Signal of unit proton density in a spoiled gradient echo, before decay: sin a (1 - E) / (1 - E cos a).

    Examples
    --------
    >>> round(compute_spoiled_gradient(1412.0, 4.0, 9.0), 4)
    0.0293
    """
    recovery = np.exp(-repetition_ms / t1_ms)
    angle = np.radians(flip_degrees)
    return float(np.sin(angle) * (1 - recovery) / (1 - recovery * np.cos(angle)))


def compute_spin_echo(substance: Relaxation, repetition_ms: float, echo_ms: float) -> float:
    """Signal of unit proton density in a spin echo: (1 - exp(-TR / T1)) exp(-TE / T2).

    Examples
    --------
    >>> round(compute_spin_echo(Relaxation(t1_ms=382.0, t2_ms=68.0), 600.0, 10.0), 3)
    0.684
    """
    return float((1 - np.exp(-repetition_ms / substance.t1_ms)) * np.exp(-echo_ms / substance.t2_ms))


def compute_inversion_recovery(
    substance: Relaxation, repetition_ms: float, echo_ms: float, inversion_ms: float
) -> float:
    """Signed signal of unit proton density after an inversion; fat is silent at TI = T1 ln 2 (STIR).

    Examples
    --------
    >>> fat = Relaxation(t1_ms=382.0, t2_ms=68.0)
    >>> round(compute_inversion_recovery(fat, 1e6, 10.0, 382.0 * 0.6931472), 3)
    0.0
    """
    recovery = 1 - 2 * np.exp(-inversion_ms / substance.t1_ms) + np.exp(-repetition_ms / substance.t1_ms)
    return float(recovery * np.exp(-echo_ms / substance.t2_ms))


def compute_rician(signal: Field, sd: float, rng: np.random.Generator) -> Field:
    """The magnitude of ``signal`` with Gaussian noise of standard deviation ``sd`` in both parts.

    Examples
    --------
    >>> air = compute_rician(np.zeros(20_000, np.float32), 10.0, np.random.default_rng(1))
    >>> round(float(air.mean()) / 10, 1)  # the square root of pi / 2 is 1.25
    1.2
    """
    if sd == 0:
        return np.abs(signal).astype(np.float32)
    real = rng.normal(size=signal.shape).astype(np.float32) * np.float32(sd) + signal
    imaginary = rng.normal(size=signal.shape).astype(np.float32) * np.float32(sd)
    return np.hypot(real, imaginary)


def compute_coil(grid: Grid, amplitude: float, rng: np.random.Generator) -> Field:
    """A smooth sensitivity about 1, within 1 - ``amplitude`` to 1 + ``amplitude``; shape ``grid.shape``."""
    axes = [np.linspace(-1, 1, size, dtype=np.float32) for size in grid.shape]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    terms = (z, y, x, z * z - 1 / 3, y * y - 1 / 3, x * x - 1 / 3, x * y, y * z, x * z)
    field = sum((np.float32(rng.normal()) * term for term in terms), np.zeros(grid.shape, np.float32))
    return (1 + np.float32(amplitude) * field / np.maximum(np.abs(field).max(), np.float32(1e-6))).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FatSpectrum:
    """Peaks of fat: distance from water in parts per million, and share of the fat signal (sum 1)."""

    shifts_ppm: tuple[float, ...]
    shares: tuple[float, ...]


SIX_PEAKS: Final = FatSpectrum(
    shifts_ppm=(-3.80, -3.40, -2.60, -1.94, -0.39, 0.60), shares=(0.087, 0.693, 0.128, 0.004, 0.039, 0.049)
)
"""The six peaks of triglycerides (Hamilton et al. 2011)."""


def compute_fat_phasor(
    echoes_ms: Sequence[float], field_tesla: float, *, spectrum: FatSpectrum = SIX_PEAKS
) -> NDArray[np.complex128]:
    """Complex signal of unit fat at each echo, in the frame of water.

    Examples
    --------
    >>> abs(compute_fat_phasor([0.0], 3.0)).round(3).tolist()
    [1.0]
    """
    shifts = np.array(spectrum.shifts_ppm) * _GYROMAGNETIC_MHZ_PER_TESLA * field_tesla
    turns = np.outer(np.asarray(echoes_ms, float) / 1000.0, shifts)
    phasor: NDArray[np.complex128] = np.exp(2j * np.pi * turns) @ np.asarray(spectrum.shares)
    return phasor
