"""The example anm-srp: synthetic patients of a published question, whose findings stand beside those of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rarefactor import analyse, cohort, derive, simulate, spec
from rarefactor.derive import AnalysisTable
from rarefactor.results import Analysed, Estimate

EXAMPLE = Path(__file__).parents[2] / "examples" / "anm-srp"
FIVE = {"male": 0.001, "severe_weakness": 0.001, "ild": 0.001, "fat_rate": 0.022, "baff_r": 0.036}


@dataclass(frozen=True)
class Example:
    """The study as its records and the values that its images would give tell it."""

    study: spec.Study
    data: cohort.Cohort
    table: AnalysisTable

    def task(self, label: str) -> Analysed:
        tasks = analyse.tasks(self.study, self.table, code="test")
        return next(task for task in tasks if task.label.startswith(label)).compute()


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    folder = tmp_path_factory.mktemp("anm")
    (folder / "study.yaml").write_bytes((EXAMPLE / "study.yaml").read_bytes())
    study, truth = spec.load(folder / "study.yaml"), simulate.read_truth(EXAMPLE / "truth.yaml")
    drawn = simulate.simulate_cohort(study, truth, np.random.default_rng(truth.seed))
    simulate.write_records(drawn, folder)
    data = cohort.ingest(study)
    return Example(study, data, derive.build(study, data, simulate.tabulate_measured(drawn, data.pseudonyms)))


def test_the_records_fit_their_dictionary(example: Example) -> None:
    assert example.study.synthetic
    assert example.data.failures.is_empty()


def test_the_flow_is_that_of_the_paper(example: Example) -> None:
    steps = {step.id: step for step in example.table.flow}
    assert [steps[name].n for name in ("records", "eligible/1", "outcome/baseline")] == [52, 48, 40]
    assert steps["outcome/baseline"].events == 13
    left = {item.reason: item.n for item in steps["landmark/month_3"].excluded}
    assert left.keys() == {"no visit at month 3", "moderate response by month 3"}
    assert steps["landmark/month_3"].n == 48 - sum(left.values())


def test_every_factor_is_known_where_it_is_asked_for(example: Example) -> None:
    frame = example.table.landmarks["month_3"].frame
    assert set(example.study.factors) <= set(frame.columns)
    for name in example.study.factors:
        assert frame[name].null_count() < 0.25 * frame.height, name
        assert frame[name].n_unique() > 1, name


def test_response_is_followed_to_the_visit_at_which_it_is_first_seen(example: Example) -> None:
    first, later = example.table.times
    assert (first.frame["cause"] == 1).sum() > 20
    assert first.frame["days"].min() > 60
    assert later.landmark == "month_3"
    assert later.frame.height < first.frame.height


def test_five_published_findings_stand_beside_ours(example: Example) -> None:
    found = example.task("Published evidence")
    published = {row.factor: row.p for row in found.rows if row.method == "published" and row.factor}
    assert published == FIVE
    for name in FIVE:
        ours = {row.method: row for row in found.rows if row.factor == name and row.group == "ours"}
        assert ours.keys() == {"ml", "firth", "logf22"}
        assert _inside(ours["firth"])
    told = " ".join(note.text for note in found.notes)
    assert "32.5% is no whole number of 48 patients" in told
    assert "Zhao 2020 is shown and not pooled" in told


def _inside(row: Estimate) -> bool:
    return (
        row.low is not None and row.estimate is not None and row.high is not None and row.low < row.estimate < row.high
    )


def test_one_factor_separates_and_its_penalised_estimate_stays(example: Example) -> None:
    rows = example.task("One factor at a time at baseline").rows
    mhc1 = {row.method: row for row in rows if row.factor == "mhc1" and row.measure == "odds_ratio"}
    assert "separated" in mhc1["ml"].flags
    assert mhc1["ml"].estimate is None
    assert mhc1["firth"].estimate > 1
