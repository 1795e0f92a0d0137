"""Whether the instruments of a study agree with the rest of its file, and with the columns of the data.

Convention: an instrument may be made from columns of the data, of images, and of the instruments above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rarefactor.errors import Problem, suggest
from rarefactor.spec._instruments import EVERYONE, Instrument
from rarefactor.spec._model import DataField, Study
from rarefactor.spec._origin import Key
from rarefactor.spec._parse import parse_column
from rarefactor.spec._scope import Scope, find_code, find_flag
from rarefactor.spec._tokens import ExpressionError

_NUMERIC = frozenset({"number", "integer", "yesno"})
_MULTIPLE = "× upper limit of normal"
_RESPONSE = {"none": "No response", "minimal": "Minimal", "moderate": "Moderate", "major": "Major"}
_CLASS = {"none": "Not classified", "possible": "Possible", "probable": "Probable", "definite": "Definite"}
_LABELS = {
    "total_improvement_score": "Total Improvement Score",
    "imacs_improvement": "IMACS definition of improvement",
    "imacs_worsening": "IMACS definition of worsening",
    "mmt8": "MMT8",
    "mrc_sum": "MRC sum score",
    "haq_di": "HAQ disability index",
    "eular_acr_2017": "2017 EULAR/ACR score",
}


def describe_instrument(name: str, instrument: Instrument) -> dict[str, DataField]:
    """Return the columns that an instrument makes, as a dictionary describes them."""
    label = instrument.label or _LABELS.get(instrument.kind, f"{name} in multiples of normal")
    if instrument.kind in {"imacs_improvement", "imacs_worsening"}:
        return {name: DataField(type="yesno", label=label)}
    unit = _MULTIPLE if instrument.kind == "enzyme_multiple" else None
    made = {name: DataField(type="number", label=label, unit=unit)}
    if instrument.kind == "total_improvement_score":
        for part, words in (("lower", "at least"), ("upper", "at most"), ("attainable", "highest attainable")):
            made[f"{name}.{part}"] = DataField(type="number", label=f"{label}, {words}")
        made[f"{name}.category"] = DataField(type="choice", label=f"{label}, response", choices=_RESPONSE)
    if instrument.kind == "eular_acr_2017":
        made[f"{name}.probability"] = DataField(type="number", label=f"{label}, probability")
        made[f"{name}.category"] = DataField(type="choice", label=f"{label}, class", choices=_CLASS)
    return made


def instrument_columns(study: Study) -> Iterator[tuple[Key, str]]:
    """Yield every column that instruments name, with its key."""
    for name, instrument in study.instruments.items():
        for key, column in instrument.named_columns():
            yield ("instruments", name, *key), column
        if instrument.sex:
            yield ("instruments", name, "sex"), instrument.sex


def check_instruments(study: Study) -> Iterator[Problem]:
    """Yield what contradicts the visits, the names or the order of the study file."""
    for place, (name, instrument) in enumerate(study.instruments.items()):
        key: Key = ("instruments", name)
        yield from _check_name(study, name)
        if instrument.is_change and instrument.baseline not in study.cohort.visits:
            yield study.problem(
                *key,
                "baseline",
                found=f"the visit {instrument.baseline}, which is not known",
                expected="a visit of cohort.visits",
                next_step=suggest(instrument.baseline, tuple(study.cohort.visits)),
            )
        yield from _check_order(study, name, [*study.instruments][place:])
    yield from _check_factors(study)


def _check_name(study: Study, name: str) -> Iterator[Problem]:
    taken = {
        "a table of cohort.records": study.cohort.records,
        "a table of images": study.imaging,
        "a column of cohort.fields": study.cohort.fields,
    }
    for words, names in taken.items():
        if name in names:
            yield study.problem(
                "instruments",
                name,
                found=f"{name}, which is {words} too",
                expected="a name of its own",
                next_step="Call one of the two otherwise.",
            )


def _check_order(study: Study, name: str, later: list[str]) -> Iterator[Problem]:
    for key, column in study.instruments[name].named_columns():
        source = column.partition(".")[0]
        if source in later:
            yield study.problem(
                "instruments",
                name,
                *key,
                found=f"{column}, which is made later" if source != name else f"{column}, which is made from itself",
                expected="columns of the data, or of instruments above",
                next_step=f"Move {source} above {name}." if source != name else "Name a column of the data.",
            )


def _check_factors(study: Study) -> Iterator[Problem]:
    """Refuse a factor that asks for a change at the visit from which changes are counted, or before."""
    months = {name: visit.month for name, visit in study.cohort.visits.items()}
    for name, factor in study.factors.items():
        instrument = study.instruments.get(factor.column.partition(".")[0])
        if instrument is None or not instrument.is_change or instrument.baseline not in months:
            continue
        early = [visit for visit in factor.visits if months.get(visit, float("inf")) <= months[instrument.baseline]]
        if early:
            yield study.problem(
                "factors",
                name,
                "measured_at" if len(factor.visits) == 1 else "from",
                found=f"{factor.column} at {early[0]}, which is a change since {instrument.baseline}",
                expected=f"a visit after {instrument.baseline}",
                next_step="Write measured_at: with the visit at which it is known.",
            )


def check_instrument_columns(study: Study, scope: Scope) -> Iterator[Problem]:
    """Yield the columns that are not there, or hold no numbers."""
    for name, instrument in study.instruments.items():
        for key, column in instrument.named_columns():
            yield from _check_column(study, scope, ("instruments", name, *key), column)
        if instrument.sex:
            yield from _check_sex(study, scope, ("instruments", name), instrument)


def _find(study: Study, scope: Scope, key: Key, text: str) -> tuple[DataField | None, list[Problem]]:
    try:
        column = parse_column(text)
        scope.check_visit(column)
        return scope.find(column)[1], []
    except ExpressionError as error:
        words = [(each.found, each.expected, each.next_step) for each in error.problems]
        return None, [study.problem(*key, found=f, expected=e, next_step=n) for f, e, n in words]


def _check_column(study: Study, scope: Scope, key: Key, text: str) -> Iterator[Problem]:
    field, problems = _find(study, scope, key, text)
    yield from problems
    if field and field.type not in _NUMERIC:
        yield study.problem(
            *key,
            found=f"{text}, a column of type {field.type}",
            expected="a column of numbers, or of yes and no",
            next_step="Name the column that holds it, or correct its type in the dictionary.",
        )


def _check_sex(study: Study, scope: Scope, key: Key, instrument: Instrument) -> Iterator[Problem]:
    field, problems = _find(study, scope, (*key, "sex"), instrument.sex or "")
    yield from problems
    levels = {level for limits in instrument.enzyme_limit.values() for level in limits} - {EVERYONE}
    for level in sorted(levels) if field else ():
        if field and find_level(field, level) is None:
            yield study.problem(
                *key,
                "enzyme_limit",
                found=f"the level {level}, which {instrument.sex} does not have",
                expected="its codes or labels",
                next_step=suggest(level, (*field.choices, *field.choices.values())),
            )


def find_level(field: DataField, written: str) -> str | bool | None:
    """Return the value that stands in the data for a level of a choice or of yes and no, None if there is none."""
    if field.type == "yesno":
        return find_flag(written)
    try:
        return find_code(field, written)
    except ExpressionError:
        return None


def limits_by_level(field: DataField, limits: Mapping[str, float]) -> dict[str | bool, float]:
    """Return the limit for each value in the data of the column of the sex."""
    found = {find_level(field, level): limit for level, limit in limits.items()}
    return {level: limit for level, limit in found.items() if level is not None}
