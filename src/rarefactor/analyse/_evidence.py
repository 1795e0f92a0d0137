"""Published odds ratios beside ours: whether they agree with themselves, and what all say together.

Our estimate is that of the factor alone, or, where the published ones are adjusted, that of the first model with the
factor. What is pooled, and what is a prior, is said by the study file to be comparable and has a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from rarefactor.analyse._design import Floats, build_design
from rarefactor.analyse._markers import Marker, marker_row
from rarefactor.analyse._multivariable import Model, build_model
from rarefactor.analyse._odds import column_names, usable_columns
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.spec import Analysis, Evidence
from rarefactor.stats import (
    Published,
    check_published,
    derive_published,
    fit_logistic,
    fit_with_prior,
    pool_rubin,
    pool_studies,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our Firth estimate of a term: log odds ratio and its standard error, limits; the patients and what they are."""

    model: Model
    marker: Marker
    coef: float
    se: float
    low: float
    high: float


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
    rows: list[Estimate] = []
    notes: list[Note] = []
    ordered = sorted(published, key=_address)
    for address, group in groupby(ordered, key=_address):
        items = list(group)
        info = infos[address[0]]
        base = Estimate(analysis="evidence", measure="odds_ratio", estimate=None, factor=info.name)
        term = _find_term(info, items[0])
        if not term:
            notes.append(_note(info, f"{info.label} has several levels: evidence on it needs one of them as level."))
            continue
        marker = Marker(info=info, term=term, place=0)
        for item in items:
            rows.append(_published_row(item, marker, base, settings.level))
            notes.extend(_note(info, f"{item.source}: {each.sentence}") for each in check_published(_printed(item)))
        try:
            ours = _fit_ours(tables, marker, models, (items, settings), infos)
            rows.extend(_compare(ours, items, replace(base, landmark=None), settings.level))
        except InputError as error:
            notes.append(_note(info, f"Ours was not fitted ({error.problems[0].found})."))
        notes.extend(_explain(info, items))
    return Analysed(rows=tuple(rows), notes=tuple(notes))


def _address(item: Evidence) -> tuple[str, str]:
    return item.factor, item.level or ""


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
        odds_ratio=float(item.odds_ratio),
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
    printed = _printed(item)
    row = marker_row(base, marker, group=item.source, method="published", p=printed.p, n=item.n, events=item.events)
    flags = (*(("p_below",) if printed.p_below else ()), *(("adjusted",) if item.adjusted else ()))
    row = replace(row, estimate=printed.odds_ratio, low=printed.low, high=printed.high, flags=flags)
    log_or, se = derive_published(printed)
    if printed.low is not None or math.isnan(se):
        return row
    half = _quantile(level) * se
    return replace(row, low=math.exp(log_or - half), high=math.exp(log_or + half), flags=(*flags, "interval_derived"))


def _quantile(level: float) -> float:
    from statistics import NormalDist  # noqa: PLC0415 - needed where an interval was not printed

    return NormalDist().inv_cdf(0.5 + 0.5 * level)


def _fit_ours(
    tables: Mapping[str, LandmarkTable],
    marker: Marker,
    models: Sequence[ModelInfo],
    study: tuple[Sequence[Evidence], Analysis],
    infos: Mapping[str, FactorInfo],
) -> Ours:
    """Return our estimate: of the factor alone, or of the first model that holds it where all others are adjusted."""
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
    return _estimate(model, replace(marker, place=place))


def _completions(model: Model) -> Floats:
    return model.design.X[None] if model.filled is None else model.filled


def _estimate(model: Model, marker: Marker, prior: Prior | None = None) -> Ours:
    """Fit a model by Firth's method, or with a prior on the marker; over imputations by Rubin's rules."""
    names, at = column_names(model.design), marker.place + 1
    fits = [
        fit_logistic(columns, model.design.y, names=names, level=model.level)
        if prior is None
        else fit_with_prior(
            columns, model.design.y, {names[marker.place]: (prior.mean, prior.sd)}, names=names, level=model.level
        )
        for columns in _completions(model)
    ]
    if len(fits) == 1:
        coef, se, (low, high) = fits[0].coef[at], fits[0].se[at], fits[0].ci[at]
    else:
        values, squares = np.array([[fit.coef[at]] for fit in fits]), np.array([[fit.se[at] ** 2] for fit in fits])
        left = len(model.design.y) - len(names) - 1
        pooled = pool_rubin(values, squares, df_complete=left, level=model.level)
        coef, se, (low, high) = pooled.estimate[0], pooled.se[0], pooled.ci[0]
    return Ours(model=model, marker=marker, coef=float(coef), se=float(se), low=float(low), high=float(high))


def _compare(ours: Ours, items: Sequence[Evidence], base: Estimate, level: float) -> Iterator[Estimate]:
    """Yield our estimate, both pooled, and ours with the publications as prior."""
    model = ours.model
    n, events = len(model.design.y), int(model.design.y.sum())
    where = {"landmark": model.info.landmark, "model": model.info.name or None, "n": n, "events": events}
    yield marker_row(base, ours.marker, (ours.coef, ours.low, ours.high), group="ours", method="firth", **where)
    known = [derive_published(_printed(item)) for item in items if item.comparable]
    known = [(value, se) for value, se in known if math.isfinite(se) and se > 0]
    if not known or not math.isfinite(ours.se):
        return
    yield from _pool(known, ours, base, level)
    prior = _combine(known)
    informed = _estimate(model, ours.marker, prior)
    values = (informed.coef, informed.low, informed.high)
    yield marker_row(base, ours.marker, values, group="ours_with_prior", method="prior", **where)


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
        elif math.isnan(derive_published(_printed(item))[1]):
            text = f"{item.source} is shown and not pooled: it gives no interval, no counts and no exact P value."
            yield _note(info, text)
