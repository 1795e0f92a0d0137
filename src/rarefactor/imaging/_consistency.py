"""Whether the images of one Dixon scan belong together: in phase is fat + water, opposed is their difference.

Convention: correlations (Pearson) over voxels with signal; both images come from one echo train, so anything below 0.8
means that one of them is not what it was taken for. A doubt is a flag, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._choose import Taken
from rarefactor.imaging._scan import Kind
from rarefactor.results import Flag, Severity

_ALIKE = 0.8


def check_same_grid(taken: Mapping[Kind, Taken]) -> None:
    """Raise ImageError where fat and water do not lie on one grid."""
    fat, water = taken[Kind.FAT], taken[Kind.WATER]
    one, other = fat.volume.grid, water.volume.grid
    if one.matches(other):
        return
    shapes = f"{_size(one.shape)} and {_size(other.shape)} (slices x rows x columns)"
    found = f"fat and water of {shapes}" if one.shape != other.shape else "fat and water that lie at different places"
    raise ImageError(
        Problem(
            file=f"{fat.candidate.name}, {water.candidate.name}",
            found=found,
            expected="fat and water of one scan",
            next_step="Export both completely, or name the two that belong together by patterns.",
        )
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def check_dixon(taken: Mapping[Kind, Taken]) -> tuple[Flag, ...]:
    """Return flags where in-phase or opposed-phase images contradict fat and water; none where they are missing."""
    fat, water = taken[Kind.FAT].volume, taken[Kind.WATER].volume
    echoes = {
        kind: taken[kind].volume.values
        for kind in (Kind.IN_PHASE, Kind.OPPOSED_PHASE)
        if kind in taken and taken[kind].volume.grid.matches(fat.grid)
    }
    return compute_dixon_flags(fat.values, water.values, echoes) if echoes else ()


def compute_dixon_flags(
    fat: NDArray[np.float32], water: NDArray[np.float32], echoes: Mapping[Kind, NDArray[np.float32]]
) -> tuple[Flag, ...]:
    """Return what the in-phase and opposed-phase images say against fat and water; all of one shape.

    Examples
    --------
    >>> fat = np.linspace(0, 9, 1000, dtype=np.float32).reshape(10, 10, 10)
    >>> flags = compute_dixon_flags(fat, 9 - fat[::-1], {Kind.IN_PHASE: np.abs(9 - fat[::-1] - fat)})
    >>> [flag.name for flag in flags]
    ['in_phase_differs']
    """
    total = fat + water
    signal = total > 0.1 * np.quantile(total, 0.99)
    models = {Kind.IN_PHASE: total[signal], Kind.OPPOSED_PHASE: np.abs(water - fat)[signal]}
    found = {
        kind: {of: _correlation(echo[signal], model) for of, model in models.items()} for kind, echo in echoes.items()
    }
    if len(found) == 2 and all(each[_other(kind)] > max(each[kind], _ALIKE) for kind, each in found.items()):
        return (_exchanged(),)
    return tuple(_differs(kind, each[kind]) for kind, each in found.items() if each[kind] < _ALIKE)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _other(kind: Kind) -> Kind:
    return Kind.OPPOSED_PHASE if kind is Kind.IN_PHASE else Kind.IN_PHASE


def _exchanged() -> Flag:
    return Flag(
        name="echoes_exchanged",
        severity=Severity.WARNING,
        detail="The image named in phase is |water − fat| and the one named opposed is fat + water: their names are "
        "exchanged.",
    )


def _differs(kind: Kind, correlation: float) -> Flag:
    named = {Kind.IN_PHASE: ("in-phase", "fat + water"), Kind.OPPOSED_PHASE: ("opposed-phase", "|water − fat|")}
    image, model = named[kind]
    return Flag(
        name=f"{kind}_differs",
        severity=Severity.WARNING,
        detail=f"The {image} image does not follow {model} (r = {correlation:.2f}): one of the images may be of "
        "another scan, or fat and water were not separated well.",
    )
