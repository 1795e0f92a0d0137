"""The section on follow-up: curves with numbers at risk, what they say at round times, and Cox models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, head, linked, number, p_value, right, runs
from rarefactor.report._cox import CoxModel, write_cox
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import stands_alone
from rarefactor.report._source import Source
from rarefactor.report._survival_plot import Line, draw_survival
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, INFINITY, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import FEWEST_IN_CURVE, Estimate, FactorInfo
from rarefactor.spec import FollowUp, lower_first, upper_first

_WORDS, _SHARED = Words("follow_up"), Words("words")
_COMPETING = "incidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One follow-up of the study file, with the rows that belong to it."""

    source: Source
    name: str
    spec: FollowUp
    landmark: str

    def row(self, measure: str, **parts: str | None) -> Estimate | None:
        """Return a row of this follow-up."""
        return self.source.row("survival", measure, landmark=self.landmark, model=self.name, **parts)

    def rows(self, measure: str, factor: str | None, group: str) -> tuple[Estimate, ...]:
        """Return the rows of a group, in the order of time."""
        return self.source.results.select(
            analysis="survival", model=self.name, measure=measure, factor=factor, group=group
        )

    @property
    def share(self) -> str:
        """What the curves show: survival, or cumulative incidence where an event competes."""
        return _COMPETING if self.spec.competing else "survival"

    def members(self, info: FactorInfo) -> tuple[str, ...]:
        """Return the levels that some patient has, with a curve or without."""
        return tuple(name for name in info.levels if self.row("group", factor=info.name, group=name))

    def groups(self, info: FactorInfo | None) -> tuple[str, ...]:
        """Return the groups that have a curve."""
        names = info.levels if info else ("all",)
        factor = info.name if info else None
        return tuple(name for name in names if self.rows(self.share, factor, name))


def write_follow_up(source: Source) -> Iterator[Block]:
    """Yield the section on follow-up, where the study file asks for one."""
    if not source.results.select(analysis="survival"):
        return
    yield Heading(text=_WORDS.text("heading"), anchor="follow-up")
    for name, spec in source.study.follow_up.items():
        landmark = source.study.landmark_of_follow_up(spec)
        yield from _one(Followed(source=source, name=name, spec=spec, landmark=landmark))


def _one(followed: Followed) -> Iterator[Block]:
    source, spec = followed.source, followed.spec
    yield Heading(text=spec.label, anchor=f"follow-up-{followed.name}", level=2)
    yield Paragraph(runs=_counted(followed))
    known = bool(followed.groups(None))
    if known:
        yield _tabulate(followed)
    yield from _notes(source, followed.name)
    if known:
        yield from (_figure(followed, info) for info in _shown(followed))
    for model in spec.models:
        yield from write_cox(_at(followed, model), _notes(source, f"{followed.name}.{model}"))


def _shown(followed: Followed) -> Sequence[FactorInfo | None]:
    """Return the factors by which curves can be compared; without one, the curve of all patients is drawn."""
    infos = [followed.source.factor(name) for name in followed.spec.by]
    return [info for info in infos if len(followed.groups(info)) > 1] or [None]


def _at(followed: Followed, model: str) -> CoxModel:
    return CoxModel(
        source=followed.source, follow_up=followed.name, name=model, spec=followed.spec, landmark=followed.landmark
    )


def _counted(followed: Followed) -> Runs:
    spec = followed.spec
    patients, events, watched = (followed.row(name) for name in ("patients", "events", "median_follow_up"))
    known = watched is not None and watched.estimate is not None
    time = number(watched, _with_level(followed, watched) if watched else "")
    return _WORDS.runs(
        "counted",
        count=patients.n if patients else None,
        patients=number(patients, format_count(patients.estimate) if patients else ""),
        visit=followed.source.visit(followed.landmark),
        events=number(events, format_count(events.estimate) if events else ""),
        kinds=_kinds(followed),
        competing=_competing(followed),
        median=_WORDS.runs("counted_median", time=time, unit=spec.unit) if known else (),
        watched=_watched(followed),
    )


def _watched(followed: Followed) -> Runs:
    """Say how long patients were followed: the longest, and all of them together."""
    longest, together = followed.row("longest_follow_up"), followed.row("person_time")
    if longest is None or together is None:
        return ()
    times = {"longest": _plain_time(longest), "together": _plain_time(together)}
    return _WORDS.runs("counted_watched", unit=followed.spec.unit, **times)


def _plain_time(row: Estimate) -> Inline:
    return number(row, format_fixed(row.estimate, 1))


