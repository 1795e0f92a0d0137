"""Published instruments in the study file, each on a few patients: what is written, what becomes a column."""

import textwrap
from pathlib import Path
from typing import get_args

import pytest

from rarefactor import cohort, derive, instruments, spec
from rarefactor.errors import DataError, RarefactorError, StudyFileError

PATIENTS = """
id,sex,onset
A,m,45
B,f,30
C,f,60
D,m,50
"""
VISITS = """
id,day,phys,vas_pat,mmt,haq,ck,vas_ext
A,0,6,7,100,1.5,6000,3
A,92,6,7,100,1.5,600,3
A,365,2,3,135,0.5,600,1
B,0,6,7,100,1.5,6000,3
B,365,6,7,100,1.5,600,3
C,0,6,7,100,1.5,6000,0
C,365,2,3,135,,600,0
D,0,6,7,100,1.5,>20000,3
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
    onset: {type: number}
    day: {type: number}
    phys: {type: number}
    vas_pat: {type: number}
    mmt: {type: number}
    haq: {type: number}
    ck: {type: number}
    vas_ext: {type: number}
  visits:
    baseline: {month: 0}
    month_3: {month: 3, window: [2, 5]}
    month_12: {month: 12, window: [10, 15]}
instruments:
  tis:
    kind: total_improvement_score
    measures:
      {physician_global: phys, patient_global: vas_pat, mmt: mmt, haq: haq, muscle_enzyme: ck, extramuscular: vas_ext}
    mmt_maximum: 150
    enzyme_limit: {ck: 200}
outcome:
  refractory: {label: Refractory, at: month_12, when: "tis < 40"}
factors:
  male: {from: sex, equals: male, label: Male sex}
trajectories:
  response: {label: Total Improvement Score, from: tis, until: 15}
"""

MEASURES = STUDY[STUDY.index("{physician_global") : STUDY.index("    mmt_maximum") - 1]


def derived(folder: Path, study: str = STUDY, visits: str = VISITS) -> derive.AnalysisTable:
    (folder / "study.yaml").write_text(study)
    (folder / "patients.csv").write_text(PATIENTS.strip() + "\n")
    (folder / "visits.csv").write_text(visits.strip() + "\n")
    loaded = spec.load(folder / "study.yaml")
    return derive.build(loaded, cohort.ingest(loaded))


def made(folder: Path, text: str, column: str, visits: str = VISITS, at: str = "month_12") -> list[object]:
    """What a factor shows that is made from an instrument."""
    study = STUDY.replace("outcome:\n", textwrap.indent(textwrap.dedent(text).strip(), "  ") + "\noutcome:\n", 1)
    study = study.replace("tis < 40", "mmt < 120").replace("month_12, when", "month_15, when")
    study = study.replace("instruments:\n", "    month_15: {month: 18, window: [16, 20]}\ninstruments:\n", 1)
    study = study.replace("trajectories", f"  it: {{from: {column}, label: It, measured_at: {at}}}\ntrajectories", 1)
    study += f"analysis: {{landmarks: [{at}]}}\n"
    table = derived(folder, study, visits + "\n".join(f"{name},520,,,110,,," for name in "ABCD")).landmarks[at]
    return table.frame["it"].to_list()


def test_the_outcome_is_read_from_the_score_at_its_visit(tmp_path: Path) -> None:
    table = derived(tmp_path).landmarks["baseline"].frame
    assert table["outcome"].to_list() == [False, True, None, None]  # A 80, B 7.5, C has no HAQ, D had no visit
    assert table["reason"].to_list()[2:] == ["outcome not known at month 12", "no visit at month 12"]


def test_a_missing_measure_bounds_the_score(tmp_path: Path) -> None:
    lower = derived(tmp_path, STUDY.replace("tis < 40", "tis.lower < 60"))  # C: 60 without HAQ
    assert lower.landmarks["baseline"].frame["outcome"].to_list()[:3] == [False, True, False]
    upper = derived(tmp_path, STUDY.replace("tis < 40", "tis.category == 'none' or tis.upper < 75"))
    assert upper.landmarks["baseline"].frame["outcome"].to_list()[:3] == [False, True, True]  # C: 60 + 10


def test_the_score_has_a_course_that_starts_after_baseline(tmp_path: Path) -> None:
    course = derived(tmp_path).courses[0].frame.select("month", "value").sort("month", "value")
    assert course["value"].to_list() == [7.5, 7.5, 80]
    assert course["month"].to_list() == pytest.approx([92 * 12 / 365.25, 365 * 12 / 365.25, 365 * 12 / 365.25])


