"""What was measured in images becomes a factor by the same rules as what was written down."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from rarefactor import cohort, derive, spec
from rarefactor.derive import AnalysisTable
from rarefactor.errors import StudyFileError
from rarefactor.results import CHANGES, Measured, MeasuredTable, Quantity

RECORDS = """
id,event,date,weak
A,v0,2020-01-01,1
A,v3,2020-04-01,0
B,v0,2020-01-01,0
B,v3,2020-03-02,1
B,v12,2021-01-01,0
A,v12,2021-01-01,1
C,v0,2020-01-01,1
C,v3,2020-04-01,0
"""
STUDY = """
id: three
title: Three patients
cohort:
  records: {file: records.csv, event: event, date: date}
  subject: id
  fields:
    id: {type: id}
    event: {type: text}
    date: {type: date}
    weak: {type: yesno}
  visits:
    baseline: {month: 0, event: v0}
    month_3: {month: 3, event: v3}
    month_12: {month: 12, event: v12}
imaging:
  thigh: {folder: mri}
outcome:
  weak: {label: Weak, at: month_12, when: "weak"}
factors:
  fat: {label: Fat, from: thigh.fat_fraction}
  hamstrings: {label: Hamstrings, from: thigh.hamstrings.fat_fraction, cut: ">= 20", reason: seen by eye}
  rate: {label: Fat rate, from: thigh.fat_fraction, rate_between: [baseline, month_3], unit: pp/month}
analysis:
  landmarks: [month_3]
"""
MONTH = 365.25 / 12


def measured(subjects: dict[str, str]) -> MeasuredTable:
    """A was seen twice; B's second scan was refused; C was scanned once. A pair has less in common than one scan."""
    names = {"A": 10.0, "B": 20.0, "C": 30.0}
    rows = [(subjects[name], "baseline", fat, 2 * fat) for name, fat in names.items()]
    rows += [(subjects["A"], "month_3", 17.0, 35.0), (subjects["B"], "month_3", 21.0, 41.0)]
    frame = pl.DataFrame(rows, schema=["subject", "visit", "fat_fraction", "hamstrings.fat_fraction"], orient="row")
    pair = (subjects["A"], "baseline", "month_3", "fat_fraction", 6.0)
    return MeasuredTable(
        name="thigh",
        frame=frame,
        quantities={
            "fat_fraction": Quantity(label="Fat fraction", unit="%", repeatability=0.6),
            "hamstrings.fat_fraction": Quantity(label="Fat fraction of the hamstrings", unit="%"),
        },
        changes=pl.DataFrame([pair], schema=CHANGES, orient="row"),
    )


def derived(folder: Path, study: str = STUDY, records: str = RECORDS) -> AnalysisTable:
    (folder / "study.yaml").write_text(study)
    (folder / "records.csv").write_text(records.strip() + "\n")
    loaded = spec.load(folder / "study.yaml")
    data = cohort.ingest(loaded)
    return derive.build(loaded, data, [Measured(tables=(measured(dict(data.pseudonyms)),))])


def column(table: AnalysisTable, name: str) -> list[object]:
    return table.landmarks["month_3"].frame[name].to_list()


def test_a_measurement_is_a_factor_at_its_visit(tmp_path: Path) -> None:
    table = derived(tmp_path)
    assert column(table, "fat") == [10.0, 20.0, 30.0]
    assert column(table, "hamstrings") == ["Yes", "Yes", "Yes"]
    assert {factor.name: factor.unit for factor in table.factors}["fat"] == "%"


def test_a_rate_is_the_change_of_the_pair_over_the_days_of_the_records(tmp_path: Path) -> None:
    first, *others = column(derived(tmp_path), "rate")
    assert first == pytest.approx(6.0 / (91 / MONTH))
    assert others == [None, None]


def test_the_error_of_a_measured_rate_is_known_from_the_measurement(tmp_path: Path) -> None:
    known = {factor.name: factor.repeatability for factor in derived(tmp_path).factors}
    assert known == {"fat": None, "hamstrings": None, "rate": 0.6}


def test_a_column_that_is_not_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"Did you mean thigh.fat_fraction\?"):
        derived(tmp_path, STUDY.replace("from: thigh.fat_fraction}", "from: thigh.fat_fracton}"))


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("thigh: {folder: mri}", "records: {folder: mri}", "a table of cohort.records too"),
        ("thigh: {folder: mri}", "thigh: {folder: mri, visits: {month_4: m4}}", "Did you mean month_3"),
        ("thigh: {folder: mri}", 'thigh: {folder: mri, layout: "{visit}"}', "without {subject}"),
        ("thigh: {folder: mri}", "thigh: {folder: mri, allow: flip_degrees}", "without a reason"),
        ("thigh: {folder: mri}", "thigh: {folder: mri, allow: coil, reason: x}", "sequence or repetition_ms"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, written: str, instead: str, said: str
) -> None:
    with pytest.raises(StudyFileError, match=said):
        derived(tmp_path, STUDY.replace(written, instead))


def test_images_are_described_at_the_first_landmark_with_rates_of_what_compares(tmp_path: Path) -> None:
    (table,) = derived(tmp_path).images
    rates = table.rates.filter(column="fat_fraction")
    assert set(table.values["column"]) == {"fat_fraction", "hamstrings.fat_fraction"}
    assert rates.height == 1  # of B the change was refused, C was scanned once
    assert rates["visit"].to_list() == ["month_3"]


def test_only_eligible_patients_are_said_to_be_without_images(tmp_path: Path) -> None:
    records = RECORDS.strip().replace("id,event,date,weak", "id,event,date,weak,sure")
    seen = "\n".join(f"{line},1" if number else line for number, line in enumerate(records.splitlines()))
    unseen = "\n".join(
        f"{name},{visit},2020-01-01,1,{sure}" for name, sure in (("D", 0), ("E", 1)) for visit in ("v0", "v3")
    )
    keep = '  eligibility:\n    - {name: sure, keep: "sure"}\nimaging:'
    study = STUDY.replace("imaging:", keep).replace(
        "weak: {type: yesno}", "weak: {type: yesno}\n    sure: {type: yesno}"
    )
    table = derived(tmp_path, study, f"{seen}\n{unseen}")
    notes = [note.text for note in table.notes if note.about == "imaging"]
    assert notes == ["1 patient without a scan that could be measured."]  # E; D was screened out
