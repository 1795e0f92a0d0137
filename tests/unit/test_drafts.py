"""A draft for a user's own files can be read as a study, and says what is left to fill in."""

import shutil

import pytest

from rarefactor import cohort, spec, study
from rarefactor.drafts import list_gaps, write_draft
from rarefactor.errors import DataError, OutputError
from rarefactor.templates import read_templates
from rarefactor.work import Silent


@pytest.fixture
def draft(tmp_path):
    def write(text, name="mine", suffix=".csv"):
        upload = tmp_path / ".upload"
        (upload / "data").mkdir(parents=True)
        (upload / f"data/records{suffix}").write_text(text, encoding="utf-8")
        assert write_draft(upload, tmp_path / name, f"data/records{suffix}", None, progress=Silent()) == name
        return tmp_path / name / "study.yaml"

    return write


LONG = """\
id,visit,date,sex,ck,name,relapse,note
1,start,2020-01-02,f,812,Ann Lee,0,felt well after a walk
1,month_12,2021-01-04,f,<50,Ann Lee,1,no complaints whatsoever
2,start,2020-02-02,m,77,Bob Ray,0,tired
2,month_12,2021-02-01,m,NA,Bob Ray,0,same as before
"""


def test_a_draft_of_visits_reads_as_a_study_and_its_data_fit(draft):
    file = draft(LONG)
    loaded = spec.load(file)
    assert {name: visit.month for name, visit in loaded.cohort.visits.items()} == {"baseline": 0, "month_12": 12}
    assert {name: field.type for name, field in loaded.cohort.fields.items()} == {
        "id": "id",
        "visit": "text",
        "date": "date",
        "sex": "choice",
        "ck": "number",
        "name": "text",
        "relapse": "yesno",
        "note": "text",
    }
    assert loaded.cohort.fields["name"].identifier
    assert cohort.ingest(loaded).failures.is_empty()
    assert study.check(file).table.landmarks["baseline"].frame.height == 2


def test_names_of_people_never_enter_the_draft_and_gaps_are_listed_by_line(draft):
    file = draft(LONG)
    text = file.read_text(encoding="utf-8")
    assert "Ann" not in text
    gaps = list_gaps(file)
    assert all("FILL IN" in text.splitlines()[gap.line - 1] for gap in gaps)
    assert any("what counts as the event" in gap.text for gap in gaps)


def test_one_row_for_each_patient_needs_no_visits(draft):
    loaded = spec.load(draft("patient;age;died\np1;40;yes\np2;51;no\np3;39;no\n", name="Müller's study"))
    assert loaded.id == "m-ller-s-study"
    assert list(loaded.cohort.visits) == ["baseline", "month_12"]
    assert loaded.outcome["event"].when == "died"


def test_a_redcap_export_is_drafted_from_its_dictionary(tmp_path, shared_free_redcap):
    upload, target = tmp_path / ".upload", tmp_path / "srp"
    shutil.copytree(shared_free_redcap, upload / "data")
    write_draft(upload, target, "data/records.csv", "data/dictionary.csv", progress=Silent())
    loaded = spec.load(target / "study.yaml")
    assert loaded.cohort.fields == {}
    assert [visit.event for visit in loaded.cohort.visits.values()] == ["baseline_arm_1", "month_12_arm_1"]


@pytest.fixture
def shared_free_redcap(tmp_path):
    """Return a REDCap export of two events with its dictionary."""
    folder = tmp_path / "export"
    folder.mkdir()
    header = ",".join(f'"{name}"' for name in cohort.DICTIONARY_HEADER)
    kinds = [("record_id", "text", "Study id", ""), ("age", "text", "Age", "number"), ("ill", "yesno", "Ill", "")]
    rows = [f"{name},form,,{kind},{label},,,{check},,,,,,,,,," for name, kind, label, check in kinds]
    (folder / "dictionary.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    records = "record_id,redcap_event_name,age,ill\n1,baseline_arm_1,40,0\n1,month_12_arm_1,,1\n"
    (folder / "records.csv").write_text(records, encoding="utf-8")
    return folder


def test_a_file_without_rows_and_a_name_that_is_taken_are_refused(draft, tmp_path):
    with pytest.raises(DataError, match="no rows below"):
        draft("a,b\n")
    assert list(tmp_path.iterdir()) == []
    draft("id,a\n1,2\n")
    with pytest.raises(OutputError, match="a study of this name"):
        draft("id,a\n1,2\n")


def test_every_example_has_nothing_left_to_fill_in():
    assert [list_gaps(folder / "study.yaml") for folder in read_templates().values()] == [()] * len(read_templates())
