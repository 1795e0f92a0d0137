"""The tables of odds ratios: factors one by one, and the models that the study file specifies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, count_events, count_patients, linked, mark, number, p_value, ratio, right
from rarefactor.report._effects import COUPLED, MARKS, Effect, model_effects, risk, univariable_effects
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, INFINITY, format_count, format_fixed, format_range
from rarefactor.report.tree import Cell, Inline, Number, Row, Runs, Table, Text, text_of
from rarefactor.results import FEW_EVENTS_PER_PARAMETER, FEW_IN_CELL, Estimate, ModelInfo

_WORDS = Words("models")
_SPARSE = {"in_cell": str(FEW_IN_CELL), "per_parameter": str(FEW_EVENTS_PER_PARAMETER)}
_FLAG_PAPERS = {"separated": "heinze2002", "sparse": "greenland2016", "not_converged": "heinze2006"}


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
        caption=_WORDS.text("univariable_caption", outcome=source.outcome.label, visit=source.visit(landmark)),
        header=_univariable_header(source),
        rows=tuple(rows),
        widths=(29, 10, 16, 20, 8, 20, 8),
        footnotes=(
            _abbreviations(_WORDS.runs("univariable_intervals"), rows),
            *_flag_footnotes(effects),
            *_coupled(source, effects),
        ),
    )


def tabulate_model(source: Source, model: ModelInfo, number_of_table: int) -> Table:
    """Return the table of one multivariable model: maximum likelihood, Firth and log-F(2,2) side by side."""
    effects = model_effects(source, model)
    rows = tuple(_model_rows(effects))
    named = {"model": model.label, "outcome": source.outcome.label, "visit": source.visit(model.landmark)}
    return Table(
        name=f"multivariable-{model.name}",
        number=number_of_table,
        caption=_WORDS.text("model_caption", **named),
        header=_model_header(source),
        rows=rows,
        widths=(32, 18, 7, 18, 7, 18, 7),
        footnotes=(
            _fitted_on(source, model),
            _abbreviations(_intervals(source, model), rows),
            _prior(source, model),
            *_flag_footnotes(effects),
            *_coupled(source, effects),
        ),
    )


def model_number(source: Source, model: ModelInfo, measure: str) -> Estimate | None:
    """Return a number about a whole model, such as its events per parameter."""
    return source.row("multivariable", measure, landmark=model.landmark, model=model.name)


def _univariable_header(source: Source) -> tuple[Row, Row]:
    names = _WORDS.items("univariable_heads", interval=source.interval)
    return (Row(cells=(cell(), right(), right(), *_methods("ml", "firth"))), _heads(names))


def _model_header(source: Source) -> tuple[Row, Row]:
    names = _WORDS.items("model_heads", interval=source.interval)
    return (Row(cells=(cell(), *_methods("ml", "firth", "logf"))), _heads(names * 3))


def _methods(*names: str) -> Iterator[Cell]:
    yield from (cell(_WORDS.text(name), align="center", span=2) for name in names)


def _heads(names: Iterable[str]) -> Row:
    return Row(cells=(cell(_WORDS.text("factor")), *(right(name) for name in names)))


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
    one = right(_WORDS.text("reference"))
    return Row(cells=(cell(level), *risks, one, right(), one, right()), kind="level")


def _effect_row(effect: Effect, counts: Sequence[Cell], label: str, kind: str) -> Row:
    marks = (mark(sign) for sign in effect.signs)
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
    for role in ("marker", "adjuster"):
        chosen = [effect for effect in effects if effect.info.role == role]
        if chosen:
            yield Row(cells=(cell(_WORDS.names("roles")[role], span=7),), kind="head")
            yield from (_effect_row(effect, (), effect.label, "level") for effect in chosen)


def _fitted_on(source: Source, model: ModelInfo) -> Runs:
    patients, analysed, complete, ratio_row = (
        model_number(source, model, measure)
        for measure in ("patients", "analysed", "complete_cases", "events_per_parameter")
    )
    sentence = _WORDS.runs(
        "analysed",
        analysed=_counted(analysed),
        patients=count_patients(patients, patients.estimate if patients else None),
        imputed=_imputed(analysed, complete),
        events=_events(analysed),
        per_parameter=_per_parameter(ratio_row),
    )
    adjusted = any(source.factor(name).role == "adjuster" for name in model.factors)
    return linked([sentence, _WORDS.runs("adjusters", westreich=cite("westreich2013")) if adjusted else ()])


def _counted(row: Estimate | None) -> Inline:
    return number(row, format_count(row.estimate) if row else "")


def _imputed(analysed: Estimate | None, complete: Estimate | None) -> Runs:
    if analysed is None or not analysed.imputations:
        return ()
    return _WORDS.runs("analysed_imputed", complete=_counted(complete), imputations=str(analysed.imputations))


def _events(row: Estimate | None) -> Runs:
    if row is None or row.events is None:
        return ()
    return _WORDS.runs("analysed_events", events=count_events(row, row.events))


def _per_parameter(row: Estimate | None) -> Runs:
    return _WORDS.runs("analysed_per_parameter", ratio=number(row, format_fixed(row.estimate, 1))) if row else ()


def _is_imputed(source: Source, model: ModelInfo) -> bool:
    analysed = model_number(source, model, "analysed")
    return bool(analysed and analysed.imputations)


def _intervals(source: Source, model: ModelInfo) -> Runs:
    """Say what the intervals of maximum likelihood are: those of Rubin's rules where values were imputed."""
    if _is_imputed(source, model):
        return _WORDS.runs("model_intervals_imputed", barnard=cite("barnard1999"))
    return _WORDS.runs("model_intervals")


def _prior(source: Source, model: ModelInfo) -> Runs:
    prior = _WORDS.runs("prior", greenland=cite("greenland2015"))
    pooled = _WORDS.runs("profiles_pooled", heinze=cite("heinze2013")) if _is_imputed(source, model) else ()
    return linked([prior, pooled])


def _abbreviations(intervals: Runs, rows: Iterable[Row]) -> Runs:
    """Explain what the table holds, and the sign of a bound that does not exist where there is one."""
    penalised = _WORDS.runs("penalised", firth=cite("firth1993"), heinze=cite("heinze2002"))
    unbounded = any(INFINITY in text_of(cell.runs) for row in rows for cell in row.cells)
    parts = [_WORDS.runs("abbreviations"), intervals, penalised]
    return linked([*parts, _WORDS.runs("no_bound", sign=INFINITY)] if unbounded else parts)


def _flag_footnotes(effects: Iterable[Effect]) -> tuple[Runs, ...]:
    found = {flag for effect in effects for flag in effect.flags}
    flags = (flag for flag in MARKS if flag in found)
    return tuple(_WORDS.runs(flag, mark=mark(MARKS[flag]), **_SPARSE, paper=cite(_FLAG_PAPERS[flag])) for flag in flags)


def _coupled(source: Source, effects: Iterable[Effect]) -> Iterator[Runs]:
    """Say of the factors that share a variable with the outcome what they share."""
    notes = source.coupled(effect.info.name for effect in effects)
    if notes:
        yield _WORDS.runs("coupled", mark=mark(COUPLED), shared=" ".join(note.text for note in notes))
