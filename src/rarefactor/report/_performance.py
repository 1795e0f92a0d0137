"""The section on how well the models predict: measures, size, stability, and what selection by P values would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, number, right, runs
from rarefactor.report._plot import write_png, write_svg
from rarefactor.report._risk_curves import benefit_rows, draw_risk_curves, has_curves
from rarefactor.report._source import Source
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, ModelInfo

_MEASURES = {
    "auc": ("Area under the ROC curve (AUC)", 2),
    "brier": ("Brier score", 3),
    "brier_scaled": ("Scaled Brier score", 2),
    "calibration_intercept": ("Calibration intercept", 2),
    "calibration_slope": ("Calibration slope", 2),
}
_RISKS = {
    "flic": (
        "Firth’s penalty, which serves odds ratios, draws predicted risks towards one half; risks are therefore "
        "predicted with the intercept corrected so that they are right on average (FLIC) "
    ),
    "flac": (
        "Firth’s penalty, which serves odds ratios, draws predicted risks towards one half; risks are therefore "
        "predicted from data to which the penalty was added as marked pseudo-patients, whose mark is left out when "
        "predicting, so that they are right on average (FLAC) "
    ),
    "firth": (
        "Risks are those of Firth’s regression as it is, as the study file asks. Its penalty draws them towards one "
        "half, so that they are not right on average; FLIC and FLAC correct that "
    ),
}
SUPPOSED = {"r2_default": "15% of the largest R², the default", "r2_corrected": "as the corrected AUC says"}


def write_performance(source: Source) -> Iterator[Block]:
    """Return the section on the performance of the models, empty where there is none."""
    models = [model for model in source.results.models if _model_row(source, model, "parameters")]
    if not models:
        return
    yield Heading(text="Performance of the models", anchor="performance")
    yield Paragraph(runs=_introduction(source))
    for model in models:
        yield from _write_model(source, model)
    if any(_model_row(source, model, "required_n", "r2_default") for model in models):
        yield tabulate_size(source, models)


def _write_model(source: Source, model: ModelInfo) -> Iterator[Block]:
    yield Heading(text=f"Risks by the model “{model.label}”", anchor=f"performance-{model.name}", level=2)
    yield Paragraph(runs=_size_sentences(source, model))
    if _model_row(source, model, "mean_risk", "firth"):
        yield Paragraph(runs=_mean_sentences(source, model))
    if _model_row(source, model, "auc", "apparent"):
        yield tabulate_performance(source, model)
    if has_curves(source, model):
        yield _curves_figure(source, model)
    notes = source.notes("performance", landmark=model.landmark, model=model.name)
    own = tuple(runs(note.text) for note in notes if note.model == model.name)
    if own:
        yield Note(title="About these risks", items=own)


def tabulate_performance(source: Source, model: ModelInfo) -> Table:
    """Return the measures of one model: apparent, optimism, corrected, and .632+."""
    level = f"{100 * source.study.analysis.level:g}%"
    heads = (f"Apparent ({level} CI)", "Optimism", f"Corrected ({level} CI)", ".632+")
    return Table(
        name=f"performance-{model.name}",
        number=0,
        caption=f"Performance of the model “{model.label}”, from {source.visit(model.landmark)}",
        header=(Row(cells=(cell("Measure"), *(right(head) for head in heads))),),
        rows=tuple(_measure_row(source, model, measure) for measure in _MEASURES),
        widths=(32, 22, 12, 22, 12),
        footnotes=(_performance_footnote(source, model),),
    )


def _measure_row(source: Source, model: ModelInfo, measure: str) -> Row:
    label, decimals = _MEASURES[measure]
    methods = ("apparent", "optimism", "optimism_corrected", "plus632")
    found = (_model_row(source, model, measure, method) for method in methods)
    return Row(cells=(cell(label), *(right(number(row, _with_limits(row, decimals))) for row in found)))


def _performance_footnote(source: Source, model: ModelInfo) -> Runs:
    drawn = _model_row(source, model, "resamples")
    parts: list[Inline | str] = [
        (
            "AUC: 0.5 is chance, 1 perfect, with DeLong’s interval. Brier score: mean squared error of the risks, "
            "lower is better; scaled: 0 is no better than the overall risk for all. Calibration: intercept 0 and slope "
            "1 are perfect; a slope below 1 means risks that are too extreme."
        )
    ]
    if drawn:
        failed = _model_row(source, model, "resamples_failed")
        parts += [" Corrected over ", number(drawn, format_count(drawn.estimate)), " resamples"]
        if failed and failed.estimate:
            parts += [", of which ", number(failed, format_count(failed.estimate)), " gave no model"]
        parts += [" ", cite("harrell1996"), "; the calibration of a model in its own resample hardly varies, so that "]
        parts.append("no interval goes with its correction.")
    return runs(*parts)


def tabulate_size(source: Source, models: list[ModelInfo]) -> Table:
    """Return how many patients the models would need, and what the patients at hand support."""
    heads = ("n", "n needed", "Events needed", "Parameters", "Supported", "Shrinkage")
    return Table(
        name="size",
        number=0,
        caption="Patients that risk models of this size need, and the size that these patients support",
        header=(Row(cells=(cell("Model and what it is supposed to explain"), *(right(head) for head in heads))),),
        rows=tuple(row for model in models for row in _size_rows(source, model)),
        widths=(34, 8, 12, 14, 12, 11, 11),
        footnotes=(
            runs(
                "Criteria of Riley et al. ",
                cite("riley2019", "riley2020"),
                ": expected shrinkage of at least 0.9, optimism in R² of at most 5%, overall risk known to ±5 "
                "percentage points. R²: Nagelkerke’s. Supported: the largest number of parameters that meets the first "
                "two. Shrinkage: what the model is to expect (1 is none).",
            ),
        ),
    )


def _size_rows(source: Source, model: ModelInfo) -> Iterator[Row]:
    yield Row(cells=(cell(model.label, span=7),), kind="head")
    for method, words in SUPPOSED.items():
        needed = _model_row(source, model, "required_n", method)
        if needed is None:
            continue
        find = partial(_model_row, source, model)
        r2 = find("nagelkerke_r2", method)
        label = cell(
            f"{words[:1].upper()}{words[1:]} (R² ", number(r2, format_fixed(r2.estimate if r2 else None, 2)), ")"
        )
        shown = (
            number(needed, format_count(needed.n)),
            _shown(needed, format_count),
            _shown(find("required_events", method), format_count),
            _shown(find("parameters"), format_count),
            _shown(find("supported_parameters", method), format_count),
            _shown(find("expected_shrinkage", method), partial(format_fixed, decimals=2)),
        )
        yield Row(cells=(label, *(right(item) for item in shown)), kind="level")


def _size_sentences(source: Source, model: ModelInfo) -> Runs:
    """Return what the size of the study allows, in plain sentences."""
    find = partial(_model_row, source, model)
    ratio, needed = find("events_per_parameter"), find("required_n", "r2_default")
    sizes = [row for method in SUPPOSED if (row := find("required_n", method))]
    parts: list[Inline | str] = []
    if ratio and needed:
        parts += ["The model has ", _shown(ratio, partial(format_fixed, decimals=1))]
        parts += [" events (or non-events) per parameter. "]
        parts += ["Riley’s criteria ask for n = ", _shown(needed, format_count), " where the model explains what is "]
        parts += ["supposed by default, and there are ", number(needed, format_count(needed.n)), " patients. "]
        few = any("too_few" in row.flags for row in sizes)
        support = "not supported" if few else "not ruled out by its size"
        parts.append(Text(f"A risk calculator from this model is {support} by these data. ", "strong"))
    moved = find("mape")
    if moved:
        parts += ["Had other patients been in the study, the predicted risk of the same patient would have been "]
        parts += [_percentage_points(moved), " away from the one given here, on average over patients and resamples "]
        parts += ["(mean absolute prediction error)."]
    return runs(*parts) if parts else runs("Nothing can be said about the risks of this model.")


def _mean_sentences(source: Source, model: ModelInfo) -> Runs:
    """Say what the correction of Firth's risks did: their mean and calibration in the large, before and after."""
    used = source.study.analysis.risk
    raw, chosen = (_model_row(source, model, "mean_risk", method) for method in ("firth", used))
    before, after = (_model_row(source, model, "calibration_in_the_large", method) for method in ("firth", used))
    share = raw.events / raw.n if raw and raw.n and raw.events is not None else None
    parts: list[Inline | str] = ["By Firth’s regression as it is the mean risk is ", _as_percent(raw)]
    parts += [", where ", number(raw, f"{format_percent(share, 100)}%"), " had the outcome"]
    parts += [" (calibration in the large ", number(before, _with_limits(before, 2)), ")"]
    if used != "firth":
        parts += [f"; by {used.upper()} it is ", _as_percent(chosen), " ("]
        parts += [number(after, _with_limits(after, 2)), ")"]
    others = [name for name in ("flic", "flac") if name != used]
    for name in others:
        parts += [f", by {name.upper()} ", _as_percent(_model_row(source, model, "mean_risk", name))]
    return runs(*parts, ".")


