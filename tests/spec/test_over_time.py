"""The rules of follow-up and trajectories, each on a few patients, and what the reader of a study file is told."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from rarefactor import cohort, derive, spec
from rarefactor.analyse._course import analyse_course
from rarefactor.derive import AnalysisTable, Kinds
from rarefactor.errors import DataError, StudyFileError
from rarefactor.results import Analysed

PATIENTS = """
id,sex,state,end
A,m,dead,100
B,f,well,400
C,f,moved,300
D,m,dead,0
E,f,,500
F,m,well,
G,f,well,60
"""

VISITS = """
id,day,score
A,0,10
A,90,30
A,95,0
B,0,20
B,90,10
B,800,15
C,0,10
C,100,12
D,0,40
E,0,11
F,0,12
G,0,13
"""

STUDY = """
id: seven
title: Seven patients
cohort:
  records:
    patients: patients.csv
    visits: {file: visits.csv, day: day}
  subject: id
  fields:
    id: {type: id}
    sex: {type: choice, choices: {f: female, m: male}}
    state: {type: choice, choices: {dead: dead, moved: moved, well: well}}
    end: {type: number, unit: days}
    day: {type: number}
    score: {type: number}
  visits:
    baseline: {month: 0}
    month_3: {month: 3, window: [2, 5]}
    month_12: {month: 12, window: [9, 15]}
outcome:
  worse: {label: Worse, at: month_12, when: "score > 20"}
factors:
  male: {from: sex, equals: male, label: Male sex}
  score: {from: visits.score, label: Score}
  rate: {from: visits.score, rate_between: [baseline, month_3], label: Rate, repeatability: 2}
analysis:
  landmarks: [baseline, month_3]
follow_up:
  death: {label: Death, when: "state == 'dead'", day: end, by: [male], models: {both: [male, score]}}
trajectories:
  score: {label: Score, from: visits.score, until: 24, by: male}