def _kinds(followed: Followed) -> Runs:
    """Say how many events were of which kind, where there are several kinds."""
    rows = followed.source.results.select(analysis="survival", model=followed.name, measure="events_of_kind")
    kinds = [
        _WORDS.runs("counted_kind", kind=row.term or "", n=number(row, format_count(row.estimate))) for row in rows
    ]
    return _WORDS.runs("counted_kinds", kinds=linked(kinds, _SHARED.text("comma"))) if kinds else ()


def _competing(followed: Followed) -> Runs:
    row = followed.row("competing_events")
    if row is None or followed.spec.competing is None:
        return ()
    count = number(row, format_count(row.estimate))
    return _WORDS.runs("counted_competing", n=count, event=followed.spec.competing.name)


def _with_level(followed: Followed, row: Estimate) -> str:
    """Return a time with what its interval is, for a sentence."""
    if row.low is None:
        return _time(row)
    upper = format_fixed(row.high, 1) if row.high is not None else INFINITY
    times = {"estimate": format_fixed(row.estimate, 1), "low": format_fixed(row.low, 1), "high": upper}
    return _WORDS.text("with_level", interval=followed.source.interval, **times)


def _time(row: Estimate) -> str:
    """Return a time and its interval; a median that was not reached says so."""
    low = format_fixed(row.low, 1)
    if row.estimate is None:
        return _WORDS.text("not_reached") if row.low is None else _WORDS.text("not_reached_from", low=low)
    high = format_fixed(row.high, 1) if row.high is not None else INFINITY
    return f"{format_fixed(row.estimate, 1)} ({low}–{high})" if row.low is not None else format_fixed(row.estimate, 1)


def _share(row: Estimate | None, n: int | None) -> Inline:
    if row is None or row.estimate is None:
        return Text(EMPTY)
    interval = format_range(row.low, row.high, lambda value: format_percent(value, n))
    return number(row, format_percent(row.estimate, n) + (f" ({interval})" if interval != EMPTY else ""))


