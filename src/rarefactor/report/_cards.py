"""Parts of the report for a page on which results come one after the other.

Convention: a card is a section of the report, from the same tree by the same writer, without its heading. Its figures
are pictures at addresses of their own, which may be drawn when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rarefactor.report._calculator import write_calculator
from rarefactor.report._card import Card, Part
from rarefactor.report._course import write_courses
from rarefactor.report._document import write_imputation, write_multivariable, write_univariable
from rarefactor.report._follow_up import write_follow_up
from rarefactor.report._html import recolour, write_part
from rarefactor.report._measured import write_measured
from rarefactor.report._missing_map import write_missing
from rarefactor.report._nomogram import draw_nomogram
from rarefactor.report._performance import write_performance
from rarefactor.report._plot import write_svg
from rarefactor.report._published import write_published
from rarefactor.report._reach import write_reach
from rarefactor.report._response import write_response
from rarefactor.report._selection import write_selection
from rarefactor.report._sensitivity import write_sensitivity
from rarefactor.report._source import Source, read_source
from rarefactor.report._style import apply_style
from rarefactor.report._table1 import tabulate_characteristics
from rarefactor.report._words import Words
from rarefactor.report.tree import Block, Document, Figure, Heading
from rarefactor.results import Results, RiskModel

_WORDS = Words("cards")
_DARK = {
    "ink": "#e6eaee",
    "muted": "#a3afba",
    "rule": "#47525d",
    "panel": "#1d232a",
    "firth": "#7ab8f5",
    "ml": "#f2a05f",
    "third": "#74c394",
    "fourth": "#c9a3e6",
    "fifth": "#d9b84a",
    "tint": "#26384a",
    "paper": "#14181d",
}


def _table1(source: Source) -> Iterator[Block]:
    yield from tabulate_characteristics(source)
    yield from write_missing(source)


_SECTIONS: Mapping[str, tuple[tuple[str, ...], Callable[[Source], Iterable[Block]]]] = {
    "table1": (("table1", "missing"), _table1),
    "response": (("response",), write_response),
    "images": (("images",), write_measured),
    "univariable": (("univariable",), write_univariable),
    "multivariable": (("multivariable", "univariable"), write_multivariable),  # the events of each level
    "imputation": (("imputation",), write_imputation),
    "performance": (("performance",), write_performance),
    "selection": (("selection",), write_selection),
    "risk-model": (("performance", "multivariable"), write_calculator),
    "follow-up": (("survival",), write_follow_up),
    "course": (("longitudinal",), write_courses),
    "sensitivity": (("sensitivity", "multivariable"), write_sensitivity),
    "evidence": (("evidence", "univariable"), write_published),
    "reach": (("design",), write_reach),
}


def list_cards() -> tuple[Card, ...]:
    """Return the cards in the order of a paper."""
    return tuple(
        Card(name=name, title=_WORDS.text(name), part=parts[0], parts=frozenset(parts))
        for name, (parts, _) in _SECTIONS.items()
    )


def write_card(
    name: str,
    results: Results,
    *,
    address: Callable[[str], str],
    risk_models: Sequence[RiskModel] = (),
    only: str | None = None,
) -> Part:
    """Return one section of the report for inside a page, empty where the results hold nothing for it."""
    source = replace(read_source(results, risk_models), only=only)
    blocks = tuple(_without_head(_SECTIONS[name][1](source)))
    rows = {row.id: row for row in results.rows}
    document = apply_style(Document(title="", subtitle="", byline="", blocks=blocks), source.style, rows)
    html = write_part(document.blocks, lambda figure: address(figure.name))
    return Part(html=html, figures={figure.name: figure.svg for figure in document.figures()})


def draw_model(model: RiskModel) -> bytes:
    """Return the nomogram of a risk model as SVG."""
    return write_svg(draw_nomogram(model), f"nomogram-{model.name}")


def darken(svg: bytes) -> bytes:
    """Return a drawing of the report for a dark page."""
    return recolour(svg, _DARK)


def _without_head(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if not (isinstance(block, Heading) and block.level == 1):
            yield replace(block, number=0) if isinstance(block, Figure) else block
