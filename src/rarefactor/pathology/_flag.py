"""Flags of slides, regions and numbers in one line each."""

from __future__ import annotations

from rarefactor.results import Flag, Severity


def note(name: str, detail: str) -> Flag:
    """Return a flag that doubts nothing."""
    return Flag(name=name, severity=Severity.NOTE, detail=detail)


def warn(name: str, detail: str) -> Flag:
    """Return a flag that doubts the number."""
    return Flag(name=name, severity=Severity.WARNING, detail=detail)
