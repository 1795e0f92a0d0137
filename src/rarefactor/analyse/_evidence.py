"""Published findings beside ours: whether they agree with themselves, and what all say together.

Ours are by maximum likelihood, Firth and log-F(2,2), of the factor alone, or, where the published estimates are
adjusted, of the first model with the factor. What is pooled (with Firth's estimate), and what is a prior, is said by
the study file to be comparable and has a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from rarefactor.analyse._design import Floats, build_design
from rarefactor.analyse._markers import Marker, marker_row, to_ratio
from rarefactor.analyse._multivariable import Model, build_model
from rarefactor.analyse._odds import column_names, usable_columns
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.spec import Analysis, Evidence
from rarefactor.stats import (
    Published,
    check_percent,
    check_published,
    compute_risk,
    derive_published,
    fit_logistic,
    fit_with_prior,
    pool_rubin,
    pool_studies,
)

_METHODS = {"ml": "none", "firth": "firth", "logf22": "logf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our estimate of a term: log odds ratio and its standard error, limits, P; the patients and what they are."""

    model: Model
    marker: Marker
    coef: float
    se: float
    low: float
    high: float
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What comparable publications say together: mean and standard deviation of a log odds ratio."""

    mean: float
    sd: float


def analyse_evidence(
    tables: Mapping[str, LandmarkTable],
    infos: Mapping[str, FactorInfo],
    models: Sequence[ModelInfo],
    study: tuple[Sequence[Evidence], Analysis],
) -> Analysed:
    """Return the published estimates of each factor, ours beside them, and both together."""
    published, settings = study
    shares = [item for item in published if item.factor is None]
    found = _outcome(next(iter(tables.values())), shares, settings.level) if shares else Analysed(rows=(), notes=())
    rows, notes = list(found.rows), list(found.notes)
    ordered = sorted((item for item in published if item.factor is not None), key=_address)
    for address, group in groupby(ordered, key=_address):
        items, info = list(group), infos[address[0]]
        term = _find_term(info, items[0])
        if not term:
            notes.append(_note(info, f"{info.label} has several levels: evidence on it needs one of them as level."))
            continue
        marker = Marker(info=info, term=term, place=0)
        one = _one_factor(tables, marker, models, (items, settings), infos)
        rows.extend(one.rows)
        notes.extend(one.notes)
    return Analysed(rows=tuple(rows), notes=tuple(notes))


def _outcome(table: LandmarkTable, items: Sequence[Evidence], level: float) -> Analysed:
    """Return how many had the outcome, as published and in ours, and whether the published percentage can be."""
    base = Estimate(analysis="evidence", measure="risk", estimate=None)
    known = table.frame["outcome"].drop_nulls()
    n, events = known.len(), int(known.sum())
    risk = compute_risk(events, n, level=level)
    rows = [
        replace(base, group=item.source, method="published", estimate=float(item.percent or 0) / 100, n=item.n)
        for item in items
    ]
    told = {
        item.source: check_percent(float(item.percent or 0), item.n or 1, decimals=_decimals(item.percent or ""))
        for item in items
    }
    interval = {"estimate": risk.estimate, "low": risk.low, "high": risk.high, "n": n, "events": events}
    rows.append(replace(base, landmark=table.landmark, group="ours", method="wilson", **interval))
    notes = [Note(about="evidence", text=f"{source}: {text}") for source, text in told.items() if text]
    return Analysed(rows=tuple(rows), notes=tuple(notes))


def _one_factor(
    tables: Mapping[str, LandmarkTable],
    marker: Marker,
    models: Sequence[ModelInfo],
    study: tuple[Sequence[Evidence], Analysis],
    infos: Mapping[str, FactorInfo],
) -> Analysed:
    """Return what was published on a factor, ours beside it, and what is to be known of both."""
    (items, settings), info = study, marker.info
    base = Estimate(analysis="evidence", measure="odds_ratio", estimate=None, factor=info.name)
    rows = [_published_row(item, marker, base, settings.level) for item in items]
    notes = [
        _note(info, f"{item.source}: {each.sentence}")
        for item in items
        if item.odds_ratio is not None
        for each in check_published(_printed(item))
    ]
    try:
        model, at = _model_of_ours(tables, marker, models, study, infos)
        rows.extend(_compare(model, at, items, base, settings.level))
    except InputError as error:
        notes.append(_note(info, f"Ours was not fitted ({error.problems[0].found})."))
    return Analysed(rows=tuple(rows), notes=(*notes, *_explain(info, items)))


def _address(item: Evidence) -> tuple[str, str]:
    return item.factor or "", item.level or ""


def _note(info: FactorInfo, text: str) -> Note:
    return Note(about="evidence", factor=info.name, text=text)


def _find_term(info: FactorInfo, item: Evidence) -> str:
    """Return the term that an estimate is about; empty where it names no level of several."""
    if info.kind == "continuous":
        return info.term
    if item.level in info.compared:
        return str(item.level)
    return info.compared[0] if info.kind == "binary" else ""


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _printed(item: Evidence) -> Published:
    """Return the numbers as printed, with their rounding."""
    p = (item.p or "").lstrip("< ")
    return Published(
        odds_ratio=float(item.odds_ratio or "nan"),
        low=float(item.low) if item.low else None,
        high=float(item.high) if item.high else None,
        p=float(p) if p else None,
        p_below=(item.p or "").startswith("<"),
        decimals=min(_decimals(text) for text in (item.odds_ratio, item.low, item.high) if text),
        p_decimals=_decimals(p),
        counts=item.counts,
        events=item.events,
        total=item.n,
        adjusted=item.adjusted,
    )


def _published_row(item: Evidence, marker: Marker, base: Estimate, level: float) -> Estimate:
    """Return a published estimate; an interval that was not printed is derived from counts or P, and flagged."""
    flags = (*(("p_below",) if (item.p or "").startswith("<") else ()), *(("adjusted",) if item.adjusted else ()))
    row = marker_row(base, marker, group=item.source, method="published", n=item.n, events=item.events, flags=flags)
    if item.odds_ratio is None:
        return replace(row, p=float((item.p or "").lstrip("< ")))
    printed = _printed(item)
    row = replace(row, p=printed.p)
    row = replace(row, estimate=printed.odds_ratio, low=printed.low, high=printed.high)
    log_or, se = derive_published(printed)
    if printed.low is not None or math.isnan(se):
        return row
    half = _quantile(level) * se
    return replace(row, low=math.exp(log_or - half), high=math.exp(log_or + half), flags=(*flags, "interval_derived"))


def _quantile(level: float) -> float:
    from statistics import NormalDist  # noqa: PLC0415 - needed where an interval was not printed

    return NormalDist().inv_cdf(0.5 + 0.5 * level)


def _model_of_ours(
    tables: Mapping[str, LandmarkTable],
    marker: Marker,
    models: Sequence[ModelInfo],
    study: tuple[Sequence[Evidence], Analysis],
    infos: Mapping[str, FactorInfo],
) -> tuple[Model, Marker]:
    """Return our patients and the factor alone, or the first model that holds it where all others are adjusted."""
    items, settings = study
    holding = [model for model in models if marker.info.name in model.factors]
    if holding and all(item.adjusted for item in items):
        info = holding[0]
    else:
        landmark = next(name for name, table in tables.items() if marker.info.name in table.factors)
        info = ModelInfo(name="", label="", landmark=landmark, factors=(marker.info.name,))
    table = tables[info.landmark]
    everyone, _ = usable_columns(build_design(table, [infos[name] for name in info.factors]))
    model = build_model(table, everyone if info.name else everyone.complete(), info, settings)
    place = next(
        p for p, (at, term) in enumerate(model.design.terms) if (at.name, term) == (marker.info.name, marker.term)
    )
    return model, replace(marker, place=place)


def _completions(model: Model) -> Floats:
    return model.design.X[None] if model.filled is None else model.filled


def _estimate(model: Model, marker: Marker, method: str = "firth", prior: Prior | None = None) -> Ours:
    """Fit a model by one method, or with a prior on the marker; over imputations by Rubin's rules."""
    names, at = column_names(model.design), marker.place + 1
    fits = [
        fit_logistic(columns, model.design.y, penalty=_METHODS[method], names=names, level=model.level)
        if prior is None
        else fit_with_prior(
            columns, model.design.y, {names[marker.place]: (prior.mean, prior.sd)}, names=names, level=model.level
        )
        for columns in _completions(model)
    ]
    if len(fits) == 1:
        coef, se, (low, high), p = fits[0].coef[at], fits[0].se[at], fits[0].ci[at], fits[0].p[at]
    else:
        values, squares = np.array([[fit.coef[at]] for fit in fits]), np.array([[fit.se[at] ** 2] for fit in fits])
        left = len(model.design.y) - len(names) - 1
        pooled = pool_rubin(values, squares, df_complete=left, level=model.level)
        coef, se, (low, high), p = pooled.estimate[0], pooled.se[0], pooled.ci[0], pooled.p[0]
    numbers = {"coef": float(coef), "se": float(se), "low": float(low), "high": float(high)}
    return Ours(model=model, marker=marker, **numbers, p=None if math.isnan(p) else float(p))


