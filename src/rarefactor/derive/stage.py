"""The door of this part: checked tables in, one row per patient and landmark out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import polars as pl

from rarefactor.cohort import Cohort
from rarefactor.derive._coupling import find_coupling
from rarefactor.derive._courses import CourseTable, derive_course
from rarefactor.derive._factors import Derived, derive_factor
from rarefactor.derive._flow import derive_eligible, derive_landmark, derive_outcome_step
from rarefactor.derive._images import ImageTable, count_without, derive_images
from rarefactor.derive._instruments import derive_instruments
from rarefactor.derive._kinds import Kinds, derive_outcome_kinds, keep_kinds
from rarefactor.derive._measured import derive_measured, describe_quantities, list_days
from rarefactor.derive._outcome import derive_outcome
from rarefactor.derive._patients import Patients
from rarefactor.derive._recipes import Part, Recipe
from rarefactor.derive._responses import ResponseTable, derive_responses
from rarefactor.derive._times import TimeTable, derive_times
from rarefactor.derive._values import Values
from rarefactor.derive._variables import Variables, tabulate_variables
from rarefactor.derive._visits import derive_visits
from rarefactor.errors import RarefactorError
from rarefactor.results import FactorInfo, FlowStep, InputFile, Measured, MeasuredTable, Note
from rarefactor.spec import Scope, Study, check_study, describe_instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkTable:
    """The patients at one landmark.

    ``frame`` has ``subject``, ``outcome`` (Boolean, null where not known), ``reason`` (why not) and one column for each
    factor in ``factors``: the label of the level (String) or the number in its unit (Float64). ``measured`` holds, for
    the same rows, the ``parts`` that the factors are made of (Float64), and ``recipes`` how each is made. ``kinds``
    says what the outcome came from, where that may be several things.
    """

    landmark: str
    frame: pl.DataFrame
    factors: tuple[str, ...]
    measured: pl.DataFrame
    parts: tuple[Part, ...]
    recipes: Mapping[str, Recipe]
    kinds: Kinds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisTable:
    """Everything that the analysis may know about the patients; ``values`` are those of everyone in the records."""

    values: Values
    landmarks: Mapping[str, LandmarkTable]
    factors: tuple[FactorInfo, ...]
    flow: tuple[FlowStep, ...]
    notes: tuple[Note, ...]
    inputs: tuple[InputFile, ...]
    times: tuple[TimeTable, ...] = ()
    courses: tuple[CourseTable, ...] = ()
    responses: tuple[ResponseTable, ...] = ()
    images: tuple[ImageTable, ...] = ()


def build(study: Study, cohort: Cohort, measured: Sequence[Measured] = ()) -> AnalysisTable:
    """Return one row per patient and landmark, with outcome, factors and the flow of patients.

    ``measured`` is what was seen in images; factors name its columns like those of the records.

    Raises
    ------
    StudyFileError
        A name or expression does not fit the data dictionary.
    DataError
        Rows of a patient cannot be told apart.
    """
    tables = [table for each in measured for table in each.tables]
    values, visit_notes = _values(study, cohort, tables)
    eligible, steps = derive_eligible(values, study)
    derived = {name: derive_factor(eligible, name, factor, study) for name, factor in study.factors.items()}
    landmarks: dict[str, LandmarkTable] = {}
    for landmark in study.analysis.landmarks:
        landmarks[landmark], more = _landmark(eligible, derived, study, landmark)
        steps = (*steps, *more)
    first = landmarks[study.analysis.landmarks[0]].frame
    data_notes = tuple(Note(about="data", text=text) for text in cohort.notes)
    return AnalysisTable(
        values=values,
        landmarks=landmarks,
        factors=tuple(factor.info for factor in derived.values()),
        flow=steps,
        notes=(
            *data_notes,
            *visit_notes,
            *(note for each in measured for note in each.notes),
            *count_without(eligible, study, tables),
            *_lost_values(derived),
            *find_coupling(study, values.scope, cohort.tables),
        ),
        inputs=(*cohort.inputs, *(item for each in measured for item in each.inputs)),
        times=_times(eligible, study, landmarks),
        courses=_courses(eligible, study, derived, landmarks),
        responses=derive_responses(eligible, study, first),
        images=derive_images(eligible, study, tables, first),
    )


def list_variables(study: Study, cohort: Cohort, measured: Sequence[Measured] = ()) -> Variables:
    """Return every column that factors of the study could name, with how many patients have a value at each visit.

    ``measured`` tables without rows are described and have no counts. The study need not fit its data.

    Raises
    ------
    DataError
        Rows of a patient cannot be told apart.
    """
    tables = [table for each in measured for table in each.tables]
    values, days, _ = _gather(study, cohort, tables)
    with suppress(RarefactorError):
        values, _ = derive_instruments(values, study, days)
    with suppress(RarefactorError):
        values, _ = derive_eligible(values, study)
    empty = [table.name for table in tables if table.frame.is_empty()]
    return tabulate_variables(values, study, [table.name for table in tables], empty)


def read_patients(study: Study, table: AnalysisTable) -> Patients:
    """Return the patients of the records one by one, to be listed or looked up."""
    first = next(iter(table.responses), None)
    scores = first.frame.filter(pl.col.visit == study.the_outcome.at) if first else None
    landmarks = {name: at.frame for name, at in table.landmarks.items()}
    return Patients(values=table.values, study=study, landmarks=landmarks, scores=scores)


def _values(study: Study, cohort: Cohort, measured: Sequence[MeasuredTable]) -> tuple[Values, tuple[Note, ...]]:
    """Return the patients' values, once the study is known to fit what the tables hold."""
    check_study(study, _scope(study, cohort, measured))
    values, days, notes = _gather(study, cohort, measured)
    values, told = derive_instruments(values, study, days)
    return values, (*notes, *told)


