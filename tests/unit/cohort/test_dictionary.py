"""The REDCap data dictionary, whole and damaged."""

from pathlib import Path

import pytest

from rarefactor.cohort._dictionary import _INTERFACE_HEADER, DICTIONARY_HEADER, read_choices, read_dictionary
from rarefactor.cohort._file import read_file
from rarefactor.errors import DataError


def write(folder: Path, *rows: dict[int, str], header: tuple[str, ...] = DICTIONARY_HEADER) -> Path:
    lines = [",".join(f'"{cell}"' for cell in header)]
    lines += [",".join(f'"{row.get(index, "")}"' for index in range(len(DICTIONARY_HEADER))) for row in rows]
    (folder / "dictionary.csv").write_text("\n".join(lines) + "\n")
    return folder


def variable(name: str, kind: str = "text", validation: str = "", **more: str) -> dict[int, str]:
    places = {"label": 4, "choices": 5, "low": 8, "high": 9, "identifier": 10}
    return {0: name, 1: "form", 3: kind, 7: validation} | {places[key]: text for key, text in more.items()}


@pytest.mark.parametrize(
    ("kind", "validation", "expected"),
    [
        ("text", "", "text"),
        ("text", "integer", "integer"),
        ("text", "number_2dp", "number"),
        ("text", "number_comma_decimal", "number"),
        ("text", "date_mdy", "date"),
        ("text", "datetime_seconds_dmy", "datetime"),
        ("text", "time_hh_mm_ss", "text"),
        ("calc", "", "number"),
        ("slider", "", "number"),
        ("yesno", "", "yesno"),
        ("truefalse", "", "yesno"),
    ],
)
def test_each_field_type_has_its_type_here(tmp_path: Path, kind: str, validation: str, expected: str) -> None:
    folder = write(tmp_path, variable("id"), variable("x", kind, validation))
    assert read_dictionary(read_file(folder, "dictionary.csv"))["x"].field.type == expected


def test_limits_labels_and_identifiers_are_kept(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        variable("h", validation="number_comma_decimal", low="0,5", high="3", label="<b>Height</b> (m)"),
        variable("d", validation="date_ymd", low="2020-01-01", high="today", identifier="y"),
    )
    found = read_dictionary(read_file(folder, "dictionary.csv"))
    height, day = found["h"], found["d"]
    assert (height.field.min, height.field.max, height.decimal, height.field.label) == (0.5, 3.0, ",", "Height (m)")
    assert (day.first, day.last, day.field.identifier) == ("2020-01-01", None, True)


def test_a_checkbox_is_one_variable_per_box(tmp_path: Path) -> None:
    folder = write(tmp_path, variable("race", "checkbox", label="Race", choices="1, One | -9, Not known | A, Other"))
    found = read_dictionary(read_file(folder, "dictionary.csv"))
    assert {name: item.field.label for name, item in found.items()} == {
        "race___1": "Race: One",
        "race____9": "Race: Not known",
        "race___a": "Race: Other",
    }


def test_choices_may_hold_commas() -> None:
    assert read_choices("0, (0) Never, ever | 1,Often") == {"0": "(0) Never, ever", "1": "Often"}


def test_the_header_of_the_interface_is_read_too(tmp_path: Path) -> None:
    folder = write(tmp_path, {0: "x", 1: "form", 3: "text", 5: "NA", 7: "NA"}, header=_INTERFACE_HEADER)
    assert read_dictionary(read_file(folder, "dictionary.csv"))["x"].field.type == "text"


@pytest.mark.parametrize(
    ("row", "column", "found"),
    [
        (variable("x", "dropdwon"), "D", "the type 'dropdwon'"),
        (variable("x", "radio"), "F", "no choices"),
        (variable("x", "radio", choices="1, one | two"), "F", "a choice without a code"),
        (variable("x", "radio", choices="1, one | 1, two"), "F", "a code that two choices have"),
        (variable("id"), "A", "the variable id twice"),
        (variable("Not a name"), "A", "a name that REDCap does not allow"),
    ],
)
def test_a_damaged_row_is_located(tmp_path: Path, row: dict[int, str], column: str, found: str) -> None:
    with pytest.raises(DataError) as caught:
        read_dictionary(read_file(write(tmp_path, variable("id"), row), "dictionary.csv"))
    problem = caught.value.problems[-1]
    assert (problem.row, problem.column, problem.found) == (3, column, found)


def test_header_and_rows_are_refused_together(tmp_path: Path) -> None:
    folder = write(tmp_path, variable("id"), header=("1", *DICTIONARY_HEADER[1:]))
    with (folder / "dictionary.csv").open("a") as file:
        file.write("x,form,,text,label, and more,,,,,,,,,,,,,,\n")
    with pytest.raises(DataError) as caught:
        read_dictionary(read_file(folder, "dictionary.csv"))
    places = [(problem.row, problem.column, problem.found) for problem in caught.value.problems]
    assert places == [(1, "A", "the header '1'"), (3, "S", "20 cells")]
