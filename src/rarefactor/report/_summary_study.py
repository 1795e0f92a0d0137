"""The first line of the summary: design, setting and dates, what the outcome means, how long patients were followed."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._cells import joined, linked, number, runs
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_fixed
from rarefactor.report.tree import Runs, Text

_WORDS = Words("summary")
_GIVEN = ("setting", "dates")


def tell_study(source: Source) -> Runs:
    """Return the line on what was studied, where, when and for how long."""
    given = source.study.about.given
    texts = [runs(given[key]) for key in _GIVEN if key in given]
    sentences = linked([_WORDS.runs("study_design"), *texts, _means(source), _followed(source)])
    return _WORDS.runs("study", sentences=sentences)


def _means(source: Source) -> Runs:
    outcome = source.outcome
    events = joined([[event.name] for event in outcome.before if event.counts_as == "event"])
    return _WORDS.runs(
        "study_outcome_or_event" if events else "study_outcome",
        outcome=outcome.label,
        expression=Text(outcome.when, "code"),
        visit=source.visit(outcome.at),
        events=events,
    )


def _followed(source: Source) -> Runs:
    times = list(_times(source))
    return _WORDS.runs("study_followed", times=joined(times)) if times else ()


def _times(source: Source) -> Iterator[Runs]:
    for row in source.results.select(analysis="survival", measure="median_follow_up"):
        spec = source.study.follow_up.get(row.model or "")
        if spec and row.estimate is not None:
            time = number(row, format_fixed(row.estimate, 1))
            yield _WORDS.runs("study_time", time=time, unit=spec.unit, endpoint=spec.label)
