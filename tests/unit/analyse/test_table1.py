"""Table 1: whom it describes, and whom it compares."""

import dataclasses

import polars as pl
import pytest

from rarefactor.analyse._table1 import describe_table1
from rarefactor.derive import LandmarkTable
from rarefactor.results import FactorInfo

PATIENTS = [  # subject, outcome, age, stage
    ("a", True, 50.0, "I"),
    ("b", True, 40.0, "II"),
    ("c", False, 60.0, "II"),
    ("d", False, 30.0, "I"),
    ("e", None, 70.0, "II"),
    ("f", None, 72.0, None),
    ("g", None, 77.0, "II"),
]
AGE = FactorInfo(name="age", label="Age", kind="continuous", role="marker", measured_at="baseline", definition="")
STAGE = dataclasses.replace(AGE, name="stage", label="Stage", kind="categorical", levels=("I", "II"))


def describe(patients):
    frame = pl.DataFrame(patients, schema=["subject", "outcome", "age", "stage"], orient="row")
    table = LandmarkTable(
        landmark="baseline", frame=frame, factors=("age", "stage"), measured=frame, parts=(), recipes={}
    )
    rows = describe_table1(table, (AGE, STAGE), level=0.95).rows
    return {(row.factor, row.measure, row.group, row.term): row for row in rows}


def test_patients_whose_outcome_is_not_known_are_described_and_compared_with_nobody():
    rows, without = describe(PATIENTS), describe(PATIENTS[:4])
    assert rows["age", "mean", "outcome_unknown", None].estimate == pytest.approx(73.0)
    assert rows["age", "mean", "outcome_unknown", None].events is None
    assert rows["stage", "count", "outcome_unknown", "II"].estimate == 2
    assert rows["stage", "proportion", "outcome_unknown", "II"].estimate == 1.0
    assert rows["stage", "missing", "outcome_unknown", None].estimate == 1
    assert {key: row for key, row in rows.items() if key[2] != "outcome_unknown"} == without


def test_few_values_give_no_patient_away():
    rows = describe(PATIENTS[:6])
    assert ("age", "mean", "outcome_unknown", None) not in rows
    assert rows["age", "missing", "outcome_unknown", None].n == 2
