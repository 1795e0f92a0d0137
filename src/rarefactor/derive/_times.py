"""How long each patient was followed from a landmark, and what ended it.

Convention: days count from the landmark (the patient's own visit; baseline is day 0); ``cause`` is 0 where follow-up
was censored, 1 for the event, 2 for the competing event. Who had an event, or left, by the landmark is out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from rarefactor.derive._kinds import Kinds, derive_follow_up_kinds, keep_kinds
from rarefactor.derive._outcome import derive_attendance, first_visit, visit_label
from rarefactor.derive._values import Values
from rarefactor.results import Note
from rarefactor.spec import FollowUp, Study, lower_first, parse_column

EVENT, COMPETING = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTable:
    """The follow-up of the patients at a landmark.

    ``frame`` has ``subject``, ``days`` (Float64, above 0), ``cause`` (0, 1, 2) and one column for each factor known at
    the landmark, as in its landmark table. ``kinds`` says what the event was, where it is made of several kinds.
    """

    name: str
    landmark: str
    frame: pl.DataFrame
    factors: tuple[str, ...]
    notes: tuple[Note, ...]
    kinds: Kinds | None = None


def derive_times(eligible: Values, study: Study, name: str, at: pl.DataFrame) -> TimeTable:
    """Return the follow-up of the patients in a landmark table, and why others are not in it."""
    follow_up = study.follow_up[name]
    landmark = study.landmark_of_follow_up(follow_up)
    factors = study.factors_at(landmark)
    ended = _seen(eligible, study, follow_up.first) if follow_up.first else _recorded(eligible, study, follow_up)
    clock = eligible.subjects.with_columns(ended, start=_start(eligible, study, landmark))
    rows = at.select("subject", *factors).join(clock, on="subject", how="left", maintain_order="left")
    rows = rows.with_columns(days=pl.col.end - pl.col.start)
    rows = rows.with_columns(reason=_reason(follow_up, visit_label(study, landmark)))
    kept = rows.filter(pl.col.reason.is_null()).select("subject", "days", "cause", *factors)
    notes = tuple(_left_out(rows["reason"], name, landmark))
    had = kept.filter(pl.col.cause == EVENT)["subject"]
    kinds = keep_kinds(derive_follow_up_kinds(eligible, study, follow_up), had)
    return TimeTable(name=name, landmark=landmark, frame=kept, factors=factors, notes=notes, kinds=kinds)


def _recorded(eligible: Values, study: Study, follow_up: FollowUp) -> pl.DataFrame:
    """Return ``cause`` and ``end`` as the records have them."""
    end = eligible.numbers(parse_column(follow_up.day or ""), at=first_visit(study))
    return pl.DataFrame({"cause": _cause(eligible, study, follow_up), "end": end})


def _seen(eligible: Values, study: Study, condition: str) -> pl.DataFrame:
    """Return ``cause`` and ``end``: the first visit at which a condition holds, or the last at which it is known.

    Visits are taken in the order of their months; who has none at which the condition is known has no end.
    """
    end = pl.repeat(None, n=eligible.subjects.height, dtype=pl.Float64, eager=True).alias("end")
    frame = pl.DataFrame([end]).with_columns(cause=pl.lit(0, pl.Int32))
    for visit in sorted(study.cohort.visits, key=lambda name: study.cohort.visits[name].month):
        held = eligible.condition(condition, at=visit)
        day = derive_attendance(eligible, study, visit)["day"].cast(pl.Float64)
        seen = (pl.col.cause == 0) & pl.col.held.is_not_null() & pl.col.day.is_not_null()
        frame = frame.with_columns(held=held, day=day).select(
            end=pl.when(seen).then(pl.col.day).otherwise(pl.col.end),
            cause=pl.when(seen & pl.col.held).then(EVENT).otherwise(pl.col.cause),
        )
    return frame


def _cause(eligible: Values, study: Study, follow_up: FollowUp) -> pl.Series:
    """Return what ended follow-up: the event before the competing one; null where it is not known."""
    first = first_visit(study)
    event = eligible.condition(follow_up.when or "", at=first)
    other = pl.repeat(value=False, n=event.len(), dtype=pl.Boolean, eager=True)
    if follow_up.competing:
        other = eligible.condition(follow_up.competing.when, at=first)
    cause = pl.when(pl.col.event).then(EVENT).when(pl.col.other).then(COMPETING)
    known = cause.when(pl.col.event.is_not_null() & pl.col.other.is_not_null()).then(0)
    return pl.DataFrame({"event": event, "other": other}).select(cause=known)["cause"]


def _start(eligible: Values, study: Study, landmark: str) -> pl.Series:
    if study.cohort.visits[landmark].month == 0:
        return pl.repeat(0.0, n=eligible.subjects.height, dtype=pl.Float64, eager=True)
    return derive_attendance(eligible, study, landmark)["day"].cast(pl.Float64)


def _reason(follow_up: FollowUp, label: str) -> pl.Expr:
    other = follow_up.competing.name if follow_up.competing else ""
    late = pl.col.days <= 0
    reason = pl.when(pl.col.cause.is_null()).then(pl.lit("state at the end of follow-up not known"))
    reason = reason.when(pl.col.days.is_null()).then(pl.lit("day of the end of follow-up not known"))
    reason = reason.when(late & (pl.col.cause == EVENT)).then(pl.lit(f"{lower_first(follow_up.label)} by {label}"))
    reason = reason.when(late & (pl.col.cause == COMPETING)).then(pl.lit(f"{other} by {label}"))
    return reason.when(late).then(pl.lit(f"not followed beyond {label}"))


def _left_out(reasons: pl.Series, name: str, landmark: str) -> Iterator[Note]:
    counts = reasons.drop_nulls().value_counts(sort=True).sort("count", "reason", descending=[True, False])
    if counts.height:
        told = ", ".join(f"{reason} ({n})" for reason, n in counts.iter_rows())
        text = f"{counts['count'].sum()} of {reasons.len()} patients are not in the follow-up: {told}."
        yield Note(about="survival", landmark=landmark, model=name, text=text)