def _as_percent(row: Estimate | None) -> Inline:
    return number(row, f"{format_percent(row.estimate if row else None, 100)}%")


def _introduction(source: Source) -> Runs:
    parts: list[Inline | str] = [_RISKS[source.study.analysis.risk]]
    parts += [cite("puhr2017"), ". Apparent performance is that in the patients from whom the model was made; "]
    parts.append("corrected performance is what may be expected in others like them.")
    if source.study.analysis.selection:
        parts.append(" Factors were selected as the study file asks, anew in every resample.")
    return runs(*parts)


def _curves_figure(source: Source, model: ModelInfo) -> Figure:
    sheet = draw_risk_curves(source, model)
    name = f"performance-{model.name}"
    _, corrected = benefit_rows(source, model)
    solid = "corrected for optimism (shaded: intervals) and apparent, " if corrected else "with intervals, "
    apparent = "a and b" if corrected else "a to c"
    caption = runs(
        Text(f"Risks by the model “{model.label}”. ", "strong"),
        "a, apparent ROC curve. b, observed against predicted risk with pointwise intervals; dashed: perfect. "
        f"c, net benefit of acting on the risk, {solid}against acting on all or on none ",
        cite("vickers2006", *(["vickers2008"] if corrected else [])),
        ". d, instability: risks that the models of the resamples give to patients in groups of similar risk (line: "
        f"range of most, dot: median) against the risk of the model; {apparent} are in the patients from whom it was "
        "made ",
        cite("riley2023"),
        ".",
    )
    size = {"width_mm": sheet.width, "height_mm": sheet.height}
    return Figure(
        name=name,
        number=0,
        caption=caption,
        alt=_alt(source, model),
        svg=write_svg(sheet, name),
        png=write_png(sheet),
        **size,
    )


