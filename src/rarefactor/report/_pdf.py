"""The report as PDF/UA-1: tagged, with alternative texts, the same bytes for the same document.

Convention: the document goes to the typesetter as JSON, never as markup, so that no text has to be escaped. The
font is the one of this package and, for signs that it lacks, the one that matplotlib ships; fonts of the machine are
not looked at. A sign that neither has is written as its number.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from rarefactor.errors import OutputError, Problem
from rarefactor.report._breaks import list_stays
from rarefactor.report._labels import label_block
from rarefactor.report._words import LANGUAGE_TAG, Words
from rarefactor.report.tree import Cell, Document, Figure, Inline, Link, Table, Text

_WORDS = Words("pdf")
_WHOLE = 24  # rows: a table of so many is not torn
_TIMESTAMP = 0  # the clock of the machine must not change the file


def write_pdf(document: Document) -> bytes:
    """Return the document as PDF/UA-1.

    Raises
    ------
    OutputError
        The typesetter refuses the document.
    """
    import typst  # noqa: PLC0415 - loaded when a report is written

    package = resources.files("rarefactor.report")
    template = package.joinpath("report.typ").read_bytes()
    content = json.dumps(_plain(document), ensure_ascii=False)
    try:
        with resources.as_file(package / "fonts") as fonts:
            pdf = typst.compile(
                template,
                format="pdf",
                pdf_standards=["ua-1"],
                timestamp=_TIMESTAMP,
                sys_inputs={"document": content},
                font_paths=typst.Fonts(
                    include_system_fonts=False, include_embedded_fonts=True, font_paths=[fonts, Path(_fallback_fonts())]
                ),
            )
    except typst.TypstError as error:
        raise OutputError(
            Problem(
                found=f"a report that cannot be set as PDF ({error.message})",
                expected="a document that follows PDF/UA-1",
                next_step="Please report this with the study file.",
            )
        ) from error
    return pdf


def _plain(document: Document) -> dict[str, Any]:
    return {
        "title": spell(document.title),
        "subtitle": spell(document.subtitle),
        "byline": spell(document.byline),
        "notice": spell(document.notice),
        "language": dict(zip(("lang", "region"), LANGUAGE_TAG.split("-"), strict=True)),
        "keywords": _WORDS.items("keywords"),
        "page": _WORDS.text("page"),
        "blocks": [_block(block) for block in document.blocks],
    }


def _block(block: Any) -> dict[str, Any]:
    fields = {field.name: getattr(block, field.name) for field in dataclasses.fields(block)}
    if isinstance(block, Figure):
        shown = {"width_mm": block.shown_width_mm, "height_mm": block.height_mm * block.shown_width_mm / block.width_mm}
        fields |= shown | {"svg": block.svg.decode(), "png": None}
    if isinstance(block, Table):
        fields |= {"bound": bind_rows(block), "breakable": len(block.rows) > _WHOLE}
    if isinstance(block, Table | Figure):
        fields["label"] = label_block(block)
    return {"kind": type(block).__name__} | {name: _value(value) for name, value in fields.items()}


def bind_rows(table: Table) -> list[int]:
    """Return for each row how many rows from it on stand on one page: 0 inside of such rows, 1 where one may be alone.

    A head that opens levels is bound to them by the typesetter; a table that is not torn has nothing to bind.

    Examples
    --------
    >>> from rarefactor.report.tree import Row
    >>> rows = tuple(Row(cells=(), kind="head" if place % 3 == 0 else "level") for place in range(27))
    >>> table = Table(name="t", number=1, caption="", header=(), rows=(*rows, Row(cells=(), kind="head")), widths=())
    >>> bind_rows(table)[:6], bind_rows(table)[-4:]
    ([1, 2, 0, 1, 2, 0], [1, 3, 0, 0])
    """
    if len(table.rows) <= _WHOLE:
        return [1] * len(table.rows)
    stays = list_stays(table)[:-1]
    kinds = [row.kind for row in table.rows]
    opened = [pair == ("head", "level") for pair in itertools.pairwise([*kinds, ""])]
    torn = (not stay or any(opens) for stay, opens in zip(stays, itertools.pairwise(opened), strict=True))
    starts = [0, *(place for place, tears in enumerate(torn, start=1) if tears)]
    bound = [0] * len(table.rows)
    for start, end in itertools.pairwise([*starts, len(bound)]):
        bound[start] = end - start
    return bound


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return spell(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, Cell):
        return {"runs": _value(value.runs), "align": value.align, "span": value.span}
    if isinstance(value, Inline):
        return _run(value)
    if dataclasses.is_dataclass(value):
        return {field.name: _value(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def _run(run: Inline) -> dict[str, Any]:
    if isinstance(run, Text):
        return {"text": spell(run.text), "style": run.style}
    if isinstance(run, Link):
        return {"text": spell(run.text), "style": "link", "target": f"to-{run.target}"}
    keys = list(getattr(run, "keys", ()))
    return {"text": spell(run.text), "style": "cite" if keys else "plain", "keys": keys}


def spell(text: str) -> str:
    r"""Return the text with signs that no font has written as their numbers.

    Examples
    --------
    >>> spell("α ≤ 5 µg"), spell("\U00013000")
    ('α ≤ 5 µg', '[U+13000]')
    """
    if text.isascii():
        return text
    known = _known_signs()
    return "".join(sign if ord(sign) < 128 or ord(sign) in known else f"[U+{ord(sign):04X}]" for sign in text)


@cache
def _known_signs() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 - loaded when a report is written

    with resources.as_file(resources.files("rarefactor.report") / "fonts") as own:
        paths = [str(own / "SourceSans3-Regular.ttf"), f"{_fallback_fonts()}/DejaVuSans.ttf"]
        return frozenset(code for path in paths for code in FT2Font(path).get_charmap())


def _fallback_fonts() -> str:
    from matplotlib import get_data_path  # noqa: PLC0415 - loaded when a report is written

    return f"{get_data_path()}/fonts/ttf"
