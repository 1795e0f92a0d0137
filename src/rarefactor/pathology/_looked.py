"""A slide as it was measured, for those who look at it again.

Convention: everything here was kept by the measurement; no pixel is read for it, and no threshold is in it but that of
``reading``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rarefactor.errors import Problem
from rarefactor.pathology._block import Part, make_empty
from rarefactor.pathology._excluded import flag_excluded
from rarefactor.pathology._settings import Reading, SlideFile
from rarefactor.pathology._survey import Survey
from rarefactor.results import Flag


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looked:
    """A slide as it was measured: its file, first look, how it is read, and its regions, which ``total`` adds up."""

    file: SlideFile
    survey: Survey
    reading: Reading
    parts: Mapping[str, Part]
    total: Part

    @property
    def sha256(self) -> str:
        """The hash of the slide's file, which regions that are left out of it name."""
        return self.survey.sha256

    @property
    def flags(self) -> tuple[Flag, ...]:
        """What is doubtful about the slide, and what was left out of it."""
        return (*self.survey.flags, *flag_excluded(self.file, self.survey.sha256))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A slide that could not be measured, and why, without its patient's own id."""

    file: SlideFile
    problems: tuple[Problem, ...]


def make_looked(file: SlideFile, survey: Survey, reading: Reading, parts: Mapping[str, Part]) -> Looked:
    """Return a slide with its regions and their sum."""
    total = make_empty(survey)
    for part in parts.values():
        total = total + part
    return Looked(file=file, survey=survey, reading=reading, parts=parts, total=total)
