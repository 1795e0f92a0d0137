"""The section on response: the outcome with its interval, how far patients improved at each visit, what moved.

Convention: shares have intervals; a score that misses a measure is shown by its bounds; a patient is named by the keyed
hash that stands for the id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rarefactor.report._cells import cell, difference, head, linked, number, right
from rarefactor.report._drawn import make_figure
from rarefactor.report._response_plot import NAMED, Bar, Course, Dot, draw_courses, draw_waterfall
from rarefactor.report._source import Source
from rarefactor.report._words import Words, sentences
from rarefactor.report.format import EMPTY, decimals_for, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Paragraph, Row, Runs, Table, Text
from rarefactor.results import OUTCOME_UNKNOWN, Estimate, Quantity
from rarefactor.spec import find_cut, upper_first

_WORDS, _SHARED = Words("response"), Words("words")
CATEGORIES = ("none", "minimal", "moderate", "major")
GROUPS = ("no_event", "event")
_AT_LEAST = {"major": "major", "moderate": "moderate or better", "minimal": "minimal or better"}
_ENZYMES = frozenset({"ck", "aldolase", "ldh", "ast", "alt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One instrument whose response is told, with the rows that belong to it."""

    source: Source
    name: str

    def row(self, measure: str, visit: str, **parts: str | None) -> Estimate | None:
        """Return the row of a measure at a visit."""
        return self.source.row("response", measure, model=self.name, landmark=visit, **parts)

    @property
    def label(self) -> str:
        """What the score is called."""
        return self.source.results.quantities[self.name].label

    @property
    def visits(self) -> tuple[str, ...]:
        """The visits that have a score."""
        rows = self.source.results.select(analysis="response", model=self.name, measure="visits")
        return tuple(row.landmark or "" for row in rows)

    @property
    def patients(self) -> tuple[Estimate, ...]:
        """Every patient's score at the outcome's visit, the highest first."""
        return self.source.results.select(analysis="response", model=self.name, measure="score")


def write_response(source: Source) -> Iterator[Block]:
    """Yield the section on the outcome and, where the study has a Total Improvement Score, on the response."""
    outcome = list(_outcome(source))
    names = dict.fromkeys(row.model or "" for row in source.results.select(analysis="response", measure="visits"))
    if not outcome and not names:
        return
    yield Heading(text=_WORDS.text("heading_response" if names else "heading_outcome"), anchor="response")
    yield from outcome
    for name in names:
        score = Score(source=source, name=name)
        yield Paragraph(runs=linked(_sentences(score)))
        yield tabulate_response(score)
        if score.patients:
            yield _waterfall(score)
        yield from _measures(score)


def share(row: Estimate | None, level: float) -> list[Inline | str]:
    """Return a count with its denominator, percentage and interval."""
    if row is None or row.estimate is None:
        return [EMPTY]
    places = {
        "events": format_count(row.events),
        "n": format_count(row.n),
        "percent": format_percent(row.estimate, row.n),
        "interval": _interval(level),
        "range": format_range(row.low, row.high, lambda value: format_percent(value, row.n)),
    }
    return [number(row, _WORDS.text("share", **places))]


def _interval(level: float) -> str:
    return _SHARED.text("interval", level=f"{100 * level:g}")


def _outcome(source: Source) -> Iterator[Paragraph]:
    """Say how many had the outcome, and what the patients without one could make of it."""
    first = source.landmarks[0]
    risk = source.row("response", "risk", landmark=first)
    if risk is None or risk.estimate is None:
        return
    told = {"share": share(risk, source.study.analysis.level), "label": source.outcome.label}
    bounds = source.row("response", "risk_bounds", landmark=first)
    if bounds is None or bounds.low is None or bounds.high is None:
        yield Paragraph(runs=sentences(_WORDS.runs("outcome", **told), _kinds(source, first)))
        return
    low, high = (format_percent(value, bounds.n) for value in (bounds.low, bounds.high))
    unknown = format_count((bounds.n or 0) - (risk.n or 0))
    between = number(bounds, _WORDS.text("bounds", low=low, high=high))
    sentence = _WORDS.runs("outcome_bounded", unknown=unknown, all=format_count(bounds.n), bounds=between, **told)
    yield Paragraph(runs=sentences(sentence, _kinds(source, first)))


