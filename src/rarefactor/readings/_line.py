r"""A reading as one line of JSON, and back.

Convention: keys are sorted, and ``sum`` is the SHA-256 of the line without it, so that a line that was cut off or
changed by hand is seen. A kind of line that a later version of the program wrote is not guessed at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rarefactor.readings._model import Reading

_SCHEMA = 1


def write_line(reading: Reading) -> bytes:
    """Return the line of a reading, with its line feed."""
    held = {
        "schema": _SCHEMA,
        "kind": reading.kind,
        "reader": reading.reader,
        "when": reading.when.isoformat(),
        "subject": reading.subject,
        "place": reading.place,
        "item": reading.item,
        "content": dict(reading.content),
        "reason": reading.reason,
        "own": reading.own,
        "version": reading.version,
        "file": reading.file,
        "restores": reading.restores,
        "withdrawn": reading.withdrawn,
    }
    return _dump({**held, "sum": _sum(held)}) + b"\n"


def read_line(line: bytes) -> Reading:
    """Return the reading of a line.

    Raises
    ------
    ValueError
        The line is none that :func:`write_line` wrote.
    """
    held = json.loads(line)
    if not isinstance(held, dict) or held.pop("sum", None) != _sum(held) or held.pop("schema") != _SCHEMA:
        raise ValueError
    fields: dict[str, Any] = {**held, "when": datetime.fromisoformat(held["when"])}
    return Reading(**fields)


def _sum(held: Mapping[str, Any]) -> str:
    return hashlib.sha256(_dump(held)).hexdigest()


def _dump(held: Mapping[str, Any]) -> bytes:
    return json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
