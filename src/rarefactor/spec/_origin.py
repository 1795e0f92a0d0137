"""Where each key of a study file stands.

Convention: a key is the path of names and item numbers (from 0) that leads to it; lines and the item numbers that a
reader sees count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rarefactor.errors import Problem

Key = tuple[str | int, ...]


def dotted(key: Key) -> str:
    """Return a key as a reader sees it.

    Examples
    --------
    >>> dotted(("cohort", "eligibility", 0, "keep"))
    'cohort.eligibility[1].keep'
    """
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A study file and the line of every key in it."""

    path: Path = Path("study.yaml")
    lines: Mapping[Key, int] = field(default_factory=dict[Key, int])

    def line(self, key: Key) -> int | None:
        """Return the line of a key, or of the nearest key above it that is written."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)

    def locate(self, path: Key) -> Key:
        """Return the key as it is written, without the levels that a short form leaves out.

        Examples
        --------
        >>> Origin(lines={("records",): 1, ("records", "day"): 2}).locate(("records", "records", "day"))
        ('records', 'day')
        """
        key: Key = ()
        for part in path if self.lines else ():
            key = (*key, part) if (*key, part) in self.lines else key
        return key if self.lines else path

    def problem(self, key: Key, *, found: str, expected: str, next_step: str) -> Problem:
        """Return a problem at a key."""
        return Problem(
            file=str(self.path),
            line=self.line(key),
            key=dotted(key) or None,
            found=found,
            expected=expected,
            next_step=next_step,
        )