def _kinds(source: Source, landmark: str) -> Runs:
    """Say what the outcome came from, where that may be several things."""
    rows = source.results.select(analysis="response", measure="events_of_kind", landmark=landmark)
    kinds = [_WORDS.runs("kind", kind=row.term or "", n=number(row, format_count(row.estimate))) for row in rows]
    return _WORDS.runs("kinds", kinds=linked(kinds, _SHARED.text("comma"))) if kinds else ()


def _sentences(score: Score) -> Iterator[Runs]:
    """Say how many improved how far at the outcome's visit, the median, and what was within reach."""
    visit = score.source.outcome.at
    visit = visit if visit in score.visits else score.visits[-1]
    yield _improvement(score, visit)
    median = score.row("median", visit, group="all")
    if median:
        yield _WORDS.runs("median", median=difference(median, 1), n=format_count(median.n))
    yield _uncertain(score, visit)
    yield _reach(score, visit)


def _improvement(score: Score, visit: str) -> Runs:
    level = score.source.study.analysis.level
    rows = {name: score.row("proportion", visit, term=term) for name, term in _AT_LEAST.items()}
    told = {name: _WORDS.runs(f"improved_{name}", share=share(row, level)) for name, row in rows.items()}
    none = share(score.row("proportion", visit, term="none"), level)
    return _WORDS.runs("improvement", score=score.label, visit=score.source.visit(visit), none=none, **told)


def _uncertain(score: Score, visit: str) -> Runs:
    incomplete, unknown = score.row("incomplete", visit), score.row("unknown", visit)
    if not incomplete or not incomplete.estimate:
        return ()
    return _WORDS.runs(
        "uncertain",
        seen=format_count(incomplete.n),
        incomplete=number(incomplete, format_count(incomplete.estimate)),
        unknown=number(unknown, format_count(unknown.estimate if unknown else None)),
    )


def _reach(score: Score, visit: str) -> Runs:
    reach = score.row("attainable", visit)
    if reach is None or reach.estimate is None:
        return ()
    rows = {term: score.row("out_of_reach", visit, term=term) for term in CATEGORIES[1:]}
    beyond = [
        _WORDS.runs("beyond", n=number(row, format_count(row.estimate)), category=_SHARED.names("categories")[term])
        for term, row in rows.items()
        if row and row.estimate
    ]
    if not beyond:
        return _WORDS.runs("reach_all", reach=difference(reach, 1))
    return _WORDS.runs("reach_some", reach=difference(reach, 1), beyond=linked(beyond, _SHARED.text("comma")))


def tabulate_response(score: Score) -> Table:
    """Return the table of categories and scores at each visit."""
    heads = _WORDS.items("table_heads", interval=_interval(score.source.study.analysis.level))
    return Table(
        name=f"response-{score.name}",
        number=0,
        caption=_WORDS.text("table_caption", score=score.label),
        header=(head(*heads),),
        rows=tuple(_visit_row(score, visit) for visit in score.visits),
        widths=(17, 12, 22, 11, 12, 13, 11, 22),
        footnotes=(_WORDS.runs("table_footnote"),),
    )


def _visit_row(score: Score, visit: str) -> Row:
    seen, unknown = score.row("visits", visit), score.row("unknown", visit)
    placed = int((seen.estimate or 0) - (unknown.estimate or 0)) if seen and unknown else None
    better = score.row("proportion", visit, term="moderate or better")
    return Row(
        cells=(
            cell(score.source.visit(visit)),
            right(format_count(placed), " (", number(seen, format_count(seen.n if seen else None)), ")"),
            right(difference(score.row("median", visit, group="all"), 1)),
            *(_count(score, visit, term) for term in CATEGORIES),
            right(_percent(better)),
        )
    )


def _count(score: Score, visit: str, term: str) -> Cell:
    count, part = score.row("count", visit, term=term), score.row("proportion", visit, term=term)
    shown = number(count, format_count(count.estimate if count else None))
    if part is None:
        return right(shown)
    return right(shown, " (", number(part, format_percent(part.estimate, part.n)), ")")


