"""The facts that answer items of checklists: one sentence each, from the study file and the rows of the results.

Convention: a fact that the results do not hold is empty; every number knows its row. Whether the document shows it is
not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rarefactor.report._cells import number
from rarefactor.report._source import Source
from rarefactor.report._summary import flow_number, joined
from rarefactor.report.format import format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Inline
from rarefactor.results import Estimate, ModelInfo

Sentence = list[Inline | str]
Fact = Callable[[Source], Sentence]


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _count(row: Estimate | None) -> Inline:
    return number(row, format_count(row.estimate) if row else "")


def _named(source: Source, role: str) -> list[str]:
    return [info.label for info in source.results.factors if info.role == role]


def _summary(source: Source) -> Sentence:
    return ["Estimates with intervals, risks and limits, in a few lines."] if source.landmarks else []


def _aims(source: Source) -> Sentence:
    return [f"Association of {_plural(len(_named(source, 'marker')), 'marker')} with “{source.outcome.label}”."]


def _design(source: Source) -> Sentence:
    return ["Cohort study with landmarks at ", *joined([[source.visit(name)] for name in source.landmarks]), "."]


def _eligibility(source: Source) -> Sentence:
    rules = source.study.cohort.eligibility
    shared = source.steps(None)
    if not rules or not shared:
        return []
    counts: Sentence = [flow_number(shared[-1], shared[-1].n), " of ", flow_number(shared[0], shared[0].n)]
    named = "rule" if len(rules) == 1 else f"{len(rules)} rules"
    return [*counts, f" patients met the {named} of eligibility."]


def _visits(source: Source) -> Sentence:
    return [f"{_plural(len(source.study.cohort.visits), 'visit')}, with the months that count for each."]


def _flow(source: Source) -> Sentence:
    shared, step = source.steps(None), source.analysed(source.landmarks[0])
    if not shared or step is None:
        return []
    records, eligible = shared[0], shared[-1]
    parts: Sentence = [flow_number(records, records.n), " in the records, ", flow_number(eligible, eligible.n)]
    return [*parts, " eligible, ", flow_number(step, step.n), " with known outcome."]


def _reasons(source: Source) -> Sentence:
    steps = [step for step in source.results.flow if step.excluded]
    count = sum(len(step.excluded) for step in steps)
    return [f"{_plural(count, 'reason')} for leaving, with counts."] if count else []


def _lost(source: Source) -> Sentence:
    shared, step = source.steps(None), source.analysed(source.landmarks[0])
    if not shared or step is None:
        return []
    eligible = shared[-1]
    parts: Sentence = ["The outcome of ", flow_number(step, eligible.n - step.n), " of "]
    return [*parts, flow_number(eligible, eligible.n), " eligible patients is not known."]


def _tipping(source: Source) -> Sentence:
    rows = source.results.select(analysis="sensitivity", measure="tipping_share")
    found = rows or source.results.select(analysis="sensitivity", group="unknown_outcomes")
    return ["Shown: which unknown outcomes would move an interval across 1."] if found else []


def _events(source: Source) -> Sentence:
    steps = [(name, source.analysed(name)) for name in source.landmarks]
    told: list[Sentence] = [
        [flow_number(step, step.events), " of ", flow_number(step, step.n), f" from {source.visit(name)}"]
        for name, step in steps
        if step is not None and step.events is not None
    ]
    return [f"“{source.outcome.label}”: ", *joined(told), "."] if told else []


def _outcome(source: Source) -> Sentence:
    first = f"“{source.outcome.label}” is defined by an expression at {source.visit(source.outcome.at)}"
    before = [event.name for event in source.outcome.before]
    return [f"{first}; {', '.join(before)} before it decides too." if before else f"{first}."]


def _later_endpoints(source: Source) -> Sentence:
    labels = [spec.label for spec in source.study.follow_up.values()]
    return [f"Time to “{'”, “'.join(labels)}”."] if labels else []


def _factors(source: Source) -> Sentence:
    markers, adjusters = _named(source, "marker"), _named(source, "adjuster")
    more = f", {_plural(len(adjusters), 'adjuster')}" if adjusters else ""
    return [f"{_plural(len(markers), 'marker')}{more}, each with its definition and visit."] if markers else []


def _adjusters(source: Source) -> Sentence:
    names = _named(source, "adjuster")
    return [f"Adjusted for {', '.join(names)}."] if names else []


def _kinds(source: Source) -> Sentence:
    continuous = sum(info.kind == "continuous" for info in source.results.factors)
    cuts = sum(bool(factor.cut) for factor in source.study.factors.values())
    cut = f"{cuts} made by a cut-point with a written reason" if cuts else "none was cut"
    return [f"{_plural(continuous, 'factor')} analysed as continuous; {cut}."] if source.results.factors else []


def _cut_points(source: Source) -> Sentence:
    rows = source.results.select(analysis="sensitivity", measure="cut_points")
    return ["Every other cut-point was tried and is shown."] if rows else []


def _mri(source: Source) -> Sentence:
    scans, failed = source.row("imaging", "scans"), source.row("imaging", "failed")
    if scans is None:
        return []
    return [_count(scans), " scans measured, ", _count(failed), " could not be; doubts are counted."]


def _slides(source: Source) -> Sentence:
    rows = source.results.select(analysis="pathology", measure="slides")
    told: list[Sentence] = [[f"{row.term}: ", _count(row)] for row in rows]
    return ["Slides measured, by stain: ", *joined(told), "; doubts are counted."] if told else []


def _readers(source: Source) -> Sentence:
    rows = [row for row in source.results.rows if row.measure in {"weighted_kappa", "icc_agreement"}]
    shown = [[number(row, f"{_label(row)} {_bounded(row)}")] for row in rows[:1]]
    return ["Agreement of readers: ", *joined(shown), "."] if shown else []


def _label(row: Estimate) -> str:
    return {"weighted_kappa": "weighted kappa", "icc_agreement": "intraclass correlation"}.get(row.measure, row.measure)


def _bounded(row: Estimate, decimals: int = 2) -> str:
    shown = format_fixed(row.estimate, decimals)
    if row.low is None or row.high is None:
        return shown
    return f"{shown} ({format_range(row.low, row.high, lambda value: format_fixed(value, decimals))})"


def _instruments(source: Source) -> Sentence:
    names = list(source.study.instruments)
    return [f"Computed by published rules: {', '.join(names)}."] if names else []


def _models(source: Source) -> Sentence:
    told = [_one_model(source, model) for model in source.results.models]
    return [*joined(told), "; all coefficients are shown."] if told else []


def _one_model(source: Source, model: ModelInfo) -> Sentence:
    row = source.row("multivariable", "analysed", landmark=model.landmark, model=model.name)
    if row is None:
        return [f"“{model.label}”"]
    events = number(row, format_count(row.events))
    return [f"“{model.label}”: ", _count(row), " patients, ", events, " events"]


def _prespecified(source: Source) -> Sentence:
    models = source.results.models
    if not models:
        return []
    chosen = " Selection was asked for and is labelled as such." if source.study.analysis.selection else ""
    return [f"{_plural(len(models), 'model')} named in the study file, not found by the data.{chosen}"]


def _methods(source: Source) -> Sentence:
    level = f"{100 * source.study.analysis.level:g}%"
    return [f"Firth’s and maximum-likelihood logistic regression, {level} intervals; tests and software are named."]


def _univariable(source: Source) -> Sentence:
    rows = source.results.select(analysis="univariable", measure="odds_ratio", method="firth")
    names = {row.factor for row in rows}
    return [f"Odds ratios of all {_plural(len(names), 'factor')} one by one, whatever their P value."] if names else []


def _risks(source: Source) -> Sentence:
    rows = source.results.select(analysis="univariable", measure="risk")
    return ["Share with the outcome in each level, with Wilson intervals."] if rows else []


def _table1(source: Source) -> Sentence:
    rows = source.results.select(analysis="table1", measure="missing", group="all")
    return [f"{_plural(len({row.factor for row in rows}), 'factor')} described by outcome."] if rows else []


def _most_missing(source: Source) -> Sentence:
    rows = source.results.select(analysis="table1", measure="missing", group="all", landmark=source.landmarks[0])
    worst = max(rows, key=lambda row: row.estimate or 0.0, default=None)
    if worst is None or worst.factor is None:
        return []
    if not worst.estimate:
        return ["No factor has missing values."]
    label = source.factor(worst.factor).label
    return [f"Counted for each factor; most often missing: {label}, ", _count(worst), "."]


def _missing(source: Source) -> Sentence:
    settings = source.study.analysis.missing
    if not settings.imputations:
        return ["Complete cases."]
    return [f"Imputed {settings.imputations} times by chained equations in the models."]


def _complete(source: Source) -> Sentence:
    rows = source.results.select(analysis="multivariable", measure="complete_cases")
    told: list[Sentence] = [[f"“{_model_label(source, row)}” ", _count(row)] for row in rows]
    return ["Patients with all factors: ", *joined(told), "."] if told else []


def _model_label(source: Source, row: Estimate) -> str:
    return next((model.label for model in source.results.models if model.name == row.model), row.model or "")


def _per_parameter(source: Source) -> Sentence:
    rows = source.results.select(analysis="multivariable", measure="events_per_parameter")
    told: list[Sentence] = [
        [f"“{_model_label(source, row)}” ", number(row, format_fixed(row.estimate, 1))] for row in rows
    ]
    return ["Events per parameter: ", *joined(told), "."] if told else []


def _required(source: Source) -> Sentence:
    rows = source.results.select(analysis="performance", measure="required_n", method="r2_default")
    told: list[Sentence] = [[f"“{_model_label(source, row)}” ", _count(row)] for row in rows]
    return ["Patients that Riley’s criteria ask for: ", *joined(told), "."] if told else []


def _reach(source: Source) -> Sentence:
    row = next(iter(source.results.select(analysis="design", measure="data_sets")), None)
    return ["Studies of this size were simulated ", _count(row), " times for each true odds ratio."] if row else []


def _sensitivity(source: Source) -> Sentence:
    words = {
        "complete_cases": "complete cases",
        "penalty": "other penalties",
        "leave_one_out": "single patients left out",
        "with": "unknown outcomes",
        "cuts": "other cut-points",
    }
    groups = {row.group for row in source.results.rows if row.analysis == "sensitivity"}
    told = [text for group, text in words.items() if group in groups]
    return [f"Shown: {', '.join(told)}."] if told else []


def _landmark(source: Source) -> Sentence:
    name = source.visit(source.landmarks[0])
    if len(source.landmarks) < 2:
        return [f"Every factor is known at {name}, where time starts."]
    return ["A factor is used only from the landmark at which it is known: no immortal time."]


def _follow_up_time(source: Source) -> Sentence:
    rows = source.results.select(analysis="survival", measure="median_follow_up")
    told: list[Sentence] = [
        [f"“{spec.label}” ", number(row, format_fixed(row.estimate, 1)), f" {spec.unit}"]
        for row in rows
        if (spec := source.study.follow_up.get(row.model or ""))
    ]
    return ["Median follow-up: ", *joined(told), "."] if told else []


def _cox(source: Source) -> Sentence:
    rows = source.results.select(analysis="survival", measure="analysed")
    return [f"{_plural(len(rows), 'Cox model')} with tests of proportional hazards."] if rows else []


def _courses(source: Source) -> Sentence:
    labels = [spec.label for spec in source.study.trajectories.values()]
    return [f"Course over time of {', '.join(labels)} by mixed models."] if labels else []


def _discrimination(source: Source) -> Sentence:
    method = "optimism_corrected" if source.study.analysis.resamples else "apparent"
    rows = source.results.select(analysis="performance", measure="auc", method=method)
    told: list[Sentence] = [[f"“{_model_label(source, row)}” ", number(row, _bounded(row))] for row in rows]
    kind = "corrected for optimism" if source.study.analysis.resamples else "apparent"
    return [f"AUC, {kind}: ", *joined(told), "."] if told else []


def _validation(source: Source) -> Sentence:
    row = next(iter(source.results.select(analysis="performance", measure="resamples")), None)
    return ["Internal validation by ", _count(row), " resamples."] if row and row.estimate else []


def _measures(source: Source) -> Sentence:
    rows = source.results.select(analysis="performance", measure="auc")
    return ["ROC, calibration, Brier score and net benefit."] if rows else []


def _stability(source: Source) -> Sentence:
    rows = source.results.select(analysis="performance", measure="selected_again")
    return ["How often selection by P values would choose each factor again is shown, and not used."] if rows else []


def _published(source: Source) -> Sentence:
    names = dict.fromkeys(item.source for item in source.study.evidence)
    return [f"Set beside ours: {', '.join(names)}."] if names else []


def _limits(source: Source) -> Sentence:
    step = source.analysed(source.landmarks[0])
    if step is None or step.events is None:
        return []
    share = format_percent(step.events / step.n if step.n else None, step.n)
    return [flow_number(step, step.events), f" events ({share}%), loss, separation and single patients are named."]


def _given_model(source: Source) -> Sentence:
    rows = [row for row in source.results.select(analysis="risk_model", measure="allowed") if row.estimate == 1]
    told: list[Sentence] = [[number(row, f"“{_model_label(source, row)}”")] for row in rows]
    return ["Coefficients and intercept, before and after shrinking: ", *joined(told), "."] if told else []


def _shrinkage(source: Source) -> Sentence:
    rows = source.results.select(analysis="risk_model", measure="shrinkage")
    told: list[Sentence] = [
        [f"“{_model_label(source, row)}” ", number(row, format_fixed(row.estimate, 2))] for row in rows
    ]
    return ["Uniform shrinkage: ", *joined(told), "."] if told else []


def _whole_sample(source: Source) -> Sentence:
    if not source.study.analysis.resamples:
        return []
    return ["All patients serve the model and, by resampling, its evaluation; nothing was split off."]


def _not_balanced(_: Source) -> Sentence:
    return ["No balancing of classes is among the methods named; the intercept follows the share observed."]


def _no_subgroups(_: Source) -> Sentence:
    return ["No subgroup, interaction or matched analysis is among all analyses listed."]


def _every_analysis(source: Source) -> Sentence:
    return ["Every analysis made, with n and events."] if source.results.rows else []


def _provenance(source: Source) -> Sentence:
    return [f"Inputs by checksum, plan, versions and seed; {_plural(len(source.results.inputs), 'file')} read."]


_FACTS = (
    _summary, _aims, _design, _eligibility, _visits, _flow, _reasons, _lost, _tipping, _events, _outcome,
    _later_endpoints, _factors, _adjusters, _kinds, _cut_points, _mri, _slides, _readers, _instruments, _models,
    _prespecified, _methods, _univariable, _risks, _table1, _most_missing, _missing, _complete, _per_parameter,
    _required, _reach, _sensitivity, _landmark, _follow_up_time, _cox, _courses, _discrimination, _validation,
    _measures, _stability, _published, _limits, _given_model, _shrinkage, _whole_sample, _not_balanced,
    _no_subgroups, _every_analysis, _provenance,
)  # fmt: skip
FACTS: Mapping[str, Fact] = {fact.__name__.removeprefix("_"): fact for fact in _FACTS}
"""Every fact by its name, as the checklists call it."""
