"""The REDCap projects of the reference data: each is read right, or refused where it is wrong."""

from pathlib import Path
from typing import Any

import pytest

from rarefactor.cohort import check_data, count_failures, ingest, read_fields
from rarefactor.errors import DataError
from rarefactor.spec import Study
from rarefactor.spec._origin import Origin

pytestmark = pytest.mark.shared


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("RAREFACTOR_KEY", "a key for tests")


def study_of(folder: Path, **cohort: Any) -> Study:
    content = {
        "id": "test",
        "title": "Test",
        "cohort": {"records": "data.csv", "subject": "record_id", "dictionary": "dictionary.csv"} | cohort,
        "outcome": {"poor": {"label": "Poor", "at": "baseline", "when": "x == 1"}},
        "factors": {"x": {"from": "x", "label": "X"}},
    }
    return Study.model_validate(content).located(Origin(path=folder / "study.yaml"))


PROJECTS: dict[str, tuple[dict[str, Any], dict[str, tuple[int, int]], list[tuple[str, str, int]]]] = {
    # project: how it is read, rows and fields of each table, failures (column, rule, number)
    "arm-multiple-delete": ({}, {"records": (60, 1)}, []),
    "arm-single-longitudinal": ({"visit_date": "interview_date"}, {"records": (9, 2)}, []),
    "blank-for-gray-status": ({}, {"records": (6, 14)}, [("height", "range", 2), ("weight", "range", 2)]),
    "checkboxes-1": ({}, {"records": (4, 9)}, []),
    "clinical-trial-1": ({}, {"records": (500, 5)}, []),
    "dag": ({}, {"records": (3, 8)}, []),
    "decimal-comma": ({"dictionary": "dictionay.csv"}, {"records": (4, 3)}, []),
    "decimal-comma-and-dot": ({}, {"records": (4, 6)}, []),
    "decimal-dot": ({}, {"records": (4, 3)}, []),
    "longitudinal": ({"subject": "study_id", "visit_date": "date_enrolled"}, {"records": (18, 100)}, []),
    "multilevel-model-1": (
        {"subject": "patient_id", "visit_date": "date_at_visit"},
        {"records": (20, 4), "appointment": (200, 10)},
        [],
    ),
    "nonnumeric-record-id": ({}, {"records": (3, 0)}, []),
    "potentially-problematic-values": (
        {},
        {"records": (2, 2)},
        [("date_before_validation", "date", 2), ("integer_before_validation", "type", 2)],
    ),
    "repeating-instruments": ({}, {"records": (2, 4), "bp": (4, 2)}, []),
    "repeating-instruments-sparse": ({}, {"records": (5, 4), "bp": (4, 2)}, []),
    "simple": (
        {},
        {"records": (5, 12)},
        [("sex", "choice", 5), ("height", "range", 2), ("weight", "range", 2)],  # F became FALSE in a spreadsheet
    ),
    "survey": ({"subject": "participant_id"}, {"records": (2, 14)}, []),
    "validation-types-1": ({}, {"records": (1, 26)}, []),
    "vignette-repeating": (
        {},
        {"records": (2, 3), "blood_pressure": (6, 2), "laboratory": (4, 2), "image": (5, 0)},
        [],
    ),
}


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_is_read_as_its_dictionary_says(shared: Path, project: str) -> None:
    how, shapes, failures = PROJECTS[project]
    study = study_of(shared / "data" / "redcap" / project, **how)
    cohort = ingest(study)
    assert {name: (table.frame.height, len(table.fields)) for name, table in cohort.tables.items()} == shapes
    assert count_failures(cohort.failures).select("column", "rule", "n").rows() == failures
    assert read_fields(study) == {name: table.fields for name, table in cohort.tables.items()}
    assert not any("@" in str(row) for table in cohort.tables.values() for row in table.frame.rows())


def test_decimal_commas_are_read_where_the_dictionary_has_them(shared: Path) -> None:
    comma = ingest(study_of(shared / "data/redcap/decimal-comma", dictionary="dictionay.csv")).tables["records"]
    dot = ingest(study_of(shared / "data/redcap/decimal-dot")).tables["records"]
    assert comma.frame["height"].to_list() == dot.frame["height"].to_list() == [1.54, 1.84, 1.95, 1.61]


def test_no_box_of_a_form_that_was_never_opened_is_unticked(shared: Path) -> None:
    frame = ingest(study_of(shared / "data/redcap/checkboxes-1")).tables["records"].frame
    boxes = frame.select("check_one___1", "check_two___a").rows()
    assert boxes == [(True, True), (False, False), (True, False), (None, None)]


def test_visits_of_a_repeating_instrument_are_dated(shared: Path) -> None:
    how = {"subject": "patient_id", "visit_date": "date_at_visit"}
    appointment = ingest(study_of(shared / "data/redcap/multilevel-model-1", **how)).tables["appointment"].frame
    first = appointment.filter(appointment["instance"] == 1)
    assert first["day"].to_list() == [0] * 20
    assert appointment.filter(appointment["row"] == 4)["day"].item() == 415  # 2002-02-06 to 2003-03-28


def test_what_cannot_be_read_is_refused_where_it_is_wrong(shared: Path) -> None:
    empty = check_data(study_of(shared / "data/redcap/potentially-problematic-dictionary")).problems
    assert [(problem.file, problem.found) for problem in empty] == [("data.csv", "an empty file")]
    russian = check_data(study_of(shared / "data/redcap/russian", dictionary=None)).problems
    assert [(problem.key, problem.found) for problem in russian] == [("cohort", "neither dictionary nor fields")]


def test_a_project_without_a_dictionary_is_read_by_the_fields_of_the_study(shared: Path) -> None:
    fields = {"age": {"type": "integer"}, "date_interview": {"type": "date"}}
    study = study_of(shared / "data/redcap/russian", dictionary=None, fields=fields, visit_date="date_interview")
    cohort = ingest(study)
    assert cohort.failures.is_empty()
    assert cohort.tables["records"].frame.null_count().select("day", "age").row(0) == (0, 0)


def test_the_damaged_dictionary_is_refused_at_its_header_and_its_long_row(shared: Path) -> None:
    study = study_of(
        shared / "data/rarelink",
        records="evaluation_cohort.csv",
        dictionary="rarelink_cdm_datadictionary_v2_0_5.csv",
    )
    with pytest.raises(DataError) as caught:
        ingest(study)
    places = [(problem.row, problem.column, problem.found) for problem in caught.value.problems]
    assert places == [(1, "A", "the header '1'"), (83, "S", "19 cells")]


def test_the_mended_dictionary_is_read(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "rarelink"
    lines = (folder / "rarelink_cdm_datadictionary_v2_0_5.csv").read_text(encoding="utf-8").split("\n")
    lines[0] = lines[0].replace("1,", "Variable / Field Name,", 1)
    text = "\n".join(line for line in lines if not line.startswith("snomedct_122869004_descr"))
    (tmp_path / "dictionary.csv").write_text(text, encoding="utf-8")
    (tmp_path / "data.csv").write_text("record_id,disease_coding\nEvCo1,mondo\nEvCo2,MONDO\nEvCo3,wrong\n")
    cohort = ingest(study_of(tmp_path))
    assert cohort.tables["records"].frame["disease_coding"].to_list() == ["mondo", "mondo", None]
