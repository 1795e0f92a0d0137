"""Checklists: what is claimed is in the report, what is not is asked of the authors, and no analysis is left out."""

import dataclasses
import io
import re
import zipfile

import docx
import pytest

from rarefactor.report._about import PLACES, place_of
from rarefactor.report._checklists import (
    ANCHOR,
    _read,
    answer_items,
    read_checklists,
    write_checklists,
)
from rarefactor.report._checklists_facts import FACTS
from rarefactor.report._document import write_document
from rarefactor.report._places import Places
from rarefactor.report._profile_remark import list_analyses, profile_remark
from rarefactor.report._source import read_source
from rarefactor.report._words import Words
from rarefactor.report.tree import Figure, Heading, Link, Number, Table, text_of
from rarefactor.results import Estimate, Note
from rarefactor.spec import About, lower_first

LISTS = {"strobe": 22, "remark": 20, "quips": 6, "tripod": 27}
ASKS = Words("checklists").names("asks")


@pytest.fixture(scope="module")
def places(document):
    return Places(document.blocks)


def target_of(block):
    if isinstance(block, Heading):
        return f"section-{block.anchor}"
    return f"{type(block).__name__.lower()}-{block.name}" if isinstance(block, Table | Figure) else ""


@pytest.mark.parametrize(("name", "count"), LISTS.items())
def test_every_item_of_a_statement_is_there_once(name, count):
    items = [item.item for item in _read(name).items]
    assert len(items) == len(set(items))
    assert {int(re.match(r"\d+", item)[0]) for item in items} == set(range(1, count + 1))


@pytest.mark.parametrize("name", LISTS)
def test_items_name_facts_texts_and_sections_that_exist(name, places):
    for item in _read(name).items:
        assert item.answers or item.needs or item.ask, item.item
        assert {fact for fact, _ in item.answers} <= set(FACTS)
        assert set(item.needs) <= set(About.model_fields)
        assert (
            not item.ask
            or item.place in {"methods", "risk-model", "performance"}
            or f"section-{item.place}" in places.labels
        )


def test_every_text_of_the_authors_has_a_place_and_is_asked_for():
    asked = {key for name in LISTS for item in _read(name).items for key in item.needs}
    assert asked == set(About.model_fields) == set(ASKS) == {key for keys in PLACES.values() for key in keys}


def test_every_pointer_leads_to_what_it_names(document, places):
    links = [run for run in document.runs() if isinstance(run, Link)]
    assert len(links) > 60
    assert [link for link in links if places.labels.get(link.target) != link.text] == []


def test_an_item_whose_places_are_gone_is_left_to_the_authors(source, document):
    for checklist in read_checklists(source):
        for answer in answer_items(source, checklist, Places(document.blocks)):
            gone = {link.target for link in answer.links}
            kept = Places(block for block in document.blocks if target_of(block) not in gone)
            again = next(a for a in answer_items(source, checklist, kept) if a.item is answer.item)
            assert not gone & {link.target for link in again.links}
            assert bool(again.said) == bool(again.links)


def test_without_its_figures_and_tables_a_report_claims_less(source, document):
    bare = [block for block in document.blocks if not isinstance(block, Table | Figure)]
    strobe = read_checklists(source)[0]
    answers = {answer.item.item: answer for answer in answer_items(source, strobe, Places(bare))}
    assert answers["13b"].said == ()
    assert "reasons" in answers["13b"].asked[0][1]
    assert answers["16a"].said == ()


def test_what_the_authors_wrote_is_printed_at_its_place_and_no_longer_asked(study, results):
    texts = {key: f"About {key}: said by the authors." for key in About.model_fields}
    plan = study.model_dump(mode="json", by_alias=True) | {"about": texts}
    told = write_document(read_source(dataclasses.replace(results, study={"file": plan})))
    places = Places(told.blocks)
    assert all(places.says(place_of(key), text) for key, text in texts.items())
    asked = " ".join(block.ask for block in told.blocks if isinstance(block, Heading))
    assert not [key for key, ask in ASKS.items() if ask.rstrip(".") in asked]


def test_what_nobody_wrote_is_asked_once_with_every_item_that_wants_it(document):
    asks = {block.anchor: block.ask for block in document.blocks if isinstance(block, Heading) and block.ask}
    assert "Name the funders and their part in the study (STROBE 22)." in asks[ANCHOR]
    assert "(STROBE 5, QUIPS 1b, QUIPS 1e)." in asks["design-and-patients"]
    assert "who judged the outcome" in asks["outcome"]


def test_the_profile_leaves_out_no_row_and_shows_n_and_events(source, document):
    listed = list_analyses(source)
    assert sum(len(rows) for _, rows in listed) == len(source.results.rows)
    table = next(table for table in document.tables() if table.name == "remark-analyses")
    assert len(table.rows) == len(listed)
    model = next(row for row in table.rows if text_of(row.cells[0].runs) == "Multivariable model")
    assert text_of(model.cells[2].runs) == "262"
    for row in table.rows:
        assert all(isinstance(run, Number) or run.text == "–" for cell in row.cells[2:4] for run in cell.runs)


