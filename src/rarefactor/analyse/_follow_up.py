"""The time to an event without a model: curves per group, medians, restricted means and the log-rank test.

Convention: times are in the unit of the study file, from the landmark; a row at a time has that time as its term, and
the patients still at risk as its n. Curves are told where they step, at 0 and at the end of follow-up; those of more
events than ``MOST_STEPS`` at as many equally spaced times, which their rows say (``equally_spaced``). Who is still at
risk is counted at the visits of the study where these reach the end of follow-up, else at round times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Bools, Floats, occurring
from rarefactor.analyse._kinds import count_kinds, note_kinds
from rarefactor.derive import TimeTable
from rarefactor.errors import InputError
from rarefactor.results import FEW_EVENTS, FEWEST_IN_CURVE, Analysed, Estimate, FactorInfo, Note
from rarefactor.spec import DAYS_PER_MONTH, FollowUp
from rarefactor.stats import (
    IncidenceCurves,
    SurvivalCurve,
    compare_survival,
    compute_restricted_mean,
    compute_survival_at,
    compute_survival_time,
    fit_aalen_johansen,
    fit_kaplan_meier,
)

UNITS = {"days": 1.0, "months": DAYS_PER_MONTH, "years": 12 * DAYS_PER_MONTH}
MOST_STEPS = 200
_TICKS = 7
_MOST_VISITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Patients whose curve is drawn: all of them, or those with a level of a factor."""

    factor: str | None
    level: str
    time: Floats
    cause: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The times at which curves are told: ``ticks`` are round, at ``counted`` those at risk are counted.

    ``shared`` is the latest round time to which every group was followed: restricted means reach up to it.
    """

    ticks: Floats
    counted: Floats
    shared: float


def analyse_follow_up(
    table: TimeTable, factors: Sequence[FactorInfo], follow_up: FollowUp, *, level: float, visits: Sequence[float] = ()
) -> Analysed:
    """Return curves, medians, restricted means and log-rank tests of one follow-up, with its notes.

    ``factors`` are those by which the patients are shown, ``visits`` the months of the visits from the landmark.
    """
    base = Estimate(analysis="survival", measure="", estimate=None, landmark=table.landmark, model=table.name)
    time, cause = read_times(table, follow_up)
    counts = (*_counts(base, time, cause, follow_up), *count_kinds(base, table.kinds))
    if not (cause == 1).any():
        text = f"Nobody in the follow-up had the event ({follow_up.label}); nothing was analysed."
        return Analysed(rows=counts, notes=(*table.notes, _note(table, text)))
    groups = [Group(factor=None, level="all", time=time, cause=cause)]
    groups += [group for info in factors for group in _groups(table, info, groups[0])]
    clock = _set_clock(groups, visits if follow_up.unit == "months" else ())
    rows = [*counts, *_median_follow_up(base, time, cause, level)]
    for group in groups:
        rows.extend(_describe(base, group, follow_up, clock, level))
    rows.extend(row for info in factors for row in _test(base, info, groups))
    notes = (*table.notes, *note_kinds(_note(table, ""), table.kinds), *_notes(table, factors, groups))
    return Analysed(rows=tuple(rows), notes=notes)


def read_times(table: TimeTable, follow_up: FollowUp) -> tuple[Floats, Floats]:
    """Return time in the unit of the follow-up and what ended it, each (n,)."""
    time = table.frame["days"].to_numpy() / UNITS[follow_up.unit]
    return time, table.frame["cause"].cast(float).to_numpy()


def compute_ticks(end: float) -> Floats:
    """Return round times from 0 up to the end of follow-up, at most eight.

    Examples
    --------
    >>> compute_ticks(12.5).tolist(), compute_ticks(3.2).tolist()
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0], [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    """
    power = 10.0 ** math.floor(math.log10(end / _TICKS))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if end / step < _TICKS)
    return np.round(np.arange(0.0, end + 1e-9 * end, step), 12)


def compute_counted(end: float, visits: Sequence[float], ticks: Floats) -> Floats:
    """Return the times at which those at risk are counted: the visits where these reach the end, else the ticks.

    Examples
    --------
    >>> compute_counted(12.6, (0, 3, 6, 12), compute_ticks(12.6)).tolist()
    [0.0, 3.0, 6.0, 12.0]
    >>> compute_counted(30.0, (0, 3, 6, 12), compute_ticks(30.0)).tolist()
    [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    """
    if not 1 < len(visits) <= _MOST_VISITS or end > visits[-1] + (visits[-1] - visits[-2]) / 2:
        return ticks
    return np.array([float(month) for month in visits if month <= end])


def _set_clock(groups: Sequence[Group], visits: Sequence[float]) -> Clock:
    ends = [float(group.time.max()) for group in groups if not _is_small(group)]
    whole = float(groups[0].time.max())
    ticks = compute_ticks(whole)
    shared = float(ticks[ticks <= min(ends, default=whole)][-1])
    return Clock(ticks=ticks, counted=compute_counted(whole, visits, ticks), shared=shared)


def _groups(table: TimeTable, info: FactorInfo, everyone: Group) -> Iterator[Group]:
    series = table.frame[info.name]
    present = set(occurring(series, info))
    for level in info.levels:
        if level in present:
            kept = (series == level).fill_null(value=False).to_numpy()
            yield Group(factor=info.name, level=level, time=everyone.time[kept], cause=everyone.cause[kept])


def _counts(base: Estimate, time: Floats, cause: Floats, follow_up: FollowUp) -> Iterator[Estimate]:
    events, others = (int((cause == place).sum()) for place in (1, 2))
    yield replace(base, measure="patients", estimate=float(time.size), n=time.size, events=events)
    yield replace(base, measure="events", estimate=float(events), n=time.size, events=events)
    if time.size:
        yield replace(base, measure="person_time", estimate=float(time.sum()), n=time.size, events=events)
        yield replace(base, measure="longest_follow_up", estimate=float(time.max()), n=time.size, events=events)
    if follow_up.competing:
        yield replace(base, measure="competing_events", estimate=float(others), n=others, events=0)


def _median_follow_up(base: Estimate, time: Floats, cause: Floats, level: float) -> Iterator[Estimate]:
    """How long patients were watched: the curve of being censored, events ending it (reverse Kaplan-Meier)."""
    found = compute_survival_time(fit_kaplan_meier(time, cause == 0, level=level))
    yield replace(base, measure="median_follow_up", method="reverse_kaplan_meier", n=time.size, **_limits(found))


def _describe(base: Estimate, group: Group, follow_up: FollowUp, clock: Clock, level: float) -> Iterator[Estimate]:
    events = int((group.cause == 1).sum())
    row = replace(base, factor=group.factor, group=group.level, n=group.time.size, events=events)
    yield replace(row, measure="group", estimate=float(group.time.size))
    if _is_small(group):
        return  # a curve of so few would show single patients
    yield from _at_risk(row, group, clock.counted)
    if follow_up.competing:
        if (group.cause > 0).any():
            yield from _incidence(row, group, clock.ticks, level)
        return
    curve = fit_kaplan_meier(group.time, group.cause == 1, level=level)
    yield from _survival(replace(row, method="kaplan_meier"), group, curve, clock.ticks)
    if clock.shared > 0:
        mean = compute_restricted_mean(curve, clock.shared)
        yield replace(row, method="kaplan_meier", measure="restricted_mean", term=f"{clock.shared:g}", **_limits(mean))


def _at_risk(row: Estimate, group: Group, times: Floats) -> Iterator[Estimate]:
    for time in times:
        n = int((group.time >= time).sum())
        yield replace(row, measure="at_risk", term=f"{time:g}", estimate=float(n), n=n, events=None)


def _survival(row: Estimate, group: Group, curve: SurvivalCurve, ticks: Floats) -> Iterator[Estimate]:
    yield from _read_survival(replace(row, measure="survival"), curve, ticks)
    times, flags = find_steps(group.time, group.cause == 1)
    yield from _read_survival(replace(row, measure="curve", flags=flags), curve, times)
    median = compute_survival_time(curve)
    flags = ("not_reached",) if math.isnan(median.estimate) else ()
    yield replace(row, measure="median_time", flags=flags, **_limits(median))


def _read_survival(row: Estimate, curve: SurvivalCurve, times: Floats) -> Iterator[Estimate]:
    there = compute_survival_at(curve, times)
    columns = (times, there.survival, there.low, there.high, there.at_risk)
    for time, share, low, high, at_risk in zip(*columns, strict=True):
        events = int(curve.events[curve.time <= time].sum())
        yield replace(
            row,
            term=f"{time:.6g}",
            estimate=_known(share),
            low=_known(low) if 0 < share < 1 else None,
            high=_known(high) if 0 < share < 1 else None,
            n=int(at_risk),
            events=events,
        )


def _incidence(row: Estimate, group: Group, ticks: Floats, level: float) -> Iterator[Estimate]:
    """Yield the cumulative incidence of the event and of the competing one."""
    curves = fit_aalen_johansen(group.time, group.cause, level=level)
    row = replace(row, method="aalen_johansen")
    steps, flags = find_steps(group.time, group.cause > 0)
    for column, cause in enumerate(curves.causes):
        suffix = "" if cause == 1 else "_competing"
        yield from _read_incidence(replace(row, measure=f"incidence{suffix}"), curves, column, ticks)
        yield from _read_incidence(replace(row, measure=f"curve{suffix}", flags=flags), curves, column, steps)


def _read_incidence(row: Estimate, curves: IncidenceCurves, column: int, times: Floats) -> Iterator[Estimate]:
    for time in times:
        place = int(np.searchsorted(curves.time, time, side="right")) - 1
        at_risk = int(curves.at_risk[curves.time >= time][0]) if time <= curves.time[-1] else 0
        found = replace(row, term=f"{time:.6g}", n=at_risk, events=int(curves.events[: place + 1, column].sum()))
        if time > curves.time[-1]:
            yield replace(found, estimate=None)
        elif place < 0:
            yield replace(found, estimate=0.0)
        else:
            share, low, high = (band[place, column] for band in (curves.incidence, curves.low, curves.high))
            yield replace(found, estimate=_known(share), low=_known(low), high=_known(high))


def _test(base: Estimate, info: FactorInfo, groups: Sequence[Group]) -> Iterator[Estimate]:
    """Yield the log-rank test over the levels of a factor; a competing event ends follow-up there.

    Its P value is that of many patients: where a group is too small for a curve there is none.
    """
    own = [group for group in groups if group.factor == info.name]
    if len(own) < 2 or any(_is_small(group) for group in own):
        return
    time, cause = (np.concatenate(parts) for parts in zip(*((g.time, g.cause) for g in own), strict=True))
    member = np.repeat(np.arange(len(own)), [group.time.size for group in own])
    found = compare_survival(time, cause == 1, member)
    yield replace(
        base,
        measure="logrank",
        factor=info.name,
        method="logrank",
        term=f"{found.df} df",
        estimate=_known(found.chisq),
        p=_known(found.p),
        n=time.size,
        events=int((cause == 1).sum()),
    )


def _notes(table: TimeTable, factors: Sequence[FactorInfo], groups: Sequence[Group]) -> Iterator[Note]:
    labels = {info.name: info.label for info in factors}
    for info in factors:
        missing = table.frame[info.name].null_count()
        if missing:
            who, have = ("patient", "has") if missing == 1 else ("patients", "have")
            text = f"{missing} {who} without a value of {info.label} {have} no curve by it."
            yield _note(table, text, info.name)
        yield from _too_small(table, info, groups)
    for group in groups:
        events = int((group.cause == 1).sum())
        if group.factor and events < FEW_EVENTS:
            counted = f"{events} {'event' if events == 1 else 'events'}"
            of = f"{group.time.size} {'patient' if group.time.size == 1 else 'patients'}"
            text = f"{labels[group.factor]}, {group.level}: {counted} in {of}; "
            few = "no curve is shown." if _is_small(group) else "their curve says little."
            yield _note(table, f"{text}{few}", group.factor)


def _is_small(group: Group) -> bool:
    return group.time.size < FEWEST_IN_CURVE


def _too_small(table: TimeTable, info: FactorInfo, groups: Sequence[Group]) -> Iterator[Note]:
    """Say why the groups by a factor were not compared."""
    own = [group for group in groups if group.factor == info.name]
    small = [f"{group.level}, {group.time.size}" for group in own if _is_small(group)]
    if small and len(own) > 1:
        text = (
            f"The groups by {info.label} were not compared: some have fewer than {FEWEST_IN_CURVE} patients "
            f"({'; '.join(small)}), in whom the log-rank test’s P value does not hold."
        )
        yield _note(table, text, info.name)


def find_steps(time: Floats, event: Bools) -> tuple[Floats, tuple[str, ...]]:
    """Return the times that tell a curve: 0, those of events and the last; or an even grid, and that it is one.

    Examples
    --------
    >>> time = np.array([2.5, 1.0, 4.0, 2.5])
    >>> find_steps(time, np.array([True, True, False, False]))
    (array([0. , 1. , 2.5, 4. ]), ())
    """
    steps = np.unique(time[event])
    if steps.size > MOST_STEPS:
        return np.linspace(0.0, float(time.max()), MOST_STEPS), ("equally_spaced",)
    told = {f"{at:.6g}": at for at in (0.0, *steps.tolist(), float(time.max()))}  # as the term of a row says it
    return np.array(list(told.values())), ()


def _limits(found: object) -> dict[str, float | None]:
    return {name: _known(getattr(found, name)) for name in ("estimate", "low", "high")}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _note(table: TimeTable, text: str, factor: str | None = None) -> Note:
    return Note(about="survival", landmark=table.landmark, model=table.name, factor=factor, text=text)


def told(error: InputError) -> str:
    """Return why the data cannot carry an analysis, in one clause."""
    return "; ".join(f"{problem.where} {problem.found}".strip() for problem in error.problems)
