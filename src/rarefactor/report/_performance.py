"""The section on how well the models predict: measures, size, stability, and what selection by P values would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, head, linked, number, right, runs
from rarefactor.report._drawn import make_figure
from rarefactor.report._risk_curves import benefit_rows, draw_risk_curves, has_curves
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_percent, format_range
from rarefactor.report.tree import Block, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table
from rarefactor.results import DEFAULT_NAGELKERKE, LEAST_SHRINKAGE, Estimate, ModelInfo

_WORDS, _SHARED = Words("performance"), Words("words")
_DECIMALS = {"auc": 2, "brier": 3, "brier_scaled": 2, "calibration_intercept": 2, "calibration_slope": 2}
_SHARE = f"{100 * DEFAULT_NAGELKERKE:g}"
_SUPPOSED = ("r2_default", "r2_corrected")


def write_performance(source: Source) -> Iterator[Block]:
    """Return the section on the performance of the models, empty where there is none."""
    models = [model for model in source.results.models if _model_row(source, model, "parameters")]
    if not models:
        return
    yield Heading(text=_WORDS.text("heading"), anchor="performance")
    yield Paragraph(runs=_introduction(source))
    for model in models:
        yield from _write_model(source, model)
    if any(_model_row(source, model, "required_n", "r2_default") for model in models):
        yield tabulate_size(source, models)


def _write_model(source: Source, model: ModelInfo) -> Iterator[Block]:
    yield Heading(text=_WORDS.text("heading_model", model=model.label), anchor=f"performance-{model.name}", level=2)
    yield Paragraph(runs=_size_sentences(source, model))
    if _model_row(source, model, "mean_risk", "firth"):
        yield Paragraph(runs=_mean_sentences(source, model))
    if _model_row(source, model, "auc", "apparent"):
        yield tabulate_performance(source, model)
    notes = source.notes("performance", landmark=model.landmark, model=model.name)
    own = tuple(runs(note.text) for note in notes if note.model == model.name)
    if own:
        yield Note(title=_WORDS.text("notes"), items=own)
    if has_curves(source, model):
        yield _curves_figure(source, model)


def tabulate_performance(source: Source, model: ModelInfo) -> Table:
    """Return the measures of one model: apparent, optimism, corrected, and .632+."""
    return Table(
        name=f"performance-{model.name}",
        number=0,
        caption=_WORDS.text("caption", model=model.label, visit=source.visit(model.landmark)),
        header=(head(*_WORDS.items("heads", interval=source.interval)),),
        rows=tuple(_measure_row(source, model, measure) for measure in _DECIMALS),
        widths=(32, 22, 12, 22, 12),
        footnotes=(_performance_footnote(source, model),),
    )


def _measure_row(source: Source, model: ModelInfo, measure: str) -> Row:
    label, decimals = _WORDS.names("measures")[measure], _DECIMALS[measure]
    methods = ("apparent", "optimism", "optimism_corrected", "plus632")
    found = (_model_row(source, model, measure, method) for method in methods)
    return Row(cells=(cell(label), *(right(number(row, _with_limits(row, decimals))) for row in found)))


def _performance_footnote(source: Source, model: ModelInfo) -> Runs:
    return linked([_WORDS.runs("measures_footnote"), _resamples(source, model)])


def _resamples(source: Source, model: ModelInfo) -> Runs:
    """Say over how many resamples the measures were corrected."""
    drawn, failed = (_model_row(source, model, measure) for measure in ("resamples", "resamples_failed"))
    if drawn is None:
        return ()
    without = failed and failed.estimate
    told = _WORDS.runs("resamples_failed", failed=_shown(failed, format_count)) if without else ()
    return _WORDS.runs("resamples", drawn=_shown(drawn, format_count), failed=told, harrell=cite("harrell1996"))


def tabulate_size(source: Source, models: list[ModelInfo]) -> Table:
    """Return how many patients the models would need, and what the patients at hand support."""
    return Table(
        name="size",
        number=0,
        caption=_WORDS.text("sizes_caption"),
        header=(head(*_WORDS.items("sizes_heads")),),
        rows=tuple(row for model in models for row in _size_rows(source, model)),
        widths=(34, 8, 12, 14, 12, 11, 11),
        footnotes=(
            _WORDS.runs("sizes_footnote", least=format_fixed(LEAST_SHRINKAGE, 2), riley=cite("riley2019", "riley2020")),
        ),
    )


def _size_rows(source: Source, model: ModelInfo) -> Iterator[Row]:
    yield Row(cells=(cell(model.label, span=7),), kind="head")
    for method in _SUPPOSED:
        needed = _model_row(source, model, "required_n", method)
        if needed is None:
            continue
        find = partial(_model_row, source, model)
        r2 = _shown(find("nagelkerke_r2", method), partial(format_fixed, decimals=2))
        shown = (
            number(needed, format_count(needed.n)),
            _shown(needed, format_count),
            _shown(find("required_events", method), format_count),
            _shown(find("parameters"), format_count),
            _shown(find("supported_parameters", method), format_count),
            _shown(find("expected_shrinkage", method), partial(format_fixed, decimals=2)),
        )
        label = _WORDS.runs(f"supposed_{method}", r2=r2, supposed=_SHARE)
        yield Row(cells=(cell(*label), *(right(item) for item in shown)), kind="level")


def _size_sentences(source: Source, model: ModelInfo) -> Runs:
    """Return what the size of the study allows, in plain sentences."""
    moved = _model_row(source, model, "mape")
    told = _WORDS.runs("moved", moved=_percentage_points(moved)) if moved else ()
    return linked([_needed(source, model), told]) or _WORDS.runs("nothing")


def _needed(source: Source, model: ModelInfo) -> Runs:
    """Say how many patients the model needs, and whether the data support a calculator."""
    find = partial(_model_row, source, model)
    ratio, needed = find("events_per_parameter"), find("required_n", "r2_default")
    if ratio is None or needed is None:
        return ()
    few = any("too_few" in row.flags for method in _SUPPOSED if (row := find("required_n", method)))
    size = _WORDS.runs(
        "size",
        ratio=_shown(ratio, partial(format_fixed, decimals=1)),
        needed=_shown(needed, format_count),
        supposed=_SHARE,
        n=number(needed, format_count(needed.n)),
    )
    return linked([size, _WORDS.runs("size_too_few" if few else "size_not_ruled_out")])


def _mean_sentences(source: Source, model: ModelInfo) -> Runs:
    """Say what the correction of Firth's risks did: their mean and calibration in the large, before and after."""
    used = source.study.analysis.risk
    mean, calibration = _mean(source, model, "firth")
    raw = _model_row(source, model, "mean_risk", "firth")
    share = raw.events / raw.n if raw and raw.n and raw.events is not None else None
    return _WORDS.runs(
        "mean",
        mean=mean,
        share=number(raw, f"{format_percent(share, 100)}%"),
        calibration=calibration,
        used=() if used == "firth" else _used(source, model, used),
        others=[run for name in ("flic", "flac") if name != used for run in _other(source, model, name)],
    )


