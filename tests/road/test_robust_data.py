"""Data that do not fit, through the command: file, row, column and next step; never a patient's value."""

import json

import pytest

from rarefactor.cli import main


def check(clinic, capsys):
    code = main(["check", str(clinic.folder)])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert "bug" not in shown.err
    return code, shown.out + shown.err


def run(clinic, capsys):
    code = main(["run", str(clinic.folder), "--quiet"])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert "bug" not in shown.err
    return code, shown.err


def spoil(clinic, row, column, value):
    """Write a value into a row (as a spreadsheet counts) of the data."""
    lines = clinic.records.read_text().splitlines()
    cells = lines[row - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[row - 1] = ",".join(cells)
    clinic.records.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("row", "column", "value", "rule"),
    [
        (4, "age", "secretvalue", "type"),
        (6, "age", "987.5", "range"),
        (8, "sex", "77", "choice"),
        (10, "date", "31/31/2020", "date"),
        (5, "date", "1999-01-01", "before_baseline"),
    ],
)
def test_a_value_that_does_not_fit_is_located_and_not_shown(clinic, capsys, row, column, value, rule):
    spoil(clinic, row, column, value)
    code, shown = check(clinic, capsys)
    assert code == 5
    [line] = [line.split() for line in shown.splitlines() if "records.csv" in line and f" {rule} " in line]
    assert line[1] == column
    assert line[-2:] == ["1", str(row)]
    assert value not in shown


def test_clean_data_have_no_findings(clinic, capsys):
    code, shown = check(clinic, capsys)
    assert code == 0
    assert "Nothing found" in shown
    assert "60" in shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(lambda _: b"", ["empty"], id="an empty file"),
        pytest.param(lambda data: data.split(b"\n")[0] + b"\n", ["row"], id="a header only"),
        pytest.param(lambda _: bytes(range(256)) * 40, ["records.csv"], id="binary garbage"),
        pytest.param(lambda data: data.replace(b"id,", b"\xe4,", 1), ["encoding"], id="Latin-1"),
        pytest.param(lambda data: data.replace(b"marker\n", b"marker,age\n", 1), ["age"], id="a column twice"),
        pytest.param(lambda data: data.replace(b"002,base,", b"002,base,,,,,,,,,,", 1), ["row 4"], id="a row too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(clinic, capsys, content, words):
    clinic.records.write_bytes(content(clinic.records.read_bytes()))
    code, shown = check(clinic, capsys)
    assert code == 4
    assert "records.csv" in shown
    assert "next step" in shown
    for word in words:
        assert word in shown


def test_utf_16_is_read(clinic, capsys):
    clinic.records.write_bytes(clinic.records.read_text().encode("utf-16"))
    assert check(clinic, capsys)[0] == 0


def test_latin_1_is_read_when_it_is_named(clinic, capsys):
    clinic.edit("event: event}", "event: event, encoding: latin-1}")
    clinic.edit("    marker: {type: yesno}", "    marker: {type: yesno}\n    größe: {type: number}")
    lines = clinic.records.read_text().splitlines()
    text = "\n".join([lines[0] + ",größe", *(line + ",1" for line in lines[1:])])
    clinic.records.write_bytes(text.encode("latin-1"))
    assert check(clinic, capsys)[0] == 0


def test_a_dictionary_that_does_not_match_names_the_nearest_column(clinic, capsys):
    clinic.records.write_text(clinic.records.read_text().replace("id,event,date,sex", "id,event,date,sxe", 1))
    code, shown = check(clinic, capsys)
    assert code in {3, 4}
    assert "sxe" in shown
    assert "sex" in shown


def test_a_row_twice_is_found(clinic, capsys):
    lines = clinic.records.read_text().splitlines()
    clinic.records.write_text("\n".join([*lines, lines[1]]) + "\n")
    code, shown = check(clinic, capsys)
    assert code == 5
    assert "duplicate_row" in shown


def test_a_patient_twice_in_a_table_of_patients_is_refused_with_the_rows(clinic, capsys):
    clinic.edit("records: {file", "records:\n    patients: patients.csv\n    visits: {file")
    clinic.edit("    marker: {type: yesno}", "    marker: {type: yesno}\n    grade: {type: number}")
    clinic.edit("  marker: {label", "  grade: {label: Grade, from: patients.grade}\n  marker: {label")
    ids = [f"{number:03}" for number in range(1, 61)]
    (clinic.folder / "patients.csv").write_text(
        "id,grade\n" + "".join(f"{each},{each[-1]}\n" for each in [*ids, "007"])
    )
    code, shown = check(clinic, capsys)
    assert code == 4
    for word in ["patients.csv", "8", "62", "next step"]:
        assert word in shown


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        pytest.param("score", "90", ["refractory"], id="an outcome with one class"),
        pytest.param("score", "", ["refractory"], id="an outcome that is never known"),
    ],
)
def test_an_outcome_that_cannot_be_analysed_is_refused(clinic, capsys, column, value, words):
    clinic.set_column(column, lambda old: value if old else old)
    code, shown = run(clinic, capsys)
    assert code == 6
    for word in words:
        assert word in shown.lower()
    assert not clinic.out.exists()


@pytest.mark.parametrize(
    ("column", "value", "label"),
    [
        pytest.param("sex", "2", "Male sex", id="a factor with one value"),
        pytest.param("age", "", "Age", id="a factor that is all missing"),
    ],
)
def test_a_factor_that_cannot_be_analysed_is_named_and_the_others_are_analysed(clinic, capsys, column, value, label):
    clinic.set_column(column, lambda old: value if old else old)
    assert run(clinic, capsys) == (0, "")
    results = json.loads((clinic.out / "results.json").read_text(encoding="utf-8"))
    assert any(label in note["text"] and "cannot be analysed" in note["text"] for note in results["notes"])
    analysed = {row["factor"] for row in results["rows"] if row["measure"] == "odds_ratio"}
    assert "marker" in analysed


def test_what_failed_is_written_for_its_owner_only_when_asked_for(clinic, capsys, tmp_path):
    clinic.set_column("age", lambda old: "old" if old else old)
    table = tmp_path / "failures.csv"
    assert main(["check", str(clinic.folder), "--failures", str(table)]) == 5
    shown = capsys.readouterr()
    lines = table.read_text().splitlines()
    assert lines[0] == "table,file,row,column,rule,value"
    assert all(line.endswith("age,type,old") for line in lines[1:])
    assert len(lines) > 1
    assert table.stat().st_mode & 0o077 == 0
    assert "old" not in shown.out.split()
