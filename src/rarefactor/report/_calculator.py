"""The section on the risk of a next patient: the equation of a model that may be used, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, head, linked, number, right, runs
from rarefactor.report._drawn import make_figure
from rarefactor.report._nomogram import draw_nomogram, typical_column
from rarefactor.report._source import Source
from rarefactor.report._why_not import draw_need
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import DEFAULT_NAGELKERKE, LEAST_SHRINKAGE, Estimate, RiskFactor, RiskModel, RiskSize, RiskTerm

_WORDS, _SHARED = Words("calculator"), Words("words")
_SUPPOSED, _LEAST = f"{100 * DEFAULT_NAGELKERKE:g}", format_fixed(LEAST_SHRINKAGE, 2)
_TIMES, _LOGS = " × ", {2.0: "log₂", 10.0: "log₁₀"}


def write_calculator(source: Source) -> Iterator[Block]:
    """Return the section on risk models, empty where no model was specified."""
    told = tuple(note for note in source.results.notes if note.about == "risk_model")
    if not source.risk_models and not told:
        return
    yield Heading(text=_WORDS.text("heading"), anchor="risk-model")
    yield Paragraph(runs=_introduction(source))
    if source.risk_models:
        yield Paragraph(runs=_two_risks(source))
    for model in source.risk_models:
        heading = _WORDS.text("heading_model", model=model.label)
        yield Heading(text=heading, anchor=f"risk-model-{model.name}", level=2)
        yield from _allowed(source, model) if model.allowed else _refused(source, model)
    refused = [model for model in source.risk_models if not model.allowed and model.size]
    if refused:
        yield _need_figure(source, refused)
    if told:
        yield Note(title=_WORDS.text("none_exist"), items=tuple(runs(note.text) for note in told))


def _two_risks(source: Source) -> Runs:
    """Say which risks are those whose performance is told, and which those of the risk models."""
    folder = Text("risk_models", "code")
    shrunken = [model for model in source.risk_models if model.shrinkage is not None and model.shrinkage < 1.0]
    if not shrunken:
        return _WORDS.runs("two_risks_same", folder=folder)
    times = [
        _WORDS.runs("two_risks_shrinkage", model=model.label, shrinkage=_shrinkage(source, model)) for model in shrunken
    ]
    method = _WORDS.names("risk_methods")[source.study.analysis.risk]
    counts = _WORDS.runs("two_risks_counts") if any(model.allowed for model in source.risk_models) else ()
    shrinkage = linked(times, _SHARED.text("comma"))
    told = _WORDS.runs("two_risks", method=method, shrinkage=shrinkage, folder=folder)
    return linked([told, counts])


def _shrinkage(source: Source, model: RiskModel) -> Inline:
    row = next(iter(source.results.select(analysis="risk_model", measure="shrinkage", model=model.name)), None)
    return number(row, format_fixed(model.shrinkage, 2))


def calculator_methods(source: Source) -> Iterator[Runs]:
    """Return how risk models were made, and when one is refused; nothing without a model."""
    if source.risk_models:
        riley = cite("riley2019", "riley2020", "riley2021")
        yield _WORDS.runs("methods", supposed=_SUPPOSED, steyerberg=cite("steyerberg2001"), riley=riley)


def tabulate_coefficients(source: Source, model: RiskModel) -> Table:
    """Return the coefficients of a model as fitted and shrunken, with the ranges seen and a typical patient."""
    coefficients = _coefficients(source, model, None, "intercept")
    intercept = Row(cells=(cell(_WORDS.text("intercept")), *coefficients, right(), right()))
    return Table(
        name=f"risk-model-{model.name}",
        number=0,
        caption=_WORDS.text("caption", model=model.label),
        header=(head(*_WORDS.items("heads")),),
        rows=(intercept, *(_term_row(source, model, term) for term in model.terms)),
        widths=(42, 14, 14, 16, 14),
        footnotes=(_table_footnote(source, model),),
    )


def _introduction(source: Source) -> Runs:
    return _WORDS.runs(
        "introduction",
        which=_which(source.risk_models),
        folder=Text("risk_models", "code"),
        command=Text("rarefactor predict", "code"),
        riley=cite("riley2019", "riley2020"),
    )


def _which(models: Sequence[RiskModel]) -> Runs:
    """Say which models may be used, and which are for research only."""
    allowed = _names(model for model in models if model.allowed)
    refused = _names(model for model in models if not model.allowed)
    if not allowed:
        return _WORDS.runs("none_allowed")
    return _WORDS.runs("allowed_and_refused" if refused else "allowed", models=allowed, refused=refused)


def _names(models: Iterable[RiskModel]) -> str:
    return _SHARED.text("comma").join(_WORDS.text("model", model=model.label) for model in models)


def _allowed(source: Source, model: RiskModel) -> Iterator[Block]:
    yield Paragraph(runs=_WORDS.runs("valid_for", patients=model.valid_for))
    yield Paragraph(runs=_equation(source, model))
    yield Paragraph(runs=_example(source, model))
    yield tabulate_coefficients(source, model)
    yield Paragraph(runs=_performance(source, model))
    caption = _WORDS.runs("nomogram", model=model.label)
    alt = _WORDS.text("nomogram_alt", n=len(model.factors))
    yield make_figure(source, f"nomogram-{model.name}", caption, alt, partial(draw_nomogram, model))


def _refused(source: Source, model: RiskModel) -> Iterator[Block]:
    items = [*_too_few(source, model), *(runs(each.text) for each in model.reasons if each.name != "too_few")]
    yield Note(title=_WORDS.text("refused"), items=tuple(items))


def _too_few(source: Source, model: RiskModel) -> Iterator[Runs]:
    for method in ("r2_default", "r2_corrected"):
        needed = _performance_row(source, model, "required_n", method)
        if needed is None or "too_few" not in needed.flags:
            continue
        shrinkage = _performance_row(source, model, "expected_shrinkage", method)
        yield _WORDS.runs(
            f"too_few_{method}",
            parameters=_counted(_performance_row(source, model, "parameters")),
            needed=_counted(needed),
            events=_counted(_performance_row(source, model, "required_events", method)),
            n=number(needed, format_count(needed.n)),
            n_events=number(needed, format_count(needed.events)),
            supported=_counted(_performance_row(source, model, "supported_parameters", method)),
            shrinkage=number(shrinkage, format_fixed(shrinkage.estimate if shrinkage else None, 2)),
            supposed=_SUPPOSED,
            least=_LEAST,
        )


def _counted(row: Estimate | None) -> Inline:
    return number(row, format_count(row.estimate if row else None))


def _equation(source: Source, model: RiskModel) -> Runs:
    levels = _WORDS.runs("equation_levels") if any(factor.levels for factor in model.factors) else ()
    names = tuple(_variable(model, term) for term in model.terms)
    return _WORDS.runs("equation", sum=_sum(source, model, names), levels=levels)


def _sum(source: Source, model: RiskModel, columns: Sequence[str]) -> Runs:
    """Return the log odds as a sum: the intercept, and each slope times what stands in its column."""
    parts = [_coefficient(source, model, None, "intercept", "shrunken")]
    for term, column in zip(model.terms, columns, strict=True):
        row = _row(source, model, "coefficient", term.factor, term.term, "shrunken")
        sign = Text(" − " if term.shrunken < 0 else " + ")
        parts += [sign, number(row, format_fixed(abs(term.shrunken), 3)), Text(f"{_TIMES}{column}")]
    return tuple(parts)


def _example(source: Source, model: RiskModel) -> Runs:
    """Return the equation worked out for a patient whose every value is typical of the cohort."""
    risk, log_odds, n = _typical_row(source, model, "risk"), _typical_row(source, model, "log_odds"), model.population.n
    columns = (format_fixed(typical_column(model.factor(term.factor), term), 2) for term in model.terms)
    return _WORDS.runs(
        "example",
        sum=_sum(source, model, tuple(column.removesuffix(".00") for column in columns)),
        log_odds=number(log_odds, format_fixed(log_odds.estimate if log_odds else None, 2)),
        risk=number(risk, f"{format_percent(risk.estimate if risk else None, n)}%"),
        interval=_interval(risk, model),
        share=number(risk, f"{format_percent(model.mean_risk, n)}%"),
    )


def _interval(risk: Estimate | None, model: RiskModel) -> Runs:
    if risk is None or risk.low is None or risk.high is None:
        return ()
    shown = format_range(risk.low, risk.high, lambda value: format_percent(value, model.population.n))
    name = _SHARED.text("interval", level=f"{100 * model.level:g}")
    return _WORDS.runs("example_interval", name=name, range=number(risk, shown))


def _variable(model: RiskModel, term: RiskTerm) -> str:
    """Return the words for a column of the model, such as ``log₂(Serum bilirubin in mg/dl)``."""
    factor = model.factor(term.factor)
    if factor.levels:
        plain = term.term.casefold() == "yes"
        return f"[{factor.label}]" if plain else f"[{factor.label}: {term.term}]"
    named = _WORDS.text("in_unit", factor=factor.label, unit=factor.unit) if factor.unit else factor.label
    if factor.transform == "log":
        log = _LOGS.get(factor.step)
        return f"{log}({named})" if log else f"ln({named}) / ln({factor.step:g})"
    return f"({named})" if factor.step == 1.0 else f"({named} / {factor.step:g})"


def _term_row(source: Source, model: RiskModel, term: RiskTerm) -> Row:
    factor = model.factor(term.factor)
    seen = f"{factor.low:g}–{factor.high:g}" if factor.low is not None and factor.high is not None else ""
    return Row(
        cells=(
            cell(_variable(model, term)),
            *_coefficients(source, model, term.factor, term.term),
            right(seen),
            right(_typical(factor)),
        )
    )


def _typical(factor: RiskFactor) -> str:
    return factor.typical if isinstance(factor.typical, str) else f"{factor.typical:g}"


def _typical_row(source: Source, model: RiskModel, measure: str) -> Estimate | None:
    where = {"landmark": _landmark(source, model), "model": model.name}
    return source.row("risk_model", measure, group="typical", **where)


def _coefficients(source: Source, model: RiskModel, factor: str | None, term: str) -> Iterator[Cell]:
    for method in (model.method, "shrunken"):
        yield right(_coefficient(source, model, factor, term, method))


def _coefficient(source: Source, model: RiskModel, factor: str | None, term: str, method: str) -> Inline:
    row = _row(source, model, "coefficient", factor, term, method)
    return number(row, format_fixed(row.estimate if row else None, 3))


def _table_footnote(source: Source, model: RiskModel) -> Runs:
    factor = _row(source, model, "shrinkage", None, None, None)
    shrinkage = number(factor, format_fixed(factor.estimate if factor else None, 3))
    return _WORDS.runs("footnote", method=model.method.upper(), shrinkage=shrinkage)


def _performance(source: Source, model: RiskModel) -> Runs:
    def shown(measure: str, decimals: int) -> Inline:
        row = _performance_row(source, model, measure, "optimism_corrected")
        return number(row, format_fixed(row.estimate if row else None, decimals))

    slope = shown("calibration_slope", 2)
    return _WORDS.runs("performance", auc=shown("auc", 2), slope=slope, brier=shown("brier", 3))


def _need_figure(source: Source, models: Sequence[RiskModel]) -> Figure:
    caption = _WORDS.runs("need", least=_LEAST, riley=cite("riley2019", "riley2020"))
    told = "; ".join(_in_words(model, size) for model in models for size in model.size)
    alt = _WORDS.text("need_alt", models=told)
    return make_figure(source, "risk-models-need", caption, alt, partial(draw_need, models))


def _in_words(model: RiskModel, size: RiskSize) -> str:
    return _WORDS.text(
        "need_alt_model",
        model=model.label,
        supposed=size.supposed,
        needed=size.n,
        n=model.population.n,
        shrinkage=f"{size.expected_shrinkage:.2f}",
    )


def _landmark(source: Source, model: RiskModel) -> str:
    return next(info.landmark for info in source.results.models if info.name == model.name)


def _row(
    source: Source, model: RiskModel, measure: str, factor: str | None, term: str | None, method: str | None
) -> Estimate | None:
    where = {"landmark": _landmark(source, model), "model": model.name}
    return source.row("risk_model", measure, factor=factor, term=term, method=method, **where)


def _performance_row(source: Source, model: RiskModel, measure: str, method: str | None = None) -> Estimate | None:
    return source.row("performance", measure, landmark=_landmark(source, model), model=model.name, method=method)
