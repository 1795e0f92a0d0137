"""The named styles of the Word report."""

from __future__ import annotations

from typing import Any

_FONT = "Arial"  # on every machine that has Word, and what most journals ask for


def add_styles(file: Any) -> None:
    """Set the page and give the document its styles."""
    _set_page(file)
    _set_normal(file)
    for name, size, before, after in (("Title", 19, 2, 4), ("Heading 1", 14, 18, 6), ("Heading 2", 11, 12, 4)):
        _set_heading(file.styles[name], size, before, after)
    _set_caption(file.styles["Caption"])
    file.styles["List Bullet"].paragraph_format.space_after = _pt(5)
    for name, size, before, after in (
        ("Byline", 10, 0, 6),
        ("Table Text", 7.5, 1, 1),
        ("Table Note", 7, 1, 1),
        ("Note", 9, 2, 2),
        ("Report Figure", 9, 6, 3),
        ("Reference", 9, 0, 4),
    ):
        _add_paragraph_style(file, name, size, before, after)
    _refine(file)
    _add_code(file)


def _set_page(file: Any) -> None:
    from docx.shared import Mm  # noqa: PLC0415 - loaded when a report is written

    section = file.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(22), Mm(20)


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
    for border in style.element.findall(".//{*}pBdr"):
        border.getparent().remove(border)


def _set_caption(style: Any) -> None:
    _set_font(style, 9)
    style.font.bold = False
    style.paragraph_format.space_before = _pt(8)
    style.paragraph_format.space_after = _pt(4)
    style.paragraph_format.keep_together = True


def _add_paragraph_style(file: Any, name: str, size: float, before: float, after: float) -> None:
    from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415 - loaded when a report is written

    style = file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = file.styles["Normal"]
    style.quick_style = True
    _set_font(style, size)
    style.paragraph_format.space_before = _pt(before)
    style.paragraph_format.space_after = _pt(after)
    style.paragraph_format.line_spacing = 1.0


def _refine(file: Any) -> None:
    from docx.shared import Mm, RGBColor  # noqa: PLC0415 - loaded when a report is written

    styles = file.styles
    styles["Byline"].font.color.rgb = styles["Table Note"].font.color.rgb = RGBColor(0x5D, 0x68, 0x74)
    styles["Note"].paragraph_format.left_indent = Mm(4)
    styles["Note"].paragraph_format.keep_together = True
    _mark_side(styles["Note"])
    styles["Report Figure"].paragraph_format.keep_with_next = True
    styles["Reference"].paragraph_format.left_indent = Mm(5)
    styles["Reference"].paragraph_format.first_line_indent = Mm(-5)


def _mark_side(style: Any) -> None:
    """Put a line to the left of paragraphs and a tint behind them, as the other formats do."""
    from docx.oxml import parse_xml  # noqa: PLC0415 - loaded when a report is written
    from docx.oxml.ns import nsdecls  # noqa: PLC0415 - loaded when a report is written

    line = '<w:left w:val="single" w:sz="12" w:space="6" w:color="C2570C"/>'
    properties = style.element.get_or_add_pPr()
    border = parse_xml(f"<w:pBdr {nsdecls('w')}>{line}</w:pBdr>")
    tint = parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="F2F5F8"/>')
    for element in (border, tint):
        properties.insert_element_before(element, "w:spacing", "w:ind")  # the order that the format demands


def _add_code(file: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE  # noqa: PLC0415 - loaded when a report is written

    style = file.styles.add_style("Code", WD_STYLE_TYPE.CHARACTER)
    style.font.name = "Courier New"
    style.font.size = _pt(8)


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
