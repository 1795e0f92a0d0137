"""Tables of the Word report: native and editable, with rules above, below and under the head as journals set them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rarefactor.report._breaks import list_stays
from rarefactor.report._docx_styles import CELL_PADDING
from rarefactor.report._docx_widths import fit_widths
from rarefactor.report._labels import label_block
from rarefactor.report.tree import Cell, Row, Runs, Table

AddRuns = Callable[[Any, Runs], None]
_WIDTH_MM = 170.0
_PADDING_MM = 2 * CELL_PADDING / 20 * 25.4 / 72  # of both sides
_THICK, _THIN, _FINE = 8, 4, 2  # eighths of a point
_COLOURS = {_FINE: "A3AFBA"}  # lines between rows stand back
_GAP = 3 * CELL_PADDING  # before words, which follow numbers or words that reach to the end of their cell
_TABLE_ORDER = ("tblStyle", "tblW", "jc", "tblInd", "tblBorders", "tblLayout", "tblCellMar", "tblLook", "tblCaption")
_CELL_ORDER = ("tcW", "gridSpan", "vMerge", "tcBorders", "shd", "noWrap", "tcMar", "vAlign")
_BORDER_ORDER = ("top", "left", "bottom", "right")


def add_table(file: Any, block: Table, add_runs: AddRuns) -> None:
    """Add a table; its header rows are repeated on every page, and no row or small group is torn."""
    rows = (*block.header, *block.rows)
    table = file.add_table(rows=len(rows), cols=len(block.widths), style="Report Table")
    table.autofit = False
    _tell(table, f"{label_block(block)}. {block.caption}")
    _set_widths(table, fit_widths(block, _WIDTH_MM, _PADDING_MM))
    stays = ((True,) * len(block.header)) + list_stays(block)
    for place, (row, stay) in enumerate(zip(rows, stays, strict=True)):
        header = place < len(block.header)
        _fill_row(table.rows[place], row, add_runs, header=header, stays=stay)
        _mark_row(table.rows[place], header=header)
    _rule(table.rows[0], "top", _THICK)
    _rule(table.rows[max(len(block.header) - 1, 0)], "bottom", _THIN)
    _rule_between(table.rows[len(block.header) :], block)
    _rule(table.rows[-1], "bottom", _THICK)


def _rule_between(shown: Sequence[Any], block: Table) -> None:
    for before, row in zip(shown, block.rows[1:], strict=False):
        if block.rules == "rows" or (block.rules == "groups" and row.kind != "level"):
            _rule(before, "bottom", _FINE)


def _tell(table: Any, words: str) -> None:
    """Say what the table is, for those who hear it."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    caption = OxmlElement("w:tblCaption")
    caption.set(qn("w:val"), words)
    properties = table._tbl.tblPr  # noqa: SLF001 - python-docx has no alternative text of tables
    properties.append(caption)
    _sort(properties, _TABLE_ORDER)


def _set_widths(table: Any, widths_mm: Sequence[float]) -> None:
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    sizes = [Mm(width) for width in widths_mm]
    for column, size in zip(table.columns, sizes, strict=True):
        column.width = size
    for row in table.rows:
        for cell, size in zip(row.cells, sizes, strict=True):
            cell.width = size


def _fill_row(target: Any, row: Row, add_runs: AddRuns, *, header: bool, stays: bool) -> None:
    place = 0
    cells = target.cells
    for number, cell in enumerate(row.cells):
        filled = cells[place]
        if cell.span > 1:
            filled = filled.merge(cells[place + cell.span - 1])
            if header:
                _set_border(filled, "bottom", _THIN)
        if number and cell.align == "left":
            _set_gap(filled)
        strong = header or (number == 0 and row.kind == "head")
        paragraph = _fill_cell(filled, cell, add_runs, strong=strong)
        if number == 0 and row.kind == "level":
            _indent(paragraph)
        paragraph.paragraph_format.keep_with_next = stays or None
        if header:
            _put_down(filled)
        place += cell.span


def _fill_cell(target: Any, cell: Cell, add_runs: AddRuns, *, strong: bool) -> Any:
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 - loaded when a report is written

    paragraph = target.paragraphs[0]
    # By id: looking the name of a style up takes a second per report.
    paragraph._p.style = "TableHead" if strong else "TableText"  # noqa: SLF001 - as said
    if cell.align != "left":
        paragraph.alignment = WD_ALIGN_PARAGRAPH[cell.align.upper()]
    add_runs(paragraph, cell.runs)
    return paragraph


def _indent(paragraph: Any) -> None:
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    paragraph.paragraph_format.left_indent = Mm(3)


def _put_down(cell: Any) -> None:
    from docx.enum.table import WD_ALIGN_VERTICAL  # noqa: PLC0415 - loaded when a report is written

    cell.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM


def _mark_row(row: Any, *, header: bool) -> None:
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no public row properties
    properties.append(OxmlElement("w:cantSplit"))
    if header:
        properties.append(OxmlElement("w:tblHeader"))


def _rule(row: Any, edge: str, size: int) -> None:
    for cell in dict.fromkeys(row.cells):
        _set_border(cell, edge, size)


def _set_border(cell: Any, edge: str, size: int) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001 - python-docx has no borders
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = OxmlElement("w:tcBorders")
        properties.append(borders)
    line = OxmlElement(f"w:{edge}")
    for name, value in (("val", "single"), ("sz", str(size)), ("space", "0"), ("color", _COLOURS.get(size, "1B1F24"))):
        line.set(qn(f"w:{name}"), value)
    for old in borders.findall(qn(f"w:{edge}")):
        borders.remove(old)
    borders.append(line)
    _sort(borders, _BORDER_ORDER)
    _sort(properties, _CELL_ORDER)


def _set_gap(cell: Any) -> None:
    """Part words from what stands to their left."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    margins, left = OxmlElement("w:tcMar"), OxmlElement("w:left")
    left.set(qn("w:w"), str(_GAP))
    left.set(qn("w:type"), "dxa")
    margins.append(left)
    properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001 - python-docx has no cell margins
    properties.append(margins)
    _sort(properties, _CELL_ORDER)


def _sort(element: Any, order: Sequence[str]) -> None:
    """Put the children in the order of the schema, which Word insists on."""
    element[:] = sorted(element, key=lambda child: order.index(child.tag.rsplit("}", 1)[-1]))
