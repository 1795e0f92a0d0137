"""The rules of visits, outcome, factors and landmarks, each on a few patients.

Every test writes a study of four patients, A to D, reads it as a user's study is read, and shows what comes out.
"""

import textwrap
from pathlib import Path

import pytest

from rarefactor import cohort, derive, spec
from rarefactor.derive import AnalysisTable
from rarefactor.errors import DataError, StudyFileError

PATIENTS = """
id,sex,ck,died
A,m,100,
B,f,200,
C,f,300,150
D,m,400,400
"""

VISITS = """
id,day,score
A,0,10
A,350,30
A,380,50
B,0,20
B,365,10
C,0,10
D,0,40
"""

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
    died: {type: number, unit: days}
    day: {type: number}
    score: {type: number}
  visits:
    baseline: {month: 0}
    month_3: {month: 3, window: [2, 5]}
    month_12: {month: 12, window: [9, 15]}
outcome:
  worse: {label: Worse, at: month_12, when: "score > 1.2 * score[baseline]"}
factors:
  male: {from: sex, equals: male, label: Male sex}
"""


def derived(
    folder: Path, *, study: str = STUDY, patients: str = PATIENTS, visits: str = VISITS, **changes: str
) -> AnalysisTable:
    for old, new in changes.items():
        assert old in study
        study = study.replace(old, new)
    (folder / "study.yaml").write_text(study)
    (folder / "patients.csv").write_text(patients.strip() + "\n")
    (folder / "visits.csv").write_text(visits.strip() + "\n")
    loaded = spec.load(folder / "study.yaml")
    return derive.build(loaded, cohort.ingest(loaded))


def with_factor(text: str) -> str:
    return STUDY + textwrap.indent(text.strip() + "\n", "  ")


def with_outcome(text: str) -> str:
    return STUDY.replace('when: "score > 1.2 * score[baseline]"}', f'when: "score > 1.2 * score[baseline]", {text}}}')


def outcome(table: AnalysisTable, landmark: str = "baseline") -> list[bool | None]:
    return table.landmarks[landmark].frame["outcome"].to_list()


def reasons(table: AnalysisTable) -> list[str | None]:
    return table.landmarks["baseline"].frame["reason"].to_list()


def factor(table: AnalysisTable, name: str, landmark: str = "baseline") -> list[object]:
    return table.landmarks[landmark].frame[name].to_list()


def test_the_row_nearest_to_the_nominal_month_counts_and_the_choice_is_reported(tmp_path: Path) -> None:
    table = derived(tmp_path)  # A: day 350 (score 30) is 15 days from month 12, as near as day 380 (score 50)
    assert outcome(table) == [True, False, None, None]
    assert any("1 patient had" in note.text and note.about == "visits" for note in table.notes)


def test_of_two_rows_equally_near_the_earlier_counts(tmp_path: Path) -> None:
    visits = "id,day,score\nA,0,10\nA,355.25,11\nA,375.25,50\nB,0,1\nC,0,1\nD,0,1"
    table = derived(tmp_path, visits=visits)
    assert outcome(table)[0] is False
    assert any("equally near" in note.text for note in table.notes)


def test_a_visit_outside_the_window_does_not_count(tmp_path: Path) -> None:
    table = derived(tmp_path, visits="id,day,score\nA,0,10\nA,500,30\nB,0,1\nC,0,1\nD,0,1")
    assert outcome(table) == [None, None, None, None]
    assert reasons(table) == ["no visit at month 12"] * 4


def test_a_missing_value_at_the_visit_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    table = derived(tmp_path, visits="id,day,score\nA,0,10\nA,365,\nB,0,1\nC,0,1\nD,0,1")
    assert outcome(table)[0] is None
    assert reasons(table)[0] == "outcome not known at month 12"


@pytest.mark.parametrize(("counts_as", "expected"), [("event", True), ("no_event", False), ("unknown", None)])
def test_a_terminal_event_before_the_visit_decides(tmp_path: Path, counts_as: str, *, expected: bool | None) -> None:
    before = f'before: [{{name: death, when: "died is not missing", day: died, counts_as: {counts_as}}}]'
    table = derived(tmp_path, study=with_outcome(before))
    # C died on day 150; D on day 400, before the end of the window (month 15 is day 456), and had no visit
    assert outcome(table) == [True, False, expected, expected]
    assert reasons(table)[2] == (None if expected is not None else "death before month 12")


def test_a_terminal_event_after_the_visit_decides_nothing(tmp_path: Path) -> None:
    before = 'before: [{name: death, when: "died is not missing", day: died}]'
    table = derived(tmp_path, study=with_outcome(before), patients="id,sex,ck,died\nA,m,1,\nB,f,1,370\nC,f,1,\nD,m,1,")
    assert outcome(table)[1] is False  # B's visit was on day 365


def test_eligibility_keeps_who_meets_the_rule_and_counts_the_others(tmp_path: Path) -> None:
    study = STUDY.replace("outcome:\n", "  eligibility: [{name: CK above 150, keep: 'ck > 150'}]\noutcome:\n", 1)
    table = derived(tmp_path, study=study, patients="id,sex,ck,died\nA,m,100,\nB,f,,\nC,f,300,\nD,m,400,")
    step = next(step for step in table.flow if step.id == "eligible/1")
    assert step.n == 2
    assert [(item.reason, item.n) for item in step.excluded] == [
        ("not CK above 150", 1),
        ("CK above 150: not known", 1),
    ]


@pytest.mark.parametrize(
    ("definition", "kind", "values"),
    [
        ("x: {from: sex, equals: male, label: X}", "binary", ["Yes", "No", "No", "Yes"]),
        ("x: {from: sex, label: X}", "binary", ["male", "female", "female", "male"]),
        ("x: {from: ck, label: X}", "continuous", [100, 200, 300, 400]),
        ("x: {from: ck, cut: '>= 300', reason: twice normal, label: X}", "binary", ["No", "No", "Yes", "Yes"]),
    ],
)
def test_a_factor_is_made_as_the_study_file_says(
    tmp_path: Path, definition: str, kind: str, values: list[object]
) -> None:
    table = derived(tmp_path, study=with_factor(definition))
    assert factor(table, "x") == values
    assert next(info for info in table.factors if info.name == "x").kind == kind


def test_the_reference_is_the_level_that_is_named(tmp_path: Path) -> None:
    table = derived(tmp_path, study=with_factor("x: {from: sex, reference: male, label: X}"))
    assert table.factors[-1].levels == ("female", "male")
    assert table.factors[-1].ordered == ("male", "female")


def test_a_rate_is_per_month_between_the_days_of_the_two_visits(tmp_path: Path) -> None:
    study = with_factor("rate: {from: score, rate_between: [baseline, month_3], measured_at: month_3, label: Rate}")
    study += "analysis: {landmarks: [baseline, month_3]}\n"
    visits = "id,day,score\nA,0,10\nA,91.3125,16\nA,365,20\nB,0,10\nB,121.75,14\nC,0,10\nC,91.3125,\nD,0,1"
    table = derived(tmp_path, study=study, visits=visits)
    assert factor(table, "rate", "month_3") == pytest.approx([2.0, 1.0, None])  # D had no visit at month 3


def test_a_landmark_drops_who_was_lost_or_had_the_event_before_it(tmp_path: Path) -> None:
    before = 'before: [{name: death, when: "died is not missing", day: died}]'
    study = with_outcome(before) + "analysis: {landmarks: [baseline, month_3]}\n"
    visits = VISITS + "A,90,1\nC,90,1\nD,90,1\n"
    table = derived(tmp_path, study=study, visits=visits, patients=PATIENTS.replace("150", "80"))
    step = next(step for step in table.flow if step.id == "landmark/month_3")
    assert step.n == 2
    assert [(item.reason, item.n) for item in step.excluded] == [
        ("death before month 3", 1),
        ("no visit at month 3", 1),
    ]


AT_RISK = (
    "analysis: {landmarks: [baseline, month_3], at_risk: {month_3: [{name: a high score, drop: 'score >= 30'}]}}\n"
)


def test_a_landmark_drops_who_is_no_longer_at_risk_there_or_may_not_be(tmp_path: Path) -> None:
    visits = VISITS + "A,90,30\nC,90,29\nD,90,\n"
    table = derived(tmp_path, study=STUDY + AT_RISK, visits=visits)
    step = next(step for step in table.flow if step.id == "landmark/month_3")
    assert step.n == 1
    assert {item.reason: item.n for item in step.excluded} == {
        "a high score": 1,
        "a high score: not known": 1,
        "no visit at month 3": 1,
    }
    assert table.landmarks["baseline"].frame.height == 4


def test_a_rule_that_asks_whether_a_value_is_missing_keeps_who_is_not_known_to_have_left(tmp_path: Path) -> None:
    visits = VISITS + "A,90,30\nB,90,1\nC,90,29\nD,90,\n"
    study = STUDY + AT_RISK.replace("'score", "'score is not missing and score")
    assert derived(tmp_path, study=study, visits=visits).landmarks["month_3"].frame.height == 3


@pytest.mark.parametrize("landmark", ["baseline", "month_12"])
def test_rules_of_what_is_no_later_landmark_are_refused(tmp_path: Path, landmark: str) -> None:
    with pytest.raises(StudyFileError, match=rf"at_risk\.{landmark}"):
        derived(tmp_path, study=STUDY + AT_RISK.replace("{month_3", f"{{{landmark}"))


def test_a_factor_known_after_the_landmark_is_refused_by_name(tmp_path: Path) -> None:
    study = with_factor("rate: {from: score, rate_between: [baseline, month_3], label: Rate}")
    study += "analysis: {landmarks: [baseline, month_3], models: {early: {landmark: baseline, factors: [rate]}}}\n"
    with pytest.raises(StudyFileError, match="rate"):
        derived(tmp_path, study=study)


def test_repeated_rows_of_a_patient_are_refused_with_their_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        derived(tmp_path, patients=PATIENTS + "B,f,250,\n")
    assert "3" in str(caught.value)
    assert "6" in str(caught.value)
    assert "250" not in str(caught.value)


def coupled(table: AnalysisTable) -> dict[str | None, str]:
    return {note.factor: note.text for note in table.notes if note.about == "coupling"}


def test_a_factor_of_the_variable_that_decides_the_outcome_is_told(tmp_path):
    """`worse` compares the score at month 12 with that at baseline: so does a change from baseline, in part."""
    factors = """
        at_start: {from: visits.score, label: Score, measured_at: baseline}
        rise: {from: score, change_between: [baseline, month_3], label: Rise}
        later: {from: score, label: Score at month 3, measured_at: month_3}
        ck: {from: ck, label: CK}
    """
    study = with_factor(textwrap.dedent(factors)) + "analysis: {landmarks: [baseline, month_3]}\n"
    table = derived(tmp_path, study=study)
    found = coupled(table)
    assert list(found) == ["at_start", "rise", "later"]
    assert "share its value at baseline: part of their association is built in" in found["rise"]
    assert "at different visits: part of their association may be built in" in found["later"]
    assert [note.landmark for note in table.notes if note.about == "coupling"] == ["baseline", "month_3", "month_3"]


def test_a_variable_of_one_name_and_description_in_two_tables_is_one(tmp_path):
    patients = PATIENTS.replace("died", "died,score").replace("100,", "100,,10").replace("200,", "200,,20")
    patients = patients.replace("300,150", "300,150,10").replace("400,400", "400,400,40")
    study = with_factor("at_start: {from: patients.score, label: Score}")
    study = study.replace("score > 1.2 * score[baseline]", "visits.score > 1.2 * visits.score[baseline]")
    assert list(coupled(derived(tmp_path, study=study, patients=patients))) == ["at_start"]
    apart = study.replace("    score: {", "    patients.score: {type: number, label: Gensini}\n    score: {")
    assert not coupled(derived(tmp_path, study=apart, patients=patients))
