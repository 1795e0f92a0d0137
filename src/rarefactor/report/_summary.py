"""What was found, in a few lines that a reviewer accepts.

Convention: labels stand as the study file has them (an eponym must keep its capital); an estimate never comes without
its interval, and a factor is never called independent or significant. Nothing is chosen by its P value: every marker
of a model is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._cells import exists, joined, number, runs
from rarefactor.report._conclusion import conclude
from rarefactor.report._effects import Effect, model_effects, risk, side, univariable_effects
from rarefactor.report._models import model_number
from rarefactor.report._source import Source
from rarefactor.report.format import format_count, format_fixed, format_percent, format_range, format_ratio
from rarefactor.report.tree import Inline, Number, Runs, Text
from rarefactor.results import Estimate, FactorInfo, FlowStep, ModelInfo


def summarise(source: Source) -> tuple[Runs, ...]:
    """Return the lines: outcome, models (or factors one by one), risks, what predicts, limits, conclusion."""
    found = [*_found_lines(source), _risk_line(source), _performance_line(source)]
    lines = [_outcome_line(source), *found, _limits_line(source), conclude(source)]
    return tuple(line for line in lines if line)


def flow_number(step: FlowStep, value: int) -> Number:
    """Return a number of the flow, which knows its step."""
    return Number(format_count(value), f"flow/{step.id}")


def _outcome_line(source: Source) -> Runs:
    step = source.analysed(source.landmarks[0])
    shared = source.steps(None)
    if step is None or step.events is None or not shared:
        return ()
    eligible = shared[-1]
    share = format_percent(step.events / step.n if step.n else None, step.n)
    return runs(
        Text("Outcome. ", "strong"),
        "Of ",
        flow_number(eligible, eligible.n),
        " eligible patients, the outcome was known in ",
        flow_number(step, step.n),
        "; ",
        flow_number(step, step.events),
        " of them ",
        Number(f"({share}%)", f"flow/{step.id}"),
        f" had the outcome “{source.outcome.label}”.",
    )


def _found_lines(source: Source) -> Iterator[Runs]:
    models = source.results.models
    if not models:
        landmark = source.landmarks[0]
        effects = [effect for effect in univariable_effects(source, landmark) if effect.info.role == "marker"]
        yield runs(Text("Factors one by one. ", "strong"), *_findings(source, effects))
    for model in models:
        effects = [effect for effect in model_effects(source, model) if effect.info.role == "marker"]
        yield runs(Text(f"Model “{model.label}”. ", "strong"), *_fitted(source, model), *_findings(source, effects))


def _fitted(source: Source, model: ModelInfo) -> list[Inline | str]:
    analysed = model_number(source, model, "analysed") or model_number(source, model, "patients")
    adjusters = [source.factor(name).label for name in model.factors if source.factor(name).role == "adjuster"]
    parts: list[Inline | str] = ["In "]
    parts += [number(analysed, format_count(analysed.estimate) if analysed else ""), " patients"]
    if analysed:
        parts += [" with ", number(analysed, format_count(analysed.events)), " events"]
    parts += [f", followed from {source.visit(model.landmark)}"]
    if adjusters:
        parts += [" and adjusted for ", *joined([[name] for name in adjusters])]
    return [*parts, ": "]


def _findings(source: Source, effects: Sequence[Effect]) -> list[Inline | str]:
    """Say of each marker on which side of 1 its interval lies; those whose interval holds 1 come last."""
    level = f"{100 * source.study.analysis.level:g}% CI"
    estimated = [effect for effect in effects if exists(effect.firth)]
    higher, lower, open_ = ([e for e in estimated if side(e.firth) == where] for where in (1, -1, 0))
    clauses: list[list[Inline | str]] = []
    if higher:
        clauses.append(["the odds were higher with ", *joined([_named(effect, level) for effect in higher])])
    if lower:
        clauses.append(["the odds were lower with ", *joined([_named(effect, level) for effect in lower])])
    if open_:
        clauses.append(
            ["the data leave both directions open for ", *joined([_named(effect, level) for effect in open_])]
        )
    sentence = [part for place, clause in enumerate(clauses) for part in (["; "] if place else []) + clause]
    return [*sentence, "."] if sentence else ["no odds ratio of a marker could be estimated."]


def _named(effect: Effect, level: str) -> list[Inline | str]:
    row = effect.firth
    interval = format_range(row.low, row.high, format_ratio) if row else ""
    shown = f"OR {format_ratio(row.estimate)}, {level} {interval}" if row else ""
    return [effect.label, " (", number(row, shown), ")"]


def _risk_line(source: Source) -> Runs:
    """Put absolute risks beside the odds ratios: the markers of the first model that have levels."""
    model = next(iter(source.results.models), None)
    landmark = model.landmark if model else source.landmarks[0]
    effects = model_effects(source, model) if model else univariable_effects(source, landmark)
    infos = {effect.info.name: effect.info for effect in effects if effect.info.levels and effect.info.role == "marker"}
    parts = [part for part in (_risks(source, landmark, info) for info in list(infos.values())[:3]) if part]
    if not parts:
        return ()
    sentence = [piece for place, part in enumerate(parts) for piece in (["; "] if place else []) + part]
    return runs(Text("Risks, not adjusted. ", "strong"), f"Share with “{source.event}” by level. ", *sentence, ".")


def _risks(source: Source, landmark: str, info: FactorInfo) -> list[Inline | str]:
    rows = [(level, risk(source, landmark, info, level)) for level in info.levels]
    shown = [[f"{level} ", _one_risk(source, landmark, row)] for level, row in rows if row]
    return [f"{info.label}: ", *joined(shown)] if shown else []


def _one_risk(source: Source, landmark: str, row: Estimate) -> Inline:
    interval = format_range(row.low, row.high, lambda value: source.percent(row, value, landmark))
    counts = f"{format_count(row.events)} of {format_count(row.n)}"
    return number(row, f"{counts} ({source.percent(row, row.estimate, landmark)}%, {interval})")


def _performance_line(source: Source) -> Runs:
    """Say how well the models predict in new patients, or why nobody can say."""
    models = [model for model in source.results.models if _performance(source, model, "parameters")]
    if not models:
        return ()
    clauses = [_performs(source, model) for model in models]
    sentence = [piece for place, part in enumerate(clauses) for piece in (["; "] if place else []) + part]
    parts: list[Inline | str] = ["."]
    if any(_performance(source, model, "calibration_slope", "optimism_corrected") for model in models):
        parts.append(" A slope below 1 means risks that are too extreme; it has no interval, because the slope of a ")
        parts.append("model in its own resample hardly varies.")
    elif not source.study.analysis.resamples:
        parts.append(" No resamples were drawn, so that nothing is corrected for optimism: expect worse.")
    title = "Prediction, corrected for optimism. " if source.study.analysis.resamples else "Prediction, apparent. "
    return runs(Text(title, "strong"), *sentence, *parts)


def _performs(source: Source, model: ModelInfo) -> list[Inline | str]:
    method = "optimism_corrected" if source.study.analysis.resamples else "apparent"
    auc, slope = (_performance(source, model, measure, method) for measure in ("auc", "calibration_slope"))
    if auc is None or slope is None:
        return [f"“{model.label}”: not known, as its risks could not be predicted"]
    level = f"{100 * source.study.analysis.level:g}% CI"
    return [
        f"“{model.label}”: AUC ",
        number(auc, _with_interval(auc, level)),
        ", calibration slope ",
        number(slope, _with_interval(slope, level)),
    ]


def _with_interval(row: Estimate, level: str) -> str:
    shown = format_fixed(row.estimate, 2)
    if row.low is None or row.high is None:
        return shown
    return f"{shown} ({level} {format_range(row.low, row.high, lambda value: format_fixed(value, 2))})"


def _performance(source: Source, model: ModelInfo, measure: str, method: str | None = None) -> Estimate | None:
    return source.row("performance", measure, landmark=model.landmark, model=model.name, method=method)


def _limits_line(source: Source) -> Runs:
    parts: list[Inline | str] = [Text("Limits. ", "strong"), "Odds ratios are Firth estimates with "]
    parts.append(f"{100 * source.study.analysis.level:g}% intervals and describe association, not cause. ")
    parts += _unknown(source)
    for model in source.results.models:
        parts += _support(source, model)
    parts += _separated(source)
    parts += _fragile(source)
    return runs(*parts)


def _unknown(source: Source) -> list[Inline | str]:
    shared, step = source.steps(None), source.analysed(source.landmarks[0])
    if not shared or step is None or shared[-1].n == step.n:
        return []
    unknown, eligible = shared[-1].n - step.n, shared[-1].n
    return [
        "The outcome is not known for ",
        flow_number(step, unknown),
        " of ",
        flow_number(shared[-1], eligible),
        " eligible patients, who are left out. ",
    ]


def _support(source: Source, model: ModelInfo) -> list[Inline | str]:
    analysed, complete, patients, ratio = (
        model_number(source, model, measure)
        for measure in ("analysed", "complete_cases", "patients", "events_per_parameter")
    )
    parts: list[Inline | str] = [f"Model “{model.label}” rests on "]
    if ratio:
        parts += [number(ratio, format_fixed(ratio.estimate, 1)), " events per parameter"]
    if complete and patients and complete.estimate != patients.estimate:
        filled = (
            f", with missing values imputed {analysed.imputations} times" if analysed and analysed.imputations else ""
        )
        parts += [" and on complete cases of " if not filled else f"{filled} (complete: "]
        parts += [number(complete, format_count(complete.estimate)), " of "]
        parts += [number(patients, format_count(patients.estimate)), " patients)" if filled else " patients"]
    if any("sparse" in row.flags for row in source.results.select(analysis="multivariable", model=model.name)):
        parts.append("; its data are sparse, so that odds ratios may lie too far from 1")
    return [*parts, ". "] if len(parts) > 1 else []


def _separated(source: Source) -> list[Inline | str]:
    separated = [row for row in source.results.rows if row.measure == "odds_ratio" and "separated" in row.flags]
    names = list(dict.fromkeys(row.factor for row in separated if row.factor))
    if not names:
        return []
    labels = [[source.factor(name).label] for name in names]
    return ["Separation makes the maximum-likelihood odds ratio of ", *joined(labels), " infinite or zero. "]


def _fragile(source: Source) -> list[Inline | str]:
    """Name the markers of which one patient decides whether the interval excludes 1."""
    labels = [
        [f"{effect.label} in “{model.label}”"]
        for model in source.results.models
        for effect in model_effects(source, model)
        if _deciding(source, model, effect)
    ]
    if not labels:
        return []
    return ["Leaving out a single patient changes whether the interval excludes 1 for ", *joined(labels), ". "]


def _deciding(source: Source, model: ModelInfo, effect: Effect) -> float:
    where = {"landmark": model.landmark, "model": model.name, "factor": effect.info.name, "term": effect.term}
    row = source.row("sensitivity", "patients_changing", group="leave_one_out", **where)
    return row.estimate or 0.0 if row else 0.0
