"""What the models say together, in a sentence or two that a reviewer accepts.

Convention: a marker is steady where the intervals of Firth's method and of log-F(2,2) lie on one side of 1 in every
model that holds it; one that is not is named with what is open. Nothing is called independent, significant or a cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rarefactor.report._cells import joined, linked
from rarefactor.report._cox import cox_effects, list_cox_models
from rarefactor.report._effects import Effect, model_effects, side
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count
from rarefactor.report.tree import Inline, Number, Runs
from rarefactor.spec import lower_first, upper_first

_WORDS = Words("conclusion")
_STEADY = {1: "higher", -1: "lower"}
_HAZARDS = {1: "hazard_higher", -1: "hazard_lower"}


def conclude(source: Source) -> Runs:
    """Return what all models together say of the markers, and how far that carries; nothing where there is no model."""
    found = _markers(source)
    if not found:
        return ()
    sides = {label: _sides(effects) for label, effects in found.items()}
    agreed = _agreed(source, found, sides)
    return linked([*agreed, _coupled(found, sides), *_hazards(source), *_carries(source)])


def _agreed(source: Source, found: Mapping[str, Sequence[Effect]], sides: Mapping[str, set[int]]) -> Iterator[Runs]:
    """Name the markers whose intervals all lie on one side of 1, those that depend on the model, those left open."""
    for one, word in _STEADY.items():
        steady = [label for label, seen in sides.items() if seen == {one}]
        alone = [label for label in steady if len(found[label]) == 1]
        for key, labels in ((word, [name for name in steady if name not in alone]), (f"{word}_alone", alone)):
            if labels:
                yield _WORDS.runs(key, count=len(labels), markers=_listed(labels, first=True), event=source.event)
    doubtful = [label for label, seen in sides.items() if len(seen) > 1]
    if doubtful:
        yield _WORDS.runs("doubtful", markers=_listed(doubtful))
    undecided = [label for label, seen in sides.items() if seen == {0}]
    if undecided:
        yield _WORDS.runs("undecided", markers=_listed(undecided), event=source.event)


def _hazards(source: Source) -> Iterator[Runs]:
    """Name the markers whose hazard ratio lies on one side of 1 in every Cox model of an endpoint that holds them."""
    for spec, models in list_cox_models(source):
        found: defaultdict[str, list[int]] = defaultdict(list)
        for effect in (effect for model in models for effect in cox_effects(model) if effect.info.role == "marker"):
            found[_name(effect)].append(side(effect.firth))
        sides = {key: [label for label, seen in found.items() if set(seen) == {one}] for one, key in _HAZARDS.items()}
        counted = {label: _WORDS.text("in_cox_models", count=len(found[label]), n=len(found[label])) for label in found}
        told = [_WORDS.runs(key, markers=_listed(labels, counted)) for key, labels in sides.items() if labels]
        if told:
            yield _WORDS.runs("hazards", endpoint=spec.label, sides=joined(told))


def _coupled(found: Mapping[str, Sequence[Effect]], sides: Mapping[str, set[int]]) -> Runs:
    """Name those with an association that are made of the same variable as the outcome."""
    labels = [label for label, seen in sides.items() if seen != {0} and any(each.coupled for each in found[label])]
    return _WORDS.runs("coupled", count=len(labels), markers=_listed(labels)) if labels else ()


def _markers(source: Source) -> Mapping[str, Sequence[Effect]]:
    """Return the estimates of each marker from all models, by its label."""
    found: defaultdict[str, list[Effect]] = defaultdict(list)
    for model in source.results.models:
        for effect in model_effects(source, model):
            if effect.info.role == "marker":
                found[_name(effect)].append(effect)
    return _under_one_name(found)


def _under_one_name(found: Mapping[str, Sequence[Effect]]) -> Mapping[str, Sequence[Effect]]:
    """Name a factor once where the same is open for each of its levels."""
    levels: defaultdict[str, list[str]] = defaultdict(list)
    for label, effects in found.items():
        levels[effects[0].info.name].append(label)
    named: dict[str, Sequence[Effect]] = {}
    for label, effects in found.items():
        info = effects[0].info
        sides = [_sides(found[other]) for other in levels[info.name]]
        together = len(sides) > 1 and 0 in sides[0] and all(each == sides[0] for each in sides)
        named.setdefault(info.label if together else label, effects)
    return named


def _name(effect: Effect) -> str:
    return effect.info.label if effect.info.kind == "continuous" else effect.label


def _sides(effects: Iterable[Effect]) -> set[int]:
    """Return on which sides of 1 the intervals lie: 1, -1, and 0 for those that hold 1."""
    rows = [row for effect in effects for row in (effect.firth, effect.logf)]
    return {side(row) for row in rows}


def _listed(
    labels: Sequence[str], after: Mapping[str, str] | None = None, *, first: bool = False
) -> list[Inline | str]:
    """Return labels one after the other, as inside a sentence; ``first``: the first of them begins it.

    ``after`` holds what stands behind each label, if anything does.
    """
    told = [f"{lower_first(label)}{(after or {}).get(label, '')}" for label in labels]
    return joined([[upper_first(label) if first and place == 0 else label] for place, label in enumerate(told)])


def _carries(source: Source) -> Iterator[Runs]:
    """Say what the number of events allows: no risk of a single patient, unless a model passed."""
    judged = source.results.select(analysis="risk_model", measure="allowed")
    events = list(_events(source))
    if events:
        refused = judged and not any(row.estimate for row in judged)
        yield _WORDS.runs("carries_no_risk" if refused else "carries", events=joined(events))
    if source.study.synthetic:
        yield _WORDS.runs("synthetic")


def _events(source: Source) -> Iterator[Runs]:
    """Count the events of each landmark from which a model starts."""
    for landmark in dict.fromkeys(model.landmark for model in source.results.models):
        step = source.analysed(landmark)
        if step and step.events is not None:
            events = Number(format_count(step.events), f"flow/{step.id}")
            yield _WORDS.runs("events", count=step.events, events=events, visit=source.visit(landmark))
