"""A factor as the fields of a form, and the form as changes of the study file.

Convention: every field is text as it was typed; what it means is said by the study file's own rules, so that a page
refuses what the command line refuses, in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import ImmutableMultiDict

from rarefactor.derive import Variable
from rarefactor.errors import Problem
from rarefactor.spec import Change, Drop, Factor, Put, Rename, Study

KINDS: Mapping[str, str] = {
    "value": "the value itself",
    "equals": "yes, if it is one of",
    "cut": "yes, if it is beyond a cut",
    "change_between": "the change between two visits",
    "rate_between": "the rate per month between two visits",
}
_CUT = re.compile(r"(<=|>=|<|>)\s*(.*)")
_FIELDS = {"from": "variable", "rate_between": "visits", "change_between": "visits"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorForm:
    """What stands in the fields; ``old`` is the factor's name in the file, empty for a new one."""

    old: str = ""
    name: str = ""
    label: str = ""
    variable: str = ""
    role: str = "marker"
    kind: str = "value"
    equals: tuple[str, ...] = ()
    comparison: str = "<="
    threshold: str = ""
    reason: str = ""
    first: str = ""
    last: str = ""
    measured_at: str = ""
    unit: str = ""
    per: str = ""
    log: bool = False
    reference: str = ""
    models: tuple[str, ...] = ()
    errors: Mapping[str, Problem] = field(default_factory=dict[str, Problem])
    others: tuple[Problem, ...] = ()

    @property
    def part(self) -> str:
        """The part of the page that it stands in: the place of its factor, or that of a new one."""
        return f"factor-{self.old}" if self.old else "new-factor"


def read_form(data: ImmutableMultiDict[str, Any]) -> FactorForm:
    """Return what was sent."""
    several = ("equals", "models")
    texts = {key: str(value).strip() for key, value in data.items() if key not in {*several, "log", "version"}}
    known = {key: text for key, text in texts.items() if key in FactorForm.__dataclass_fields__}
    known.pop("errors", None)
    known.pop("others", None)
    lists = {key: tuple(str(item) for item in data.getlist(key)) for key in several}
    made: dict[str, Any] = {**known, **lists, "log": bool(data.get("log"))}
    return FactorForm(**made)


def start_form(variable: Variable, study: Study, role: str) -> FactorForm:
    """Return the form of a new factor of a variable: known at its first visit, with a name that is still free."""
    visits = list(study.cohort.visits)
    known = [visit for visit in visits if (variable.known or {}).get(visit)]
    return FactorForm(
        name=_free_name(variable.name, {*study.factors, study.outcome_name}),
        label=variable.label,
        variable=variable.text,
        role=role if role == "adjuster" else "marker",
        unit=variable.unit or "",
        measured_at=known[0] if known else visits[0],
        first=visits[0],
        last=visits[1] if len(visits) > 1 else "",
    )


