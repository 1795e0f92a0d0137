"""The report for Word: native tables, captions, styles with names, pictures with alternative text.

Convention: looks come from styles only, so that a journal's template can be put over them; the file is packed with one
fixed date, so that the same document gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from rarefactor.report._docx_styles import add_styles
from rarefactor.report._docx_table import add_table
from rarefactor.report._labels import label_block, label_runs
from rarefactor.report._words import LANGUAGE_TAG, Words
from rarefactor.report.tree import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    Link,
    Note,
    Paragraph,
    Reference,
    Runs,
    Table,
    Text,
)

_WORDS = Words("docx")
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_docx(document: Document, created: datetime) -> bytes:
    """Return the document as a Word file; ``created`` goes to its properties."""
    import docx  # noqa: PLC0415 - loaded when a report is written

    file = docx.Document()
    add_styles(file)
    _set_mode(file)
    _set_properties(file, document, created)
    if document.notice:
        _add_notice(file, document.notice)
    _add_footer(file, document.subtitle)
    file.add_paragraph(document.subtitle, style="Byline")
    file.add_paragraph(document.title, style="Title")
    if document.byline:
        file.add_paragraph(document.byline, style="Byline")
    for block in document.blocks:
        _ADD[type(block)](file, block)
    buffer = io.BytesIO()
    file.save(buffer)
    return _repacked(buffer.getvalue())


def add_runs(paragraph: Any, runs: Runs, code: str = "Code") -> None:
    """Add running text to a paragraph; ``code`` is the style of what is code."""
    for run in runs:
        if isinstance(run, Link):
            _add_field(paragraph, f"REF {_bookmark(run.target)} \\h", run.text)
            continue
        style = run.style if isinstance(run, Text) else "plain"
        added = paragraph.add_run(run.text, style=code if style == "code" else None)
        added.bold = True if style == "strong" else None
        added.italic = True if style == "emphasis" else None
        added.font.superscript = True if style == "superscript" else None


def _add_heading(file: Any, block: Heading) -> None:
    heading = file.add_heading(block.text, level=block.level)
    _add_comment(file, heading, block.ask)
    _mark(heading, f"section-{block.anchor}")


def _add_paragraph(file: Any, block: Paragraph) -> None:
    paragraph = file.add_paragraph()
    add_runs(paragraph, block.runs)
    _add_comment(file, paragraph, block.ask)


def _open_paragraph(file: Any, style: str) -> Any:
    paragraph = file.add_paragraph()
    paragraph._p.style = style.replace(" ", "")  # noqa: SLF001 - by id: looking names up takes a second per report
    return paragraph


def _add_comment(file: Any, paragraph: Any, ask: str) -> None:
    if ask:
        comment = file.add_comment(paragraph.runs, ask, author="rarefactor", initials="rf")
        # The comment would hold the time of writing; the same results must give the same bytes.
        comment._comment_elm.date = file.core_properties.created  # noqa: SLF001 - no public way to set it


def _add_bullets(file: Any, block: Bullets) -> None:
    for item in block.items:
        add_runs(_open_paragraph(file, "List Bullet"), item)


def _add_note(file: Any, block: Note) -> None:
    add_runs(_open_paragraph(file, "Note"), (Text(block.title),))
    for place, item in enumerate(block.items):
        paragraph = _open_paragraph(file, "Note Item")
        paragraph.paragraph_format.keep_with_next = place + 1 < len(block.items) or None
        add_runs(paragraph, item)


def _add_reference(file: Any, block: Reference) -> None:
    paragraph = _open_paragraph(file, "Reference")
    add_runs(paragraph, block.runs)
    if block.url:
        paragraph.add_run(f" {block.url}")


def _add_table(file: Any, block: Table) -> None:
    _add_caption(file, block, (Text(block.caption),), "Caption")
    add_table(file, block, _add_small)
    for place, footnote in enumerate(block.footnotes):
        paragraph = _open_paragraph(file, "Table Note")
        paragraph.paragraph_format.keep_with_next = place + 1 < len(block.footnotes) or None
        _add_small(paragraph, footnote)
    if not block.footnotes:
        _open_paragraph(file, "Table End")


def _add_small(paragraph: Any, runs: Runs) -> None:
    add_runs(paragraph, runs, "Table Code")


def _add_figure(file: Any, block: Figure) -> None:
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    paragraph = _open_paragraph(file, "Report Figure")
    shape = paragraph.add_run().add_picture(io.BytesIO(block.png), width=Mm(block.shown_width_mm))
    for side in ("distT", "distB", "distL", "distR"):
        shape._inline.set(side, "0")  # noqa: SLF001 - else LibreOffice leaves a gap around the picture
    properties = shape._inline.docPr  # noqa: SLF001 - python-docx has no public way to set the alternative text
    properties.set("descr", block.alt)
    properties.set("name", label_block(block))
    _add_caption(file, block, block.caption, "Figure Caption")


def _add_caption(file: Any, block: Table | Figure, runs: Runs, style: str) -> None:
    """Add a caption whose number Word counts itself."""
    paragraph = _open_paragraph(file, style)
    number, kind = Text(str(block.number)), type(block).__name__
    _add_counted(paragraph, label_runs(block, number), number, f"SEQ {kind} \\* ARABIC", strong=True)
    _mark(paragraph, f"{kind.lower()}-{block.name}")
    paragraph.add_run(". ").bold = True
    add_runs(paragraph, runs)


def _add_counted(paragraph: Any, runs: Runs, number: Text, instruction: str, *, strong: bool = False) -> None:
    """Add words with a number among them that Word counts itself."""
    for run in runs:
        if run is number:
            _add_field(paragraph, instruction, number.text, strong=strong)
        else:
            _add_run(paragraph, run.text, strong=strong)


def _add_run(paragraph: Any, text: str, *, strong: bool) -> Any:
    run = paragraph.add_run(text)
    if strong:
        run.bold = True
    return run


def _mark(paragraph: Any, target: str) -> None:
    """Put a bookmark around what the paragraph holds so far, which cross-references show and lead to."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    number = str(zlib.crc32(target.encode()) >> 1)  # Word counts bookmarks below 2**31
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for element in (start, end):
        element.set(qn("w:id"), number)
    start.set(qn("w:name"), _bookmark(target))
    paragraph._p.insert_element_before(start, "w:commentRangeStart", "w:r", "w:fldSimple")  # noqa: SLF001 - python-docx has no bookmarks
    paragraph._p.append(end)  # noqa: SLF001 - as above