def _compare(
    model: Model, marker: Marker, items: Sequence[Evidence], base: Estimate, level: float
) -> Iterator[Estimate]:
    """Yield our estimates, both pooled, and ours with the publications as prior."""
    n, events = len(model.design.y), int(model.design.y.sum())
    where: dict[str, Any] = {
        "landmark": model.info.landmark,
        "model": model.info.name or None,
        "n": n,
        "events": events,
    }
    found = {method: _estimate(model, marker, method) for method in _METHODS}
    for method, each in found.items():
        row = replace(base, factor=marker.info.name, term=marker.term, group="ours", method=method, **where)
        yield _our_row(each, row)
    ours = found["firth"]
    known = [derive_published(_printed(item)) for item in items if item.comparable and item.odds_ratio]
    known = [(value, se) for value, se in known if math.isfinite(se) and se > 0]
    if not known or not math.isfinite(ours.se):
        return
    yield from _pool(known, ours, base, level)
    prior = _combine(known)
    informed = _estimate(model, ours.marker, prior=prior)
    values = (informed.coef, informed.low, informed.high)
    yield marker_row(base, ours.marker, values, group="ours_with_prior", method="prior", **where)


def _our_row(ours: Ours, row: Estimate) -> Estimate:
    """Return our estimate as a row; one that runs away, or was not found, says so and keeps its finite limit."""
    if not math.isfinite(ours.coef):
        return replace(row, low=to_ratio(ours.low), high=to_ratio(ours.high), flags=("separated",))
    return marker_row(row, ours.marker, (ours.coef, ours.low, ours.high), p=ours.p)


