"""The named styles of the Word report."""

from __future__ import annotations

from typing import Any

from rarefactor.report._words import LANGUAGE_TAG

_FONT = "Arial"  # on every machine that has Word, and what most journals ask for
CELL_PADDING = 40
"""Left and right of the text in a cell, in twentieths of a point."""


def add_styles(file: Any) -> None:
    """Set the page and give the document its styles."""
    _set_page(file)
    _set_language(file)
    _set_normal(file)
    for name, size, before, after in (("Title", 19, 2, 4), ("Heading 1", 14, 18, 6), ("Heading 2", 11, 12, 4)):
        _set_heading(file.styles[name], size, before, after)
    _set_caption(file.styles["Caption"])
    _set_bullets(file.styles["List Bullet"])
    for name, base, size, before, after in (
        ("Byline", "Normal", 10, 0, 6),
        ("Table Text", "Normal", 7.5, 1, 1),
        ("Table Head", "Table Text", 7.5, 1, 1),
        ("Table Note", "Normal", 7, 2, 8),
        ("Table End", "Normal", 2, 0, 6),
        ("Note", "Normal", 9, 8, 0),
        ("Note Item", "Note", 9, 0, 9),
        ("Report Figure", "Normal", 9, 8, 3),
        ("Figure Caption", "Caption", 9, 2, 11),
        ("Reference", "Normal", 9, 0, 4),
    ):
        _set_text(_add_style(file, name, base), size, before, after)
    for name in ("Header", "Footer"):
        _set_text(file.styles[name], 8, 0, 0)
    _refine(file)
    _refine_notes(file)
    _add_code(file)
    _add_table_style(file)


def _set_page(file: Any) -> None:
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    section = file.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(22), Mm(22)
    section.header_distance = section.footer_distance = Mm(11)


def _set_language(file: Any) -> None:
    """Say what language the words are in, for who hears them and for the check of spelling."""
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written

    for language in file.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), LANGUAGE_TAG)


def _set_normal(file: Any) -> None:
    normal = file.styles["Normal"]
    _set_font(normal, 10)
    normal.paragraph_format.space_after = _pt(6)
    normal.paragraph_format.line_spacing = 1.08


def _set_heading(style: Any, size: float, before: float, after: float) -> None:
    _set_font(style, size)
    style.font.bold = True
    style.paragraph_format.space_before = _pt(before)
    style.paragraph_format.space_after = _pt(after)
    style.paragraph_format.keep_with_next = True
    for drawn in (*style.element.findall(".//{*}pBdr"), *style.element.findall(".//{*}rPr/{*}spacing")):
        drawn.getparent().remove(drawn)


def _set_caption(style: Any) -> None:
    _set_text(style, 9, 10, 4)
    style.font.bold = False
    style.paragraph_format.keep_together = True
    style.paragraph_format.keep_with_next = True


def _set_bullets(style: Any) -> None:
    """Let bullets stand apart: the template takes the space from between them."""
    style.paragraph_format.space_after = _pt(5)
    for close in style.element.findall(".//{*}contextualSpacing"):
        close.getparent().remove(close)


def _add_style(file: Any, name: str, base: str) -> Any:
    from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415 - loaded when a report is written

    style = file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = file.styles[base]
    style.quick_style = True
    return style


def _set_text(style: Any, size: float, before: float, after: float) -> None:
    _set_font(style, size)
    style.paragraph_format.space_before = _pt(before)
    style.paragraph_format.space_after = _pt(after)
    style.paragraph_format.line_spacing = 1.0


