"""What factors could be made of, counted on four patients of whom three are eligible."""

from pathlib import Path

import pytest

from rarefactor import cohort, derive, spec
from rarefactor.derive import Variables
from rarefactor.spec import Put, Study, change_study, load_text

PATIENTS = "id,sex,ck,comment\nA,m,100,x\nB,f,,y\nC,f,300,\nD,m,400,z\n"
VISITS = "id,day,score\nA,0,10\nA,90,30\nB,0,20\nC,0,\nD,0,40\n"
STUDY = """
id: four
title: Four patients
cohort:
  records:
    patients: patients.csv
    visits: {file: visits.csv, day: day}
  subject: id
  fields:
    id: {type: id}
    sex: {type: choice, choices: {f: female, m: male}}
    ck: {type: number, unit: U/l}
    comment: {type: text}
    day: {type: number}
    score: {type: number}
  visits:
    baseline: {month: 0}
    month_3: {month: 3, window: [2, 5]}
    month_12: {month: 12, window: [9, 15]}
  eligibility:
    - {name: enzyme at most 300, drop: "ck > 300"}
imaging:
  thigh: {folder: mri, sequence: dixon}
outcome:
  worse: {label: Worse, at: month_12, when: "score > 20"}
factors:
  male: {from: sex, equals: male, label: Male sex}
  rise: {from: score, change_between: [baseline, month_3], label: Rise, measured_at: month_3}
analysis: {landmarks: [baseline, month_3]}
"""


@pytest.fixture
def four(tmp_path: Path) -> tuple[Study, Variables]:
    for name, text in {"patients.csv": PATIENTS, "visits.csv": VISITS, "study.yaml": STUDY}.items():
        (tmp_path / name).write_text(text)
    study = spec.load(tmp_path / "study.yaml")
    from rarefactor import imaging

    return study, derive.list_variables(study, cohort.ingest(study), [imaging.describe(study)])


def test_values_are_counted_where_a_patient_has_them(four: tuple[Study, Variables]) -> None:
    _, variables = four
    known = {item.text: item.known for item in variables.items if item.table != "thigh"}
    assert variables.n == 2  # B's ck is not known, so nobody can say that B is eligible
    assert known["ck"] == {"": 2}
    assert known["score"] == {"baseline": 1, "month_3": 1, "month_12": 0}


def test_what_no_factor_can_be_made_of_says_why_and_images_wait_until_measured(four: tuple[Study, Variables]) -> None:
    _, variables = four
    assert variables.find("comment").why_not == "of type text"
    fat = variables.find("thigh.fat_fraction")
    assert (fat.origin, fat.known, fat.why_not) == ("images", None, "")
    assert variables.find("nonsense") is None


def test_values_are_spread_over_levels_and_round_bars(four: tuple[Study, Variables]) -> None:
    study, variables = four
    assert derive.count_factor(variables, study, "male").levels == (("No", 1), ("Yes", 1))
    rise = derive.count_factor(variables, study, "rise")
    assert (rise.n, rise.missing, sum(rise.counts)) == (1, 1, 1)
    ck = derive.count_variable(variables, "ck", "baseline")
    assert (ck.edges[0], ck.quartiles[0], ck.quartiles[-1]) == (100, 100, 300)
    assert ck.edges[-1] > 300
    assert derive.count_variable(variables, "comment", "baseline") is None
    assert derive.count_beyond(variables, "ck", "baseline", "<= 100") == (1, 2)
    assert derive.count_beyond(variables, "ck", "baseline", "< 100") == (0, 2)
    assert derive.count_beyond(variables, "ck", "baseline", "about 100") is None


def test_a_row_outside_every_window_is_counted_and_stands_for_no_visit(four: tuple[Study, Variables]) -> None:
    study, variables = four
    found = derive.tabulate_attendance(variables, study)
    assert [(each.name, each.n) for each in found.visits] == [("baseline", 2), ("month_3", 1), ("month_12", 0)]
    assert (found.unplaced_rows, found.unplaced_patients) == (0, 0)
    narrow = change_study(STUDY, Put(("cohort", "visits", "month_3", "window"), [3, 3.5]))  # day 90 is month 2.96
    strict = load_text(narrow, study.folder / "study.yaml")
    again = derive.tabulate_attendance(derive.list_variables(strict, cohort.ingest(strict)), strict)
    assert [each.n for each in again.visits] == [2, 0, 0]
    assert (again.unplaced_rows, again.unplaced_patients) == (1, 1)
