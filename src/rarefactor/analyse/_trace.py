"""Which patients, and which of their images, stand behind each number.

Rule: the patients of a row follow from its address: those at its landmark whose outcome and factor are known, in its
group and level; the complete cases of a model where its values were not filled in. They are named only where they are
as many as the row says (and have as many events): a row whose patients are not certain names none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import polars as pl

from rarefactor.analyse._follow_up import UNITS
from rarefactor.analyse._followed import COMPETING
from rarefactor.analyse._kinds import KINDS
from rarefactor.analyse._missing import lacking
from rarefactor.derive import AnalysisTable, Kinds
from rarefactor.results import (
    OUTCOME_UNKNOWN,
    Estimate,
    FactorInfo,
    FlowStep,
    ImageFile,
    MeasuredTable,
    ModelInfo,
    Results,
)
from rarefactor.spec import Factor, Study, parse_column

_OUTCOMES: Mapping[str, bool] = {"event": True, "no_event": False}
_NARROW = {"imaging", "pathology", "longitudinal", "response", "missing"}  # patients hang on group and term
_KNOWN = pl.col.outcome.is_not_null()
_SAME_DAY = 0.01  # the time of a row has six digits
Frames = Iterator[pl.DataFrame]


def trace_results(study: Study, table: AnalysisTable, results: Results, measured: Sequence[MeasuredTable]) -> Results:
    """Return the results with the patients and images behind each number, unless the study file lists no patients.

    ``measured`` holds the files behind what was measured in images.
    """
    if study.report.patients == "counted":
        return results
    subjects = frozenset(name for at in table.landmarks.values() for name in at.frame["subject"])
    models = {model.name: model for model in results.models}
    units = {name: UNITS[follow_up.unit] for name, follow_up in study.follow_up.items()}
    tracer = _Tracer(table=table, subjects=subjects, models=models, units=units)
    rows = tuple(replace(row, patients=tracer.name_patients(row)) for row in results.rows)
    flow = tuple(replace(step, patients=tracer.name_step(step)) for step in results.flow)
    factors = tuple(_with_images(info, study.factors[info.name], measured) for info in results.factors)
    images = tuple(_list_images(measured, tuple(study.cohort.visits), subjects))
    sets = {name: patients for patients, name in tracer.names.items()}
    return replace(results, rows=rows, flow=flow, factors=factors, images=images, sets=sets)


def _with_images(info: FactorInfo, factor: Factor, measured: Sequence[MeasuredTable]) -> FactorInfo:
    column = parse_column(factor.column)
    for table in measured:
        starts = table.origins["column"].unique().sort()
        if column.table == table.name:
            own = tuple(start for start in starts if not start or column.name.startswith(f"{start}."))
            return replace(
                info, images=tuple(_name(table.name, start, visit) for start in own for visit in factor.visits)
            )
    return info


def _list_images(
    measured: Sequence[MeasuredTable], visits: Sequence[str], subjects: frozenset[str]
) -> Iterator[ImageFile]:
    """Give the files that were measured in patients of the study, in the order of its visits."""
    for table in measured:
        order = {name: place for place, name in enumerate(visits)}
        placed = table.origins.with_columns(place=pl.col.visit.replace_strict(order, default=len(order)))
        for row in placed.sort("column", "place", "subject", "name").iter_rows(named=True):
            if row["subject"] in subjects:
                of = _name(table.name, row["column"], row["visit"])
                yield ImageFile(of=of, subject=row["subject"], name=row["name"], sha256=row["sha256"])


def _name(table: str, column: str, visit: str) -> str:
    return f"{table}.{column}@{visit}" if column else f"{table}@{visit}"


@dataclass(slots=True, kw_only=True)
class _Tracer:
    """Finds the patients of each row, of the ``subjects`` at any landmark, and gives each set of them one name.

    ``units`` are the days in the unit of each follow-up.
    """

    table: AnalysisTable
    subjects: frozenset[str]
    models: Mapping[str, ModelInfo]
    units: Mapping[str, float]
    names: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    _found: dict[tuple[object, ...], tuple[pl.DataFrame, ...]] = field(
        default_factory=dict[tuple[object, ...], tuple[pl.DataFrame, ...]]
    )

    def name_patients(self, row: Estimate) -> str | None:
        """Return the name of a row's patients, None where they are not certain."""
        for part in (row.group, row.term):
            if part in self.subjects and row.n is None:
                return part
        kind = next((name for name in ("rate", KINDS, "competing") if name in row.measure), "")
        key = (row.analysis, row.landmark, row.model, row.factor, *self._narrowing(row), kind)
        if key not in self._found:
            self._found[key] = tuple(self._find(row))
        fitting = (frame for frame in self._found[key] if _fits(frame, row))
        return self._name(next(fitting, None))

    def _narrowing(self, row: Estimate) -> tuple[str | None, str | None]:
        """Return the group and term of a row as far as its patients hang on them: rows that differ in no more share."""
        at = self.table.landmarks.get(row.landmark or next(iter(self.table.landmarks)))
        levelled = at is not None and at.frame.schema.get(row.factor or "") == pl.String
        if levelled or row.analysis in _NARROW or self._is_timed(row):
            return row.group, row.term
        alone = row.group in self.subjects or row.group in {*_OUTCOMES, OUTCOME_UNKNOWN}
        return (row.group if alone else None), None

    def name_step(self, step: FlowStep) -> str | None:
        """Return the name of the patients who are left at a step: those at a landmark, with a known outcome or not."""
        first = next(iter(self.table.landmarks))
        at = self.table.landmarks[step.landmark or first].frame
        if step.id.startswith("outcome/"):
            at = at.filter(_KNOWN)
        return self._name(at if at.height == step.n else None)

    def _name(self, frame: pl.DataFrame | None) -> str | None:
        if frame is None or frame.is_empty():
            return None
        patients = tuple(frame["subject"].unique().sort())
        return self.names.setdefault(patients, f"p{len(self.names) + 1}")

    def _find(self, row: Estimate) -> Frames:
        """Give tables of patients that may be those of a row, the most likely first."""
        if row.analysis in {"imaging", "pathology"}:
            found = self._seen(row)
        elif row.analysis == "missing":
            found = self._lacking(row)
        elif row.analysis == "longitudinal" and row.factor is None:
            found = self._followed(row)
        elif row.analysis == "response" and row.model:
            found = self._responded(row)
        else:
            found = self._timed(row) if self._is_timed(row) else self._analysed(row)
        for frame in found:
            yield frame
            if row.group in self.subjects:
                yield frame.filter(pl.col.subject != row.group)  # what would be without this patient

    def _analysed(self, row: Estimate) -> Frames:
        """The patients at a landmark; a factor may stand alone or in a model."""
        at = self.table.landmarks.get(row.landmark or next(iter(self.table.landmarks)))
        if at is None:
            return
        if row.measure == KINDS:
            yield from _of_kind(at.kinds, row)
            return
        if row.group == OUTCOME_UNKNOWN:
            left_out = at.frame.filter(~_KNOWN)
            yield from (left_out.drop_nulls(self._factors(row, left_out)), left_out)
            return
        known, factors = at.frame.filter(_KNOWN), self._factors(row, at.frame)
        for frame in (known.drop_nulls([row.factor]), known) if row.factor in at.frame.columns else (known,):
            yield from _levels(frame, row)
            yield from _outcomes(frame, row)
        yield known.drop_nulls(factors)
        yield at.frame
        yield at.frame.drop_nulls(factors)

    def _lacking(self, row: Estimate) -> Frames:
        """The patients who lack just the factors that a row names; of a count of gaps, all at the landmark."""
        at = self.table.landmarks[row.landmark or ""]
        own = at.frame.filter(lacking(at.factors) == (row.term or ""))
        unknown = own.filter(~_KNOWN) if row.group == OUTCOME_UNKNOWN else own
        yield from _outcomes(unknown, row) if row.measure in {"pattern", "complete"} else (at.frame,)

    def _timed(self, row: Estimate) -> Frames:
        """The patients of a follow-up."""
        name = (row.model or "").split(".", 1)[0]
        for table in self.table.times:
            if table.name != name:
                continue
            if row.measure == KINDS:
                yield from _of_kind(table.kinds, row)
            elif row.measure == "competing_events":
                yield table.frame.filter(pl.col.cause == COMPETING)
            else:
                factors = self._factors(row, table.frame)
                alone = table.frame.drop_nulls([row.factor]) if row.factor in table.frame.columns else table.frame
                for frame in (table.frame.drop_nulls(factors), alone):
                    yield from _levels(frame, row)
                yield from (alone, table.frame.drop_nulls(factors), table.frame)
                yield from _at_risk(alone, row, self.units[name])

    def _followed(self, row: Estimate) -> Frames:
        """The patients whose course was followed."""
        for table in self.table.courses:
            if table.name == row.model:
                own = table.frame.filter(pl.col.group == (row.group or ""))
                yield from (each.unique("subject") for each in (own, table.frame) if each.height)

    def _responded(self, row: Estimate) -> Frames:
        """The patients whose response, or a measure of it, is known at a visit."""
        for table in self.table.responses:
            if table.name == row.model:
                scores = table.frame.filter(pl.col.visit == row.landmark)
                measures = table.measures.filter((pl.col.visit == row.landmark) & (pl.col.measure == (row.term or "")))
                for frame in (measures.drop_nulls("value"), scores.drop_nulls("score"), scores.drop_nulls("category")):
                    yield from _outcomes(frame, row)
                yield scores

    def _seen(self, row: Estimate) -> Frames:
        """The patients in whose images something was measured."""
        for table in self.table.images:
            if table.kind == row.analysis and row.model in {None, table.name}:
                columns = table.rates if "rate" in row.measure else table.values
                at = columns if row.landmark is None else columns.filter(pl.col.visit == row.landmark)
                term = row.term or ""
                own = at.filter((pl.col.column == term) | pl.col.column.str.starts_with(f"{term}."))
                for frame in (own, at) if row.term else (at, table.rates):
                    yield from (each.unique("subject") for each in _outcomes(frame, row))

    def _is_timed(self, row: Estimate) -> bool:
        return (row.model or "").split(".", 1)[0] in {table.name for table in self.table.times}

    def _factors(self, row: Estimate, frame: pl.DataFrame) -> list[str]:
        name = (row.model or "").rsplit(".", 1)[-1]
        factors = self.models[name].factors if name in self.models else (row.factor,)
        return [factor for factor in factors if factor in frame.columns]