def test_a_score_is_a_factor_where_it_is_known(tmp_path: Path) -> None:
    assert made(tmp_path, "", "tis") == [80, 7.5, None]  # D was not seen at month 12
    assert made(tmp_path, "", "tis.attainable")[2] == 80  # C: nothing extramuscular to improve
    assert made(tmp_path, "", "tis.category") == ["Major", "No response", None]


def test_a_limit_may_depend_on_the_sex(tmp_path: Path) -> None:
    text = "ck_uln: {kind: enzyme_multiple, measures: {ck: ck}, enzyme_limit: {ck: {male: 200, f: 100}}, sex: sex}"
    assert made(tmp_path, text, "ck_uln") == [3, 6, 6]


def test_bounds_are_counted(tmp_path: Path) -> None:
    notes = [note.text for note in derived(tmp_path).notes]
    assert "Of ck, 1 known as bounds only, such as <5 or >20000: tis takes the bounds." in notes


def test_improvement_by_imacs(tmp_path: Path) -> None:
    text = """
        improved:
          kind: imacs_improvement
          measures: {physician_global: phys, patient_global: vas_pat, mmt: mmt, haq: haq, muscle_enzyme: ck}
    """
    assert made(tmp_path, text, "improved") == ["Yes", "No", "Yes"]  # C: four improved for certain


def test_worsening_by_imacs(tmp_path: Path) -> None:
    text = """
        worse:
          kind: imacs_worsening
          measures: {physician_global: phys, patient_global: vas_pat, mmt: mmt, haq: haq, extramuscular: vas_ext}
    """
    visits = VISITS.replace("B,365,6,7,100", "B,365,8,7,80")  # 2 cm and 20 % of strength
    assert made(tmp_path, text, "worse", visits) == ["No", "Yes", "No"]


def graded(kind: str, n: int, more: str = "") -> str:
    return f"total: {{kind: {kind}, columns: [{', '.join(['haq'] * n)}]{more}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (graded("mmt8", 8), [8, 8, None, None]),
        (graded("mmt8", 15), [15, 15, None, None]),
        (graded("mrc_sum", 12), [12, 12, None, None]),
        (graded("haq_di", 8), [1, 1, None, None]),
        (graded("haq_di", 20), [1, 1, None, None]),
        (graded("haq_di", 8, f", aids: [{', '.join(['haq'] * 8)}]"), [2, 2, None, None]),
    ],
)
def test_totals_of_grades(tmp_path: Path, text: str, expected: list[object]) -> None:
    visits = "id,day,phys,vas_pat,mmt,haq,ck,vas_ext\nA,0,,,,1,,\nB,0,,,,1,,\nC,0,,,,,,\nD,0,,,,,,\n"
    assert made(tmp_path, text, "total", visits, at="baseline") == expected


def test_the_classification_of_a_patient_needs_no_visit(tmp_path: Path) -> None:
    names = [name for name in instruments.EULAR_ACR_WEIGHTS if name not in instruments.BIOPSY_FINDINGS]
    findings = ", ".join(f"{name}: male" for name in names)
    text = f"iim: {{kind: eular_acr_2017, findings: {{{findings}}}, onset_age: onset, biopsy: biopsied}}"
    study = STUDY.replace("outcome:\n", f"  {text}\noutcome:\n", 1).replace(
        "onset: {type: number}", "onset: {type: number}\n    male: {type: yesno}\n    biopsied: {type: yesno}"
    )
    study = study.replace(
        "trajectories",
        "  score: {from: iim, label: Score}\n  class: {from: iim.category, label: Class}\ntrajectories",
        1,
    )
    (tmp_path / "study.yaml").write_text(study)
    (tmp_path / "patients.csv").write_text("id,sex,onset,male,biopsied\nA,m,45,1,0\nB,f,30,0,0\nC,f,60,1,1\nD,f,,1,0\n")
    (tmp_path / "visits.csv").write_text(VISITS.strip() + "\n")
    loaded = spec.load(tmp_path / "study.yaml")
    table = derive.build(loaded, cohort.ingest(loaded)).landmarks["baseline"].frame
    assert table["score"].to_list() == [20.8, 1.3, None, None]  # C: what the biopsy showed is not known
    assert table["class"].to_list() == ["Definite", "Not classified", None, None]


