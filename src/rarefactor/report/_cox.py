"""Cox models of a follow-up: the table of hazard ratios, and a figure of whether they are constant over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import (
    cell,
    count_events,
    count_patients,
    exists,
    head,
    linked,
    mark,
    number,
    p_value,
    ratio,
    right,
)
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import MARKS, Effect
from rarefactor.report._hazards_plot import Bend, draw_hazards, lie_beyond
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_fixed
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Row, Runs, Table
from rarefactor.results import FEW_EVENTS, FEW_EVENTS_PER_PARAMETER, Estimate
from rarefactor.spec import FollowUp, upper_first

_WORDS = Words("cox")
_SPARSE = {"on_a_side": str(FEW_EVENTS), "per_parameter": str(FEW_EVENTS_PER_PARAMETER)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxModel:
    """A Cox model of the study file, with the rows that belong to it."""

    source: Source
    follow_up: str
    name: str
    spec: FollowUp
    landmark: str

    @property
    def address(self) -> str:
        """The model of the rows."""
        return f"{self.follow_up}.{self.name}"

    @property
    def words(self) -> str:
        """What the model is called."""
        return self.name.replace("_", " ")

    def row(self, measure: str, *, analysis: str = "survival", **parts: str | None) -> Estimate | None:
        """Return a row of this model."""
        return self.source.row(analysis, measure, landmark=self.landmark, model=self.address, **parts)

    def rows(self, measure: str, **parts: str | None) -> tuple[Estimate, ...]:
        """Return the rows of this model with these parts."""
        return self.source.results.select(
            analysis="survival", measure=measure, landmark=self.landmark, model=self.address, **parts
        )

    @property
    def imputations(self) -> int | None:
        """How often missing values were filled in."""
        analysed = self.row("analysed")
        return analysed.imputations if analysed else None


def write_cox(model: CoxModel, notes: Iterable[Block]) -> Iterator[Block]:
    """Yield the heading, table, notes and figure of a Cox model."""
    heading = _WORDS.text("heading", model=model.words)
    yield Heading(text=heading, anchor=f"cox-{model.follow_up}-{model.name}", level=2)
    effects = list(cox_effects(model))
    if effects:
        yield _tabulate(model, effects)
    yield from notes
    bends = [bend for effect in effects if (bend := _bend(model, effect)).smooth]
    if bends:
        yield _figure(model, bends)


def list_cox_models(source: Source) -> Iterator[tuple[FollowUp, tuple[CoxModel, ...]]]:
    """Yield the endpoints of the study with their Cox models, as far as time was analysed."""
    if not source.results.select(analysis="survival"):
        return
    for name, spec in source.study.follow_up.items():
        at = source.study.landmark_of_follow_up(spec)
        named = ({"follow_up": name, "name": model} for model in spec.models)
        yield spec, tuple(CoxModel(source=source, spec=spec, landmark=at, **names) for names in named)


def cox_effects(model: CoxModel) -> Iterator[Effect]:
    """Yield the hazard ratios of a Cox model in the order of the study file."""
    for name in model.spec.models[model.name]:
        info = model.source.factor(name)
        present = [level for level in info.ordered if model.row("level", factor=name, group=level)]
        for term in info.compared or (info.term,):
            ml, firth = (model.row("hazard_ratio", factor=name, term=term, method=method) for method in ("ml", "firth"))
            if ml or firth:
                counted = model.row("level", factor=name, group=term) or firth or ml
                reference = next(iter(present), "")
                yield Effect(info=info, term=term, reference=reference, ml=ml, firth=firth, logf=None, counted=counted)


def _tabulate(model: CoxModel, effects: Sequence[Effect]) -> Table:
    return Table(
        name=f"cox-{model.follow_up}-{model.name}",
        number=1,
        caption=_WORDS.text("caption", model=model.words, label=model.spec.label),
        header=_header(model),
        rows=tuple(_rows(model, effects)),
        widths=(28, 9, 18, 7, 18, 7, 18, 9) if model.imputations else (36, 10, 20, 8, 20, 8, 10),
        footnotes=(_size(model), _footnote(model), *_flag_footnotes(effects)),
    )


def _header(model: CoxModel) -> tuple[Row, Row]:
    methods = (cell(_WORDS.text(name), align="center", span=2) for name in ("ml", "firth"))
    more = (right(_WORDS.text("complete_cases")),) if model.imputations else ()
    names = _WORDS.items("heads_imputed" if model.imputations else "heads", interval=model.source.interval)
    return (Row(cells=(cell(), right(), *methods, *more, right())), head(*names))


def _rows(model: CoxModel, effects: Sequence[Effect]) -> Iterator[Row]:
    """Yield a row for each hazard ratio; a factor with several has a head with the test of all of them."""
    for name, group in groupby(effects, key=lambda effect: effect.info.name):
        own = list(group)
        if len(own) == 1:
            yield _row(model, own[0], own[0].label, "body")
            continue
        joint = next((row for row in _checks(model, name) if row.term not in own[0].info.levels), None)
        width = 7 if model.imputations else 6
        yield Row(cells=(cell(own[0].info.label, span=width), right(p_value(joint))), kind="head")
        yield from _level_rows(model, own)


def _level_rows(model: CoxModel, own: Sequence[Effect]) -> Iterator[Row]:
    by_term = {effect.term: effect for effect in own}
    for level in own[0].info.levels:
        if level in by_term:
            yield _row(model, by_term[level], level, "level")
        elif level == own[0].reference:
            counted = model.row("level", factor=own[0].info.name, group=level)
            shown = f"{format_count(counted.events)}/{format_count(counted.n)}" if counted else ""
            one = right(_WORDS.text("reference"))
            more = (one,) if model.imputations else ()
            cells = (cell(level), right(number(counted, shown)), one, right(), one, right(), *more, right())
            yield Row(cells=cells, kind="level")


def _checks(model: CoxModel, factor: str | None) -> tuple[Estimate, ...]:
    return model.rows("proportional_hazards", factor=factor)


def _row(model: CoxModel, effect: Effect, label: str, kind: str) -> Row:
    parts = {"factor": effect.info.name, "term": effect.term}
    check = model.row("proportional_hazards", **parts)
    marks = (mark(MARKS[flag]) for flag in effect.flags)
    estimates = (shown for row in (effect.ml, effect.firth) for shown in (right(ratio(row)), right(p_value(row))))
    more: tuple[Cell, ...] = ()
    if model.imputations:
        alone = model.row("hazard_ratio", analysis="sensitivity", group="complete_cases", method="firth", **parts)
        more = (right(ratio(alone)),)
    counts = right(number(effect.counted, effect.counts))
    cells = (cell(label, *marks), counts, *estimates, *more, right(p_value(check)))
    return Row(cells=cells, kind="level" if kind == "level" else "body")


def _size(model: CoxModel) -> Runs:
    analysed, complete, events, per = (
        model.row(name) for name in ("analysed", "complete_cases", "events", "events_per_parameter")
    )
    ratio_of_events = number(per, format_fixed(per.estimate, 1)) if per else None
    return _WORDS.runs(
        "size",
        analysed=count_patients(analysed, analysed.estimate if analysed else None),
        imputed=_imputed(model, complete),
        events=count_events(events, events.estimate if events else None),
        per_parameter=_WORDS.runs("size_per_parameter", ratio=ratio_of_events) if ratio_of_events else (),
    )


def _counted(row: Estimate | None) -> Inline:
    return number(row, format_count(row.estimate) if row else "")


def _imputed(model: CoxModel, complete: Estimate | None) -> Runs:
    if not model.imputations:
        return ()
    return _WORDS.runs("size_imputed", complete=_counted(complete), imputations=str(model.imputations))


def _footnote(model: CoxModel) -> Runs:
    pooled = model.imputations is not None
    papers = {"barnard": cite("barnard1999"), "heinze": cite("heinze2001"), "profiles": cite("heinze2013")}
    whole = _checks(model, None)
    constant = _WORDS.runs(
        "constant",
        grambsch=cite("grambsch1994"),
        pooled=_WORDS.runs("constant_pooled", li=cite("li1991")) if pooled else (),
        together=_WORDS.runs("constant_together", p=p_value(whole[0])) if whole else (),
    )
    return linked([_WORDS.runs("estimates_imputed" if pooled else "estimates", **papers), constant])


def _flag_footnotes(effects: Sequence[Effect]) -> tuple[Runs, ...]:
    found = {flag for effect in effects for flag in effect.flags}
    flags = (flag for flag in MARKS if flag in found)
    return tuple(
        _WORDS.runs(f"flag_{flag}", mark=mark(MARKS[flag]), **_SPARSE, heinze=cite("heinze2001")) for flag in flags
    )


def _bend(model: CoxModel, effect: Effect) -> Bend:
    parts = {"factor": effect.info.name, "term": effect.term}
    return Bend(
        label=effect.label,
        smooth=model.rows("hazard_ratio_over_time", **parts),
        points=model.rows("hazard_ratio_of_events", **parts),
        fitted=effect.ml.estimate if effect.ml and exists(effect.ml) else None,
    )


def _figure(model: CoxModel, bends: Sequence[Bend]) -> Figure:
    level, visit = model.source.study.analysis.level, model.source.visit(model.landmark)
    unit = _WORDS.text("axis", unit=upper_first(model.spec.unit), visit=visit)
    hollow = _WORDS.runs("hollow") if any(lie_beyond(bend) for bend in bends) else ()
    caption = _WORDS.runs("figure", model=model.words, grambsch=cite("grambsch1994"), hollow=hollow)
    told = (
        _WORDS.text("alt_curve", factor=bend.label, first=_first(bend.smooth), last=_first(bend.smooth[::-1]))
        for bend in bends
    )
    alt = _WORDS.text("alt", unit=model.spec.unit, curves=" ".join(told))
    times = tuple(float(row.term or 0) for row in _at_risk(model))
    draw = partial(draw_hazards, bends, unit, level, times)
    return make_figure(model.source, f"hazards-{model.follow_up}-{model.name}", caption, alt, draw)


def _at_risk(model: CoxModel) -> tuple[Estimate, ...]:
    """Return the times at which the follow-up counts those at risk, for one look at all its axes."""
    return model.source.results.select(
        analysis="survival", measure="at_risk", model=model.follow_up, factor=None, group="all"
    )


def _first(rows: Sequence[Estimate]) -> str:
    time = format_fixed(float(rows[0].group or 0), 1)
    return _WORDS.text("alt_point", ratio=format_fixed(rows[0].estimate, 2), time=time)
