"""Who is in the analysis, who left before it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from rarefactor.derive._outcome import derive_attendance, first_visit, happened_before, visit_label
from rarefactor.derive._values import Values
from rarefactor.results import Exclusion, FlowStep
from rarefactor.spec import Eligibility, Study, upper_first


def derive_eligible(values: Values, study: Study) -> tuple[Values, tuple[FlowStep, ...]]:
    """Return the values of the eligible patients and the steps that led to them."""
    steps = [FlowStep(id="records", label="Patients in the records", n=values.subjects.height)]
    first = first_visit(study)
    for number, rule in enumerate(study.cohort.eligibility, start=1):
        met = _met(values, rule, first)
        steps.append(_eligibility_step(rule, number, met))
        values = values.subset(met.fill_null(value=False))
    return values, tuple(steps)


def derive_landmark(values: Values, study: Study, landmark: str) -> tuple[Values, FlowStep]:
    """Return the values of the patients who reached a landmark, and the step that says who did not.

    Everyone reaches baseline. A later landmark is reached by who attended its visit with none of the outcome's
    terminal events before it, and is still at risk there by the rules of the study file.
    """
    label = visit_label(study, landmark)
    if study.cohort.visits[landmark].month == 0:
        n = values.subjects.height
        return values, FlowStep(id=f"landmark/{landmark}", label=f"At {label}", n=n, landmark=landmark)
    reasons = _why_not_reached(values, study, landmark)
    reached = values.subset(reasons.is_null())
    step = FlowStep(
        id=f"landmark/{landmark}",
        label=f"At {label}",
        n=reached.subjects.height,
        landmark=landmark,
        excluded=_counted(reasons),
    )
    return reached, step


def derive_exclusions(values: Values, study: Study) -> pl.DataFrame:
    """Return subject, ``excluded`` (why a patient is not eligible, else null) and why each landmark is not reached.

    The first rule that a patient does not meet is the reason; a landmark's column has its name.
    """
    frames, first, eligible = list[pl.DataFrame](), first_visit(study), values
    for rule in study.cohort.eligibility:
        met = _met(eligible, rule, first)
        left = eligible.subjects.with_columns(excluded=_reason(rule, met)).drop_nulls("excluded")
        frames.append(left)
        eligible = eligible.subset(met.fill_null(value=False))
    excluded = pl.concat(frames) if frames else values.subjects.clear().with_columns(excluded=pl.lit(None, pl.String))
    found = values.subjects.join(excluded, on="subject", how="left", maintain_order="left")
    for landmark in study.analysis.landmarks:
        reasons = pl.Series([None] * eligible.subjects.height, dtype=pl.String)
        if study.cohort.visits[landmark].month != 0:
            reasons = _why_not_reached(eligible, study, landmark)
        own = eligible.subjects.with_columns(reasons.alias(landmark))
        found = found.join(own, on="subject", how="left", maintain_order="left")
    return found


def _reason(rule: Eligibility, met: pl.Series) -> pl.Series:
    broken, not_known = _rule_reasons(rule)
    held = met.to_frame("met")
    said = pl.when(~pl.col.met).then(pl.lit(broken)).when(pl.col.met.is_null()).then(pl.lit(not_known))
    return held.select(reason=said)["reason"]


def _why_not_reached(values: Values, study: Study, landmark: str) -> pl.Series:
    """Return why each patient does not reach a landmark after baseline, null for those who do."""
    events = {event.name: happened_before(values, study, event, landmark) for event in study.the_outcome.before}
    attended = derive_attendance(values, study, landmark)["attended"]
    at_risk = study.analysis.at_risk.get(landmark, ())
    rules = {rule: _met(values, rule, landmark) for rule in at_risk}
    return _first_reason(events, attended, visit_label(study, landmark), rules)


def derive_outcome_step(frame: pl.DataFrame, study: Study, landmark: str) -> FlowStep:
    """Return the step from those at a landmark to those whose outcome is known."""
    known = frame.filter(pl.col.outcome.is_not_null())
    return FlowStep(
        id=f"outcome/{landmark}",
        label=f"Outcome known at {visit_label(study, study.the_outcome.at)}",
        n=known.height,
        landmark=landmark,
        events=int(known["outcome"].sum()),
        excluded=_counted(frame.filter(pl.col.outcome.is_null())["reason"]),
    )


def _met(values: Values, rule: Eligibility, at: str) -> pl.Series:
    if rule.keep is not None:
        return values.condition(rule.keep, at=at)
    return ~values.condition(rule.drop or "", at=at)


def _eligibility_step(rule: Eligibility, number: int, met: pl.Series) -> FlowStep:
    failed, unknown = int((~met).sum()), met.null_count()
    broken, not_known = _rule_reasons(rule)
    excluded = [Exclusion(reason=broken, n=failed), Exclusion(reason=not_known, n=unknown)]
    return FlowStep(
        id=f"eligible/{number}",
        label=upper_first(rule.name) if rule.keep is not None else f"Without {rule.name}",
        n=met.len() - failed - unknown,
        excluded=tuple(item for item in excluded if item.n),
    )


def _rule_reasons(rule: Eligibility) -> tuple[str, str]:
    """Return why a patient leaves who does not meet a rule, and why one for whom that is not known."""
    return f"not {rule.name}" if rule.keep is not None else rule.name, f"{rule.name}: not known"


def _first_reason(
    events: Mapping[str, pl.Series], attended: pl.Series, label: str, rules: Mapping[Eligibility, pl.Series]
) -> pl.Series:
    met = {f"rule_{number}": held for number, held in enumerate(rules.values())}
    frame = attended.to_frame("attended").with_columns(**events, **met)
    reason = pl.when(pl.lit(value=False)).then(None)
    for name in events:
        reason = reason.when(pl.col(name)).then(pl.lit(f"{name} before {label}"))
    reason = reason.when(~pl.col.attended).then(pl.lit(f"no visit at {label}"))
    for column, rule in zip(met, rules, strict=True):
        left, not_known = _rule_reasons(rule)
        reason = reason.when(~pl.col(column)).then(pl.lit(left)).when(pl.col(column).is_null()).then(pl.lit(not_known))
    return frame.select(reason=reason)["reason"]


def _counted(reasons: pl.Series) -> tuple[Exclusion, ...]:
    counts: Iterable[tuple[str, int]] = (
        reasons.drop_nulls().value_counts(sort=True).sort("count", "reason", descending=[True, False]).iter_rows()
    )
    return tuple(Exclusion(reason=reason, n=n) for reason, n in counts)