def _refine(file: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 - loaded when a report is written
    from docx.shared import Mm, RGBColor  # noqa: PLC0415 - loaded when a report is written

    styles = file.styles
    for name in ("Byline", "Footer", "Table Note"):
        styles[name].font.color.rgb = RGBColor(0x5D, 0x68, 0x74)
    styles["Table Head"].font.bold = True
    _join(styles["Table Note"])
    styles["Table Note"].paragraph_format.keep_together = True
    styles["Report Figure"].paragraph_format.keep_with_next = True
    styles["Figure Caption"].paragraph_format.keep_with_next = False
    styles["Reference"].paragraph_format.left_indent = Mm(5)
    styles["Reference"].paragraph_format.first_line_indent = Mm(-5)
    styles["Header"].font.bold = True
    styles["Header"].font.color.rgb = RGBColor(0xC2, 0x57, 0x0C)
    styles["Header"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _refine_notes(file: Any) -> None:
    """Set remarks apart: what they are about, then bullets, beside one line."""
    from docx.oxml import parse_xml  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.ns import nsdecls, qn  # noqa: PLC0415 - as above
    from docx.shared import Mm  # noqa: PLC0415 - as above

    title, item = file.styles["Note"], file.styles["Note Item"]
    title.font.bold, item.font.bold = True, False
    title.paragraph_format.keep_together = title.paragraph_format.keep_with_next = True
    item.paragraph_format.keep_with_next = False
    _mark_side(title)
    _join(item)
    # The bullet of the template ends at a tab at 6.35 mm.
    for style, left, hanging in ((title, 3, 0), (item, 6.35, 3.35)):
        style.paragraph_format.left_indent = Mm(left)
        style.paragraph_format.first_line_indent = Mm(-hanging)
    number = file.styles["List Bullet"].element.find(f".//{qn('w:numId')}").get(qn("w:val"))
    numbered = parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="{number}"/></w:numPr>')
    item.element.pPr.insert_element_before(numbered, "w:pBdr", "w:shd", "w:spacing", "w:contextualSpacing", "w:ind")


def _join(style: Any) -> None:
    """Leave space around paragraphs of a style, none between them."""
    from docx.oxml.parser import OxmlElement  # noqa: PLC0415 - loaded when a report is written

    properties = style.element.get_or_add_pPr()
    properties.insert_element_before(OxmlElement("w:contextualSpacing"), "w:jc", "w:outlineLvl")


def _mark_side(style: Any) -> None:
    """Put a line to the left of paragraphs and a tint behind them, as the other formats do."""
    from docx.oxml import parse_xml  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.ns import nsdecls  # noqa: PLC0415 - loaded when a report is written

    line = '<w:left w:val="single" w:sz="12" w:space="6" w:color="C2570C"/>'
    properties = style.element.get_or_add_pPr()
    border = parse_xml(f"<w:pBdr {nsdecls('w')}>{line}</w:pBdr>")
    tint = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="F2F5F8"/>')
    for element in (border, tint):
        properties.insert_element_before(element, "w:spacing", "w:contextualSpacing", "w:ind")  # as the format demands


def _add_code(file: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415 - loaded when a report is written

    for name, size in (("Code", 8), ("Table Code", 6.5)):
        style = file.styles.add_style(name, WD_STYLE_TYPE.CHARACTER)
        style.font.name = "Courier New"
        style.font.size = _pt(size)


def _add_table_style(file: Any) -> None:
    """Tables have a style of their own, so that a template may give them other cells."""
    from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml import parse_xml  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.ns import nsdecls  # noqa: PLC0415 - as above

    style = file.styles.add_style("Report Table", WD_STYLE_TYPE.TABLE)
    style.base_style = file.styles["Normal Table"]
    sides = "".join(f'<w:{side} w:w="{CELL_PADDING}" w:type="dxa"/>' for side in ("left", "right"))
    style.element.append(parse_xml(f"<w:tblPr {nsdecls('w')}><w:tblCellMar>{sides}</w:tblCellMar></w:tblPr>"))


def _set_font(style: Any, size: float) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 - loaded when a report is written
    from docx.shared import RGBColor  # noqa: PLC0415 - loaded when a report is written

    style.font.name = _FONT
    style.font.size = _pt(size)
    style.font.italic = False
    style.font.color.rgb = RGBColor(0x1B, 0x1F, 0x24)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), _FONT)


def _pt(size: float) -> Any:
    from docx.shared import Pt  # noqa: PLC0415 - loaded when a report is written

    return Pt(size)
