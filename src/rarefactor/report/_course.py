"""The section on courses over time: mean courses, slopes, their spread between patients, and the error of rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, difference, head, linked, number, p_value, ratio, right, runs
from rarefactor.report._course_plot import Axes, Curve, draw_course
from rarefactor.report._drawn import make_figure
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, decimals_for, format_count, format_fixed, format_percent
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Row, Runs, Table, Text
from rarefactor.results import Estimate
from rarefactor.spec import OUTCOME, Trajectory, lower_first, upper_first

_WORDS = Words("course")


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One trajectory of the study file, with the rows that belong to it."""

    source: Source
    name: str
    spec: Trajectory

    @property
    def by_outcome(self) -> bool:
        """Whether the groups are those of the outcome, which a test of their courses would use twice."""
        return self.spec.by == OUTCOME

    @property
    def ratios(self) -> bool:
        """Whether changes are ratios."""
        return self.spec.transform == "log"

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in their order."""
        return tuple(row.group or "" for row in self.rows("patients"))

    def rows(self, measure: str, group: str | None = None) -> tuple[Estimate, ...]:
        """Return the rows of a measure, of one group where it is named."""
        found = self.source.results.select(analysis="longitudinal", model=self.name, measure=measure)
        return tuple(row for row in found if group is None or row.group == group)

    def row(self, measure: str, group: str | None = None) -> Estimate | None:
        """Return the first row of a measure."""
        return next(iter(self.rows(measure, group)), None)

    def patients(self, group: str) -> tuple[tuple[Estimate, ...], ...]:
        """Return what was measured in each patient of a group, in the order of time; nothing where none are listed."""
        lines: dict[str, list[Estimate]] = {}
        for row in self.rows("measured"):
            if group in row.flags:
                lines.setdefault(row.group or "", []).append(row)
        return tuple(tuple(line) for line in lines.values())

    def label(self, group: str) -> str:
        """Return what a group is called."""
        if self.by_outcome:
            return {"event": self.source.event, "no_event": self.source.no_event}.get(group, group)
        return _WORDS.text("all_patients") if self.spec.by is None else group

    def words(self, key: str) -> str:
        """Return the name of an entry, of its own where changes are ratios."""
        return f"{key}_ratios" if self.ratios else key


def write_courses(source: Source) -> Iterator[Block]:
    """Yield the section on courses over time, where the study file asks for one."""
    known = source.results.select(analysis="longitudinal", measure="rate_se")
    rates = list(dict.fromkeys(row.factor for row in known if row.factor))
    if not source.results.select(analysis="longitudinal"):
        return
    yield Heading(text=_WORDS.text("heading"), anchor="course")
    for name, spec in source.study.trajectories.items():
        followed = Followed(source=source, name=name, spec=spec)
        yield Heading(text=spec.label, anchor=f"course-{name}", level=2)
        known = bool(followed.rows("slope"))
        if known:
            yield _tabulate(followed)
        yield from _notes(source, name)
        if known:
            yield _figure(followed)
    if rates:
        yield from _rates(source, rates)


def _notes(source: Source, model: str) -> Iterator[Note]:
    notes = [note for note in source.results.notes if note.about == "longitudinal" and note.model == model]
    if notes:
        yield Note(title=_WORDS.text("notes_title"), items=tuple(runs(note.text) for note in notes))


def _tabulate(followed: Followed) -> Table:
    spec = followed.spec
    places = {"unit": spec.unit or "", "per": spec.per, "interval": followed.source.interval}
    heads = _WORDS.items(followed.words("heads"), **places)
    rows = [*(_group(followed, group) for group in followed.groups)]
    rows += [_difference(followed, group) for group in followed.groups[1:]]
    return Table(
        name=f"course-{followed.name}",
        number=1,
        caption=_WORDS.text("caption", label=lower_first(followed.spec.label), until=f"{followed.spec.until:g}"),
        header=(head(*heads[: 4 if followed.by_outcome else None]),),
        rows=tuple(rows),
        widths=(36, 16, 24, 24) if followed.by_outcome else (36, 16, 22, 20, 8),
        footnotes=(linked(_footnote(followed)),),
    )


def _group(followed: Followed, group: str) -> Row:
    patients, rows = (followed.row(name, group) for name in ("patients", "measurements"))
    slope = followed.row("slope", group)
    counts = right(
        number(patients, format_count(patients.estimate) if patients else ""),
        " (",
        number(rows, format_count(rows.estimate) if rows else ""),
        ")",
    )
    estimates = (_shown(followed, followed.row("mean_at_start", group)), _shown(followed, slope), *_p(followed, slope))
    return Row(cells=(cell(followed.label(group)), counts, *estimates))


def _difference(followed: Followed, group: str) -> Row:
    slope = followed.row("slope_difference", group)
    groups = {"group": followed.label(group), "other": followed.label(followed.groups[0])}
    words = _WORDS.text("ratio" if followed.ratios else "difference", **groups)
    start = _shown(followed, followed.row("difference_at_start", group))
    return Row(cells=(cell(words), right(""), start, _shown(followed, slope), *_p(followed, slope)))


def _p(followed: Followed, slope: Estimate | None) -> tuple[Cell, ...]:
    return () if followed.by_outcome else (right(p_value(slope)),)


def _shown(followed: Followed, row: Estimate | None) -> Cell:
    if followed.ratios or row is None or row.low is None or row.high is None:
        return right(ratio(row))
    return right(difference(row, decimals_for((row.high - row.low) / 4)))


def _footnote(followed: Followed) -> Iterator[Runs]:
    yield _WORDS.runs(followed.words("model"), spreads=linked(_spreads(followed), ", "))
    df = followed.row("slope_df", followed.groups[0])
    if df:
        yield _WORDS.runs("degrees_intervals" if followed.by_outcome else "degrees", df=_fixed(df, 0))
    if followed.by_outcome:
        yield _WORDS.runs("circular", visit=followed.source.visit(followed.source.outcome.at))


def _spreads(followed: Followed) -> Iterator[Runs]:
    """Yield the standard deviations of the model; one without slopes of patients has two."""
    yield _WORDS.runs("spread_start", sd=_fixed(followed.row("sd_start")))
    slope = followed.row("sd_slope")
    if slope:
        yield _WORDS.runs("spread_slope", per=followed.spec.per, sd=_fixed(slope))
    yield _WORDS.runs("spread_residual", sd=_fixed(followed.row("sd_residual")))


def _fixed(row: Estimate | None, decimals: int | None = None) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    return number(row, format_fixed(row.estimate, decimals_for(row.estimate) if decimals is None else decimals))


def _figure(followed: Followed) -> Figure:
    spec = followed.spec
    curves = [
        Curve(
            label=followed.label(group),
            means=followed.rows("mean_at", group),
            observed=followed.rows("observed_at", group),
            slopes=followed.rows("patient_slope", group),
            patients=followed.patients(group),
        )
        for group in followed.groups
    ]
    axes = Axes(
        across=_WORDS.text("across"),
        up=f"{spec.label}, {spec.unit}" if spec.unit else spec.label,
        change=_WORDS.text(followed.words("change"), per=spec.per),
        ratios=followed.ratios,
        months=followed.source.study.visit_months(spec.until),
    )
    thin = _WORDS.text("thin_lines") if any(curve.patients for curve in curves) else ""
    means = _WORDS.text(followed.words("figure_means"), level=followed.source.level, thin_lines=thin)
    caption = _caption(lower_first(spec.label), means, beside=any(curve.slopes for curve in curves))
    draw = partial(draw_course, curves, axes)
    return make_figure(followed.source, f"course-{followed.name}", caption, _alt(curves), draw)


def _caption(label: str, means: str, *, beside: bool) -> Runs:
    if beside:
        return _WORDS.runs("figure_caption_beside", label=label, means=means, slopes=_WORDS.text("figure_slopes"))
    return _WORDS.runs("figure_caption", label=label, means=upper_first(means))


def _alt(curves: list[Curve]) -> str:
    told: list[str] = []
    for curve in curves:
        first, last = curve.means[0], curve.means[-1]
        start, end = (f"{row.estimate:.3g}" for row in (first, last))
        months = {"first": first.term, "last": last.term}
        told.append(_WORDS.text("group_alt", group=curve.label, start=start, end=end, **months))
    return _WORDS.text("alt", groups=" ".join(told))


def _rates(source: Source, names: list[str]) -> Iterator[Block]:
    yield Heading(text=_WORDS.text("rates_heading"), anchor="rate-error", level=2)
    rows = [row for row in (_rate_row(source, name) for name in names) if row]
    if rows:
        yield Table(
            name="rate-error",
            number=1,
            caption=_WORDS.text("rates_caption"),
            header=(head(*_WORDS.items("rates_heads")),),
            rows=tuple(rows),
            widths=(40, 16, 20, 14, 12),
            footnotes=(_WORDS.runs("rates_footnote", bland=cite("bland1996")),),
        )
    notes = [note for note in source.results.notes if note.about == "longitudinal" and note.factor in names]
    if notes:
        yield Note(title=_WORDS.text("rates_notes_title"), items=tuple(runs(note.text) for note in notes))


def _rate_row(source: Source, name: str) -> Row | None:
    found = {row.measure: row for row in source.results.select(analysis="longitudinal", factor=name, model=None)}
    if not found:
        return None
    unit = source.factor(name).unit
    changed = found["share_changed"]
    return Row(
        cells=(
            cell(upper_first(source.factor(name).label) + (f", {unit}" if unit else "")),
            right(_fixed(found["rate_se"])),
            right(_fixed(found["minimal_detectable_rate"])),
            right(number(changed, format_percent(changed.estimate, changed.n))),
            right(_fixed(found["reliability"], 2)),
        )
    )
