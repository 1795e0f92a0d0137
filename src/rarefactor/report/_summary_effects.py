"""How the summary tells odds and hazard ratios: by the side of 1 on which their intervals lie.

Convention: of a line the first estimate says what it is and which interval it has, such as ``OR 6.41, 95% CI
1.19–43.9``; those after it are short, ``8.52, 1.42–104``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rarefactor.report._cells import joined, linked, number
from rarefactor.report._effects import Effect, side
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_range, format_ratio
from rarefactor.report.tree import Runs
from rarefactor.results import Estimate
from rarefactor.spec import lower_first

_WORDS = Words("summary")
_SIDES = {"higher": 1, "lower": -1, "open": 0}
Measure = Literal["OR", "HR"]


def tell_sides(source: Source, effects: Sequence[Effect], measure: Measure, *, open_ones: bool = True) -> Runs:
    """Say of each marker on which side of 1 its interval lies; those whose interval holds 1 come last, or are counted.

    ``open_ones``: name these with their ratios, which takes room; else they are in the figure of all models.
    """
    ordered = [effect for one in _SIDES.values() for effect in effects if side(effect.firth) == one]
    clauses: list[Runs] = []
    for clause, one in _SIDES.items():
        named = [
            _named(source, effect, measure, short=effect is not ordered[0])
            for effect in ordered
            if side(effect.firth) == one
        ]
        if named and not one and not open_ones:
            clauses.append(_counted(len(named), len(ordered)))
        elif named:
            clauses.append(_WORDS.runs(f"side_{clause}_{measure}", effects=joined(named)))
    return linked(clauses, "; ")


def _counted(n: int, of: int) -> Runs:
    key = "all_open" if n == of else "others_open"
    return _WORDS.runs(key, count=n, n=str(n))


def tell_events(row: Estimate | None, events: float | None) -> Runs:
    """Return how many events a model rests on."""
    return _WORDS.runs("events", count=events, n=number(row, format_count(events)))


def _named(source: Source, effect: Effect, measure: Measure, *, short: bool) -> Runs:
    row = effect.firth
    if row is None:
        return ()
    shown = _WORDS.text(
        "ratio_short" if short else "ratio",
        measure=measure,
        estimate=format_ratio(row.estimate),
        interval=source.interval,
        range=format_range(row.low, row.high, format_ratio),
    )
    return _WORDS.runs("effect", label=lower_first(effect.label), ratio=number(row, shown))
