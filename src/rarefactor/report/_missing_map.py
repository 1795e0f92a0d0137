"""Which values are missing for whom: a sentence and a map for each landmark.

Convention: a column is a patient where the study lists its patients and they are few, else a pattern with its counts.
Factors stand from the most to the least often missing. A landmark has no map where every patient has every factor, or
where all with gaps lack the same: there is nothing to see beside the sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rarefactor.report._cells import joined, linked, number
from rarefactor.report._drawn import make_figure
from rarefactor.report._missing_plot import Column, Counted, Line, draw_patients, draw_patterns
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_percent
from rarefactor.report.tree import Block, Figure, Heading, Inline, Paragraph, Runs, Text
from rarefactor.results import OUTCOME_UNKNOWN, Estimate
from rarefactor.spec import lower_first

_WORDS = Words("missing_map")
_OUTCOMES = ("event", "no_event", OUTCOME_UNKNOWN)
_PATIENTS, _PATTERNS, _NAMED, _WORST = 120, 22, 48, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What is missing at a landmark.

    ``outcome`` and ``factors`` (the most often missing first) count who lacks them; ``patterns`` holds the rows of each
    pattern by outcome, the most frequent first, under the factors that it lacks.
    """

    source: Source
    landmark: str
    outcome: Estimate
    factors: tuple[Estimate, ...]
    patterns: Mapping[tuple[str, ...], Mapping[str, Estimate]]

    @property
    def missing(self) -> tuple[Estimate, ...]:
        """The factors that some patient lacks."""
        return tuple(row for row in self.factors if row.estimate)

    @property
    def n(self) -> str:
        """The patients at the landmark."""
        return format_count(self.outcome.n)

    @property
    def complete(self) -> Inline:
        """The patients who have every factor."""
        row = self.patterns.get((), {}).get("all")
        return number(row, format_count(row.estimate)) if row else Text(format_count(0))

    def label(self, factor: str | None) -> str:
        """Return what a factor is called."""
        return self.source.factor(factor or "").label

    def share(self, count: Estimate) -> str:
        """Return how many lack something, such as ``4 (8%)``."""
        where = {"landmark": self.landmark, "factor": count.factor, "term": count.term}
        share = self.source.row("missing", "share_missing", **where)
        percent = format_percent(share.estimate if share else None, count.n)
        return _WORDS.text("share", n=format_count(count.estimate), percent=percent)


def write_missing(source: Source) -> Iterator[Block]:
    """Yield for each landmark what is missing, in a sentence and, where patterns differ, in a map."""
    found = [gaps for landmark in source.landmarks if (gaps := read_gaps(source, landmark))]
    if found:
        yield Heading(text=_WORDS.text("heading"), anchor="missing", level=2)
    for gaps in found:
        yield Paragraph(runs=_sentence(gaps))
        if gaps.missing and sum(bool(lacked) for lacked in gaps.patterns) > 1:
            yield _figure(gaps)


def read_gaps(source: Source, landmark: str) -> Gaps | None:
    """Return what is missing at a landmark, None where the results do not say."""
    rows = source.results.select(analysis="missing", landmark=landmark)
    counts = [row for row in rows if row.measure == "missing"]
    outcome = next((row for row in counts if row.term), None)
    if outcome is None:
        return None
    patterns: dict[tuple[str, ...], dict[str, Estimate]] = {}
    for row in rows:
        if row.measure in {"complete", "pattern"}:
            lacked = tuple(row.term.split("+")) if row.term else ()
            patterns.setdefault(lacked, {})[row.group or ""] = row
    return Gaps(
        source=source,
        landmark=landmark,
        outcome=outcome,
        factors=tuple(sorted((row for row in counts if row.factor), key=lambda row: -(row.estimate or 0.0))),
        patterns=patterns,
    )


