"""The section on response: the outcome with its interval, how far patients improved at each visit, what moved.

Convention: shares have intervals; a score that misses a measure is shown by its bounds; a patient is named by the keyed
hash that stands for the id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rarefactor.report._cells import cell, difference, head, number, right, runs
from rarefactor.report._cox import make_figure
from rarefactor.report._response_plot import NAMED, Bar, Course, Dot, draw_courses, draw_waterfall
from rarefactor.report._source import Source
from rarefactor.report.format import decimals_for, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, Quantity
from rarefactor.spec import find_cut

CATEGORIES = ("none", "minimal", "moderate", "major")
GROUPS = ("no_event", "event")
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
    yield Heading(text="Response" if names else "Outcome", anchor="response")
    yield from outcome
    for name in names:
        score = Score(source=source, name=name)
        yield Paragraph(runs=_sentences(score))
        yield tabulate_response(score)
        if score.patients:
            yield _waterfall(score)
        yield from _measures(score)


def share(row: Estimate | None, level: float) -> list[Inline | str]:
    """Return a count with its denominator, percentage and interval."""
    if row is None or row.estimate is None:
        return ["–"]
    interval = format_range(row.low, row.high, lambda value: format_percent(value, row.n))
    words = f"{format_percent(row.estimate, row.n)}%, {100 * level:g}% CI {interval}%"
    return [number(row, f"{format_count(row.events)} of {format_count(row.n)} ({words})")]


def _outcome(source: Source) -> Iterator[Paragraph]:
    """Say how many had the outcome, and what the patients without one could make of it."""
    first = source.landmarks[0]
    risk = source.row("response", "risk", landmark=first)
    if risk is None or risk.estimate is None:
        return
    parts: list[Inline | str] = [
        *share(risk, source.study.analysis.level),
        f" had the outcome “{source.outcome.label}”",
    ]
    bounds = source.row("response", "risk_bounds", landmark=first)
    if bounds and bounds.low is not None and bounds.high is not None:
        low, high = (format_percent(value, bounds.n) for value in (bounds.low, bounds.high))
        parts += [f". In {format_count((bounds.n or 0) - (risk.n or 0))} more it is not known: the share among all "]
        parts += [
            format_count(bounds.n),
            " lies between ",
            number(bounds, f"{low}% and {high}%"),
            ", whatever theirs was",
        ]
    yield Paragraph(runs=runs(*parts, "."))


def _sentences(score: Score) -> Runs:
    """Say how many improved how far at the outcome's visit, the median, and what was within reach."""
    source, visit = score.source, score.source.outcome.at
    if visit not in score.visits:
        visit = score.visits[-1]
    level = source.study.analysis.level
    parts: list[Inline | str] = [f"By the {score.label} at {source.visit(visit)}, "]
    for place, term in enumerate(("major", "moderate or better", "minimal or better")):
        words = f"{term} improvement"
        parts += [", " if place else "", *share(score.row("proportion", visit, term=term), level), f" had {words}"]
    none = score.row("proportion", visit, term="none")
    parts += [", and ", *share(none, level), " had none. "]
    median = score.row("median", visit, group="all")
    if median:
        parts += [
            "Median score and quartiles: ",
            difference(median, 1),
            f", in {format_count(median.n)} patients. ",
        ]
    return runs(*parts, *_uncertain(score, visit), *_reach(score, visit))


def _uncertain(score: Score, visit: str) -> list[Inline | str]:
    incomplete, unknown = score.row("incomplete", visit), score.row("unknown", visit)
    if not incomplete or not incomplete.estimate:
        return []
    parts: list[Inline | str] = ["Of ", format_count(incomplete.n), " patients seen, "]
    parts += [
        number(incomplete, format_count(incomplete.estimate)),
        " missed a measure, so that the score is known by ",
    ]
    return [*parts, "its bounds at most; ", number(unknown, format_count(unknown.estimate if unknown else None)),
            " of them cannot be placed in a category and are left out of the shares. "]  # fmt: skip


