"""What is doubtful about a slide, a region or a number.

Convention: a flag never changes a number; it says what the reader must know of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a flag matters: a note, doubt about the number, or no number."""

    NOTE = "note"
    WARNING = "warning"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something doubtful: ``name`` in snake_case goes into tables, ``detail`` is the sentence for the reader.

    Examples
    --------
    >>> Flag(name="white_assumed", severity=Severity.WARNING, detail="No glass was found; white is taken as 255.").name
    'white_assumed'
    """

    name: str
    severity: Severity
    detail: str


def note(name: str, detail: str) -> Flag:
    """Return a flag that doubts nothing."""
    return Flag(name=name, severity=Severity.NOTE, detail=detail)


def warn(name: str, detail: str) -> Flag:
    """Return a flag that doubts the number."""
    return Flag(name=name, severity=Severity.WARNING, detail=detail)