def _used(source: Source, model: ModelInfo, method: str) -> Runs:
    mean, calibration = _mean(source, model, method)
    return _WORDS.runs("mean_used", method=method.upper(), mean=mean, calibration=calibration)


def _other(source: Source, model: ModelInfo, method: str) -> Runs:
    return _WORDS.runs("mean_other", method=method.upper(), mean=_mean(source, model, method)[0])


def _mean(source: Source, model: ModelInfo, method: str) -> tuple[Inline, Inline]:
    """Return the mean risk by a method, and how far it is from the share with the outcome."""
    risk, large = (_model_row(source, model, measure, method) for measure in ("mean_risk", "calibration_in_the_large"))
    mean = number(risk, f"{format_percent(risk.estimate if risk else None, 100)}%")
    return mean, number(large, _with_limits(large, 2))


def _introduction(source: Source) -> Runs:
    risks = _WORDS.runs(f"risks_{source.study.analysis.risk}", puhr=cite("puhr2017"))
    selected = _WORDS.runs("selected") if source.study.analysis.selection else ()
    return linked([risks, _WORDS.runs("apparent_and_corrected"), selected])


def _curves_figure(source: Source, model: ModelInfo) -> Figure:
    _, corrected = benefit_rows(source, model)
    shown, level = "corrected" if corrected else "apparent", source.study.analysis.level
    caption = _WORDS.runs(
        "figure",
        low=f"{50 - 50 * level:g}",
        high=f"{50 + 50 * level:g}",
        model=model.label,
        curves=_WORDS.text(f"curves_{shown}"),
        vickers=cite("vickers2006", *(["vickers2008"] if corrected else [])),
        panels=_WORDS.text(f"panels_{shown}"),
        riley=cite("riley2023"),
    )
    draw = partial(draw_risk_curves, source, model)
    return make_figure(source, f"performance-{model.name}", caption, _alt(source, model), draw)


def _alt(source: Source, model: ModelInfo) -> str:
    auc, slope = (_model_row(source, model, measure, "apparent") for measure in ("auc", "calibration_slope"))
    moved = _model_row(source, model, "mape")
    instability = _WORDS.text("alt_instability", error=format_fixed(moved.estimate, 2)) if moved else ""
    known = slope is not None and slope.estimate is not None
    told = _WORDS.text("alt_slope", slope=_with_limits(slope, 2)) if known else ""
    return _WORDS.text("alt", auc=_with_limits(auc, 2), slope=told, instability=instability)


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
    return number(row, _WORDS.text("percentage_points", points=format_fixed(100 * (row.estimate or 0.0), 0)))
