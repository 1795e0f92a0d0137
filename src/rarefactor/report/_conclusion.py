"""What the models say together, in a sentence or two that a reviewer accepts.

Convention: a marker is steady where the intervals of Firth's method and of log-F(2,2) lie on one side of 1 in every
model that holds it; one that is not is named with what is open. Nothing is called independent, significant or a cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rarefactor.report._cells import joined, runs
from rarefactor.report._effects import Effect, model_effects, side
from rarefactor.report._source import Source
from rarefactor.report.format import format_count
from rarefactor.report.tree import Inline, Number, Runs, Text

_STEADY = {1: "higher", -1: "lower"}


def conclude(source: Source) -> Runs:
    """Return what all models together say of the markers, and how far that carries; nothing where there is no model."""
    found = _markers(source)
    if not found:
        return ()
    sides = {label: _sides(effects) for label, effects in found.items()}
    parts: list[Inline | str] = [Text("Conclusion. ", "strong")]
    for one, word in _STEADY.items():
        steady = [label for label, seen in sides.items() if seen == {one}]
        if steady:
            parts += [*_listed(steady), f" went with {word} odds of “{source.event}” in each model that holds "]
            parts += [_them(steady), ", by Firth’s method and by log-F(2,2) alike. "]
    parts += _doubtful([label for label, seen in sides.items() if len(seen) > 1])
    parts += _undecided([label for label, seen in sides.items() if seen == {0}])
    return runs(*parts, *_carries(source))


def _markers(source: Source) -> Mapping[str, Sequence[Effect]]:
    """Return the estimates of each marker from all models, by its label."""
    found: defaultdict[str, list[Effect]] = defaultdict(list)
    for model in source.results.models:
        for effect in model_effects(source, model):
            if effect.info.role == "marker":
                found[_name(effect)].append(effect)
    return found


def _name(effect: Effect) -> str:
    return effect.info.label if effect.info.kind == "continuous" else effect.label


def _sides(effects: Iterable[Effect]) -> set[int]:
    """Return on which sides of 1 the intervals lie: 1, -1, and 0 for those that hold 1."""
    rows = [row for effect in effects for row in (effect.firth, effect.logf)]
    return {side(row) for row in rows}


def _listed(labels: Iterable[str]) -> list[Inline | str]:
    return joined([[label] for label in labels])


def _them(labels: Sequence[str]) -> str:
    return "it" if len(labels) == 1 else "them"


def _doubtful(labels: Sequence[str]) -> list[Inline | str]:
    if not labels:
        return []
    return ["It depends on model or method whether the interval excludes 1 for ", *_listed(labels), ". "]


def _undecided(labels: Sequence[str]) -> list[Inline | str]:
    if not labels:
        return []
    return ["For ", *_listed(labels), " the data leave both directions open, which is not evidence of no association. "]


def _carries(source: Source) -> list[Inline | str]:
    """Say what the number of events allows: no risk of a single patient, unless a model passed."""
    judged = source.results.select(analysis="risk_model", measure="allowed")
    step = source.analysed(source.landmarks[0])
    parts: list[Inline | str] = []
    if step and step.events is not None:
        events = Number(format_count(step.events), f"flow/{step.id}")
        parts = [
            "With ",
            events,
            " events the sizes may lie anywhere in these intervals; other patients have to confirm ",
        ]
        parts.append("them")
    if judged and not any(row.estimate for row in judged):
        parts.append("; the risk of a single patient cannot be told from these data")
    parts.append(". " if parts else "")
    return [*parts, "Nothing of this was observed in people."] if source.study.synthetic else parts