def _alt(source: Source, model: ModelInfo) -> str:
    auc, slope = (_model_row(source, model, measure, "apparent") for measure in ("auc", "calibration_slope"))
    moved = _model_row(source, model, "mape")
    told = [
        f"ROC curve with an apparent AUC of {_with_limits(auc, 2)}",
        f"calibration curve with a slope of {_with_limits(slope, 2)}",
        "decision curve",
        f"instability plot with a mean absolute error of {format_fixed(moved.estimate, 2)}" if moved else "",
    ]
    return f"Four panels: {'; '.join(part for part in told if part)}."


def _model_row(source: Source, model: ModelInfo, measure: str, method: str | None = None) -> Estimate | None:
    return source.row("performance", measure, landmark=model.landmark, model=model.name, method=method)


def _with_limits(row: Estimate | None, decimals: int) -> str:
    if row is None:
        return EMPTY
    show = partial(format_fixed, decimals=decimals)
    interval = "" if row.low is None or row.high is None else f" ({format_range(row.low, row.high, show)})"
    return f"{show(row.estimate)}{interval}"


def _shown(row: Estimate | None, show: Callable[[float | None], str]) -> Inline:
    return number(row, show(row.estimate) if row else EMPTY)


def _percentage_points(row: Estimate) -> Inline:
    return number(row, f"{format_fixed(100 * (row.estimate or 0.0), 0)} percentage points")
