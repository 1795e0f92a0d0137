"""Cox models of a follow-up: the table of hazard ratios, and a figure of whether they are constant over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, exists, mark, number, p_value, ratio, right, runs
from rarefactor.report._effects import MARKS, Effect
from rarefactor.report._hazards_plot import Bend, draw_hazards
from rarefactor.report._plot import Sheet, write_png, write_svg
from rarefactor.report._source import Source
from rarefactor.report.format import format_count, format_fixed
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Row, Runs, Table, Text
from rarefactor.results import Estimate
from rarefactor.spec import FollowUp

_SEPARATED = (
    " Everyone, or nobody, on one side had the event first: the partial likelihood rises for ever and no finite "
    "maximum-likelihood estimate exists; the Firth estimate is finite, but rests on few patients "
)
_SPARSE = " Sparse: fewer than 5 events on a side, or fewer than 10 events per parameter."
_NOT_CONVERGED = " Part of a fit that did not converge; the estimate may be inexact."


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
    """Yield the heading, table, figure and notes of a Cox model."""
    yield Heading(text=f"Cox model “{model.words}”", anchor=f"cox-{model.follow_up}-{model.name}", level=2)
    effects = list(_effects(model))
    if effects:
        yield _tabulate(model, effects)
        bends = [bend for effect in effects if (bend := _bend(model, effect)).smooth]
        if bends:
            yield _figure(model, bends)
    yield from notes


def _effects(model: CoxModel) -> Iterator[Effect]:
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
    interval = f"{100 * model.source.study.analysis.level:g}% CI"
    top = [cell(), right(), cell("Maximum likelihood", align="center", span=2), cell("Firth", align="center", span=2)]
    names = ["Events/n", f"HR ({interval})", "P", f"HR ({interval})", "P"]
    if model.imputations:
        top.append(right("Complete cases"))
        names.append(f"HR ({interval})")
    widths = (28, 9, 18, 7, 18, 7, 18, 9) if model.imputations else (36, 10, 20, 8, 20, 8, 10)
    return Table(
        name=f"cox-{model.follow_up}-{model.name}",
        number=1,
        caption=f"Cox model “{model.words}” of “{model.spec.label}”",
        header=(
            Row(cells=(*top, right())),
            Row(cells=(cell("Factor"), *(right(name) for name in (*names, "P constant")))),
        ),
        rows=tuple(_rows(model, effects)),
        widths=widths,
        footnotes=(_size(model), _footnote(model), *_flag_footnotes(effects)),
    )


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
            one = right("1 (reference)")
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
    parts: list[Inline | str] = [number(analysed, format_count(analysed.estimate) if analysed else ""), " patients"]
    if model.imputations:
        parts += [" (", number(complete, format_count(complete.estimate) if complete else ""), " with every factor; "]
        parts += [f"missing values imputed {model.imputations} times)"]
    parts += [", ", number(events, format_count(events.estimate) if events else ""), " events"]
    if per:
        parts += [", ", number(per, format_fixed(per.estimate, 1)), " events per parameter"]
    return runs(*parts, ".")


def _footnote(model: CoxModel) -> Runs:
    pooled = model.imputations is not None
    what = "confidence interval" if pooled else "profile interval; P, likelihood-ratio test"
    parts: list[Inline | str] = [f"HR, hazard ratio; CI, {what}. "]
    if pooled:
        parts += ["Maximum likelihood is pooled by Rubin’s rules ", cite("barnard1999")]
        parts += [", Firth’s penalised partial likelihood ", cite("heinze2001"), " by its profiles "]
        parts += [cite("heinze2013"), "; complete cases by Firth. "]
    else:
        parts += ["Firth: penalised partial likelihood ", cite("heinze2001"), ". "]
    parts += ["P constant: test of whether the hazard ratio is constant over time ", cite("grambsch1994")]
    parts += [", pooled over the imputations ", cite("li1991")] if pooled else []
    whole = _checks(model, None)
    parts += ["; of all together P ", p_value(whole[0])] if whole else []
    return runs(*parts, ".")


def _flag_footnotes(effects: Sequence[Effect]) -> tuple[Runs, ...]:
    found = {flag for effect in effects for flag in effect.flags}
    texts: dict[str, tuple[Inline | str, ...]] = {
        "separated": (_SEPARATED, cite("heinze2001"), "."),
        "sparse": (_SPARSE,),
        "not_converged": (_NOT_CONVERGED,),
    }
    return tuple(runs(mark(MARKS[flag]), *texts[flag]) for flag in MARKS if flag in found)


def _bend(model: CoxModel, effect: Effect) -> Bend:
    parts = {"factor": effect.info.name, "term": effect.term}
    return Bend(
        label=effect.label,
        smooth=model.rows("hazard_ratio_over_time", **parts),
        points=model.rows("hazard_ratio_of_deaths", **parts),
        fitted=effect.ml.estimate if effect.ml and exists(effect.ml) else None,
    )


def _figure(model: CoxModel, bends: Sequence[Bend]) -> Figure:
    level = model.source.study.analysis.level
    unit = f"{model.spec.unit.capitalize()} from {model.source.visit(model.landmark)}"
    caption = runs(
        Text(f"Hazard ratios of “{model.words}” over time. ", "strong"),
        "The smooth of the scaled Schoenfeld residuals ",
        cite("grambsch1994"),
        " over 1 minus survival, on a log scale; constant hazard ratios follow the dashed line. Hollow points lie "
        "further out.",
    )
    told = (f"{bend.label}: from {_first(bend.smooth)} to {_first(bend.smooth[::-1])}." for bend in bends)
    alt = f"Hazard ratios over time in {model.spec.unit}, each with its band. {' '.join(told)}"
    return make_figure(f"hazards-{model.follow_up}-{model.name}", caption, alt, draw_hazards(bends, unit, level))


def _first(rows: Sequence[Estimate]) -> str:
    return f"{format_fixed(rows[0].estimate, 2)} at {format_fixed(float(rows[0].group or 0), 1)}"


def make_figure(name: str, caption: Runs, alt: str, sheet: Sheet) -> Figure:
    """Return a figure of a sheet; its number is given where it stands."""
    return Figure(
        name=name,
        number=1,
        caption=caption,
        alt=alt,
        svg=write_svg(sheet, name),
        png=write_png(sheet),
        width_mm=sheet.width,
        height_mm=sheet.height,
    )
