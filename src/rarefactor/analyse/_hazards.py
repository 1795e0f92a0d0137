"""Cox models of the study file: partial likelihood and Firth's penalty side by side, and the check of hazards.

Convention: missing factor values are filled in many times and the fits pooled, maximum likelihood by Rubin's rules and
Firth's by its profiles; the complete cases are then a sensitivity analysis. Equal times by Efron; intervals and tests
without imputation are of the profile (penalised) partial likelihood. Where an event competes, it ends follow-up: the
hazard is that of the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Design, Floats, build_design
from rarefactor.analyse._filled import fill_design, fill_missing
from rarefactor.analyse._follow_up import UNITS, told
from rarefactor.analyse._followed import derive_followed
from rarefactor.analyse._hazards_check import Fitted, check_rows, check_sentences
from rarefactor.analyse._odds import (
    Coefficients,
    column_names,
    odds_ratios,
    usable_columns,
)
from rarefactor.derive import LandmarkTable, TimeTable
from rarefactor.errors import InputError, Problem
from rarefactor.results import FEW_EVENTS, FEW_EVENTS_PER_PARAMETER, Analysed, Estimate, FactorInfo, Note
from rarefactor.spec import Analysis, FollowUp
from rarefactor.stats import fit_cox, pool_cox

METHODS = {"ml": "none", "firth": "firth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A Cox model of the study file: its address, its follow-up and how the study is analysed."""

    name: str
    follow_up: FollowUp
    settings: Analysis


def analyse_hazards(table: TimeTable, at: LandmarkTable, factors: Sequence[FactorInfo], asked: Asked) -> Analysed:
    """Return the hazard ratios of a Cox model, its size, the check of proportional hazards and its notes.

    ``at`` is the table of the landmark at which the follow-up starts.
    """
    base = Estimate(analysis="survival", measure="", estimate=None, landmark=table.landmark, model=asked.name)
    everyone, dropped = usable_columns(build_design(derive_followed(table, at), factors))
    notes = [_note(base, text, info.name) for info, text in dropped]
    size = tuple(_size(base, everyone))
    if not everyone.columns:
        return Analysed(rows=size, notes=(*notes, _note(base, "The model was not fitted (no usable factor).")))
    try:
        model, why = _build(table, at, everyone, asked)
        rows = _rows(base, model)
    except InputError as error:
        return Analysed(rows=size, notes=(*notes, _note(base, f"The model was not fitted ({told(error)}).")))
    alone, unfit = _complete_cases(base, model, everyone)
    sentences = (*why, *_sentences(everyone, model, rows), *check_sentences(model, rows), *unfit)
    return Analysed(rows=(*size, *rows, *alone), notes=(*notes, *(_note(base, text) for text in sentences)))


def _build(table: TimeTable, at: LandmarkTable, everyone: Design, asked: Asked) -> tuple[Fitted, tuple[str, ...]]:
    """Return the model with its missing values filled in, or its complete cases and why."""
    days = table.frame["days"].to_numpy()
    whole = Fitted(design=everyone, filled=None, time=days / UNITS[asked.follow_up.unit], level=asked.settings.level)
    missing = np.isnan(everyone.X).any(axis=1)
    if not missing.any():
        return whole, ()
    if not asked.settings.missing.imputations:
        return _complete(whole), ()
    followed = derive_followed(table, at)
    try:
        found = fill_missing(followed, asked.settings.missing, seed=asked.settings.seed)
    except InputError as error:
        return _complete(whole), (f"Missing values could not be filled in ({told(error)}).",)
    unsettled = [f"{name} ({count})" for name, count in found.imputations.unsettled.items() if count]
    told_of = f"Imputation models without a maximum left the values of the step before: {', '.join(unsettled)}."
    return replace(whole, filled=fill_design(everyone, found, followed)), (told_of,) if unsettled else ()


def _complete(model: Fitted) -> Fitted:
    """Return the model of the patients in whom nothing is missing."""
    kept = np.isfinite(model.design.X).all(axis=1)
    design, _ = usable_columns(model.design.complete())
    if not design.columns:
        expected = "patients who have every factor, and factors that vary among them"
        raise InputError(Problem(found="no usable column", expected=expected, next_step="Leave out a factor."))
    return replace(model, design=design, filled=None, time=model.time[kept])


def _rows(base: Estimate, model: Fitted) -> tuple[Estimate, ...]:
    """Return hazard ratios, counts and the check of a model."""
    fits = {method: _fit(model, method) for method in METHODS}
    monotone = fits["ml"][1]
    flags = _flags(model.design, monotone)
    imputations = None if model.filled is None else len(model.filled)
    rows = [row for fit, _ in fits.values() for row in _ratios(base, model.design, fit, flags)]
    rows.extend(_levels(base, model.design))
    rows.extend(() if monotone else check_rows(base, model))
    rows.extend(_analysed(base, model.design))
    return tuple(replace(row, imputations=imputations) for row in rows)


