"""How far two readers agree on grades: muscle by muscle, and on the mean grade of a scan.

Convention: weighted kappa (linear weights) is over all muscles that both graded, whose grades within a patient are not
independent: its interval is too narrow for that. The intraclass correlation and the limits of agreement are of the mean
grade of each scan over the muscles that both graded, first reader minus second, readers in the order of their names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean

from rarefactor.imaging._grades import Grade, GradeTable
from rarefactor.imaging._regions import Side
from rarefactor.results import Estimate, list_pairs
from rarefactor.stats import (
    BlandAltman,
    Icc,
    WeightedKappa,
    compute_bland_altman,
    compute_icc,
    compute_weighted_kappa,
)

FEW_SCANS = 10
"""Fewer scans that both graded are flagged."""
_Muscle = tuple[str, str, str, Side | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeAgreement:
    """How far two readers agree.

    Attributes
    ----------
    readers
        Their names.
    muscles, scans
        That both graded.
    kappa
        Over muscles.
    icc, limits
        Of the mean grade of a scan.
    pairs
        These means.
    blind
        Whether both graded all of it blind.
    """

    readers: tuple[str, str]
    muscles: int
    scans: int
    kappa: WeightedKappa
    icc: Icc
    limits: BlandAltman
    pairs: tuple[tuple[float, float], ...]
    blind: bool = False


def compute_grade_agreement(
    table: GradeTable, readers: tuple[str, str], *, level: float = 0.95, blind: bool | None = None
) -> GradeAgreement | None:
    """Return how far two readers agree; None where they graded nothing in common.

    ``blind``: on what both graded blind, or on the rest; None: on all.

    Examples
    --------
    >>> from rarefactor.imaging._grades import find_scale
    >>> grades = tuple(
    ...     Grade(patient=str(scan), visit="month_3", muscle="VL", side=None, reader=reader, grade=grade)
    ...     for reader, given in (("Ada", (0, 1, 2, 3)), ("Bea", (0, 1, 2, 4))) for scan, grade in enumerate(given)
    ... )
    >>> found = compute_grade_agreement(GradeTable(scale=find_scale("mercuri"), grades=grades), ("Ada", "Bea"))
    >>> found.muscles, found.scans, found.limits.bias.estimate
    (4, 4, -0.25)
    """
    one, other = ({_key(each): each.grade for each in table.grades if each.reader == reader} for reader in readers)
    unseen = [{_key(each) for each in table.grades if each.reader == reader and each.blind} for reader in readers]
    both = [key for key in one if key in other and blind in {None, key in unseen[0] & unseen[1]}]
    if not both:
        return None
    first = table.scale.first
    pairs = tuple(_average(both, one, other))
    return GradeAgreement(
        readers=readers,
        muscles=len(both),
        scans=len(pairs),
        kappa=compute_weighted_kappa(
            [one[key] - first for key in both],
            [other[key] - first for key in both],
            categories=table.scale.last - first + 1,
            level=level,
        ),
        icc=compute_icc(pairs, level=level),
        limits=compute_bland_altman([a for a, _ in pairs], [b for _, b in pairs], level=level),
        pairs=pairs,
        blind=blind is True,
    )


def tabulate_grade_agreement(table: GradeTable, *, level: float = 0.95) -> tuple[GradeAgreement, ...]:
    """Return the agreement of each pair of readers who graded something in common."""
    readers = sorted({each.reader for each in table.grades})
    found = (compute_grade_agreement(table, pair, level=level) for pair in combinations(readers, 2))
    return tuple(each for each in found if each)


def tabulate_grade_repeats(rounds: Sequence[GradeTable], *, level: float = 0.95) -> tuple[GradeAgreement, ...]:
    """Return how far each reader agrees with himself over the rounds, in their order."""
    if not rounds:
        return ()
    named = tuple(
        replace(each, reader=f"{each.reader}, round {place}")
        for place, table in enumerate(rounds, 1)
        for each in table.grades
    )
    found = tabulate_grade_agreement(GradeTable(scale=rounds[0].scale, grades=named), level=level)
    return tuple(each for each in found if len({name.rpartition(", round ")[0] for name in each.readers}) == 1)


def count_agreement(name: str, table: GradeTable, *, level: float = 0.95) -> Iterator[Estimate]:
    """Yield the agreement of each pair of readers as rows, on what both graded blind apart from the rest.

    ``name`` is the study's name for its scans.
    """
    for found in _tell_blind_apart(table, level):
        flags = ("few_scored_twice",) if found.scans < FEW_SCANS else ()
        row = Estimate(
            analysis="imaging", measure="", estimate=None, model=name, term=f"grade.{table.scale.name}",
            group=" / ".join(found.readers), method="readers_blind" if found.blind else "readers", flags=flags,
            source=("mri",),
        )  # fmt: skip
        values = dict(_list_values(found))
        yield from (
            replace(row, measure=measure, estimate=estimate, low=low, high=high, n=n)
            for measure, (estimate, low, high, n) in values.items()
            if estimate == estimate  # noqa: PLR0124 - NaN is the value that does not equal itself
        )
        if "limit_lower" in values:
            yield from list_pairs(replace(row, flags=()), found.pairs)


def _tell_blind_apart(table: GradeTable, level: float) -> Iterator[GradeAgreement]:
    for pair in combinations(sorted({each.reader for each in table.grades}), 2):
        found = (compute_grade_agreement(table, pair, level=level, blind=blind) for blind in (False, True))
        yield from (each for each in found if each)


def _list_values(found: GradeAgreement) -> Iterator[tuple[str, tuple[float, float | None, float | None, int]]]:
    kappa, icc, limits = found.kappa, found.icc.agreement, found.limits
    if not kappa.reason:
        yield "weighted_kappa", (kappa.kappa, _known(kappa.low), _known(kappa.high), found.muscles)
    if not found.icc.reason:
        yield "icc_agreement", (icc.icc, _known(icc.low), _known(icc.high), found.scans)
    if not limits.reason:
        for name, limit in (("bias", limits.bias), ("limit_lower", limits.lower), ("limit_upper", limits.upper)):
            yield name, (limit.estimate, _known(limit.low), _known(limit.high), found.scans)


def _known(value: float) -> float | None:
    return value if value == value else None  # noqa: PLR0124 - NaN is the value that does not equal itself


def _key(grade: Grade) -> _Muscle:
    return grade.patient, grade.visit, grade.muscle, grade.side


def _average(
    both: Sequence[_Muscle], one: dict[_Muscle, int], other: dict[_Muscle, int]
) -> Iterator[tuple[float, float]]:
    scans: defaultdict[tuple[str, str], list[_Muscle]] = defaultdict(list)
    for key in both:
        scans[key[0], key[1]].append(key)
    for keys in scans.values():
        yield fmean(one[key] for key in keys), fmean(other[key] for key in keys)
