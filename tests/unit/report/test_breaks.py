"""Where a table may go on over a page, and that the Word report says so."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import docx
import pytest

from rarefactor.report._breaks import list_stays
from rarefactor.report._docx import write_docx
from rarefactor.report._html import write_html
from rarefactor.report.tree import Cell, Document, Row, Table, Text

KINDS = {"h": "head", "l": "level", "b": "body"}


def make_table(kinds, *, footnotes=0):
    rows = tuple(Row(cells=(Cell(runs=(Text(f"row {n}"),)),), kind=KINDS[kind]) for n, kind in enumerate(kinds))
    header = (Row(cells=(Cell(runs=(Text("Factor"),)),)),)
    notes = tuple((Text(f"note {n}"),) for n in range(footnotes))
    return Table(name="t", number=1, caption="Rows", header=header, rows=rows, widths=(1.0,), footnotes=notes)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("bbb", "++|"),  # a short table stays whole
        ("", ""),
        ("b" * 16, "+|||||||||||||+|"),  # a long one leaves no row alone
        ("hll" * 5, "++|++|++|++|++|"),  # nor does it tear groups
        ("b" + "h" + "l" * 12 + "bb", "++||||||||||||+|"),  # but a large one, from whose head it keeps the first level
    ],
)
def test_tables_go_on_where_nothing_belongs_together(kinds, expected):
    shown = "".join("+" if stays else "|" for stays in list_stays(make_table(kinds)))
    assert shown == expected


def test_word_keeps_groups_and_the_last_row_with_its_footnotes():
    table = make_table("b" * 16, footnotes=2)
    document = Document(title="T", subtitle="S", byline="", blocks=(table, replace(table, footnotes=(), name="u")))
    file = docx.Document(io.BytesIO(write_docx(document, datetime(2026, 1, 1, tzinfo=UTC))))
    kept = [bool(row.cells[0].paragraphs[0].paragraph_format.keep_with_next) for row in file.tables[0].rows]
    assert kept == [True, *list_stays(table)]
    assert kept[-1]
    assert not file.tables[1].rows[-1].cells[0].paragraphs[0].paragraph_format.keep_with_next
    notes = [each for each in file.paragraphs if each.style.name == "Table Note"]
    assert [bool(note.paragraph_format.keep_with_next) for note in notes] == [True, False]


def test_printed_page_keeps_the_same_rows():
    table = make_table("hll" * 5 + "b", footnotes=1)
    page = write_html(Document(title="T", subtitle="S", byline="", blocks=(table,))).decode()
    classes = re.findall(r'<tr class="(.*?)">', page)
    assert [" stays" in each for each in classes] == list(list_stays(table))


def test_word_is_told_its_language_and_its_tables_in_words():
    content = write_docx(
        Document(title="T", subtitle="S", byline="", blocks=(make_table("bb"),)), datetime(2026, 1, 1, tzinfo=UTC)
    )
    file = docx.Document(io.BytesIO(content))
    assert file.styles.element.xpath("string(//w:lang/@w:val)") == "en-GB"
    assert file.tables[0]._tbl.tblPr.xpath("string(w:tblCaption/@w:val)") == "Table 1. Rows"
    assert file.settings.element.xpath('string(//w:compatSetting[@w:name="compatibilityMode"]/@w:val)') == "15"
