"""What the methods section says about validation, sample size and selection."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._source import Source
from rarefactor.report._words import Words, sentences
from rarefactor.report.tree import Runs
from rarefactor.results import DEFAULT_NAGELKERKE
from rarefactor.spec import Selection

_WORDS = Words("performance_methods")


def performance_methods(source: Source) -> Iterator[Runs]:
    """Return the paragraphs on how the models were validated; none without models."""
    if source.results.models:
        yield _validation(source)
        yield _size_and_stability(source)
    if source.study.analysis.selection:
        yield _selection(source.study.analysis.selection)
    if source.study.analysis.resamples:
        yield _classical(source)


def _validation(source: Source) -> Runs:
    analysis = source.study.analysis
    measures = _WORDS.runs(
        "measures",
        delong=cite("delong1988"),
        calibration=cite("steyerberg2010"),
        benefit=cite("vickers2006"),
    )
    resampled = _resamples(source) if analysis.resamples else _WORDS.runs("no_resamples")
    return sentences(_WORDS.runs(f"prediction_{analysis.risk}", paper=cite("puhr2017")), measures, resampled)


def _resamples(source: Source) -> Runs:
    analysis = source.study.analysis
    return _WORDS.runs(
        "resamples",
        resamples=str(analysis.resamples),
        optimism=cite("harrell1996", "vickers2008"),
        intervals=cite("noma2021"),
        efron=cite("efron1997"),
        steps=", ".join(_steps(source)),
        imputed=(" ", cite("wahl2016")) if analysis.missing.imputations else "",
    )


def _steps(source: Source) -> Iterator[str]:
    analysis = source.study.analysis
    if analysis.missing.imputations:
        times = analysis.missing.resampled
        yield _WORDS.text("step_imputation", count=times, times=times)
    if analysis.selection:
        yield _WORDS.text("step_selection")
    yield _WORDS.text("step_fitting")


def _size_and_stability(source: Source) -> Runs:
    riley, supposed = cite("riley2019", "riley2020"), f"{100 * DEFAULT_NAGELKERKE:g}"
    if not source.study.analysis.resamples:
        return _WORDS.runs("size", supposed=supposed, riley=riley)
    papers = {"riley": riley, "corrected": cite("riley2021"), "stability": cite("riley2023")}
    return _WORDS.runs("size_and_stability", supposed=supposed, **papers)


def _selection(rule: Selection) -> Runs:
    return _WORDS.runs(
        f"selection_{rule.method}",
        alpha=f"{rule.alpha:g}",
        tau=f"{100 * rule.tau:g}",
        augmented=cite("dunkler2014"),
        stacked=cite("wood2008"),
    )


def _classical(source: Source) -> Runs:
    if source.study.analysis.missing.imputations:
        return _WORDS.runs("classical_imputed", heinze=cite("heinze2018"), heymans=cite("heymans2007"))
    return _WORDS.runs("classical", heinze=cite("heinze2018"))
