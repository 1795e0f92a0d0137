"""The report as one HTML file: styles, pictures and the little script inside, no address outside.

Convention: everything is escaped by the template engine but the pictures, which we draw ourselves.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

from rarefactor.report._plot import BLUE, INK, MUTED, ORANGE, PANEL, RULE
from rarefactor.report.tree import Document, Figure, Heading

_COLOURS = {INK: "ink", MUTED: "muted", RULE: "rule", PANEL: "panel", BLUE: "firth", ORANGE: "ml", "#ffffff": "paper"}
_FILES = ("report.css", "report.js")


def write_html(document: Document) -> bytes:
    """Return the document as a self-contained HTML file."""
    from jinja2 import Environment  # noqa: PLC0415 - loaded when a report is written
    from markupsafe import Markup  # noqa: PLC0415 - loaded when a report is written

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["kind"] = lambda value: type(value).__name__
    environment.filters["svg"] = _markup
    css, script = (Markup(_read(name)) for name in _FILES)  # noqa: S704 - files of this package
    text = environment.from_string(_read("report.html.j2")).render(
        document=document,
        contents=tuple(_contents(document)),
        css=css,
        script=script,
        details=Markup(_island(document.details)),  # noqa: S704 - escaped in _island
        origins=Markup(_island(dataclasses.asdict(document.origins))),  # noqa: S704 - as above
    )
    return text.encode()


def inline_svg(figure: Figure) -> str:
    """Return the picture for inside a page: its ids its own, its colours those of the page (light or dark)."""
    svg = figure.svg.decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{figure.name}-', svg)
    svg = re.sub(r'(xlink:href="|url\()#', rf"\1#{figure.name}-", svg)
    for colour, name in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    return re.sub(r"<svg\b", f'<svg role="img" aria-labelledby="{figure.name}-alt"', svg, count=1)


def _markup(figure: Figure) -> Any:
    from markupsafe import Markup  # noqa: PLC0415 - loaded when a report is written

    return Markup(inline_svg(figure))  # noqa: S704 - drawn by us, text as outlines


def _contents(document: Document) -> Iterator[Heading]:
    for block in document.blocks:
        if isinstance(block, Heading):
            yield block


def _island(details: Any) -> str:
    """Return JSON that cannot close the element it stands in."""
    text = json.dumps(details, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read(name: str) -> str:
    return resources.files("rarefactor.report").joinpath(name).read_text(encoding="utf-8")
