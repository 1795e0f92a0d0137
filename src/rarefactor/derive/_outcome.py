"""The binary outcome of every patient, and why it is not known where it is not."""

from __future__ import annotations

import polars as pl

from rarefactor.derive._values import Values
from rarefactor.spec import DAYS_PER_MONTH, Study, TerminalEvent, parse_column


def derive_outcome(values: Values, study: Study) -> pl.DataFrame:
    """Return subject, ``outcome`` (true, false, null) and ``reason`` (text where the outcome is null).

    What happened before the outcome visit decides first (in the order of the study file), then the expression at the
    visit. A terminal event counts as before if its day is not after the patient's visit, or, without a visit, not
    after the end of its window.
    """
    outcome = study.the_outcome
    label = visit_label(study, outcome.at)
    held = values.condition(outcome.when, at=outcome.at)
    visited = derive_attendance(values, study, outcome.at)["attended"]
    value = pl.when(pl.lit(value=False)).then(None)
    reason = pl.when(pl.lit(value=False)).then(None)
    for event in outcome.before:
        value = value.when(pl.col.decided == event.name).then(_counts(event))
        reason = reason.when(pl.col.decided == event.name).then(pl.lit(f"{event.name} before {label}"))
    frame = values.subjects.with_columns(derive_decided(values, study), held=held, visited=visited)
    value = value.otherwise(pl.col.held).cast(pl.Boolean)
    unknown = reason.when(pl.col.visited).then(pl.lit(f"outcome not known at {label}"))
    frame = frame.with_columns(outcome=value, reason=unknown.otherwise(pl.lit(f"no visit at {label}")))
    return frame.select("subject", "outcome", reason=pl.when(pl.col.outcome.is_null()).then(pl.col.reason))


def derive_decided(values: Values, study: Study) -> pl.Series:
    """Return ``decided``: the name of the event before the outcome visit that decides a patient's outcome, or null."""
    outcome = study.the_outcome
    came = {f"{place}": happened_before(values, study, event, outcome.at) for place, event in enumerate(outcome.before)}
    names = [pl.when(pl.col(f"{place}")).then(pl.lit(event.name)) for place, event in enumerate(outcome.before)]
    frame = values.subjects.with_columns(**came)
    return frame.with_columns(decided=pl.coalesce([*names, pl.lit(None, pl.String)]))["decided"]


def derive_attendance(values: Values, study: Study, visit: str) -> pl.DataFrame:
    """Return subject, ``attended`` and ``day`` (null where not attended) of a visit.

    Where no table of the study has visits, everyone attended and the day is the nominal one.
    """
    if not any(table.by_visit for table in values.tables.values()):
        nominal = study.cohort.visits[visit].month * DAYS_PER_MONTH
        return values.subjects.with_columns(day=pl.lit(nominal), attended=pl.lit(value=True))
    days = values.days(visit, study.cohort.visits[visit])
    joined = values.subjects.join(days, on="subject", how="left", maintain_order="left")
    return joined.with_columns(attended=pl.col.day.is_not_null())


def happened_before(values: Values, study: Study, event: TerminalEvent, visit: str) -> pl.Series:
    """Return whether a terminal event came before each patient's visit (or the end of its window without one)."""
    held = values.condition(event.when, at=first_visit(study))
    day = values.numbers(parse_column(event.day), at=first_visit(study))
    definition = study.cohort.visits[visit]
    end = (definition.window[1] if definition.window else definition.month) * DAYS_PER_MONTH
    limit = derive_attendance(values, study, visit)["day"].fill_null(end)
    return (held & (day <= limit)).fill_null(value=False)


def first_visit(study: Study) -> str:
    """Return the visit of the earliest month: baseline."""
    return min(study.cohort.visits, key=lambda name: study.cohort.visits[name].month)


def visit_label(study: Study, visit: str) -> str:
    """Return the words for a visit: its label, or its name without underscores."""
    return study.cohort.visits[visit].label or visit.replace("_", " ")


def _counts(event: TerminalEvent) -> pl.Expr:
    return pl.lit({"event": True, "no_event": False, "unknown": None}[event.counts_as], dtype=pl.Boolean)
