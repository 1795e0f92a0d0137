"""The lines of the summary on Cox models: the markers whose hazard ratio excludes 1, with patients and events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._cells import joined, linked, number
from rarefactor.report._cox import CoxModel, cox_effects
from rarefactor.report._effects import Effect, side
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_range, format_ratio
from rarefactor.report.tree import Runs
from rarefactor.results import Estimate
from rarefactor.spec import lower_first

_WORDS = Words("summary")
_SIDES = {1: "hazard_higher", -1: "hazard_lower"}


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


def tell_events(row: Estimate | None, events: float | None) -> Runs:
    """Return how many events a model rests on."""
    return _WORDS.runs("events", count=events, n=number(row, format_count(events)))


def _model(model: CoxModel, effects: Sequence[Effect]) -> Runs:
    markers = [effect for effect in effects if effect.info.role == "marker"]
    found = {one: [_named(model.source, each) for each in markers if side(each.firth) == one] for one in _SIDES}
    clauses = [_WORDS.runs(_SIDES[one], effects=joined(named)) for one, named in found.items() if named]
    analysed, events = model.row("analysed"), model.row("events")
    return _WORDS.runs(
        "hazards_of_model",
        model=model.words,
        findings=linked(clauses, ", ") or _WORDS.runs("hazard_open"),
        analysed=number(analysed, format_count(analysed.estimate) if analysed else ""),
        events=tell_events(events, events.estimate if events else None),
    )


def _named(source: Source, effect: Effect) -> Runs:
    row = effect.firth
    if row is None:
        return ()
    interval = format_range(row.low, row.high, format_ratio)
    shown = _WORDS.text("hazard_ratio", estimate=format_ratio(row.estimate), interval=source.interval, range=interval)
    return _WORDS.runs("effect", label=lower_first(effect.label), ratio=number(row, shown))
