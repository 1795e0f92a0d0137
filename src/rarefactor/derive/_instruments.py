"""Published instruments as tables beside the records: a row per patient and visit, or per patient.

Rule: an instrument has a row where the patient had the visit. A change since baseline has none at baseline. What is
missing stays missing; a value that an instrument cannot have stops the run and is named by row and column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from rarefactor import instruments
from rarefactor.cohort import CENSORED, Table
from rarefactor.derive._outcome import first_visit
from rarefactor.derive._recipes import Floats
from rarefactor.derive._values import Values, column_name
from rarefactor.derive._visits import VisitTable
from rarefactor.errors import DataError, InputError, Problem, StudyFileError
from rarefactor.results import Note
from rarefactor.spec import (
    EVERYONE,
    Column,
    Instrument,
    InstrumentKind,
    Study,
    describe_instrument,
    limits_by_level,
    parse_column,
)

Made = Mapping[str, pl.Series]


def derive_instruments(values: Values, study: Study, days: pl.DataFrame) -> tuple[Values, tuple[Note, ...]]:
    """Return the values with the tables of the study's instruments, and what a reader must know of them.

    ``days`` has ``subject``, ``visit`` and ``day`` of every visit that took place.

    Raises
    ------
    DataError
        A value that an instrument cannot have, with its row and column.
    StudyFileError
        Measures that cannot be together.
    """
    notes: list[Note] = []
    for name, instrument in study.instruments.items():
        made = _Making(values=values, study=study, name=name, instrument=instrument)
        values = values.with_table(name, _table(made, days))
        notes += _censored(made)
    return values, tuple(notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """One instrument being made, and where its columns come from."""

    values: Values
    study: Study
    name: str
    instrument: Instrument

    @property
    def by_visit(self) -> bool:
        """Whether one of its columns is."""
        sources = {self.values.scope.find(parse_column(text))[0] for _, text in self.instrument.named_columns()}
        return any(self.values.tables[source].by_visit for source in sources)

    def numbers(self, text: str, at: str) -> Floats:
        """Return a column at a visit, NaN where missing."""
        return self.values.numbers(parse_column(text), at=at).to_numpy().astype(np.float64)

    def named(self, part: Mapping[Any, str], at: str) -> dict[str, Floats]:
        return {str(name): self.numbers(text, at) for name, text in part.items()}

    def limits(self) -> dict[str, Floats]:
        """Return the upper limit of normal of each enzyme for each patient."""
        return {str(enzyme): self._limit(limits) for enzyme, limits in self.instrument.enzyme_limit.items()}

    def _limit(self, limits: Mapping[str, float]) -> Floats:
        n = self.values.subjects.height
        if EVERYONE in limits:
            return np.full(n, limits[EVERYONE])
        column = parse_column(self.instrument.sex or "")
        levels = limits_by_level(self.values.field(column), limits)
        sexes = self.values.read(column, at=first_visit(self.study))
        return np.array([np.nan if sex is None else levels.get(sex, np.nan) for sex in sexes], dtype=np.float64)


def _table(made: _Making, days: pl.DataFrame) -> VisitTable:
    """Return the instrument at every visit that took place, or once for each patient."""
    if made.instrument.is_change and not made.by_visit:
        raise _once(made)
    if made.by_visit:
        frames = [_frame(made, visit).with_columns(visit=pl.lit(visit)) for visit in _visits(made)]
        empty = pl.DataFrame(schema={"subject": pl.String, "visit": pl.String})
        frame = pl.concat([empty, *frames], how="diagonal").join(
            days, on=["subject", "visit"], how="inner", maintain_order="left"
        )
    else:
        frame = _frame(made, first_visit(made.study)).with_columns(
            visit=pl.lit(None, pl.String), day=pl.lit(None, pl.Float64)
        )
    frame = frame.with_columns(
        row=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32), event=pl.col.visit, instance=pl.lit(None, pl.String)
    )
    table = Table(name=made.name, frame=frame, fields=describe_instrument(made.name, made.instrument))
    return VisitTable(table=table, frame=frame, by_visit=made.by_visit)


def _once(made: _Making) -> StudyFileError:
    return StudyFileError(
        made.study.problem(
            "instruments",
            made.name,
            "measures",
            found="columns that are measured once per patient",
            expected="columns of a table with visits",
            next_step="Name columns of a table whose rows have a day, a date or an event.",
        )
    )


def _visits(made: _Making) -> list[str]:
    months = {name: visit.month for name, visit in made.study.cohort.visits.items()}
    start = months[made.instrument.baseline] if made.instrument.is_change else -1.0
    return [name for name, month in months.items() if month > start]


def _frame(made: _Making, visit: str) -> pl.DataFrame:
    compute = _COMPUTE[made.instrument.kind]
    if made.instrument.is_change:
        _attempt(made, made.instrument.baseline, lambda: compute(made, made.instrument.baseline))
    return made.values.subjects.with_columns(**_attempt(made, visit, lambda: compute(made, visit)))


def _attempt(made: _Making, visit: str, compute: Callable[[], Made]) -> Made:
    """Return what is computed; what an array cannot hold is told in the words of the data."""
    try:
        return compute()
    except InputError as error:
        raise _located(made, visit, error.problems[0]) from None


def _located(made: _Making, visit: str, problem: Problem) -> DataError | StudyFileError:
    if problem.row is None:
        words = {"found": problem.found, "expected": problem.expected, "next_step": problem.next_step}
        return StudyFileError(made.study.problem("instruments", made.name, **words))
    texts = {str(key[-1]): text for key, text in made.instrument.named_columns()}
    several = " to ".join([*texts.values()][:: max(len(texts) - 1, 1)])
    column = parse_column(texts.get(problem.column or "", next(iter(texts.values()))))
    step = f"{problem.next_step} With min and max at the field such values are left out and counted."
    where = made.values.tables[made.values.scope.find(column)[0]].table.name
    row = _row(made, column, visit, problem.row)
    return DataError(
        replace(problem, file=where, row=row, column=texts.get(problem.column or "", several), next_step=step)
    )


def _row(made: _Making, column: Column, visit: str, patient: int) -> int | None:
    """Return the row of the file that holds a patient's visit."""
    table = made.values.tables[made.values.scope.find(column)[0]]
    rows = table.frame.filter(pl.col.subject == made.values.subjects["subject"][patient])
    found = rows.filter(pl.col.visit == (column.visit or visit)) if table.by_visit else rows
    return int(found["row"][0]) if found.height else None


