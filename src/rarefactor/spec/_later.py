"""What is followed over time: the time to an event, and the course of a measurement.

Convention: days are days since baseline, ``until`` is in months; the clock of a follow-up starts at its landmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from rarefactor.spec._part import Name, Part, broken

OUTCOME = "outcome"


class Competing(Part):
    """An event after which the event of a follow-up can no longer be seen, such as transplantation before death."""

    name: str
    when: str


class FollowUp(Part):
    """The time from a landmark to an event.

    ``when`` says who had the event, ``day`` names the column of the day (since baseline) on which it came or follow-up
    ended. In their place ``first`` is a condition at visits: the event comes with the first visit at which it holds,
    and follow-up ends with the last visit at which it is known. ``unit`` is that of the results. ``by`` names factors
    whose levels are shown as curves, ``models`` are Cox models of factors known at the ``landmark`` (the first of the
    analysis where none is named).
    """

    label: str
    when: str | None = None
    day: str | None = None
    first: str | None = None
    unit: Literal["days", "months", "years"] = "years"
    by: tuple[Name, ...] = ()
    models: Mapping[Name, tuple[Name, ...]] = {}
    competing: Competing | None = None
    landmark: Name | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.first is None:
            for key in ("when", "day"):
                if getattr(self, key) is None:
                    step = f'Add {key}:, or first: and a condition at visits, such as first: "tis >= 40".'
                    raise broken(key, f"a follow-up without {key}", "when and day, or first", step)
            return self
        for key in ("when", "day", "competing"):
            if getattr(self, key) is not None:
                step = f"Remove one: first finds the day by the visits, {key} belongs to a day of the records."
                raise broken(key, f"{key} beside first", "one way to find the event", step)
        return self


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