def _free_name(name: str, taken: Iterable[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower() or "factor"
    plain = plain if plain[0].isalpha() else f"factor_{plain}"
    numbered = (plain if number == 1 else f"{plain}_{number}" for number in range(1, 1000))
    used = {*taken}
    return next(name for name in numbered if name not in used)


def fill_form(study: Study, name: str) -> FactorForm:
    """Return the form of a factor of the study."""
    factor = study.factors[name]
    kinds = [kind for kind in KINDS if kind != "value" and getattr(factor, kind)]
    cut = _CUT.fullmatch(factor.cut or "")
    visits = factor.visits if len(factor.visits) == 2 else ("", "")
    return FactorForm(
        old=name,
        name=name,
        label=factor.label,
        variable=factor.column,
        role=factor.role,
        kind=kinds[0] if kinds else "value",
        equals=factor.equals,
        comparison=cut[1] if cut else "<=",
        threshold=cut[2] if cut else "",
        reason=factor.reason or "",
        first=visits[0],
        last=visits[1],
        measured_at=factor.known_at,
        unit=factor.unit or "",
        per="" if factor.per is None else f"{factor.per:g}",
        log=factor.transform == "log",
        reference=factor.reference or "",
        models=tuple(model for model, each in study.analysis.models.items() if name in each.factors),
    )


def list_changes(study: Study, form: FactorForm) -> list[Change]:
    """Return what the form changes in the study file: nothing where it says what the file says."""
    wanted = _wanted(form, study.factors.get(form.old))
    if not form.old:
        changes: list[Change] = [Put(("factors", form.name), {key: value for key, value in wanted.items() if value})]
    else:
        changes = [*_changed_keys(study.factors[form.old], form.old, wanted)]
        if form.name != form.old:
            changes.append(Rename(("factors", form.old), form.name))
    return [*changes, *_model_changes(study, form)]


def _wanted(form: FactorForm, factor: Factor | None) -> dict[str, Any]:
    """Return each key with its value, or None where it is to be left out, in the order of a new factor."""
    kind, written = form.kind, factor.model_fields_set if factor else set[str]()
    visits = [form.first, form.last] if kind in {"change_between", "rate_between"} else None
    numeric = kind not in {"equals", "cut"}
    at = form.last if visits else form.measured_at
    keep_at = "measured_at" in written or (at != "baseline" and not visits)
    return {
        "from": form.variable,
        "equals": _one_or_all(form.equals) if kind == "equals" else None,
        "cut": f"{form.comparison} {form.threshold.replace(',', '.')}" if kind == "cut" else None,
        "reason": form.reason or None,
        "rate_between": visits if kind == "rate_between" else None,
        "change_between": visits if kind == "change_between" else None,
        "label": form.label,
        "unit": form.unit or None,
        "per": (_number(form.per) or None) if numeric else None,
        "transform": "log" if form.log and numeric else None,
        "reference": form.reference or None if kind == "value" else None,
        "measured_at": at if keep_at else None,
        "role": form.role if form.role == "adjuster" or "role" in written else None,
    }


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _number(text: str) -> float | str:
    """Return a number, or the text for the study file's rules to refuse."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


def _changed_keys(factor: Factor, name: str, wanted: Mapping[str, Any]) -> Iterable[Change]:
    written = {"from" if key == "column" else key for key in factor.model_fields_set}
    for key, value in wanted.items():
        now = _plain(getattr(factor, "column" if key == "from" else key)) if key in written else None
        if value is None or value == "":
            yield from [Drop(("factors", name, key))] if key in written and key != "label" else ()
        elif _plain(value) != now:
            yield Put(("factors", name, key), value)


def _plain(value: Any) -> Any:
    """Return a value so that one text, a list of it and a tuple of it are alike."""
    if isinstance(value, list | tuple):
        items: Sequence[Any] = value
        return [str(item) for item in items] if len(items) != 1 else str(items[0])
    return value


def _model_changes(study: Study, form: FactorForm) -> Iterable[Change]:
    """Yield the models that take the factor in or let it go."""
    name = form.name
    for model, each in study.analysis.models.items():
        now = [name if factor == form.old else factor for factor in each.factors]
        key = ("analysis", "models", model)
        if model in form.models and name not in now:
            yield Put((*key, "factors"), [*now, name])
        elif model not in form.models and name in now:
            left = [factor for factor in now if factor != name]
            yield Put((*key, "factors"), left) if left else Drop(key)


def place_errors(form: FactorForm, problems: Iterable[Problem]) -> FactorForm:
    """Return the form with each problem at its field, the others above it."""
    errors: dict[str, Problem] = {}
    others: list[Problem] = []
    for problem in problems:
        found = re.match(r"factors\.(?:[^.\[]+)(?:\.([a-z_]+))?", problem.key or "")
        key = (found[1] or "name") if found and f"factors.{form.name}" in (problem.key or "") else None
        if key == "cut" and not form.reason:
            key = "reason"
        if key is None:
            others.append(problem)
        else:
            errors.setdefault(_FIELDS.get(key, key), problem)
    return replace(form, errors=errors, others=tuple(others))