def _censored(made: _Making) -> Iterator[Note]:
    """Say how many values are bounds: the instrument takes the bound."""
    for _, text in made.instrument.named_columns():
        column = parse_column(text)
        table = made.values.tables[made.values.scope.find(column)[0]]
        flag = f"{column_name(column, table)}{CENSORED}"
        count = table.frame[flag].count() if flag in table.frame.columns else 0
        if count:
            label = made.instrument.label or made.name
            told = f"Of {column}, {count} known as bounds only, such as <5 or >20000: {label} takes the bounds."
            yield Note(about="data", text=told)


def _improvement_score(made: _Making, visit: str) -> Made:
    each = made.instrument
    found = instruments.compute_tis(
        made.named(each.measures, each.baseline),
        made.named(each.measures, visit),
        mmt_maximum=each.mmt_maximum,
        enzyme_limits=made.limits(),
        ranges={str(name): width for name, width in each.ranges.items()},
        version=each.version,
    )
    numbers = {"": found.total, ".lower": found.lower, ".upper": found.upper, ".attainable": found.attainable}
    return {
        **{f"{made.name}{part}": _numbers(array) for part, array in numbers.items()},
        f"{made.name}.category": _words(found.category),
    }


def _improvement(made: _Making, visit: str) -> Made:
    each = made.instrument
    before, after = (made.named(each.measures, at) for at in (each.baseline, visit))
    found = instruments.compute_imacs_improvement(
        before, after, enzyme_limits=made.limits(), mmt_maximum=each.mmt_maximum
    )
    return {made.name: _numbers(found).cast(pl.Boolean)}


def _worsening(made: _Making, visit: str) -> Made:
    each = made.instrument
    before, after = (made.named(each.measures, at) for at in (each.baseline, visit))
    found = instruments.compute_imacs_worsening(before, after, mmt_maximum=each.mmt_maximum)
    return {made.name: _numbers(found).cast(pl.Boolean)}


def _mmt8(made: _Making, visit: str) -> Made:
    sides = 1 if len(made.instrument.columns) == 8 else 2
    return {made.name: _numbers(instruments.compute_mmt8(_grades(made, visit), sides=sides))}


def _mrc_sum(made: _Making, visit: str) -> Made:
    return {made.name: _numbers(instruments.compute_mrc_sum(_grades(made, visit)))}


def _haq_di(made: _Making, visit: str) -> Made:
    answers = _grades(made, visit)
    categories = answers if answers.shape[1] == 8 else instruments.compute_haq_categories(answers)
    aids = [made.numbers(text, visit) for text in made.instrument.aids]
    return {made.name: _numbers(instruments.compute_haq_di(categories, aids=np.column_stack(aids) if aids else 0.0))}


def _enzyme_multiple(made: _Making, visit: str) -> Made:
    ((enzyme, text),) = made.instrument.measures.items()
    return {made.name: _numbers(instruments.compute_multiples(made.numbers(text, visit), made.limits()[enzyme]))}


def _classification(made: _Making, visit: str) -> Made:
    each = made.instrument
    biopsy = made.numbers(each.biopsy or "", visit)
    onset_age = np.where(np.isnan(biopsy), np.nan, made.numbers(each.onset_age or "", visit))
    # without an answer on the biopsy the weights are not known, and no age at onset leaves the score unknown
    found = instruments.compute_eular_acr(
        made.named(each.findings, visit), onset_age=onset_age, biopsy=np.nan_to_num(biopsy)
    )
    return {
        made.name: _numbers(found.score),
        f"{made.name}.probability": _numbers(found.probability),
        f"{made.name}.category": _words(found.category),
    }


def _grades(made: _Making, visit: str) -> Floats:
    return np.column_stack([made.numbers(text, visit) for text in made.instrument.columns])


def _numbers(array: Floats) -> pl.Series:
    return pl.Series(array, nan_to_null=True, dtype=pl.Float64)


def _words(array: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> pl.Series:
    return pl.Series([word or None for word in array.tolist()], dtype=pl.String)


_COMPUTE: Mapping[InstrumentKind, Callable[[_Making, str], Made]] = {
    "total_improvement_score": _improvement_score,
    "imacs_improvement": _improvement,
    "imacs_worsening": _worsening,
    "mmt8": _mmt8,
    "mrc_sum": _mrc_sum,
    "haq_di": _haq_di,
    "enzyme_multiple": _enzyme_multiple,
    "eular_acr_2017": _classification,
}
