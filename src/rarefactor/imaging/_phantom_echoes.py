"""A digital phantom of vials with known proton density fat fraction, as complex signals at several echo times.

Convention: signal(t) = (W + F p(t)) exp(2 pi i f t) exp(-R2* t) + noise, where p(t) is the sum of the six peaks of fat,
f the local field in hertz and W + F = 1 in a vial. Arrays are (echo, slice, row, column).

References
----------
Hamilton G, Yokoo T, Bydder M, et al. In vivo characterization of the liver fat 1H MR spectrum. NMR Biomed
2011;24:784-790.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._signal import compute_coil, compute_fat_phasor
from rarefactor.imaging._volume import Grid, Volume

USUAL_ECHOES_MS = (1.15, 2.12, 3.09, 4.06, 5.03, 6.0)
USUAL_FRACTIONS = (0.0, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)
_PITCH = 32  # voxels from vial to vial
_RADIUS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoPhantom:
    """Complex signals of vials, and their truth.

    Attributes
    ----------
    signals
        Complex, shape (echoes, slices, rows, columns).
    vials
        0 outside, else 1 and up in the order of ``fractions``.
    fractions
        Proton density fat fraction (0 to 1) of each vial.
    field_hz
        Local field in hertz.
    """

    signals: NDArray[np.complex64]
    echoes_ms: tuple[float, ...]
    field_tesla: float
    vials: NDArray[np.int16]
    fractions: tuple[float, ...]
    field_hz: Volume

    @property
    def fat_fraction(self) -> Volume:
        """Truth for each voxel; 0 outside the vials."""
        table = np.array([0.0, *self.fractions], np.float32)
        return self.field_hz.with_values(table[self.vials])


def simulate_echoes(  # noqa: PLR0913 - each is a property of the scanner or of the vials
    rng: np.random.Generator,
    *,
    fractions: Sequence[float] = USUAL_FRACTIONS,
    echoes_ms: Sequence[float] = USUAL_ECHOES_MS,
    field_tesla: float = 3.0,
    snr: float = 20.0,
    field_hz: float = 60.0,
    decay_per_s: float = 40.0,
) -> EchoPhantom:
    """Make vials of known fat fraction as a multi-echo scanner sees them.

    Parameters
    ----------
    fractions
        Fat fraction (0 to 1) of each vial; four vials stand in a row.
    echoes_ms
        Echo times.
    snr
        Signal of a vial at echo time 0 over the standard deviation of the noise in each of the two parts.
    field_hz
        The local field lies smoothly within plus and minus this.
    decay_per_s
        R2* of fat and water.

    Examples
    --------
    >>> made = simulate_echoes(np.random.default_rng(1), snr=1e6, field_hz=0.0, decay_per_s=0.0)
    >>> water = np.abs(made.signals[:, made.vials == 1])
    >>> made.signals.shape, float(water.min().round(3)), float(water.max().round(3))
    ((6, 2, 96, 128), 1.0, 1.0)
    """
    rows = -(-len(fractions) // 4)
    grid = Grid(shape=(2, rows * _PITCH, 4 * _PITCH), spacing_mm=(5.0, 2.0, 2.0))
    vials = _place_vials(grid, len(fractions))
    field = (compute_coil(grid, 1.0, rng) - 1) * np.float32(field_hz)
    fraction = np.array([0.0, *fractions])[vials]
    phasors = compute_fat_phasor(echoes_ms, field_tesla)
    times = np.asarray(echoes_ms, float) / 1000.0
    clean = [
        (vials > 0) * (1 - fraction + fraction * phasor) * np.exp((2j * np.pi * field - decay_per_s) * time)
        for phasor, time in zip(phasors, times, strict=True)
    ]
    noise = rng.normal(0, 1 / snr, (2, len(times), *grid.shape))
    return EchoPhantom(
        signals=(np.array(clean) + noise[0] + 1j * noise[1]).astype(np.complex64),
        echoes_ms=tuple(echoes_ms),
        field_tesla=field_tesla,
        vials=vials,
        fractions=tuple(fractions),
        field_hz=Volume(values=field.astype(np.float32), grid=grid),
    )


def _place_vials(grid: Grid, count: int) -> NDArray[np.int16]:
    row, column = np.indices(grid.shape[1:])
    number = row // _PITCH * 4 + column // _PITCH + 1
    middle = _PITCH / 2 - 0.5
    inside = np.hypot(row % _PITCH - middle, column % _PITCH - middle) <= _RADIUS
    plane = np.where(inside & (number <= count), number, 0).astype(np.int16)
    return np.broadcast_to(plane, grid.shape).copy()
