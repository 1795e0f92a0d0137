"""One line per way in which a cell can be written."""

import polars as pl
import pytest

from rarefactor.cohort._model import Variable
from rarefactor.cohort._values import check_values
from rarefactor.spec import DataField

NUMBER = DataField(type="number", min=0, max=1000, missing=("-9",))
INTEGER = DataField(type="integer")
SEX = DataField(type="choice", choices={"1": "male", "2": "female"})
STAGE = DataField(type="choice", choices={"1": "2", "2": "3"})
EDEMA = DataField(type="choice", choices={"0": "none", "0.5": "some"})
YESNO = DataField(type="yesno")
DATE = DataField(type="date")
TIME = DataField(type="datetime")
TEXT = DataField(type="text")


def check(cell: str, field: DataField, decimal: str = ".") -> tuple[object, str | None]:
    checked = check_values(
        pl.Series([cell], dtype=pl.String), Variable(name="x", field=field), decimal=decimal, missing=["NA", "-99"]
    )
    return checked.values[0], checked.bad["rule"][0] if checked.bad.height else None


@pytest.mark.parametrize(
    ("cell", "field", "value", "rule"),
    [
        ("1.5", NUMBER, 1.5, None),
        ("1e2", NUMBER, 100.0, None),
        ("NA", NUMBER, None, None),
        ("-99", NUMBER, None, None),
        ("-99.0", NUMBER, None, None),  # as Excel writes the code
        ("-9", NUMBER, None, None),
        ("-1", NUMBER, None, "range"),
        ("1001", NUMBER, None, "range"),
        ("1,5", NUMBER, None, "decimal"),
        ("114/72", NUMBER, None, "type"),
        ("x", NUMBER, None, "type"),
        ("ND", NUMBER, None, "type"),
        ("nan", NUMBER, None, "type"),
        ("inf", NUMBER, None, "type"),
        ("#DIV/0!", NUMBER, None, "formula"),
        ("<5", NUMBER, 5.0, None),
        (">= 900", NUMBER, 900.0, None),
        ("≤ 3", NUMBER, 3.0, None),
        ("3.0", INTEGER, 3, None),
        ("3.5", INTEGER, None, "type"),
        ("1e20", INTEGER, None, "type"),
        ("1", SEX, "1", None),
        ("1.0", SEX, "1", None),  # as Excel writes the code
        ("male", SEX, "1", None),
        ("Male", SEX, None, "choice"),
        ("FALSE", SEX, None, "choice"),  # what a spreadsheet makes of F
        ("2", STAGE, "2", None),  # a code before a label of the same word
        ("3", STAGE, "2", None),
        ("0.50", EDEMA, "0.5", None),
        ("1", YESNO, True, None),
        ("No", YESNO, False, None),
        ("No`", YESNO, None, "type"),
        ("1970-01-02", DATE, 1.0, None),
        ("1970-01-02 00:00:00", DATE, 1.0, None),
        ("25570", DATE, 1.0, None),  # as Excel counts days
        ("1970-02-30", DATE, None, "date"),
        ("02/01/1970", DATE, None, "date"),
        ("may 5 1970", DATE, None, "date"),
        ("1970", DATE, None, "date"),
        ("0021-01-12", DATE, None, "range"),
        ("1970-01-02 06:00", TIME, 1.25, None),
        ("1970-01-02 25:00", TIME, None, "date"),
        ("free", TEXT, "free", None),
        ("ask jo@example.org", TEXT, None, "identifier"),
    ],
)
def test_a_cell_becomes_a_value_or_fails_by_a_rule(
    cell: str, field: DataField, value: object, rule: str | None
) -> None:
    assert check(cell, field) == (value, rule)


@pytest.mark.parametrize(("cell", "value", "rule"), [("1,5", 1.5, None), ("1.5", None, "decimal"), ("7", 7.0, None)])
def test_a_decimal_comma_has_to_be_declared(cell: str, value: object, rule: str | None) -> None:
    assert check(cell, NUMBER, decimal=",") == (value, rule)


def test_a_field_has_its_own_decimal_mark() -> None:
    height = Variable(name="height", field=DataField(type="number"), decimal=",")
    assert check_values(pl.Series(["1,54"]), height).values.to_list() == [1.54]


def test_the_operator_of_a_censored_value_is_kept_beside_its_bound() -> None:
    checked = check_values(pl.Series(["<5", "7", "≥20000", "x<5"]), Variable(name="ck", field=INTEGER))
    assert checked.values.to_list() == [5, 7, 20000, None]
    assert checked.censored is not None
    assert checked.censored.to_list() == ["<", None, ">=", None]


def test_without_any_operator_there_is_no_column_for_it() -> None:
    assert check_values(pl.Series(["5", "x"]), Variable(name="ck", field=INTEGER)).censored is None


def test_the_limits_of_a_date_come_from_the_dictionary() -> None:
    visit = Variable(name="visit", field=DATE, first="2020-01-01", last="2020-12-31")
    checked = check_values(pl.Series(["2019-12-31", "2020-12-31", "2021-01-01"]), visit)
    assert checked.bad.rows() == [(0, "range", "2019-12-31"), (2, "range", "2021-01-01")]


@pytest.mark.parametrize("field", [NUMBER, INTEGER, SEX, YESNO, DATE, TIME, TEXT], ids=lambda field: field.type)
def test_empty_columns_and_columns_of_nothing_keep_their_type(field: DataField) -> None:
    variable = Variable(name="x", field=field)
    filled = check_values(pl.Series(["1"]), variable).values.dtype
    for cells in ([], [None]):
        assert check_values(pl.Series(cells, dtype=pl.String), variable).values.dtype == filled
