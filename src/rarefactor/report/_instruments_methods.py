"""The sentences of the methods on published instruments: what was computed, from what, with which ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import joined, runs
from rarefactor.report._source import Source
from rarefactor.report.tree import Inline, Runs, Text
from rarefactor.spec import EVERYONE, Instrument, InstrumentKind

_SENTENCES: Mapping[InstrumentKind, str] = {
    "imacs_improvement": "is the IMACS definition of improvement since {baseline}: three or more core set measures "
    "better by 20 % or more of their value, at most two worse by 25 % or more, strength not among these",
    "imacs_worsening": "is worsening since {baseline}: physician global activity by 2 cm with strength by 20 %, or "
    "extramuscular activity by 2 cm, or three of five measures by 30 %",
    "mmt8": "is the total of manual muscle testing of eight muscles",
    "mrc_sum": "is the sum of the Medical Research Council’s grades of six movements on both sides",
    "haq_di": "is the disability index of the Health Assessment Questionnaire",
    "enzyme_multiple": "is in multiples of the upper limit of normal",
    "eular_acr_2017": "is the score of the 2017 EULAR/ACR classification of inflammatory myopathies",
}
_PAPERS: Mapping[InstrumentKind, str] = {
    "imacs_improvement": "rider2004",
    "mrc_sum": "kleyweg1991",
    "haq_di": "fries1980",
}
_NEVER = "Where one of its measures is missing it is not known; nothing was prorated."
_HAQ = "It is the mean of the answered categories and not known where fewer than six were answered."


def describe_instruments(source: Source) -> Iterator[Runs]:
    """Yield how each instrument was computed, nothing where the study has none."""
    for name, instrument in source.study.instruments.items():
        if instrument.kind == "total_improvement_score":
            yield _improvement_score(source, name, instrument)
            continue
        sentence = _SENTENCES[instrument.kind].format(baseline=source.visit(instrument.baseline))
        paper = _PAPERS.get(instrument.kind)
        cited: list[Inline | str] = [" ", cite(paper)] if paper else []
        rule = _HAQ if instrument.kind == "haq_di" else _NEVER
        yield runs(Text(name, "code"), f" {sentence}", *cited, f"{_limits(instrument)}. {rule}")


def _improvement_score(source: Source, name: str, instrument: Instrument) -> Runs:
    adult = instrument.version == "adult"
    measures = joined([[measure.replace("_", " ")] for measure in instrument.measures])
    maximum = f"; muscle testing ranges to {instrument.mmt_maximum:g}" if instrument.mmt_maximum else ""
    return runs(
        Text(name, "code"),
        " is the Total Improvement Score of the 2016 ACR/EULAR response criteria for ",
        "adults " if adult else "children ",
        cite("aggarwal2017" if adult else "rider2017"),
        f": points for the absolute percent change since {source.visit(instrument.baseline)} of ",
        *measures,
        f"{maximum}{_limits(instrument)}. A response is minimal from {'20' if adult else '30'}, moderate from "
        f"{'40' if adult else '45'}, major from {'60' if adult else '70'} on. {_NEVER}",
    )


def _limits(instrument: Instrument) -> str:
    """Say the upper limit of normal of each enzyme."""
    told = [
        f"{enzyme} {limit:g}" + ("" if level == EVERYONE else f" ({level})")
        for enzyme, limits in instrument.enzyme_limit.items()
        for level, limit in limits.items()
    ]
    return f"; upper limits of normal: {', '.join(told)}" if told else ""
