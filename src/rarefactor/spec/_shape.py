"""Whether every key of a study file is known and has a value of its type.

Convention: what pydantic finds is told in the words of the study file: found, expected, next step; never its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rarefactor.errors import Problem, nearest, suggest
from rarefactor.spec._model import Study
from rarefactor.spec._origin import Key, Origin

Finding = Mapping[str, Any]
Words = tuple[str, str, str]

EXAMPLES = {
    "id": "id: my-study",
    "title": "title: Factors associated with ...",
    "cohort": "cohort: with records: and subject: below it",
    "outcome": "outcome: with the name of the outcome below it",
    "factors": "factors: with one line for each factor below it",
    "records": "records: data/records.csv",
    "subject": "subject: record_id",
    "file": "file: data/records.csv",
    "type": "type: number",
    "month": "month: 3",
    "at": "at: month_12",
    "when": 'when: "tis < 40"',
    "from": "from: age",
    "day": "day: days_to_death",
}
PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("<|<=", "a comparison with a number, such as <= 56", 'Write it in quotes: cut: "<= 56".'),
    ("a-z0-9-", "small letters, digits and hyphens", "Write it such as anm-srp."),
    (r"\d{4}", "an ORCID such as 0000-0002-1825-0097", "Copy it from the address of the author's ORCID page."),
    ("A-Za-z", "a name of letters, digits and underscores that starts with a letter", "Rename it, such as {}."),
)


def describe(finding: Finding, origin: Origin, root: type[BaseModel] = Study) -> Problem:
    """Return the problem that one finding of pydantic stands for; ``root`` is the model of the whole file."""
    path = _written(finding, origin)
    rule = RULES.get(str(finding["type"]), _any_other)
    found, expected, next_step = rule({**finding, "root": root})
    return origin.problem(path, found=found, expected=expected, next_step=next_step)


def findings(error: ValidationError) -> list[Finding]:
    """Return what pydantic found, as plain mappings."""
    return [dict(item) for item in error.errors(include_url=False)]


def _written(finding: Finding, origin: Origin) -> Key:
    """Return the key in the file; a key that is missing is named below the part that misses it."""
    path = origin.locate(tuple(part for part in finding["loc"] if part != "[key]"))
    last = finding["loc"][-1] if finding["loc"] else None
    if finding["type"] == "missing" and isinstance(last, str):
        return (*path, last)
    if finding["type"] == "rule" and (*path, finding["ctx"]["key"]) in origin.lines:
        return (*path, finding["ctx"]["key"])
    return path


def known_keys(path: Key, root: type[BaseModel] = Study) -> tuple[str, ...]:
    """Return the keys that may stand in the part of a file at a path, as they are written.

    Examples
    --------
    >>> known_keys(("outcome", "any", "before", 0))
    ('name', 'when', 'day', 'counts_as')
    """
    part: Any = root
    for step in path:
        part = _below(part, step)
    return tuple(field.alias or name for name, field in part.model_fields.items()) if _is_model(part) else ()


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _below(annotation: Any, step: str | int) -> Any:
    """Return the annotation of what stands below a key: a field of a part, else an item of a mapping or list."""
    if _is_model(annotation):
        fields = annotation.model_fields.items()
        return next((field.annotation for name, field in fields if step in {name, field.alias}), None)
    return next((item for item in reversed(get_args(annotation)) if _is_model(item)), None)


def _elsewhere(name: str) -> str | None:
    """Return the part of the study file that has a key of this name."""
    for place in (("cohort",), ("outcome", "<name>"), ("factors", "<name>"), ("analysis",), ()):
        if name in known_keys(place):
            return ".".join(place) or "the top of the file"
    return None


def shown(value: Any) -> str:
    """Return a value of the study file as a message shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"keys ({', '.join(map(str, list(value)[:4]))}{', ...' if len(value) > 4 else ''})"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = ascii(str(value))[1:-1] if not str(value).isprintable() else str(value)
    return f'"{text[:60]}{"..." if len(text) > 60 else ""}"'


def _missing(finding: Finding) -> Words:
    name = finding["loc"][-1]
    if isinstance(name, int):
        return shown(finding["input"]), "a list of 2", "Write both, such as [10, 15]."
    return f"no key {name}", f"the key {name}", f"Add {EXAMPLES.get(str(name), f'{name}: and its value')}."


