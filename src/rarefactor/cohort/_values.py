"""Text becomes values, as the dictionary says; what does not fit becomes null and a failure.

Convention: a check takes one column of stripped text (null = empty) and gives the values and, for each cell that did
not fit, its index, rule and text. Dates are days since 1970-01-01 until the baseline of the patient is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from rarefactor.cohort._model import Variable
from rarefactor.cohort._privacy import has_email
from rarefactor.spec import DataField

_NUMBER = r"^([<>≤≥]=?)?\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$"
_WITH_COMMA = r"^[<>≤≥]?=?\s*[+-]?\d*,\d+$"
_SPREADSHEET_ERROR = r"^#(N/A|DIV/0!|REF!|_value!|NAME\?|NUM!|NULL!)$"
_YES = frozenset({"1", "yes", "y", "true"})
_NO = frozenset({"0", "no", "n", "false"})
_BOX = {"checked": True, "unchecked": False}
_LARGEST = 9.0e15  # whole numbers up to here are exact
_SERIAL = r"^\d{5}(?:\.\d+)?$"
_SERIAL_EPOCH = 25569.0  # 1970-01-01 as Excel counts
_EARLIEST, _LATEST = -40_000.0, 60_000.0  # 1860 and 2134: outside, a year was mistyped
_ISO_DAY = r"^(\d{4}-\d{2}-\d{2})(?:[ T]\d{2}:\d{2}.*)?$"
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}[ T](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?$"

_cell, _value, _rule = pl.col("text"), pl.col("value"), pl.col("rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A column after its check.

    ``bad`` has the columns index, rule and text. ``by_label`` says that labels stood for codes, ``serials`` how many
    dates were Excel serial numbers, ``coded_missing`` how many cells held a missing-data code.
    """

    values: pl.Series
    bad: pl.DataFrame
    censored: pl.Series | None = None
    by_label: bool = False
    serials: int = 0
    coded_missing: int = 0


def check_values(text: pl.Series, variable: Variable, *, decimal: str = ".", missing: Collection[str] = ()) -> Checked:
    """Type a column of text.

    Parameters
    ----------
    text
        Stripped text, null where the cell is empty.
    variable
        What the dictionary says; its own decimal mark goes before ``decimal``.
    decimal
        The decimal mark of the file.
    missing
        Missing-data codes of the whole study; those of the field are added.

    Examples
    --------
    >>> ck = Variable(name="ck", field=DataField(type="number", min=0))
    >>> checked = check_values(pl.Series(["5", "<30", "high", "-99"]), ck, missing=["-99"])
    >>> checked.values.to_list(), checked.bad.rows()
    ([5.0, 30.0, None, None], [(2, 'type', 'high')])
    """
    field = variable.field
    known, coded_missing = _without_codes(text.alias("text"), field, {*missing, *field.missing})
    if field.type in {"number", "integer"}:
        checked = _check_numbers(known, field, variable.decimal or decimal)
    elif field.type in {"date", "datetime"}:
        checked = _check_dates(known, variable)
    elif field.type in {"choice", "yesno"}:
        checked = _check_words(known, variable)
    else:
        checked = _check_text(known)
    return Checked(
        values=checked.values,
        bad=checked.bad,
        censored=checked.censored,
        by_label=checked.by_label,
        serials=checked.serials,
        coded_missing=coded_missing,
    )


def _without_codes(text: pl.Series, field: DataField, codes: Collection[str]) -> tuple[pl.Series, int]:
    """Set missing-data codes to null; for numbers a code also matches as a number (-99 and -99.0)."""
    if not codes:
        return text, 0
    is_code = _cell.is_in(list(codes))
    numbers = [number for number in map(_number_or_none, codes) if number is not None]
    if numbers and field.type in {"number", "integer"}:
        is_code |= _cell.cast(pl.Float64, strict=False).is_in(numbers).fill_null(value=False)
    kept = text.to_frame().select(pl.when(~is_code).then(_cell)).to_series()
    return kept.alias("text"), kept.null_count() - text.null_count()


def _number_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _bad(frame: pl.DataFrame) -> pl.DataFrame:
    """Return index, rule and text of the rows that have a rule."""
    return frame.with_row_index("index").filter(_rule.is_not_null()).select("index", "rule", "text")


def _judge(frame: pl.DataFrame, rule: pl.Expr) -> Checked:
    """Return the values of rows without a rule, the others as bad; errors of spreadsheets have a rule of their own."""
    formula = pl.when(_cell.str.contains(_SPREADSHEET_ERROR)).then(pl.lit("formula"))
    frame = frame.with_columns(rule=rule)
    if frame["rule"].null_count() == frame.height:
        return Checked(values=frame["value"], bad=_bad(frame.head(0)))
    frame = frame.with_columns(rule=pl.when(_rule.is_not_null()).then(pl.coalesce(formula, _rule)))
    return Checked(
        values=frame.select(pl.when(_rule.is_null()).then(_value).alias("value")).to_series(), bad=_bad(frame)
    )


def _check_numbers(text: pl.Series, field: DataField, decimal: str) -> Checked:
    frame, rule = _numbers(text, decimal)
    frame = frame.with_columns(pl.when(_value.is_finite()).then(_value).alias("value"))
    unread = _cell.is_not_null() & _value.is_null()
    if field.type == "integer":
        unread |= (_value != _value.round()) | (_value.abs() > _LARGEST)
    rule = pl.coalesce(rule, pl.when(unread).then(pl.lit("type")), _out_of_range(field))
    checked = _judge(frame, rule)
    values = checked.values.cast(pl.Int64) if field.type == "integer" else checked.values
    return Checked(values=values, bad=checked.bad, censored=_censored(frame, values))


