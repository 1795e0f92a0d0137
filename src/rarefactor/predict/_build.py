"""One model of the study put together: equation, definitions, performance, and whether it may be used."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import replace

from rarefactor.analyse import FittedRisk, fit_risk_model
from rarefactor.derive import AnalysisTable
from rarefactor.predict._apply import compute_risk
from rarefactor.predict._definitions import define_factors
from rarefactor.predict._refusal import find_number, find_reasons, find_row, read_sizes
from rarefactor.results import (
    Estimate,
    ModelInfo,
    Results,
    RiskMeasure,
    RiskModel,
    RiskOutcome,
    RiskPopulation,
    RiskProvenance,
    RiskTerm,
)
from rarefactor.spec import Eligibility, Study

MEASURES = ("auc", "brier", "brier_scaled", "calibration_intercept", "calibration_slope")


def build_model(study: Study, table: AnalysisTable, results: Results, info: ModelInfo) -> RiskModel:
    """Return the risk model of one model of the study file.

    Raises
    ------
    InputError
        The patients cannot carry the model.
    """
    at = table.landmarks[info.landmark]
    slope = find_number(results, info, "calibration_slope", "optimism_corrected")
    shrinkage = None if slope is None or slope <= 0.0 else min(slope, 1.0)
    infos = [results.factor(name) for name in info.factors]
    fitted = fit_risk_model(at, infos, info, study.analysis, shrinkage=shrinkage or 1.0)
    held = [place for place, value in enumerate(fitted.equation.coef[1:]) if value != 0.0]
    population = _population(study, fitted)
    sizes = read_sizes(results, info)
    reasons = tuple(find_reasons(results, info, population, sizes))
    rows = [0, *(place + 1 for place in held)]
    covariance = fitted.equation.covariance[rows][:, rows]
    return RiskModel(
        use="research only" if reasons else "prediction",
        reasons=reasons,
        synthetic=study.synthetic,
        name=info.name,
        label=info.label,
        valid_for=_valid_for(study, info),
        outcome=_outcome(study, info),
        population=population,
        method=study.analysis.risk,
        level=study.analysis.level,
        shrinkage=shrinkage,
        intercept=float(fitted.equation.coef[0]),
        shrunken_intercept=float(fitted.equation.shrunken[0]),
        terms=tuple(_term(fitted, place) for place in held),
        covariance=tuple(tuple(row) for row in covariance.tolist()),
        factors=define_factors(study, at, [fitted.terms[place] for place in held]),
        performance=tuple(_measure(results, info, measure) for measure in MEASURES),
        size=sizes,
        provenance=_provenance(study, results),
    )


def _term(fitted: FittedRisk, place: int) -> RiskTerm:
    factor, term = fitted.terms[place]
    equation = fitted.equation
    return RiskTerm(
        factor=factor.name,
        term=term,
        coefficient=float(equation.coef[place + 1]),
        shrunken=float(equation.shrunken[place + 1]),
        centre=float(equation.centre[place]),
    )


def _population(study: Study, fitted: FittedRisk) -> RiskPopulation:
    return RiskPopulation(
        eligibility=tuple(_rule(rule) for rule in study.cohort.eligibility),
        n=fitted.n,
        events=fitted.events,
        incomplete=fitted.incomplete,
        imputations=fitted.imputations,
    )


def _rule(rule: Eligibility) -> str:
    return f"{'' if rule.keep is not None else 'not '}{rule.name}"


def _visit(study: Study, name: str) -> str:
    return study.cohort.visits[name].label or name.replace("_", " ")


def _outcome(study: Study, info: ModelInfo) -> RiskOutcome:
    outcome, visits = study.the_outcome, study.cohort.visits
    start, end = visits[info.landmark].month, visits[outcome.at].month
    return RiskOutcome(
        name=study.outcome_name,
        label=outcome.label,
        event=outcome.event or outcome.label,
        when=outcome.when,
        at=_visit(study, outcome.at),
        landmark=_visit(study, info.landmark),
        landmark_month=start,
        month=end,
        horizon_months=end - start,
    )


def _valid_for(study: Study, info: ModelInfo) -> str:
    outcome = _outcome(study, info)
    rules = ", ".join(_rule(rule) for rule in study.cohort.eligibility) or "as in the study"
    return (
        f"Patients ({rules}) at {outcome.landmark}, for the outcome “{outcome.label}” at {outcome.at}, "
        f"{outcome.horizon_months:g} months later. It was tested in its own patients only, by resampling."
    )


def _measure(results: Results, info: ModelInfo, measure: str) -> RiskMeasure:
    apparent = find_row(results, info, measure, "apparent")
    return RiskMeasure(
        measure=measure,
        apparent=apparent.estimate if apparent else None,
        low=apparent.low if apparent else None,
        high=apparent.high if apparent else None,
        optimism=find_number(results, info, measure, "optimism"),
        corrected=find_number(results, info, measure, "optimism_corrected"),
    )


def _provenance(study: Study, results: Results) -> RiskProvenance:
    text = json.dumps(results.study.get("file"), ensure_ascii=False, sort_keys=True)
    return RiskProvenance(
        study=study.id,
        title=study.title,
        plan_sha256=hashlib.sha256(text.encode()).hexdigest(),
        seed=study.analysis.seed,
        software=dict(results.software),
        inputs=results.inputs,
    )


def list_rows(model: RiskModel, info: ModelInfo) -> Iterator[Estimate]:
    """Yield the numbers of a model as rows of ``results.json``, so that the report can show them."""
    n, events = model.population.n, model.population.events
    base = Estimate(analysis="risk_model", measure="", estimate=None, landmark=info.landmark, model=info.name)
    base = replace(base, n=n, events=events, imputations=model.population.imputations or None)
    flags = tuple(dict.fromkeys(reason.name for reason in model.reasons))
    yield replace(base, measure="allowed", estimate=float(model.allowed), flags=flags)
    yield replace(base, measure="shrinkage", estimate=model.shrinkage)
    for method, intercept in ((model.method, model.intercept), ("shrunken", model.shrunken_intercept)):
        yield replace(base, measure="coefficient", method=method, term="intercept", estimate=intercept)
    for term in model.terms:
        named = replace(base, measure="coefficient", factor=term.factor, term=term.term)
        yield replace(named, method=model.method, estimate=term.coefficient)
        yield replace(named, method="shrunken", estimate=term.shrunken)
    typical = compute_risk(model, {factor.name: str(factor.typical) for factor in model.factors}, research=True)
    named = {"estimate": typical.risk, "low": typical.low, "high": typical.high}
    yield replace(base, measure="risk", group="typical", **named)
    if typical.risk is not None:
        log_odds = math.log(typical.risk / (1.0 - typical.risk))
        yield replace(base, measure="log_odds", group="typical", estimate=log_odds)