def _levels(frame: pl.DataFrame, row: Estimate) -> Frames:
    """The patients in the level of a factor that a row is about."""
    for level in (row.group, row.term):
        if row.factor in frame.columns and frame.schema[row.factor] == pl.String and level:
            yield frame.filter(pl.col(row.factor) == level)


def _of_kind(kinds: Kinds | None, row: Estimate) -> Frames:
    """The patients whose event was of the kind that a row is about."""
    if kinds is not None:
        yield kinds.frame.filter(pl.col.kind == (row.term or ""))


def _at_risk(frame: pl.DataFrame, row: Estimate, unit: float) -> Frames:
    """Those who are still followed at the time, in ``unit`` days, that a row is about."""
    with suppress(TypeError, ValueError):
        days = float(row.term or "") * unit
        for own in (*_levels(frame, row), frame):
            yield own.filter(pl.col.days >= days - _SAME_DAY)


def _outcomes(frame: pl.DataFrame, row: Estimate) -> Frames:
    """The patients with, or without, the outcome where a row is about them; else all."""
    had = _OUTCOMES.get(row.group or "")
    yield frame if had is None else frame.filter(pl.col.outcome == had)


def _fits(frame: pl.DataFrame, row: Estimate) -> bool:
    """Whether there are as many patients, and events of the outcome, as a row says."""
    if row.n is None:
        return row.analysis == "longitudinal"
    if frame["subject"].n_unique() != row.n:
        return False
    if row.events is None or "outcome" not in frame.columns or row.analysis in {"response", "survival", "evidence"}:
        return True
    return int(frame["outcome"].fill_null(value=False).sum()) == row.events
