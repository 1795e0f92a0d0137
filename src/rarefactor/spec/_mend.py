"""A study file with wrong keys, mended as far as that goes, so that its other mistakes can be told in the same breath.

Convention: what is mended is never analysed; it is looked through once and thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from rarefactor.errors import Problem, nearest
from rarefactor.spec._model import Study
from rarefactor.spec._origin import Key, Origin, dotted
from rarefactor.spec._shape import Finding, known_keys

STAND_IN = "placeholder"
TEXTS = frozenset({"missing", "string_type", "string_pattern_mismatch"})
# What nearly everything else refers to: with one of these mended, other problems would be made up.
PILLARS = frozenset({"records", "visits", "fields", "dictionary", "landmarks", "factors", "outcome"})


def drop_echoes(found: list[Finding], root: type[BaseModel] = Study) -> list[Finding]:
    """Return the findings without a key that is missing only because it is misspelt."""
    meant = {(*finding["loc"][:-1], _meant(finding, root)) for finding in found if finding["type"] == "extra_forbidden"}
    return [finding for finding in found if finding["type"] != "missing" or finding["loc"] not in meant]


def _meant(finding: Finding, root: type[BaseModel] = Study) -> str | None:
    """Return the known key that an unknown one is most like."""
    return nearest(str(finding["loc"][-1]), known_keys(finding["loc"][:-1], root))


def mend(data: Any, found: list[Finding], origin: Origin) -> Any:
    """Return the data with unknown keys renamed or left out, and stand-ins for texts that are missing or wrong."""
    mended = _copied(data)
    for finding in sorted(found, key=lambda finding: finding["type"] != "extra_forbidden"):
        path = _place(finding, origin)
        part = _part(mended, path[:-1])
        if isinstance(part, dict):
            _mend_key(part, str(path[-1]), finding)
    return mended


def _place(finding: Finding, origin: Origin) -> Key:
    path = origin.locate(tuple(part for part in finding["loc"] if part != "[key]"))
    if finding["type"] == "missing":
        return (*path, finding["loc"][-1])
    return (*path, finding["ctx"]["key"]) if finding["type"] == "rule" else path


def _part(data: Any, path: Key) -> Any:
    for step in path:
        items: Any = dict(enumerate(data)) if isinstance(data, list) else data
        data = items.get(step) if isinstance(items, dict) else None
    return data


def _mend_key(part: dict[str, Any], name: str, finding: Finding) -> None:
    value = part.pop(name, None)
    meant = _meant(finding) if finding["type"] == "extra_forbidden" else None
    if meant and meant not in part:
        part[meant] = value
    elif finding["type"] == "literal_error":
        known = re.findall(r"'([^']+)'", str(finding["ctx"]["expected"]))
        part[name] = nearest(str(value), known) or known[0]
    elif finding["type"] in TEXTS and "[key]" not in finding["loc"]:
        part[name] = STAND_IN if value is None or finding["type"] != "missing" else value


def _copied(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _copied(item) for name, item in data.items()}
    return [_copied(item) for item in data] if isinstance(data, list) else data


def tell_apart(further: Iterable[Problem], found: list[Finding], origin: Origin) -> list[Problem]:
    """Return the further problems that do not come from the mending alone."""
    wrong = [_place(finding, origin) for finding in found if finding["type"] != "extra_forbidden"]
    if any(PILLARS & set(path[-2:] if len(path) <= 3 else ()) for path in wrong):
        return []
    hidden = [dotted(path[:-1]) for path in wrong if len(path) > 2]
    return [
        problem
        for problem in further
        if STAND_IN not in str(problem) and not any(_is_below(problem.key or "", part) for part in hidden)
    ]


def _is_below(key: str, part: str) -> bool:
    return key == part or key.startswith((f"{part}.", f"{part}["))
