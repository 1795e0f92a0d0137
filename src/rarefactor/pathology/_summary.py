"""Everything that the slides and scores of a study, or of a folder, gave, put together.

Convention: control tissue stands apart and is in no value of a patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rarefactor.pathology._agreement import ReaderAgreement, compare_measured, tabulate_agreement
from rarefactor.pathology._beside import list_score_runs
from rarefactor.pathology._biopsy import ADJUSTED, combine_biopsies
from rarefactor.pathology._measure_slide import SCHEMA, SlideResult
from rarefactor.pathology._plan import Plan
from rarefactor.pathology._runs import RunGains
from rarefactor.pathology._scores import PatientScore, derive_patient_scores
from rarefactor.pathology._staining import RunFinding, add_adjusted, compare_runs

_RUN = {"run": pl.String}
_MORE = ("positive_area", "h_score_px", "positive_cells", "h_score")
Again = Mapping[str, pl.DataFrame | None]
"""The rows of slides read at the threshold of their run, by the slides' names."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measurement:
    """What was measured.

    Attributes
    ----------
    results, controls
        Slides of patients, and control tissue.
    rows, control_rows
        Their measurements, a row for each region, with ``run`` and, where asked for, adjusted values.
    biopsies
        A row for each patient, visit and stain.
    runs
        What the staining runs did to each stain.
    scores, agreement
        What readers say of each patient, and how far they agree with each other and with what was measured.
    """

    results: tuple[SlideResult, ...]
    controls: tuple[SlideResult, ...]
    rows: pl.DataFrame
    control_rows: pl.DataFrame
    biopsies: pl.DataFrame
    runs: Mapping[str, RunFinding]
    scores: tuple[PatientScore, ...] = ()
    agreement: tuple[ReaderAgreement, ...] = ()

    @property
    def all(self) -> tuple[SlideResult, ...]:
        """Every slide."""
        return (*self.results, *self.controls)


def summarise(asked: Plan, results: Sequence[SlideResult], gains: Mapping[str, RunGains], again: Again) -> Measurement:
    """Return what all slides gave together.

    Parameters
    ----------
    gains
        How strongly the runs of each stain stained; empty where values are not adjusted.
    again
        Slides read at the threshold of their run.
    """
    own = tuple(each for each in results if not each.file.control)
    controls = tuple(each for each in results if each.file.control)
    adjust = asked.runs != "none"
    rows = _join((_with_gain(each, gains, again) if adjust else each.rows, each) for each in own)
    rows = rows if own else rows.with_columns(_list_empty(adjust=adjust))
    biopsies = combine_biopsies(rows)
    stains = sorted({each.file.stain for each in own})
    table = asked.scores
    scores = derive_patient_scores(table) if table else ()
    level, by_run = asked.settings.level, list_score_runs(asked.slides, table.scores) if table else {}
    agreement = tabulate_agreement(table, runs=by_run, level=level) if table else ()
    return Measurement(
        results=own,
        controls=controls,
        rows=rows,
        control_rows=_join((each.rows, each) for each in controls),
        biopsies=biopsies,
        runs=compare_runs(rows, stains, gains) if asked.manifest else {},
        scores=scores,
        agreement=(*agreement, *compare_measured(scores, biopsies, runs=by_run, level=level)),
    )


def find_gain(result: SlideResult, gains: Mapping[str, RunGains]) -> float | None:
    """Return the gain of the run of a slide, or None."""
    known = gains.get(result.file.stain)
    return known.gains.get(result.file.run or "") if known else None


def _with_gain(result: SlideResult, gains: Mapping[str, RunGains], again: Again) -> pl.DataFrame:
    return add_adjusted(result, find_gain(result, gains), again.get(result.file.name))


def _join(tables: Iterable[tuple[pl.DataFrame, SlideResult]]) -> pl.DataFrame:
    """Return the measurements of all slides, with the run in which each was stained."""
    named = [rows.with_columns(run=pl.lit(each.file.run, pl.String)) for rows, each in tables]
    return pl.concat(named) if named else pl.DataFrame(schema={**SCHEMA, **_RUN})


def _list_empty(*, adjust: bool) -> list[pl.Expr]:
    names = [f"{name}{ADJUSTED}" for name in (*_MORE, "mean_density")] if adjust else []
    return [pl.lit(None, pl.Float64).alias(name) for name in names]