def _numbers(text: pl.Series, decimal: str) -> tuple[pl.DataFrame, pl.Expr]:
    """Return columns text, value and operator, and the rule of a wrong decimal mark."""
    frame, written = text.to_frame(), _cell
    wrong = _cell.str.contains(_WITH_COMMA)
    if decimal == ",":
        wrong = _cell.str.contains(".", literal=True)
        written = _cell.str.replace(",", ".", literal=True)
    frame = frame.with_columns(written.cast(pl.Float64, strict=False).alias("value"), operator=pl.lit(None, pl.String))
    if frame["value"].null_count() > text.null_count():  # something is censored or wrong: look closer
        frame = frame.with_columns(
            pl.coalesce(_value, written.str.extract(_NUMBER, 2).cast(pl.Float64, strict=False)).alias("value"),
            operator=written.str.extract(_NUMBER, 1).str.replace("≤", "<=").str.replace("≥", ">="),
        )
    return frame, pl.when(wrong).then(pl.lit("decimal"))


def _out_of_range(field: DataField) -> pl.Expr:
    outside = pl.lit(value=False)
    if field.min is not None:
        outside |= _value < field.min
    if field.max is not None:
        outside |= _value > field.max
    return pl.when(outside).then(pl.lit("range"))


def _censored(frame: pl.DataFrame, values: pl.Series) -> pl.Series | None:
    operator = pl.select(pl.when(values.is_not_null()).then(frame["operator"]).alias("censored")).to_series()
    return operator if operator.null_count() < len(operator) else None


def _check_dates(text: pl.Series, variable: Variable) -> Checked:
    with_time = variable.field.type == "datetime"
    day = _cell.str.extract(_ISO_DAY, 1).str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32).cast(pl.Float64)
    serial = _cell.str.extract(_SERIAL, 0).cast(pl.Float64, strict=False) - _SERIAL_EPOCH
    frame = text.to_frame().with_columns(day=day, serial=serial)
    value = pl.coalesce(pl.col("day") + _time_of_day(), pl.col("serial"))
    frame = frame.with_columns((value if with_time else value.floor()).alias("value"))
    unread = _cell.is_not_null() & _value.is_null()
    rule = pl.coalesce(pl.when(unread).then(pl.lit("date")), _out_of_dates(variable))
    checked = _judge(frame, rule)
    serials = frame.filter(pl.col("day").is_null() & pl.col("serial").is_not_null()).height
    return Checked(values=checked.values, bad=checked.bad, serials=serials)


def _time_of_day() -> pl.Expr:
    """Return the time as a fraction of the day, 0 where none is written and null where it is no time."""
    time = _cell.str.extract(_ISO_TIME, 1)
    seconds = [pl.coalesce(time, pl.lit("00:00")).str.to_time(form, strict=False) for form in ("%H:%M:%S", "%H:%M")]
    return pl.coalesce(*seconds).cast(pl.Int64) / 86_400e9


def _out_of_dates(variable: Variable) -> pl.Expr:
    first = max(_EARLIEST, _epoch_day(variable.first, _EARLIEST))
    last = min(_LATEST, _epoch_day(variable.last, _LATEST))
    return pl.when((_value < first) | (_value.floor() > last)).then(pl.lit("range"))


def _epoch_day(text: str | None, otherwise: float) -> float:
    try:
        return float((date.fromisoformat(text or "") - date(1970, 1, 1)).days)
    except ValueError:
        return otherwise


def _check_words(text: pl.Series, variable: Variable) -> Checked:
    """Look every different word up once; a choice may be its code, the same number, or its label."""
    field, rule = variable.field, "checkbox" if variable.kind == "checkbox" else variable.field.type
    find = _choice_finder(field.choices) if field.type == "choice" else _yesno
    words = {word: find(word) for word in text.drop_nulls().unique().to_list()}
    dtype = pl.String if field.type == "choice" else pl.Boolean
    values = text.replace_strict(words, default=None, return_dtype=dtype) if words else text.cast(dtype)
    frame = text.to_frame().with_columns(values.alias("value"))
    rule = "type" if rule == "yesno" else rule
    checked = _judge(frame, pl.when(_cell.is_not_null() & _value.is_null()).then(pl.lit(rule)))
    by_label = any(
        word not in field.choices and code != word and _is_label(word, field) for word, code in words.items()
    )
    return Checked(values=checked.values, bad=checked.bad, by_label=by_label)


def _is_label(word: str, field: DataField) -> bool:
    return word.lower() in _BOX or word in field.choices.values()


def _choice_finder(choices: Mapping[str, str]) -> Callable[[str], str | None]:
    labels = [*choices.values()]
    by_label = {label: code for code, label in choices.items() if labels.count(label) == 1}
    by_number = {number: code for code in reversed([*choices]) if (number := _number_or_none(code)) is not None}

    def find(word: str) -> str | None:
        word = word.replace("\u00a0", " ")
        if word in choices:
            return word
        number = _number_or_none(word)
        return by_label.get(word) or (by_number.get(number) if number is not None else None)

    return find


def _yesno(word: str) -> bool | None:
    word = word.lower().removesuffix(".0")
    return _BOX.get(word, True if word in _YES else False if word in _NO else None)


def _check_text(text: pl.Series) -> Checked:
    frame = text.to_frame().with_columns(_cell.alias("value"))
    return _judge(frame, pl.when(has_email(_cell)).then(pl.lit("identifier")))
