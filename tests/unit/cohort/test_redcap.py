"""Exports of REDCap: repeating instruments, boxes, forms that nobody opened, labels, branching."""

from pathlib import Path

import polars as pl
import pytest

from rarefactor.cohort import DICTIONARY_HEADER, check_data, ingest, read_fields
from rarefactor.cohort._branching import read_logic
from rarefactor.errors import DataError

ROWS = (
    ("id", "intake", "text", ""),
    ("sex", "intake", "radio", "1, male | 2, female"),
    ("born", "intake", "yesno", ""),
    ("drug", "therapy", "checkbox", "1, steroid | 2, other"),
    ("note", "therapy", "text", ""),
    ("ck", "lab", "text", ""),
)


@pytest.fixture
def project(tmp_path: Path, make_study):
    """Write an export beside a small dictionary and return its study."""
    lines = [",".join(f'"{cell}"' for cell in DICTIONARY_HEADER)]
    for name, form, kind, choices in ROWS:
        cells = {
            0: name,
            1: form,
            3: kind,
            4: {"id": "Record ID"}.get(name, name.title()),
            5: choices,
            7: "number" if name == "ck" else "",
        }
        cells |= {11: "[sex] = '2'"} if name == "born" else {}
        lines.append(",".join(f'"{cells.get(index, "")}"' for index in range(len(DICTIONARY_HEADER))))
    (tmp_path / "dictionary.csv").write_text("\n".join(lines) + "\n")

    def write(text: str):
        (tmp_path / "data.csv").write_text(text)
        return make_study(records="data.csv", dictionary="dictionary.csv", subject="id")

    return write


@pytest.mark.parametrize(
    ("boxes", "note", "status", "expected"),
    [
        ("1,0", "", "2", [True, False]),
        ("0,0", "", "2", [False, False]),  # looked at and nothing ticked
        ("0,0", "none", "0", [False, False]),  # something else was filled in
        ("0,0", "", "", [None, None]),  # never opened
        ("0,0", "", "0", [None, None]),  # how older servers export a form that was never opened
        ("1,0", "", "", [True, False]),
        ("Checked,Unchecked", "", "Complete", [True, False]),
    ],
)
def test_a_box_of_a_form_that_was_never_opened_is_not_unticked(project, boxes, note, status, expected) -> None:
    study = project(f"id,drug___1,drug___2,note,therapy_complete\n1,{boxes},{note},{status}\n")
    assert list(ingest(study).tables["records"].frame.select("drug___1", "drug___2").row(0)) == expected


REPEATS = """id,redcap_repeat_instrument,redcap_repeat_instance,sex,intake_complete,ck,lab_complete
1,,,1,2,,
1,lab,1,,,300,2
1,lab,2,,,<50,2
2,,,2,2,,
"""


def test_a_repeating_instrument_is_a_table_of_its_own(project) -> None:
    study = project(REPEATS)
    tables = ingest(study).tables
    assert {name: list(table.fields) for name, table in tables.items()} == {"records": ["sex"], "lab": ["ck"]}
    assert tables["records"].frame["row"].to_list() == [2, 5]
    assert tables["lab"].frame.select("row", "instance", "ck", "ck.censored").rows() == [
        (3, 1, 300.0, None),
        (4, 2, 50.0, "<"),
    ]
    assert read_fields(study) == {name: table.fields for name, table in tables.items()}


def test_a_form_that_repeats_only_in_places_stays_in_both_tables(project) -> None:
    tables = ingest(project(REPEATS.replace("2,,,2,2,,", "2,,,2,2,77,2"))).tables
    assert tables["records"].frame["ck"].to_list() == [None, 77.0]


def test_an_instrument_outside_the_dictionary_is_located(project) -> None:
    with pytest.raises(DataError) as caught:
        ingest(project(REPEATS.replace("lab,1", "labs,1")))
    assert (caught.value.problems[0].row, caught.value.problems[0].next_step) == (3, "Did you mean lab?")


def test_labels_are_read_for_codes_and_said_to_be(project) -> None:
    cohort = ingest(project("id,sex\n1,male\n2,female\n"))
    assert cohort.tables["records"].frame["sex"].to_list() == ["1", "2"]
    assert "data.csv: labels were read for codes: sex." in cohort.notes


def test_a_header_of_labels_is_answered_with_the_export_to_choose(project) -> None:
    with pytest.raises(DataError, match="export `CSV / raw data`"):
        ingest(project("Record ID,Sex\n1,male\n"))


def test_a_patient_in_two_rows_of_a_plain_export_is_refused(project) -> None:
    problems = check_data(project("id,sex\n001,1\n1,1\n001,2\n")).problems
    assert [(problem.row, problem.found) for problem in problems] == [(2, "the same patient in rows 2, 4")]


def test_columns_outside_the_dictionary_are_failures_with_a_hint(project) -> None:
    findings = check_data(project("id,sex,borne\n1,1,1\n"))
    assert findings.counts.select("column", "rule", "first_row").rows() == [("borne", "unknown_column", 1)]
    assert any("borne (perhaps born)" in note for note in findings.notes)


def test_a_dictionary_of_another_project_is_refused(project) -> None:
    with pytest.raises(DataError, match="no column that the dictionary describes"):
        ingest(project("id,height\n1,180\n"))


def test_not_asked_is_counted_apart_from_missing(project) -> None:
    notes = ingest(project("id,sex,born\n1,1,\n2,2,\n3,2,1\n")).notes
    assert "data.csv: empty cells that the form did not ask for (branching logic): born (1 of 2)." in notes


def test_the_study_file_has_the_last_word_on_a_type(project, make_study) -> None:
    project("id,sex,note\n1,1,7\n")
    study = make_study(
        records="data.csv", dictionary="dictionary.csv", subject="id", fields={"note": {"type": "integer"}}
    )
    assert ingest(study).tables["records"].frame["note"].to_list() == [7]


@pytest.mark.parametrize(
    ("logic", "shown"),
    [
        ("[a] = '1'", [True, False, False]),
        ("[a] = 1.0", [True, False, False]),
        ('[a] <> "1"', [False, True, True]),
        ("[a] = ''", [False, False, True]),
        ("[a] > 1 or [b(2)] = '1'", [True, True, False]),
        ("([a] = '1' or [a] = '2') and [b(2)] = '0'", [False, True, False]),
    ],
)
def test_logic_over_fields_of_the_row_is_understood(logic: str, shown: list[bool]) -> None:
    frame = pl.DataFrame({"a": ["1", "2", None], "b___2": ["1", "0", "0"]})
    expression = read_logic(logic, frozenset(frame.columns))
    assert expression is not None
    assert frame.select(expression).to_series().to_list() == shown


@pytest.mark.parametrize(
    "logic", ["[event_1][a] = '1'", "datediff([a], 'today', 'd') > 3", "[c] = 1", "[a] =", "(", "a"]
)
def test_other_logic_is_left_alone(logic: str) -> None:
    assert read_logic(logic, frozenset({"a"})) is None