def test_an_instrument_may_use_those_above_it(tmp_path: Path) -> None:
    study = STUDY.replace("haq: haq,", "haq: index,")
    index = "  index: {kind: enzyme_multiple, measures: {ck: haq}, enzyme_limit: {ck: 1}}\n"
    above = study.replace("instruments:\n", f"instruments:\n{index}")
    assert derived(tmp_path, above).landmarks["baseline"].frame["outcome"].to_list()[:2] == [False, True]
    below = study.replace("outcome:\n", f"{index}outcome:\n", 1)
    with pytest.raises(StudyFileError, match="Move index above tis"):
        derived(tmp_path, below)


def test_a_value_that_cannot_be_is_named_by_row_and_column_only(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"visits, row 4, column phys: found a value out of range; expected 0 to 10"
    ) as caught:
        derived(tmp_path, visits=VISITS.replace("A,365,2", "A,365,73"))
    assert "73" not in str(caught.value)
    with pytest.raises(DataError, match="row 5, column mmt"):
        derived(tmp_path, visits=VISITS.replace("B,0,6,7,100", "B,0,6,7,151"))


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("    mmt_maximum: 150\n", "", "80 for MMT8 of one side, 150 for both sides"),
        ("    enzyme_limit: {ck: 200}\n", "", "ck without its upper limit of normal"),
        ("enzyme_limit: {ck: 200}", "enzyme_limit: {ck: {male: 200}}", "Add sex"),
        ("enzyme_limit: {ck: 200}", "enzyme_limit: {ck: {mael: 200}}\n    sex: sex", "Did you mean male"),
        ("muscle_enzyme: ck", "muscle_enzyme: vas_ext", "one of physician_global"),
        ("physician_global: phys, ", "", "physician_global, and mmt or cmas"),
        ("haq: haq,", "haq: hap,", "Did you mean haq"),
        ("haq: haq,", "haq: sex,", "a column of type choice"),
        ("haq: haq,", "chaq: haq,", "a measure that the adult set does not have"),
        ("haq: haq,", "haq: tis.lower,", "made from itself"),
        ("mmt_maximum: 150", "mmt_maximum: 150\n    baseline: month_0", "the visit month_0"),
        ("mmt_maximum: 150", "mmt_maximum: 150\n    aids: [haq]", "aids beside total_improvement_score"),
        ("  tis:\n", "  mmt:\n", "a column of cohort.fields too"),
        ("kind: total_improvement_score", "kind: tis", "one of total_improvement_score"),
        ("  male: {from: sex, equals: male", "  male: {from: tis", "a visit after baseline"),
        (MEASURES, "{physician_global: onset, mmt: onset}", "measured once per patient"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(tmp_path: Path, written: str, instead: str, said: str) -> None:
    assert STUDY.count(written) == 1
    with pytest.raises(RarefactorError, match=said) as caught:
        derived(tmp_path, STUDY.replace(written, instead))
    assert all(problem.line and problem.key for problem in caught.value.problems)


def test_a_study_with_instruments_is_read_back_from_its_results(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    study = spec.load(tmp_path / "study.yaml")
    assert spec.Study.model_validate(study.model_dump(mode="json", by_alias=True)).instruments == study.instruments


def test_the_study_file_knows_the_names_of_the_instruments() -> None:
    from rarefactor.spec import _instruments as names

    assert set(get_args(names.MeasureName)) == set(instruments.MEASURES)
    assert set(get_args(names.FindingName)) == set(instruments.EULAR_ACR_WEIGHTS)
    assert set(get_args(names.EnzymeName)) == names.ENZYMES == set(instruments.ENZYME_RANGES)


def test_the_response_has_a_row_per_visit_and_the_measures_one_from_the_start(tmp_path: Path) -> None:
    (table,) = derived(tmp_path).responses
    scores = table.frame.filter(visit="month_12").select("score", "lower", "upper", "outcome")
    assert scores.rows() == [(80.0, 80.0, 80.0, False), (7.5, 7.5, 7.5, True), (None, 60.0, 70.0, None)]
    assert table.measures.filter(measure="haq")["visit"].unique().sort().to_list() == [
        "baseline",
        "month_12",
        "month_3",
    ]
    assert table.quantities["tis.haq"].label == "Health Assessment Questionnaire"
    assert table.thresholds == (20.0, 40.0, 60.0)
