"""Which of several volumes of one kind is measured, and why.

Convention: a thigh goes before another part of the leg, what lies on the grid of its partner before what stands alone,
a gradient echo before a spin echo, axial before other planes, and a scan that was repeated on the same grid counts with
its last repetition. Where that leaves two scans of different places, the user has to say which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._candidate import Candidate
from rarefactor.imaging._recognise import check_words
from rarefactor.imaging._scan import Kind
from rarefactor.imaging._volume import Volume
from rarefactor.imaging._words import OTHER_PLACES, THIGH
from rarefactor.results import Flag, Severity

_PARTNERS: Mapping[Kind, Kind] = {
    Kind.FAT: Kind.WATER,
    Kind.WATER: Kind.FAT,
    Kind.IN_PHASE: Kind.OPPOSED_PHASE,
    Kind.OPPOSED_PHASE: Kind.IN_PHASE,
}
_EMPTY = 0.005
_SIGNS = (
    "its description names the thigh",
    "the other's description names another part of the body",
    "its partner lies on the same grid",
    "it is a gradient echo",
    "it is axial",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A candidate whose numbers were read, and what it was taken for."""

    candidate: Candidate
    kind: Kind
    reason: str
    volume: Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The volume that counts for its kind, and what is to be said about it."""

    taken: Taken
    flags: tuple[Flag, ...] = ()


def is_nearly_empty(volume: Volume) -> bool:
    """Whether fewer than 5 in 1000 voxels differ from the most frequent number, as in phase copies and zero images.

    Examples
    --------
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(2, 8, 8), spacing_mm=(5.0, 1.0, 1.0))
    >>> is_nearly_empty(Volume(values=np.zeros(grid.shape, np.float32), grid=grid))
    True
    """
    step = max(1, min(volume.values.shape[1:]) // 128)
    some = volume.values[:, ::step, ::step]  # a quarter of the rows and columns says it as well
    return bool(min(np.mean(some != np.median(some)), np.mean(some != some.min())) < _EMPTY)


def choose(alike: Sequence[Taken], everything: Sequence[Taken]) -> Choice:
    """Return which of ``alike``, all of one kind, counts.

    Raises
    ------
    ImageError
        All are nearly empty, or several show different places and nothing says which is meant.
    """
    full = [each for each in alike if not is_nearly_empty(each.volume)]
    if not full:
        raise ImageError(*(_empty(each) for each in alike))
    ranked = sorted(((_signs(each, everything), each) for each in full), key=_rank)[::-1]
    best = ranked[0][1]
    equal = [each for signs, each in ranked[1:] if signs == ranked[0][0]]
    if any(not each.volume.grid.matches(best.volume.grid) for each in equal):
        raise ImageError(_ambiguous(best.kind, [best, *equal]))
    flags = [_copy_flag(best, each) for each in alike if is_nearly_empty(each.volume)]
    if len(ranked) > 1:
        flags.append(_choice_flag(best, [each for _, each in ranked[1:]], _difference(ranked[0][0], ranked[1][0])))
    return Choice(taken=best, flags=tuple(flags))


def _rank(signed: tuple[tuple[bool, ...], Taken]) -> tuple[tuple[bool, ...], int]:
    """Equal ones keep their order, in which repetitions come one after the other."""
    signs, taken = signed
    return signs, taken.candidate.number


def _signs(one: Taken, everything: Sequence[Taken]) -> tuple[bool, ...]:
    clues, grid = one.candidate.clues, one.volume.grid
    text = f"{clues.description} {clues.context} {one.candidate.name}"
    partner = _PARTNERS.get(one.kind)
    return (
        check_words(text, THIGH),
        not check_words(text, OTHER_PLACES),
        any(each.kind is partner and each.volume.grid.matches(grid) for each in everything),
        "GR" in clues.technique,
        grid.spacing_mm[0] == max(grid.spacing_mm),
    )


def _difference(best: tuple[bool, ...], second: tuple[bool, ...]) -> str:
    found = next((words for words, one, other in zip(_SIGNS, best, second, strict=True) if one != other), None)
    return found or "it is the last one on the same grid"


def _choice_flag(best: Taken, others: Sequence[Taken], why: str) -> Flag:
    named = ", ".join(_called(each) for each in others)
    return Flag(
        name="duplicate_series",
        severity=Severity.WARNING,
        detail=f"{len(others) + 1} volumes show {_shown(best.kind)}. {_called(best)} was taken because {why}; "
        f"not used: {named}.",
    )


def _copy_flag(best: Taken, copy: Taken) -> Flag:
    return Flag(
        name="empty_copy",
        severity=Severity.NOTE,
        detail=f"{_called(copy)} is nearly empty, as a phase copy is, and was left out beside {_called(best)}.",
    )


def _called(taken: Taken) -> str:
    number = f" (series {taken.candidate.number})" if taken.candidate.number else ""
    return f"{taken.candidate.name}{number}"


def _shown(kind: Kind) -> str:
    return kind.replace("_", " ")


def _empty(taken: Taken) -> Problem:
    return Problem(
        file=taken.candidate.name,
        found=f"a {_shown(taken.kind)} image of nothing: nearly all voxels hold the same number",
        expected="an image of the thigh",
        next_step="It may be a phase copy or a failed export: export the magnitude image.",
    )


def _ambiguous(kind: Kind, alike: Sequence[Taken]) -> Problem:
    named = ", ".join(_called(each) for each in alike)
    return Problem(
        file=alike[0].candidate.name,
        found=f"{len(alike)} {_shown(kind)} images of different places ({named})",
        expected="one for each visit",
        next_step=f'Say which one is meant by a pattern, such as {kind}: "{alike[0].candidate.name}".',
    )
