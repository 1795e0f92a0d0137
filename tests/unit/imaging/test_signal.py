"""Signals follow the physics of the scanner: contrast, noise, six peaks of fat."""

import numpy as np
import pytest

from rarefactor.imaging._fat_fraction import compute_fat_fraction
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._signal import compute_coil, compute_fat_phasor, compute_rician
from rarefactor.imaging.simulate import SMALL_GRID, EchoPhantom, Look, simulate_echoes, simulate_thigh

CLEAN = Look(noise=0.0, bias=0.0)


def test_rician_noise_in_air_and_in_signal():
    rng = np.random.default_rng(2)
    air, tissue = (compute_rician(np.full(200_000, level, np.float32), 10.0, rng) for level in (0.0, 100.0))
    assert air.mean() == pytest.approx(10 * np.sqrt(np.pi / 2), rel=0.01)
    assert np.mean(tissue**2) == pytest.approx(100**2 + 2 * 10**2, rel=0.002)


def test_the_coil_stays_within_its_bounds():
    coil = compute_coil(SMALL_GRID, 0.2, np.random.default_rng(1))
    assert np.abs(coil - 1).max() == pytest.approx(0.2, abs=1e-4)
    assert np.abs(np.diff(coil, axis=2)).max() < 0.02


def test_opposed_phase_folds_and_in_phase_adds():
    rng = np.random.default_rng(4)
    thigh = simulate_thigh(rng, grid=SMALL_GRID, look=CLEAN)
    fat, water = thigh.fat.values, thigh.water.values
    assert thigh.render(Kind.IN_PHASE, rng).values == pytest.approx(fat + water, rel=1e-4)
    assert thigh.render(Kind.OPPOSED_PHASE, rng).values == pytest.approx(np.abs(water - fat), abs=0.1)


def test_t1_shows_fat_bright_and_stir_shows_oedema_and_no_fat():
    rng = np.random.default_rng(4)
    thigh = simulate_thigh(
        rng, grid=SMALL_GRID, look=CLEAN, fat={"VL": 0.05, "RF": 0.05, "SM": 0.9}, oedema={"RF": 0.3}
    )
    t1, stir = (thigh.render(kind, rng).values for kind in (Kind.T1, Kind.STIR))
    codes = {
        code: np.isin(thigh.labels.values, [key for key, region in thigh.labels.regions.items() if region.name == code])
        for code in ("VL", "RF", "SM")
    }
    bright = {code: (t1[there].mean(), stir[there].mean()) for code, there in codes.items()}
    assert bright["SM"][0] > 1.8 * bright["VL"][0]
    assert bright["SM"][1] < 0.2 * bright["VL"][1]
    assert bright["RF"][1] > 1.3 * bright["VL"][1]


def test_a_large_flip_angle_inflates_fat():
    """Published simulation: a true 10 % reads about 22 % at 9 degrees, TR 4 ms, 3 T."""
    scan = Acquisition(repetition_ms=4.0, flip_degrees=9.0, field_tesla=3.0)
    look = Look(noise=0.0, bias=0.0, weighted=True, acquisition=scan)
    thigh = simulate_thigh(np.random.default_rng(4), grid=SMALL_GRID, fat={"VL": 0.10}, look=look)
    there = np.isin(thigh.labels.values, [key for key, region in thigh.labels.regions.items() if region.name == "VL"])
    fat, water = thigh.fat.values[there], thigh.water.values[there]
    assert fat.sum() / (fat + water).sum() == pytest.approx(0.22, abs=0.025)


def test_the_main_peak_turns_once_in_its_own_period():
    """Methylene lies 3.40 ppm below water, 434 Hz at 3 T, so fat and water oppose each other after 1.15 ms."""
    opposed, in_phase = compute_fat_phasor([1.151, 2.303], 3.0)
    assert opposed.real < -0.7
    assert in_phase.real > 0.6


def test_vials_of_known_fat_are_recovered_at_snr_20():
    phantom = simulate_echoes(np.random.default_rng(11), snr=20.0)
    fat, water = _reconstruct(phantom)
    fraction = compute_fat_fraction(
        *(phantom.field_hz.with_values(np.maximum(part, 0).astype(np.float32)) for part in (fat, water))
    )
    found = np.array([fraction.values.values[_core(phantom, number)].mean() for number in range(1, 13)])
    errors = 100 * np.abs(found - np.array(phantom.fractions))
    assert errors.mean() < 0.3
    assert errors.max() < 1.0


def _core(phantom: EchoPhantom, number: int) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    return binary_erosion(phantom.vials == number, np.ones((1, 9, 9), bool))


def _reconstruct(phantom: EchoPhantom) -> tuple[np.ndarray, np.ndarray]:
    """Fat and water by iterative least squares on signals averaged over 7 x 7 voxels; for this test only."""
    from scipy.ndimage import uniform_filter

    smooth = uniform_filter(phantom.signals, (0, 0, 7, 7))
    signals = smooth.reshape(len(smooth), -1)
    times = np.array(phantom.echoes_ms)[:, None] / 1000
    parts = np.stack((np.ones(len(times)), compute_fat_phasor(phantom.echoes_ms, phantom.field_tesla)), axis=1)
    solve = np.linalg.pinv(parts)
    field = np.zeros(signals.shape[1], complex)  # real part: field in hertz; imaginary part: decay
    for _ in range(30):
        level = signals * np.exp(-2j * np.pi * field * times)
        amounts = solve @ level
        slope = 2j * np.pi * times * (parts @ amounts)
        slope -= parts @ (solve @ slope)
        step = np.sum(slope.conj() * (level - parts @ amounts), axis=0) / np.maximum(
            np.sum(np.abs(slope) ** 2, axis=0), 1e-12
        )
        field += np.where(np.abs(step) < 50, step, 50 * step / np.maximum(np.abs(step), 1e-12))
        field = np.clip(field.real, -200, 200) + 1j * np.clip(field.imag, -5, 50)
    water, fat = amounts * np.exp(-1j * np.angle(amounts.sum(axis=0)))
    shape = smooth.shape[1:]
    return fat.real.reshape(shape), water.real.reshape(shape)
