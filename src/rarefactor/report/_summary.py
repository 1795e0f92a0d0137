"""What was found, in a few lines that a reviewer accepts.

Convention: a label begins with a small letter inside a sentence; an estimate never comes without its interval, and a
factor is never called independent or significant. Nothing is chosen by its P value: every marker of a model is named.
The first estimate of a line says what it is and which interval it has, those after it are short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._cells import exists, joined, linked, number
from rarefactor.report._conclusion import conclude
from rarefactor.report._cox import CoxModel, list_cox_models
from rarefactor.report._effects import Effect, model_effects, risk, univariable_effects
from rarefactor.report._models import model_number
from rarefactor.report._overview import has_overview
from rarefactor.report._source import Source
from rarefactor.report._summary_effects import tell_events, tell_sides
from rarefactor.report._summary_hazards import tell_hazards
from rarefactor.report._summary_study import tell_study
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Inline, Number, Runs, Text
from rarefactor.results import Estimate, FactorInfo, FlowStep, ModelInfo
from rarefactor.spec import lower_first, upper_first

_WORDS = Words("summary")
_RISKS = 3  # markers whose risks are in the summary


def tell_answer(source: Source) -> tuple[Runs, ...]:
    """Return study, outcome and conclusion: what a reader in a hurry needs."""
    return tuple(line for line in (tell_study(source), _outcome_line(source), _conclusion(source)) if line)


def tell_estimates(source: Source) -> tuple[Runs, ...]:
    """Return models or factors one by one, risks, prediction, hazards and limits."""
    open_ones = not has_overview(source)  # the figure shows them
    found = [*_found_lines(source, open_ones=open_ones), _risk_line(source), _performance_line(source)]
    lines = (*found, *tell_hazards(source, open_ones=open_ones), _limits_line(source))
    return tuple(line for line in lines if line)


def _conclusion(source: Source) -> Runs:
    found = conclude(source)
    return _WORDS.runs("conclusion", sentences=found) if found else ()


def flow_number(step: FlowStep, value: int) -> Number:
    """Return a number of the flow, which knows its step."""
    return Number(format_count(value), f"flow/{step.id}")


def _outcome_line(source: Source) -> Runs:
    step = source.analysed(source.landmarks[0])
    shared = source.steps(None)
    if step is None or step.events is None or not shared:
        return ()
    eligible = shared[-1]
    percent = format_percent(step.events / step.n if step.n else None, step.n)
    return _WORDS.runs(
        "outcome",
        eligible=flow_number(eligible, eligible.n),
        known=flow_number(step, step.n),
        events=flow_number(step, step.events),
        share=Number(_WORDS.text("share", percent=percent), f"flow/{step.id}"),
        label=source.outcome.label,
    )


def _found_lines(source: Source, *, open_ones: bool) -> Iterator[Runs]:
    models = source.results.models
    if not models:
        landmark = source.landmarks[0]
        findings = _findings(source, _markers(univariable_effects(source, landmark)), open_ones=True)
        yield _WORDS.runs("one_by_one", visit=source.visit(landmark), findings=findings)
    for model in models:
        yield _found(source, model, open_ones=open_ones)


def _markers(effects: Sequence[Effect]) -> list[Effect]:
    return [effect for effect in effects if effect.info.role == "marker"]


def _found(source: Source, model: ModelInfo, *, open_ones: bool) -> Runs:
    analysed = model_number(source, model, "analysed") or model_number(source, model, "patients")
    infos = [source.factor(name) for name in model.factors]
    adjusters = [lower_first(info.label) for info in infos if info.role == "adjuster"]
    return _WORDS.runs(
        "model_adjusted" if adjusters else "model",
        model=model.label,
        n=number(analysed, format_count(analysed.estimate) if analysed else ""),
        events=tell_events(analysed, analysed.events if analysed else None),
        visit=source.visit(model.landmark),
        adjusters=joined([[name] for name in adjusters]),
        findings=_findings(source, _markers(model_effects(source, model)), open_ones=open_ones),
    )


def _findings(source: Source, effects: Sequence[Effect], *, open_ones: bool) -> Runs:
    estimated = [effect for effect in effects if exists(effect.firth)]
    return tell_sides(source, estimated, "OR", open_ones=open_ones) or _WORDS.runs("none")


def _risk_line(source: Source) -> Runs:
    """Put absolute risks beside the odds ratios: the markers of the first model that have levels."""
    model = next(iter(source.results.models), None)
    landmark = model.landmark if model else source.landmarks[0]
    effects = model_effects(source, model) if model else univariable_effects(source, landmark)
    infos = {effect.info.name: effect.info for effect in _markers(effects) if effect.info.levels}
    shown = list(infos.values())[:_RISKS]
    labels = [info.label if place == 0 else lower_first(info.label) for place, info in enumerate(shown)]
    told = (_risks(source, landmark, info, label) for info, label in zip(shown, labels, strict=True))
    factors = linked(told, "; ")
    if not factors:
        return ()
    of_model = _WORDS.text("of_model", model=model.label) if model else ""
    if len(infos) <= _RISKS:
        return _WORDS.runs("risks", event=source.event, of_model=of_model, factors=factors)
    counts = {"shown": str(_RISKS), "n": str(len(infos))}
    return _WORDS.runs("risks_first", event=source.event, of_model=of_model, factors=factors, **counts)


def _risks(source: Source, landmark: str, info: FactorInfo, label: str) -> Runs:
    rows = {level: risk(source, landmark, info, level) for level in info.levels}
    shown = [
        _WORDS.runs("risk_at", level=level, risk=_one_risk(source, landmark, row)) for level, row in rows.items() if row
    ]
    return _WORDS.runs("risks_of", factor=label, levels=joined(shown)) if shown else ()


def _one_risk(source: Source, landmark: str, row: Estimate) -> Inline:
    places = {
        "events": format_count(row.events),
        "n": format_count(row.n),
        "percent": source.percent(row, row.estimate, landmark),
        "range": format_range(row.low, row.high, lambda value: source.percent(row, value, landmark)),
    }
    return number(row, _WORDS.text("risk", **places))


def _performance_line(source: Source) -> Runs:
    """Say how well the models predict in new patients, or why nobody can say."""
    models = [model for model in source.results.models if _performance(source, model, "parameters")]
    if not models:
        return ()
    told = linked((_performs(source, model) for model in models), "; ")
    if not source.study.analysis.resamples:
        return _WORDS.runs("prediction_apparent", models=told)
    slopes = (_performance(source, model, "calibration_slope", "optimism_corrected") for model in models)
    sloped = any(slope and slope.estimate is not None for slope in slopes)
    return _WORDS.runs("prediction_slope" if sloped else "prediction", models=told)


def _performs(source: Source, model: ModelInfo) -> Runs:
    method = "optimism_corrected" if source.study.analysis.resamples else "apparent"
    auc, slope = (_performance(source, model, measure, method) for measure in ("auc", "calibration_slope"))
    if auc is None or slope is None:
        return _WORDS.runs("performs_unknown", model=model.label)
    shown = {name: number(row, _with_interval(source, row)) for name, row in (("auc", auc), ("slope", slope))}
    if slope.estimate is None:
        return _WORDS.runs("performs_without_slope", model=model.label, auc=shown["auc"])
    return _WORDS.runs("performs", model=model.label, **shown)


def _with_interval(source: Source, row: Estimate) -> str:
    shown = format_fixed(row.estimate, 2)
    if row.low is None or row.high is None:
        return shown
    interval = format_range(row.low, row.high, lambda value: format_fixed(value, 2))
    return _WORDS.text("with_interval", estimate=shown, interval=source.interval, range=interval)


def _performance(source: Source, model: ModelInfo, measure: str, method: str | None = None) -> Estimate | None:
    return source.row("performance", measure, landmark=model.landmark, model=model.name, method=method)


def _limits_line(source: Source) -> Runs:
    return linked(_limits(source))


def _limits(source: Source) -> Iterator[Runs]:
    yield _WORDS.runs("limits", level=source.level)
    yield _unknown(source)
    yield _support(source)
    yield _sparse(source)
    yield _separated(source)
    yield _coupled(source)
    yield _fragile(source)


def _unknown(source: Source) -> Runs:
    shared, step = source.steps(None), source.analysed(source.landmarks[0])
    if not shared or step is None or shared[-1].n == step.n:
        return ()
    eligible = shared[-1]
    unknown = flow_number(step, eligible.n - step.n)
    return _WORDS.runs("unknown", unknown=unknown, eligible=flow_number(eligible, eligible.n))


def _support(source: Source) -> Runs:
    """Say how many events each model has for a parameter, and how many patients have all its factors."""
    told = [one for model in source.results.models if (one := _rests(source, model))]
    told += [one for _, models in list_cox_models(source) for model in models if (one := _cox_rests(model))]
    return _WORDS.runs("support", models=joined(told)) if told else ()


def _cox_rests(model: CoxModel) -> Runs:
    ratio = model.row("events_per_parameter")
    if ratio is None:
        return ()
    return _WORDS.runs("per_parameter_cox", model=model.words, ratio=number(ratio, format_fixed(ratio.estimate, 1)))


def _rests(source: Source, model: ModelInfo) -> Runs:
    analysed, complete, patients, ratio = (
        model_number(source, model, measure)
        for measure in ("analysed", "complete_cases", "patients", "events_per_parameter")
    )
    if ratio is None:
        return ()
    key, places = "per_parameter", {"ratio": number(ratio, format_fixed(ratio.estimate, 1))}
    if complete and patients and complete.estimate != patients.estimate:
        imputed = analysed.imputations if analysed else None
        key = "per_parameter_imputed" if imputed else "per_parameter_complete"
        counts = {"complete": complete, "patients": patients}
        places |= {name: number(row, format_count(row.estimate)) for name, row in counts.items()}
        places["times"] = Text(f"{imputed}")
    return _WORDS.runs(key, model=model.label, **places)


def _sparse(source: Source) -> Runs:
    """Name the models whose data are sparse; where all are, their names say nothing."""
    models = source.results.models
    found = [model for model in models if any("sparse" in row.flags for row in _odds_of(source, model))]
    if len(found) == len(models):
        return _WORDS.runs("sparse") if found else ()
    labels = joined([_WORDS.runs("quoted", model=model.label) for model in found])
    return _WORDS.runs("sparse_in", models=labels) if found else ()


def _odds_of(source: Source, model: ModelInfo) -> tuple[Estimate, ...]:
    return source.results.select(analysis="multivariable", model=model.name)


def _separated(source: Source) -> Runs:
    """Name the factors, and of several levels those, along which the data separate the outcome."""
    one_by_one = (effect for landmark in source.landmarks for effect in univariable_effects(source, landmark))
    together = (effect for model in source.results.models for effect in model_effects(source, model))
    found = dict.fromkeys(effect.label for effect in (*one_by_one, *together) if "separated" in effect.flags)
    levels = joined([[lower_first(label)] for label in found])
    return _WORDS.runs("separated", levels=levels) if found else ()


def _coupled(source: Source) -> Runs:
    """Say which factors of the models, or of all where there is none, share a variable with the outcome."""
    models = source.results.models
    names = [name for model in models for name in model.factors] or [info.name for info in source.results.factors]
    found = dict.fromkeys(note.factor for note in source.coupled(names) if note.factor)
    labels = [lower_first(source.factor(name).label) for name in found]
    factors = joined([[upper_first(label) if place == 0 else label] for place, label in enumerate(labels)])
    return _WORDS.runs("coupled", count=len(labels), factors=factors) if labels else ()


def _fragile(source: Source) -> Runs:
    """Name the markers of which one patient decides whether the interval excludes 1."""
    labels = [
        _WORDS.runs("fragile_marker", marker=lower_first(effect.label), model=model.label)
        for model in source.results.models
        for effect in model_effects(source, model)
        if _deciding(source, model, effect)
    ]
    return _WORDS.runs("fragile", markers=joined(labels)) if labels else ()


def _deciding(source: Source, model: ModelInfo, effect: Effect) -> float:
    where = {"landmark": model.landmark, "model": model.name, "factor": effect.info.name, "term": effect.term}
    row = source.row("sensitivity", "patients_changing", group="leave_one_out", **where)
    return row.estimate or 0.0 if row else 0.0
