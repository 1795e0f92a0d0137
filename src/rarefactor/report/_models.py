"""The tables of odds ratios: factors one by one, and the models that the study file specifies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, mark, number, p_value, ratio, right, runs
from rarefactor.report._effects import MARKS, Effect, model_effects, risk, univariable_effects
from rarefactor.report._source import Source
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_range
from rarefactor.report.tree import Cell, Inline, Number, Row, Runs, Table, Text
from rarefactor.results import Estimate, ModelInfo

_UNIVARIABLE_INTERVALS = "Maximum likelihood with Wald’s intervals and tests, as they are mostly reported. "
_MODEL_INTERVALS = "Maximum likelihood with profile intervals and likelihood-ratio tests. "
_SEPARATED = (
    " Separated: the factor predicts the outcome perfectly in some group of patients, so that no finite "
    "maximum-likelihood estimate exists; the Firth estimate is finite, but rests on few patients "
)
_SPARSE = (
    " Sparse: fewer than 5 patients in a cell of the factor with the outcome, or fewer than 10 events (or non-events) "
    "per parameter; estimates may lie too far from 1 "
)
_NOT_CONVERGED = " The fit did not converge and its numbers are left out "
_FLAG_NOTES = {
    "separated": (_SEPARATED, "heinze2002"),
    "sparse": (_SPARSE, "greenland2016"),
    "not_converged": (_NOT_CONVERGED, "heinze2006"),
}


def tabulate_univariable(source: Source, landmark: str, number_of_table: int) -> Table:
    """Return the table of the factors one by one at a landmark, with counts and risks."""
    effects = univariable_effects(source, landmark)
    rows = [
        row
        for _, group in groupby(effects, key=lambda effect: effect.info.name)
        for row in _univariable_rows(source, landmark, list(group))
    ]
    return Table(
        name=f"univariable-{landmark}",
        number=number_of_table,
        caption=f"Univariable associations with “{source.outcome.label}”: factors known at {source.visit(landmark)}",
        header=_univariable_header(source),
        rows=tuple(rows),
        widths=(29, 10, 16, 20, 8, 20, 8),
        footnotes=(_abbreviations(_UNIVARIABLE_INTERVALS), *_flag_footnotes(effects)),
    )


def tabulate_model(source: Source, model: ModelInfo, number_of_table: int) -> Table:
    """Return the table of one multivariable model: maximum likelihood, Firth and log-F(2,2) side by side."""
    effects = model_effects(source, model)
    return Table(
        name=f"multivariable-{model.name}",
        number=number_of_table,
        caption=f"Multivariable model “{model.label}” of “{source.outcome.label}”, from {source.visit(model.landmark)}",
        header=_model_header(source),
        rows=tuple(_model_rows(effects)),
        widths=(32, 18, 7, 18, 7, 18, 7),
        footnotes=(
            _fitted_on(source, model),
            _abbreviations(_MODEL_INTERVALS),
            _prior(),
            *_flag_footnotes(effects),
        ),
    )


def model_number(source: Source, model: ModelInfo, measure: str) -> Estimate | None:
    """Return a number about a whole model, such as its events per parameter."""
    return source.row("multivariable", measure, landmark=model.landmark, model=model.name)


def _interval(source: Source) -> str:
    return f"{100 * source.study.analysis.level:g}% CI"


def _univariable_header(source: Source) -> tuple[Row, Row]:
    interval = _interval(source)
    top = (cell(), right(), right(), cell("Maximum likelihood", align="center", span=2))
    names = ("Events/n", f"Risk, %\n({interval})", f"OR ({interval})", "P", f"OR ({interval})", "P")
    return (
        Row(cells=(*top, cell("Firth", align="center", span=2))),
        Row(cells=(cell("Factor"), *(right(name) for name in names))),
    )


def _model_header(source: Source) -> tuple[Row, Row]:
    interval = _interval(source)
    methods = (cell(name, align="center", span=2) for name in ("Maximum likelihood", "Firth", "Log-F(2,2)"))
    names = (f"OR ({interval})", "P") * 3
    return (Row(cells=(cell(), *methods)), Row(cells=(cell("Factor"), *(right(name) for name in names))))


def _univariable_rows(source: Source, landmark: str, effects: Sequence[Effect]) -> Iterator[Row]:
    info = effects[0].info
    if not info.levels:
        yield _effect_row(effects[0], (right(_counts(effects[0].counted)), right(EMPTY)), effects[0].label, "head")
        return
    test = source.row("univariable", "factor_test", landmark=landmark, factor=info.name, method="firth")
    yield Row(cells=(cell(info.label, span=6), right(p_value(test) if test else "")), kind="head")
    by_term = {effect.term: effect for effect in effects}
    for level in info.levels:
        if level in by_term:
            counts = _risk_cells(source, landmark, risk(source, landmark, info, level))
            yield _effect_row(by_term[level], counts, level, "level")
        elif level == effects[0].reference:
            yield _reference_row(source, landmark, effects[0])


def _reference_row(source: Source, landmark: str, effect: Effect) -> Row:
    info, level = effect.info, effect.reference
    risks = _risk_cells(source, landmark, risk(source, landmark, info, level))
    one = right("1 (reference)")
    return Row(cells=(cell(level), *risks, one, right(), one, right()), kind="level")


def _effect_row(effect: Effect, counts: Sequence[Cell], label: str, kind: str) -> Row:
    marks = (mark(MARKS[flag]) for flag in effect.flags)
    methods = (effect.ml, effect.firth) if counts else (effect.ml, effect.firth, effect.logf)
    estimates = (shown for row in methods for shown in (right(ratio(row)), right(p_value(row))))
    cells = (cell(label, *marks), *counts, *estimates)
    return Row(cells=cells, kind="head" if kind == "head" else "level")


def _risk_cells(source: Source, landmark: str, row: Estimate | None) -> tuple[Cell, Cell]:
    if row is None:
        return right(EMPTY), right(EMPTY)
    interval = format_range(row.low, row.high, lambda value: source.percent(row, value, landmark))
    shown = EMPTY if row.estimate is None else f"{source.percent(row, row.estimate, landmark)} ({interval})"
    return right(_counts(row)), right(number(row, shown))


def _counts(row: Estimate | None) -> Inline:
    if row is None or row.n is None or row.events is None:
        return Text(EMPTY)
    return Number(f"{format_count(row.events)}/{format_count(row.n)}", row.id)


def _model_rows(effects: Sequence[Effect]) -> Iterator[Row]:
    roles = {"marker": "Markers", "adjuster": "Adjusters"}
    for role, title in roles.items():
        chosen = [effect for effect in effects if effect.info.role == role]
        if chosen:
            yield Row(cells=(cell(title, span=7),), kind="head")
            yield from (_effect_row(effect, (), effect.label, "level") for effect in chosen)


def _fitted_on(source: Source, model: ModelInfo) -> Runs:
    patients, analysed, complete, ratio_row = (
        model_number(source, model, measure)
        for measure in ("patients", "analysed", "complete_cases", "events_per_parameter")
    )
    parts: list[Inline | str] = ["Analysed: ", number(analysed, format_count(analysed.estimate) if analysed else "")]
    parts += [
        " of ",
        number(patients, format_count(patients.estimate) if patients else ""),
        " patients with an outcome",
    ]
    if analysed and analysed.imputations:
        parts += [" (", number(complete, format_count(complete.estimate) if complete else ""), " with every factor; "]
        parts += [f"missing values imputed {analysed.imputations} times)"]
    if analysed and analysed.events is not None:
        parts += [", ", number(analysed, format_count(analysed.events)), " events"]
    if ratio_row:
        parts += [", ", number(ratio_row, format_fixed(ratio_row.estimate, 1)), " events per parameter"]
    parts += [
        ". Adjusters are in the model for the sake of the markers; their odds ratios are not estimates of an effect ",
        cite("westreich2013"),
        ".",
    ]
    return runs(*parts)


def _prior() -> Runs:
    return runs(
        "Log-F(2,2): a weak prior that puts each odds ratio between 1/39 and 39 with 95% probability ",
        cite("greenland2015"),
        ". With imputation, maximum likelihood is pooled by Rubin’s rules ",
        cite("barnard1999"),
        ", the others by their profiles ",
        cite("heinze2013"),
        ".",
    )


def _abbreviations(intervals: str) -> Runs:
    return runs(
        f"OR, odds ratio; CI, confidence interval. {intervals}Firth: penalised likelihood ",
        cite("firth1993"),
        " with profile intervals and penalised likelihood-ratio tests ",
        cite("heinze2002"),
        "; ∞, the bound does not exist.",
    )


def _flag_footnotes(effects: Iterable[Effect]) -> tuple[Runs, ...]:
    found = {flag for effect in effects for flag in effect.flags}
    notes = ((MARKS[flag], *_FLAG_NOTES[flag]) for flag in MARKS if flag in found)
    return tuple(runs(mark(sign), text, cite(key), ".") for sign, text, key in notes)
