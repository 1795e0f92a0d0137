"""The model that the study file specifies: maximum likelihood, Firth and log-F(2,2) side by side.

Missing factor values are filled in many times, and the fits pooled: maximum likelihood by Rubin's rules, the penalised
methods by their profiles (CLIP); the complete cases are then a sensitivity analysis. Where the study file asks for no
imputation they are the analysis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Design, Floats, build_design
from rarefactor.analyse._filled import fill_design, fill_missing
from rarefactor.analyse._odds import (
    Coefficients,
    column_names,
    events_per_parameter,
    find_flags,
    odds_ratios,
    separation_note,
    usable_columns,
)
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError, Problem
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.spec import Analysis
from rarefactor.stats import fit_logistic, fit_many, pool_profiles, pool_rubin

APART, TURNED = 1.5, 1.05
METHODS = {"ml": "none", "firth": "firth", "logf22": "logf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model ready to be fitted: its patients, and their columns filled in, (m, n, p) or None for as they are."""

    info: ModelInfo
    design: Design
    filled: Floats | None
    level: float


def analyse_multivariable(
    table: LandmarkTable, factors: Sequence[FactorInfo], info: ModelInfo, settings: Analysis
) -> Analysed:
    """Return the odds ratios of a model, its size, and what a reader must know about it."""
    everyone, dropped = usable_columns(build_design(table, factors))
    notes = [_note(info, text, factor.name) for factor, text in dropped]
    base = Estimate(analysis="multivariable", measure="", estimate=None, landmark=info.landmark, model=info.name)
    size = tuple(_size(base, everyone))
    try:
        model = build_model(table, everyone, info, settings)
        flags = model_flags(model)
    except InputError as error:
        return Analysed(rows=size, notes=(*notes, _note(info, f"The model was not fitted ({_reason(error)}).")))
    rows = [row for method in METHODS for row in odds_ratios(fit(model, method), model.design, flags, base)]
    imputations = None if model.filled is None else settings.missing.imputations
    rows = [replace(row, imputations=imputations) for row in rows]
    notes.extend(_warnings(model, flags, rows))
    notes.append(_note(info, _completeness(everyone, model)))
    alone, told = _complete_cases(model, base)
    analysed = _analysed(base, model, imputations)
    return Analysed(rows=(*rows, *alone, analysed, *size), notes=(*notes, *told))


def build_model(table: LandmarkTable, everyone: Design, info: ModelInfo, settings: Analysis) -> Model:
    """Return a model with its missing values filled in, or with its complete cases where the study file says so."""
    never = [factor for factor in info.factors if everyone.frame[factor].null_count() == len(everyone.y)]
    if never:
        raise InputError(Problem(found=f"no value of {', '.join(never)}", expected="values", next_step="Leave it out."))
    if not np.isnan(everyone.X).any():
        return Model(info=info, design=everyone, filled=None, level=settings.level)
    if not settings.missing.imputations:
        return Model(info=info, design=_complete(everyone), filled=None, level=settings.level)
    filled = fill_design(everyone, fill_missing(table, settings.missing, seed=settings.seed), table)
    return Model(info=info, design=everyone, filled=filled, level=settings.level)


def fit(model: Model, method: str) -> Coefficients:
    """Return the coefficients of a model by one method, pooled over the imputations where there are any."""
    names = column_names(model.design)
    if model.filled is None:
        found = fit_logistic(model.design.X, model.design.y, penalty=METHODS[method], names=names, level=model.level)
        return Coefficients(
            method=method, coef=found.coef[1:], low=found.ci[1:, 0], high=found.ci[1:, 1], p=found.p[1:]
        )
    if method == "ml":
        return _pool_ml(model, model.filled)
    pooled = pool_profiles(model.filled, model.design.y, penalty=METHODS[method], names=names, level=model.level)
    return Coefficients(
        method=method, coef=pooled.estimate[1:], low=pooled.ci[1:, 0], high=pooled.ci[1:, 1], p=pooled.p[1:]
    )


def _pool_ml(model: Model, filled: Floats) -> Coefficients:
    many = fit_many(filled, model.design.y, penalty="none")
    coef = np.where(np.isfinite(many.coef), many.coef, np.nan)
    patients, parameters = len(model.design.y), coef.shape[1]
    pooled = pool_rubin(coef, np.square(many.se), df_complete=patients - parameters, level=model.level)
    return Coefficients(
        method="ml", coef=pooled.estimate[1:], low=pooled.ci[1:, 0], high=pooled.ci[1:, 1], p=pooled.p[1:]
    )


def model_flags(model: Model) -> tuple[tuple[str, ...], ...]:
    """Return the flags of each column; one is separated that is so in any of the imputations.

    Raises
    ------
    InputError
        The patients cannot carry the model.
    """
    if model.filled is None:
        return find_flags(model.design)
    flags = find_flags(_completed(model.design, model.filled[0]))
    coef = fit_many(model.filled, model.design.y, penalty="none").coef[:, 1:]
    running = np.asarray(np.isinf(coef).any(axis=0))
    return tuple(
        ("separated", *earned) if runs and "separated" not in earned else earned
        for earned, runs in zip(flags, running, strict=True)
    )


