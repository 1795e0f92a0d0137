"""The manners of journals: what changes is how a number is printed, never which."""

import dataclasses
import io
import re
from datetime import UTC, datetime

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rarefactor.report._document import write_document
from rarefactor.report._docx import write_docx
from rarefactor.report._html import write_html
from rarefactor.report._source import read_source
from rarefactor.report._style import STYLES, _Writer, apply_style
from rarefactor.report.tree import Citation, Number, Text, text_of

JOURNALS = [name for name in STYLES if name != "plain"]


@pytest.fixture(scope="module")
def rows(results):
    return {row.id: row for row in results.rows}


@pytest.fixture(scope="module", params=JOURNALS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def styled(name, document, rows):
    return apply_style(document, STYLES[name], rows)


@given(st.floats(0, 1), st.sampled_from(JOURNALS))
def test_rounding_moves_no_p_to_the_other_side_of_5_percent(p, name):
    text = STYLES[name].write_p(p)
    assert text not in {"0.00", ".00", "1.00", "0.000", ".000"}
    if text[0] not in "<>" and abs(p - 0.05) > 1e-5:
        assert (float(text) < 0.05) == (p < 0.05)


def test_the_plain_manner_changes_nothing(document, rows):
    assert apply_style(document, STYLES["plain"], rows) is document


def test_no_word_is_lost_and_no_citation_touched(document, styled):
    assert [r for r in styled.runs() if isinstance(r, Citation)] == [
        r for r in document.runs() if isinstance(r, Citation)
    ]
    before, after = (letters("".join(run.text for run in each.runs())) for each in (document, styled))
    assert before == after


def letters(text):
    """Words without digits, signs and the joints of ranges."""
    return re.sub(r"(?<=[\d∞]) to (?=[\d∞])|[\d\W_]", "", text)


def test_every_p_of_the_tables_is_that_of_its_row(styled, name, rows):
    shown = [run for run in styled.runs() if isinstance(run, Number) and run.kind == "p"]
    assert len(shown) > 50
    assert all(run.text == STYLES[name].write_p(rows[run.row].p) for run in shown)
    expected = {"bmj": r"[<>]?0\.\d+", "jama": r"[<>]?\.\d+", "nature": r"[<>]?0\.\d+"}[name]
    assert all(re.fullmatch(expected, run.text) for run in shown)
    assert {styled.details[run.row]["P"] for run in shown} == {run.text for run in shown}


def test_ranges_have_the_joint_of_the_journal(styled, name):
    ranges = [
        run.text for run in styled.runs() if isinstance(run, Number) and run.text.endswith(")") and "(" in run.text
    ]
    joint = {"bmj": " to ", "jama": "-", "nature": "–"}[name]
    assert len(ranges) > 50
    assert all(
        joint in text or " to " in text for text in ranges if "," not in text and re.search(r"\(.*\D.*\)", text[:-1])
    )
    assert not [text for text in ranges if name != "nature" and re.search(r"\d–\d", text)]


def test_the_letter_p_heads_its_columns_as_the_journal_sets_it(styled, name):
    heads = [run for block in styled.tables() for row in block.header for cell in row.cells for run in cell.runs]
    styles = {run.style for run in heads if isinstance(run, Text) and run.text == "P"}
    assert styles == {"plain" if name == "bmj" else "emphasis"}


def test_the_letter_p_is_in_italics_wherever_it_stands_alone():
    shown = _Writer(STYLES["nature"], {}).value(
        (Text("P constant; Best P, P values and P = 0.1: P-selectin (P. Lee)"),)
    )
    assert [run.style for run in shown if run.text == "P"] == ["emphasis"] * 4
    assert shown[-1].text.endswith("P-selectin (P. Lee)")


def test_tables_without_rules_of_their_own_have_those_of_the_journal(styled, name, document):
    rules = {"bmj": "groups", "jama": "rows", "nature": "three"}[name]
    own = [table.rules for table in document.tables()]
    expected = [rules if given == "three" else given for given in own]
    assert [table.rules for table in styled.tables()] == expected
    assert f"rules-{rules}" in write_html(styled).decode()


def test_a_study_file_names_the_journal(results, document):
    plan = {**results.study["file"], "report": {"style": "jama"}}
    source = read_source(dataclasses.replace(results, study={"file": plan}))
    written = write_document(source)
    assert text_of(run for run in written.runs()) != text_of(run for run in document.runs())
    assert {table.rules for table in written.tables()} == {"rows"}
    styled, plain = ({figure.name: figure.png for figure in each.figures()} for each in (written, document))
    assert styled["forest-univariable-baseline"] != plain["forest-univariable-baseline"]


def test_word_has_the_rules_between_rows(styled, name):
    table = next(table for table in styled.tables() if table.name == "univariable-baseline")
    few = dataclasses.replace(styled, blocks=(dataclasses.replace(table, rows=table.rows[:6]),))
    shown = docx.Document(io.BytesIO(write_docx(few, datetime(2026, 1, 1, tzinfo=UTC)))).tables[0]
    under = [bool(row.cells[0]._tc.findall(".//{*}bottom")) for row in shown.rows[len(table.header) - 1 :]]
    kinds = [row.kind for row in table.rows[1:6]]
    between = {"bmj": [kind != "level" for kind in kinds], "jama": [True] * 5, "nature": [False] * 5}[name]
    assert under == [True, *between, True]