def test_tripod_is_asked_only_where_a_risk_model_is_given_for_use(results):
    def names(allowed):
        row = Estimate(
            analysis="risk_model", landmark="baseline", model="clinical", measure="allowed", estimate=allowed
        )
        return [each.name for each in read_checklists(read_source(dataclasses.replace(results, rows=(row,))))]

    assert names(1.0) == ["strobe", "remark", "quips", "tripod"]
    assert names(0.0) == ["strobe", "remark", "quips"]


def test_tripod_answers_from_what_little_a_study_without_performance_holds(source, document, results):
    row = Estimate(analysis="risk_model", landmark="baseline", model="clinical", measure="allowed", estimate=1.0)
    source = read_source(dataclasses.replace(results, rows=(*results.rows, row)))
    blocks = write_checklists(source, document.blocks[:20])
    table = next(block for block in blocks if isinstance(block, Table) and block.name == "tripod")
    full = next(row for row in table.rows if text_of(row.cells[0].runs) == "22")
    assert text_of(full.cells[2].runs) == "For the authors: Give the full model."


def test_links_lead_somewhere_in_html_and_word(files):
    html = files["report.html"].decode()
    targets = set(re.findall(r'href="#([^"]+)"', html))
    assert targets <= set(re.findall(r'\bid="([^"]+)"', html))
    word = zipfile.ZipFile(io.BytesIO(files["report.docx"])).read("word/document.xml").decode()
    named = re.findall(r'<w:bookmarkStart w:id="(\d+)" w:name="(_Ref\d+)"', word)
    assert len(set(named)) == len({number for number, _ in named}) == len(named)
    assert set(re.findall(r"REF (_Ref\d+)", word)) <= {name for _, name in named}


def test_word_asks_at_the_place(files):
    comments = [comment.text for comment in docx.Document(io.BytesIO(files["report.docx"])).comments]
    assert any("Describe the treatments and how they were chosen (REMARK 3)." in text for text in comments)


def test_adjusters_are_those_of_the_models(source):
    infos = {info.name: info for info in source.results.factors}
    unused = dataclasses.replace(infos["age"], name="unused", label="Unused", role="adjuster")
    results = dataclasses.replace(source.results, factors=(*infos.values(), unused))
    said = text_of(FACTS["adjusters"](dataclasses.replace(source, results=results)))
    model = source.results.models[0]
    held = [info.label for name, info in infos.items() if name in model.factors and info.role == "adjuster"]
    told = ", ".join(lower_first(label) for label in held)
    assert said.startswith(f"Adjusted: “{model.label}” for {told}")
    assert ". Adjusters in no model: " in said
    assert said.endswith("unused.")


def test_a_table_of_one_patient_or_event_counts_in_the_singular(source):
    where = {"analysis": "multivariable", "landmark": "baseline"}
    model = source.results.models[0]
    row = Estimate(model=model.name, measure="analysed", estimate=1.0, n=1, events=1, **where)
    one = dataclasses.replace(source.results, models=(model,), rows=(row,))
    assert f"“{model.label}”: 1 patient, 1 event;" in text_of(FACTS["models"](read_source(one)))


def test_the_profile_counts_missing_values_in_all_patients_of_a_landmark(source):
    rows = [
        Estimate(analysis="missing", landmark="baseline", factor="age", measure="missing", estimate=2.0, n=273),
        Estimate(
            analysis="missing", landmark="baseline", group="all", term="age", measure="pattern", estimate=2.0, n=2
        ),
    ]
    found = read_source(dataclasses.replace(source.results, rows=tuple(rows)))
    heading = Heading(text="Missing values", anchor="missing", level=2)
    table = profile_remark(found, Places([heading]), 1)[2]
    assert [text_of(cell.runs) for cell in table.rows[0].cells] == [
        "Missing values", "from baseline", "273", "–", "Missing values",
    ]  # fmt: skip


def test_cox_models_whose_hazards_were_not_tested_are_not_counted_as_tested(source):
    own = [Estimate(analysis="survival", model=f"death.{name}", measure="analysed", estimate=48.0) for name in "ab"]
    test = Estimate(analysis="survival", model="death.a", measure="proportional_hazards", estimate=None, p=0.4)
    results = dataclasses.replace(source.results, rows=(*own, test))
    assert text_of(FACTS["cox"](dataclasses.replace(source, results=results))).startswith("2 Cox models, 1 with tests")


def test_a_reason_for_leaving_counts_once(source):
    steps = [step for step in source.results.flow if step.excluded]
    again = dataclasses.replace(steps[0], id="again", landmark="month_6")
    results = dataclasses.replace(source.results, flow=(*source.results.flow, again))
    told = [text_of(FACTS["reasons"](each)) for each in (source, dataclasses.replace(source, results=results))]
    assert told[0] == told[1] != ""


def test_a_factor_coupled_with_the_outcome_is_named_among_bias_and_limitations(results):
    note = Note(about="coupling", factor="age", landmark="baseline", text="Age and the outcome share it.")
    source = read_source(dataclasses.replace(results, notes=(note,)))
    document = write_document(source)
    strobe = next(each for each in read_checklists(source) if each.name == "strobe")
    answers = {each.item.item: each for each in answer_items(source, strobe, Places(document.blocks))}
    label = source.factor("age").label
    for item in ("9", "19"):
        assert f"Made of the same variable as the outcome: {lower_first(label)}." in text_of(answers[item].said)
