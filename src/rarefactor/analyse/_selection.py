"""How stable a selection of factors is: what would have been selected, had other patients been in the study.

The classical procedure (factors with P below 0.05 alone go into one model) is always shown for its instability; it is
not used. Where values are missing, each resample is taken from one of the imputations in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rarefactor.analyse._design import Design, Floats, build_design
from rarefactor.analyse._filled import fill_design, fill_missing
from rarefactor.analyse._odds import usable_columns
from rarefactor.analyse._procedure import name_places
from rarefactor.analyse._resampled import draw_rng, number, resample_rows
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, Note
from rarefactor.spec import Analysis
from rarefactor.stats import SelectionRule, Stability, compute_stability, draw_resamples

CLASSICAL = "classical"
CLASSICAL_RULE = SelectionRule(method="univariable", alpha=0.05)
SHOWN = 5


def analyse_classical(table: LandmarkTable, factors: Sequence[FactorInfo], settings: Analysis) -> Analysed:
    """Return how the classical procedure picks among the factors of a landmark, over resamples."""
    everyone, _ = usable_columns(build_design(table, factors))
    base = Estimate(
        analysis="performance",
        measure="",
        estimate=None,
        landmark=table.landmark,
        group=CLASSICAL,
        n=len(everyone.y),
        events=int(everyone.y.sum()),
    )
    try:
        design, columns = _complete(table, everyone, settings)
        base = replace(base, n=len(design.y), events=int(design.y.sum()))
        rng = draw_rng(settings.seed, table.landmark, 4)
        rows = tuple(stability_rows(columns, design, CLASSICAL_RULE, settings, (rng, base)))
    except InputError as error:
        reason = "; ".join(f"{problem.where} {problem.found}".strip() for problem in error.problems)
        text = f"The instability of selecting factors by their P values was not shown ({reason})."
        return Analysed(rows=(), notes=(Note(about="performance", landmark=table.landmark, text=text),))
    return Analysed(rows=rows)


def _complete(table: LandmarkTable, everyone: Design, settings: Analysis) -> tuple[Design, Floats]:
    """Return the patients and their columns, filled in (m, n, p) where values are missing and may be filled in."""
    if not np.isnan(everyone.X).any():
        return everyone, everyone.X[None]
    if not settings.missing.imputations:
        design = usable_columns(everyone.complete())[0]
        return design, design.X[None]
    filled = fill_missing(table, settings.missing, seed=settings.seed)
    known = tuple(
        item for item in everyone.columns if np.isfinite(fill_design(_only(everyone, item.factor), filled, table)).all()
    )
    design = replace(everyone, columns=known)
    return design, fill_design(design, filled, table)


def _only(design: Design, info: FactorInfo) -> Design:
    return replace(design, columns=tuple(item for item in design.columns if item.factor.name == info.name))


def stability_rows(
    columns: Floats,
    design: Design,
    rule: SelectionRule,
    settings: Analysis,
    drawn: tuple[np.random.Generator, Estimate],
) -> Iterator[Estimate]:
    """Return how often each factor, and each set of factors, is selected; ``drawn`` are rng and base of the rows."""
    rng, base = drawn
    if not design.columns:
        return
    counts = draw_resamples(len(design.y), settings.resamples, rng)
    found = compute_stability(columns, design.y, counts, terms=name_places(design), rule=rule, level=settings.level)
    yield from _inclusion_rows(found, base)
    yield from _column_rows(found, design, base)
    yield replace(base, measure="selected_again", estimate=found.selected_share)
    for model in found.models[:SHOWN]:
        flags = ("selected",) if model.terms == found.selected else ()
        term = " + ".join(model.terms) or "none"
        yield replace(base, measure="model_frequency", term=term, estimate=model.share, flags=flags)
    yield from resample_rows(found.resamples, found.failed, found.reasons, base)


def _inclusion_rows(found: Stability, base: Estimate) -> Iterator[Estimate]:
    for name, share in zip(found.names, found.inclusion, strict=True):
        flags = ("selected",) if name in found.selected else ()
        yield replace(base, measure="inclusion", factor=name, estimate=float(share), flags=flags)


def _column_rows(found: Stability, design: Design, base: Estimate) -> Iterator[Estimate]:
    for place, (info, term) in enumerate(design.terms):
        ratio = found.columns.rmsd_ratio[place]
        row = replace(base, measure="rmsd_ratio", factor=info.name, term=term)
        yield replace(row, estimate=number(ratio))
