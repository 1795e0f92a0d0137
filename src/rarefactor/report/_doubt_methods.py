"""The sentences of the methods on sensitivity, published evidence and the simulated design."""

from __future__ import annotations

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import runs
from rarefactor.report._source import Source
from rarefactor.report.tree import Runs


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
    return runs(
        "As sensitivity analyses the odds ratio of each marker was estimated under log-F(m, m) priors (m = 1 to 8), ",
        cite("greenland2015"),
        ", with each patient left out in turn (beside Cook’s distance ",
        cite("cook1977", "pregibon1981"),
        "), and with 0 to 100% of the patients without an outcome having it ",
        cite("yan2009"),
        "; E-values treat the outcome as common where 15% of patients or more have it ",
        cite("vanderweele2017"),
        ".",
    )


def _cuts() -> Runs:
    return runs(
        "Factors that were cut were cut at every other place too, and the P value of the best place was corrected for "
        "having been sought ",
        cite("altman1994", "miller1982"),
        ".",
    )


def _evidence() -> Runs:
    return runs(
        "Published odds ratios were checked for contradictions ",
        cite("altman2011"),
        ". Where the study file calls them comparable, they were pooled with ours by random effects (restricted "
        "maximum likelihood, Hartung and Knapp’s interval) ",
        cite("inthout2014"),
        " and used as a normal prior on our log odds ratio by data augmentation ",
        cite("greenland2007"),
        ".",
    )


def _design() -> Runs:
    return runs(
        "What a study of this size can find was simulated for stated true odds ratios: bias, coverage, power, "
        "exaggeration (type M) and wrong sign (type S) ",
        cite("gelman2014"),
        ".",
    )