def _times(followed: Followed) -> tuple[str, ...]:
    """Return two of the round times, a third and two thirds of the way."""
    terms = [row.term or "" for row in followed.rows(followed.share, None, "all")]
    return tuple(dict.fromkeys((terms[len(terms) // 3], terms[2 * len(terms) // 3])))


def _tabulate(followed: Followed) -> Table:
    spec = followed.spec
    infos = [None, *(followed.source.factor(name) for name in spec.by)]
    rows = [row for info in infos for row in _factor_rows(followed, info)]
    return Table(
        name=f"follow-up-{followed.name}",
        number=1,
        caption=_WORDS.text("caption", label=spec.label, visit=followed.source.visit(followed.landmark)),
        header=(head(*_heads(followed)),),
        rows=tuple(rows),
        widths=(30, 10, *(16,) * (len(_heads(followed)) - 3), 8),
        footnotes=(_footnote(followed),),
    )


def _heads(followed: Followed) -> tuple[str, ...]:
    spec, times = followed.spec, _times(followed)
    of = {"unit": spec.unit, "interval": followed.source.interval}
    shares = tuple(_WORDS.text("share_competing" if spec.competing else "share", time=time, **of) for time in times)
    if spec.competing:
        event = upper_first(spec.competing.name)
        last = (_WORDS.text("competing", event=event, time=times[-1], unit=spec.unit),)
    else:
        until = _until(followed)
        mean = _WORDS.text("mean", until=until, **of) if until else _WORDS.text("mean_unknown", **of)
        last = (_WORDS.text("median", **of), mean)
    return (_WORDS.text("group"), _WORDS.text("events"), *shares, *last, _WORDS.text("p"))


def _factor_rows(followed: Followed, info: FactorInfo | None) -> Iterator[Row]:
    groups = followed.members(info) if info else followed.groups(None)
    width = len(_heads(followed))
    if info is not None and groups:
        test = followed.source.results.select(
            analysis="survival", model=followed.name, measure="logrank", factor=info.name
        )
        yield Row(cells=(cell(info.label, span=width - 1), right(p_value(next(iter(test), None)))), kind="head")
    for group in groups:
        yield _group_row(followed, info, group)


def _group_row(followed: Followed, info: FactorInfo | None, group: str) -> Row:
    factor = info.name if info else None
    counted = followed.row("group", factor=factor, group=group)
    n = counted.n if counted else None
    cells = [right(number(counted, f"{format_count(counted.events)}/{format_count(counted.n)}" if counted else ""))]
    by_time = {row.term: row for row in followed.rows(followed.share, factor, group)}
    cells += [right(_share(by_time.get(time), n)) for time in _times(followed)]
    if followed.spec.competing:
        other = {row.term: row for row in followed.rows("incidence_competing", factor, group)}
        cells.append(right(_share(other.get(_times(followed)[-1]), n)))
    else:
        median = followed.row("median_time", factor=factor, group=group)
        mean = next(iter(followed.rows("restricted_mean", factor, group)), None)
        cells += [right(number(median, _time(median) if median else "")), right(_mean(mean))]
    label = cell(group if info else _WORDS.text("all_patients"))
    return Row(cells=(label, *cells, right("")), kind="level" if info else "head")


def _mean(row: Estimate | None) -> Inline:
    return Text(EMPTY) if row is None else number(row, _time(row))


def _footnote(followed: Followed) -> Runs:
    if followed.spec.competing:
        return _WORDS.runs("footnote_competing", aalen=cite("aalen1978"), mantel=cite("mantel1966"))
    until, fewest = _until(followed), str(FEWEST_IN_CURVE)
    mean = _WORDS.runs("footnote_mean", until=until, unit=followed.spec.unit, fewest=fewest) if until else ()
    papers = {"kaplan": cite("kaplan1958"), "mantel": cite("mantel1966")}
    return _WORDS.runs("footnote", mean=mean, fewest=fewest, **papers)


def _until(followed: Followed) -> str:
    """Return the time up to which restricted means reach, in every group of the table; empty where there are none."""
    rows = followed.rows("restricted_mean", None, "all")
    return rows[0].term or "" if rows else ""


def _figure(followed: Followed, info: FactorInfo | None) -> Figure:
    spec, source = followed.spec, followed.source
    lines = _lines(followed, info)
    across = _WORDS.text("across", unit=upper_first(spec.unit), visit=source.visit(followed.landmark))
    upper = spec.label if spec.competing else lower_first(spec.label)
    up = _WORDS.text("up_competing" if spec.competing else "up", label=upper)
    label = _WORDS.text("by_factor", label=spec.label, factor=lower_first(info.label)) if info else spec.label
    caption = _WORDS.runs(
        "figure_competing" if spec.competing else "figure",
        label=label,
        level=source.level,
        read=_read(lines),
        without=_without(followed, info),
    )
    name = f"follow-up-{followed.name}-{info.name if info else 'all'}"
    return make_figure(source, name, caption, _alt(followed, lines), partial(draw_survival, lines, across, up))


def _read(lines: Sequence[Line]) -> Runs:
    """Say where curves of very many events are read; others step where the events are."""
    grids = [line for line in lines if any("equally_spaced" in row.flags for row in line.points)]
    return _WORDS.runs("read", times=str(len(grids[0].points))) if grids else ()


def _without(followed: Followed, info: FactorInfo | None) -> Runs:
    """Say which groups have no curve."""
    drawn, members = set(followed.groups(info)), followed.members(info) if info else ()
    counted = [followed.row("group", factor=info.name, group=name) for name in members if info and name not in drawn]
    groups = [
        _WORDS.runs("without_group", group=row.group or "", n=number(row, format_count(row.n)))
        for row in counted
        if row
    ]
    fewest = str(FEWEST_IN_CURVE)
    key = "without_competing" if followed.spec.competing else "without"
    return _WORDS.runs(key, groups=linked(groups, _SHARED.text("comma")), fewest=fewest) if groups else ()


def _lines(followed: Followed, info: FactorInfo | None) -> tuple[Line, ...]:
    factor = info.name if info else None
    return tuple(
        Line(
            label=_name(info, group),
            points=followed.rows("curve", factor, group),
            at=followed.rows("at_risk", factor, group),
            told=followed.rows(followed.share, factor, group),
        )
        for group in followed.groups(info)
    )


def _name(info: FactorInfo | None, group: str) -> str:
    """Return what the curve of a group is called; yes or no alone would not say of what."""
    if info is None:
        return _WORDS.text("all_patients")
    answers = any(stands_alone(info, level) == info.label for level in info.levels)
    return stands_alone(info, group) if answers else group


def _alt(followed: Followed, lines: Sequence[Line]) -> str:
    """Return the curves in words: the shares at the round times."""
    told = [_told(line, followed.spec.unit) for line in lines]
    return _WORDS.text("alt_competing" if followed.spec.competing else "alt", curves=" ".join(told))


def _told(line: Line, unit: str) -> str:
    known = [row for row in line.told if row.estimate is not None]
    shares = (_WORDS.text("alt_share", percent=format_percent(row.estimate, row.n), time=row.term) for row in known)
    return _WORDS.text("alt_curve", group=line.label, shares=_SHARED.text("comma").join(shares), unit=unit)


def _notes(source: Source, model: str) -> Iterator[Note]:
    notes = [note for note in source.results.notes if note.about == "survival" and note.model == model]
    if notes:
        yield Note(title=_WORDS.text("notes"), items=tuple(runs(note.text) for note in notes))
