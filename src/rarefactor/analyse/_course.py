"""The course of a measurement: a line per patient around the line of the group, by a linear mixed model.

Convention: time is in months or years from baseline, as the study file says; with ``transform: log`` means are
geometric and changes are ratios. Every number of a group is read from a fit in which that group is the reference and
time starts where the number is asked for, so that its degrees of freedom are Satterthwaite's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from rarefactor.analyse._design import Floats
from rarefactor.analyse._follow_up import told
from rarefactor.derive import CourseTable
from rarefactor.errors import InputError, Problem
from rarefactor.results import Analysed, Estimate, Note
from rarefactor.spec import OUTCOME, Trajectory
from rarefactor.stats import MixedFit, fit_mixed

MONTHS = {"month": 1.0, "year": 12.0}
POINTS = 9
FEWEST = 5
LISTED = 60
"""Of more patients than these the lines of single ones hide each other: they are not given."""
SHARES = (10, 25, 50, 75, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The rows of a trajectory as arrays (n,): ``time``, ``value`` (or its logarithm), ``group`` as a place."""

    table: CourseTable
    trajectory: Trajectory
    time: Floats
    value: Floats
    group: Floats
    level: float

    @property
    def ratios(self) -> bool:
        """Whether changes are ratios."""
        return self.trajectory.transform == "log"

    def members(self, group: int) -> pl.DataFrame:
        """Return the rows of one group."""
        return self.table.frame.filter(pl.col.group == self.table.groups[group])


def analyse_course(
    table: CourseTable, trajectory: Trajectory, level: float, *, months: Sequence[float] = (), listed: bool = True
) -> Analysed:
    """Return slopes and their differences, variance components, mean courses and the spread of patients' slopes.

    ``months``: those of the visits, at which means of what was measured are given. ``listed``: the measurements of
    single patients are given too, where they are few.
    """
    base = Estimate(analysis="longitudinal", measure="", estimate=None, model=table.name)
    if trajectory.by not in {None, OUTCOME}:
        base = replace(base, factor=trajectory.by)
    course = _read(table, trajectory, level)
    rows = [*_sizes(base, course), *_observed(base, course, months), *(_measured(base, course) if listed else ())]
    try:
        slope, fit = _fit_first(course)
        rows.extend(_fixed(base, course, slope=slope))
        rows.extend(_components(base, course, fit))
        rows.extend(_means(base, course, slope=slope))
        rows.extend(_spread(base, course, fit))
    except InputError as error:
        text = f"The course of {trajectory.label} was not modelled ({told(error)})."
        return Analysed(rows=tuple(rows), notes=(*table.notes, _note(table, text)))
    notes = (_note(table, text) for text in _sentences(fit, trajectory, slope=slope))
    return Analysed(rows=tuple(rows), notes=(*table.notes, *notes))


def _read(table: CourseTable, trajectory: Trajectory, level: float) -> Course:
    value = table.frame["value"].to_numpy()
    places = {name: float(place) for place, name in enumerate(table.groups)}
    return Course(
        table=table,
        trajectory=trajectory,
        time=table.frame["month"].to_numpy() / MONTHS[trajectory.per],
        value=np.log(value) if trajectory.transform == "log" else value,
        group=table.frame["group"].replace_strict(places, return_dtype=pl.Float64).to_numpy(),
        level=level,
    )


def _fit(course: Course, *, reference: int, start: float, slope: bool) -> MixedFit:
    """Fit with one group as the reference and time counted from ``start``: columns time, groups, time by group."""
    if not course.value.size:
        raise InputError(Problem(found="no measurement", expected="some", next_step="Leave the trajectory out."))
    time = course.time - start
    others = [place for place in range(len(course.table.groups)) if place != reference]
    dummies = [(course.group == place).astype(float) for place in others]
    columns = np.column_stack([time, *dummies, *(time * dummy for dummy in dummies)])
    names = ["time", *(course.table.groups[place] for place in others)]
    names += [f"time by {course.table.groups[place]}" for place in others]
    subjects = course.table.frame["subject"].to_numpy()
    fit = fit_mixed(columns, course.value, subjects, slope=0 if slope else None, names=names, level=course.level)
    if not fit.converged:
        raise InputError(Problem(found=fit.reason, expected="a fit that converges", next_step="Shorten the time."))
    return fit


def _fit_first(course: Course) -> tuple[bool, MixedFit]:
    """Return whether patients have slopes of their own, and the fit; without enough rows they have intercepts only."""
    try:
        return True, _fit(course, reference=0, start=0.0, slope=True)
    except InputError:
        return False, _fit(course, reference=0, start=0.0, slope=False)


def _sizes(base: Estimate, course: Course) -> Iterator[Estimate]:
    for place, group in enumerate(course.table.groups):
        frame = course.members(place)
        patients, rows = frame["subject"].n_unique(), frame.height
        yield replace(base, measure="patients", group=group, estimate=float(patients), n=patients)
        yield replace(base, measure="measurements", group=group, estimate=float(rows), n=patients)


def _fixed(base: Estimate, course: Course, *, slope: bool) -> Iterator[Estimate]:
    """Yield start and slope of each group, and what the groups after the first differ by."""
    per = f"per {course.trajectory.per}"
    groups = course.table.groups
    for place, group in enumerate(groups):
        fit = _fit(course, reference=place, start=0.0, slope=slope)
        row = replace(base, group=group, n=course.members(place)["subject"].n_unique())
        yield from _coefficient(replace(row, measure="mean_at_start"), course, fit, 0, test=False)
        yield from _coefficient(replace(row, measure="slope", term=per), course, fit, 1)
    first = _fit(course, reference=0, start=0.0, slope=slope)
    for place, group in enumerate(groups[1:]):
        row = replace(base, group=group, n=len(first.patients))
        yield from _coefficient(replace(row, measure="difference_at_start"), course, first, 2 + place)
        where = 1 + len(groups) + place
        yield from _coefficient(replace(row, measure="slope_difference", term=per), course, first, where)


