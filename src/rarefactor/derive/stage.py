"""The door of this part: checked tables in, one row per patient and landmark out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from rarefactor.cohort import Cohort
from rarefactor.derive._factors import derive_factor
from rarefactor.derive._flow import derive_eligible, derive_landmark, derive_outcome_step
from rarefactor.derive._outcome import derive_outcome
from rarefactor.derive._values import Values
from rarefactor.derive._visits import derive_visits
from rarefactor.results import FactorInfo, FlowStep, InputFile, Note
from rarefactor.spec import Scope, Study, check_study


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkTable:
    """The patients at one landmark.

    ``frame`` has ``subject``, ``outcome`` (Boolean, null where not known), ``reason`` (why not) and one column for each
    factor in ``factors``: the label of the level (String) or the number in its unit (Float64).
    """

    landmark: str
    frame: pl.DataFrame
    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisTable:
    """Everything that the analysis may know about the patients."""

    landmarks: Mapping[str, LandmarkTable]
    factors: tuple[FactorInfo, ...]
    flow: tuple[FlowStep, ...]
    notes: tuple[Note, ...]
    inputs: tuple[InputFile, ...]


def build(study: Study, cohort: Cohort) -> AnalysisTable:
    """Return one row per patient and landmark, with outcome, factors and the flow of patients.

    Raises
    ------
    StudyFileError
        A name or expression does not fit the data dictionary.
    DataError
        Rows of a patient cannot be told apart.
    """
    scope = Scope(
        tables={name: table.fields for name, table in cohort.tables.items()}, visits=tuple(study.cohort.visits)
    )
    check_study(study, scope)
    values, visit_notes = _values(study, cohort, scope)
    eligible, steps = derive_eligible(values, study)
    columns, infos = _factors(eligible, study)
    landmarks: dict[str, LandmarkTable] = {}
    for landmark in study.analysis.landmarks:
        landmarks[landmark], more = _landmark(eligible, columns, study, landmark)
        steps = (*steps, *more)
    data_notes = tuple(Note(about="data", text=text) for text in cohort.notes)
    return AnalysisTable(
        landmarks=landmarks,
        factors=infos,
        flow=steps,
        notes=(*data_notes, *visit_notes, *_lost_values(columns, infos)),
        inputs=cohort.inputs,
    )


def _values(study: Study, cohort: Cohort, scope: Scope) -> tuple[Values, tuple[Note, ...]]:
    derived = {name: derive_visits(table, study) for name, table in cohort.tables.items()}
    subjects = pl.concat([table.frame.select("subject") for table in cohort.tables.values()])
    values = Values(
        subjects=subjects.unique(maintain_order=True),
        tables={name: table for name, (table, _) in derived.items()},
        scope=scope,
    )
    return values, tuple(note for _, notes in derived.values() for note in notes)


def _factors(values: Values, study: Study) -> tuple[pl.DataFrame, tuple[FactorInfo, ...]]:
    derived = [derive_factor(values, name, factor, study) for name, factor in study.factors.items()]
    return values.subjects.with_columns(*(series for series, _ in derived)), tuple(info for _, info in derived)


def _landmark(
    eligible: Values, columns: pl.DataFrame, study: Study, landmark: str
) -> tuple[LandmarkTable, tuple[FlowStep, FlowStep]]:
    reached, step = derive_landmark(eligible, study, landmark)
    factors = study.factors_at(landmark)
    frame = derive_outcome(reached, study).join(
        columns.select("subject", *factors), on="subject", how="left", maintain_order="left"
    )
    table = LandmarkTable(landmark=landmark, frame=frame, factors=factors)
    return table, (step, derive_outcome_step(frame, study, landmark))


def _lost_values(columns: pl.DataFrame, infos: tuple[FactorInfo, ...]) -> tuple[Note, ...]:
    """Say where a logarithm cannot be taken."""
    logged = [info for info in infos if info.transform == "log"]
    counts = {info.name: int((columns[info.name] <= 0).sum()) for info in logged}
    return tuple(
        Note(
            about="factors",
            factor=info.name,
            text=f"{counts[info.name]} values of {info.label} are not above 0 and have no logarithm: they are missing.",
        )
        for info in logged
        if counts[info.name]
    )
