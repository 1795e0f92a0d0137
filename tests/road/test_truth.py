"""Cohorts of known truth, from their REDCap export to their odds ratios: the road finds what was put in.

benchmarks/truth.py is the long form, with many cohorts and by each method.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rarefactor import analyse, cohort, derive, simulate, spec
from rarefactor.derive import AnalysisTable
from rarefactor.results import Estimate
from rarefactor.simulate import SimulatedCohort

EXAMPLE = Path(__file__).parents[2] / "examples" / "anm-srp"
ODDS = {"male": 3.0, "severe_weakness": 4.0, "ild": 5.0, "fat_rate": 1.9, "baff_r": 1.6}


def one_model(folder: Path) -> tuple[spec.Study, simulate.Truth]:
    """The example's study with one model from month 3 on, and its truth with the odds ratios of that model."""
    (folder / "study.yaml").write_bytes((EXAMPLE / "study.yaml").read_bytes())
    study, truth = spec.load(folder / "study.yaml"), simulate.read_truth(EXAMPLE / "truth.yaml")
    model = {"truth": spec.Model(label="truth", factors=tuple(ODDS))}
    settings = {"models": model, "missing": spec.Missing(imputations=0), "at_risk": {}, "level": 0.999}
    study = study.model_copy(update={"analysis": study.analysis.model_copy(update=settings)})
    outcome = truth.outcome.model_copy(update={"odds_ratios": ODDS})
    return study, truth.model_copy(update={"outcome": outcome, "expect": None})


def walked(folder: Path, patients: int) -> tuple[SimulatedCohort, AnalysisTable, dict[str, Estimate], dict[str, str]]:
    study, truth = one_model(folder)
    drawn = simulate.simulate_cohort(study, simulate.change_patients(truth, patients), np.random.default_rng(7))
    simulate.write_records(drawn, folder)
    data = cohort.ingest(study)
    assert data.failures.is_empty()
    table = derive.build(study, data, simulate.tabulate_measured(drawn, data.pseudonyms))
    task = next(each for each in analyse.tasks(study, table, code="test") if each.label.startswith("Model truth"))
    rows = {
        row.factor or "": row
        for row in task.compute().rows
        if row.measure == "odds_ratio" and row.method == "firth" and row.analysis == "multivariable"
    }
    return drawn, table, rows, {subject: each for each, subject in data.pseudonyms.items()}


@pytest.fixture(scope="module")
def large(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[SimulatedCohort, AnalysisTable, dict[str, Estimate], dict[str, str]]:
    return walked(tmp_path_factory.mktemp("large"), 900)


def test_odds_ratios_come_back(large) -> None:
    rows = large[2]
    assert rows.keys() == ODDS.keys()
    for name, truth in ODDS.items():
        row = rows[name]
        assert row.low < truth < row.high, name
        assert abs(math.log(row.estimate / truth)) < math.log(1.5), name


def test_every_known_outcome_is_the_one_that_was_drawn(large) -> None:
    drawn, table, _, ids = large
    true = dict(simulate.tabulate_truth(drawn).select("record_id", "refractory").iter_rows())
    frame = table.landmarks["baseline"].frame
    known = frame.filter(pl.col.outcome.is_not_null())
    assert known.height == drawn.outcome_known.sum() < frame.height
    assert known["outcome"].to_list() == [true[ids[subject]] for subject in known["subject"]]


def test_measured_factors_stay_near_the_truth(large) -> None:
    drawn, table, _, ids = large
    true = {row["record_id"]: row for row in simulate.tabulate_truth(drawn).iter_rows(named=True)}
    frame = table.landmarks["month_3"].frame
    for factor, column, bias, error in (
        ("fat_rate", "fat_rate", 0.03, 0.2),
        ("baff_r", "BAFF-R.positive_area", 0.2, 1.5),
    ):
        seen = frame.filter(pl.col(factor).is_not_null())
        gaps = np.array(
            [value - true[ids[subject]][column] for subject, value in seen.select("subject", factor).rows()]
        )
        assert abs(gaps.mean()) < bias
        assert gaps.std() < error
        assert 0 < frame.height - seen.height < 0.2 * frame.height  # some are missing