"""


def loaded(folder: Path, *changes: tuple[str, str]) -> spec.Study:
    text, patients = STUDY, PATIENTS
    for old, new in changes:
        assert old in text + patients
        text, patients = text.replace(old, new), patients.replace(old, new)
    (folder / "study.yaml").write_text(text)
    (folder / "patients.csv").write_text(patients.strip() + "\n")
    (folder / "visits.csv").write_text(VISITS.strip() + "\n")
    return spec.load(folder / "study.yaml")


def derived(folder: Path, *changes: tuple[str, str]) -> AnalysisTable:
    study = loaded(folder, *changes)
    return derive.build(study, cohort.ingest(study))


def followed(table: AnalysisTable) -> dict[float, int]:
    return dict(table.times[0].frame.sort("days").select("days", "cause").iter_rows())


def test_follow_up_starts_at_baseline_and_says_who_is_not_in_it(tmp_path: Path) -> None:
    table = derived(tmp_path)
    assert followed(table) == {60: 0, 100: 1, 300: 0, 400: 0}
    (note,) = table.times[0].notes
    assert note.text.startswith("3 of 7 patients are not in the follow-up: ")
    for reason in (
        "death by baseline (1)",
        "state at the end of follow-up not known (1)",
        "day of the end of follow-up not known (1)",
    ):
        assert reason in note.text


def test_the_clock_starts_at_the_patients_own_visit_of_a_later_landmark(tmp_path: Path) -> None:
    table = derived(tmp_path, ("day: end,", "day: end, landmark: month_3,"))
    assert followed(table) == {10: 1, 200: 0, 310: 0}


SEEN = ("when: \"state == 'dead'\", day: end,", 'first: "score >= 12",')


def test_an_event_at_visits_comes_with_the_first_at_which_it_is_seen_and_ends_with_the_last_that_is_known(
    tmp_path: Path,
) -> None:
    table = derived(tmp_path, SEEN)
    assert table.times[0].frame.select("subject", "days", "cause").height == 2
    assert followed(table) == {90: 1, 100: 1}  # A and C; B, D, F, G have it at baseline, E is never seen again
    assert "death by baseline (4), not followed beyond baseline (1)" in table.times[0].notes[0].text


def test_a_visit_without_the_event_censors_there(tmp_path: Path) -> None:
    table = derived(tmp_path, (SEEN[0], SEEN[1].replace(">= 12", "> 15")))
    assert followed(table) == {90: 1, 100: 0}


def test_who_has_the_event_by_a_later_landmark_is_not_followed_from_there(tmp_path: Path) -> None:
    table = derived(tmp_path, (SEEN[0], SEEN[1].replace(">= 12", "> 15") + " landmark: month_3,"))
    assert followed(table) == {}
    assert "death by month 3 (2)" in table.times[0].notes[0].text
    assert "not followed beyond month 3 (1)" in table.times[0].notes[0].text


def test_a_competing_event_is_told_apart_from_being_censored(tmp_path: Path) -> None:
    table = derived(tmp_path, ("day: end,", "day: end, competing: {name: moving, when: \"state == 'moved'\"},"))
    assert followed(table) == {60: 0, 100: 1, 300: 2, 400: 0}


def kinds(table: AnalysisTable, found: Kinds | None) -> dict[str, str]:
    order = table.landmarks["baseline"].frame["subject"].to_list()
    assert found is not None
    return {
        "ABCDEFG"[order.index(subject)]: kind for subject, kind in sorted(found.frame.select("subject", "kind").rows())
    }


def test_an_event_of_several_values_is_of_the_kind_of_its_value(tmp_path: Path) -> None:
    either = ("when: \"state == 'dead'\",", "when: \"state in ['dead', 'moved']\",")
    table = derived(tmp_path, either, ("dead: dead, moved: moved", "dead: Died, moved: moved away"))
    found = table.times[0].kinds
    assert found is not None
    assert found.labels == ("Died", "moved away")
    assert kinds(table, found) == {"A": "Died", "C": "moved away"}  # D was dead by baseline and is not followed
    assert derived(tmp_path).times[0].kinds is None  # one value, one kind


def test_an_event_joined_by_or_is_of_the_first_kind_that_is_true_at_the_visit_where_it_was_seen(tmp_path: Path) -> None:
    joined = "first: \"visits.score > 25 or visits.score == 12 or sex == 'f' and day > 50\","
    table = derived(tmp_path, (SEEN[0], joined))
    found = table.times[0].kinds
    assert found is not None
    assert found.labels == ("visits.score > 25", "visits.score == 12", "sex and day")  # two are called alike
    assert kinds(table, found) == {"A": "visits.score > 25", "B": "sex and day", "C": "visits.score == 12"}
    assert found.frame["several"].sum() == 1  # C is also a woman seen after day 50


def test_an_outcome_came_from_an_event_before_its_visit_or_from_what_was_seen_at_it(tmp_path: Path) -> None:
    before = "before: [{name: death, when: \"state == 'dead'\", day: end}]"
    changes = (
        ('at: month_12, when: "score > 20"', f'at: month_3, when: "score > 11", {before}'),
        ("  rate: {from: visits.score, rate_between: [baseline, month_3], label: Rate, repeatability: 2}\n", ""),
        ("landmarks: [baseline, month_3]", "landmarks: [baseline]"),
        ("score: {type: number}", "score: {type: number, label: Score}"),
        ("A,m,dead,100", "A,m,well,100"),
    )
    table = derived(tmp_path, *changes)
    found = table.landmarks["baseline"].kinds
    assert found is not None
    assert found.labels == ("score at month 3", "death before month 3")
    assert kinds(table, found) == {"A": "score at month 3", "C": "score at month 3", "D": "death before month 3"}


def test_a_course_uses_every_row_up_to_its_month_and_groups_in_order(tmp_path: Path) -> None:
    course = derived(tmp_path).courses[0]
    assert course.groups == ("No", "Yes")
    counts = dict(course.frame.group_by("group").len().iter_rows())
    assert counts == {"Yes": 5, "No": 6}  # B's row of day 800 comes after month 24


def test_values_without_a_logarithm_leave_a_course_and_are_counted(tmp_path: Path) -> None:
    course = derived(tmp_path, ("until: 24,", "until: 24, transform: log,")).courses[0]
    assert course.frame.filter(course.frame["value"] <= 0).is_empty()
    assert "1 values of Score are not above 0" in course.notes[0].text


def test_a_column_that_is_measured_once_has_no_course(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="measured once per patient"):
        derived(tmp_path, ("from: visits.score, until", "from: end, until"))


# what is written -> what is written instead -> key, found
MISTAKES = [
    ("by: [male]", "by: [sex]", "follow_up.death.by[1]", "sex, which is not known"),
    ("both: [male, score]", "both: [rate]", "follow_up.death.models.both[1]", "not known at the landmark baseline"),
    ("day: end,", "day: end, landmark: month_12,", "follow_up.death.landmark", "month_12, which is not known"),
    ("by: male}", "by: females}", "trajectories.score.by", "females, which is not known"),
    ("until: 24,", "until: -1,", "trajectories.score.until", '"-1"'),
    ("label: Score}", "label: Score, repeatability: 1}", "factors.score.repeatability", "which is no rate"),
    ("by: [male]", "by: [score]", "follow_up.death.by[1]", "a factor without levels"),
    ("from: visits.score, until", "from: sex, until", "trajectories.score.from", "a column of type choice"),
    ("state == 'dead'", "stat == 'dead'", "follow_up.death.when", "the column stat"),
    ("day: end,", "day: sex,", "follow_up.death.day", "a column of type choice"),
    ("day: end,", "", "follow_up.death", "a follow-up without day"),
    ("day: end,", 'day: end, first: "score > 1",', "follow_up.death.when", "when beside first"),
    (SEEN[0], 'first: "skore > 1",', "follow_up.death.first", "the column skore"),
]


@pytest.mark.parametrize(("old", "new", "key", "found"), MISTAKES, ids=[mistake[1] for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_key(tmp_path: Path, old: str, new: str, key: str, found: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        derived(tmp_path, (old, new))
    assert [problem.key for problem in caught.value.problems] == [key]
    assert found in caught.value.problems[0].found


WITH_H = ("E,f,,500", "E,f,well,500")  # a fifth patient in the follow-up


def analysed(folder: Path, label: str, *changes: tuple[str, str]) -> Analysed:
    from rarefactor.analyse._later import plan_later

    study = loaded(folder, *changes)
    table = derive.build(study, cohort.ingest(study))
    return next(later.compute() for later in plan_later(study, table) if later.label.startswith(label))


def texts(found: Analysed) -> str:
    return " ".join(note.text for note in found.notes)


def test_a_follow_up_without_events_is_a_note(tmp_path: Path) -> None:
    found = analysed(tmp_path, "Follow-up", ("state == 'dead'", "state == 'dead' and end > 999"))
    assert "Nobody in the follow-up had the event" in texts(found)
    assert {row.measure for row in found.rows} == {"patients", "events", "person_time", "longest_follow_up"}


def test_competing_events_are_shown_by_their_incidence(tmp_path: Path) -> None:
    change = ("day: end,", "day: end, competing: {name: moving, when: \"state == 'moved'\"},")
    rows = {row.id: row for row in analysed(tmp_path, "Follow-up", WITH_H, change).rows}
    last = [row for row in rows.values() if row.measure == "incidence" and row.group == "all" and row.estimate][-1]
    assert last.estimate == pytest.approx(1 / 4)  # of four at risk at day 100 one dies
    assert not [row for row in rows.values() if row.measure == "survival"]


def test_groups_of_fewer_than_five_patients_have_counts_and_no_curve(tmp_path: Path) -> None:
    rows = analysed(tmp_path, "Follow-up", WITH_H).rows
    assert {row.measure for row in rows if row.group in {"Yes", "No"}} == {"group"}


def test_a_factor_that_runs_away_has_a_penalised_hazard_ratio_only(tmp_path: Path) -> None:
    found = analysed(tmp_path, "Cox", ("both: [male, score]", "both: [male]"))
    rows = {row.method: row for row in found.rows if row.measure == "hazard_ratio"}
    assert rows["ml"].estimate is None
    assert "separated" in rows["ml"].flags
    assert rows["firth"].estimate > 1
    assert "rises for ever" in texts(found)


def test_a_course_with_too_few_rows_is_a_note(tmp_path: Path) -> None:
    found = analysed(tmp_path, "Course", ("until: 24,", "until: 0.5,"))
    assert "was not modelled" in texts(found)


def test_a_course_without_a_measurement_is_a_note(tmp_path: Path) -> None:
    table = derived(tmp_path).courses[0]
    nobody = replace(table, frame=table.frame.clear(), groups=())
    trajectory = loaded(tmp_path).trajectories["score"]
    assert "was not modelled (no measurement)" in texts(analyse_course(nobody, trajectory, 0.95))


def test_what_was_measured_is_shown_at_the_visits(tmp_path: Path) -> None:
    table = derived(tmp_path).courses[0]
    frame = pl.DataFrame(
        [
            (f"{n}", month + shift, 10.0 + month, "all")
            for n, shift in enumerate((-0.5, 0.0, 0.2, 0.4, 0.9))
            for month in (3, 12)
        ],
        schema=["subject", "month", "value", "group"],
        orient="row",
    )
    found = analyse_course(
        replace(table, frame=frame, groups=("all",)),
        loaded(tmp_path).trajectories["score"],
        0.95,
        months=(0, 3, 12, 21),
    )
    assert [(row.term, row.estimate) for row in found.rows if row.measure == "observed_at"] == [
        ("3", 13.0),
        ("12", 22.0),
    ]


def test_those_at_risk_are_counted_at_the_visits_where_these_reach_the_end(tmp_path: Path) -> None:
    found = analysed(tmp_path, "Follow-up", WITH_H, ("day: end,", "day: end, unit: months,"))
    times = [(row.term, row.n) for row in found.rows if row.measure == "at_risk"]
    assert times == [("0", 5), ("3", 4), ("12", 2)]
    found = analysed(
        tmp_path, "Follow-up", WITH_H, ("day: end,", "day: end, unit: months,"), ("B,f,well,400", "B,f,well,4000")
    )
    assert [row.term for row in found.rows if row.measure == "at_risk"] == ["0", "20", "40", "60", "80", "100", "120"]


def test_the_error_of_a_rate_follows_from_its_repeatability(tmp_path: Path) -> None:
    found = analysed(tmp_path, "Error")
    rows = {row.measure: row for row in found.rows}
    months = 90 / (365.25 / 12)
    assert rows["rate_se"].estimate == pytest.approx(2**0.5 * 2 / months, rel=1e-6)
    assert "standard error" in texts(found)
