"""The facts that answer items of checklists: one sentence each, from the study file and the rows of the results.

Convention: a fact that the results do not hold is empty; every number knows its row. Whether the document shows it is
not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rarefactor.report._cells import count_events, count_patients, joined, number
from rarefactor.report._source import Source
from rarefactor.report._summary import flow_number
from rarefactor.report._table1 import Described
from rarefactor.report._words import Words, sentences
from rarefactor.report.format import format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Inline, Runs
from rarefactor.results import Estimate, ModelInfo
from rarefactor.spec import lower_first

_WORDS, _SHARED = Words("checklists_facts"), Words("words")
Fact = Callable[[Source], Runs]


def _count(row: Estimate | None) -> Inline:
    return number(row, format_count(row.estimate) if row else "")


def _counted(key: str, count: int, **places: Inline | str) -> Runs:
    return _WORDS.runs(key, count=count, n=str(count), **places)


def _named(source: Source, role: str) -> list[str]:
    return [info.label for info in source.results.factors if info.role == role]


def _inside(labels: Iterable[str]) -> str:
    """Name labels inside a sentence."""
    return ", ".join(lower_first(label) for label in labels)


def _of_models(source: Source, rows: Sequence[Estimate], show: Callable[[Estimate], Inline]) -> list[Inline | str]:
    """Return what is shown of each model, behind its name."""
    return joined([_WORDS.runs("of_model", model=_model_label(source, row), value=show(row)) for row in rows])


def _summary(source: Source) -> Runs:
    return _WORDS.runs("summary") if source.landmarks else ()


def _key_results(source: Source) -> Runs:
    return _WORDS.runs("key_results") if source.results.models else ()


def _titled(source: Source) -> Runs:
    return _WORDS.runs("titled") if source.landmarks else ()


def _aims(source: Source) -> Runs:
    return _counted("aims", len(_named(source, "marker")), outcome=source.outcome.label)


def _design(source: Source) -> Runs:
    return _WORDS.runs("design", landmarks=joined([[source.visit(name)] for name in source.landmarks]))


def _eligibility(source: Source) -> Runs:
    rules = source.study.cohort.eligibility
    shared = source.steps(None)
    if not rules or not shared:
        return ()
    eligible, assessed = flow_number(shared[-1], shared[-1].n), flow_number(shared[0], shared[0].n)
    return _counted("eligibility", len(rules), eligible=eligible, assessed=assessed)


def _visits(source: Source) -> Runs:
    return _counted("visits", len(source.study.cohort.visits))


def _flow(source: Source) -> Runs:
    shared = source.steps(None)
    known = [(name, step) for name in source.landmarks if (step := source.analysed(name))]
    if not shared or not known:
        return ()
    records, eligible = (flow_number(each, each.n) for each in (shared[0], shared[-1]))
    told = [_WORDS.runs("known_from", n=flow_number(step, step.n), visit=source.visit(name)) for name, step in known]
    return _WORDS.runs("flow", records=records, eligible=eligible, known=joined(told))


def _reasons(source: Source) -> Runs:
    count = len({each.reason for step in source.results.flow for each in step.excluded})
    return _counted("reasons", count) if count else ()


def _lost(source: Source) -> Runs:
    shared, step = source.steps(None), source.analysed(source.landmarks[0])
    if not shared or step is None:
        return ()
    eligible = shared[-1]
    lost = flow_number(step, eligible.n - step.n)
    return _WORDS.runs("lost", lost=lost, eligible=flow_number(eligible, eligible.n))


def _left_out(source: Source) -> Runs:
    described = Described(source=source, landmark=source.landmarks[0])
    return _WORDS.runs("left_out") if described.left_out else ()


def _one_rule(source: Source) -> Runs:
    return _WORDS.runs("one_rule", visit=source.visit(source.outcome.at))


def _tipping(source: Source) -> Runs:
    rows = source.results.select(analysis="sensitivity", measure="tipping_share")
    found = rows or source.results.select(analysis="sensitivity", group="unknown_outcomes")
    return _WORDS.runs("tipping") if found else ()


def _events(source: Source) -> Runs:
    steps = [(source.visit(name), source.analysed(name)) for name in source.landmarks]
    told = [
        _WORDS.runs("events_from", events=flow_number(step, step.events), n=flow_number(step, step.n), visit=visit)
        for visit, step in steps
        if step is not None and step.events is not None
    ]
    return _WORDS.runs("events", outcome=source.outcome.label, events=joined(told)) if told else ()


def _later_events(source: Source) -> Runs:
    told: list[Runs] = []
    for name, spec in source.study.follow_up.items():
        at = source.study.landmark_of_follow_up(spec)
        patients, events = (
            source.row("survival", measure, landmark=at, model=name) for measure in ("patients", "events")
        )
        if patients and events:
            counts = {
                "events": count_events(events, events.estimate),
                "patients": count_patients(patients, patients.estimate),
            }
            told.append(_WORDS.runs("later_events_of", endpoint=spec.label, **counts))
    return _WORDS.runs("later_events", endpoints=joined(told)) if told else ()


def _outcome(source: Source) -> Runs:
    outcome, visit = source.outcome.label, source.visit(source.outcome.at)
    before = ", ".join(event.name for event in source.outcome.before)
    if not before:
        return _WORDS.runs("outcome", outcome=outcome, visit=visit)
    return _WORDS.runs("outcome_with_events", outcome=outcome, visit=visit, events=before)


def _later_endpoints(source: Source) -> Runs:
    labels = [_WORDS.text("quoted", label=spec.label) for spec in source.study.follow_up.values()]
    return _WORDS.runs("later_endpoints", endpoints=", ".join(labels)) if labels else ()


def _factors(source: Source) -> Runs:
    markers, adjusters = len(_named(source, "marker")), len(_named(source, "adjuster"))
    if not markers:
        return ()
    told = _WORDS.text("markers", count=markers, n=markers)
    if adjusters:
        told = _WORDS.text("also_adjusters", count=adjusters, n=adjusters, markers=told)
    return _WORDS.runs("factors", factors=told)


def _adjusters(source: Source) -> Runs:
    adjusters = {info.name: info.label for info in source.results.factors if info.role == "adjuster"}
    others = [label for name, label in adjusters.items() if name not in source.modelled]
    each = [
        _WORDS.runs("adjusters_of", model=model.label, adjusters=_inside(held))
        for model in source.results.models
        if (held := [adjusters[name] for name in model.factors if name in adjusters])
    ]
    if not each:
        return ()
    told = _WORDS.runs("adjusters", models=joined(each))
    return sentences(told, _WORDS.runs("in_no_model", adjusters=_inside(others)) if others else ())


def _coupling(source: Source) -> Runs:
    notes = source.coupled(info.name for info in source.results.factors)
    labels = _inside(source.factor(note.factor or "").label for note in notes)
    return _WORDS.runs("coupling", factors=labels) if labels else ()


def _kinds(source: Source) -> Runs:
    if not source.results.factors:
        return ()
    continuous = sum(info.kind == "continuous" for info in source.results.factors)
    cuts = sum(bool(factor.cut) for factor in source.study.factors.values())
    return _counted("continuous_and_cut", continuous, cuts=str(cuts)) if cuts else _counted("continuous", continuous)


def _cut_points(source: Source) -> Runs:
    rows = source.results.select(analysis="sensitivity", measure="cut_points")
    return _WORDS.runs("cut_points") if rows else ()


def _mri(source: Source) -> Runs:
    scans, failed = source.row("imaging", "scans"), source.row("imaging", "failed")
    if scans is None:
        return ()
    return _WORDS.runs("mri", count=scans.estimate, n=_count(scans), failed=_count(failed))


def _slides(source: Source) -> Runs:
    rows = source.results.select(analysis="pathology", measure="slides")
    told = [_WORDS.runs("slides_of_stain", stain=row.term or "", slides=_count(row)) for row in rows]
    return _WORDS.runs("slides", slides=joined(told)) if told else ()


def _readers(source: Source) -> Runs:
    rows = (row for row in source.results.rows if row.measure in {"weighted_kappa", "icc_agreement"})
    row = next(rows, None)
    if row is None:
        return ()
    shown = _WORDS.text(f"agreement_{row.measure}", value=_bounded(row))
    return _WORDS.runs("readers", agreement=number(row, shown))


def _bounded(row: Estimate, decimals: int = 2) -> str:
    shown = format_fixed(row.estimate, decimals)
    if row.low is None or row.high is None:
        return shown
    return f"{shown} ({format_range(row.low, row.high, lambda value: format_fixed(value, decimals))})"


def _instruments(source: Source) -> Runs:
    names = ", ".join(source.study.instruments)
    return _WORDS.runs("instruments", instruments=names) if names else ()


def _models(source: Source) -> Runs:
    told = [_one_model(source, model) for model in source.results.models]
    return _WORDS.runs("models", models=joined(told)) if told else ()


def _one_model(source: Source, model: ModelInfo) -> Runs:
    row = source.row("multivariable", "analysed", landmark=model.landmark, model=model.name)
    if row is None:
        return _WORDS.runs("quoted", label=model.label)
    patients, events = count_patients(row, row.estimate), count_events(row, row.events)
    return _WORDS.runs("patients_of_model", model=model.label, patients=patients, events=events)


def _prespecified(source: Source) -> Runs:
    models = source.results.models
    if not models:
        return ()
    chosen = _WORDS.runs("selection") if source.study.analysis.selection else ()
    return sentences(_counted("prespecified", len(models)), chosen)


def _methods(source: Source) -> Runs:
    return _WORDS.runs("methods", level=f"{100 * source.study.analysis.level:g}")


def _univariable(source: Source) -> Runs:
    rows = source.results.select(analysis="univariable", measure="odds_ratio", method="firth")
    names = {row.factor for row in rows}
    return _counted("univariable", len(names)) if names else ()


def _risks(source: Source) -> Runs:
    rows = source.results.select(analysis="univariable", measure="risk")
    return _WORDS.runs("risks") if rows else ()


def _table1(source: Source) -> Runs:
    rows = source.results.select(analysis="table1", measure="missing", group="all")
    return _counted("table1", len({row.factor for row in rows})) if rows else ()


def _most_missing(source: Source) -> Runs:
    rows = source.results.select(analysis="table1", measure="missing", group="all", landmark=source.landmarks[0])
    worst = max(rows, key=lambda row: row.estimate or 0.0, default=None)
    if worst is None or worst.factor is None:
        return ()
    if not worst.estimate:
        return _WORDS.runs("none_missing")
    factor = lower_first(source.factor(worst.factor).label)
    return _WORDS.runs("most_missing", factor=factor, missing=_count(worst))


def _missing(source: Source) -> Runs:
    times = source.study.analysis.missing.imputations
    return _counted("imputed", times) if times else _WORDS.runs("complete_cases")


def _complete(source: Source) -> Runs:
    rows = source.results.select(analysis="multivariable", measure="complete_cases")
    return _WORDS.runs("complete", models=_of_models(source, rows, _count)) if rows else ()


def _model_label(source: Source, row: Estimate) -> str:
    return next((model.label for model in source.results.models if model.name == row.model), row.model or "")


def _per_parameter(source: Source) -> Runs:
    rows = source.results.select(analysis="multivariable", measure="events_per_parameter")
    models = _of_models(source, rows, lambda row: number(row, format_fixed(row.estimate, 1)))
    return _WORDS.runs("per_parameter", models=models) if rows else ()


def _required(source: Source) -> Runs:
    rows = source.results.select(analysis="performance", measure="required_n", method="r2_default")
    return _WORDS.runs("required", models=_of_models(source, rows, _count)) if rows else ()


def _reach(source: Source) -> Runs:
    row = next(iter(source.results.select(analysis="design", measure="data_sets")), None)
    return _WORDS.runs("reach", times=_count(row)) if row else ()


def _sensitivity(source: Source) -> Runs:
    groups = {row.group for row in source.results.rows if row.analysis == "sensitivity"}
    told = [text for group, text in _WORDS.names("doubts").items() if group in groups]
    return _WORDS.runs("sensitivity", analyses=", ".join(told)) if told else ()


def _landmark(source: Source) -> Runs:
    first, *later = source.landmarks
    return _WORDS.runs("landmarks") if later else _WORDS.runs("one_landmark", visit=source.visit(first))


def _follow_up_time(source: Source) -> Runs:
    rows = source.results.select(analysis="survival", measure="median_follow_up")
    told = [
        _WORDS.runs(
            "time_of_endpoint", endpoint=spec.label, time=number(row, format_fixed(row.estimate, 1)), unit=spec.unit
        )
        for row in rows
        if (spec := source.study.follow_up.get(row.model or ""))
    ]
    return _WORDS.runs("follow_up_time", times=joined(told)) if told else ()


def _cox(source: Source) -> Runs:
    models = {row.model for row in source.results.select(analysis="survival", measure="analysed")}
    tested = {row.model for row in source.results.select(analysis="survival", measure="proportional_hazards")}
    if not models:
        return ()
    key = "cox" if models == tested else "cox_tested" if tested else "cox_untested"
    return _counted(key, len(models), tested=str(len(tested)))


def _courses(source: Source) -> Runs:
    labels = _inside(spec.label for spec in source.study.trajectories.values())
    return _WORDS.runs("courses", courses=labels) if labels else ()


def _discrimination(source: Source) -> Runs:
    method = "optimism_corrected" if source.study.analysis.resamples else "apparent"
    rows = source.results.select(analysis="performance", measure="auc", method=method)
    models = _of_models(source, rows, lambda row: number(row, _bounded(row)))
    return _WORDS.runs(f"discrimination_{method}", models=models) if rows else ()


def _validation(source: Source) -> Runs:
    row = next(iter(source.results.select(analysis="performance", measure="resamples")), None)
    return _WORDS.runs("validation", count=row.estimate, n=_count(row)) if row and row.estimate else ()


def _measures(source: Source) -> Runs:
    rows = source.results.select(analysis="performance", measure="auc")
    return _WORDS.runs("measures") if rows else ()


def _stability(source: Source) -> Runs:
    rows = source.results.select(analysis="performance", measure="selected_again")
    return _WORDS.runs("stability") if rows else ()


def _published(source: Source) -> Runs:
    names = dict.fromkeys(item.source for item in source.study.evidence)
    return _WORDS.runs("published", studies=", ".join(names)) if names else ()


def _limits(source: Source) -> Runs:
    step = source.analysed(source.landmarks[0])
    if step is None or step.events is None:
        return ()
    share = format_percent(step.events / step.n if step.n else None, step.n)
    events = _SHARED.runs("events", count=step.events, n=flow_number(step, step.events))
    return _WORDS.runs("limits", events=events, share=share)


def _given_model(source: Source) -> Runs:
    rows = [row for row in source.results.select(analysis="risk_model", measure="allowed") if row.estimate == 1]
    told = [[number(row, _WORDS.text("quoted", label=_model_label(source, row)))] for row in rows]
    return _WORDS.runs("given_model", models=joined(told)) if told else ()


def _shrinkage(source: Source) -> Runs:
    rows = source.results.select(analysis="risk_model", measure="shrinkage")
    models = _of_models(source, rows, lambda row: number(row, format_fixed(row.estimate, 2)))
    return _WORDS.runs("shrinkage", models=models) if rows else ()


def _whole_sample(source: Source) -> Runs:
    return _WORDS.runs("whole_sample") if source.study.analysis.resamples else ()


def _not_balanced(_: Source) -> Runs:
    return _WORDS.runs("not_balanced")


def _no_subgroups(_: Source) -> Runs:
    return _WORDS.runs("no_subgroups")


def _every_analysis(source: Source) -> Runs:
    return _WORDS.runs("every_analysis") if source.results.rows else ()


def _provenance(source: Source) -> Runs:
    return _counted("provenance", len(source.results.inputs))


_FACTS = (
    _summary, _key_results, _titled, _aims, _design, _eligibility, _visits, _flow, _reasons, _lost, _left_out,
    _one_rule, _tipping, _events, _later_events, _outcome, _later_endpoints, _factors, _adjusters, _coupling,
    _kinds, _cut_points, _mri, _slides, _readers, _instruments, _models, _prespecified,
    _methods, _univariable, _risks, _table1, _most_missing, _missing, _complete, _per_parameter,
    _required, _reach, _sensitivity, _landmark, _follow_up_time, _cox, _courses, _discrimination, _validation,
    _measures, _stability, _published, _limits, _given_model, _shrinkage, _whole_sample, _not_balanced,
    _no_subgroups, _every_analysis, _provenance,
)  # fmt: skip
FACTS: Mapping[str, Fact] = {fact.__name__.removeprefix("_"): fact for fact in _FACTS}
"""Every fact by its name, as the checklists call it."""
