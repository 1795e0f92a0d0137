"""The lines of the summary on Cox models: the hazard ratios of the markers, with patients and events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._cells import linked, number
from rarefactor.report._cox import CoxModel, cox_effects
from rarefactor.report._effects import Effect
from rarefactor.report._source import Source
from rarefactor.report._summary_effects import tell_events, tell_sides
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.report.tree import Runs

_WORDS = Words("summary")


def tell_hazards(source: Source) -> Iterator[Runs]:
    """Yield a line for each endpoint that has Cox models with an estimate."""
    for name, spec in source.study.follow_up.items():
        landmark = source.study.landmark_of_follow_up(spec)
        models = [
            CoxModel(source=source, follow_up=name, name=model, spec=spec, landmark=landmark) for model in spec.models
        ]
        told = [_model(model, effects) for model in models if (effects := list(cox_effects(model)))]
        if told:
            yield _WORDS.runs("hazards", endpoint=spec.label, models=linked(told, "; "))


def _model(model: CoxModel, effects: Sequence[Effect]) -> Runs:
    markers = [effect for effect in effects if effect.info.role == "marker"]
    analysed, events = model.row("analysed"), model.row("events")
    return _WORDS.runs(
        "hazards_of_model",
        model=model.words,
        findings=tell_sides(model.source, markers, "HR"),
        analysed=number(analysed, format_count(analysed.estimate) if analysed else ""),
        events=tell_events(events, events.estimate if events else None),
    )
