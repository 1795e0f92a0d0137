"""What is doubtful about an image or a number made from it.

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
    >>> Flag(name="swapped", severity=Severity.REFUSED, detail="Fat and water are swapped in the left leg.").name
    'swapped'
    """

    name: str
    severity: Severity
    detail: str
