"""How far readers agree with each other, and how far what was measured agrees with them.

Convention: rows are slides, or patients where the measurement is compared. Differences are first minus second, readers
in order of their names, the measurement before them. In percent and H-score both have one unit and limits of agreement
hold; grades 0 to 3 are compared with the measurement by their order alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl

from rarefactor.pathology._flag import warn
from rarefactor.pathology._scores import SCALES, PatientScore, ScoreScale, ScoreTable
from rarefactor.results import Flag
from rarefactor.stats import (
    BlandAltman,
    Icc,
    RankCorrelation,
    WeightedKappa,
    compute_bland_altman,
    compute_icc,
    compute_rank_correlation,
    compute_weighted_kappa,
)

FEW_ITEMS: Final = 10
"""Fewer slides than this that all of the readers scored are flagged."""
FEW_IN_RUN: Final = 4
"""A staining run with fewer such slides gets no agreement of its own."""
MEASURED, READERS = "measured", "readers"
"""Names of the measurement and of the readers together where these two are compared."""
_Item = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAgreement:
    """How far two readers, or all, agree on a stain, over all runs or within one.

    Attributes
    ----------
    readers
        Two, or all of three and more.
    run
        The staining run; None for all.
    n
        Slides that all of them scored.
    icc
        ICC(2,1) and ICC(3,1); None for grades beside a measurement.
    kappa
        Of two readers on the scale 0-3, else None.
    limits
        Of agreement of two readers in percent or H-score, else None.
    rank
        Spearman's correlation of a measurement with the readers, else None.
    blind
        Whether all of them scored these slides blind.
    pairs
        What the two gave each, where there are limits over all runs.
    """

    stain: str
    scale: str
    readers: tuple[str, ...]
    run: str | None
    n: int
    icc: Icc | None = None
    kappa: WeightedKappa | None = None
    limits: BlandAltman | None = None
    rank: RankCorrelation | None = None
    flags: tuple[Flag, ...] = ()
    blind: bool = False
    pairs: tuple[tuple[float, float], ...] = ()

    @property
    def row(self) -> dict[str, float | int | str | None]:
        """One row of a table."""
        icc, kappa, limits, rank = self.icc, self.kappa, self.limits, self.rank
        return {
            "stain": self.stain,
            "scale": self.scale,
            "readers": " / ".join(self.readers),
            "run": self.run,
            "blind": "yes" if self.blind else "no",
            "n": self.n,
            "icc_2_1": icc.agreement.icc if icc else None,
            "icc_2_1_low": icc.agreement.low if icc else None,
            "icc_2_1_high": icc.agreement.high if icc else None,
            "icc_3_1": icc.consistency.icc if icc else None,
            "icc_3_1_low": icc.consistency.low if icc else None,
            "icc_3_1_high": icc.consistency.high if icc else None,
            "kappa": kappa.kappa if kappa else None,
            "kappa_low": kappa.low if kappa else None,
            "kappa_high": kappa.high if kappa else None,
            "kappa_weights": kappa.weights if kappa else None,
            "bias": limits.bias.estimate if limits else None,
            "bias_low": limits.bias.low if limits else None,
            "bias_high": limits.bias.high if limits else None,
            "limit_lower": limits.lower.estimate if limits else None,
            "limit_upper": limits.upper.estimate if limits else None,
            "rho": rank.rho if rank else None,
            "rho_low": rank.low if rank else None,
            "rho_high": rank.high if rank else None,
            "flags": " ".join(flag.name for flag in self.flags),
        }


def tabulate_agreement(
    table: ScoreTable, *, runs: Mapping[tuple[str, str], str] | None = None, level: float = 0.95
) -> tuple[ReaderAgreement, ...]:
    """Return the agreement of all readers and of each pair, by stain, over all runs and within each.

    Parameters
    ----------
    table
        Of `read_scores`.
    runs
        The staining run of each slide (its name, or the patient where the scores name no slide) and stain.
    level
        Of the intervals.

    Notes
    -----
    A run with fewer than ``FEW_IN_RUN`` slides that a pair scored gets no row.
    """
    found: list[ReaderAgreement] = []
    for stain in sorted(table.scales):
        items: defaultdict[_Item, dict[str, float]] = defaultdict(dict)
        blind: set[tuple[_Item, str]] = set()
        for score in table.scores:
            if score.stain == stain:
                item = score.patient, score.visit, score.slide
                items[item][score.reader] = score.score
                blind |= {(item, score.reader)} if score.blind else set()
        of_item = {item: (runs or {}).get((item[2] or item[0], stain)) for item in items}
        found += _tabulate(stain, (table.scales[stain], level), items, of_item, blind)
    return tuple(found)


def compare_measured(
    scores: Sequence[PatientScore],
    biopsies: pl.DataFrame,
    *,
    runs: Mapping[tuple[str, str], str] | None = None,
    level: float = 0.95,
) -> tuple[ReaderAgreement, ...]:
    """Return how far what was measured agrees with the readers together, patient by patient, by stain and run.

    A score in percent is compared with the positive area or, where cells were counted, with the share of positive
    cells; an H-score with the H-score; grades 0 to 3 with the positive area by rank.

    Parameters
    ----------
    scores
        Of `derive_patient_scores`.
    biopsies
        Of `combine_biopsies`.
    runs, level
        As for `tabulate_agreement`.
    """
    found: list[ReaderAgreement] = []
    for pairs in pair_measured(scores, biopsies):
        items = {item: {MEASURED: measured, READERS: read} for item, measured, read in pairs.values}
        of_item = {item: (runs or {}).get((item[0], pairs.stain)) for item in items}
        found += _tabulate(pairs.stain, (SCALES[pairs.scale], level), items, of_item)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """What was measured of a stain beside the readers' score: patient and visit, measured, read; and its words."""

    stain: str
    scale: str
    words: str
    values: tuple[tuple[tuple[str, str], float, float], ...]


