"""The section on courses over time: mean courses, slopes, their spread between patients, and the error of rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, difference, head, number, p_value, ratio, right, runs
from rarefactor.report._course_plot import Curve, Words, draw_course
from rarefactor.report._cox import make_figure
from rarefactor.report._source import Source, upper_first
from rarefactor.report.format import EMPTY, decimals_for, format_count, format_fixed, format_percent
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Row, Runs, Table, Text
from rarefactor.results import Estimate
from rarefactor.spec import OUTCOME, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One trajectory of the study file, with the rows that belong to it."""

    source: Source
    name: str
    spec: Trajectory

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

    def label(self, group: str) -> str:
        """Return what a group is called."""
        if self.spec.by == OUTCOME:
            return {"event": self.source.event, "no_event": self.source.no_event}.get(group, group)
        return "All patients" if self.spec.by is None else group


def write_courses(source: Source) -> Iterator[Block]:
    """Yield the section on courses over time, where the study file asks for one."""
    rates = [name for name, factor in source.study.factors.items() if factor.repeatability is not None]
    if not source.results.select(analysis="longitudinal"):
        return
    yield Heading(text="Course over time", anchor="course")
    for name, spec in source.study.trajectories.items():
        followed = Followed(source=source, name=name, spec=spec)
        yield Heading(text=spec.label, anchor=f"course-{name}", level=2)
        if followed.rows("slope"):
            yield _tabulate(followed)
            yield _figure(followed)
        yield from _notes(source, name)
    if rates:
        yield from _rates(source, rates)


def _notes(source: Source, model: str) -> Iterator[Note]:
    notes = [note for note in source.results.notes if note.about == "longitudinal" and note.model == model]
    if notes:
        yield Note(title="About this course", items=tuple(runs(note.text) for note in notes))


def _tabulate(followed: Followed) -> Table:
    interval = f"{100 * followed.source.study.analysis.level:g}% CI"
    unit = f", {followed.spec.unit}" if followed.spec.unit else ""
    mean = "Geometric mean at start" if followed.ratios else "Mean at start"
    change = f"Ratio per {followed.spec.per}" if followed.ratios else f"Change per {followed.spec.per}"
    heads = ("Group", "Patients\n(measurements)", f"{mean}\n{unit[2:]} ({interval})", f"{change}\n({interval})", "P")
    rows = [*(_group(followed, group) for group in followed.groups)]
    rows += [_difference(followed, group) for group in followed.groups[1:]]
    return Table(
        name=f"course-{followed.name}",
        number=1,
        caption=f"Course of {followed.spec.label} to month {followed.spec.until:g}",
        header=(head(*heads),),
        rows=tuple(rows),
        widths=(36, 16, 22, 20, 8),
        footnotes=(_footnote(followed),),
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
    estimates = (_shown(followed, followed.row("mean_at_start", group)), _shown(followed, slope), right(p_value(slope)))
    return Row(cells=(cell(followed.label(group)), counts, *estimates))


def _difference(followed: Followed, group: str) -> Row:
    joint = "Ratio" if followed.ratios else "Difference"
    slope = followed.row("slope_difference", group)
    words = f"{joint}: {followed.label(group)} vs {followed.label(followed.groups[0])}"
    start = _shown(followed, followed.row("difference_at_start", group))
    return Row(cells=(cell(words), right(""), start, _shown(followed, slope), right(p_value(slope))))


def _shown(followed: Followed, row: Estimate | None) -> Cell:
    if followed.ratios or row is None or row.low is None or row.high is None:
        return right(ratio(row))
    return right(difference(row, decimals_for((row.high - row.low) / 4)))


def _footnote(followed: Followed) -> Runs:
    scale = " of the natural logarithm" if followed.ratios else ""
    start, slope, residual = (followed.row(name) for name in ("sd_start", "sd_slope", "sd_residual"))
    parts: list[Inline | str] = [f"Linear mixed model. Standard deviations{scale}: between patients at the start "]
    parts.append(_fixed(start))
    if slope:
        parts += [f", between their slopes per {followed.spec.per} ", _fixed(slope)]
    parts += [", within a patient around the own line ", _fixed(residual)]
    df = followed.row("slope_df", followed.groups[0])
    if df:
        parts += [
            ". Intervals and tests with Satterthwaite’s degrees of freedom (of the first slope ",
            _fixed(df, 0),
            ")",
        ]
    rising = [(group, followed.row("share_rising", group)) for group in followed.groups]
    told = [(group, row) for group, row in rising if row]
    if told:
        parts.append(". Share of patients whose own line rises: ")
    for place, (group, row) in enumerate(told):
        parts += [
            ", " if place else "",
            f"{followed.label(group)} ",
            number(row, f"{format_percent(row.estimate, row.n)}%"),
        ]
    return runs(*parts, ".")


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
        )
        for group in followed.groups
    ]
    unit = f", {spec.unit}" if spec.unit else ""
    change = f"Ratio per {spec.per}" if followed.ratios else f"Change per {spec.per}"
    words = Words(across="Months from baseline", up=f"{spec.label}{unit}", change=change, ratios=followed.ratios)
    level = 100 * followed.source.study.analysis.level
    mean = "Geometric mean" if followed.ratios else "Mean"
    caption = runs(
        Text(f"Course of {spec.label}. ", "strong"),
        f"Left: {mean.lower()} of each group by the mixed model with {level:g}% bands; circles are what was measured "
        "around those months, averaged where a fifth of the patients were seen. Right: how patients’ own slopes are "
        "spread (line: outer quantiles; bar: quartiles; square: median), drawn towards the group’s mean by the model.",
    )
    return make_figure(f"course-{followed.name}", caption, _alt(curves), draw_course(curves, words))


def _alt(curves: list[Curve]) -> str:
    told: list[str] = []
    for curve in curves:
        first, last = curve.means[0], curve.means[-1]
        told.append(
            f"{curve.label}: {first.estimate:.3g} at month {first.term}, {last.estimate:.3g} at month {last.term}."
        )
    return f"Mean course of each group with bands, and the spread of patients’ slopes. {' '.join(told)}"


def _rates(source: Source, names: list[str]) -> Iterator[Block]:
    yield Heading(text="Error of measured rates", anchor="rate-error", level=2)
    rows = [row for row in (_rate_row(source, name) for name in names) if row]
    if rows:
        heads = ("Rate", "Standard error", "Smallest beyond error", "Beyond it, %", "Reliability")
        yield Table(
            name="rate-error",
            number=1,
            caption="What the error of measurement does to a rate",
            header=(head(*heads),),
            rows=tuple(rows),
            widths=(40, 16, 20, 14, 12),
            footnotes=(
                runs(
                    "From the repeatability that the study file gives; medians over the patients, whose intervals of "
                    "time differ ",
                    cite("bland1996"),
                    ".",
                ),
            ),
        )
    notes = [note for note in source.results.notes if note.about == "longitudinal" and note.factor in names]
    if notes:
        yield Note(title="About these rates", items=tuple(runs(note.text) for note in notes))


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
