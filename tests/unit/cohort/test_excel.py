"""Workbooks with what people leave in them."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill

from rarefactor.cohort import check_data, ingest
from rarefactor.errors import DataError

FIELDS = {
    "id": {"type": "id"},
    "x": {"type": "number"},
    "seen": {"type": "date"},
    "arm": {"type": "choice", "choices": {"1": "drug", "2": "none"}},
}


@pytest.fixture
def sheet(tmp_path: Path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["id", "x", "seen", None, "arm"])
    page.append(["001", 1.5, datetime(2021, 1, 12), None, 1])  # noqa: DTZ001 - cells have no time zone
    page.append([2, 7, date(2021, 1, 13), None, 2.0])
    page.append([None, None, None, None, None])
    page.append([3, "8", 44210, None, "drug"])
    page.save = lambda: book.save(tmp_path / "data.xlsx")
    return page


@pytest.fixture
def study(make_study):
    return make_study(records="data.xlsx", subject="id", visit_date="seen", fields=FIELDS)


def test_cells_are_typed_from_the_dictionary_not_from_excel(sheet, study) -> None:
    sheet.save()
    cohort = ingest(study)
    frame = cohort.tables["records"].frame
    assert frame["row"].to_list() == [2, 3, 5]
    assert frame["x"].to_list() == [1.5, 7.0, 8.0]
    assert frame["arm"].to_list() == ["1", "2", "1"]
    assert frame["day"].to_list() == [0.0, 0.0, 0.0]
    assert cohort.failures.is_empty()
    for note in ("empty rows left out: 4.", "empty columns left out: D.", "read as dates: seen (1)."):
        assert any(note in text for text in cohort.notes), note


def test_a_formula_without_a_result_and_merged_cells_are_failures(sheet, study) -> None:
    sheet["B3"] = "=B2*2"
    sheet.merge_cells("E2:E3")
    sheet.save()
    failures = check_data(study).failures
    assert failures.select("row", "column", "rule").rows() == [(3, "x", "formula"), (3, "arm", "merged")]


def test_colours_are_noticed(sheet, study) -> None:
    sheet["E2"].fill = PatternFill("solid", fgColor="FFFF0000")
    sheet["B2"].font = Font(color="FF00FF00")
    sheet.save()
    assert any(note.startswith("data.xlsx: colours are not read") and "x, arm" in note for note in ingest(study).notes)


def test_a_sheet_has_to_be_named_where_there_are_several(sheet, study, make_study) -> None:
    sheet.title = "Visits"
    sheet.parent.create_sheet("Codebook").append(["id", "the patient"])
    sheet.save()
    with pytest.raises(DataError, match="Write `sheet: Visits`"):
        ingest(study)
    near = make_study(records={"r": {"file": "data.xlsx", "sheet": "Visit"}}, subject="id", fields=FIELDS)
    with pytest.raises(DataError, match="Did you mean Visits"):
        ingest(near)


def test_a_damaged_workbook_is_refused(tmp_path: Path, sheet, study) -> None:
    sheet.save()
    path = tmp_path / "data.xlsx"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DataError, match="a workbook that cannot be opened"):
        ingest(study)