def _percent(row: Estimate | None) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    interval = format_range(row.low, row.high, lambda value: format_percent(value, row.n))
    return number(row, f"{format_percent(row.estimate, row.n)} ({interval})")


def _waterfall(score: Score) -> Figure:
    source = score.source
    bars = tuple(_bar(row) for row in score.patients)
    cut = find_cut(source.outcome.when, score.name)
    of = {"score": score.label, "visit": source.visit(source.outcome.at)}
    words = {
        "up": _WORDS.text("waterfall_up", **of),
        "cut": "" if cut is None else _WORDS.text("waterfall_cut", cut=format_fixed(cut, 0)),
        "event": source.event,
    }
    named = _WORDS.text("waterfall_named") if len(bars) <= NAMED else ""
    caption = _WORDS.runs("waterfall_caption", named=named, **of)
    alt = _WORDS.text("waterfall_alt", cut=upper_first(words["cut"]), **of, **_count_bars(bars))
    return make_figure(source, f"waterfall-{score.name}", caption, alt, partial(draw_waterfall, bars, words, cut))


def _bar(row: Estimate) -> Bar:
    event = None if OUTCOME_UNKNOWN in row.flags else "event" in row.flags
    return Bar(name=row.group or "", low=row.low or 0.0, high=row.high or 0.0, category=row.term, event=event)


def _count_bars(bars: Sequence[Bar]) -> dict[str, str]:
    """Return what the waterfall shows, in numbers: ends, categories and events."""
    names = _SHARED.names("categories")
    counts = (f"{sum(bar.category == term for bar in bars)} {names[term]}" for term in CATEGORIES)
    return {
        "n": str(len(bars)),
        "highest": f"{bars[0].high:g}",
        "lowest": f"{bars[-1].low:g}",
        "categories": _SHARED.text("comma").join(counts),
        "open": str(sum(bar.category is None for bar in bars)),
        "events": str(sum(bar.event is True for bar in bars)),
    }


def _measures(score: Score) -> Iterator[Block]:
    source = score.source
    prefix = f"{score.name}."
    found = {
        name.removeprefix(prefix): each for name, each in source.results.quantities.items() if name.startswith(prefix)
    }
    courses = [course for name, each in found.items() if (course := _course(score, name, each))]
    if not courses:
        return
    labels = (source.no_event, source.event)
    on_logs = _WORDS.runs("measures_log") if any(course.log for course in courses) else ()
    caption = sentences(_WORDS.runs("measures_caption"), on_logs)
    alt = _WORDS.text("measures_alt", measures=" ".join(_told(course, labels) for course in courses))
    yield make_figure(source, f"measures-{score.name}", caption, alt, partial(draw_courses, courses, labels))


def _course(score: Score, measure: str, quantity: Quantity) -> Course | None:
    source = score.source
    dots: list[Dot] = []
    for visit, spec in source.study.cohort.visits.items():
        for place, group in enumerate(GROUPS):
            row = score.row("median", visit, term=measure, group=group)
            if row and row.estimate is not None and row.low is not None and row.high is not None:
                dots.append(Dot(month=spec.month, group=place, n=row.n or 0, values=(row.low, row.estimate, row.high)))
    if not dots:
        return None
    unit = f", {quantity.unit}" if quantity.unit else ""
    return Course(title=f"{quantity.label}{unit}", dots=tuple(dots), log=measure in _ENZYMES)


def _told(course: Course, labels: tuple[str, str]) -> str:
    parts: list[str] = []
    for place, label in enumerate(labels):
        own = [dot for dot in course.dots if dot.group == place]
        if own:
            first, last = own[0], own[-1]
            decimals = decimals_for(first.values[2] - first.values[0])
            start, end = (format_fixed(dot.values[1], decimals) for dot in (first, last))
            months = {"first": f"{first.month:g}", "last": f"{last.month:g}"}
            parts.append(_WORDS.text("group_alt", group=label, start=start, end=end, **months))
    return _WORDS.text("measure_alt", measure=course.title, groups="; ".join(parts))
