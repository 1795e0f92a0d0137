"""The notes under the tables of odds ratios say what was done for these, and nothing else."""

import dataclasses
import math

import pytest

from rarefactor.report._document import write_imputation
from rarefactor.report._models import tabulate_model, tabulate_univariable
from rarefactor.report._source import read_source
from rarefactor.report._table1 import tabulate_characteristics
from rarefactor.report.tree import Figure, text_of
from rarefactor.results import Estimate, Note

GROUPS = ("observed", "imputed")


def notes_of(table):
    return " ".join(text_of(note) for note in table.footnotes)


@pytest.fixture
def model_notes(results):
    def write(imputations):
        rows = [
            dataclasses.replace(row, imputations=imputations) if row.measure == "analysed" else row
            for row in results.rows
        ]
        source = read_source(dataclasses.replace(results, rows=tuple(rows)))
        return notes_of(tabulate_model(source, results.models[0], 1))

    return write


def test_what_was_imputed_is_pooled_and_what_was_not_has_a_profile(model_notes):
    pooled, profile = "pooled by Rubin’s rules", "Maximum likelihood with profile intervals"
    assert pooled in model_notes(20)
    assert profile not in model_notes(20)
    assert profile in model_notes(None)
    assert not any(word in model_notes(None) for word in ("Rubin", "imputation"))


def test_the_sign_of_a_bound_that_does_not_exist_is_explained_where_it_stands(results, source):
    explained = "∞: the bound does not exist."
    assert explained in notes_of(tabulate_univariable(source, "baseline", 1))
    rows = [dataclasses.replace(row, high=9.0) if row.high in {None, math.inf} else row for row in results.rows]
    bounded = read_source(dataclasses.replace(results, rows=tuple(rows)))
    assert explained not in notes_of(tabulate_univariable(bounded, "baseline", 1))


def test_a_factor_coupled_with_the_outcome_is_marked_in_its_tables(results):
    note = Note(about="coupling", factor="bilirubin", landmark="baseline", text="It shares a value.")
    source = read_source(dataclasses.replace(results, notes=(note,)))
    table = tabulate_univariable(source, "baseline", 1)
    marked = [text_of(row.cells[0].runs) for row in table.rows if "¶" in text_of(row.cells[0].runs)]
    assert [label.startswith(source.factor("bilirubin").label) for label in marked] == [True]
    assert "¶ Coupled with the outcome. It shares a value." in notes_of(table)


def test_factors_that_are_first_known_later_have_a_table_of_their_own(results):
    rows = [
        dataclasses.replace(row, landmark="month_6", factor="bilirubin_rate")
        for row in results.rows
        if row.analysis == "table1" and row.factor == "age"
    ]
    source = read_source(dataclasses.replace(results, rows=(*results.rows, *rows)))
    first, later = tabulate_characteristics(source)
    assert (first.name, later.name) == ("table1", "table1-month_6")
    assert later.caption == "Characteristics that become known by month 6, by outcome"
    assert source.factor("bilirubin_rate").label in text_of(later.rows[0].cells[0].runs)
    assert "Fisher" in notes_of(first)
    assert "Fisher" not in notes_of(later)


@pytest.mark.parametrize(("missing", "drawn"), [(2.0, []), (3.0, ["imputation-baseline"])])
def test_chains_of_one_or_two_values_are_not_drawn(results, missing, drawn):
    where = {"analysis": "imputation", "landmark": "baseline", "factor": "age"}
    rows = [
        Estimate(measure="missing", estimate=missing, **where),
        *(Estimate(measure="proportion", group=group, term="Yes", estimate=0.5, **where) for group in GROUPS),
    ]
    blocks = list(write_imputation(read_source(dataclasses.replace(results, rows=(*results.rows, *rows)))))
    assert [block.name for block in blocks if isinstance(block, Figure)] == drawn
    assert bool(blocks) == bool(drawn)  # no heading over nothing
