"""Cox models of the study file: partial likelihood and Firth's penalty side by side, and the check of hazards.

Convention: patients who have every factor (complete cases); equal times by Efron; intervals and tests are of the
profile (penalised) partial likelihood. Where an event competes, it ends follow-up: the hazard is that of the event.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from rarefactor.analyse._design import Design, Floats, build_design
from rarefactor.analyse._follow_up import FEW_EVENTS, UNITS, told
from rarefactor.analyse._odds import (
    FEW_EVENTS_PER_PARAMETER,
    column_name,
    column_names,
    usable_columns,
)
from rarefactor.derive import LandmarkTable, TimeTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, Note
from rarefactor.spec import FollowUp
from rarefactor.stats import CoxFit, compute_hazards_check, fit_cox

METHODS = {"ml": "none", "firth": "firth"}


def analyse_hazards(
    table: TimeTable, factors: Sequence[FactorInfo], model: str, follow_up: FollowUp, level: float
) -> Analysed:
    """Return the hazard ratios of a Cox model, its size, the check of proportional hazards and its notes."""
    base = Estimate(analysis="survival", measure="", estimate=None, landmark=table.landmark, model=model)
    everyone = _design(table, factors)
    complete, dropped = usable_columns(everyone.complete())
    time = complete.frame["days"].to_numpy() / UNITS[follow_up.unit]
    notes = [_note(base, text, info.name) for info, text in dropped]
    rows = list(_size(base, everyone, complete))
    if not complete.columns:
        return Analysed(rows=tuple(rows), notes=(*notes, _note(base, "The model was not fitted (no usable factor).")))
    try:
        fits = {method: _fit(complete, time, penalty, level) for method, penalty in METHODS.items()}
    except InputError as error:
        return Analysed(rows=tuple(rows), notes=(*notes, _note(base, f"The model was not fitted ({told(error)}).")))
    flags = _flags(complete, fits["ml"])
    for method, fit in fits.items():
        rows.extend(_ratios(base, complete, fit, method, flags))
    rows.extend(_levels(base, complete))
    rows.extend(_check(base, complete, time, fits["ml"]))
    notes.extend(_note(base, text) for text in _sentences(everyone, complete, fits["ml"], rows))
    return Analysed(rows=tuple(rows), notes=tuple(notes))


def _design(table: TimeTable, factors: Sequence[FactorInfo]) -> Design:
    """Return the columns of the factors for the patients in the follow-up; y is the event."""
    frame = table.frame.with_columns(outcome=pl.col.cause == 1)
    names = tuple(info.name for info in factors)
    at = LandmarkTable(
        landmark=table.landmark, frame=frame, factors=names, measured=pl.DataFrame(), parts=(), recipes={}
    )
    return build_design(at, factors)


def _fit(design: Design, time: Floats, penalty: str, level: float) -> CoxFit:
    return fit_cox(design.X, time, design.y, penalty=penalty, names=column_names(design), level=level)


def _ratios(
    base: Estimate, design: Design, fit: CoxFit, method: str, flags: Sequence[tuple[str, ...]]
) -> Iterator[Estimate]:
    usable = fit.converged or bool(fit.monotone)
    for place, (info, term) in enumerate(design.terms):
        low, high = (_ratio(bound) for bound in fit.ci[place])
        yield replace(
            base,
            measure="hazard_ratio",
            method=method,
            factor=info.name,
            term=term,
            estimate=_ratio(fit.coef[place]) if math.isfinite(fit.coef[place]) else None,
            low=low,
            high=high,
            p=None if math.isnan(fit.p[place]) else float(fit.p[place]),
            n=fit.n,
            events=fit.events,
            flags=(
                *flags[place],
                *(("infinite_low",) if low == 0 else ()),
                *(("infinite_high",) if high == math.inf else ()),
                *(() if usable else ("not_converged",)),
            ),
        )


def _levels(base: Estimate, design: Design) -> Iterator[Estimate]:
    """How many patients with a level had the event, behind its hazard ratio."""
    for columns in design.columns:
        for level in columns.factor.levels:
            members = (design.frame[columns.factor.name] == level).fill_null(value=False).to_numpy()
            n, events = int(members.sum()), int(design.y[members].sum())
            if n:
                row = replace(base, measure="level", factor=columns.factor.name, group=level)
                yield replace(row, estimate=float(n), n=n, events=events)


def _check(base: Estimate, design: Design, time: Floats, fit: CoxFit) -> Iterator[Estimate]:
    """Yield the tests of proportional hazards: one per term, one of all."""
    if fit.monotone or not fit.converged:
        return
    found = compute_hazards_check(design.X, time, design.y, fit)
    row = replace(base, measure="proportional_hazards", method="schoenfeld", n=fit.n, events=fit.events)
    for place, (info, term) in enumerate(design.terms):
        chisq, p = float(found.chisq[place]), float(found.p[place])
        yield replace(row, factor=info.name, term=term, estimate=chisq, p=p)
    yield replace(row, term=f"{found.whole.df} df", estimate=found.whole.statistic, p=found.whole.p)


def _size(base: Estimate, everyone: Design, complete: Design) -> Iterator[Estimate]:
    n, events = len(complete.y), int(complete.y.sum())
    row = replace(base, n=n, events=events)
    total, had = len(everyone.y), int(everyone.y.sum())
    yield replace(row, measure="patients", estimate=float(total), n=total, events=had)
    yield replace(row, measure="complete_cases", estimate=float(n))
    yield replace(row, measure="events", estimate=float(events))
    parameters = complete.X.shape[1]
    if parameters:
        yield replace(row, measure="events_per_parameter", estimate=events / parameters)


def _flags(design: Design, fit: CoxFit) -> tuple[tuple[str, ...], ...]:
    few = design.y.sum() / design.X.shape[1] < FEW_EVENTS_PER_PARAMETER
    names = column_names(design)
    return tuple(
        (
            *(("separated",) if name in fit.monotone else ()),
            *(("sparse",) if few or _is_sparse(column, design.y) else ()),
        )
        for name, column in zip(names, design.X.T, strict=True)
    )


def _is_sparse(column: Floats, event: Floats) -> bool:
    """Say whether either side of a column of 0 and 1 has fewer than 5 events."""
    two_sided = bool(np.isin(column, (0.0, 1.0)).all())
    return two_sided and min(event[column == side].sum() for side in (0.0, 1.0)) < FEW_EVENTS


def _sentences(everyone: Design, complete: Design, fit: CoxFit, rows: Sequence[Estimate]) -> Iterator[str]:
    total, left = len(everyone.y), len(everyone.y) - len(complete.y)
    if left:
        yield (
            f"Complete cases only: {left} of {total} patients lack a value of some factor and are left out; if values "
            "are not missing completely at random, the estimates may be biased."
        )
    if fit.monotone:
        yield (
            f"The partial likelihood of {', '.join(fit.monotone)} rises for ever (everyone, or nobody, on one side had "
            "the event first): it has no maximum-likelihood hazard ratio; read the penalised one, with its interval."
        )
    bent = [row for row in rows if row.measure == "proportional_hazards" and row.factor and (row.p or 1) < 0.05]
    if bent:
        infos = {info.name: info for info, _ in complete.terms}
        names = ", ".join(column_name(infos[row.factor or ""], row.term or "") for row in bent)
        yield (
            f"The hazard ratio of {names} does not look constant over time (test of Schoenfeld residuals, P < 0.05): "
            "read it as an average over the time that was observed."
        )


def _ratio(coefficient: float) -> float | None:
    if math.isnan(coefficient):
        return None
    return math.inf if coefficient > 700 else math.exp(coefficient)


def _note(base: Estimate, text: str, factor: str | None = None) -> Note:
    return Note(about="survival", landmark=base.landmark, model=base.model, factor=factor, text=text)
