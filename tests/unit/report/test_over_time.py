"""What the report says of follow-up and courses, from the small PBC study."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rarefactor import analyse, study
from rarefactor.report._course import write_courses
from rarefactor.report._document import write_document
from rarefactor.report._source import read_source
from rarefactor.report.tree import Bullets, Document, Number, Paragraph, Table, text_of
from rarefactor.results import Estimate, Results

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def document() -> Document:
    checked = study.check(ROOT / "examples/pbc48/study.yaml")
    wanted = ("Outcome", "Follow-up", "Cox", "Course")
    tasks = [task for task in analyse.tasks(checked.study, checked.table, code="test") if task.label.startswith(wanted)]
    found = [task.compute() for task in tasks]
    results = Results(
        study={"file": checked.study.model_dump(mode="json", by_alias=True)},
        flow=checked.table.flow,
        rows=tuple(row for one in found for row in one.rows),
        notes=tuple(note for one in found for note in one.notes),
        factors=checked.table.factors,
    )
    return write_document(read_source(results))


def test_the_sections_have_their_tables_and_figures(document: Document) -> None:
    tables = {table.name: table for table in document.tables()}
    assert {"follow-up-death", "cox-death-clinical", "cox-death-biopsy", "course-bilirubin"} <= set(tables)
    stage = [text_of(cell.runs) for row in tables["follow-up-death"].rows for cell in row.cells]
    assert "Histological stage (biopsy)" in stage
    figures = {figure.name: figure for figure in document.figures()}
    assert {"follow-up-death-stage", "course-bilirubin"} <= set(figures)
    assert "follow-up-death-oedema" not in figures  # but one of its groups has a curve
    assert "No curve: I (3), as fewer than 5 patients." in text_of(figures["follow-up-death-stage"].caption)
    assert "% at 2" in figures["follow-up-death-stage"].alt
    assert "Serum bilirubin, per doubling: from" in figures["hazards-death-clinical"].alt
    assert "hazards-death-biopsy" not in figures  # stage I has no event: there is nothing to check


def test_events_of_several_kinds_are_counted_by_kind(document: Document) -> None:
    told = [text_of(block.runs) for block in document.blocks if isinstance(block, Paragraph)]
    assert any("19 had the event (transplanted: 3, dead: 16), and" in text for text in told)
    kinds = "Of those with it, 10 by serum bilirubin at month 12, 3 by death or transplantation before month 12."
    assert any(text.endswith(kinds) for text in told)


def test_restricted_means_of_a_table_reach_up_to_one_time_that_is_said(document: Document) -> None:
    table = next(table for table in document.tables() if table.name == "follow-up-death")
    assert "Mean up to 6 years,\nyears (95% CI)" in [text_of(cell.runs) for cell in table.header[0].cells]
    means = [run.row for row in table.rows for cell in row.cells for run in cell.runs if isinstance(run, Number)]
    reached = {row.split("/")[-4] for row in means if row.endswith("restricted_mean")}
    assert reached == {"6"}


def test_a_course_by_a_later_outcome_has_no_test(document: Document) -> None:
    table = next(table for table in document.tables() if table.name == "course-bilirubin")
    assert "P" not in [text_of(cell.runs) for row in table.header for cell in row.cells]
    assert {len(row.cells) for row in (*table.header, *table.rows)} == {4}
    assert "a test of their courses would be circular" in text_of(table.footnotes[0])


def test_the_summary_names_every_marker_of_cox_models_by_its_side_of_1(document: Document) -> None:
    items = [text_of(item) for block in document.blocks if isinstance(block, Bullets) for item in block.items]
    told = next(item for item in items if item.startswith("Death or transplantation, over"))
    assert "in 48 patients with 19 events, adjusted for all in it: the hazard was higher with serum bili" in told
    assert "rubin, per doubling (HR " in told
    figure = next(figure for figure in document.figures() if figure.name == "overview")
    assert re.search(r"; open for platelets, per 50 × 10⁹/l \([\d.]+, [\d.]+–[\d.]+\)", figure.alt)
    assert told.count("95% CI") == 2  # once for each model


def test_a_cox_model_with_missing_values_says_how_they_were_handled(document: Document) -> None:
    table = next(table for table in document.tables() if table.name == "cox-death-biopsy")
    heads = [text_of(cell.runs) for row in table.header for cell in row.cells]
    assert "Complete cases" in heads
    assert "48 patients (47 with every factor; missing values imputed 20 times), 19 events" in text_of(
        table.footnotes[0]
    )
    assert any(text_of(cell.runs) == "1 (reference)" for row in table.rows for cell in row.cells)


def test_every_number_has_its_details_and_no_patient_is_named(document: Document) -> None:
    numbers = [run for run in document.runs() if isinstance(run, Number) and run.row.startswith(("surv", "long"))]
    assert len(numbers) > 60
    assert all(document.details[number.row] for number in numbers)
    assert not re.search(r"S-[0-9a-f]{8}", " ".join(run.text for run in document.runs()))


def test_methods_say_how(document: Document) -> None:
    text = " ".join(run.text for run in document.runs())
    for words in ("Kaplan and Meier", "Efron’s method", "Satterthwaite’s degrees", "cannot be used to predict"):
        assert words in text


def test_the_error_of_a_rate_is_shown_wherever_it_comes_from(results: Results) -> None:
    measures = {"rate_se": 0.28, "minimal_detectable_rate": 0.55, "share_changed": 0.76, "reliability": 0.78}
    rows = tuple(
        Estimate(analysis="longitudinal", landmark="baseline", factor="age", measure=name, estimate=value, n=34)
        for name, value in measures.items()
    )
    blocks = list(write_courses(read_source(replace(results, rows=rows))))  # its study file gives no error
    table = next(block for block in blocks if isinstance(block, Table))
    assert [text_of(cell.runs) for cell in table.rows[0].cells[1:]] == ["0.28", "0.55", "76", "0.78"]
