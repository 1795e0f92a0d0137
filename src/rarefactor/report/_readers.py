"""How far readers agree on the grades of scans, in a sentence for each pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rarefactor.report._agreement import BLIND, draw_agreement
from rarefactor.report._cells import difference
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.report.tree import Figure, Paragraph
from rarefactor.results import Estimate
from rarefactor.spec import upper_first

_WORDS, _SHARED = Words("readers"), Words("words")
_LIMITS = ("bias", "limit_lower", "limit_upper")


def write_grade_agreement(source: Source, name: str) -> Iterator[Paragraph | Figure]:
    """Yield what is to be said of each pair of readers who graded the scans called ``name``, and their figure.

    What both graded blind is told apart from the rest.
    """
    rows = [row for row in source.results.select(analysis="imaging", model=name) if row.method in {"readers", BLIND}]
    for pair, method in dict.fromkeys((row.group or "", row.method) for row in rows):
        held = {row.measure: row for row in rows if (row.group, row.method) == (pair, method)}
        if "weighted_kappa" in held:
            yield _say(pair, held)
    yield from draw_agreement(source, name, rows)


def _say(pair: str, held: Mapping[str, Estimate]) -> Paragraph:
    kappa = held["weighted_kappa"]
    told = {
        "readers": _SHARED.text("and").join(pair.split(" / ")),
        "blind": _WORDS.text("blind") if kappa.method == BLIND else "",
        "scale": upper_first((kappa.term or "").removeprefix("grade.")),
        "n": format_count(kappa.n),
        "kappa": difference(kappa, 2),
    }
    if not set(_LIMITS) <= set(held):
        return Paragraph(runs=_WORDS.runs("kappa", **told))
    more = {name: difference(held[name], 2) for name in _LIMITS}
    scans = format_count(held["bias"].n)
    if "icc_agreement" in held:
        return Paragraph(
            runs=_WORDS.runs("kappa_icc_limits", icc=difference(held["icc_agreement"], 2), scans=scans, **told, **more)
        )
    return Paragraph(runs=_WORDS.runs("kappa_limits", scans=scans, **told, **more))
