"""Deliberately messy clinical workbooks: what is found, by place and rule, and what is refused.

``messy_uc.xlsx`` lists its own defects in its sheet Problems; :func:`test_the_labelled_problems_are_found` goes
through that list.
"""

from pathlib import Path
from typing import Any

import pytest

from rarefactor.cohort import Findings, check_data, ingest
from rarefactor.spec import DataField, Study
from rarefactor.spec._origin import Origin

pytestmark = pytest.mark.shared


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("RAREFACTOR_KEY", "a key for tests")


@pytest.fixture
def study_of(shared: Path):
    def make(file: str, subject: str, fields: dict[str, DataField], **source: Any) -> Study:
        more = {key: source.pop(key) for key in ("visit_date", "missing_codes") if key in source}
        records = {"data": {"file": file, **source}}
        content = {
            "id": "test",
            "title": "Test",
            "cohort": {"records": records, "subject": subject, "fields": fields, **more},
            "outcome": {"poor": {"label": "Poor", "at": "baseline", "when": "x == 1"}},
            "factors": {"x": {"from": "x", "label": "X"}},
        }
        folder = shared / "data" / "messy_excel"
        return Study.model_validate(content).located(Origin(path=folder / "study.yaml"))

    return make


def number(low: float | None = None, high: float | None = None, unit: str | None = None) -> DataField:
    return DataField(type="number", min=low, max=high, unit=unit)


def choice(*codes: str) -> DataField:
    return DataField(type="choice", choices=dict.fromkeys(codes, ""))


SCORE = number(0, 100, "points")
SCORES = ("bss", "abd", "sys", "coping", "emo", "dl")
UC: dict[str, DataField] = {  # the sheet Codebook, under the names of the sheet Data
    "pat_id": DataField(type="id"),
    "treatment": DataField(type="choice", choices={"upa": "upadacitinib", "uste": "ustekinumab", "oza": "ozanimod"}),
    "start_date": DataField(type="date"),
    "ethnic": choice("hispanic", "not hispanic"),
    "race": DataField(
        type="choice",
        choices={
            "Caucasian": "caucasian",
            "African-American": "african-american",
            "Asian": "asian",
            "Hawaiian": "hawaiian or other pacific islander",
            "American Indian": "american indian or alaska native",
            "Mixed": "mixed",
            "Other": "other",
        },
    ),
    "dob": DataField(type="date"),
    "start_bp": number(50, 160, "mm Hg"),
    "pre/post_wt_kg": number(48, 157, "kg"),
    **{f"{when}_mes": DataField(type="integer", min=0, max=3) for when in ("start", "end")},
    **{f"{when}_{score}": SCORE for when in ("start", "end") for score in SCORES},
    **{f"{when}_wbc": number(4.5, 11, "10⁹/l") for when in ("start", "end")},
    **{f"{when}_plt": number(150, 400, "10⁹/l") for when in ("start", "end")},
    **{f"{when}_na": number(135, 245, "mmol/l") for when in ("start", "end")},
    **{f"{when}_k": number(3.5, 5.5, "mEq/l") for when in ("start", "end")},
    "end_month": DataField(type="integer", min=1, max=12),
    "end_day": DataField(type="integer", min=1, max=31),
    "end_year": DataField(type="integer", min=1931, max=2030),
    "Start Abd score": SCORE,
    "Daily Life impact score at start": SCORE,
    "fake_street": DataField(type="text"),
}
del UC["start_abd"], UC["start_dl"]  # the sheet Data has other words for them


@pytest.fixture
def uc(study_of) -> Findings:
    return check_data(study_of("messy_uc.xlsx", "pat_id", UC, sheet="Data", header=7, visit_date="start_date"))


def rows_of(findings: Findings, column: str, rule: str) -> list[int]:
    failures = findings.failures
    return failures.filter(failures["column"] == column, failures["rule"] == rule)["row"].to_list()


PROBLEMS = [  # the sheet Problems: the problem, its column, the rule that finds it, the rows
    ("categories with typos", "ethnic", "choice", [15, 16, 17]),
    ("categories with typos", "race", "choice", [15, 22, 29, 34]),
    ("text in numeric data", "start_k", "type", [34]),
    ("text in numeric data", "start_plt", "type", [29]),
    ("separating data", "start_bp", "type", [*range(8, 23), *range(24, 39)]),
    ("separating data", "pre/post_wt_kg", "type", [*range(8, 23), *range(24, 39)]),
    ("encoded meaning -99", "end_na", "range", [22, 25]),
    ("encoded meaning -99", "end_k", "range", [25, 28]),
    ("out of range values", "start_wbc", "range", [19, 21]),
    ("out of range values", "start_plt", "range", [9, 12, 13, 19, 21, 28, 32, 33, 34, 36]),
    ("missing values", "end_emo", "type", [22]),
    ("missing values", "end_dl", "type", [22]),
]


