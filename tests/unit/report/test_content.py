"""What the report says: the words, the numbers and their addresses."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

import rarefactor.analyse
from rarefactor.errors import InputError
from rarefactor.report._details import describe_number
from rarefactor.report._document import cited_keys, write_document
from rarefactor.report._methods import write_methods
from rarefactor.report._overview import draw_models
from rarefactor.report._source import read_source
from rarefactor.report._summary import tell_answer, tell_estimates
from rarefactor.report._words import Words
from rarefactor.report.tree import Number, Paragraph, Reference, Table, text_of
from rarefactor.results import Estimate, Results

FORBIDDEN = re.compile(r"independent|significan|risk factor|predictor|trend toward|failed to", re.IGNORECASE)


def words(document):
    """Everything that the document says, captions and references apart from titles of papers."""
    for block in document.blocks:
        if isinstance(block, Table):
            yield block.caption
            yield from (text_of(cell.runs) for row in (*block.header, *block.rows) for cell in row.cells)
            yield from (text_of(note) for note in block.footnotes)
        elif hasattr(block, "runs") and not isinstance(block, Reference):
            yield text_of(block.runs)
        elif hasattr(block, "items"):
            yield from (text_of(item) for item in block.items)


def test_words_that_reviewers_attack_are_never_written(document):
    assert not [text for text in words(document) if FORBIDDEN.search(text)]


def test_every_number_has_its_details(document, results):
    numbers = [run for run in document.runs() if isinstance(run, Number)]
    assert len(numbers) > 300
    assert all(document.details[number.row] for number in numbers)
    shown = {number.row for number in numbers}
    unseen = [row.id for row in results.rows if row.id not in shown and row.analysis != "table1"]
    assert unseen == []


def measured_in_the_analysis():
    """Names that the rows of the analysis have, where they are spelled out."""
    folder = Path(rarefactor.analyse.__file__).parent
    nodes = [node for file in folder.glob("*.py") for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    given = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "measure"]
    return {node.value for node in given if isinstance(node, ast.Constant) and node.value}


def test_every_measure_has_a_name_in_words():
    assert measured_in_the_analysis() - set(Words("details").names("measures")) == set()


def test_a_number_is_told_in_words_with_what_the_results_call_it(source):
    row = Estimate(analysis="table1", measure="smd", estimate=1.0, flags=("sparse", "unheard_of"))
    told = describe_number(source, row)
    assert told["Analysis"] == "description `table1`"
    assert told["Measure"] == "standardised mean difference `smd`"
    assert told["Flags"] == "sparse data: the odds ratio may lie too far from 1 `sparse`, unheard of"


def test_every_citation_is_in_the_reference_list(document):
    listed = {block.key for block in document.blocks if isinstance(block, Reference)}
    assert set(cited_keys(document.blocks)) == listed


def test_tables_and_figures_are_numbered_in_order(document):
    assert [table.number for table in document.tables()] == list(range(1, len(document.tables()) + 1))
    assert [figure.number for figure in document.figures()] == list(range(1, len(document.figures()) + 1))


def test_no_row_of_a_table_has_too_many_or_too_few_cells(document):
    for table in document.tables():
        widths = {sum(cell.span for cell in row.cells) for row in (*table.header, *table.rows)}
        assert widths == {len(table.widths)}, table.name


def test_the_first_page_gives_every_marker_of_a_model_with_its_interval(source):
    answer, lines = ([text_of(line) for line in tell(source)] for tell in (tell_answer, tell_estimates))
    assert [line.split(".")[0] for line in answer] == ["Study", "Outcome", "Conclusion"]
    assert "102 of them (37.4%)" in answer[1]
    (figure,) = draw_models(source)
    for label in ("serum bilirubin, per doubling", "serum albumin", "prothrombin time", "oedema"):
        assert re.search(rf"{label}[^()]*\((OR )?[\d.]+, (95% CI )?[\d.]+–[\d.]+\)", figure.alt), label
    assert lines[0].count("95% CI") == 1
    assert "39 of 312 eligible patients" in lines[-1]
    assert "Events per parameter: 14.0 in “" in lines[-1]


def test_the_summary_names_what_is_open_where_there_is_no_room_for_the_figure(source):
    crowd = 6 * source.results.models[:1]
    crowded = dataclasses.replace(source, results=dataclasses.replace(source.results, models=crowd))
    assert not list(draw_models(crowded))
    assert "prothrombin time, per 1 s (" in text_of(tell_estimates(crowded)[0])


def test_an_interval_that_holds_1_leaves_both_directions_open(results):
    rows = tuple(
        dataclasses.replace(row, low=0.7, high=1.4) if row.factor == "protime" and row.method == "firth" else row
        for row in results.rows
    )
    source = read_source(dataclasses.replace(results, rows=rows))
    (figure,) = draw_models(source)
    assert "both directions open for prothrombin time" in figure.alt
    assert "the intervals of the 2 other ratios of markers hold 1" in text_of(tell_estimates(source)[0])


def test_a_separated_factor_has_no_ml_estimate_and_says_why(document):
    table = next(table for table in document.tables() if table.name == "univariable-baseline")
    row = next(row for row in table.rows if any("†" in text_of(cell.runs) for cell in row.cells))
    assert "not estimable" in text_of(row.cells[3].runs)
    assert "38.2 (4.61–4\u202f893)" in text_of(row.cells[5].runs)
    assert any("Separated" in text_of(note) for note in table.footnotes)


def test_methods_give_the_outcome_as_the_study_file_does(document):
    text = " ".join(words(document))
    assert "visits.bili >= 1.25 * visits.bili[baseline]" in text
    assert "window 9 to 18 months" in text
    assert "Death or transplantation" in text


def test_labels_inside_a_sentence_begin_with_a_small_letter(source):
    lines = [text_of(line) for line in (*tell_answer(source), *tell_estimates(source))]
    assert any(re.search(r"adjusted for (age|male sex)\b", line) for line in lines)
    assert not any("Serum bilirubin" in line for line in lines)


def test_a_study_without_models_tells_the_factors_one_by_one(source):
    alone = dataclasses.replace(source, results=without_models(source.results))
    lines = [text_of(line) for line in tell_estimates(alone)]
    assert any(line.startswith("Factors one by one. Followed from baseline: the ") for line in lines)


def without_models(results):
    """The results as if no model had been asked for."""
    return dataclasses.replace(results, models=(), rows=tuple(row for row in results.rows if row.model is None))


def test_one_of_something_is_said_in_the_singular(source):
    adjusters = [info for info in source.results.factors if info.role == "adjuster"]
    markers = [info for info in source.results.factors if info.role == "marker"]
    one = dataclasses.replace(source.results, factors=(markers[0], adjusters[0]), models=())
    blocks = write_methods(dataclasses.replace(source, results=one), 1)
    text = " ".join(text_of(block.runs) for block in blocks if isinstance(block, Paragraph))
    assert "1 marker, whose association with the outcome is asked for, and 1 adjuster, for " in text


def test_what_was_not_done_leaves_no_space_before_the_full_stop(source):
    analysis = source.study.analysis
    missing = analysis.missing.model_copy(update={"imputations": 0})
    study = source.study.model_copy(update={"analysis": analysis.model_copy(update={"missing": missing})})
    document = write_document(dataclasses.replace(source, study=study, only=""))
    assert [text for text in words(document) if re.search(r" \.(?!\d)|  ", text)] == []


def test_a_study_with_nothing_analysed_still_gets_its_report(results):
    bare = Results(study=results.study, flow=results.flow[:2], rows=(), factors=results.factors)
    document = write_document(read_source(bare))
    assert "No multivariable model was specified" in " ".join(words(document))


def test_rows_that_are_missing_are_dashes(results):
    rows = tuple(row for row in results.rows if row.measure not in {"risk", "smd", "sd"} and row.method != "ml")
    document = write_document(read_source(dataclasses.replace(results, rows=rows)))
    assert any("–" in text for text in words(document))


def test_results_without_their_study_are_refused():
    with pytest.raises(InputError, match="study cannot be read"):
        read_source(Results(study={}, flow=(), rows=(Estimate(analysis="x", measure="y", estimate=1.0),)))


def test_a_figure_taller_than_a_page_is_made_smaller(document):
    figure = dataclasses.replace(document.figures()[0], height_mm=450.0)
    assert figure.shown_width_mm == pytest.approx(85.0)
    assert all(figure.shown_width_mm == figure.width_mm for figure in document.figures())
