"""Thigh MRI made by code, with known truth: an anatomical phantom of both thighs, and what a scanner shows of it.

Convention: fat fractions are 0 to 1; signals are in a unit in which healthy muscle is near 1000 before the coil; all
randomness comes from the generator that is passed. Nothing here is a patient's image, and what is written to files says
that it is synthetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._motion import (
    STILL,
    Movement,
    compute_displacement,
    compute_moved_labels,
    compute_moved_values,
)
from rarefactor.imaging._motion_follow_up import FollowUp, compute_infiltrated, compute_means, simulate_follow_up
from rarefactor.imaging._phantom import REGIONS, Tissue, Tissues, compute_quarters, compute_tissues
from rarefactor.imaging._phantom_anatomy import Build, compute_build
from rarefactor.imaging._phantom_echoes import EchoPhantom, simulate_echoes
from rarefactor.imaging._phantom_files import FileForm, write_scan
from rarefactor.imaging._phantom_texture import (
    compute_muscle_fat,
    compute_shared_out,
    compute_texture,
    compute_usual_fat,
)
from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._signal import (
    compute_coil,
    compute_inversion_recovery,
    compute_relaxation,
    compute_rician,
    compute_spin_echo,
    compute_spoiled_gradient,
)
from rarefactor.imaging._volume import Grid, Volume

__all__ = [
    "DEFAULT_GRID",
    "SMALL_GRID",
    "STILL",
    "EchoPhantom",
    "FileForm",
    "FollowUp",
    "Look",
    "Movement",
    "Thigh",
    "simulate_echoes",
    "simulate_follow_up",
    "simulate_thigh",
    "simulate_visits",
    "write_scan",
]

Field = NDArray[np.float32]
DEFAULT_GRID: Final = Grid(shape=(16, 256, 256), spacing_mm=(20.0, 1.5, 1.5), origin_mm=(-191.25, -191.25, -150.0))
SMALL_GRID: Final = Grid(shape=(6, 128, 128), spacing_mm=(40.0, 3.0, 3.0), origin_mm=(-190.5, -190.5, -100.0))
"""For fast tests."""
_UNIT: Final = 1000.0
_DENSITY: Final[Mapping[Tissue, tuple[float, float]]] = {
    Tissue.AIR: (0.0, 0.0),
    Tissue.SKIN: (0.6, 0.25),
    Tissue.SUBCUTANEOUS: (1.05, 0.92),
    Tissue.FASCIA: (0.35, 0.35),
    Tissue.SEPTUM: (0.9, 0.78),
    Tissue.CORTEX: (0.05, 0.4),
    Tissue.MARROW: (0.95, 0.94),
    Tissue.VESSEL: (1.25, 0.02),
    Tissue.NERVE: (0.85, 0.4),
    Tissue.OTHER_MUSCLE: (1.0, 0.0),
}
"""Proton density relative to muscle, and fat fraction (a muscle's comes from its own texture)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the phantom is built and scanned.

    Attributes
    ----------
    noise
        Standard deviation of the noise in the real and imaginary part, as a share of muscle's signal.
    bias
        Largest deviation of the coil's sensitivity from 1.
    gap_mm
        Smallest distance of the two legs' skin; negative where they touch.
    builds
        How each leg is built; drawn if None.
    weighted
        Whether fat and water carry the T1 weighting of ``acquisition``.
    """

    noise: float = 0.01
    bias: float = 0.2
    gap_mm: float = 8.0
    builds: Mapping[Side, Build] | None = None
    weighted: bool = False
    acquisition: Acquisition = field(
        default_factory=lambda: Acquisition(
            sequence="Dixon", repetition_ms=7.0, echo_ms=2.5, flip_degrees=4.0, field_tesla=3.0
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Thigh:
    """One visit of the phantom.

    Attributes
    ----------
    fat, water
        As reconstructed: magnitudes with coil and noise.
    labels
        The eleven muscles of both legs.
    fat_fraction
        Truth, 0 to 1; 0 in air.
    density
        Protons of fat and water together (muscle 1).
    oedema
        Share of a voxel's water that is free water.
    coil
        Sensitivity.
    """

    fat: Volume
    water: Volume
    labels: LabelMap
    fat_fraction: Volume
    density: Volume
    oedema: Volume
    coil: Volume
    look: Look

    def render(self, kind: Kind, rng: np.random.Generator, *, acquisition: Acquisition | None = None) -> Volume:
        """Return the image of another ``kind``, with its own noise.

        IN_PHASE and OPPOSED_PHASE are the sum and the absolute difference of fat and water; T1 is a spin echo (default
        TR 600, TE 10 ms), T2 a spin echo (4000, 80), STIR an inversion recovery (4000, 40; fat is silent).
        """
        signal = _RENDERERS[kind](self, acquisition or Acquisition(field_tesla=3.0))
        return self.density.with_values(
            compute_rician(signal * self.coil.values * np.float32(_UNIT), self.look.noise * _UNIT, rng)
        )


def simulate_thigh(
    rng: np.random.Generator,
    *,
    grid: Grid | None = None,
    fat: Mapping[Region, float] | Mapping[str, float] | None = None,
    oedema: Mapping[Region, float] | Mapping[str, float] | None = None,
    look: Look | None = None,
) -> Thigh:
    """Make both thighs of one visit.

    Parameters
    ----------
    rng
        Source of all variation: anatomy, texture, coil, noise.
    grid
        16 slices of 256 x 256 voxels (20 x 1.5 x 1.5 mm) if None.
    fat
        Fat fraction (0 to 1) by region, or by muscle code for both sides; drawn where not given.
    oedema
        Share of free water (0 to 1) in the same way; none where not given.
    look
        Anatomy and scanner.

    Examples
    --------
    >>> thigh = simulate_thigh(np.random.default_rng(1), grid=SMALL_GRID, fat={"RF": 0.3})
    >>> right = next(label for label, region in thigh.labels.regions.items() if region.name == "RF")
    >>> round(float(thigh.fat_fraction.values[thigh.labels.values == right].mean()), 3)
    0.3
    """
    grid, look = grid or DEFAULT_GRID, look or Look()
    tissues = compute_tissues(grid, look.builds or _draw_builds(rng), rng, gap_mm=look.gap_mm)
    usual = compute_usual_fat(rng)
    texture = compute_texture(grid, tissues.labels.values, rng)
    wanted = {region: _wanted(fat or {}, region, usual[region.name]) for region in REGIONS.values()}
    muscle = compute_muscle_fat(texture, tissues.labels, wanted, unlabelled=usual["VI"])
    density, fraction = _compute_tissue_fat(tissues, muscle)
    free = {region: _wanted(oedema or {}, region, 0.0) for region in REGIONS.values()}
    return _scan(grid, (density, fraction), tissues.labels, _fill(tissues.labels, free), look, rng)


def simulate_visits(
    rng: np.random.Generator,
    fat: Sequence[Mapping[str, float] | float],
    *,
    grid: Grid | None = None,
    look: Look | None = None,
    movement: Movement | None = None,
) -> tuple[Thigh, ...]:
    """Make the visits of one person: the same thighs, fatter or leaner, laid down anew and scanned again.

    Parameters
    ----------
    rng
        Source of all variation.
    fat
        Of each visit, the fat fraction (0 to 1) by muscle code, or of all muscles together: their mean over the voxels
        of the visit's own label map, shared out among the muscles as is usual in disease.
    grid
        16 slices of 256 x 256 voxels (20 x 1.5 x 1.5 mm) if None.
    look
        Anatomy and scanner; each visit has its own coil and noise.
    movement
        How the thighs lie at later visits, compared with the first; the usual :class:`Movement` if None.

    Examples
    --------
    >>> first, later = simulate_visits(np.random.default_rng(1), [0.10, 0.14], grid=SMALL_GRID)
    >>> [round(float(each.fat_fraction.values[each.labels.values > 0].mean()), 3) for each in (first, later)]
    [0.1, 0.14]
    """
    grid, look = grid or DEFAULT_GRID, look or Look()
    tissues = compute_tissues(grid, look.builds or _draw_builds(rng), rng, gap_mm=look.gap_mm)
    texture, usual = compute_texture(grid, tissues.labels.values, rng), compute_usual_fat(rng)
    shared = [compute_shared_out(each, usual, tissues.labels) for each in fat]
    visits = [
        _compute_tissue_fat(tissues, compute_muscle_fat(texture, tissues.labels, each, unlabelled=_mean_of(each, "VI")))
        for each in shared
    ]
    first = _scan(grid, visits[0], tissues.labels, np.zeros(grid.shape, np.float32), look, rng)
    displacements = (compute_displacement(first.density, movement or Movement(), rng) for _ in fat[1:])
    later = zip(visits[1:], shared[1:], fat[1:], displacements, strict=True)
    return (first, *(_lay_down(first, *each, rng) for each in later))


def _mean_of(fat: Mapping[Region, float], name: str) -> float:
    return float(np.mean([share for region, share in fat.items() if region.name == name]))


def _lay_down(
    first: Thigh,
    tissue: tuple[Field, Field],
    usual: Mapping[Region, float],
    fat: Mapping[str, float] | float,
    displacement: Field,
    rng: np.random.Generator,
) -> Thigh:
    """Return the thighs of ``first`` with other fat as they lie at another visit.

    Interpolation mixes a little of what lies beside a muscle into it; the muscles are then set to the fat asked for.
    """
    density, fraction = tissue
    grid = first.density.grid
    moved, moved_fat = (compute_moved_values(each, grid, displacement) for each in (density, density * fraction))
    moved_fat = np.minimum(moved_fat, moved)
    labels = compute_moved_labels(first.labels, displacement)
    there = compute_means(moved_fat, moved - moved_fat, labels)
    wanted = compute_shared_out(fat, {region.name: share for region, share in usual.items()}, labels)
    change = {region: share - there.get(region, share) for region, share in wanted.items()}
    grown = compute_infiltrated(moved_fat, moved, labels, change)
    share = np.divide(grown, moved, out=np.zeros_like(moved), where=moved > 0)
    return _scan(grid, (moved, share), labels, np.zeros(grid.shape, np.float32), first.look, rng)


def _draw_builds(rng: np.random.Generator) -> Mapping[Side, Build]:
    right = compute_build(rng)
    return {Side.RIGHT: right, Side.LEFT: compute_build(rng, body=right)}


def _wanted(values: Mapping[Region, float] | Mapping[str, float], region: Region, otherwise: float) -> float:
    by_name: dict[Region | str, float] = {key: value for key, value in values.items()}  # noqa: C416 - widens the key's type
    return by_name.get(region, by_name.get(region.name, otherwise))


def _fill(labels: LabelMap, values: Mapping[Region, float]) -> Field:
    table = np.zeros(max(labels.regions) + 1, np.float32)
    for label, region in labels.regions.items():
        table[label] = values[region]
    return table[labels.values]


def _compute_tissue_fat(tissues: Tissues, muscle: Field) -> tuple[Field, Field]:
    """Proton density and fat fraction of each voxel: means over its quarters."""
    size = Tissue.MUSCLE + len(REGIONS) + 1
    density_of, fraction_of = np.ones(size, np.float32), np.zeros(size, np.float32)
    for tissue, (density, fraction) in _DENSITY.items():
        density_of[tissue], fraction_of[tissue] = density, fraction
    total, fat = np.zeros_like(muscle), np.zeros_like(muscle)
    for quarter in compute_quarters(tissues.fine):
        density = density_of[quarter]
        total += density / 4
        fat += density * np.where(quarter >= Tissue.MUSCLE, muscle, fraction_of[quarter]) / 4
    return total, np.divide(fat, total, out=np.zeros_like(fat), where=total > 0)


def _scan(
    grid: Grid,
    truth: tuple[Field, Field],
    labels: LabelMap,
    oedema: Field,
    look: Look,
    rng: np.random.Generator,
) -> Thigh:
    density, fraction = truth
    coil = compute_coil(grid, look.bias, rng)
    fat_gain, water_gain = _gains(look)
    seen = density * coil * np.float32(_UNIT)
    noise = look.noise * _UNIT
    volumes = {
        "fat": compute_rician(seen * fraction * np.float32(fat_gain), noise, rng),
        "water": compute_rician(seen * (1 - fraction) * np.float32(water_gain), noise, rng),
        "fat_fraction": fraction,
        "density": density,
        "oedema": oedema,
        "coil": coil,
    }
    made = {name: Volume(values=values.astype(np.float32), grid=grid) for name, values in volumes.items()}
    return Thigh(labels=labels, look=look, **made)


def _gains(look: Look) -> tuple[float, float]:
    """How much brighter T1 weighting makes fat and water; muscle's water stays 1."""
    scan = look.acquisition
    if not look.weighted or scan.repetition_ms is None or scan.flip_degrees is None:
        return 1.0, 1.0
    times = compute_relaxation(scan.field_tesla or 3.0)
    fat, water = (
        compute_spoiled_gradient(each.t1_ms, scan.repetition_ms, scan.flip_degrees)
        for each in (times.fat, times.muscle)
    )
    return fat / water, 1.0


def _render_in_phase(thigh: Thigh, _: Acquisition) -> Field:
    fat, water = _parts(thigh)
    return fat + water


def _render_opposed(thigh: Thigh, _: Acquisition) -> Field:
    fat, water = _parts(thigh)
    return np.abs(water - fat)


def _parts(thigh: Thigh) -> tuple[Field, Field]:
    fat_gain, water_gain = _gains(thigh.look)
    density, fraction = thigh.density.values, thigh.fat_fraction.values
    return density * fraction * np.float32(fat_gain), density * (1 - fraction) * np.float32(water_gain)


def _render_spin_echo(thigh: Thigh, scan: Acquisition, repetition_ms: float, echo_ms: float) -> Field:
    times = compute_relaxation(scan.field_tesla or 3.0)
    repetition, echo = scan.repetition_ms or repetition_ms, scan.echo_ms or echo_ms
    fat, muscle, free = (
        np.float32(compute_spin_echo(each, repetition, echo)) for each in (times.fat, times.muscle, times.free_water)
    )
    return _mixed(thigh, fat, muscle, free)


def _render_t1(thigh: Thigh, scan: Acquisition) -> Field:
    return _render_spin_echo(thigh, scan, 600.0, 10.0)


def _render_t2(thigh: Thigh, scan: Acquisition) -> Field:
    return _render_spin_echo(thigh, scan, 4000.0, 80.0)


def _render_stir(thigh: Thigh, scan: Acquisition) -> Field:
    times = compute_relaxation(scan.field_tesla or 3.0)
    repetition, echo = scan.repetition_ms or 4000.0, scan.echo_ms or 40.0
    null = times.fat.t1_ms * float(np.log(2 / (1 + np.exp(-repetition / times.fat.t1_ms))))
    inversion = scan.inversion_ms or null
    fat, muscle, free = (
        np.float32(abs(compute_inversion_recovery(each, repetition, echo, inversion)))
        for each in (times.fat, times.muscle, times.free_water)
    )
    return _mixed(thigh, fat, muscle, free)


def _mixed(thigh: Thigh, fat: np.float32, muscle: np.float32, free: np.float32) -> Field:
    fraction, oedema = thigh.fat_fraction.values, thigh.oedema.values
    water = muscle * (1 - oedema) + free * oedema
    mixed = thigh.density.values * (fraction * fat + (1 - fraction) * water)
    return mixed.astype(np.float32, copy=False)


_RENDERERS: Final = {
    Kind.IN_PHASE: _render_in_phase,
    Kind.OPPOSED_PHASE: _render_opposed,
    Kind.T1: _render_t1,
    Kind.T2: _render_t2,
    Kind.STIR: _render_stir,
}
