"""What others have published on a factor, as printed, and how the design of the study is simulated.

Convention: a printed number is kept as text, because its decimals say how it was rounded.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from rarefactor.spec._part import Name, Part, broken, read_text

_NUMBER = re.compile(r"\d+(\.\d+)?")
_P = re.compile(r"<?\s*(0?\.\d+|0|1)")
_DOI = re.compile(r"10\.\d{4,9}/\S+")


def _printed(value: Any) -> Any:
    text = read_text(value)
    if not isinstance(text, str) or not _NUMBER.fullmatch(text) or not float(text):
        raise broken("", f'"{text}"', "a number above 0, as printed", 'Write it as in the paper, such as "2.10".')
    return text


def _printed_p(value: Any) -> Any:
    text = read_text(value)
    if not isinstance(text, str) or not _P.fullmatch(text):
        raise broken("", f'"{text}"', "a P value, as printed", 'Write it as in the paper, such as 0.036 or "<0.001".')
    return text


def _doi(value: Any) -> Any:
    text = read_text(value)
    if not isinstance(text, str) or not _DOI.fullmatch(text):
        raise broken(
            "", f'"{text}"', "a DOI", "Write it without the address in front, such as 10.1186/s13023-020-01431-7."
        )
    return text


Printed = Annotated[str, BeforeValidator(_printed)]
PrintedP = Annotated[str, BeforeValidator(_printed_p)]
Doi = Annotated[str, BeforeValidator(_doi)]
Pair = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class Evidence(Part):
    """A published odds ratio or P value of a factor, with whatever was printed beside it.

    Without ``factor`` it is on the outcome itself: ``percent`` of ``n`` patients had it. ``per`` is the step of a
    continuous factor that it is for, ``level`` the level of a categorical one. ``counts`` are [[events, others] with
    the factor, [events, others] without it]. ``n`` and ``events`` are those of the published study. It is pooled with
    ours only where ``comparable`` says that factor, outcome and patients agree.
    """

    factor: Name | None = None
    source: str = Field(min_length=1)
    doi: Doi | None = None
    level: str | None = None
    odds_ratio: Printed | None = None
    percent: Printed | None = None
    low: Printed | None = None
    high: Printed | None = None
    p: PrintedP | None = None
    n: int | None = Field(default=None, ge=1)
    events: int | None = Field(default=None, ge=0)
    counts: tuple[Pair, Pair] | None = None
    per: float | None = Field(default=None, gt=0)
    adjusted: bool = False
    comparable: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_subject(self)
        if (self.low is None) != (self.high is None):
            key = "low" if self.high is None else "high"
            raise broken(key, "one limit of an interval", "both", "Add the other limit, or leave both out.")
        if self.low and self.high and float(self.low) >= float(self.high):
            raise broken("low", f"an interval from {self.low} to {self.high}", "low before high", "Turn them round.")
        if self.n is not None and self.events is not None and self.events > self.n:
            raise broken("events", f"{self.events} events in {self.n} patients", "fewer events", "Correct one of them.")
        return self


def _check_subject(evidence: Evidence) -> None:
    """Refuse an entry that says nothing, or what does not go with what it is on."""
    ratio = [key for key in ("odds_ratio", "low", "counts", "per", "level") if getattr(evidence, key) is not None]
    if evidence.factor is None:
        if evidence.percent is None or evidence.n is None:
            key = "percent" if evidence.percent else "source"
            step = "Name the factor, or give percent: and n: of those who had the outcome."
            raise broken(key, "neither a factor nor a percentage of n", "one of them", step)
        if ratio:
            step = "Name the factor that it is for."
            raise broken(ratio[0], f"{ratio[0]} without a factor", "a percentage alone", step)
        return
    if evidence.percent is not None:
        step = "Write another entry without factor: for the outcome."
        raise broken("percent", "percent beside a factor", "the percentage with the outcome by itself", step)
    if evidence.odds_ratio is None and (ratio or evidence.p is None):
        step = "Give the odds ratio, or, where none was printed, the P value alone."
        raise broken(ratio[0] if ratio else "factor", "no odds ratio", "odds_ratio, or p alone", step)


class DesignPlan(Part):
    """How often studies like this one are drawn, and with which true odds ratios, to show what it can find."""

    data_sets: int = Field(default=500, ge=0, le=100_000)
    odds_ratios: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(2.0, 4.0, 8.0), min_length=1)