def _fit(model: Fitted, method: str) -> tuple[Coefficients, tuple[str, ...]]:
    """Return the coefficients by one method, and the columns whose likelihood rises for ever."""
    names, event = column_names(model.design), model.design.y
    penalty, level = METHODS[method], model.level
    if model.filled is None:
        fit = fit_cox(model.design.X, model.time, event, penalty=penalty, names=names, level=level)
        coef, ci, p, monotone = fit.coef, fit.ci, fit.p, fit.monotone
    else:
        pooled = pool_cox(model.filled, model.time, event, penalty=penalty, names=names, level=level)
        coef, ci, p, monotone = pooled.estimate, pooled.ci, pooled.p, pooled.monotone
    return Coefficients(method=method, coef=coef, low=ci[:, 0], high=ci[:, 1], p=p), monotone


def _ratios(base: Estimate, design: Design, fit: Coefficients, flags: Sequence[Sequence[str]]) -> Iterator[Estimate]:
    return (replace(row, measure="hazard_ratio") for row in odds_ratios(fit, design, flags, base))


def _complete_cases(base: Estimate, model: Fitted, everyone: Design) -> tuple[tuple[Estimate, ...], tuple[str, ...]]:
    """As a sensitivity analysis: the patients in whom nothing is missing, where others were filled in."""
    if model.filled is None:
        return (), ()
    try:
        alone = _complete(replace(model, design=everyone))
        fit, _ = _fit(alone, "firth")
        _, monotone = _fit(alone, "ml")
    except InputError as error:
        return (), (f"The complete cases alone cannot carry the model ({told(error)}).",)
    row = replace(base, analysis="sensitivity", group="complete_cases")
    return tuple(_ratios(row, alone.design, fit, _flags(alone.design, monotone))), ()


def _levels(base: Estimate, design: Design) -> Iterator[Estimate]:
    """How many patients with a level had the event, behind its hazard ratio."""
    for columns in design.columns:
        for level in columns.factor.levels:
            members = (design.frame[columns.factor.name] == level).fill_null(value=False).to_numpy()
            n, events = int(members.sum()), int(design.y[members].sum())
            if n:
                row = replace(base, measure="level", factor=columns.factor.name, group=level)
                yield replace(row, estimate=float(n), n=n, events=events)


def _size(base: Estimate, everyone: Design) -> Iterator[Estimate]:
    """How much data there is: patients in the follow-up, and those in whom nothing is missing."""
    for measure, design in (("patients", everyone), ("complete_cases", everyone.complete())):
        n = len(design.y)
        yield replace(base, measure=measure, estimate=float(n), n=n, events=int(design.y.sum()))


def _analysed(base: Estimate, design: Design) -> Iterator[Estimate]:
    n, events = len(design.y), int(design.y.sum())
    row = replace(base, n=n, events=events)
    yield replace(row, measure="analysed", estimate=float(n))
    yield replace(row, measure="events", estimate=float(events))
    yield replace(row, measure="events_per_parameter", estimate=events / design.X.shape[1])


def _flags(design: Design, monotone: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    few = design.y.sum() / design.X.shape[1] < FEW_EVENTS_PER_PARAMETER
    return tuple(
        (
            *(("separated",) if name in monotone else ()),
            *(("sparse",) if few or _is_sparse(column, design.y) else ()),
        )
        for name, column in zip(column_names(design), design.X.T, strict=True)
    )


def _is_sparse(column: Floats, event: Floats) -> bool:
    """Say whether either side of a column of 0 and 1 has few events, where it is known."""
    two_sided = bool(np.isin(column[~np.isnan(column)], (0.0, 1.0)).all())
    return two_sided and min(event[column == side].sum() for side in (0.0, 1.0)) < FEW_EVENTS


def _sentences(everyone: Design, model: Fitted, rows: Sequence[Estimate]) -> Iterator[str]:
    total, left = len(everyone.y), len(everyone.y) - len(everyone.complete().y)
    lack, are = ("lacks", "is") if left == 1 else ("lack", "are")
    if left and model.filled is None:
        yield (
            f"Complete cases only: {left} of {total} patients {lack} a value of some factor and {are} left out; if "
            "values are not missing completely at random, the estimates may be biased."
        )
    elif left and model.filled is not None:
        yield (
            f"{left} of {total} patients {lack} a value of some factor; it was filled in {len(model.filled)} times by "
            "chained equations with the event and the cumulative hazard among their variables, and the fits were "
            "pooled, which supposes that values are missing at random."
        )
    monotone = [row for row in rows if row.method == "ml" and "separated" in row.flags]
    if monotone:
        named = {(info.name, term): name for (info, term), name in _named(model.design)}
        names = ", ".join(named[row.factor or "", row.term or ""] for row in monotone)
        yield (
            f"The partial likelihood of {names} rises for ever (everyone, or nobody, on one side had the event "
            "first): it has no maximum-likelihood hazard ratio; read the penalised one, with its interval. Whether the "
            "hazard ratios are constant could not be tested."
        )


def _named(design: Design) -> Iterator[tuple[tuple[FactorInfo, str], str]]:
    return zip(design.terms, column_names(design), strict=True)


def _note(base: Estimate, text: str, factor: str | None = None) -> Note:
    return Note(about="survival", landmark=base.landmark, model=base.model, factor=factor, text=text)