def _scope(study: Study, cohort: Cohort, measured: Sequence[MeasuredTable]) -> Scope:
    described = {
        **{name: table.fields for name, table in cohort.tables.items()},
        **{table.name: describe_quantities(table) for table in measured},
        **{name: describe_instrument(name, item) for name, item in study.instruments.items()},
    }
    return Scope(tables=described, visits=tuple(study.cohort.visits))


def _gather(
    study: Study, cohort: Cohort, measured: Sequence[MeasuredTable]
) -> tuple[Values, pl.DataFrame, tuple[Note, ...]]:
    """Return the patients' values without those of instruments, the days of their visits, and what had to be chosen."""
    derived = {name: derive_visits(table, study) for name, table in cohort.tables.items()}
    tables = {name: table for name, (table, _) in derived.items()}
    subjects = pl.concat([table.frame.select("subject") for table in cohort.tables.values()])
    days = list_days(tables, study)
    values = Values(
        subjects=subjects.unique(maintain_order=True),
        tables={**tables, **derive_measured(measured, days, study)},
        scope=_scope(study, cohort, measured),
        changes={table.name: table.changes for table in measured if table.changes is not None},
    )
    return values, days, tuple(note for _, notes in derived.values() for note in notes)


def _landmark(
    eligible: Values, derived: Mapping[str, Derived], study: Study, landmark: str
) -> tuple[LandmarkTable, tuple[FlowStep, FlowStep]]:
    reached, step = derive_landmark(eligible, study, landmark)
    known = {name: derived[name] for name in study.factors_at(landmark)}
    parts, measured = _ingredients(known.values())
    everyone = eligible.subjects.with_columns(*(factor.series for factor in known.values()))
    rows = reached.subjects.with_columns(derive_outcome(reached, study).select("outcome", "reason"))
    table = LandmarkTable(
        landmark=landmark,
        frame=rows.join(everyone, on="subject", how="left", maintain_order="left"),
        factors=tuple(known),
        measured=rows.select("subject").join(
            eligible.subjects.with_columns(**measured), on="subject", how="left", maintain_order="left"
        ),
        parts=parts,
        recipes={name: factor.recipe for name, factor in known.items()},
        kinds=keep_kinds(derive_outcome_kinds(reached, study), rows.filter(pl.col.outcome)["subject"]),
    )
    return table, (step, derive_outcome_step(table.frame, study, landmark))


def _times(eligible: Values, study: Study, landmarks: Mapping[str, LandmarkTable]) -> tuple[TimeTable, ...]:
    starts = {name: study.landmark_of_follow_up(follow_up) for name, follow_up in study.follow_up.items()}
    return tuple(derive_times(eligible, study, name, landmarks[start].frame) for name, start in starts.items())


def _courses(
    eligible: Values, study: Study, derived: Mapping[str, Derived], landmarks: Mapping[str, LandmarkTable]
) -> tuple[CourseTable, ...]:
    first = landmarks[study.analysis.landmarks[0]].frame
    return tuple(derive_course(eligible, study, name, derived, first) for name in study.trajectories)


def _ingredients(factors: Iterable[Derived]) -> tuple[tuple[Part, ...], dict[str, pl.Series]]:
    """Return the parts of some factors, each once (on the log scale if one of them takes it so), and their values."""
    parts: dict[str, Part] = {}
    measured: dict[str, pl.Series] = {}
    for factor in factors:
        for name, (part, content) in factor.parts.items():
            log = part.log or (name in parts and parts[name].log)
            parts[name] = replace(part, log=log)
            measured[name] = pl.Series(content, nan_to_null=True, dtype=pl.Float64)
    return tuple(parts.values()), measured


def _lost_values(derived: Mapping[str, Derived]) -> tuple[Note, ...]:
    """Say where a logarithm cannot be taken."""
    logged = {name: factor for name, factor in derived.items() if factor.info.transform == "log"}
    counts = {name: int((factor.series <= 0).sum()) for name, factor in logged.items()}
    text = "{} values of {} are not above 0 and have no logarithm: they are missing."
    return tuple(
        Note(about="factors", factor=name, text=text.format(counts[name], factor.info.label))
        for name, factor in logged.items()
        if counts[name]
    )
