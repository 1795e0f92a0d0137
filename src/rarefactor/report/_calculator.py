"""The section on the risk of a next patient: the equation of a model that may be used, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, number, right, runs
from rarefactor.report._nomogram import draw_nomogram, typical_column
from rarefactor.report._plot import Sheet, write_png, write_svg
from rarefactor.report._source import Source
from rarefactor.report._why_not import draw_need
from rarefactor.report.format import format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, RiskFactor, RiskModel, RiskTerm

_SUPPOSED = {"r2_default": "15% of the largest R²", "r2_corrected": "as much as its corrected AUC says"}
_TIMES, _LOGS = " × ", {2.0: "log₂", 10.0: "log₁₀"}


def write_calculator(source: Source) -> Iterator[Block]:
    """Return the section on risk models, empty where no model was specified."""
    told = tuple(note for note in source.results.notes if note.about == "risk_model")
    if not source.risk_models and not told:
        return
    yield Heading(text="Risk of a next patient", anchor="risk-model")
    yield Paragraph(runs=_introduction(source))
    for model in source.risk_models:
        yield Heading(text=f"Risk model “{model.label}”", anchor=f"risk-model-{model.name}", level=2)
        yield from _allowed(source, model) if model.allowed else _refused(source, model)
    refused = [model for model in source.risk_models if not model.allowed and model.size]
    if refused:
        yield _need_figure(refused)
    if told:
        yield Note(title="Models that do not exist", items=tuple(runs(note.text) for note in told))


def calculator_methods(source: Source) -> Iterator[Runs]:
    """Return how risk models were made, and when one is refused; nothing without a model."""
    if not source.risk_models:
        return
    yield runs(
        "For predicting, the coefficients were multiplied by the optimism-corrected calibration slope (uniform "
        "shrinkage, at most 1), and the intercept was fitted anew so that the risks add up to the events ",
        cite("steyerberg2001"),
        ". Intervals of a risk are Wald’s on the log odds, from the covariance before shrinking (with Rubin’s rules "
        "over imputations); they do not hold the error of the shrinkage itself. A model is given for use only if "
        "Riley’s criteria are met, both if it explains 15% of the largest R² and if it explains what goes with its "
        "corrected AUC ",
        cite("riley2019", "riley2020", "riley2021"),
        ", if it was validated by resampling, and if no factor of it separates the outcome. No number of a model "
        "belongs to a single patient: ranges hold the middle 90% of the patients.",
    )


def tabulate_coefficients(source: Source, model: RiskModel) -> Table:
    """Return the coefficients of a model as fitted and shrunken, with the ranges seen and a typical patient."""
    heads = ("As fitted", "Shrunken", "Seen in 90%", "Typical")
    intercept = Row(cells=(cell("Intercept"), *_coefficients(source, model, None, "intercept"), right(), right()))
    return Table(
        name=f"risk-model-{model.name}",
        number=0,
        caption=f"Coefficients (log odds) of the risk model “{model.label}”",
        header=(Row(cells=(cell("Term"), *(right(head) for head in heads))),),
        rows=(intercept, *(_term_row(source, model, term) for term in model.terms)),
        widths=(42, 14, 14, 16, 14),
        footnotes=(_table_footnote(source, model),),
    )


def _introduction(source: Source) -> Runs:
    allowed = [f"“{model.label}”" for model in source.risk_models if model.allowed]
    refused = [f"“{model.label}”" for model in source.risk_models if not model.allowed]
    if allowed:
        first = f"The risk of a next patient may be predicted by: {', '.join(allowed)}. "
        first += f"For research only: {', '.join(refused)}. " if refused else ""
    else:
        first = "These data carry no risk calculator: no model may be used to predict the risk of a next patient. "
    return runs(
        Text(first, "strong"),
        "Every model stands in the folder ",
        Text("risk_models", "code"),
        " beside this report, with definitions, units, ranges and covariance; ",
        Text("rarefactor predict", "code"),
        " reads it, and refuses one that is for research only. How many patients a model needs is said by Riley’s "
        "criteria ",
        cite("riley2019", "riley2020"),
        ".",
    )


def _allowed(source: Source, model: RiskModel) -> Iterator[Block]:
    yield Paragraph(runs=runs(Text("Valid for. ", "strong"), model.valid_for))
    yield Paragraph(runs=_equation(source, model))
    yield Paragraph(runs=_example(source, model))
    yield tabulate_coefficients(source, model)
    yield Paragraph(runs=_performance(source, model))
    caption = runs(
        Text(f"Nomogram of the risk model “{model.label}”. ", "strong"),
        "Read the points above each value of the patient, add them up, and read the risk below the total. Axes cover "
        "the middle 90% of the patients; the equation gives the same risks, with intervals.",
    )
    alt = f"Nomogram with {len(model.factors)} factors; its numbers stand in the table of coefficients."
    yield _figure(f"nomogram-{model.name}", caption, alt, draw_nomogram(model))


def _refused(source: Source, model: RiskModel) -> Iterator[Block]:
    items = [*_too_few(source, model), *(runs(each.text) for each in model.reasons if each.name != "too_few")]
    yield Note(title="No risk calculator is given: for research only", items=tuple(items))


def _too_few(source: Source, model: RiskModel) -> Iterator[Runs]:
    for method, supposed in _SUPPOSED.items():
        needed = _performance_row(source, model, "required_n", method)
        if needed is None or "too_few" not in needed.flags:
            continue
        events, shrinkage, supported = (
            _performance_row(source, model, measure, method)
            for measure in ("required_events", "expected_shrinkage", "supported_parameters")
        )
        parameters = _performance_row(source, model, "parameters")
        yield runs(
            f"If it explains {supposed}, its ",
            number(parameters, format_count(parameters.estimate if parameters else None)),
            " parameters need ",
            number(needed, format_count(needed.estimate)),
            " patients with ",
            number(events, format_count(events.estimate if events else None)),
            " events by Riley’s criteria; there are ",
            number(needed, format_count(needed.n)),
            " with ",
            number(needed, format_count(needed.events)),
            ", which support ",
            number(supported, format_count(supported.estimate if supported else None)),
            ". The shrinkage to expect is ",
            number(shrinkage, format_fixed(shrinkage.estimate if shrinkage else None, 2)),
            " (asked: at least 0.90).",
        )


def _equation(source: Source, model: RiskModel) -> Runs:
    parts: list[Inline | str] = [Text("Log odds = ", "strong")]
    parts.append(_coefficient(source, model, None, "intercept", "shrunken"))
    for term in model.terms:
        row = _row(source, model, "coefficient", term.factor, term.term, "shrunken")
        sign = " − " if term.shrunken < 0 else " + "
        parts += [sign, number(row, format_fixed(abs(term.shrunken), 3)), f"{_TIMES}{_variable(model, term)}"]
    parts += [". ", Text("Risk = 1 / (1 + exp(−log odds)).", "strong")]
    if any(factor.levels for factor in model.factors):
        parts.append(" A level in square brackets is 1 for a patient who has it and else 0.")
    return runs(*parts)


def _example(source: Source, model: RiskModel) -> Runs:
    """Return the equation worked out for a patient whose every value is typical of the cohort."""
    risk, log_odds, n = _typical_row(source, model, "risk"), _typical_row(source, model, "log_odds"), model.population.n
    parts: list[Inline | str] = [Text("For example, ", "strong"), "a patient whose values are typical of the cohort: "]
    parts.append(_coefficient(source, model, None, "intercept", "shrunken"))
    for term in model.terms:
        row = _row(source, model, "coefficient", term.factor, term.term, "shrunken")
        sign = " − " if term.shrunken < 0 else " + "
        column = format_fixed(typical_column(model.factor(term.factor), term), 2)
        parts += [sign, number(row, format_fixed(abs(term.shrunken), 3)), f"{_TIMES}{column.removesuffix('.00')}"]
    parts += [" = ", number(log_odds, format_fixed(log_odds.estimate if log_odds else None, 2)), ", a risk of "]
    parts.append(number(risk, f"{format_percent(risk.estimate if risk else None, n)}%"))
    if risk and risk.low is not None and risk.high is not None:
        shown = format_range(risk.low, risk.high, lambda value: format_percent(value, n))
        parts += [f" ({100 * model.level:g}% CI ", number(risk, shown), ")"]
    share = number(risk, f"{format_percent(model.mean_risk, n)}%")
    return runs(*parts, ". In the cohort ", share, " had the outcome.")


def _variable(model: RiskModel, term: RiskTerm) -> str:
    """Return the words for a column of the model, such as ``log₂(Serum bilirubin in mg/dl)``."""
    factor = model.factor(term.factor)
    if factor.levels:
        plain = term.term.casefold() == "yes"
        return f"[{factor.label}]" if plain else f"[{factor.label}: {term.term}]"
    named = f"{factor.label}{f' in {factor.unit}' if factor.unit else ''}"
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
    return runs(
        f"As fitted: Firth’s regression, {model.method.upper()}. Shrunken: slopes times ",
        number(factor, format_fixed(factor.estimate if factor else None, 3)),
        ", intercept fitted anew; these predict. Typical: median, or most frequent level.",
    )


def _performance(source: Source, model: RiskModel) -> Runs:
    shown: list[Inline | str] = ["Corrected for optimism, its "]
    words = {"auc": "AUC is ", "calibration_slope": ", its calibration slope ", "brier": " and its Brier score "}
    for measure, text in words.items():
        row = _performance_row(source, model, measure, "optimism_corrected")
        shown += [text, number(row, format_fixed(row.estimate if row else None, 3 if measure == "brier" else 2))]
    shown.append(" (see above for intervals and instability); it was not tested in other patients.")
    return runs(*shown)


def _need_figure(models: Sequence[RiskModel]) -> Figure:
    caption = runs(
        Text("Why there is no risk calculator. ", "strong"),
        "Patients that a model needs by Riley’s criteria, for two suppositions on how much it explains, beside the "
        "patients there are; and the shrinkage to expect, where at least 0.9 is asked ",
        cite("riley2019", "riley2020"),
        ".",
    )
    told = "; ".join(
        f"{model.label}, {size.supposed}: {size.n} needed, {model.population.n} there, shrinkage "
        f"{size.expected_shrinkage:.2f}"
        for model in models
        for size in model.size
    )
    return _figure("risk-models-need", caption, f"Two panels with a line per model. {told}.", draw_need(models))


def _figure(name: str, caption: Runs, alt: str, sheet: Sheet) -> Figure:
    size = {"width_mm": sheet.width, "height_mm": sheet.height}
    return Figure(
        name=name, number=0, caption=caption, alt=alt, svg=write_svg(sheet, name), png=write_png(sheet), **size
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
