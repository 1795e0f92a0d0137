"""Files that are not what they should be, and letters of many codes."""

import errno
import os
from pathlib import Path

import pytest

from rarefactor.cohort import ingest
from rarefactor.cohort._file import read_file
from rarefactor.errors import DataError

FIELDS = {"id": {"type": "id"}, "town": {"type": "text"}}


@pytest.mark.parametrize(
    ("content", "found", "next_step"),
    [
        (b"", "an empty file", "Export"),
        (b" \r\n", "an empty file", "Export"),
        (b"\xd0\xcf\x11\xe0\xa1", "old Excel", "xlsx"),
        (b"\x1f\x8b\x08", "gzip", "Unpack"),
        (b"%PDF-1.7", "PDF", "CSV"),
        (b"PAR1", "Parquet", "CSV"),
    ],
)
def test_a_file_that_is_no_table_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, found: str, next_step: str
) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_file(tmp_path, "data.csv")
    assert found in caught.value.problems[0].found
    assert next_step in caught.value.problems[0].next_step


def test_a_missing_file_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "records.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match=r"Did you mean data/records\.csv\?"):
        read_file(tmp_path, "data/record.csv")


def test_a_folder_and_a_false_workbook_are_refused(tmp_path: Path) -> None:
    (tmp_path / "no.xlsx").write_text("id,x\n")
    for name, found in ((".", "a folder"), ("no.xlsx", "is no workbook")):
        with pytest.raises(DataError, match=found):
            read_file(tmp_path, name)


def test_a_file_that_may_not_be_read_is_said_to_be_so(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "data.csv").write_text("id\n1\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so that a mode would not do
    with pytest.raises(DataError, match="permission denied"):
        read_file(tmp_path, "data.csv")


@pytest.mark.parametrize(
    ("codec", "declared"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("windows-1252", "windows-1252"),
        ("utf-16-le", "utf-16-le"),
    ],
)
def test_letters_are_read_in_their_code(tmp_path: Path, make_study, codec: str, declared: str | None) -> None:
    (tmp_path / "data.csv").write_bytes("id,town\n1,Zürich\n".encode(codec))
    study = make_study(records={"r": {"file": "data.csv", "encoding": declared}}, subject="id", fields=FIELDS)
    assert ingest(study).tables["r"].frame["town"].to_list() == ["Zürich"]


def test_a_wrong_byte_is_located_by_row_and_offset(tmp_path: Path, make_study) -> None:
    text = 'id,town\n1,"two\nlines"\n2,Zürich\n'
    (tmp_path / "data.csv").write_bytes(text.encode("windows-1252"))
    with pytest.raises(DataError) as caught:
        ingest(make_study(records="data.csv", subject="id", fields=FIELDS))
    problem = caught.value.problems[0]
    assert (problem.row, f"byte offset {text.index('ü')}" in problem.found) == (3, True)
    assert "encoding: windows-1252" in problem.next_step


def test_an_unknown_code_and_binary_garbage_are_refused(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_bytes(b"id,town\n1,\x00\x01\x02\n")
    with pytest.raises(DataError, match="binary content"):
        ingest(make_study(records="data.csv", subject="id", fields=FIELDS))
    (tmp_path / "data.csv").write_bytes(os.urandom(4096).replace(b"\0", b"\xff"))
    with pytest.raises(DataError):
        ingest(make_study(records="data.csv", subject="id", fields=FIELDS))
    study = make_study(records={"r": {"file": "data.csv", "encoding": "klingon"}}, subject="id", fields=FIELDS)
    with pytest.raises(DataError, match="klingon"):
        ingest(study)