def _unknown(finding: Finding) -> Words:
    path, name = finding["loc"][:-1], str(finding["loc"][-1])
    known = known_keys(path, finding["root"])
    if name == "<<":
        return "a merge key", f"one of {', '.join(known)}", "Write the keys out: YAML 1.2 has no merge keys."
    if name.isdecimal():
        step = "A comma separates keys: write a decimal point, or put a text that holds a comma in quotes."
        return f"a comma before {name}", f"one of {', '.join(known)}", step
    place = None if nearest(name, known) or finding["root"] is not Study else _elsewhere(name)
    step = f"Move it: {name} belongs to {place}." if place else suggest(name, known)
    return "an unknown key", f"one of {', '.join(known)}", step


def _text(finding: Finding) -> Words:
    return shown(finding["input"]), "text", 'Write the text behind the key, in quotes ("null") if it is a word of YAML.'


def _number(finding: Finding) -> Words:
    written = str(finding["input"])
    whole = "int" in str(finding["type"])
    comma = re.fullmatch(r"[-+]?\d+,\d+", written)
    step = f"Write it with a decimal point: {written.replace(',', '.')}." if comma else "Write digits only."
    return shown(finding["input"]), "a whole number" if whole else "a number", step


def _flag(finding: Finding) -> Words:
    return shown(finding["input"]), "yes or no", "Write yes or no."


def _one_of(finding: Finding) -> Words:
    known = [word.strip("'") for word in re.split(r", | or ", str(finding["ctx"]["expected"]))]
    return shown(finding["input"]), f"one of {' '.join(known)}", suggest(str(finding["input"]), known)


def _mapping(finding: Finding) -> Words:
    known = known_keys(finding["loc"], finding["root"])
    expected = (
        f"keys below it, of {', '.join(known)}" if known and finding["type"] == "model_type" else "names below it"
    )
    return shown(finding["input"]), expected, "Indent `key: value` lines below it, or write {key: value}."


def _items(finding: Finding) -> Words:
    value = finding["input"]
    step = f"Write it in square brackets: [{value}]." if isinstance(value, str) else "Write [a, b], or - before each."
    return shown(value), "a list", step


def _length(finding: Finding) -> Words:
    context = finding["ctx"]
    wanted = f"at least {context['min_length']}" if "min_length" in context else f"at most {context['max_length']}"
    value = finding["input"]
    return (shown(value) if value else "none"), wanted, f"Write {wanted} here."


def _bound(finding: Finding) -> Words:
    signs = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = [f"{signs[name]} {value:g}" for name, value in finding["ctx"].items() if name in signs]
    return shown(finding["input"]), f"a number, {' and '.join(limits)}", "Correct the number."


def _pattern(finding: Finding) -> Words:
    value = str(finding["input"])
    pattern = str(finding["ctx"]["pattern"])
    expected, step = next(words for part, *words in PATTERNS if part in pattern)
    name = re.sub(r"\W+", "_", value, flags=re.ASCII).strip("_")
    return shown(value), expected, step.format(name if name[:1].isalpha() else f"v_{name}")


def _rule(finding: Finding) -> Words:
    context = finding["ctx"]
    return context["found"], context["expected"], context["next_step"]


def _any_other(finding: Finding) -> Words:
    return shown(finding["input"]), "another value", "Compare it with an example in the documentation."


RULES: dict[str, Callable[[Finding], Words]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "string_type": _text,
    "float_parsing": _number,
    "float_type": _number,
    "int_parsing": _number,
    "int_type": _number,
    "int_from_float": _number,
    "finite_number": _number,
    "bool_parsing": _flag,
    "bool_type": _flag,
    "literal_error": _one_of,
    "model_type": _mapping,
    "dict_type": _mapping,
    "mapping_type": _mapping,
    "tuple_type": _items,
    "too_short": _length,
    "too_long": _length,
    "string_too_short": _length,
    "string_too_long": _length,
    "greater_than": _bound,
    "greater_than_equal": _bound,
    "less_than": _bound,
    "less_than_equal": _bound,
    "string_pattern_mismatch": _pattern,
    "rule": _rule,
}
