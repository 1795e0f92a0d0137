"""The lines of the summary on Cox models: the hazard ratios of the markers, with patients and events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._cells import linked, number
from rarefactor.report._cox import CoxModel, cox_effects, list_cox_models
from rarefactor.report._effects import Effect
from rarefactor.report._source import Source
from rarefactor.report._summary_effects import tell_events, tell_sides
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.report.tree import Runs

_WORDS = Words("summary")


def tell_hazards(source: Source, *, open_ones: bool) -> Iterator[Runs]:
    """Yield a line for each endpoint that has Cox models with an estimate; ``open_ones`` as in ``tell_sides``."""
    for spec, models in list_cox_models(source):
        told = [
            _model(model, effects, open_ones=open_ones) for model in models if (effects := list(cox_effects(model)))
        ]
        if told:
            yield _WORDS.runs("hazards", endpoint=spec.label, models=linked(told, "; "))


def _model(model: CoxModel, effects: Sequence[Effect], *, open_ones: bool) -> Runs:
    markers = [effect for effect in effects if effect.info.role == "marker"]
    analysed, events = model.row("analysed"), model.row("events")
    return _WORDS.runs(
        "hazards_of_model",
        model=model.words,
        findings=tell_sides(model.source, markers, "HR", open_ones=open_ones),
        analysed=number(analysed, format_count(analysed.estimate) if analysed else ""),
        events=tell_events(events, events.estimate if events else None),
    )