def _reach(score: Score, visit: str) -> list[Inline | str]:
    reach = score.row("attainable", visit)
    if reach is None or reach.estimate is None:
        return []
    parts: list[Inline | str] = ["The highest score within reach from baseline was ", difference(reach, 1)]
    parts.append(" (median, quartiles)")
    beyond = [(term, score.row("out_of_reach", visit, term=term)) for term in CATEGORIES[1:]]
    told = [(term, row) for term, row in beyond if row and row.estimate]
    for place, (term, row) in enumerate(told):
        parts += [
            "; " if place == 0 else ", ",
            number(row, format_count(row.estimate)),
            f" could not have reached {term}",
        ]
    return [*parts, "." if told else "; every category was within reach of all."]


def tabulate_response(score: Score) -> Table:
    """Return the table of categories and scores at each visit."""
    heads = ("Visit", "Placed\n(seen)", "Median score\n(quartiles)", "None", "Minimal", "Moderate", "Major")
    level = f"{100 * score.source.study.analysis.level:g}% CI"
    return Table(
        name=f"response-{score.name}",
        number=0,
        caption=f"Response by the {score.label} at each visit",
        header=(head(*heads, f"Moderate or\nbetter, % ({level})"),),
        rows=tuple(_visit_row(score, visit) for visit in score.visits),
        widths=(17, 12, 22, 11, 12, 13, 11, 22),
        footnotes=(
            runs(
                "Counts with percentages of the patients who can be placed. A score that misses a measure "
                "counts where both of its bounds lie in one category."
            ),
        ),
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
        return Text("–")
    interval = format_range(row.low, row.high, lambda value: format_percent(value, row.n))
    return number(row, f"{format_percent(row.estimate, row.n)} ({interval})")


def _waterfall(score: Score) -> Figure:
    source, rows = score.source, score.patients
    visit = source.visit(source.outcome.at)
    cut = find_cut(source.outcome.when, score.name)
    bars = tuple(
        Bar(
            name=row.group or "",
            low=row.low or 0.0,
            high=row.high or 0.0,
            category=row.term,
            event=None if "outcome_unknown" in row.flags else "event" in row.flags,
        )
        for row in rows
    )
    counts = {term: sum(bar.category == term for bar in bars) for term in CATEGORIES}
    words = {
        "up": f"{score.label} at {visit}",
        "cut": "" if cut is None else f"cut of the outcome: {format_fixed(cut, 0)}",
        "event": source.event,
    }
    named = ", named by the keyed hash of the id" if len(bars) <= NAMED else ""
    caption = runs(
        Text(f"{score.label} of each patient at {visit}. ", "strong"),
        f"A bar is a patient{named}. Where a measure is missing, the pale part reaches from "
        "the lowest to the highest score that the missing measure allows. Dots below mark patients with the outcome, "
        "rings those whose outcome is not known.",
    )
    told = ", ".join(f"{count} {term}" for term, count in counts.items())
    open_ = sum(bar.category is None for bar in bars)
    alt = (
        f"Waterfall of the {score.label} of {len(bars)} patients at {visit}, from {bars[0].high:g} down to "
        f"{bars[-1].low:g}: {told}, {open_} between categories; "
        f"{sum(bar.event is True for bar in bars)} with the outcome. {words['cut'].capitalize()}."
    )
    return make_figure(f"waterfall-{score.name}", caption, alt, draw_waterfall(bars, words, cut))


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
    caption = runs(
        Text("Core set measures over time. ", "strong"),
        "Medians with quartiles at each visit, by outcome; numbers of patients below each panel. Patients whose "
        "outcome is not known are left out. Muscle enzymes on a log scale.",
    )
    alt = f"Core set measures by visit and outcome. {' '.join(_told(course, labels) for course in courses)}"
    yield make_figure(f"measures-{score.name}", caption, alt, draw_courses(courses, labels))


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
            parts.append(f"{label} median {start} at month {first.month:g}, {end} at month {last.month:g}")
    return f"{course.title}: {'; '.join(parts)}."
