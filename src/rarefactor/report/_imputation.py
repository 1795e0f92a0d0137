"""What was imputed: traces of the chains, and imputed beside observed values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rarefactor.report._panel import draw_panel
from rarefactor.report._plot import BLUE, MUTED, ORANGE, Sheet, open_sheet
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.results import FEWEST_IMPUTED, Estimate
from rarefactor.spec import lower_first

_WORDS = Words("imputation")
WIDTH = 170.0
_ROW = 38.0
_LEFTS = (18.0, 74.0, 130.0)
_SIZE = (38.0, 22.0)
_COLOURS = {"observed": BLUE, "imputed": ORANGE}


@dataclass(frozen=True, slots=True)
class Imputed:
    """One factor with imputed values: its label, how many were missing, and its rows.

    ``made``: the factor is made of values that were imputed (a cut, a rate, a change), and the rows are on these.
    """

    label: str
    missing: int
    rows: tuple[Estimate, ...]
    made: bool = False

    def lines(self, measure: str) -> dict[str, list[float]]:
        """Return the values of a measure by group, in their order."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row.measure == measure and row.estimate is not None and row.group:
                found.setdefault(row.group, []).append(row.estimate)
        return found


def imputed_factors(source: Source, landmark: str) -> tuple[Imputed, ...]:
    """Return the factors of which enough values were imputed at a landmark for chains of them to show anything."""
    rows = source.results.select(analysis="imputation", landmark=landmark)
    counts = [row for row in rows if row.measure == "missing"]
    return tuple(
        Imputed(
            label=source.factor(count.factor or "").label,
            missing=int(count.estimate or 0),
            rows=tuple(row for row in rows if row.factor == count.factor),
            made=source.study.factors[count.factor or ""].is_made,
        )
        for count in counts
        if (count.estimate or 0) >= FEWEST_IMPUTED
    )


def draw_imputation(imputed: Sequence[Imputed]) -> Sheet:
    """Return traces of mean and SD and the distributions, one row for each factor."""
    sheet = open_sheet(WIDTH, _ROW * len(imputed) + 4)
    for place, factor in enumerate(imputed):
        top = place * _ROW + 9
        label = lower_first(factor.label) if factor.made else factor.label
        title = _WORDS.text("part" if factor.made else "factor", factor=label, missing=factor.missing)
        sheet.text(0, top - 6, title, strong=True)
        *traces, last = _LEFTS
        for left, measure in zip(traces, ("trace_mean", "trace_sd"), strict=True):
            _draw_trace(sheet, (left, top), _titles(measure), factor.lines(measure))
        _draw_distribution(sheet, (last, top), factor)
    return sheet


def _titles(panel: str) -> tuple[str, str]:
    """Return the words for the axes of a panel: across, and up."""
    across, up = _WORDS.items(f"{panel}_axes")
    return across, up


def _draw_trace(
    sheet: Sheet, corner: tuple[float, float], titles: tuple[str, str], lines: dict[str, list[float]]
) -> None:
    values = [value for line in lines.values() for value in line]
    if not values:
        return
    steps = max(len(line) for line in lines.values())
    panel = draw_panel(sheet, corner, _SIZE, (1, max(steps, 2)), spread(values), titles)
    for line in lines.values():
        panel.curve(range(1, len(line) + 1), line, color=MUTED, lw=0.7)


def _draw_distribution(sheet: Sheet, corner: tuple[float, float], factor: Imputed) -> None:
    densities = factor.lines("density")
    if densities:
        places = [float((row.term or "0").removeprefix("at")) for row in factor.rows if row.group == "observed"]
        top = max(max(line) for line in densities.values())
        panel = draw_panel(sheet, corner, _SIZE, (places[0], places[-1]), (0, top * 1.05), _titles("density"))
        for group, color in _COLOURS.items():
            panel.curve(places, densities[group], color=color, lw=1.1)
    else:
        _draw_shares(sheet, corner, factor.lines("proportion"))
    for place, (group, color) in enumerate(_COLOURS.items()):
        x, y = corner[0] + 2 + 15 * place, corner[1] - 2
        sheet.line((x - 2, x), (y, y), color=color, lw=1.4)
        sheet.text(x + 0.8, y, _WORDS.text(group), size=6.5)


def _draw_shares(sheet: Sheet, corner: tuple[float, float], shares: dict[str, list[float]]) -> None:
    levels = max(len(line) for line in shares.values())
    panel = draw_panel(sheet, corner, _SIZE, (0.5, levels + 0.5), (0, 1), _titles("shares"))
    for group, color in _COLOURS.items():
        for level, share in enumerate(shares.get(group, []), start=1):
            sheet.dot(panel.x(level + (0.08 if group == "imputed" else -0.08)), panel.y(share), "o", color)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return a range that holds the values with some room.

    Examples
    --------
    >>> spread([1.0, 2.0])
    (0.9, 2.1)
    """
    low, high = min(values), max(values)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def describe_imputed(imputed: Sequence[Imputed]) -> Iterator[str]:
    """Return the picture in words, for whoever cannot see it."""
    for factor in imputed:
        means = factor.lines("trace_mean")
        last = [line[-1] for line in means.values()]
        if last:
            words = _WORDS.text(
                "alt",
                factor=factor.label,
                missing=factor.missing,
                low=f"{min(last):.3g}",
                high=f"{max(last):.3g}",
                imputations=len(last),
            )
            yield f"{words} "
