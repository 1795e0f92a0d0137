"""The section on performance: what it says from which rows, and that it stays away where there are none."""

import dataclasses

import pytest

from rarefactor.report._document import write_document
from rarefactor.report._performance import write_performance
from rarefactor.report._selection import write_selection
from rarefactor.report._source import read_source
from rarefactor.report.tree import Figure, Number, Table, text_of
from rarefactor.results import Estimate

WHERE = {"analysis": "performance", "landmark": "baseline", "model": "clinical", "n": 40, "events": 13}


def row(measure, estimate, **more):
    return Estimate(measure=measure, estimate=estimate, **(WHERE | more))


def invented():
    yield row("parameters", 10)
    yield row("events_per_parameter", 1.3)
    yield row("required_n", 799, method="r2_default", flags=("too_few",))
    yield row("nagelkerke_r2", 0.15, method="r2_default")
    yield row("supported_parameters", 0, method="r2_default")
    for method, value in (("apparent", 0.774), ("optimism", 0.185), ("optimism_corrected", 0.589), ("plus632", 0.5)):
        yield row("auc", value, method=method, low=value - 0.1 if method == "apparent" else None, high=0.9)
    yield row("mape", 0.146)
    for place in range(5):
        at = f"{place / 4:g}"
        yield row("sensitivity_at", place / 4, term=at)
        yield row("observed_risk", None if place == 2 else place / 4, term=at, low=0.0, high=1.0)
        yield row("net_benefit", 0.3 - place / 10, term=at, group="model")
        yield row("net_benefit", 0.3 - place, term=at, group="all")
    classical = {"model": None, "group": "classical"}
    yield row("inclusion", 0.071, factor="age", **classical)
    yield row("rmsd_ratio", 0.47, factor="age", term="per 10 years", **classical)
    yield row("inclusion", 0.79, factor="stage", flags=("selected",), **classical)
    yield row("selected_again", 0.04, **classical)
    yield row("model_frequency", 0.084, term="age + stage", **classical)
    yield row("model_frequency", 0.05, term="none", **classical)
    yield row("resamples", 200, **classical)


@pytest.fixture(scope="module")
def performed(results):
    return read_source(dataclasses.replace(results, rows=(*results.rows, *invented())))


def test_plain_sentences_say_what_the_size_allows(performed):
    text = " ".join(text_of(block.runs) for block in write_performance(performed) if hasattr(block, "runs"))
    assert "1.3 events (or non-events) per parameter" in text
    assert "Riley’s criteria ask for n = 799" in text
    assert "A risk calculator from this model is not supported by these data." in text
    assert "15 percentage points" in text


def test_the_table_holds_apparent_and_corrected_beside_each_other(performed):
    table = next(block for block in write_performance(performed) if isinstance(block, Table))
    assert [text_of(cell.runs) for cell in table.rows[0].cells[1:]] == ["0.77 (0.67–0.90)", "0.18", "0.59", "0.50"]
    assert text_of(table.rows[1].cells[1].runs) == "–"


def test_the_figure_is_drawn_without_curves_that_do_not_exist_and_tells_its_numbers(performed):
    figure = next(block for block in write_performance(performed) if isinstance(block, Figure))
    assert "AUC of 0.77 (0.67–0.90)" in figure.alt
    assert figure.svg.startswith(b"<?xml")


def test_unstable_selection_is_told_by_factors_and_sets(performed):
    table = next(block for block in write_selection(performed) if isinstance(block, Table))
    assert [text_of(cell.runs) for cell in table.rows[0].cells] == ["Age, per 10 years", "–", "7", "0.47"]
    assert [text_of(cell.runs) for cell in table.rows[1].cells][1:3] == ["selected", "79"]
    said = text_of(table.footnotes[0])
    assert "came out again in 4% of the resamples (200 drawn)" in said
    assert "Age + Histological stage (biopsy) (8%); no factor (5%)." in said


def test_every_number_of_the_section_has_its_row(performed):
    document = write_document(performed)
    shown = {run.row for run in document.runs() if isinstance(run, Number)}
    assert {found.id for found in invented() if found.measure in {"auc", "required_n", "mape", "inclusion"}} <= shown


def test_without_rows_there_is_no_section(source):
    assert not list(write_performance(source))
    assert not list(write_selection(source))
