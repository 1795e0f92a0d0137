"""What comes out of the door: checked tables, and a table of everything that failed.

Convention: a table has the key columns ``subject`` (keyed hash), ``row`` (as a spreadsheet counts, header included),
``event``, ``instance`` and ``day`` (since baseline), then one column per field. Patients' values that failed stand in
the table of failures and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from rarefactor.errors import Problem
from rarefactor.results import InputFile
from rarefactor.spec import DataField

KEYS = ("subject", "row", "event", "instance", "day")
RESERVED = frozenset({*KEYS, "visit"})
CENSORED = ".censored"

RULES: Mapping[str, str] = {
    "type": "a value of the declared type",
    "decimal": "the declared decimal mark",
    "choice": "a code or label of the dictionary",
    "checkbox": "a box that is ticked (1) or not (0)",
    "range": "a value within the declared limits",
    "date": "a date written YYYY-MM-DD",
    "formula": "a formula with a stored result",
    "merged": "one cell per value, not a merged one",
    "identifier": "no e-mail address in a text",
    "missing_subject": "a row that says whose it is",
    "duplicate_row": "a row that is not the copy of another",
    "before_baseline": "a visit on or after baseline",
    "unknown_column": "a column that the dictionary describes",
}

FAILURES = pl.Schema(
    {
        "table": pl.String,
        "file": pl.String,
        "row": pl.UInt32,
        "column": pl.String,
        "rule": pl.String,
        "value": pl.String,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A field with what only a REDCap dictionary knows of it.

    ``kind`` is the REDCap field type (``text``, ``checkbox`` ...; ``study`` for a field of the study file).
    ``first`` and ``last`` bound a date.
    """

    name: str
    field: DataField
    kind: str = "study"
    form: str | None = None
    decimal: Literal[".", ","] | None = None
    branching: str = ""
    first: str | None = None
    last: str | None = None
    validation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the cohort.

    ``frame`` holds the key columns and one typed column per field: number Float64, integer Int64, choice String (the
    code), yesno Boolean, date and datetime Float64 (days since baseline), text String, id String (keyed hash). The
    operator of a censored number (``<5``) stands in ``<name>.censored``, the bound in ``<name>``.
    """

    name: str
    frame: pl.DataFrame
    fields: Mapping[str, DataField]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The patients' data, checked: good tables, what failed, and what was left at the door.

    ``pseudonyms`` gives the hash of each patient's id: what files of images are filed under becomes a subject by it. It
    is for looking up and never shown.
    """

    tables: Mapping[str, Table]
    failures: pl.DataFrame
    inputs: tuple[InputFile, ...]
    notes: tuple[str, ...] = ()
    dropped: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    pseudonyms: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check of the data found: located problems that stop a run, and failures that do not.

    ``counts`` has one line per table, file, column and rule with ``n`` and the first row.
    """

    problems: tuple[Problem, ...]
    failures: pl.DataFrame
    counts: pl.DataFrame
    notes: tuple[str, ...]


def join_failures(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the failures of all parts as one table."""
    return pl.concat([pl.DataFrame(schema=FAILURES), *parts])


def count_failures(failures: pl.DataFrame) -> pl.DataFrame:
    """Count failures per table, file, column and rule; no value appears.

    Returns
    -------
    polars.DataFrame
        Columns table, file, column, rule, n, first_row and expected (the rule in words), most frequent first.

    Examples
    --------
    >>> row = {"table": "visits", "file": "v.csv", "row": 4, "column": "ck", "rule": "range", "value": "-99"}
    >>> count_failures(pl.DataFrame([row], schema=FAILURES)).select("column", "rule", "n", "first_row").rows()
    [('ck', 'range', 1, 4)]
    """
    keys = ["table", "file", "column", "rule"]
    counts = failures.group_by(keys, maintain_order=True).agg(n=pl.len(), first_row=pl.col("row").min())
    expected = pl.col("rule").replace_strict(dict(RULES), default=None, return_dtype=pl.String).alias("expected")
    return counts.with_columns(expected).sort("n", descending=True, maintain_order=True)


def shorten(names: Iterable[str], most: int = 8) -> str:
    """Return names as a list for a sentence, cut after ``most`` of them.

    Examples
    --------
    >>> shorten(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = list(names)
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")