def _completed(design: Design, values: Floats) -> Design:
    """Return a design with the columns (n, p) of one completion."""
    ends = np.cumsum([len(item.terms) for item in design.columns])[:-1]
    parts = np.split(values, ends, axis=1)
    columns = (replace(item, values=part) for item, part in zip(design.columns, parts, strict=True))
    return replace(design, columns=tuple(columns))


def _complete(everyone: Design) -> Design:
    return usable_columns(everyone.complete())[0]


def _complete_cases(model: Model, base: Estimate) -> tuple[tuple[Estimate, ...], tuple[Note, ...]]:
    """As a sensitivity analysis: the patients in whom nothing is missing, where others were filled in."""
    if model.filled is None:
        return (), ()
    design = _complete(model.design)
    alone = replace(base, analysis="sensitivity", group="complete_cases")
    try:
        flags = find_flags(design)
    except InputError as error:
        text = f"The complete cases alone cannot carry the model ({_reason(error)})."
        return (), (_note(model.info, text),)
    found = fit(replace(model, design=design, filled=None), "firth")
    return tuple(odds_ratios(found, design, flags, alone)), ()


def _reason(error: InputError) -> str:
    return "; ".join(f"{problem.where} {problem.found}".strip() for problem in error.problems)


def _analysed(base: Estimate, model: Model, imputations: int | None) -> Estimate:
    n, events = len(model.design.y), int(model.design.y.sum())
    return replace(base, measure="analysed", estimate=n, n=n, events=events, imputations=imputations)


def _size(base: Estimate, everyone: Design) -> Iterator[Estimate]:
    """How much data there is for the model: patients, complete cases and events per parameter."""
    for measure, design in (("patients", everyone), ("complete_cases", everyone.complete())):
        n = len(design.y)
        yield replace(base, measure=measure, estimate=n, n=n, events=int(design.y.sum()))
    if parameters := everyone.X.shape[1]:
        row = replace(base, n=len(everyone.y), events=int(everyone.y.sum()))
        yield replace(row, measure="events_per_parameter", estimate=events_per_parameter(everyone.y, parameters))


def _completeness(everyone: Design, model: Model) -> str:
    n, missing = len(everyone.y), len(everyone.y) - len(everyone.complete().y)
    if not missing:
        return f"All {n} patients with an outcome have every factor of the model."
    lack, are = ("lacks", "is") if missing == 1 else ("lack", "are")
    if model.filled is None:
        return (
            f"Complete cases only: {missing} of {n} patients with an outcome {lack} a value of some factor and {are} "
            "left out; if values are not missing completely at random, the estimates may be biased."
        )
    return (
        f"{missing} of {n} patients with an outcome {lack} a value of some factor; it was filled in "
        f"{len(model.filled)} times by chained equations and the fits were pooled, which supposes that values "
        "are missing at random."
    )


def _warnings(model: Model, flags: Sequence[Sequence[str]], rows: Sequence[Estimate]) -> Iterator[Note]:
    names = column_names(model.design)
    separated = [name for name, earned in zip(names, flags, strict=True) if "separated" in earned]
    if separated:
        yield _note(model.info, separation_note(separated))
    for position, name in enumerate(names):
        told = _disagreement(rows[position :: len(names)])
        if told and name not in separated:
            yield _note(model.info, f"For {name} the methods disagree: {told}.")


def _disagreement(rows: Sequence[Estimate]) -> str:
    """Say where one method's interval excludes 1 and another's does not, or estimates differ in size or direction."""
    known = [row for row in rows if row.estimate and row.low is not None and row.high is not None]
    if len(known) < 2:
        return ""
    excludes = {row.method: (row.low or 0) > 1 or (row.high or 0) < 1 for row in known}
    if len(set(excludes.values())) > 1:
        words = [NAMES[method or ""] for method, excluded in excludes.items() if excluded]
        return f"the interval excludes 1 by {' and '.join(words)} only"
    sizes = {NAMES[row.method or ""]: row.estimate or 1 for row in known}
    apart = max(sizes.values()) / min(sizes.values())
    told = [f"the largest odds ratio is {apart:.1f} times the smallest"] if apart >= APART else []
    return "; ".join((*told, *_turned(sizes)))


def _turned(sizes: Mapping[str, float]) -> Iterator[str]:
    """Say which methods have an odds ratio above 1 and which below, where they differ by more than rounding."""
    above = [name for name, size in sizes.items() if size >= TURNED]
    below = [name for name, size in sizes.items() if size <= 1 / TURNED]
    if above and below:
        yield f"the odds ratio is above 1 by {' and '.join(above)} and below 1 by {' and '.join(below)}"


NAMES = {"ml": "maximum likelihood", "firth": "Firth", "logf22": "log-F(2,2)"}


def _note(info: ModelInfo, text: str, factor: str | None = None) -> Note:
    return Note(about="multivariable", landmark=info.landmark, model=info.name, factor=factor, text=text)
