"""The sentences of the methods on published instruments: what was computed, from what, with which ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import joined
from rarefactor.report._source import Source
from rarefactor.report._words import Words, sentences
from rarefactor.report.tree import Runs, Text
from rarefactor.spec import EVERYONE, Instrument, InstrumentKind

_WORDS = Words("instruments_methods")
_PAPERS: Mapping[InstrumentKind, str] = {
    "imacs_improvement": "rider2004",
    "mrc_sum": "kleyweg1991",
    "haq_di": "fries1980",
}


def describe_instruments(source: Source) -> Iterator[Runs]:
    """Yield how each instrument was computed, nothing where the study has none."""
    for name, instrument in source.study.instruments.items():
        if instrument.kind == "total_improvement_score":
            yield _improvement_score(source, name, instrument)
            continue
        paper = _PAPERS.get(instrument.kind)
        computed = _WORDS.runs(
            f"kind_{instrument.kind}",
            name=Text(name, "code"),
            baseline=source.visit(instrument.baseline),
            paper=cite(paper) if paper else "",
            limits=_limits(instrument),
        )
        yield sentences(computed, _WORDS.runs("haq_rule" if instrument.kind == "haq_di" else "never_prorated"))


def _improvement_score(source: Source, name: str, instrument: Instrument) -> Runs:
    maximum, measures = instrument.mmt_maximum, _WORDS.names("measures")
    computed = _WORDS.runs(
        f"improvement_score_{instrument.version}",
        name=Text(name, "code"),
        paper=cite("aggarwal2017" if instrument.version == "adult" else "rider2017"),
        baseline=source.visit(instrument.baseline),
        measures=joined([[measures[measure]] for measure in instrument.measures]),
        maximum=_WORDS.text("maximum", maximum=f"{maximum:g}") if maximum else "",
        limits=_limits(instrument),
    )
    return sentences(computed, _WORDS.runs("bounded"))


def _limits(instrument: Instrument) -> str:
    """Say the upper limit of normal of each enzyme."""
    names = _WORDS.names("measures")
    told = [
        _limit(names[enzyme], limit, level)
        for enzyme, limits in instrument.enzyme_limit.items()
        for level, limit in limits.items()
    ]
    return _WORDS.text("limits", limits=", ".join(told)) if told else ""


def _limit(enzyme: str, limit: float, level: str) -> str:
    if level == EVERYONE:
        return _WORDS.text("limit", enzyme=enzyme, limit=f"{limit:g}")
    return _WORDS.text("limit_of_some", enzyme=enzyme, limit=f"{limit:g}", level=level)
