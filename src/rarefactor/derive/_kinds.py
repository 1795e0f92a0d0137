"""Of which kind an event was, where a condition of the study file holds several together.

Convention: the kinds of a condition are what ``or`` joins and the values of a list; of several that are true of a
patient at once the first in the study file counts, and the others are counted as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rarefactor.derive._outcome import derive_attendance, derive_decided, first_visit, visit_label
from rarefactor.derive._values import Values
from rarefactor.spec import EventKind, FollowUp, Study, split_kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The kinds of an event: ``frame`` has ``subject``, ``kind`` (one of ``labels``) and ``several`` (more were true).

    ``frame`` holds the patients who had the event.
    """

    labels: tuple[str, ...]
    frame: pl.DataFrame


def derive_outcome_kinds(values: Values, study: Study) -> Kinds | None:
    """Return what the outcome of each patient with it came from: an event before the visit, or what was seen at it."""
    outcome = study.the_outcome
    label = visit_label(study, outcome.at)
    kinds = split_kinds(outcome.when, values.scope)
    before = {f"{event.name} before {label}": event for event in outcome.before if event.counts_as == "event"}
    labels = (*(f"{kind.label} at {label}" for kind in kinds), *before)
    if len(labels) < 2:
        return None
    seen = _first_true(values, kinds, outcome.at).with_columns(pl.col.kind + f" at {label}")
    decided = derive_decided(values, study)
    names = {event.name: name for name, event in before.items()}
    frame = values.subjects.with_columns(*seen, decided).with_columns(
        kind=pl.when(pl.col.decided.is_null())
        .then(pl.col.kind)
        .otherwise(pl.col.decided.replace_strict(names, default=None, return_dtype=pl.String)),
        several=pl.col.several & pl.col.decided.is_null(),
    )
    return _held(labels, frame)


def derive_follow_up_kinds(values: Values, study: Study, follow_up: FollowUp) -> Kinds | None:
    """Return what the event of each patient in a follow-up was."""
    kinds = split_kinds(follow_up.first or follow_up.when or "", values.scope)
    if len(kinds) < 2:
        return None
    frame = values.subjects.with_columns(kind=pl.lit(None, pl.String), several=pl.lit(None, pl.Boolean))
    for visit in _visits(study, follow_up):
        there = derive_attendance(values, study, visit)["attended"] if follow_up.first else pl.lit(value=True)
        seen = _first_true(values, kinds, visit).rename({"kind": "here", "several": "more"})
        new = pl.col.kind.is_null() & pl.col.here.is_not_null() & pl.col.there
        frame = frame.with_columns(*seen, there.alias("there")).select(
            "subject",
            kind=pl.when(new).then(pl.col.here).otherwise(pl.col.kind),
            several=pl.when(new).then(pl.col.more).otherwise(pl.col.several),
        )
    return _held(tuple(kind.label for kind in kinds), frame)


def keep_kinds(kinds: Kinds | None, subjects: pl.Series) -> Kinds | None:
    """Return the kinds of those of the patients who are in ``subjects``."""
    if kinds is None:
        return None
    return Kinds(labels=kinds.labels, frame=kinds.frame.filter(pl.col.subject.is_in(subjects.implode())))


def _visits(study: Study, follow_up: FollowUp) -> Sequence[str]:
    if not follow_up.first:
        return (first_visit(study),)
    return sorted(study.cohort.visits, key=lambda name: study.cohort.visits[name].month)


def _first_true(values: Values, kinds: Sequence[EventKind], at: str) -> pl.DataFrame:
    """Return ``kind``, the first that is true of each patient at a visit, and whether ``several`` are."""
    held: Mapping[str, pl.Series] = {
        f"{place}": values.condition(kind.condition, at=at) for place, kind in enumerate(kinds)
    }
    names = {f"{place}": kind.label for place, kind in enumerate(kinds)}
    found = pl.coalesce(pl.when(pl.col(place)).then(pl.lit(names[place])) for place in held)
    several = pl.sum_horizontal(pl.col(place).fill_null(value=False) for place in held) > 1
    return pl.DataFrame(held).select(kind=found, several=several)


def _held(labels: tuple[str, ...], frame: pl.DataFrame) -> Kinds:
    return Kinds(labels=labels, frame=frame.select("subject", "kind", "several").drop_nulls("kind"))
