"""The figure of Bland and Altman: what two readers, or a measurement and readers, differ by.

Convention: a panel is a pair of readings of one thing that has limits of agreement; a pair of numbers is two rows of
one term, which ends on ``#`` and a place.

References
----------
Bland JM, Altman DG. Statistical methods for assessing agreement between two methods of clinical measurement. Lancet
1986;1:307-10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rarefactor.report._agreement_plot import Compared, draw_differences
from rarefactor.report._bibliography import cite
from rarefactor.report._drawn import make_figure
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_fixed
from rarefactor.report.tree import Figure
from rarefactor.results import DIFFERENCE_OF_PAIR, MEAN_OF_PAIR, Estimate

BLIND = "readers_blind"
"""The method of rows on what readers did blind."""
_WORDS = Words("agreement")
_LIMITS = ("limit_lower", "bias", "limit_upper")
_BETWEEN, _PLACE = " / ", "#"


def draw_agreement(source: Source, name: str, rows: Sequence[Estimate]) -> Iterator[Figure]:
    """Yield the figure of the pairs of readings among some rows, if there are such; ``name`` is that of the images."""
    panels = tuple(_compare(rows))
    if panels:
        caption = _WORDS.runs("caption", bland=cite("bland1986"), level=source.level)
        draw = partial(draw_differences, panels)
        yield make_figure(source, f"agreement-{name}", caption, _alt(panels), draw)


def _compare(rows: Sequence[Estimate]) -> Iterator[Compared]:
    paired = [row for row in rows if row.measure == DIFFERENCE_OF_PAIR]
    keys = dict.fromkeys(((row.term or "").rpartition(_PLACE)[0], row.group or "", row.method) for row in paired)
    for term, group, method in keys:
        own = [row for row in rows if (row.group, row.method) == (group, method)]
        limits = {row.measure: row for row in own if row.term == term}
        if set(_LIMITS) <= set(limits):
            pairs = [row for row in own if (row.term or "").rpartition(_PLACE)[0] == term]
            yield Compared(
                title=_title(term, method),
                readers=_name(group),
                means=_values(pairs, MEAN_OF_PAIR),
                differences=_values(pairs, DIFFERENCE_OF_PAIR),
                limits=tuple(limits[measure] for measure in _LIMITS),
            )


def _title(term: str, method: str | None) -> str:
    title = term.removesuffix(".score").removeprefix("grade.")
    return _WORDS.text("blind", title=title) if method == BLIND else title


def _name(group: str) -> tuple[str, str]:
    one, _, other = group.partition(_BETWEEN)
    return one, other


def _values(rows: Sequence[Estimate], measure: str) -> tuple[float, ...]:
    return tuple(row.estimate or 0.0 for row in rows if row.measure == measure)


def _alt(panels: Sequence[Compared]) -> str:
    told: list[str] = []
    for panel in panels:
        lower, bias, upper = (format_fixed(row.estimate, 2) for row in panel.limits)
        n = str(len(panel.means))
        told.append(_WORDS.text("alt_panel", title=panel.title, n=n, bias=bias, lower=lower, upper=upper))
    return _WORDS.text("alt", panels=" ".join(told))
