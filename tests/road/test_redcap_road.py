"""The patients of the PBC study as REDCap exports them give the numbers that they give as plain CSV.

The export is made here: a patient form filled in once, a visit form that repeats, dates in place of days, codes in
place of letters, a checkbox, names that must not get in, and a dictionary with REDCap's 18 columns.
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from rarefactor import analyse, study
from rarefactor.results import Estimate

ROOT = Path(__file__).parents[2]
HEADER = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,'
    "Text Validation Min,Text Validation Max,Identifier?,Branching Logic (Show field only if...),Required Field?,"
    "Custom Alignment,Question Number (surveys only),Matrix Group Name,Matrix Ranking?,Field Annotation"
)
FIELDS = [
    ("record_id", "patient", "text", "Record", "", "", ""),
    ("full_name", "patient", "text", "Name", "", "", "y"),
    ("trial", "patient", "radio", "Arm", "1, D-penicillamine | 2, Placebo", "", ""),
    ("sex", "patient", "dropdown", "Sex", "1, Male | 2, Female", "", ""),
    ("age", "patient", "text", "Age", "", "number", ""),
    ("signs", "patient", "checkbox", "Signs", "1, Ascites | 2, Spider naevi", "", ""),
    ("last_state", "patient", "radio", "State", "0, Alive | 1, Transplanted | 2, Dead", "", ""),
    ("last_day", "patient", "text", "Days of follow-up", "", "integer", ""),
    ("albumin", "patient", "text", "Albumin", "", "number", ""),
    ("seen_on", "visit", "text", "Date of visit", "", "date_ymd", ""),
    ("bili", "visit", "text", "Bilirubin", "", "number", ""),
]
STUDY = """
id: pbc-redcap
title: The PBC study from a REDCap export
cohort:
  records: {records: export.csv}
  dictionary: dictionary.csv
  subject: record_id
  visit_date: seen_on
  visits: {baseline: {month: 0, window: [0, 0]}, month_12: {month: 12, window: [9, 18]}}
  eligibility: [{name: randomised, keep: "trial is not missing"}]
outcome:
  progression:
    label: Progression
    at: month_12
    when: "bili >= 1.25 * bili[baseline]"
    before: [{name: death or transplantation, when: "last_state in ['Transplanted', 'Dead']", day: last_day}]
factors:
  age: {from: age, label: Age, per: 10}
  male: {from: sex, equals: Male, label: Male sex}
  ascites: {from: signs___1, label: Ascites}
  albumin: {from: albumin, label: Albumin}
"""


def write_dictionary(path: Path) -> None:
    with path.open("w", newline="") as file:
        file.write(HEADER + "\n")
        for name, form, kind, label, choices, validation, identifier in FIELDS:
            row = [name, form, "", kind, label, choices, "", validation, "", "", identifier, *[""] * 7]
            csv.writer(file).writerow(row)


def write_export(path: Path) -> None:
    patients = pl.read_csv(ROOT / "examples/pbc/data/pbc.csv", infer_schema=False)
    visits = pl.read_csv(ROOT / "examples/pbc/data/pbcseq.csv", infer_schema=False)
    with path.open("w", newline="") as file:
        names = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "full_name", "trial", "sex", "age"]
        names += ["signs___1", "signs___2", "last_state", "last_day", "albumin", "patient_complete"]
        out = csv.DictWriter(file, [*names, "seen_on", "bili", "visit_complete"], restval="")
        out.writeheader()
        for row in patients.iter_rows(named=True):
            out.writerow(patient_row(row))
            for number, seen in enumerate(visits.filter(pl.col.id == row["id"]).iter_rows(named=True), start=1):
                out.writerow(visit_row(seen, number))


def patient_row(row: dict[str, str]) -> dict[str, str]:
    opened = row["ascites"] != "NA"
    return {
        "record_id": row["id"].zfill(3),
        "full_name": "Nobody Real",
        "trial": "" if row["trt"] == "NA" else row["trt"],
        "sex": {"m": "1", "f": "2"}[row["sex"]],
        "age": row["age"],
        "signs___1": row["ascites"] if opened else "0",
        "signs___2": row["spiders"] if opened else "0",
        "last_state": row["status"],
        "last_day": row["time"],
        "albumin": row["albumin"],
        "patient_complete": "2",
    }


def visit_row(row: dict[str, str], number: int) -> dict[str, str]:
    entered = date(1974, 1, 1) + timedelta(days=7 * int(row["id"]))
    return {
        "record_id": row["id"].zfill(3),
        "redcap_repeat_instrument": "visit",
        "redcap_repeat_instance": str(number),
        "seen_on": (entered + timedelta(days=int(row["day"]))).isoformat(),
        "bili": row["bili"],
        "visit_complete": "2",
    }


@dataclass(frozen=True)
class Read:
    """What came of a study: who is in it, and each factor alone."""

    flow: dict[str, tuple[int, int | None]]
    rows: tuple[Estimate, ...]

    def odds_ratios(self, factor: str) -> list[Estimate]:
        return [row for row in self.rows if row.factor == factor and row.measure == "odds_ratio"]


def read(file: Path) -> Read:
    checked = study.check(file)
    assert checked.cohort.failures.is_empty()
    tasks = analyse.tasks(checked.study, checked.table, code="test")
    alone = next(task for task in tasks if task.label == "One factor at a time at baseline")
    return Read(flow={step.id: (step.n, step.events) for step in checked.table.flow}, rows=alone.compute().rows)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Read, Read]:
    folder = tmp_path_factory.mktemp("redcap")
    write_export(folder / "export.csv")
    write_dictionary(folder / "dictionary.csv")
    (folder / "study.yaml").write_text(STUDY)
    return read(folder / "study.yaml"), read(ROOT / "examples/pbc/study.yaml")


def test_cohort_and_outcome_are_the_same(both: tuple[Read, Read]) -> None:
    redcap, plain = both
    assert redcap.flow["eligible/1"] == plain.flow["eligible/1"] == (312, None)
    assert redcap.flow["outcome/baseline"] == plain.flow["outcome/baseline"] == (273, 102)


@pytest.mark.parametrize("factor", ["age", "male", "ascites", "albumin"])
def test_odds_ratios_are_the_same(both: tuple[Read, Read], factor: str) -> None:
    pairs = list(zip(*(each.odds_ratios(factor) for each in both), strict=True))
    assert len(pairs) == 2
    for redcap, plain in pairs:
        found = (redcap.estimate, redcap.low, redcap.high, redcap.p)
        assert found == pytest.approx((plain.estimate, plain.low, plain.high, plain.p), rel=1e-9)
        assert (redcap.method, redcap.n, redcap.events) == (plain.method, plain.n, plain.events)


def test_names_stay_at_the_door(both: tuple[Read, Read]) -> None:
    assert "Nobody" not in str(both[0])
