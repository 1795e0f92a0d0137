"""Tables of the Word report: native and editable, with rules above, below and under the head as journals set them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rarefactor.report.tree import Cell, Row, Runs, Table, Text

AddRuns = Callable[[Any, Runs], None]
_WIDTH_MM = 170.0
_SHORT = 14  # rows
_THICK, _THIN, _FINE = 8, 4, 2  # eighths of a point
_COLOURS = {_FINE: "A3AFBA"}  # lines between rows stand back
_PADDING = 40  # twentieths of a point, left and right of the text in a cell
_TABLE_ORDER = ("tblStyle", "tblW", "jc", "tblInd", "tblBorders", "tblLayout", "tblCellMar", "tblLook")
_CELL_ORDER = ("tcW", "gridSpan", "vMerge", "tcBorders", "shd", "noWrap", "tcMar", "vAlign")
_BORDER_ORDER = ("top", "left", "bottom", "right")


def add_table(file: Any, block: Table, add_runs: AddRuns) -> None:
    """Add a table; its header rows are repeated on every page, no row is torn, and a short one stays on one page."""
    columns = len(block.widths)
    rows = (*block.header, *block.rows)
    table = file.add_table(rows=len(rows), cols=columns)
    table.autofit = False
    _align_left(table)
    _set_widths(table, block.widths)
    for place, row in enumerate(rows):
        header = place < len(block.header)
        _fill_row(table.rows[place], row, add_runs, header=header)
        _mark_row(table.rows[place], header=header)
        if place + 1 < len(rows) and (len(rows) <= _SHORT or rows[place + 1].kind == "level"):
            _keep_with_next(table.rows[place])
    _rule(table.rows[0], "top", _THICK)
    _rule(table.rows[max(len(block.header) - 1, 0)], "bottom", _THIN)
    _rule_between(table.rows[len(block.header) :], block)
    _rule(table.rows[-1], "bottom", _THICK)


def _rule_between(shown: Sequence[Any], block: Table) -> None:
    for before, row in zip(shown, block.rows[1:], strict=False):
        if block.rules == "rows" or (block.rules == "groups" and row.kind != "level"):
            _rule(before, "bottom", _FINE)


def _align_left(table: Any) -> None:
    """Word hangs tables into the margin by the padding of a cell; ours start where the text starts."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    indent = OxmlElement("w:tblInd")
    indent.set(qn("w:w"), str(_PADDING))
    indent.set(qn("w:type"), "dxa")
    properties = table._tbl.tblPr  # noqa: SLF001 - python-docx has no table indent
    properties.append(indent)
    _sort(properties, _TABLE_ORDER)


def _set_widths(table: Any, widths: Sequence[float]) -> None:
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    total = sum(widths)
    sizes = [Mm(_WIDTH_MM * width / total) for width in widths]
    for column, size in zip(table.columns, sizes, strict=True):
        column.width = size
    for row in table.rows:
        for cell, size in zip(row.cells, sizes, strict=True):
            cell.width = size


def _fill_row(target: Any, row: Row, add_runs: AddRuns, *, header: bool) -> None:
    place = 0
    cells = target.cells
    for number, cell in enumerate(row.cells):
        filled = cells[place]
        if cell.span > 1:
            filled = filled.merge(cells[place + cell.span - 1])
            if header:
                _set_border(filled, "bottom", _THIN)
        strong = header or (number == 0 and row.kind == "head")
        _fill_cell(filled, cell, add_runs, strong=strong, indent=number == 0 and row.kind == "level")
        place += cell.span


def _fill_cell(target: Any, cell: Cell, add_runs: AddRuns, *, strong: bool, indent: bool) -> None:
    from docx.enum.table import WD_ALIGN_VERTICAL  # noqa: PLC0415 - loaded when a report is written
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 - loaded when a report is written
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    paragraph = target.paragraphs[0]
    paragraph._p.style = "TableText"  # noqa: SLF001 - by id: looking the name up takes a second per report
    paragraph.alignment = WD_ALIGN_PARAGRAPH[cell.align.upper()]
    paragraph.paragraph_format.left_indent = Mm(3) if indent else None
    runs = cell.runs
    if strong:
        runs = tuple(Text(run.text, "strong") if _is_plain(run) else run for run in runs)
        target.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM
    add_runs(paragraph, runs)
    _set_margins(target)


def _is_plain(run: Any) -> bool:
    return isinstance(run, Text) and run.style == "plain"


def _keep_with_next(row: Any) -> None:
    """Keep a group of rows on one page."""
    row.cells[0].paragraphs[0].paragraph_format.keep_with_next = True


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


def _set_margins(cell: Any) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    margins = OxmlElement("w:tcMar")
    for edge in ("left", "right"):
        side = OxmlElement(f"w:{edge}")
        side.set(qn("w:w"), str(_PADDING))
        side.set(qn("w:type"), "dxa")
        margins.append(side)
    properties = cell._tc.get_or_add_tcPr()  # noqa: SLF001 - python-docx has no cell margins
    properties.append(margins)
    _sort(properties, _CELL_ORDER)


def _sort(element: Any, order: Sequence[str]) -> None:
    """Put the children in the order of the schema, which Word insists on."""
    element[:] = sorted(element, key=lambda child: order.index(child.tag.rsplit("}", 1)[-1]))
