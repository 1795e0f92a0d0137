"""``results.json`` to and from :class:`Results`.

JSON knows no infinities: an infinite bound is written as the string ``Infinity`` or ``-Infinity``, an estimate that is
missing as null. What a row does not have (a landmark, a bound, flags) is left out.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rarefactor.errors import DataError, Problem
from rarefactor.results._model import (
    SCHEMA,
    Analysed,
    Estimate,
    Exclusion,
    FactorInfo,
    FlowStep,
    ImageFile,
    InputFile,
    ModelInfo,
    Note,
    Quantity,
    Results,
)

_NUMBERS = ("estimate", "low", "high", "p")


def write_results(results: Results) -> bytes:
    """Return the bytes of ``results.json``: UTF-8, one row per line, the same for the same results.

    Examples
    --------
    >>> text = write_results(Results(study={"id": "demo"}, flow=(), rows=()))
    >>> json.loads(text)["schema"]
    1
    """
    sections: dict[str, Any] = {
        "schema": SCHEMA,
        "study": results.study,
        "software": results.software,
        "inputs": [_plain(item) for item in results.inputs],
        "factors": [_plain(item) for item in results.factors],
        "models": [_plain(item) for item in results.models],
        "quantities": {name: _plain(item) for name, item in results.quantities.items()},
        "flow": [_plain(step) for step in results.flow],
        **_plain_analysed(Analysed(rows=results.rows, notes=results.notes)),
        "sets": {name: list(patients) for name, patients in results.sets.items()},
        "images": [_plain(item) for item in results.images],
    }
    return _write_sections(sections)


def write_analysed(analysed: Analysed) -> bytes:
    """Return what one analysis gave, in the form of ``results.json``.

    Examples
    --------
    >>> analysed = Analysed(rows=(Estimate(analysis="table1", measure="mean", estimate=50.0),))
    >>> read_analysed(write_analysed(analysed)) == analysed
    True
    """
    return _write_sections(_plain_analysed(analysed))


def read_results(path: Path) -> Results:
    """Read ``results.json``.

    Raises
    ------
    DataError
        The file is missing, is not JSON, or has another schema.
    """
    try:
        content = json.loads(path.read_bytes())
        if content["schema"] != SCHEMA:
            raise _unreadable(path, f"schema {content['schema']}")
        return Results(
            study=content["study"],
            software=content["software"],
            inputs=tuple(InputFile(**item) for item in content["inputs"]),
            factors=tuple(FactorInfo(**_tuples(item)) for item in content["factors"]),
            models=tuple(ModelInfo(**_tuples(item)) for item in content["models"]),
            flow=tuple(_step(item) for item in content["flow"]),
            rows=tuple(_read_estimate(item) for item in content["rows"]),
            notes=tuple(Note(**item) for item in content["notes"]),
            quantities={name: Quantity(**item) for name, item in content.get("quantities", {}).items()},
            sets={name: tuple(patients) for name, patients in content.get("sets", {}).items()},
            images=tuple(ImageFile(**item) for item in content.get("images", [])),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, type(error).__name__) from error


def read_analysed(data: bytes) -> Analysed:
    """Return what :func:`write_analysed` wrote."""
    content = json.loads(data)
    return Analysed(
        rows=tuple(_read_estimate(item) for item in content["rows"]),
        notes=tuple(Note(**item) for item in content["notes"]),
    )


def _read_estimate(item: Mapping[str, Any]) -> Estimate:
    plain = {key: value for key, value in item.items() if key != "id"}
    numbers: dict[str, Any] = {key: None if plain.get(key) is None else float(plain[key]) for key in _NUMBERS}
    return Estimate(**(_tuples(plain) | numbers))


def _plain_analysed(analysed: Analysed) -> dict[str, Any]:
    return {
        "rows": [{"id": row.id} | _present(_plain(row) | _numbers(row)) for row in analysed.rows],
        "notes": [_plain(note) for note in analysed.notes],
    }


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key == "estimate" or value not in (None, [])}


def _write_sections(sections: Mapping[str, Any]) -> bytes:
    body = ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in sections.items())
    return f"{{\n{body}\n}}\n".encode()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return _number(value)
    return value


def _numbers(row: Estimate) -> dict[str, Any]:
    """Counts are numbers like others, so that a row reads back as it was."""
    values = {key: getattr(row, key) for key in _NUMBERS}
    return {key: None if value is None else _number(float(value)) for key, value in values.items()}


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _lines(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def _tuples(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in item.items()}


def _step(item: Mapping[str, Any]) -> FlowStep:
    excluded = tuple(Exclusion(**each) for each in item["excluded"])
    return FlowStep(excluded=excluded, **{key: value for key, value in item.items() if key != "excluded"})


def _unreadable(path: Path, found: str) -> DataError:
    return DataError(
        Problem(
            file=str(path),
            found=found,
            expected=f"a results.json of schema {SCHEMA}",
            next_step="Run the study again with this version of rarefactor.",
        )
    )
