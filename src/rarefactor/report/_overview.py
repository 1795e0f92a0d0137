"""One figure of what all models say of each marker: the picture beside the summary.

Convention: a column is a model, a row a marker (of several levels each against the reference); estimates are Firth's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rarefactor.report._cells import exists
from rarefactor.report._cox import cox_effects, list_cox_models
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import Effect, model_effects
from rarefactor.report._models import model_number
from rarefactor.report._overview_plot import Column, draw_overview
from rarefactor.report._source import Source
from rarefactor.report._summary_effects import tell_sides
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.report.tree import Figure, text_of
from rarefactor.results import Estimate

_WORDS = Words("overview")
_MOST = 5  # models for which there is room beside one another


def draw_models(source: Source) -> Iterator[Figure]:
    """Yield the figure of the markers in all models, none where there is no model or no room for all of them."""
    if has_overview(source):
        columns = _columns(source)
        alt = _WORDS.text("alt", models=" ".join(_told(source, column) for column in columns))
        caption = _WORDS.runs("caption", level=source.level)
        yield make_figure(source, "overview", caption, alt, partial(draw_overview, columns))


def has_overview(source: Source) -> bool:
    """Whether the models fit beside one another in the figure."""
    return 0 < len(_columns(source)) <= _MOST


def _columns(source: Source) -> tuple[Column, ...]:
    return (*_odds(source), *_hazards(source))


def _odds(source: Source) -> Iterator[Column]:
    for model in source.results.models:
        analysed = model_number(source, model, "analysed") or model_number(source, model, "patients")
        effects = _markers(model_effects(source, model))
        if effects:
            visit = source.visit(model.landmark)
            title = _WORDS.text("model", model=model.label, visit=visit)
            events = analysed.events if analysed else None
            yield Column(title=title, counts=_counts(analysed, events), measure="OR", effects=effects)


def _hazards(source: Source) -> Iterator[Column]:
    for spec, models in list_cox_models(source):
        for model in models:
            effects = _markers(tuple(cox_effects(model)))
            if effects:
                events = model.row("events")
                counts = _counts(model.row("analysed"), events.estimate if events else None)
                title = _WORDS.text("cox_model", endpoint=spec.label, model=model.words)
                yield Column(title=title, counts=counts, measure="HR", effects=effects)


def _markers(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    return tuple(effect for effect in effects if effect.info.role == "marker" and exists(effect.firth))


def _counts(analysed: Estimate | None, events: float | None) -> str:
    n = analysed.estimate if analysed else None
    return _WORDS.text("counts", events=format_count(events), n=format_count(n))


def _told(source: Source, column: Column) -> str:
    findings = text_of(tell_sides(source, column.effects, column.measure))
    return _WORDS.text("told", model=column.title, counts=column.counts, findings=findings)
