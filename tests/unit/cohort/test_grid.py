"""Rows of delimited text: their numbers, widths, delimiters and headers."""

from pathlib import Path

import pytest

from rarefactor.cohort import check_data, ingest
from rarefactor.errors import DataError

FIELDS = {"id": {"type": "id"}, "x": {"type": "number"}, "note": {"type": "text"}}


def rows_of(study) -> list[tuple[object, ...]]:
    return ingest(study).tables["records"].frame.select("row", "x", "note").rows()


@pytest.mark.parametrize(
    "text",
    [
        "id,x,note\n1,1.5,a b\n",
        "id;x;note\r\n1;1.5;a b\r\n",
        "id\tx\tnote\n1\t1.5\ta b\n",
        '"id","x","note"\n"1","1.5","a b"\n',
        "\ufeffid , x , note\n1, 1.5 , a b \n",
        "id,x,note,,\n1,1.5,a b,,\n",
    ],
)
def test_the_delimiter_is_told_by_the_header(tmp_path: Path, make_study, text: str) -> None:
    (tmp_path / "data.csv").write_text(text, newline="")
    assert rows_of(make_study(records="data.csv", subject="id", fields=FIELDS)) == [(2, 1.5, "a b")]


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_text('id,x,note\n1,1,"two\nlines"\n\n2,2,b\n , ,\n3,3,c\n')
    study = make_study(records="data.csv", subject="id", fields=FIELDS)
    assert [row[0] for row in rows_of(study)] == [2, 4, 6]
    assert "data.csv: empty rows left out: 3, 5." in ingest(study).notes


def test_rows_of_another_width_are_located(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_text("id,x,note\n1,1,a,b\n2,2\n3,3,c,\n")
    problems = check_data(make_study(records="data.csv", subject="id", fields=FIELDS)).problems
    assert [(problem.row, problem.found) for problem in problems] == [(2, "4 cells"), (3, "2 cells")]


def test_a_quotation_mark_that_is_never_closed_is_located(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_text('id,x,note\n1,1,a\n2,2,"b\n3,3,c\n')
    problems = check_data(make_study(records="data.csv", subject="id", fields=FIELDS)).problems
    assert [problem.row for problem in problems] == [3]


def test_a_header_further_down_is_found_and_offered(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_text("A study of ours,,\n,,\nid,x,note\n1,1,a\n")
    with pytest.raises(DataError, match="write `header: 3`"):
        ingest(make_study(records="data.csv", subject="id", fields=FIELDS))
    study = make_study(records={"records": {"file": "data.csv", "header": 3}}, subject="id", fields=FIELDS)
    assert rows_of(study) == [(4, 1.0, "a")]


@pytest.mark.parametrize(
    ("text", "found", "next_step"),
    [
        ("id,x,x,note\n1,1,2,a\n", "2 times (columns B, C)", "name of its own"),
        ("idd,x,note\n1,1,a\n", "no column of this name", "Did you mean idd?"),
        ("id,x,note\n", "a header and no rows", "Export"),
        ("id,xx,note\n1,1,a\n", "no table has", "Did you mean xx?"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(
    tmp_path: Path, make_study, text: str, found: str, next_step: str
) -> None:
    (tmp_path / "data.csv").write_text(text)
    problems = check_data(make_study(records="data.csv", subject="id", fields=FIELDS)).problems
    assert any(found in problem.found and next_step in problem.next_step for problem in problems)


def test_a_field_of_one_table_is_written_with_its_name(tmp_path: Path, make_study) -> None:
    (tmp_path / "a.csv").write_text("id,x\n1,1\n")
    (tmp_path / "b.csv").write_text("id,x\n1,low\n")
    level = {"type": "choice", "choices": {"low": "Low", "high": "High"}}
    study = make_study(
        records={"a": "a.csv", "b": "b.csv"}, subject="id", fields={"x": {"type": "number"}, "b.x": level}
    )
    tables = ingest(study).tables
    assert (tables["a"].frame["x"].to_list(), tables["b"].frame["x"].to_list()) == ([1.0], ["low"])
