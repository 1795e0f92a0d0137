"""Missing-data codes are told of every variable where data are checked, and where they are analysed of those named."""

from rarefactor.cohort import check_data, ingest
from rarefactor.spec import list_columns, load

STUDY = """\
id: small
title: Small
cohort:
  records: {patients: patients.csv, visits: {file: visits.csv, day: day}}
  subject: id
  missing_codes: ["NA"]
  fields:
    id: {type: id}
    day: {type: number}
    age: {type: number}
    ck: {type: number}
    bili: {type: number}
  visits:
    baseline: {month: 0, window: [0, 0]}
    month_12: {month: 12, window: [9, 18]}
outcome: {worse: {label: Worse, at: month_12, when: "visits.bili > 2"}}
factors: {age: {from: patients.age, label: Age}, ck: {from: visits.ck, label: CK}}
analysis: {landmarks: [baseline]}
"""


def test_codes_are_told_of_the_columns_that_a_study_names(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "patients.csv").write_text("id,age,ck\na,NA,NA\nb,40,NA\n", encoding="utf-8")
    (tmp_path / "visits.csv").write_text("id,day,ck,bili\na,0,NA,1\na,365,5,NA\nb,0,6,1\nb,365,7,3\n", encoding="utf-8")
    study = load(tmp_path / "study.yaml")
    assert list_columns(study) == {"patients.age", "visits.ck", "visits.bili"}
    told = [note for note in ingest(study).notes if "missing-data" in note]
    assert told == ["patients.csv: missing-data codes: age (1).", "visits.csv: missing-data codes: ck (1), bili (1)."]
    assert "patients.csv: missing-data codes: age (1), ck (2)." in check_data(study).notes