def pair_measured(scores: Sequence[PatientScore], biopsies: pl.DataFrame) -> Iterator[Pairs]:
    """Give the patients of each stain who were both measured and scored."""
    values = {(row["patient"], row["visit"], row["stain"]): row for row in biopsies.iter_rows(named=True)}
    for stain in sorted({each.stain for each in scores}):
        own = [each for each in scores if each.stain == stain]
        rows = [values.get((each.patient, each.visit, stain), {}) for each in own]
        column, factor, words = _find_counterpart(own[0].scale, rows)
        found = [(each, row.get(column)) for each, row in zip(own, rows, strict=True)]
        known = [
            ((each.patient, each.visit), factor * value, each.score)
            for each, value in found
            if value is not None and np.isfinite(value)
        ]
        if known:
            yield Pairs(stain=stain, scale=own[0].scale, words=words, values=tuple(known))


def _find_counterpart(scale: str, rows: Sequence[Mapping[str, float | None]]) -> tuple[str, float, str]:
    """Return the column that a scale is compared with, by what it is multiplied, and its words."""
    if scale == "H-score":
        return "h_score", 1.0, "H-score, measured"
    if scale == "percent" and any(row.get("positive_share") is not None for row in rows):
        return "positive_share", 100.0, "positive cells, measured (%)"
    return "positive_area", 100.0, "positive area, measured (%)"


def _tabulate(
    stain: str,
    how: tuple[ScoreScale, float],
    items: Mapping[_Item, Mapping[str, float]],
    of_item: Mapping[_Item, str | None],
    blind: Collection[tuple[_Item, str]] = (),
) -> Iterator[ReaderAgreement]:
    """Yield the agreement of each group of readers; what all of them scored blind is told apart from the rest."""
    readers = sorted({reader for by_reader in items.values() for reader in by_reader})
    groups: list[tuple[str, ...]] = [*combinations(readers, 2)]
    if len(readers) > 2:
        groups.insert(0, tuple(readers))
    for group in groups:
        held = {item: [found[r] for r in group] for item, found in items.items() if all(r in found for r in group)}
        unseen = {item: values for item, values in held.items() if all((item, r) in blind for r in group)}
        others = {item: values for item, values in held.items() if item not in unseen}
        if others or not unseen:
            yield from _agree_by_run(how, (stain, group), others, of_item)
        if unseen:
            found = _agree_by_run(how, (stain, group), unseen, of_item)
            yield from (replace(each, blind=True) for each in found)


def _agree_by_run(
    how: tuple[ScoreScale, float],
    what: tuple[str, tuple[str, ...]],
    held: Mapping[_Item, Sequence[float]],
    of_item: Mapping[_Item, str | None],
) -> Iterator[ReaderAgreement]:
    yield _agree(how, (*what, None), list(held.values()))
    for run in sorted({run for item, run in of_item.items() if run and item in held}):
        within = [values for item, values in held.items() if of_item[item] == run]
        if len(within) >= FEW_IN_RUN:
            yield _agree(how, (*what, run), within)


def _agree(
    how: tuple[ScoreScale, float], what: tuple[str, tuple[str, ...], str | None], values: Sequence[Sequence[float]]
) -> ReaderAgreement:
    (scale, level), (stain, readers, run) = how, what
    table = np.asarray(values, np.float64).reshape(-1, len(readers))
    pair, measured = len(readers) == 2, readers == (MEASURED, READERS)
    graded, limited = pair and scale.whole and not measured, pair and not scale.whole
    return ReaderAgreement(
        stain=stain,
        scale=scale.name,
        readers=readers,
        run=run,
        n=len(table),
        icc=None if measured and scale.whole else compute_icc(table, level=level),
        kappa=_compute_kappa(table, scale, level) if graded else None,
        limits=compute_bland_altman(table[:, 0], table[:, 1], level=level) if limited else None,
        rank=compute_rank_correlation(table[:, 0], table[:, 1], level=level) if measured else None,
        flags=_find_flags(len(table)),
        pairs=tuple((float(one), float(other)) for one, other in table) if limited and run is None else (),
    )


def _compute_kappa(table: np.ndarray, scale: ScoreScale, level: float) -> WeightedKappa:
    categories = round(scale.high) + 1
    return compute_weighted_kappa(table[:, 0], table[:, 1], categories=categories, weights="quadratic", level=level)


def _find_flags(n: int) -> tuple[Flag, ...]:
    if n >= FEW_ITEMS:
        return ()
    return (warn("few_scored_twice", f"Only {n} were scored by all of these; see the width of intervals."),)
