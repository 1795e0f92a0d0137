"""The one tree of errors: each says what was found, what was expected and what to do next.

An error carries :class:`Problem` values, all that were found at once, and an exit code for the shell.
No message carries a patient's value: a problem in the data names file, row, column and rule only.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where.

    Examples
    --------
    >>> print(Problem(file="study.yaml", line=3, key="outcom", found="an unknown key",
    ...               expected="one of id, title, cohort, outcome", next_step="Did you mean outcome?"))
    study.yaml, line 3, key outcom: found an unknown key; expected one of id, title, cohort, outcome. \
Did you mean outcome?
    """

    found: str
    expected: str
    next_step: str
    file: str | None = None
    line: int | None = None
    row: int | None = None
    column: str | None = None
    key: str | None = None

    @property
    def where(self) -> str:
        """The place in words, empty where there is none."""
        parts = (
            (self.file, "{}"),
            (self.line, "line {}"),
            (self.row, "row {}"),
            (self.column, "column {}"),
            (self.key, "key {}"),
        )
        return ", ".join(pattern.format(value) for value, pattern in parts if value is not None)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}found {self.found}; expected {self.expected}. {self.next_step}"


class RarefactorError(Exception):
    """Anything that the user can mend; carries every problem found at once."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class StudyFileError(RarefactorError):
    """The study file cannot be understood."""

    exit_code = 3


class DataError(RarefactorError):
    """A data file cannot be read, or does not fit its dictionary or the study file."""

    exit_code = 4


class ImageError(RarefactorError):
    """An image cannot be read, or what it shows cannot be measured."""

    exit_code = 9


class AnalysisError(RarefactorError):
    """The analysis that was asked for cannot be done with these data."""

    exit_code = 6


class OutputError(RarefactorError):
    """The results cannot be written."""

    exit_code = 7


class StaleError(OutputError):
    """What is to be changed was changed by somebody else meanwhile; nothing was written."""


class RefusalError(RarefactorError):
    """What was asked for would mislead: a risk model that its data cannot carry."""

    exit_code = 10


class InputError(RarefactorError, ValueError):
    """An array or argument handed to a function of the library is not what it takes."""

    exit_code = 8


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, or None.

    Examples
    --------
    >>> nearest("outcom", ["cohort", "outcome"])
    'outcome'
    """
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def suggest(name: str, known: Sequence[str]) -> str:
    """Return the next step for an unknown name: the nearest known one, or the list.

    Examples
    --------
    >>> suggest("agee", ["age", "sex"])
    'Did you mean age?'
    """
    match = nearest(name, known)
    return f"Did you mean {match}?" if match else f"Use one of: {', '.join(sorted(known)) or '(none)'}."
