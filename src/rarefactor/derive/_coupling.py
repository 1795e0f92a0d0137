"""Factors that are made of the same variable as the outcome: part of their association is built in.

Convention: a variable is a column of the data or of an instrument, which holds what it is computed from. Columns of one
name and one description in two tables of the records are one variable; columns of images are their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rarefactor.derive._outcome import visit_label
from rarefactor.results import Note
from rarefactor.spec import Column, DataField, Scope, Study, lower_first, parse_column, parse_expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A column that is read, and the visits at which it is."""

    table: str
    name: str
    field: DataField
    visits: tuple[str, ...]


def find_coupling(study: Study, scope: Scope, records: Iterable[str]) -> tuple[Note, ...]:
    """Return a note for each factor of a variable that decides the outcome, at the landmark where it is first known.

    ``records`` names the tables of the records, whose columns of one name are one variable.
    """
    decides = tuple(_read_by_outcome(study, scope))
    tables = frozenset(records)
    notes: list[Note] = []
    for name, factor in study.factors.items():
        own, *made_of = _expand(study, scope, parse_column(factor.column), factor.visits)
        shared = _shared([own], decides, tables) or _shared(made_of, decides, tables)
        landmark = next((each for each in study.analysis.landmarks if name in study.factors_at(each)), None)
        if shared and landmark:
            text = _tell(study, factor.label, shared)
            notes.append(Note(about="coupling", factor=name, landmark=landmark, text=text))
    return tuple(notes)


def _read_by_outcome(study: Study, scope: Scope) -> Iterator[Reading]:
    outcome = study.the_outcome
    for text in (outcome.when, *(event.when for event in outcome.before)):
        for column in parse_expression(text).columns:
            yield from _expand(study, scope, column, (column.visit or outcome.at,))


def _expand(study: Study, scope: Scope, column: Column, visits: tuple[str, ...]) -> Iterator[Reading]:
    """Yield a column, then those that its instrument is made from; a change reads its baseline too."""
    table, field = scope.find(column)
    name = column.name if column.table == table else column.dotted
    yield Reading(table=table, name=name, field=field, visits=visits)
    instrument = study.instruments.get(table)
    if instrument is None:
        return
    started = (instrument.baseline,) if instrument.is_change else ()
    for _, text in instrument.named_columns():
        yield from _expand(study, scope, parse_column(text), tuple(dict.fromkeys((*visits, *started))))


def _shared(
    read: Iterable[Reading], decides: Sequence[Reading], records: frozenset[str]
) -> list[tuple[Reading, Reading]]:
    return [(mine, other) for mine in read for other in decides if _same(mine, other, records)]


def _same(one: Reading, other: Reading, records: frozenset[str]) -> bool:
    if one.table == other.table:
        return one.name == other.name
    return {one.table, other.table} <= records and one.name == other.name and one.field == other.field


def _tell(study: Study, label: str, pairs: Sequence[tuple[Reading, Reading]]) -> str:
    names = dict.fromkeys(lower_first(mine.field.label or mine.name) for mine, _ in pairs)
    common = {visit for mine, other in pairs for visit in mine.visits if visit in other.visits}
    visits = [visit_label(study, name) for name in study.cohort.visits if name in common]
    what, value = ("variable", "its value") if len(names) == 1 else ("variables", "values")
    text = f"{label} and the outcome are made of the same {what} ({', '.join(names)})"
    if visits:
        return f"{text} and share {value} at {' and '.join(visits)}: part of their association is built in."
    return f"{text}, at different visits: part of their association may be built in."