def _sentence(gaps: Gaps) -> Runs:
    places = {
        "n": number(gaps.outcome, gaps.n),
        "visit": gaps.source.visit(gaps.landmark),
        "unknown": number(gaps.outcome, format_count(gaps.outcome.estimate)),
    }
    if not gaps.missing:
        return _WORDS.runs("complete", **places)
    worst = [
        _WORDS.runs("factor", factor=lower_first(gaps.label(row.factor)), missing=number(row, gaps.share(row)))
        for row in gaps.missing[:_WORST]
    ]
    return _WORDS.runs("incomplete", complete=gaps.complete, factors=linked(worst, "; "), **places)


def _figure(gaps: Gaps) -> Figure:
    source, lines = gaps.source, tuple(_lines(gaps))
    labels = {"event": source.event, "no_event": source.no_event}
    places = {"visit": source.visit(gaps.landmark), "n": gaps.n}
    columns = list_columns(gaps)
    if columns:
        named = any(column.name for column in columns)
        caption = _WORDS.runs("caption_patients_named" if named else "caption_patients", **places)
        outcome = Line(factor="outcome", label=_WORDS.text("row_outcome"), missing=gaps.share(gaps.outcome))
        draw = partial(draw_patients, (outcome, *lines), columns, labels)
    else:
        shown = tuple(_counted(gaps))
        more = len(gaps.patterns) - len(shown)
        caption = _WORDS.runs("caption_patterns_more" if more else "caption_patterns", more=str(more), **places)
        draw = partial(draw_patterns, lines, shown, labels)
    return make_figure(source, f"missing-{gaps.landmark}", caption, _alt(gaps), draw)


def _lines(gaps: Gaps) -> Iterator[Line]:
    """Yield the factors that some patient lacks, and those that nobody lacks as one."""
    for row in gaps.missing:
        yield Line(factor=row.factor or "", label=gaps.label(row.factor), missing=gaps.share(row))
    rest = len(gaps.factors) - len(gaps.missing)
    if rest:
        yield Line(factor="", label=_WORDS.text("rest", count=rest, n=rest), missing=format_count(0))


def list_columns(gaps: Gaps) -> tuple[Column, ...]:
    """Return the patients pattern by pattern, none where they are not listed or too many to be seen."""
    n = gaps.outcome.n or 0
    columns: list[Column] = []
    for lacked, rows in gaps.patterns.items():
        for outcome in _OUTCOMES:
            patients = _patients(gaps.source, rows.get(outcome))
            names = (name if lacked and n <= _NAMED else "" for name in patients)
            columns += [Column(name=name, lacks=frozenset(lacked), outcome=outcome) for name in names]
    return tuple(columns) if len(columns) == n <= _PATIENTS else ()


def _patients(source: Source, row: Estimate | None) -> Sequence[str]:
    """Return the patients that a row is about, none where the study lists none."""
    return source.results.sets.get(row.patients, ()) if row and row.patients else ()


def _counted(gaps: Gaps) -> Iterator[Counted]:
    for lacked, rows in list(gaps.patterns.items())[:_PATTERNS]:
        counts = {name: format_count(row.estimate) for name, row in rows.items()}
        yield Counted(lacks=frozenset(lacked), counts=counts)


def _alt(gaps: Gaps) -> str:
    factors = [
        _WORDS.text("factor", factor=lower_first(gaps.label(row.factor)), missing=gaps.share(row))
        for row in gaps.missing
    ]
    patterns = [
        _WORDS.text("alt_pattern", count=own.n, n=format_count(own.n), factors=_names(gaps, lacked))
        for lacked, rows in gaps.patterns.items()
        if lacked and (own := rows["all"])
    ]
    return _WORDS.text(
        "alt",
        n=gaps.n,
        visit=gaps.source.visit(gaps.landmark),
        unknown=format_count(gaps.outcome.estimate),
        complete=gaps.complete.text,
        factors="; ".join(factors),
        patterns="; ".join(patterns[:_PATTERNS]),
    )


def _names(gaps: Gaps, lacked: Sequence[str]) -> str:
    return "".join(str(part) for part in joined([[lower_first(gaps.label(name))] for name in lacked]))
