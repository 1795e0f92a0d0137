"""The model that was specified beforehand: maximum likelihood and Firth side by side, on complete cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rarefactor.analyse._design import Design, build_design
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
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.stats import fit_logistic

METHODS = {"ml": "none", "firth": "firth"}


def analyse_multivariable(
    table: LandmarkTable, factors: Sequence[FactorInfo], model: ModelInfo, *, level: float
) -> Analysed:
    """Return the odds ratios of a model, its size, and what a reader must know about it."""
    everyone = build_design(table, factors)
    complete = everyone.complete()
    design, dropped = usable_columns(complete)
    notes = [_note(model, text, info.name) for info, text in dropped]
    notes.append(_note(model, _completeness(everyone, complete)))
    base = Estimate(
        analysis="multivariable", measure="odds_ratio", estimate=None, landmark=model.landmark, model=model.name
    )
    size = tuple(_size(base, everyone, design))
    try:
        flags = find_flags(design)
    except InputError as error:
        reason = "; ".join(f"{problem.where}: {problem.found}" for problem in error.problems)
        return Analysed(rows=size, notes=(*notes, _note(model, f"The model was not fitted ({reason}).")))
    rows = [row for method in METHODS for row in odds_ratios(_fit(design, method, level), design, flags, base)]
    return Analysed(rows=(*rows, *size), notes=(*notes, *_warnings(design, flags, model)))


def _fit(design: Design, method: str, level: float) -> Coefficients:
    fit = fit_logistic(design.X, design.y, penalty=METHODS[method], names=column_names(design), level=level)
    return Coefficients(
        method=method,
        coef=fit.coef[1:],
        low=fit.ci[1:, 0],
        high=fit.ci[1:, 1],
        p=fit.p[1:],
    )


def _size(base: Estimate, everyone: Design, design: Design) -> Iterator[Estimate]:
    """How much data the model has: patients, events, complete cases and events per parameter."""
    n, events = len(everyone.y), int(everyone.y.sum())
    complete, parameters = len(design.y), design.X.shape[1] if design.columns else 0
    counted = int(design.y.sum())
    yield replace(base, measure="patients", estimate=n, n=n, events=events)
    yield replace(base, measure="complete_cases", estimate=complete, n=complete, events=counted)
    yield replace(base, measure="events", estimate=counted, n=complete, events=counted)
    yield replace(base, measure="parameters", estimate=parameters, n=complete, events=counted)
    if parameters:
        ratio = events_per_parameter(design.y, parameters)
        yield replace(base, measure="events_per_parameter", estimate=ratio, n=complete, events=counted)


def _completeness(everyone: Design, complete: Design) -> str:
    n, missing = len(everyone.y), len(everyone.y) - len(complete.y)
    if not missing:
        return f"All {n} patients with an outcome have every factor of the model."
    return (
        f"Complete cases only: {missing} of {n} patients with an outcome lack a value of some factor and are left out; "
        "if values are not missing completely at random, the estimates may be biased."
    )


def _warnings(design: Design, flags: Sequence[Sequence[str]], model: ModelInfo) -> Iterator[Note]:
    separated = [name for name, earned in zip(column_names(design), flags, strict=True) if "separated" in earned]
    if separated:
        yield _note(model, separation_note(separated))


def _note(model: ModelInfo, text: str, factor: str | None = None) -> Note:
    return Note(about="multivariable", landmark=model.landmark, model=model.name, factor=factor, text=text)