def _coefficient(row: Estimate, course: Course, fit: MixedFit, place: int, *, test: bool = True) -> Iterator[Estimate]:
    """Yield a fixed effect (as a ratio on the log scale), and the degrees of freedom of its interval."""
    back = math.exp if course.ratios else float
    low, high = fit.ci[place]
    row = replace(row, method="reml", flags=fit.flags)
    p = float(fit.p[place]) if test else None
    yield replace(row, estimate=back(fit.coef[place]), low=back(low), high=back(high), p=p)
    yield replace(row, measure=f"{row.measure}_df", estimate=float(fit.df[place]))


def _components(base: Estimate, course: Course, fit: MixedFit) -> Iterator[Estimate]:
    """Yield the spread between patients and within them, on the scale of the model."""
    row = replace(base, method="reml", n=len(fit.patients), flags=fit.flags)
    covariance = fit.random_covariance
    yield replace(row, measure="sd_start", estimate=math.sqrt(covariance[0, 0]))
    yield replace(row, measure="sd_residual", estimate=math.sqrt(fit.residual_variance))
    if len(covariance) > 1:
        spread = math.sqrt(covariance[1, 1])
        yield replace(row, measure="sd_slope", term=f"per {course.trajectory.per}", estimate=spread)
        if spread and covariance[0, 0]:
            correlation = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
            yield replace(row, measure="correlation", estimate=float(np.clip(correlation, -1, 1)))


def _means(base: Estimate, course: Course, *, slope: bool) -> Iterator[Estimate]:
    """Yield the mean of each group at equally spaced months."""
    scale = MONTHS[course.trajectory.per]
    back = math.exp if course.ratios else float
    for place, group in enumerate(course.table.groups):
        for month in np.linspace(0.0, course.trajectory.until, POINTS):
            fit = _fit(course, reference=place, start=month / scale, slope=slope)
            low, high = (back(bound) for bound in fit.ci[0])
            row = replace(base, measure="mean_at", term=f"{month:g}", group=group, method="reml", flags=fit.flags)
            yield replace(row, estimate=back(fit.coef[0]), low=low, high=high)


def _observed(base: Estimate, course: Course, months: Sequence[float]) -> Iterator[Estimate]:
    """Yield the mean of what was measured nearest to each of some months, where a fifth of the patients were."""
    at = np.array(months if len(months) > 1 else np.linspace(0.0, course.trajectory.until, POINTS))
    own = course.time * MONTHS[course.trajectory.per]
    nearest = np.abs(own[:, None] - at).argmin(axis=1)
    subjects = course.table.frame["subject"].to_numpy()
    back = math.exp if course.ratios else float
    for group, name in enumerate(course.table.groups):
        everyone = len(set(subjects[course.group == group]))
        for place, month in enumerate(at):
            here = (course.group == group) & (nearest == place)
            n = len(set(subjects[here]))
            if n >= max(FEWEST, everyone / 5):
                row = replace(base, measure="observed_at", term=f"{month:g}", group=name, n=n)
                yield replace(row, estimate=back(float(course.value[here].mean())))


def _measured(base: Estimate, course: Course) -> Iterator[Estimate]:
    """Yield what was measured in each patient; ``term`` is the month, the flag says of which group the patient is."""
    days = course.table.frame.group_by("subject", "group", "month", maintain_order=True).agg(pl.col.value.mean())
    if days["subject"].n_unique() > LISTED:
        return
    for subject, group, month, value in days.iter_rows():
        yield replace(base, measure="measured", term=f"{month:.3f}", group=subject, estimate=value, flags=(group,))


def _spread(base: Estimate, course: Course, fit: MixedFit) -> Iterator[Estimate]:
    """Yield how patients' own slopes are spread in each group; no patient is told apart."""
    if len(fit.random_names) < 2:
        return
    back = np.exp if course.ratios else np.asarray
    order = {patient: place for place, patient in enumerate(fit.patients)}
    for place, group in enumerate(course.table.groups):
        shift = 0.0 if place == 0 else float(fit.coef[len(course.table.groups) + place])
        own = fit.lines[[order[name] for name in course.members(place)["subject"].unique()], 1] + shift
        row = replace(base, group=group, method="blup", n=own.size)
        if own.size < FEWEST:
            continue
        for share in SHARES if own.size >= 4 * FEWEST else SHARES[1:-1]:
            value = float(back(np.quantile(own, share / 100)))
            yield replace(row, measure="patient_slope", term=f"{share}%", estimate=value)


def _sentences(fit: MixedFit, trajectory: Trajectory, *, slope: bool) -> Iterator[str]:
    if not slope:
        yield (
            f"There are too few measurements of {trajectory.label} per patient for slopes of their own: patients "
            "differ by level only, and the intervals of slopes may be too narrow."
        )
    elif "singular" in fit.flags:
        yield (
            f"Patients’ levels and slopes of {trajectory.label} cannot be told apart fully by these data (a variance "
            "of 0 or a correlation of 1 between them); the means and their intervals stand, the spread is uncertain."
        )


def _note(table: CourseTable, text: str) -> Note:
    return Note(about="longitudinal", model=table.name, text=text)
