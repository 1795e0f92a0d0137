"""A slide as it was measured, for those who look at it again.

Convention: everything here was kept by the measurement; no pixel is read for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rarefactor.pathology._block import Part, make_empty
from rarefactor.pathology._settings import Reading, SlideFile
from rarefactor.pathology._survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looked:
    """A slide as it was measured: its file, first look, how it is read, and its regions, which ``total`` adds up."""

    file: SlideFile
    survey: Survey
    reading: Reading
    parts: Mapping[str, Part]
    total: Part


def make_looked(file: SlideFile, survey: Survey, reading: Reading, parts: Mapping[str, Part]) -> Looked:
    """Return a slide with its regions and their sum."""
    total = make_empty(survey)
    for part in parts.values():
        total = total + part
    return Looked(file=file, survey=survey, reading=reading, parts=parts, total=total)
