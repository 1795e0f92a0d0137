"""What is followed over time: the time to an event, and the course of a measurement.

Convention: days are days since baseline, ``until`` is in months; the clock of a follow-up starts at its landmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict, Field

from rarefactor.spec._part import Name, Part

OUTCOME = "outcome"


class Competing(Part):
    """An event after which the event of a follow-up can no longer be seen, such as transplantation before death."""

    name: str
    when: str


class FollowUp(Part):
    """The time from a landmark to an event.

    ``when`` says who had the event, ``day`` names the column of the day (since baseline) on which it came or follow-up
    ended; ``unit`` is that of the results. ``by`` names factors whose levels are shown as curves, ``models`` are Cox
    models of factors known at the ``landmark`` (the first of the analysis where none is named).
    """

    label: str
    when: str
    day: str
    unit: Literal["days", "months", "years"] = "years"
    by: tuple[Name, ...] = ()
    models: Mapping[Name, tuple[Name, ...]] = {}
    competing: Competing | None = None
    landmark: Name | None = None


class Trajectory(Part):
    """The course of a measurement from baseline to month ``until``, from every row of its table.

    ``from`` names the column; with ``transform: log`` changes are ratios. ``by`` is ``outcome`` or a factor with
    levels, whose groups are shown apart; slopes are ``per`` month or year.
    """

    model_config = ConfigDict(populate_by_name=True)

    column: str = Field(alias="from")
    label: str
    unit: str | None = None
    transform: Literal["log"] | None = None
    until: float = Field(gt=0)
    by: Name | None = None
    per: Literal["month", "year"] = "month"
