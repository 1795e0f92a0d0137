"""Table 1: a column of their own for patients whose outcome is not known, only where there are such."""

from dataclasses import replace

from rarefactor.report._source import read_source
from rarefactor.report._table1 import tabulate_table1
from rarefactor.report.tree import text_of


def with_left_out(results, values):
    """The results with as many patients without an outcome, of whom ``values`` rows say something of platelets."""
    missing = results.select(analysis="table1", measure="missing", factor="platelets", group="all")[0]
    row = replace(missing, group="outcome_unknown", n=4, events=None, estimate=1.0)
    rows = [row, *(replace(row, measure=measure, estimate=value) for measure, value in values.items())]
    return replace(results, rows=(*results.rows, *rows))


def lines(results):
    table = tabulate_table1(read_source(results), "baseline")
    assert {sum(cell.span for cell in row.cells) for row in (*table.header, *table.rows)} == {len(table.widths)}
    return [[text_of(cell.runs) for cell in row.cells] for row in (*table.header, *table.rows)]


def test_nobody_left_out_has_no_column(results):
    assert lines(results)[0][-1] == "P"


def test_those_left_out_stand_behind_the_comparison(results):
    shown = lines(with_left_out(results, {"mean": 250.0, "sd": 100.0}))
    assert shown[0][-1] == "Outcome not\nknown (n = 5)"
    assert "250 (100)" in [line[-1] for line in shown]


def test_few_values_are_dashes(results):
    shown = lines(with_left_out(results, {}))
    assert {line[-1] for line in shown if line[0] == "Mean (SD)"} == {"–"}
    assert "1" in [line[-1] for line in shown if line[0] == "Missing, n"]
