"""The report as one HTML file: styles, pictures and the little script inside, no address outside.

Convention: everything is escaped by the template engine but the pictures, which we draw ourselves.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

from rarefactor.report._breaks import list_stays
from rarefactor.report._labels import label_block
from rarefactor.report._letters import gather_letters, share_letters, write_letters
from rarefactor.report._plot import BLUE, GREEN, INK, MUTED, OCHRE, ORANGE, PANEL, PURPLE, RULE, TINT
from rarefactor.report._words import LANGUAGE, Words
from rarefactor.report.tree import Block, Document, Figure, Heading, Row, Table

if TYPE_CHECKING:
    from jinja2 import Environment

_COLOURS = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    PANEL: "panel",
    BLUE: "firth",
    ORANGE: "ml",
    GREEN: "third",
    PURPLE: "fourth",
    OCHRE: "fifth",
    TINT: "tint",
    "#ffffff": "paper",
}
_WORDS = Words("html")
_STYLE, _SCRIPTS = "report.css", ("shared/numbers.js", "report.js")


def write_html(document: Document) -> bytes:
    """Return the document as a self-contained HTML file."""
    from markupsafe import Markup  # noqa: PLC0415 - loaded when a report is written

    css = Markup(_read(_STYLE))  # noqa: S704 - a file of this package
    script = Markup("".join(map(_read, _SCRIPTS)))  # noqa: S704 - as above
    letters = gather_letters(figure.svg.decode() for figure in document.figures())
    text = (
        _open_templates(lambda figure: Markup(inline_svg(figure, letters)), linked=True)  # noqa: S704 - drawn by us
        .get_template("report.html.j2")
        .render(
            document=document,
            contents=tuple(_contents(document)),
            css=css,
            notice=Markup(_quote(document.notice)),  # noqa: S704 - escaped in _quote
            letters=Markup(write_letters(letters)),  # noqa: S704 - outlines, drawn by us
            script=script,
            script_words=Markup(_island(_script_words())),  # noqa: S704 - escaped in _island
            details=Markup(_island(document.details)),  # noqa: S704 - as above
            origins=Markup(_island(dataclasses.asdict(document.origins))),  # noqa: S704 - as above
        )
    )
    return text.encode()


def write_part(blocks: Sequence[Block], address: Callable[[Figure], str]) -> str:
    """Return some blocks for inside a page that is not the report.

    Figures are pictures at an ``address``; labels that count, and links to other parts, are left out.
    """
    from markupsafe import Markup  # noqa: PLC0415 - loaded when a report is written

    picture = Markup('<img class="drawn" src="{}" alt="" role="img" aria-labelledby="{}-alt" loading="lazy">')
    templates = _open_templates(lambda figure: picture.format(address(figure), figure.name), linked=False)
    return str(getattr(templates.get_template("blocks.html.j2").module, "write_blocks")(blocks))  # noqa: B009 - a macro


def _open_templates(svg: Callable[[Figure], Any], *, linked: bool) -> Environment:
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415 - loaded when a report is written

    environment = Environment(
        loader=PackageLoader("rarefactor.report", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["kind"] = lambda value: type(value).__name__
    environment.filters["svg"] = svg
    environment.filters["label"] = label_block
    cast("dict[str, Any]", environment.globals).update(
        linked=linked, list_rows=_list_rows, words=_WORDS, language=LANGUAGE
    )
    return environment


def _list_rows(table: Table) -> Sequence[tuple[Row, bool]]:
    """Return the rows below the head, and whether what follows each must stand on its page when printed."""
    return tuple(zip(table.rows, list_stays(table), strict=True))


def recolour(svg: bytes, colours: Mapping[str, str]) -> bytes:
    """Return a drawing with its colours, by their names in the page, replaced.

    Examples
    --------
    >>> recolour(b'<path fill="#1b1f24"/>', {"ink": "#ffffff"})
    b'<path fill="#ffffff"/>'
    """
    names = {name: colour for colour, name in _COLOURS.items()}
    pattern = re.compile("|".join(_COLOURS))
    replaced = {names[name]: colour for name, colour in colours.items()}
    return pattern.sub(lambda found: replaced.get(found[0], found[0]), svg.decode()).encode()


def inline_svg(figure: Figure, letters: Mapping[str, str]) -> str:
    """Return the picture for inside a page: its ids its own, letters and colours (light or dark) those of the page."""
    svg = share_letters(figure.svg.decode(), letters)
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{figure.name}-', svg)
    svg = re.sub(r'(xlink:href="|url\()#', rf"\1#{figure.name}-", svg)  # letters, which are the page's, have no xlink
    for colour, name in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    return re.sub(r"<svg\b", f'<svg role="img" aria-labelledby="{figure.name}-alt"', svg, count=1)


def _contents(document: Document) -> Iterator[Heading]:
    for block in document.blocks:
        if isinstance(block, Heading):
            yield block


def _script_words() -> Mapping[str, Any]:
    return {name: _WORDS.names(name) for name in ("patients", "images")}


def _quote(words: str) -> str:
    """Return words as a string of CSS that cannot end before its end."""
    return '"' + re.sub(r"[^A-Za-z0-9 ]", lambda found: f"\\{ord(found[0]):x} ", words) + '"'


def _island(details: Any) -> str:
    """Return JSON that cannot close the element it stands in."""
    text = json.dumps(details, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read(name: str) -> str:
    return resources.files("rarefactor.report").joinpath(name).read_text(encoding="utf-8")
