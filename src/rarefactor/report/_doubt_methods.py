"""The sentences of the methods on sensitivity, published evidence and the simulated design."""

from __future__ import annotations

from rarefactor.report._bibliography import cite
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.tree import Runs

_WORDS = Words("doubt_methods")


def describe_doubts(source: Source) -> tuple[Runs, ...]:
    """Return how it was asked what the results hang on: a paragraph for each question that was asked."""
    rows = source.results
    asked = (
        (_sensitivity(), rows.select(analysis="sensitivity", measure="relative_likelihood")),
        (_cuts(), rows.select(analysis="sensitivity", measure="cut_points")),
        (_evidence(), rows.select(analysis="evidence")),
        (_design(), rows.select(analysis="design", measure="usable")),
    )
    return tuple(text for text, found in asked if found)


def _sensitivity() -> Runs:
    return _WORDS.runs(
        "sensitivity",
        priors=cite("greenland2015"),
        cook=cite("cook1977", "pregibon1981"),
        unknown=cite("yan2009"),
        evalue=cite("vanderweele2017"),
    )


def _cuts() -> Runs:
    return _WORDS.runs("cuts", papers=cite("altman1994", "miller1982"))


def _evidence() -> Runs:
    return _WORDS.runs(
        "evidence", contradictions=cite("altman2011"), pooling=cite("inthout2014"), prior=cite("greenland2007")
    )


def _design() -> Runs:
    return _WORDS.runs("design", paper=cite("gelman2014"))