def _bookmark(target: str) -> str:
    """Return a name that Word takes: hidden, at most 40 letters and digits."""
    return f"_Ref{zlib.crc32(target.encode())}"


def _add_field(paragraph: Any, instruction: str, shown: str, *, strong: bool = False) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run = _add_run(paragraph, shown, strong=strong)
    field.append(run._r)  # noqa: SLF001 - python-docx has no fields; the run moves into one
    paragraph._p.append(field)  # noqa: SLF001 - as above


def _add_notice(file: Any, notice: str) -> None:
    """Put what every page has to say into the header."""
    file.sections[0].header.paragraphs[0].add_run(notice)


def _add_footer(file: Any, words: str) -> None:
    """Put what the report is and the number of the page below every page."""
    paragraph = file.sections[0].footer.paragraphs[0]
    page = Text("1")
    _add_counted(paragraph, _WORDS.runs("footer", report=words, page=page), page, "PAGE")


def _set_mode(file: Any) -> None:
    """Write for Word of today: in the mode of the template it would say that it works as an older one."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written

    settings = file.settings.element
    for setting in settings.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")
    settings.find(qn("w:zoom")).set(qn("w:percent"), "100")  # which the format demands


def _set_properties(file: Any, document: Document, created: datetime) -> None:
    properties = file.core_properties
    properties.title = document.title
    properties.subject = document.subtitle
    properties.author = document.byline
    properties.last_modified_by = "rarefactor"
    properties.comments = " ".join(filter(None, (_WORDS.text("written_by"), document.notice)))
    properties.language = LANGUAGE_TAG
    properties.created = properties.modified = created
    properties.revision = 1


def _repacked(content: bytes) -> bytes:
    """Return the same archive with one fixed date for every file in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, old.read(name))
    return buffer.getvalue()


_ADD: Mapping[type[Block], Callable[[Any, Any], None]] = {
    Heading: _add_heading,
    Paragraph: _add_paragraph,
    Bullets: _add_bullets,
    Note: _add_note,
    Reference: _add_reference,
    Table: _add_table,
    Figure: _add_figure,
}
