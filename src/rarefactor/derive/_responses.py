"""How the patients of the first landmark responded: each score with its bounds, and the measures it is made of.

Rule: a score belongs to the visit that it was reached at and has a row where the patient had that visit; the measures
have rows from the visit that the change starts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rarefactor.derive._values import Values
from rarefactor.instruments import MEASURES, TIS_THRESHOLDS
from rarefactor.results import Quantity
from rarefactor.spec import Instrument, Study, parse_column

IMPROVEMENT = "total_improvement_score"
_PARTS = {"score": "", "lower": ".lower", "upper": ".upper", "attainable": ".attainable", "category": ".category"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTable:
    """The response by one instrument.

    Attributes
    ----------
    frame
        ``subject``, ``visit``, ``score``, ``lower``, ``upper``, ``attainable`` (Float64, 0 to 100), ``category``
        (String) and ``outcome`` (Boolean).
    measures
        ``subject``, ``visit``, ``measure``, ``value`` (Float64) and ``outcome`` of every core set measure.
    thresholds
        Smallest score of a minimal, moderate and major response.
    quantities
        The score and its measures in words, under ``name`` and ``name.measure``.
    """

    name: str
    frame: pl.DataFrame
    measures: pl.DataFrame
    thresholds: tuple[float, ...]
    quantities: Mapping[str, Quantity]


def derive_responses(eligible: Values, study: Study, first: pl.DataFrame) -> tuple[ResponseTable, ...]:
    """Return the response by each Total Improvement Score; ``first`` is the table of the first landmark."""
    outcome = first.select("subject", "outcome")
    return tuple(
        ResponseTable(
            name=name,
            frame=_scores(eligible, name, outcome),
            measures=_measures(eligible, study, instrument, outcome),
            thresholds=tuple(map(float, TIS_THRESHOLDS[instrument.version])),
            quantities=dict(_quantities(eligible, name, instrument)),
        )
        for name, instrument in study.instruments.items()
        if instrument.kind == IMPROVEMENT
    )


def _scores(eligible: Values, name: str, outcome: pl.DataFrame) -> pl.DataFrame:
    columns = [pl.col(f"{name}{part}").alias(column) for column, part in _PARTS.items()]
    rows = eligible.tables[name].frame.select("subject", "visit", *columns)
    return rows.join(outcome, on="subject", how="inner", maintain_order="left")


def _measures(eligible: Values, study: Study, instrument: Instrument, outcome: pl.DataFrame) -> pl.DataFrame:
    start = study.cohort.visits[instrument.baseline].month
    visits = [name for name, visit in study.cohort.visits.items() if visit.month >= start]
    frames = [
        eligible.subjects.select(
            "subject",
            visit=pl.lit(visit),
            measure=pl.lit(str(measure)),
            value=eligible.numbers(parse_column(text), at=visit),
        )
        for measure, text in instrument.measures.items()
        for visit in visits
    ]
    return pl.concat(frames).drop_nulls().join(outcome, on="subject", how="inner", maintain_order="left")


def _quantities(eligible: Values, name: str, instrument: Instrument) -> list[tuple[str, Quantity]]:
    found = [(name, Quantity(label=instrument.label or "Total Improvement Score"))]
    for measure, text in instrument.measures.items():
        unit = eligible.field(parse_column(text)).unit
        found.append((f"{name}.{measure}", Quantity(label=MEASURES[str(measure)].label, unit=unit)))
    return found
