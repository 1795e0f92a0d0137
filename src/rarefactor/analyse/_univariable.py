"""One factor at a time: odds ratios by maximum likelihood (Wald) and Firth (profile), and the risk in each level.

Each factor is analysed in the patients who have it; all factors of a landmark are fitted in one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rarefactor.analyse._design import Columns, Design, build_design
from rarefactor.analyse._odds import Coefficients, column_name, odds_ratios, separation_note, usable_columns
from rarefactor.derive import LandmarkTable
from rarefactor.results import Analysed, Estimate, FactorInfo, Note
from rarefactor.stats import ScreenedFactor, compute_risk, fit_screen


def analyse_univariable(table: LandmarkTable, factors: Sequence[FactorInfo], *, level: float) -> Analysed:
    """Return the odds ratios of every factor by itself, the risks behind them, and what a reader must know."""
    design, dropped = usable_columns(build_design(table, factors))
    base = Estimate(analysis="univariable", measure="odds_ratio", estimate=None, landmark=table.landmark)
    rows: list[Estimate] = []
    separated: list[str] = []
    notes = [_note(table, text, info) for info, text in dropped]
    screened = fit_screen({item.factor.name: item.values for item in design.columns}, design.y, level=level)
    for columns in design.columns:
        factor = screened[columns.factor.name]
        if factor.reason:
            notes.append(_note(table, f"{columns.factor.label} was not analysed: {factor.reason}.", columns.factor))
            continue
        rows.extend(_factor_rows(design, columns, factor, base))
        separated.extend(_separated(columns, factor))
    if separated:
        notes.append(_note(table, separation_note(separated)))
    risks = (row for info in factors for row in _risks(design, info, base, level))
    return Analysed(rows=(*rows, *risks), notes=tuple(notes))


def _factor_rows(design: Design, columns: Columns, factor: ScreenedFactor, base: Estimate) -> Iterator[Estimate]:
    alone = replace(design, columns=(columns,)).complete()
    flags = tuple(_flags(factor, position) for position in range(len(columns.terms)))
    for fit in _methods(factor):
        yield from odds_ratios(fit, alone, flags, base)
    if len(columns.terms) > 1:
        p = factor.firth.term.p
        test = replace(
            base, measure="factor_test", method="firth", factor=factor.name, n=factor.n, events=factor.events
        )
        yield replace(test, p=None if np.isnan(p) else p)


def _methods(factor: ScreenedFactor) -> Iterator[Coefficients]:
    """Maximum likelihood with Wald's interval and P value, as in the literature; Firth with the profile's."""
    ml, firth = factor.ml, factor.firth
    yield Coefficients(
        method="ml",
        coef=ml.coef,
        low=ml.wald_ci[:, 0],
        high=ml.wald_ci[:, 1],
        p=ml.wald_p,
    )
    yield Coefficients(
        method="firth",
        coef=firth.coef,
        low=firth.ci[:, 0],
        high=firth.ci[:, 1],
        p=firth.p,
    )


def _flags(factor: ScreenedFactor, position: int) -> tuple[str, ...]:
    separated = ("separated",) if np.isinf(factor.ml.coef[position]) else ()
    return (*separated, *(("sparse",) if "sparse" in factor.flags else ()))


def _separated(columns: Columns, factor: ScreenedFactor) -> Iterator[str]:
    for position, term in enumerate(columns.terms):
        if "separated" in _flags(factor, position):
            yield column_name(columns.factor, term)


def _risks(design: Design, info: FactorInfo, base: Estimate, level: float) -> Iterator[Estimate]:
    """The share of patients with the outcome in each level of a factor, behind its odds ratio."""
    for group in info.levels:
        members = (design.frame[info.name] == group).fill_null(value=False).to_numpy()
        n, events = int(members.sum()), int(design.y[members].sum())
        risk = compute_risk(events, n, level=level)
        row = replace(base, measure="risk", factor=info.name, group=group, n=n, events=events)
        if n:
            yield replace(row, method="wilson", estimate=risk.estimate, low=risk.low, high=risk.high)
        else:
            yield row


def _note(table: LandmarkTable, text: str, info: FactorInfo | None = None) -> Note:
    return Note(about="univariable", landmark=table.landmark, factor=info.name if info else None, text=text)
