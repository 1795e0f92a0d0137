"""How far the odds ratios of a model's markers hang on single patients, on the penalty, on what nobody knows.

Each question is asked of the model as it was fitted; profile curves and unknown outcomes, which need one complete set
of patients, of those for whom every factor is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from rarefactor.analyse._design import build_design
from rarefactor.analyse._influence import leave_one_out, list_distances
from rarefactor.analyse._markers import list_markers, marker_row, to_ratio
from rarefactor.analyse._multivariable import Model, build_model, fit, model_flags
from rarefactor.analyse._odds import Coefficients, column_names, odds_ratios, usable_columns
from rarefactor.analyse._profiles import trace_profiles
from rarefactor.analyse._tipping import scan_unknown_outcomes
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.spec import Analysis
from rarefactor.stats import compute_e_value, fit_logistic, pool_profiles

STRENGTHS = (1, 2, 4, 8)
RARE = 0.15


def analyse_sensitivity(
    table: LandmarkTable,
    factors: Sequence[FactorInfo],
    info: ModelInfo,
    settings: Analysis,
    *,
    coupled: Collection[str] = (),
) -> Analysed:
    """Return what happens to the odds ratios of a model's markers when something else is done or assumed.

    ``coupled`` names the factors that are made of the same variable as the outcome.
    """
    everyone, _ = usable_columns(build_design(table, factors))
    base = Estimate(
        analysis="sensitivity", measure="odds_ratio", estimate=None, landmark=info.landmark, model=info.name
    )
    base = replace(base, method="firth")
    try:
        model = build_model(table, everyone, info, settings)
        model_flags(model)
    except InputError:
        return Analysed(rows=())  # the model itself was not fitted, and says why
    questions: dict[str, Callable[[], Iterator[Estimate]]] = {
        "other penalties": lambda: compare_strengths(model, base),
        "leaving out one patient": lambda: leave_one_out(model, base),
        "Cook’s distances": lambda: list_distances(model, base),
        "profile curves": lambda: trace_profiles(everyone, base, level=settings.level),
        "unknown outcomes": lambda: scan_unknown_outcomes(table, factors, base, level=settings.level),
        "E-values": lambda: find_e_values(model, base, coupled),
    }
    rows: list[Estimate] = []
    notes: list[Note] = []
    for title, question in questions.items():
        try:
            rows.extend(question())
        except InputError as error:
            reason = "; ".join(f"{problem.where} {problem.found}".strip() for problem in error.problems)
            text = f"Not done: {title} ({reason})."
            notes.append(Note(about="sensitivity", landmark=info.landmark, model=info.name, text=text))
    return Analysed(rows=tuple(rows), notes=tuple(notes))


def compare_strengths(model: Model, base: Estimate) -> Iterator[Estimate]:
    """Yield the odds ratios of the markers under log-F priors of rising strength, pooled over imputations."""
    flags = [() for _ in model.design.terms]
    markers = {(marker.info.name, marker.term) for marker in list_markers(model.design)}
    for strength in STRENGTHS:
        found = _fit_strength(model, strength)
        for row in odds_ratios(found, model.design, flags, replace(base, group="penalty")):
            if (row.factor, row.term) in markers:
                yield row


def _fit_strength(model: Model, strength: int) -> Coefficients:
    names, prior = column_names(model.design), {"penalty": "logf", "prior_m": float(strength)}
    method = f"logf{strength}{strength}"
    if model.filled is None:
        one = fit_logistic(model.design.X, model.design.y, names=names, level=model.level, **prior)  # pyright: ignore[reportArgumentType] - penalty and its strength
        return Coefficients(method=method, coef=one.coef[1:], low=one.ci[1:, 0], high=one.ci[1:, 1], p=one.p[1:])
    many = pool_profiles(model.filled, model.design.y, names=names, level=model.level, **prior)  # pyright: ignore[reportArgumentType] - penalty and its strength
    return Coefficients(method=method, coef=many.estimate[1:], low=many.ci[1:, 0], high=many.ci[1:, 1], p=many.p[1:])


def find_e_values(model: Model, base: Estimate, coupled: Collection[str] = ()) -> Iterator[Estimate]:
    """Yield how strong an unmeasured confounder would have to be to explain away each odds ratio, and its limit.

    A factor that is ``coupled`` with the outcome has none: no confounder is needed where both are made of one variable.
    """
    found = fit(model, "firth")
    rare = float(model.design.y.mean()) < RARE
    for marker in list_markers(model.design):
        estimate, low, high = (to_ratio(values[marker.place]) for values in (found.coef, found.low, found.high))
        if marker.info.name in coupled or not (estimate and low and high and low <= estimate <= high):
            continue
        values = compute_e_value(estimate, low, high, rare=rare)
        for measure, value in zip(("e_value", "e_value_limit"), values, strict=True):
            yield marker_row(base, marker, measure=measure, estimate=value, n=len(model.design.y))