def _pool(known: Sequence[tuple[float, float]], ours: Ours, base: Estimate, level: float) -> Iterator[Estimate]:
    values, se = zip(*[*known, (ours.coef, ours.se)], strict=True)
    pooled = pool_studies(values, se, level=level)
    row = marker_row(base, ours.marker, (pooled.estimate, pooled.low, pooled.high), group="pooled", method="reml_hk")
    yield replace(row, p=pooled.p, n=len(values))
    for measure, value in {"i2": pooled.i2, "tau2": pooled.tau2}.items():
        yield replace(row, measure=measure, estimate=value, low=None, high=None, p=None, n=len(values))


def _combine(known: Sequence[tuple[float, float]]) -> Prior:
    """Return what the publications say together (with several: pooled, and as wide as the next study may differ)."""
    pooled = pool_studies([value for value, _ in known], [se for _, se in known], test="normal")
    return Prior(mean=pooled.estimate, sd=math.sqrt(pooled.se**2 + pooled.tau2))


def _explain(info: FactorInfo, items: Sequence[Evidence]) -> Iterator[Note]:
    """Say why a publication is shown and not pooled."""
    for item in items:
        if not item.comparable:
            text = f"{item.source} is shown and not pooled: the study file does not say that it is comparable."
            yield _note(info, text)
        elif item.odds_ratio is None or math.isnan(derive_published(_printed(item))[1]):
            text = f"{item.source} is shown and not pooled: it gives no interval, no counts and no exact P value."
            yield _note(info, text)