@pytest.mark.parametrize(("problem", "column", "rule", "rows"), PROBLEMS, ids=[f"{p[0]}-{p[1]}" for p in PROBLEMS])
def test_the_labelled_problems_are_found(uc: Findings, problem: str, column: str, rule: str, rows: list[int]) -> None:
    assert rows_of(uc, column, rule) == rows, problem


def test_empty_rows_and_columns_and_colours_are_noted(uc: Findings) -> None:
    assert {
        "messy_uc.xlsx: empty columns left out: G.",
        "messy_uc.xlsx: empty rows left out: 23.",
        "messy_uc.xlsx: colours are not read; what they mean needs a column of its own: treatment.",
        "messy_uc.xlsx: identifiers were dropped at the door: dob, fake_street.",
    } <= set(uc.notes)


def test_the_rest_of_the_workbook_is_read_right(study_of) -> None:
    study = study_of(
        "messy_uc.xlsx",
        "pat_id",
        UC,
        sheet="Data",
        header=7,
        visit_date="start_date",
        missing_codes=["-99", "not done"],
    )
    cohort = ingest(study)
    frame = cohort.tables["data"].frame
    assert (frame.height, frame["subject"].n_unique()) == (30, 30)
    assert frame["day"].to_list() == [0] * 30  # Excel dates are dates
    assert frame["Start Abd score"].null_count() == 0
    assert rows_of(check_data(study), "end_na", "range") == [22]
    codes = "messy_uc.xlsx: missing-data codes: end_emo (1), end_dl (1), end_na (1), end_k (1)."
    assert codes in check_data(study).notes


def test_title_rows_and_unnamed_sheets_are_refused_with_what_to_write(study_of) -> None:
    for source, next_step in (({}, "Write `sheet: Data`."), ({"sheet": "Data"}, "write `header: 7`")):
        problems = check_data(study_of("messy_uc.xlsx", "pat_id", UC, **source)).problems
        assert next_step in problems[0].next_step


def test_the_kidney_workbook_has_two_patients_twice_and_words_among_numbers(study_of) -> None:
    fields = {"Day 1 gfr": number(0, 120), "DAY2GFR`": number(0, 120), "AV fistula": DataField(type="yesno")}
    findings = check_data(study_of("messy_aki.xlsx", "study_id", fields, header=5))
    assert [problem.found for problem in findings.problems] == [
        "the same patient in rows 8, 9",
        "the same patient in rows 14, 15",
    ]
    assert findings.failures.select("row", "column", "rule").rows() == [
        (27, "study_id", "missing_subject"),
        (28, "study_id", "missing_subject"),
        (20, "Day 1 gfr", "range"),
        (7, "DAY2GFR`", "type"),
    ]


def test_the_blood_pressure_workbook_has_three_columns_of_one_name(study_of) -> None:
    findings = check_data(study_of("messy_bp.xlsx", "pat_id", {"BP": number()}, header=4))
    assert [(problem.column, problem.found) for problem in findings.problems] == [
        ("BP", "the name 3 times (columns H, J, L)")
    ]


def test_the_glucose_workbook_has_a_legend_below_and_a_patient_twice(study_of) -> None:
    fields = {"Race": choice("1", "2", "3", "4", "5"), "glucose POST": number(0), "DofB": DataField(type="date")}
    findings = check_data(study_of("messy_glucose.xlsx", "pat_id", fields, header=4))
    assert [problem.found for problem in findings.problems] == ["the same patient in rows 13, 14"]
    assert rows_of(findings, "pat_id", "missing_subject") == [30, 31, 32, 33, 34, 35]
    assert any("dropped at the door: DofB" in note for note in findings.notes)


def test_tables_of_counts_are_no_patients(study_of) -> None:
    cirrhosis = check_data(study_of("messy_cirrhosis.xlsx", "pat_id", {"Sex": choice("Male", "Female")}, header=3))
    assert [problem.found for problem in cirrhosis.problems] == ["no column of this name"]
    infarct = check_data(study_of("messy_infarct.xlsx", "Race", {"Sex": choice("Male", "Female")}, header=3))
    assert len(rows_of(infarct, "Race", "missing_subject")) == 15
